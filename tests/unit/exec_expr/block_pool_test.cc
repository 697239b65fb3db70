#include "exec/column/block_pool.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "base/limits.h"

namespace weir {
namespace {

TEST(BlockPool, BlocksHaveTheRoomThatWasAskedFor) {
  size_t before = 0;
  for (size_t bytes = 0; bytes < 3000; ++bytes) {
    const size_t room = BlockBytes(bytes);
    EXPECT_GE(room, bytes);
    EXPECT_GE(room, before) << bytes;
    if (bytes > 64) {
      EXPECT_LE(room, bytes + bytes / 4) << bytes;
    }
    before = room;
  }
  for (const size_t bytes : {size_t{1} << 20, (size_t{1} << 20) + 1, size_t{5} << 20}) {
    EXPECT_GE(BlockBytes(bytes), bytes);
  }
}

// Blocks of all sizes, taken and given back in any order: none overlaps another.
TEST(BlockPool, BlocksInUseAreApart) {
  struct Held {
    unsigned char* block;
    size_t bytes;
    unsigned char mark;
  };
  std::mt19937 random(3);
  std::vector<Held> held;
  for (int step = 0; step < 5000; ++step) {
    if (held.size() > 60 || (random() % 2 == 0 && !held.empty())) {
      const size_t at = random() % held.size();
      const Held out = held[at];
      EXPECT_EQ(out.block[0], out.mark);
      EXPECT_EQ(out.block[out.bytes - 1], out.mark);
      GiveBlock(out.block, out.bytes);
      held[at] = held.back();
      held.pop_back();
      continue;
    }
    const size_t bytes = 1 + random() % (size_t{1} << (random() % 21));
    auto* block = static_cast<unsigned char*>(TakeBlock(bytes));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % 64, 0u);
    held.push_back({block, bytes, static_cast<unsigned char>(step)});
    std::memset(block, held.back().mark, bytes);
  }
  for (const Held& each : held) GiveBlock(each.block, each.bytes);
}

TEST(BlockPool, AnotherThreadMayGiveBackMoreThanItKeeps) {
  std::vector<void*> blocks;
  constexpr size_t kBytes = size_t{1} << 20;
  for (size_t taken = 0; taken < 2 * limits::kFreeBlockBytesMax; taken += kBytes) {
    blocks.push_back(TakeBlock(kBytes));
  }
  std::thread([&] {
    for (void* block : blocks) GiveBlock(block, kBytes);
  }).join();
}

}  // namespace
}  // namespace weir
