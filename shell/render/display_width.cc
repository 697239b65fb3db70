#include "shell/render/display_width.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <iterator>

namespace weir::shell {
namespace {

constexpr std::string_view kNoText = "\xEF\xBF\xBD";

/// One character of a text: its bytes and its width. Bytes that are not UTF-8 are one wide each.
struct Character {
  size_t length = 1;
  int width = 1;
  bool valid = true;
  utf8proc_int32_t code_point = 0;
};

Character CharacterAt(std::string_view text, size_t position) {
  const auto byte = static_cast<unsigned char>(text[position]);
  if (byte < 0x80) return {.code_point = byte};
  utf8proc_int32_t code_point = 0;
  const auto length =
      utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + position,
                       static_cast<utf8proc_ssize_t>(text.size() - position), &code_point);
  if (length <= 0) return {.valid = false};
  return {.length = static_cast<size_t>(length),
          .width = std::max(0, utf8proc_charwidth(code_point)),
          .code_point = code_point};
}

bool IsUnsafe(utf8proc_int32_t code_point) {
  if (code_point < 0x7F) return code_point < 0x20;
  const utf8proc_property_t* property = utf8proc_get_property(code_point);
  switch (property->category) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return true;
    case UTF8PROC_CATEGORY_MN:
      return false;  // Accents, and what chooses among the looks of a character.
    default: return property->ignorable;  // Letters that show nothing.
  }
}

void AppendEscape(utf8proc_int32_t code_point, Escape escape, std::string* out) {
  const auto code = static_cast<uint32_t>(code_point);
  auto to = std::back_inserter(*out);
  if (escape == Escape::kJson) {
    if (code < 0x10000) {
      fmt::format_to(to, "\\u{:04x}", code);
    } else {
      fmt::format_to(to, "\\u{:04x}\\u{:04x}", 0xD800 + ((code - 0x10000) >> 10),
                     0xDC00 + ((code - 0x10000) & 0x3FF));
    }
    return;
  }
  switch (code) {
    case '\n': *out += "\\n"; return;
    case '\t': *out += "\\t"; return;
    case '\r': *out += "\\r"; return;
    default: break;
  }
  if (code < 0x80) {
    fmt::format_to(to, "\\x{:02x}", code);
  } else if (code < 0x10000) {
    fmt::format_to(to, "\\u{:04x}", code);
  } else {
    fmt::format_to(to, "\\U{:08x}", code);
  }
}

bool IsPlainByte(char c) { return c >= 0x20 && c < 0x7F; }

}  // namespace

int DisplayWidth(std::string_view text) {
  int width = 0;
  for (size_t i = 0; i < text.size();) {
    const Character c = CharacterAt(text, i);
    width += c.width;
    i += c.length;
  }
  return width;
}

std::string SafeText(std::string_view text, Escape escape) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    size_t plain = i;
    while (plain < text.size() && IsPlainByte(text[plain])) ++plain;
    out.append(text, i, plain - i);
    i = plain;
    if (i == text.size()) break;
    const Character c = CharacterAt(text, i);
    if (!c.valid) {
      out += kNoText;
    } else if ((escape == Escape::kLines && (text[i] == '\n' || text[i] == '\t')) ||
               (escape == Escape::kJson && text[i] == '\n') || !IsUnsafe(c.code_point)) {
      out.append(text, i, c.length);
    } else {
      AppendEscape(c.code_point, escape, &out);
    }
    i += c.length;
  }
  return out;
}

std::string Printable(std::string_view text) { return SafeText(text, Escape::kOneLine); }

std::string CutToWidth(std::string_view text, int width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  int used = 0;
  size_t end = 0;
  while (end < text.size()) {
    const Character c = CharacterAt(text, end);
    if (used + c.width > width - 1) break;
    used += c.width;
    end += c.length;
  }
  return std::string(text.substr(0, end)) + "…";
}

}  // namespace weir::shell
