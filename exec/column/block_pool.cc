#include "exec/column/block_pool.h"

#include <bit>
#include <new>

#include "base/limits.h"

namespace weir {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kPooledBytesMax = size_t{1} << 20;  // Larger blocks are rare, and freed.

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kPooled = false;  // A block that is used after it was freed is to be found.
#else
constexpr bool kPooled = true;
#endif

// Sizes go up in four steps to each doubling, from 64 bytes on.
struct SizeClass {
  int index;
  size_t bytes;
};

SizeClass ClassOf(size_t bytes) {
  if (bytes <= 64) return {0, 64};
  const size_t last = bytes - 1;
  const int width = std::bit_width(last);
  const size_t step = last >> (width - 3);  // 4 to 7.
  return {(width - 7) * 4 + static_cast<int>(step) - 3, (step + 1) << (width - 3)};
}

constexpr int kClasses = (20 - 7) * 4 + 7 - 3 + 1;

void* Allocate(size_t bytes) { return ::operator new (bytes, std::align_val_t{kAlignment}); }
void Free(void* block) { ::operator delete (block, std::align_val_t{kAlignment}); }

thread_local bool ended = false;  // The thread's lists are gone: what it still frees is freed.

class FreeBlocks {
 public:
  ~FreeBlocks() {
    ended = true;
    for (Block* first : lists_) {
      while (first != nullptr) Free(std::exchange(first, first->next));
    }
  }

  void* Take(const SizeClass& size) {
    Block*& first = lists_[size.index];
    if (first == nullptr) return nullptr;
    bytes_ -= size.bytes;
    return std::exchange(first, first->next);
  }

  bool Keep(void* block, const SizeClass& size) {
    if (bytes_ + size.bytes > limits::kFreeBlockBytesMax) return false;
    bytes_ += size.bytes;
    Block*& first = lists_[size.index];
    first = new (block) Block{first};
    return true;
  }

 private:
  struct Block {
    Block* next;
  };
  Block* lists_[kClasses] = {};
  size_t bytes_ = 0;
};

thread_local FreeBlocks free_blocks;

}  // namespace

size_t BlockBytes(size_t bytes) { return bytes > kPooledBytesMax ? bytes : ClassOf(bytes).bytes; }

void* TakeBlock(size_t bytes) {
  if (bytes > kPooledBytesMax) return Allocate(bytes);
  const SizeClass size = ClassOf(bytes);
  void* block = kPooled && !ended ? free_blocks.Take(size) : nullptr;
  return block != nullptr ? block : Allocate(size.bytes);
}

void GiveBlock(void* block, size_t bytes) noexcept {
  if (block == nullptr) return;
  const bool pooled = kPooled && !ended && bytes <= kPooledBytesMax;
  if (!pooled || !free_blocks.Keep(block, ClassOf(bytes))) Free(block);
}

}  // namespace weir
