#pragma once

// Memory of columns. A batch needs the same few dozen blocks as the one before it: each thread
// keeps what it frees and hands it out again, so that batches cost no trip to the allocator, whose
// large blocks would come back from the kernel page by page.

#include <cstddef>
#include <memory>
#include <utility>

namespace weir {

/// The bytes that a block of at least `bytes` really has.
size_t BlockBytes(size_t bytes);
/// A block of BlockBytes(bytes), 64-byte aligned, not initialized. Throws std::bad_alloc.
void* TakeBlock(size_t bytes);
/// Gives back what TakeBlock(bytes) gave, on any thread. Kept for the thread's next blocks, up to
/// limits::kFreeBlockBytesMax a thread; freed beyond that.
void GiveBlock(void* block, size_t bytes) noexcept;

/// Lets the standard library take its blocks here too.
template <typename T>
struct BlockAllocator {
  using value_type = T;
  BlockAllocator() = default;
  template <typename U>
  BlockAllocator(const BlockAllocator<U>&) {}  // NOLINT: rebinding is meant to be implicit.
  T* allocate(size_t count) { return static_cast<T*>(TakeBlock(count * sizeof(T))); }
  void deallocate(T* block, size_t count) noexcept { GiveBlock(block, count * sizeof(T)); }
  template <typename U>
  bool operator==(const BlockAllocator<U>&) const {
    return true;
  }
};

/// As std::make_shared, in such a block. For what is made anew with every batch.
template <typename T, typename... Args>
std::shared_ptr<T> MakeShared(Args&&... args) {
  return std::allocate_shared<T>(BlockAllocator<std::remove_const_t<T>>(),
                                 std::forward<Args>(args)...);
}

}  // namespace weir
