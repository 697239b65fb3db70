#pragma once

// Where operators write their state, and read it back from.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/status.h"

namespace weir {

/// A named store of one task: a prefix of the query's durable state. Writes go into the next
/// commit; reads see what the barriers before have written, also while that is being committed.
/// Keys are relative to the store.
class StateStore {
 public:
  virtual ~StateStore() = default;
  virtual Status Scan(
      std::string_view from, std::string_view to,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) const = 0;
  /// As of the last barrier: values[i] belongs to keys[i], which must be sorted.
  virtual Status MultiGet(const std::vector<std::string>& keys,
                          std::vector<std::optional<std::string>>& values) const = 0;
  virtual void Put(std::string_view key, std::string_view value) = 0;
  virtual void Delete(std::string_view key) = 0;
  virtual void DeleteRange(std::string_view from, std::string_view to) = 0;
};

}  // namespace weir
