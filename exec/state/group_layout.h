#pragma once

// What the layouts of a GroupTable have in common. One file each: packed_groups.cc for keys of
// fixed width, group_table.cc for all others.

#include <memory>
#include <span>
#include <vector>

#include "exec/state/group_table.h"

namespace weir {

class GroupTable::Impl {
 public:
  virtual ~Impl() = default;
  virtual void FindOrInsert(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
                            std::span<const int64_t> times, uint32_t* ids,
                            std::vector<uint32_t>& created) = 0;
  virtual void Find(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
                    std::span<const int64_t> times, uint32_t* ids) = 0;
  virtual void Erase(std::span<const uint32_t> ids) = 0;
  virtual void Keep(std::span<const uint32_t> ids) = 0;
  virtual size_t size() const = 0;
  virtual uint32_t id_limit() const = 0;
  virtual int64_t time(uint32_t id) const = 0;
  virtual void AppendKeys(std::span<const uint32_t> ids, std::span<ColumnBuilder> out) const = 0;
  virtual void AppendKeyBytes(uint32_t id, std::string& out) const = 0;
  virtual size_t ByteSize() const = 0;
};

/// Ids that were given back are handed out again, latest first.
class IdPool {
 public:
  uint32_t Take() {
    if (free_.empty()) return limit_++;
    const uint32_t id = free_.back();
    free_.pop_back();
    return id;
  }
  void Give(uint32_t id) { free_.push_back(id); }
  /// Ids below `count` are taken, no others.
  void Restart(uint32_t count) {
    std::vector<uint32_t>().swap(free_);
    limit_ = count;
  }
  uint32_t limit() const { return limit_; }
  size_t size() const { return limit_ - free_.size(); }

 private:
  std::vector<uint32_t> free_;
  uint32_t limit_ = 0;
};

/// How far ahead slots are fetched into the cache, and from which number of keys on that pays.
inline constexpr size_t kSlotsPrefetched = 16;
inline constexpr size_t kPrefetchSizeMin = 4096;

/// Keys of fixed width, up to 32 bytes of them together; null if these are none.
std::unique_ptr<GroupTable::Impl> MakePackedGroups(const GroupTable::Options& options);

}  // namespace weir
