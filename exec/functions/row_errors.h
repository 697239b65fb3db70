#pragma once

// What expressions and functions ask for and tell while they run, besides their values.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

/// Collects errors of single rows (division by zero, a cast that has no value). The value of the
/// row is null; the operator counts and logs it with the row's origin.
class RowErrors {
 public:
  struct Entry {
    int32_t row;
    std::string message;
  };
  /// Only the first few of a batch are kept with text; all are counted.
  void Add(int32_t row, std::string_view message);
  int64_t count() const { return count_; }
  const std::vector<Entry>& entries() const { return entries_; }
  void Clear();
  /// Forgets those that came after there were `count`.
  void ForgetFrom(int64_t count);
  /// Adds these to `target`, row i as rows[i]: from elements of collections back to the batch.
  void ForwardTo(RowErrors& target, std::span<const int32_t> rows) const;

 private:
  static constexpr size_t kEntriesMax = 16;
  int64_t count_ = 0;
  std::vector<Entry> entries_;
};

/// What kernels may ask for at run time.
struct EvalContext {
  int64_t now_ms = 0;  ///< Wall clock, taken once a batch (UNIX_TIMESTAMP()).
  RowErrors errors;
};

}  // namespace weir
