#pragma once

// Where rows of a key may lie: from 37 bits of the key's hash to numbers of rows, in five and a
// half bytes a row. For rows that have left memory: what is found here has the key, or, once in
// some hundred million times, another one.
//
//   first bits of the hash ─▶ bucket, eight rows on average ─▶ [further bits | row] [further bits…

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

/// Built once, then read only.
class KeyIndex {
 public:
  /// Rows are numbered below 2^row_bits, with kSmallBits <= row_bits <= kRowBitsMax.
  static constexpr int kSmallBits = 12;
  static constexpr int kRowBitsMax = 20;

  /// A row as it comes in and goes out: the hash's bits above the row's.
  static uint64_t Pack(uint64_t hash, uint32_t row) {
    return (hash >> (64 - kHashBits)) << kRowBitsMax | row;
  }

  /// Of rows in any order.
  KeyIndex(int row_bits, std::span<const uint64_t> packed);

  /// Calls found(row) for the rows in [from, to] with such a hash, ascending, until it returns
  /// false. Returns whether it never did.
  template <typename Found>
  bool Find(uint64_t hash, uint32_t from, uint32_t to, const Found& found) const {
    const uint64_t bits = hash >> (64 - kHashBits);
    const uint64_t bucket = BucketOf(hash);
    const uint64_t rest = (bits & ((uint64_t{1} << rest_bits_) - 1)) << row_bits_;
    uint32_t at = buckets_[bucket];
    const uint32_t end = buckets_[bucket + 1];
    if (end - at > kScannedMax) at = LowerBound(at, end, rest | from);
    for (; at < end; ++at) {
      const uint64_t record = Record(at);
      if (record < (rest | from)) continue;
      if (record > (rest | to)) break;
      if (!found(static_cast<uint32_t>(record & ((uint64_t{1} << row_bits_) - 1)))) return false;
    }
    return true;
  }
  /// Fetches into the cache what a Find of this hash reads first, and then what it reads next.
  void PrefetchBucket(uint64_t hash) const { __builtin_prefetch(&buckets_[BucketOf(hash)]); }
  void PrefetchRecords(uint64_t hash) const {
    __builtin_prefetch(records_.data() + size_t{buckets_[BucketOf(hash)]} * kRecordBytes);
  }
  /// Appends all rows, `offset` added to their numbers, in any order.
  void Unpack(uint32_t offset, std::vector<uint64_t>& packed) const;

  size_t rows() const { return buckets_.back(); }
  size_t ByteSize() const { return records_.size() + buckets_.size() * sizeof(uint32_t); }

  /// The index as bytes, and back; false if malformed.
  void AppendTo(std::string& out) const;
  static bool Read(std::string_view bytes, int row_bits, KeyIndex& index);

 private:
  static constexpr int kRecordBytes = 5;
  static constexpr int kRecordBits = 8 * kRecordBytes;
  static constexpr int kHashBits = kRecordBits - 3;  // Three of a row's bits are its bucket's.
  static constexpr uint32_t kScannedMax = 24;

  uint64_t BucketOf(uint64_t hash) const { return hash >> (64 - kHashBits) >> rest_bits_; }
  uint64_t Record(size_t at) const {
    uint64_t word;
    std::memcpy(&word, records_.data() + at * kRecordBytes, sizeof(word));
    return word & ((uint64_t{1} << kRecordBits) - 1);
  }
  uint32_t LowerBound(uint32_t from, uint32_t to, uint64_t record) const;

  int row_bits_;
  int rest_bits_;                  // Of the hash, in a record.
  std::vector<uint32_t> buckets_;  // Where each begins; one more for the end.
  std::vector<uint8_t> records_;   // Ascending in each bucket; with padding behind.
};

}  // namespace weir
