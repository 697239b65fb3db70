#include "parser/source_text.h"

#include <utf8proc.h>

#include <algorithm>
#include <utility>

namespace weir {
namespace {

const utf8proc_uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const utf8proc_uint8_t*>(text.data());
}

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
}

}  // namespace

size_t FindInvalidUtf8(std::string_view text) {
  if (IsAscii(text)) return std::string_view::npos;
  size_t at = 0;
  while (at < text.size()) {
    utf8proc_int32_t point = 0;
    const utf8proc_ssize_t size =
        utf8proc_iterate(Bytes(text) + at, static_cast<utf8proc_ssize_t>(text.size() - at), &point);
    if (size <= 0) return at;
    at += static_cast<size_t>(size);
  }
  return std::string_view::npos;
}

int CodePointCount(std::string_view text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string FoldName(std::string_view name) {
  std::string folded;
  folded.reserve(name.size());
  if (IsAscii(name)) {
    for (char c : name) folded += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return folded;
  }
  size_t at = 0;
  while (at < name.size()) {
    utf8proc_int32_t point = 0;
    const utf8proc_ssize_t size =
        utf8proc_iterate(Bytes(name) + at, static_cast<utf8proc_ssize_t>(name.size() - at), &point);
    if (size <= 0) break;
    utf8proc_uint8_t encoded[4];
    const utf8proc_ssize_t length = utf8proc_encode_char(utf8proc_toupper(point), encoded);
    folded.append(reinterpret_cast<const char*>(encoded), static_cast<size_t>(length));
    at += static_cast<size_t>(size);
  }
  return folded;
}

std::string SourceLineAt(std::string_view text, int line) {
  for (int skipped = 1; skipped < line; ++skipped) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return "";
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  if (text.ends_with('\r')) text.remove_suffix(1);
  // A tab would put the caret elsewhere than its column says.
  std::string out(text);
  std::replace(out.begin(), out.end(), '\t', ' ');
  return out;
}

Status WithSourceLineOf(Status status, std::string_view text) {
  if (status.ok() || !status.position() || !status.source_line().empty()) return status;
  std::string line = SourceLineAt(text, status.position()->line);
  return std::move(status).WithSourceLine(std::move(line));
}

}  // namespace weir
