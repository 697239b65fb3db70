#include "exec/state/join_buffer/key_index.h"

#include <algorithm>

#include "base/fixed_bytes.h"

namespace weir {
namespace {

constexpr size_t kPadding = sizeof(uint64_t);  // Records are read eight bytes at a time.

}  // namespace

KeyIndex::KeyIndex(int row_bits, std::span<const uint64_t> packed)
    : row_bits_(row_bits), rest_bits_(kRecordBits - row_bits) {
  const size_t count = size_t{1} << (row_bits - 3);
  const uint64_t row_mask = (uint64_t{1} << kRowBitsMax) - 1;
  const uint64_t rest_mask = (uint64_t{1} << rest_bits_) - 1;
  buckets_.assign(count + 1, 0);
  for (uint64_t each : packed) ++buckets_[(each >> kRowBitsMax >> rest_bits_) + 1];
  for (size_t i = 0; i < count; ++i) buckets_[i + 1] += buckets_[i];
  std::vector<uint64_t> records(packed.size());
  std::vector<uint32_t> next(buckets_.begin(), buckets_.end() - 1);
  for (uint64_t each : packed) {
    const uint64_t bits = each >> kRowBitsMax;
    records[next[bits >> rest_bits_]++] = (bits & rest_mask) << row_bits | (each & row_mask);
  }
  for (size_t i = 0; i < count; ++i) {
    std::sort(records.begin() + buckets_[i], records.begin() + buckets_[i + 1]);
  }
  records_.assign(records.size() * kRecordBytes + kPadding, 0);
  for (size_t i = 0; i < records.size(); ++i) {
    std::memcpy(records_.data() + i * kRecordBytes, &records[i], kRecordBytes);
  }
}

uint32_t KeyIndex::LowerBound(uint32_t from, uint32_t to, uint64_t record) const {
  while (from < to) {
    const uint32_t middle = from + (to - from) / 2;
    if (Record(middle) < record) {
      from = middle + 1;
    } else {
      to = middle;
    }
  }
  return from;
}

void KeyIndex::Unpack(uint32_t offset, std::vector<uint64_t>& packed) const {
  const uint64_t row_mask = (uint64_t{1} << row_bits_) - 1;
  for (uint64_t bucket = 0; bucket + 1 < buckets_.size(); ++bucket) {
    for (uint32_t at = buckets_[bucket]; at < buckets_[bucket + 1]; ++at) {
      const uint64_t record = Record(at);
      const uint64_t bits = bucket << rest_bits_ | record >> row_bits_;
      packed.push_back(bits << kRowBitsMax | ((record & row_mask) + offset));
    }
  }
}

void KeyIndex::AppendTo(std::string& out) const {
  for (size_t i = 1; i < buckets_.size(); ++i) {
    PutFixed(static_cast<uint16_t>(buckets_[i] - buckets_[i - 1]), out);
  }
  out.append(reinterpret_cast<const char*>(records_.data()), records_.size() - kPadding);
}

bool KeyIndex::Read(std::string_view bytes, int row_bits, KeyIndex& index) {
  KeyIndex read(row_bits, {});
  for (size_t i = 1; i < read.buckets_.size(); ++i) {
    uint16_t rows = 0;
    if (!TakeFixed(bytes, rows)) return false;
    read.buckets_[i] = read.buckets_[i - 1] + rows;
  }
  if (bytes.size() != read.rows() * kRecordBytes) return false;
  read.records_.assign(bytes.size() + kPadding, 0);
  std::copy(bytes.begin(), bytes.end(), read.records_.begin());
  for (size_t bucket = 0; bucket + 1 < read.buckets_.size(); ++bucket) {
    for (uint32_t at = read.buckets_[bucket]; at + 1 < read.buckets_[bucket + 1]; ++at) {
      if (read.Record(at) >= read.Record(at + 1)) return false;
    }
  }
  index = std::move(read);
  return true;
}

}  // namespace weir
