#pragma once

// Avro's binary encoding, piece by piece.

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "exec/column/builder.h"

namespace weir {

/// Reads values from the front; every call is false at the end of the bytes.
struct AvroCursor {
  explicit AvroCursor(std::string_view bytes)
      : at(bytes.data()), end(at + bytes.size()), items_left(bytes.size() + kEmptyItemsMax) {}

  /// Items of arrays and maps that take no bytes, in one record: such as nulls.
  static constexpr uint64_t kEmptyItemsMax = 1024;
  const char* at;
  const char* end;
  uint64_t items_left;  ///< All others take a byte at least.

  size_t left() const { return static_cast<size_t>(end - at); }

  bool Long(int64_t& out) {
    if (at == end) return false;
    auto byte = static_cast<uint8_t>(*at++);
    uint64_t value = byte & 0x7f;
    if (byte >= 0x80) {
      int shift = 7;
      do {
        if (at == end || shift > 63) return false;
        byte = static_cast<uint8_t>(*at++);
        value |= static_cast<uint64_t>(byte & 0x7f) << shift;
        shift += 7;
      } while (byte >= 0x80);
    }
    out = static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
    return true;
  }

  bool SkipLong() {
    for (int i = 0; i < 10; ++i) {
      if (at == end) return false;
      if (static_cast<uint8_t>(*at++) < 0x80) return true;
    }
    return false;
  }

  bool Skip(uint64_t count) {
    if (count > left()) return false;
    at += count;
    return true;
  }

  bool Bytes(std::string_view& out) {
    int64_t length = 0;
    if (!Long(length) || length < 0 || static_cast<uint64_t>(length) > left()) return false;
    out = {at, static_cast<size_t>(length)};
    at += length;
    return true;
  }

  bool Fixed(size_t size, std::string_view& out) {
    if (size > left()) return false;
    out = {at, size};
    at += size;
    return true;
  }

  template <typename Number>
  bool LittleEndian(Number& out) {
    static_assert(std::endian::native == std::endian::little);
    if (sizeof(Number) > left()) return false;
    std::memcpy(&out, at, sizeof(Number));
    at += sizeof(Number);
    return true;
  }

  /// The next block of an array or map: how many items follow, 0 at the end. `bytes` of them, where
  /// the writer said it, else -1. A few bytes cannot stand for any number of items.
  bool Block(int64_t& items, int64_t& bytes) {
    bytes = -1;
    if (!Long(items)) return false;
    if (items < 0) {
      if (items == INT64_MIN || !Long(bytes) || bytes < 0) return false;
      if (static_cast<uint64_t>(bytes) > left()) return false;
      items = -items;
    }
    if (static_cast<uint64_t>(items) > items_left) return false;
    items_left -= static_cast<uint64_t>(items);
    return true;
  }
};

inline void AppendAvroLong(int64_t value, BufferBuilder& out) {
  uint64_t bits = static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
  char bytes[10];
  size_t count = 0;
  for (; bits >= 0x80; bits >>= 7) bytes[count++] = static_cast<char>(bits | 0x80);
  bytes[count++] = static_cast<char>(bits);
  out.Append(bytes, count);
}

inline void AppendAvroBytes(std::string_view value, BufferBuilder& out) {
  AppendAvroLong(static_cast<int64_t>(value.size()), out);
  out.Append(value.data(), value.size());
}

}  // namespace weir
