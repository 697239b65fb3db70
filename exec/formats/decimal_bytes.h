#pragma once

// A decimal's unscaled value as Avro and Protobuf have it: big-endian two's complement.

#include <cstdint>
#include <string_view>

#include "base/decimal.h"

namespace weir {

/// Bytes of any length; false for none, or beyond 128 bits.
inline bool ReadDecimalBytes(std::string_view bytes, Int128& out) {
  if (bytes.empty()) return false;
  const bool negative = (bytes[0] & 0x80) != 0;
  const char fill = negative ? '\xff' : '\0';
  while (bytes.size() > 16) {
    if (bytes[0] != fill || ((bytes[1] ^ fill) & 0x80) != 0) return false;
    bytes.remove_prefix(1);
  }
  auto value = static_cast<unsigned __int128>(negative ? -1 : 0);
  for (char c : bytes) value = value << 8 | static_cast<uint8_t>(c);
  out = static_cast<Int128>(value);
  return true;
}

/// The shortest bytes of a decimal at the end of `buffer`.
inline std::string_view WriteDecimalBytes(Int128 value, char (&buffer)[16]) {
  for (int i = 15; i >= 0; --i, value >>= 8) buffer[i] = static_cast<char>(value);
  size_t from = 0;
  while (from < 15) {
    const char fill = (buffer[from] & 0x80) != 0 ? '\xff' : '\0';
    if (buffer[from] != fill || ((buffer[from + 1] ^ fill) & 0x80) != 0) break;
    ++from;
  }
  return {buffer + from, 16 - from};
}

}  // namespace weir
