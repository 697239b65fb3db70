#pragma once

// Changes of state as a changelog gives them, gathered for the store: in the order they came, those
// that a marker has closed in front. They are put in order of keys once, when they are written.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exec/connect/topic.h"

namespace weir {

/// One thread at a time.
class RestoredChanges {
 public:
  /// `prefix` stands in front of all keys.
  explicit RestoredChanges(std::string prefix) : prefix_(std::move(prefix)) {}

  void Add(std::string_view key, const std::optional<std::string_view>& value);
  /// What was added until now counts.
  void Close() {
    closed_ = entries_.size();
    open_bytes_ = 0;
  }
  /// Forgets what was added since Close, and names its keys.
  void DropOpen(const std::function<void(std::string_view)>& dropped);
  void Clear();

  bool has_closed() const { return closed_ > 0; }
  size_t open_bytes() const { return open_bytes_; }
  size_t closed_bytes() const { return bytes_ - open_bytes_; }
  /// What counts: full keys in order, the last value of each. Valid until the next call that
  /// changes something.
  std::vector<StateEntry> SortClosed();
  /// Forgets what counts; what is open stays.
  void ForgetClosed();

 private:
  struct Entry {
    const char* key;  // The whole one; the value stands behind it.
    uint64_t order;   // The bytes that tell keys apart first, as a number.
    uint32_t key_size;
    int32_t value_size;  // -1: deleted.
    uint32_t number;     // In which it came.
    std::string_view view() const { return {key, key_size}; }
  };
  char* Allocate(size_t size);
  size_t CommonPrefix() const;

  const std::string prefix_;
  std::vector<std::unique_ptr<char[]>> pieces_;
  char* free_ = nullptr;
  size_t left_ = 0;
  std::vector<Entry> entries_;
  size_t closed_ = 0;
  size_t bytes_ = 0, open_bytes_ = 0;
};

}  // namespace weir
