#pragma once

// Numbers as the bytes they have in memory, little-endian, for what is stored or sent.

#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace weir {

/// Appends the bytes of `value`.
template <typename T>
void PutFixed(T value, std::string& out) {
  static_assert(std::is_trivially_copyable_v<T>);
  out.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

/// Takes a T off the front of `bytes`; false when they are too few.
template <typename T>
bool TakeFixed(std::string_view& bytes, T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (bytes.size() < sizeof(T)) return false;
  std::memcpy(&value, bytes.data(), sizeof(T));
  bytes.remove_prefix(sizeof(T));
  return true;
}

}  // namespace weir
