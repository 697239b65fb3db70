#include "exec/functions/scalar/encoded_text.h"

#include <array>

#include "exec/column/value_text.h"
#include "exec/functions/scalar/unicode_text.h"

namespace weir {
namespace {

constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<int8_t, 256> MakeBase64Values() {
  std::array<int8_t, 256> values{};
  for (auto& value : values) value = -1;
  for (size_t i = 0; i < kBase64Digits.size(); ++i) {
    values[static_cast<uint8_t>(kBase64Digits[i])] = static_cast<int8_t>(i);
  }
  return values;
}
constexpr std::array<int8_t, 256> kBase64Values = MakeBase64Values();

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// A number's text, 0x…, may lack its first zero; other forms have two digits a byte.
bool DecodeHex(std::string_view text, std::string& bytes) {
  if (text.starts_with("0x")) {
    text.remove_prefix(2);
    if (text.size() % 2 != 0) {
      const int low = HexValue(text[0]);
      if (low < 0) return false;
      bytes.push_back(static_cast<char>(low));
      text.remove_prefix(1);
    }
  } else if (text.size() >= 3 && (text[0] == 'X' || text[0] == 'x') && text[1] == '\'' &&
             text.back() == '\'') {
    text = text.substr(2, text.size() - 3);
  }
  if (text.size() % 2 != 0) return false;
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = HexValue(text[i]);
    const int low = HexValue(text[i + 1]);
    if (high < 0 || low < 0) return false;
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  return true;
}

/// Padding may be left out, but not be wrong.
bool DecodeBase64(std::string_view text, std::string& bytes) {
  const size_t padded = text.size();
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  if (padded - text.size() > 2 || (padded != text.size() && padded % 4 != 0)) return false;
  if (text.size() % 4 == 1) return false;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int value = kBase64Values[static_cast<uint8_t>(c)];
    if (value < 0) return false;
    bits = (bits << 6) | static_cast<uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes.push_back(static_cast<char>((bits >> count) & 0xFF));
    }
  }
  return true;
}

bool SameIgnoringCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if ((a[i] | 0x20) != (b[i] | 0x20)) return false;
  }
  return true;
}

}  // namespace

std::optional<TextEncoding> EncodingNamed(std::string_view name) {
  if (SameIgnoringCase(name, "hex")) return TextEncoding::kHex;
  if (SameIgnoringCase(name, "utf8")) return TextEncoding::kUtf8;
  if (SameIgnoringCase(name, "ascii")) return TextEncoding::kAscii;
  if (SameIgnoringCase(name, "base64")) return TextEncoding::kBase64;
  return std::nullopt;
}

bool DecodeText(std::string_view text, TextEncoding encoding, std::string& bytes) {
  switch (encoding) {
    case TextEncoding::kHex: return DecodeHex(text, bytes);
    case TextEncoding::kUtf8: bytes.append(text); return true;
    case TextEncoding::kAscii:
      while (!text.empty()) {
        const std::string_view character = FirstCharacter(text);
        bytes.push_back(character.size() == 1 && static_cast<uint8_t>(character[0]) < 0x80
                            ? character[0]
                            : '?');
        text.remove_prefix(character.size());
      }
      return true;
    case TextEncoding::kBase64: return DecodeBase64(text, bytes);
  }
  return false;
}

void EncodeText(std::string_view bytes, TextEncoding encoding, std::string& text) {
  switch (encoding) {
    case TextEncoding::kHex: return AppendHex(bytes, false, text);
    case TextEncoding::kUtf8: return AppendValidUtf8(bytes, text);
    case TextEncoding::kAscii:
      for (const char c : bytes) {
        AppendCodePoint(static_cast<uint8_t>(c) < 0x80 ? static_cast<uint8_t>(c) : 0xFFFD, text);
      }
      return;
    case TextEncoding::kBase64: return AppendBase64(bytes, text);
  }
}

void AppendHex(std::string_view bytes, bool upper, std::string& out) {
  const char* digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  for (const char c : bytes) {
    out.push_back(digits[static_cast<uint8_t>(c) >> 4]);
    out.push_back(digits[static_cast<uint8_t>(c) & 15]);
  }
}

}  // namespace weir
