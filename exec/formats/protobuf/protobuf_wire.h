#pragma once

// Protobuf's wire format, piece by piece.

#include <cstdint>
#include <cstring>
#include <string_view>

#include "exec/column/builder.h"
#include "exec/formats/protobuf/protobuf_schema.h"

namespace weir {

/// Reads from the front; every call is false where the bytes end too early or are no such thing.
struct ProtobufCursor {
  explicit ProtobufCursor(std::string_view bytes) : at(bytes.data()), end(at + bytes.size()) {}
  const char* at;
  const char* end;

  size_t left() const { return static_cast<size_t>(end - at); }
  bool done() const { return at == end; }

  bool Varint(uint64_t& out) {
    if (at == end) return false;
    auto byte = static_cast<uint8_t>(*at++);
    uint64_t value = byte & 0x7f;
    for (int shift = 7; byte >= 0x80; shift += 7) {
      if (at == end || shift > 63) return false;
      byte = static_cast<uint8_t>(*at++);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    }
    out = value;
    return true;
  }

  template <typename Number>
  bool LittleEndian(uint64_t& out) {
    if (sizeof(Number) > left()) return false;
    Number number;
    std::memcpy(&number, at, sizeof(Number));
    at += sizeof(Number);
    out = number;
    return true;
  }

  bool Bytes(std::string_view& out) {
    uint64_t length = 0;
    if (!Varint(length) || length > left()) return false;
    out = {at, static_cast<size_t>(length)};
    at += length;
    return true;
  }

  /// A value that is no length: its bits.
  bool Scalar(ProtobufWire wire, uint64_t& bits) {
    if (wire == ProtobufWire::kFixed64) return LittleEndian<uint64_t>(bits);
    if (wire == ProtobufWire::kFixed32) return LittleEndian<uint32_t>(bits);
    return Varint(bits);
  }

  /// The tag of a field: `wire` is any of the format's three bits.
  bool Tag(int32_t& number, int& wire) {
    uint64_t tag = 0;
    if (!Varint(tag) || tag > UINT32_MAX || tag >> 3 == 0) return false;
    number = static_cast<int32_t>(tag >> 3);
    wire = static_cast<int>(tag & 7);
    return true;
  }

  /// Passes a value over that is behind a tag; groups with all that is inside.
  bool Skip(int32_t number, int wire) {
    constexpr int kGroupsMax = 100;
    constexpr int kBegin = 3;
    constexpr int kEnd = 4;
    int32_t open[kGroupsMax];
    int depth = 0;
    while (true) {
      uint64_t bits = 0;
      std::string_view bytes;
      switch (wire) {
        case 0:
          if (!Varint(bits)) return false;
          break;
        case 1:
          if (!LittleEndian<uint64_t>(bits)) return false;
          break;
        case 2:
          if (!Bytes(bytes)) return false;
          break;
        case kBegin:
          if (depth == kGroupsMax) return false;
          open[depth++] = number;
          break;
        case kEnd:
          if (depth == 0 || open[--depth] != number) return false;
          break;
        case 5:
          if (!LittleEndian<uint32_t>(bits)) return false;
          break;
        default: return false;
      }
      if (depth == 0) return true;
      if (!Tag(number, wire)) return false;
    }
  }
};

inline int64_t FromZigZag(uint64_t bits) {
  return static_cast<int64_t>(bits >> 1) ^ -static_cast<int64_t>(bits & 1);
}

inline uint64_t ToZigZag(int64_t value) {
  return static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
}

/// Writes a varint into ten bytes; how many.
inline size_t PutVarint(uint64_t bits, char* to) {
  size_t count = 0;
  for (; bits >= 0x80; bits >>= 7) to[count++] = static_cast<char>(bits | 0x80);
  to[count++] = static_cast<char>(bits);
  return count;
}

inline void AppendVarint(uint64_t bits, BufferBuilder& out) {
  char bytes[10];
  out.Append(bytes, PutVarint(bits, bytes));
}

inline void AppendTag(int32_t number, ProtobufWire wire, BufferBuilder& out) {
  AppendVarint(static_cast<uint64_t>(number) << 3 | static_cast<uint64_t>(wire), out);
}

inline void AppendScalar(ProtobufWire wire, uint64_t bits, BufferBuilder& out) {
  if (wire == ProtobufWire::kFixed64) {
    out.AppendValue(bits);
  } else if (wire == ProtobufWire::kFixed32) {
    out.AppendValue(static_cast<uint32_t>(bits));
  } else {
    AppendVarint(bits, out);
  }
}

/// Something with its length in front: Begin, what it is, End.
inline size_t BeginLength(BufferBuilder& out) {
  out.AppendValue<char>(0);
  return out.size();
}

inline void EndLength(size_t begin, BufferBuilder& out) {
  const size_t length = out.size() - begin;
  char bytes[10];
  const size_t count = PutVarint(length, bytes);
  if (count > 1) {
    out.Resize(out.size() + count - 1);
    std::memmove(out.data() + begin + count - 1, out.data() + begin, length);
  }
  std::memcpy(out.data() + begin - 1, bytes, count);
}

}  // namespace weir
