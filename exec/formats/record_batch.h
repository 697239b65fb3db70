#pragma once

// Raw records of one partition, as topics give and take them: bytes in one buffer, and slices.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exec/column/builder.h"

namespace weir {

/// Bytes [begin, begin + length) of a batch's buffer; length -1 is Kafka's null.
struct Slice {
  uint32_t begin = 0;
  int32_t length = -1;
  bool is_null() const { return length < 0; }
};

/// Tells where the records of a batch come from, where that says more than topic, partition and
/// offset: a file's name and line. Valid until the next Fetch of the reader that made the batch.
class RecordPlaces {
 public:
  virtual ~RecordPlaces() = default;
  /// Such as "file rides.csv line 3 offset 75".
  virtual std::string PlaceOf(int32_t row) const = 0;
  /// Why the record's bytes do not even have its source's shape; empty: they do.
  virtual std::string_view FaultOf(int32_t) const { return {}; }
};

/// Records of one partition in offset order. The owner reuses it: Clear() keeps capacity. All
/// vectors have the same size, but `headers`, which is empty when no record has headers, and
/// `append_times`.
struct RecordBatch {
  /// Keys, values and headers of all records; at least 64 readable bytes follow its end (simdjson).
  BufferPtr bytes;
  std::vector<Slice> keys;
  std::vector<Slice> values;
  /// Encoded headers, see header_codec.h.
  std::vector<Slice> headers;
  std::vector<int64_t> timestamps;  ///< Event time, ms since the epoch.
  /// When the topic took each record, ms since the epoch; empty: the timestamps say it.
  std::vector<int64_t> append_times;
  std::vector<int64_t> offsets;  ///< Ascending; gaps are possible.
  int32_t partition = 0;
  const RecordPlaces* places = nullptr;  ///< Null: topic, partition and offset say it all.

  int32_t size() const { return static_cast<int32_t>(values.size()); }
  std::string_view View(Slice slice) const {
    return {reinterpret_cast<const char*>(bytes->data()) + slice.begin,
            slice.length < 0 ? 0u : static_cast<size_t>(slice.length)};
  }
  void Clear() {
    bytes.reset();
    keys.clear();
    values.clear();
    headers.clear();
    timestamps.clear();
    append_times.clear();
    offsets.clear();
    places = nullptr;
  }
};

/// Collects records for one partition. Encoders append key and value bytes to `bytes()` and then
/// close the record. Reused after Clear().
class RecordBatchBuilder {
 public:
  BufferBuilder& bytes() { return bytes_; }
  /// Closes a record: `key_begin`/`value_begin` are positions in bytes(); a length of -1 is null.
  void Add(Slice key, Slice value, Slice headers, int64_t timestamp_ms);
  /// Closes one record without headers for each of `rows`, whose times are `times_ms[row]`.
  void AddRows(std::span<const Slice> keys, std::span<const Slice> values,
               std::span<const int32_t> rows, const int64_t* times_ms);
  /// Copies a whole record in.
  void AddCopy(const std::string_view* key, const std::string_view* value,
               std::string_view encoded_headers, int64_t timestamp_ms);
  int32_t size() const { return static_cast<int32_t>(values_.size()); }
  size_t byte_size() const { return bytes_.size(); }
  const std::vector<Slice>& keys() const { return keys_; }
  const std::vector<Slice>& values() const { return values_; }
  const std::vector<Slice>& headers() const { return headers_; }  ///< Empty: no record has any.
  const std::vector<int64_t>& timestamps() const { return timestamps_; }
  std::string_view View(Slice slice) const {
    return {reinterpret_cast<const char*>(bytes_.data()) + slice.begin,
            slice.length < 0 ? 0u : static_cast<size_t>(slice.length)};
  }
  void Clear();
  /// Hands the records over without a copy (offsets stay empty); the builder is empty afterwards.
  void MoveTo(RecordBatch& out);

 private:
  BufferBuilder bytes_;
  std::vector<Slice> keys_, values_, headers_;
  std::vector<int64_t> timestamps_;
};

/// The partition Java's producer would choose for these key bytes (murmur2 of Kafka's clients).
int32_t JavaPartition(std::string_view key, int32_t partition_count);

}  // namespace weir
