#pragma once

// RocksDB's skip list, for what comes in runs of sorted keys, as a commit does: each key is looked
// for from the place of the one before, and not from the top. RocksDB has an option for this
// (memtable_insert_with_hint_prefix_extractor), but not for a database with range deletes: it takes
// one hint for the table of keys and for that of deleted ranges.

#include <rocksdb/memtablerep.h>

namespace weir {

/// Safe as SkipListFactory.
class HintedSkipList final : public rocksdb::SkipListFactory {
 public:
  using rocksdb::SkipListFactory::CreateMemTableRep;
  rocksdb::MemTableRep* CreateMemTableRep(const rocksdb::MemTableRep::KeyComparator& comparator,
                                          rocksdb::Allocator* allocator,
                                          const rocksdb::SliceTransform* transform,
                                          rocksdb::Logger* logger) override;
};

}  // namespace weir
