#pragma once
// For tests that read topics raw: fields of flat JSON values, and the bytes of Kafka's binary keys.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace weir::testing {

/// The text of a field, a string with its quotes; "" where there is none.
inline std::string JsonField(std::string_view json, std::string_view name) {
  const std::string start = "\"" + std::string(name) + "\":";
  const size_t at = json.find(start);
  if (at == std::string_view::npos) return "";
  const size_t begin = at + start.size();
  const size_t end =
      json[begin] == '"' ? json.find('"', begin + 1) + 1 : json.find_first_of(",}", begin);
  return std::string(json.substr(begin, end - begin));
}

/// The field as a whole number; -1 where there is none.
inline int64_t JsonInteger(std::string_view json, std::string_view name) {
  const std::string text = JsonField(json, name);
  return text.empty() ? -1 : std::strtoll(text.c_str(), nullptr, 10);
}

template <typename Integer>
std::string BigEndian(Integer number) {
  std::string bytes;
  for (int shift = 8 * static_cast<int>(sizeof(number)) - 8; shift >= 0; shift -= 8) {
    bytes += static_cast<char>(number >> shift);
  }
  return bytes;
}
/// A key of format KAFKA.
inline std::string IntKey(int32_t number) { return BigEndian(number); }
inline std::string BigintKey(int64_t number) { return BigEndian(number); }

/// The number that the first `size` bytes hold.
inline int64_t FromBigEndian(std::string_view bytes, size_t size) {
  uint64_t number = 0;
  for (size_t i = 0; i < size && i < bytes.size(); ++i) {
    number = number << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return static_cast<int64_t>(number);
}

}  // namespace weir::testing
