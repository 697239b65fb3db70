#pragma once

// State in memory that can be read as it was: what is replaced stays as long as somebody reads at
// an earlier moment.

#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <set>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exec/connect/commit_buffer.h"
#include "exec/connect/topic.h"

namespace weir {

/// Safe from any thread.
class VersionedState final : public StateBackend,
                             public std::enable_shared_from_this<VersionedState> {
 public:
  Result<std::optional<std::string>> Get(std::string_view key) const override;
  Status MultiGet(const std::vector<std::string>& keys,
                  std::vector<std::optional<std::string>>& values) const override;
  /// The visitor sees one moment, and may call back in.
  Status Scan(std::string_view from, std::string_view to,
              const std::function<bool(std::string_view, std::string_view)>& visit) const override;
  std::shared_ptr<const StateReader> Snapshot() const override;

  /// Makes all changes, in order, at one moment.
  void Apply(std::initializer_list<std::span<const StateChange>> lists);

 private:
  class At;
  struct Version {
    uint64_t moment = 0;
    bool is_there = false;
    std::string value;
    std::unique_ptr<Version> older;
  };
  using Entries = std::map<std::string, Version, std::less<>>;

  const std::string* ValueAt(std::string_view key, uint64_t moment) const;
  static const Version* VersionAt(const Version& latest, uint64_t moment);
  bool IsSeen(const Version& version) const {
    return !readers_.empty() && version.moment <= *readers_.rbegin();
  }
  void Apply(const StateChange& change);
  void Put(std::string_view key, std::string_view value);
  Entries::iterator Delete(Entries::iterator entry);
  void KeepOld(std::string_view key, Version& latest);
  void DropUnseen() const;

  mutable std::shared_mutex mutex_;  // Guards all.
  mutable Entries entries_;
  uint64_t moment_ = 0;                        // Of the last change.
  mutable std::multiset<uint64_t> readers_;    // By moment.
  mutable std::vector<std::string> replaced_;  // Keys that have older versions, or are deleted.
  mutable size_t drop_at_ = 0;                 // So many of them are looked through.
};

}  // namespace weir
