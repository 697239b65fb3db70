#include "exec/formats/base64.h"

#include <array>
#include <cstdint>

namespace weir {
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<int8_t, 256> MakeReverse() {
  std::array<int8_t, 256> table{};
  for (auto& entry : table) entry = -1;
  for (int i = 0; i < 64; ++i) table[static_cast<uint8_t>(kAlphabet[i])] = static_cast<int8_t>(i);
  return table;
}
constexpr auto kReverse = MakeReverse();

}  // namespace

bool DecodeBase64(std::string_view text, std::string& out) {
  out.clear();
  uint32_t bits = 0;
  int count = 0;
  size_t at = 0;
  for (; at < text.size() && text[at] != '='; ++at) {
    if (text[at] == '\n' || text[at] == '\r') continue;
    const int value = kReverse[static_cast<uint8_t>(text[at])];
    if (value < 0) return false;
    bits = (bits << 6) | static_cast<uint32_t>(value);
    if (++count == 4) {
      out.push_back(static_cast<char>(bits >> 16));
      out.push_back(static_cast<char>(bits >> 8));
      out.push_back(static_cast<char>(bits));
      bits = 0;
      count = 0;
    }
  }
  if (count == 1 || text.size() - at > 2) return false;
  for (; at < text.size(); ++at) {
    if (text[at] != '=' || count == 0) return false;
  }
  if (count == 2) out.push_back(static_cast<char>(bits >> 4));
  if (count == 3) {
    out.push_back(static_cast<char>(bits >> 10));
    out.push_back(static_cast<char>(bits >> 2));
  }
  return true;
}

void AppendBase64(std::string_view bytes, BufferBuilder& out) {
  out.Reserve((bytes.size() + 2) / 3 * 4);
  auto* to = reinterpret_cast<char*>(out.data() + out.size());
  const char* start = to;
  size_t at = 0;
  for (; at + 3 <= bytes.size(); at += 3) {
    const uint32_t bits = static_cast<uint32_t>(static_cast<uint8_t>(bytes[at])) << 16 |
                          static_cast<uint32_t>(static_cast<uint8_t>(bytes[at + 1])) << 8 |
                          static_cast<uint8_t>(bytes[at + 2]);
    for (int shift = 18; shift >= 0; shift -= 6) *to++ = kAlphabet[(bits >> shift) & 63];
  }
  if (at < bytes.size()) {
    const bool two = at + 2 == bytes.size();
    uint32_t bits = static_cast<uint32_t>(static_cast<uint8_t>(bytes[at])) << 16;
    if (two) bits |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[at + 1])) << 8;
    *to++ = kAlphabet[(bits >> 18) & 63];
    *to++ = kAlphabet[(bits >> 12) & 63];
    *to++ = two ? kAlphabet[(bits >> 6) & 63] : '=';
    *to++ = '=';
  }
  out.Resize(out.size() + static_cast<size_t>(to - start));
}

}  // namespace weir
