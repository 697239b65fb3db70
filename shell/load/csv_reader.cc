#include "shell/load/csv_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/limits.h"

namespace weir::shell {
namespace {

constexpr size_t kReadBytes = 1u << 20;

}  // namespace

CsvReader::CsvReader(std::istream& in) : in_(in) {}

bool CsvReader::ReadMore() {
  if (at_end_) return false;
  if (begin_ > 0) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  const size_t old_size = buffer_.size();
  buffer_.resize(old_size + kReadBytes);
  in_.read(buffer_.data() + old_size, kReadBytes);
  const size_t got = static_cast<size_t>(in_.gcount());
  buffer_.resize(old_size + got);
  if (old_size == 0 && next_line_ == 1 && buffer_.starts_with("\xEF\xBB\xBF")) begin_ = 3;
  at_end_ = got == 0;
  return got > 0;
}

size_t CsvReader::FindRowEnd() {
  bool quoted = false;
  for (size_t length = 0;;) {
    // Most rows have no quote: look for the line's end, then whether a quote comes before it.
    while (begin_ + length < buffer_.size()) {
      const char* at = buffer_.data() + begin_ + length;
      const size_t rest = buffer_.size() - begin_ - length;
      const char* newline = static_cast<const char*>(std::memchr(at, '\n', rest));
      const size_t span = newline != nullptr ? static_cast<size_t>(newline - at) : rest;
      if (std::count(at, at + span, '"') % 2 == 1) quoted = !quoted;
      length += span;
      if (newline != nullptr && !quoted) return begin_ + length;
      if (newline != nullptr) ++length;
    }
    if (length > limits::kRecordBytesMax) return std::string::npos;
    if (!ReadMore()) return quoted ? std::string::npos : begin_ + length;
  }
}

Result<bool> CsvReader::Next() {
  for (;;) {
    if (begin_ >= buffer_.size() && !ReadMore()) return false;
    row_line_ = next_line_;
    const size_t end = FindRowEnd();
    if (end == std::string::npos) {
      return Status(ErrorCode::kBadRecord,
                    fmt::format("a quoted field is not closed, in the row of line {}", row_line_));
    }
    next_line_ += 1 + std::count(buffer_.begin() + static_cast<ptrdiff_t>(begin_),
                                 buffer_.begin() + static_cast<ptrdiff_t>(end), '\n');
    size_t text_end = end;
    if (text_end > begin_ && buffer_[text_end - 1] == '\r') --text_end;
    const bool blank = text_end == begin_;
    if (!blank) SplitRow(text_end);
    begin_ = std::min(end + 1, buffer_.size());
    if (!blank) return true;
  }
}

// A field in quotes is unescaped in place, which only makes it shorter.
std::string_view CsvReader::TakeQuoted(char*& at, const char* end) {
  char* const start = ++at;
  char* out = start;
  while (at < end) {
    if (*at != '"') {
      *out++ = *at++;
    } else if (at + 1 < end && at[1] == '"') {
      *out++ = '"';
      at += 2;
    } else {
      ++at;
      break;
    }
  }
  // What stands between the closing quote and the comma belongs to the text, as in most readers.
  while (at < end && *at != ',') *out++ = *at++;
  return {start, static_cast<size_t>(out - start)};
}

void CsvReader::SplitRow(size_t end) {
  fields_.clear();
  char* at = buffer_.data() + begin_;
  const char* const stop = buffer_.data() + end;
  for (;;) {
    if (at < stop && *at == '"') {
      fields_.push_back(TakeQuoted(at, stop));
    } else {
      const void* comma = std::memchr(at, ',', static_cast<size_t>(stop - at));
      const char* field_end = comma != nullptr ? static_cast<const char*>(comma) : stop;
      fields_.emplace_back(at, static_cast<size_t>(field_end - at));
      at += field_end - at;
    }
    if (at >= stop) return;
    ++at;  // The comma; a field follows it, be it empty.
  }
}

}  // namespace weir::shell
