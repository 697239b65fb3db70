#pragma once

// What stands in front of a record's bytes where their schema is in a registry: a zero byte and the
// schema's id in four bytes, big-endian.

#include <cstdint>
#include <string_view>

#include "exec/column/builder.h"

namespace weir {

inline constexpr size_t kSchemaIdBytes = 5;

/// Takes the id off the front of `bytes`; false if there is none.
inline bool TakeSchemaId(std::string_view& bytes, int32_t& id) {
  if (bytes.size() < kSchemaIdBytes || bytes[0] != 0) return false;
  uint32_t value = 0;
  for (size_t i = 1; i < kSchemaIdBytes; ++i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  id = static_cast<int32_t>(value);
  bytes.remove_prefix(kSchemaIdBytes);
  return true;
}

inline void AppendSchemaId(int32_t id, BufferBuilder& out) {
  const auto value = static_cast<uint32_t>(id);
  const char bytes[kSchemaIdBytes] = {0, static_cast<char>(value >> 24),
                                      static_cast<char>(value >> 16), static_cast<char>(value >> 8),
                                      static_cast<char>(value)};
  out.Append(bytes, kSchemaIdBytes);
}

}  // namespace weir
