#include "shell/render/display_width.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>

namespace weir::shell {
namespace {

/// One character of a text: its bytes and its width. Bytes that are not UTF-8 are one wide each.
struct Character {
  size_t length = 1;
  int width = 1;
  bool valid = true;
};

Character CharacterAt(std::string_view text, size_t position) {
  if (static_cast<unsigned char>(text[position]) < 0x80) return {};
  utf8proc_int32_t code_point = 0;
  const auto length =
      utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + position,
                       static_cast<utf8proc_ssize_t>(text.size() - position), &code_point);
  if (length <= 0) return {.length = 1, .width = 1, .valid = false};
  return {.length = static_cast<size_t>(length),
          .width = std::max(0, utf8proc_charwidth(code_point))};
}

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

std::string Printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const unsigned char byte = static_cast<unsigned char>(text[i]);
    const Character c = CharacterAt(text, i);
    if (byte == '\n') {
      out += "\\n";
    } else if (byte == '\t') {
      out += "\\t";
    } else if (byte == '\r') {
      out += "\\r";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
    } else if (!c.valid) {
      out += "\xEF\xBF\xBD";
    } else {
      out.append(text, i, c.length);
    }
    i += c.length;
  }
  return out;
}

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
