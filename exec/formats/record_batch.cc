#include "exec/formats/record_batch.h"

namespace weir {
namespace {

/// MurmurHash2 with the seed that Kafka's Java clients use.
uint32_t JavaMurmur2(std::string_view key) {
  constexpr uint32_t kMultiplier = 0x5bd1e995;
  const auto* data = reinterpret_cast<const uint8_t*>(key.data());
  const auto length = static_cast<uint32_t>(key.size());
  uint32_t hash = 0x9747b28cu ^ length;
  uint32_t at = 0;
  for (; at + 4 <= length; at += 4) {
    uint32_t word = static_cast<uint32_t>(data[at]) | static_cast<uint32_t>(data[at + 1]) << 8 |
                    static_cast<uint32_t>(data[at + 2]) << 16 |
                    static_cast<uint32_t>(data[at + 3]) << 24;
    word *= kMultiplier;
    word ^= word >> 24;
    word *= kMultiplier;
    hash = (hash * kMultiplier) ^ word;
  }
  switch (length - at) {
    case 3: hash ^= static_cast<uint32_t>(data[at + 2]) << 16; [[fallthrough]];
    case 2: hash ^= static_cast<uint32_t>(data[at + 1]) << 8; [[fallthrough]];
    case 1:
      hash ^= data[at];
      hash *= kMultiplier;
      break;
    default: break;
  }
  hash ^= hash >> 13;
  hash *= kMultiplier;
  return hash ^ (hash >> 15);
}

}  // namespace

int32_t JavaPartition(std::string_view key, int32_t partition_count) {
  if (partition_count <= 1) return 0;
  return static_cast<int32_t>(JavaMurmur2(key) & 0x7fffffffu) % partition_count;
}

void RecordBatchBuilder::Add(Slice key, Slice value, Slice headers, int64_t timestamp_ms) {
  if (!headers.is_null() || !headers_.empty()) {
    headers_.resize(values_.size());
    headers_.push_back(headers);
  }
  keys_.push_back(key);
  values_.push_back(value);
  timestamps_.push_back(timestamp_ms);
}

void RecordBatchBuilder::AddRows(std::span<const Slice> keys, std::span<const Slice> values,
                                 std::span<const int32_t> rows, const int64_t* times_ms) {
  const size_t before = values_.size();
  keys_.insert(keys_.end(), keys.begin(), keys.end());
  values_.insert(values_.end(), values.begin(), values.end());
  if (!headers_.empty()) headers_.resize(values_.size());
  timestamps_.resize(values_.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    timestamps_[before + i] = times_ms[static_cast<size_t>(rows[i])];
  }
}

void RecordBatchBuilder::AddCopy(const std::string_view* key, const std::string_view* value,
                                 std::string_view encoded_headers, int64_t timestamp_ms) {
  auto copy = [this](const std::string_view* text) {
    Slice slice{static_cast<uint32_t>(bytes_.size()), -1};
    if (text != nullptr) {
      bytes_.Append(text->data(), text->size());
      slice.length = static_cast<int32_t>(text->size());
    }
    return slice;
  };
  const Slice key_slice = copy(key);
  const Slice value_slice = copy(value);
  Add(key_slice, value_slice, copy(encoded_headers.empty() ? nullptr : &encoded_headers),
      timestamp_ms);
}

void RecordBatchBuilder::Clear() {
  bytes_.Clear();
  keys_.clear();
  values_.clear();
  headers_.clear();
  timestamps_.clear();
}

void RecordBatchBuilder::MoveTo(RecordBatch& out) {
  out.Clear();
  out.bytes = bytes_.Finish();
  out.keys = std::move(keys_);
  out.values = std::move(values_);
  out.headers = std::move(headers_);
  out.timestamps = std::move(timestamps_);
  Clear();
  // What comes next is mostly as much.
  const size_t expected = out.values.size() + out.values.size() / 16;
  keys_.reserve(expected);
  values_.reserve(expected);
  timestamps_.reserve(expected);
}

}  // namespace weir
