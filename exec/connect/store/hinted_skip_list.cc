#include "exec/connect/store/hinted_skip_list.h"

#include <memory>

namespace weir {
namespace {

using rocksdb::KeyHandle;

class HintedRep final : public rocksdb::MemTableRep {
 public:
  HintedRep(rocksdb::MemTableRep* list, rocksdb::Allocator* allocator)
      : MemTableRep(allocator), list_(list) {}

  KeyHandle Allocate(size_t length, char** bytes) override {
    return list_->Allocate(length, bytes);
  }

  // One thread at a time: the place of the last key is of use for the next one.
  void Insert(KeyHandle handle) override { list_->InsertWithHint(handle, &last_); }
  bool InsertKey(KeyHandle handle) override { return list_->InsertKeyWithHint(handle, &last_); }
  void InsertWithHint(KeyHandle handle, void** hint) override {
    list_->InsertWithHint(handle, hint);
  }
  bool InsertKeyWithHint(KeyHandle handle, void** hint) override {
    return list_->InsertKeyWithHint(handle, hint);
  }

  // Several at once: without it. The next hint that is used is found to be too old where it is.
  void InsertConcurrently(KeyHandle handle) override { list_->InsertConcurrently(handle); }
  bool InsertKeyConcurrently(KeyHandle handle) override {
    return list_->InsertKeyConcurrently(handle);
  }
  void InsertWithHintConcurrently(KeyHandle handle, void** hint) override {
    list_->InsertWithHintConcurrently(handle, hint);
  }
  bool InsertKeyWithHintConcurrently(KeyHandle handle, void** hint) override {
    return list_->InsertKeyWithHintConcurrently(handle, hint);
  }

  bool Contains(const char* key) const override { return list_->Contains(key); }
  void MarkReadOnly() override { list_->MarkReadOnly(); }
  void MarkFlushed() override { list_->MarkFlushed(); }
  void Get(const rocksdb::LookupKey& key, void* arguments,
           bool (*visit)(void* arguments, const char* entry)) override {
    list_->Get(key, arguments, visit);
  }
  uint64_t ApproximateNumEntries(const rocksdb::Slice& from, const rocksdb::Slice& to) override {
    return list_->ApproximateNumEntries(from, to);
  }
  void UniqueRandomSample(uint64_t entries, uint64_t sample,
                          std::unordered_set<const char*>* out) override {
    list_->UniqueRandomSample(entries, sample, out);
  }
  size_t ApproximateMemoryUsage() override { return list_->ApproximateMemoryUsage(); }
  Iterator* GetIterator(rocksdb::Arena* arena) override { return list_->GetIterator(arena); }
  Iterator* GetDynamicPrefixIterator(rocksdb::Arena* arena) override {
    return list_->GetDynamicPrefixIterator(arena);
  }
  bool IsMergeOperatorSupported() const override { return list_->IsMergeOperatorSupported(); }
  bool IsSnapshotSupported() const override { return list_->IsSnapshotSupported(); }

 private:
  const std::unique_ptr<rocksdb::MemTableRep> list_;
  void* last_ = nullptr;  // Lies in the table's arena.
};

}  // namespace

rocksdb::MemTableRep* HintedSkipList::CreateMemTableRep(
    const rocksdb::MemTableRep::KeyComparator& comparator, rocksdb::Allocator* allocator,
    const rocksdb::SliceTransform* transform, rocksdb::Logger* logger) {
  rocksdb::MemTableRep* const list =
      SkipListFactory::CreateMemTableRep(comparator, allocator, transform, logger);
  return new HintedRep(list, allocator);
}

}  // namespace weir
