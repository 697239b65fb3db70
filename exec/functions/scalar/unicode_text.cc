#include "exec/functions/scalar/unicode_text.h"

#include <algorithm>
#include <cstring>

#include <utf8proc.h>

#include "base/interrupt.h"

namespace weir {
namespace {

/// Bytes of the character that starts with `lead`, by the lead byte alone.
size_t LeadLength(uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xF0) return 4;
  if (lead >= 0xE0) return 3;
  return lead >= 0xC0 ? 2 : 1;
}

bool IsWhitespace(uint32_t code_point) {
  if (code_point < 128) return code_point == ' ' || (code_point >= 9 && code_point <= 13);
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(code_point));
  return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
         category == UTF8PROC_CATEGORY_ZP;
}

void AppendUpperOf(uint32_t code_point, std::string& out) {
  if (code_point == 0xDF) {  // The one common letter whose upper case is two letters.
    out += "SS";
    return;
  }
  AppendCodePoint(static_cast<uint32_t>(utf8proc_toupper(static_cast<int32_t>(code_point))), out);
}

void AppendLowerOf(uint32_t code_point, std::string& out) {
  AppendCodePoint(static_cast<uint32_t>(utf8proc_tolower(static_cast<int32_t>(code_point))), out);
}

char AsciiUpper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
char AsciiLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

template <typename Visit>
void ForCharacters(std::string_view text, Visit&& visit) {
  while (!text.empty()) {
    const std::string_view character = FirstCharacter(text);
    visit(CodePointOf(character));
    text.remove_prefix(character.size());
  }
}

}  // namespace

bool IsAscii(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  for (; end - at >= 8; at += 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    if ((word & 0x8080808080808080ULL) != 0) return false;
  }
  return std::all_of(at, end, [](char c) { return static_cast<uint8_t>(c) < 0x80; });
}

int32_t Utf16Length(std::string_view text) {
  int32_t units = 0;
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    // One unit a character, that is a byte that continues none; two from four-byte characters.
    units += ((byte & 0xC0) != 0x80 ? 1 : 0) + (byte >= 0xF0 ? 1 : 0);
  }
  return units;
}

size_t ByteOfUnit(std::string_view text, int64_t unit) {
  size_t at = 0;
  int64_t units = 0;
  while (at < text.size()) {
    const auto lead = static_cast<uint8_t>(text[at]);
    const int64_t width = lead >= 0xF0 ? 2 : 1;
    if (units + width > unit) return at;
    units += width;
    at += LeadLength(lead);
  }
  return text.size();
}

std::string_view SliceUnits(std::string_view text, int64_t begin, int64_t end) {
  if (begin >= end) return {};
  if (IsAscii(text)) {
    return text.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
  }
  const size_t from = ByteOfUnit(text, begin);
  return text.substr(from, ByteOfUnit(text, end) - from);
}

std::string_view FirstCharacter(std::string_view text) {
  const size_t length = LeadLength(static_cast<uint8_t>(text[0]));
  if (length == 1 || length > text.size()) return text.substr(0, 1);
  for (size_t i = 1; i < length; ++i) {
    if ((static_cast<uint8_t>(text[i]) & 0xC0) != 0x80) return text.substr(0, 1);
  }
  return text.substr(0, length);
}

uint32_t CodePointOf(std::string_view character) {
  const auto byte = [&](size_t i) {
    return static_cast<uint32_t>(static_cast<uint8_t>(character[i]));
  };
  const uint32_t lead = byte(0);
  switch (character.size()) {
    case 1: return lead < 0x80 ? lead : 0xFFFD;
    case 2: return ((lead & 0x1F) << 6) | (byte(1) & 0x3F);
    case 3: {
      const uint32_t code = ((lead & 0x0F) << 12) | ((byte(1) & 0x3F) << 6) | (byte(2) & 0x3F);
      return code >= 0xD800 && code <= 0xDFFF ? 0xFFFD : code;
    }
    default: {
      const uint32_t code = ((lead & 0x07) << 18) | ((byte(1) & 0x3F) << 12) |
                            ((byte(2) & 0x3F) << 6) | (byte(3) & 0x3F);
      return code > 0x10FFFF ? 0xFFFD : code;
    }
  }
}

void AppendCodePoint(uint32_t code, std::string& out) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xC0 | (code >> 6)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else if ((code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF) {
    out.push_back('?');
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | (code >> 12)));
    out.push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else {
    out.push_back(static_cast<char>(0xF0 | (code >> 18)));
    out.push_back(static_cast<char>(0x80 | ((code >> 12) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  }
}

void AppendValidUtf8(std::string_view text, std::string& out) {
  if (IsAscii(text)) {
    out.append(text);
    return;
  }
  ForCharacters(text, [&](uint32_t code_point) { AppendCodePoint(code_point, out); });
}

void AppendUpper(std::string_view text, std::string& out) {
  if (IsAscii(text)) {
    std::transform(text.begin(), text.end(), std::back_inserter(out), AsciiUpper);
    return;
  }
  ForCharacters(text, [&](uint32_t code_point) { AppendUpperOf(code_point, out); });
}

void AppendLower(std::string_view text, std::string& out) {
  if (IsAscii(text)) {
    std::transform(text.begin(), text.end(), std::back_inserter(out), AsciiLower);
    return;
  }
  ForCharacters(text, [&](uint32_t code_point) { AppendLowerOf(code_point, out); });
}

void AppendInitcap(std::string_view text, std::string& out) {
  bool word_starts = true;
  ForCharacters(text, [&](uint32_t code_point) {
    if (word_starts) {
      AppendUpperOf(code_point, out);
    } else {
      AppendLowerOf(code_point, out);
    }
    word_starts = IsWhitespace(code_point);
  });
}

CharacterClass ClassOf(uint32_t code_point) {
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(code_point))) {
    case UTF8PROC_CATEGORY_LU: return CharacterClass::kUpper;
    case UTF8PROC_CATEGORY_LL: return CharacterClass::kLower;
    case UTF8PROC_CATEGORY_ND: return CharacterClass::kDigit;
    default: return CharacterClass::kOther;
  }
}

size_t FindText(std::string_view text, std::string_view wanted, size_t from) {
  // The library's own search compares in full at each place where the first byte is right.
  constexpr size_t kShort = 16;
  if (wanted.size() <= kShort || from > text.size()) return text.find(wanted, from);
  const void* found = memmem(text.data() + from, text.size() - from, wanted.data(), wanted.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

size_t FindTextBackwards(std::string_view text, std::string_view wanted, size_t from) {
  if (wanted.size() > text.size()) return std::string_view::npos;
  const size_t looks = wanted.size() > 4096 ? 0xFF : 0xFFFFF;  // Between two interruptions.
  for (size_t at = std::min(from, text.size() - wanted.size());; --at) {
    if ((at & looks) == 0) CheckInterrupt();
    if (std::memcmp(text.data() + at, wanted.data(), wanted.size()) == 0) return at;
    if (at == 0) return std::string_view::npos;
  }
}

}  // namespace weir
