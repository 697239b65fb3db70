#pragma once

// State as a commit that is not durable yet leaves it: what the commit has collected is looked up
// first, then what is committed. A query's next round reads its state so, while the commit is made.

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "exec/connect/commit_buffer.h"
#include "exec/connect/topic.h"

namespace weir {

/// Safe from any thread. The changes are put in order by the first call that needs it: most commits
/// are never asked.
class PendingState final : public StateReader {
 public:
  /// Nothing is added to `changes` any more. `below` outlives this.
  PendingState(std::shared_ptr<const StateChanges> changes, const StateReader& below)
      : changes_(std::move(changes)), below_(below) {}

  Result<std::optional<std::string>> Get(std::string_view key) const override;
  Status MultiGet(const std::vector<std::string>& keys,
                  std::vector<std::optional<std::string>>& values) const override;
  Status Scan(std::string_view from, std::string_view to,
              const std::function<bool(std::string_view, std::string_view)>& visit) const override;

 private:
  // What the changes say of a key.
  struct Entry {
    std::string_view key;
    std::optional<std::string_view> value;  // Nothing: deleted.
  };
  struct Range {
    std::string_view from, to;  // An empty `to` is the end.
    uint32_t number = 0;        // Of the change.
  };
  enum class Found { kUnknown, kDeleted, kValue };

  Found Find(std::string_view key, std::string_view& value) const;
  bool IsInRange(std::string_view key, uint32_t behind) const;
  void MakeIndex() const;
  const std::vector<Entry>& Sorted() const;

  const std::shared_ptr<const StateChanges> changes_;
  const StateReader& below_;
  mutable std::once_flag indexed_, sorted_once_;
  mutable absl::flat_hash_map<std::string_view, uint32_t> last_of_key_;  // Number of the change.
  mutable std::vector<Range> ranges_;
  mutable std::vector<Entry> sorted_;
};

}  // namespace weir
