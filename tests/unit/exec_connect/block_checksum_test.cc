// The checksum of blocks is part of the store's layout: its values never change, whatever the
// compiler and the processor, and it does not matter in how many parts the bytes lie.
#include "exec/connect/store/block_checksum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace weir {
namespace {

std::string SomeBytes(size_t size) {
  std::string bytes;
  for (size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(i * 7 + i / 13));
  return bytes;
}

uint64_t ChecksumOf(const std::string& bytes) { return BlockChecksum(bytes.data(), bytes.size()); }

TEST(BlockChecksumTest, ValuesAreTheSameEverywhere) {
  EXPECT_EQ(ChecksumOf(""), 0x55aa3c09eff669e9u);
  EXPECT_EQ(ChecksumOf(SomeBytes(63)), 0x5b79322261829373u);
  EXPECT_EQ(ChecksumOf(SomeBytes(64)), 0x127aee68b2ca1206u);
  EXPECT_EQ(ChecksumOf(SomeBytes(1000)), 0x19d3b1861d0525e9u);
  EXPECT_EQ(ChecksumOf(SomeBytes(5000)), 0xf98a22eabc78a8e8u);
}

TEST(BlockChecksumTest, PartsCountAsIfTheyLaySideBySide) {
  const std::string bytes = SomeBytes(1000);
  const std::string_view all = bytes;
  for (size_t first : {0, 1, 8, 63, 64, 65, 500, 999, 1000}) {
    for (size_t second : {0, 1, 5, 64, 130}) {
      const std::string_view parts[] = {all.substr(0, first), all.substr(first).substr(0, second),
                                        all.substr(std::min(first + second, all.size()))};
      EXPECT_EQ(BlockChecksum(parts), ChecksumOf(bytes)) << first << ", " << second;
    }
  }
}

TEST(BlockChecksumTest, FindsAChangedByte) {
  const std::string bytes = SomeBytes(1000);
  for (size_t at : {0, 1, 63, 64, 512, 959, 960, 999}) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 4);
    EXPECT_NE(ChecksumOf(changed), ChecksumOf(bytes)) << at;
  }
}

}  // namespace
}  // namespace weir
