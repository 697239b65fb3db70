#include "shell/load/json_fields.h"

#include <utf8proc.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "parser/source_text.h"

namespace weir::shell {
namespace {

/// Steps over the parts of a JSON text. Every step returns false where the text is not JSON.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  size_t position() const { return position_; }
  bool Take(char c) {
    SkipBlanks();
    if (position_ >= text_.size() || text_[position_] != c) return false;
    ++position_;
    return true;
  }
  /// A string with its quotes.
  bool TakeString(std::string_view* raw) {
    SkipBlanks();
    const size_t start = position_;
    if (!Take('"')) return false;
    while (position_ < text_.size() && text_[position_] != '"') {
      position_ += text_[position_] == '\\' ? 2 : 1;
    }
    if (position_ >= text_.size()) return false;
    ++position_;
    *raw = text_.substr(start, position_ - start);
    return true;
  }
  /// Any value; of arrays and objects only that brackets and strings close.
  bool TakeValue(std::string_view* raw) {
    SkipBlanks();
    const size_t start = position_;
    int depth = 0;
    while (position_ < text_.size()) {
      const char c = text_[position_];
      if (c == '"') {
        std::string_view ignored;
        if (!TakeString(&ignored)) return false;
      } else if (c == '{' || c == '[') {
        ++depth;
        ++position_;
      } else if (depth > 0 && (c == '}' || c == ']')) {
        --depth;
        ++position_;
      } else if (depth == 0 && (c == ',' || c == '}' || c == ' ' || c == '\t' || c == '\r')) {
        break;
      } else {
        ++position_;
        continue;
      }
      if (depth == 0) break;
    }
    *raw = text_.substr(start, position_ - start);
    return depth == 0 && !raw->empty();
  }

 private:
  void SkipBlanks() {
    while (position_ < text_.size() &&
           std::string_view(" \t\r\n").find(text_[position_]) != std::string_view::npos) {
      ++position_;
    }
  }
  std::string_view text_;
  size_t position_ = 0;
};

uint32_t Hex4(std::string_view text) {
  uint32_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return value;
}

void AppendUtf8(uint32_t code_point, std::string* out) {
  utf8proc_uint8_t bytes[4];
  const auto length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code_point), bytes);
  out->append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(length));
}

/// Appends what the escape at `i` (behind the backslash) means; returns the position after it.
size_t AppendUnescaped(std::string_view text, size_t i, std::string* out) {
  switch (text[i]) {
    case 'n': out->push_back('\n'); return i + 1;
    case 't': out->push_back('\t'); return i + 1;
    case 'r': out->push_back('\r'); return i + 1;
    case 'b': out->push_back('\b'); return i + 1;
    case 'f': out->push_back('\f'); return i + 1;
    case 'u': break;
    default: out->push_back(text[i]); return i + 1;
  }
  if (i + 5 > text.size()) return text.size();
  uint32_t code_point = Hex4(text.substr(i + 1, 4));
  i += 5;
  const bool high = code_point >= 0xD800 && code_point < 0xDC00;
  if (high && i + 6 <= text.size() && text[i] == '\\' && text[i + 1] == 'u') {
    code_point = 0x10000 + ((code_point - 0xD800) << 10) + (Hex4(text.substr(i + 2, 4)) - 0xDC00);
    i += 6;
  }
  AppendUtf8(
      utf8proc_codepoint_valid(static_cast<utf8proc_int32_t>(code_point)) ? code_point : 0xFFFD,
      out);
  return i;
}

std::string Unescape(std::string_view quoted) {
  const std::string_view text = quoted.substr(1, quoted.size() - 2);
  std::string out;
  for (size_t i = 0; i < text.size();) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      i = AppendUnescaped(text, i + 1, &out);
    } else {
      out.push_back(text[i++]);
    }
  }
  return out;
}

/// Whether the names differ by case alone.
bool SameFolded(std::string_view a, std::string_view b) {
  const auto is_ascii = [](char c) { return static_cast<signed char>(c) >= 0; };
  if (a.size() != b.size() && std::all_of(a.begin(), a.end(), is_ascii) &&
      std::all_of(b.begin(), b.end(), is_ascii)) {
    return false;
  }
  return FoldName(a) == FoldName(b);
}

}  // namespace

std::optional<std::string_view> FindJsonField(std::string_view json, std::string_view name) {
  Scanner scanner(json);
  std::optional<std::string_view> found;
  bool exact = false;
  if (!scanner.Take('{')) return found;
  do {
    std::string_view key;
    std::string_view value;
    if (!scanner.TakeString(&key) || !scanner.Take(':') || !scanner.TakeValue(&value)) return found;
    const bool plain = key.find('\\') == std::string_view::npos;
    const std::string unescaped = plain ? std::string() : Unescape(key);
    const std::string_view field = plain ? key.substr(1, key.size() - 2) : unescaped;
    if (field == name) {
      found = value;
      exact = true;
    } else if (!exact && SameFolded(field, name)) {
      found = value;
    }
  } while (scanner.Take(','));
  return found;
}

std::optional<std::string> JsonValueText(std::string_view raw) {
  if (raw == "null") return std::nullopt;
  if (raw.size() >= 2 && raw.front() == '"') return Unescape(raw);
  return std::string(raw);
}

}  // namespace weir::shell
