#include "exec/connect/files/line_source.h"

#include <algorithm>
#include <cstring>

#include "base/limits.h"
#include "exec/connect/files/text_check.h"
#include "exec/formats/quoted_field.h"

namespace weir {
namespace {

/// Bytes read at a time: with the columns made of them they stay in the L2 cache.
constexpr size_t kReadBytes = 512 * 1024;
/// The same beyond the soft end, where only the rest of a line is wanted.
constexpr size_t kReadOverBytes = 32 * 1024;
constexpr size_t kLinePadding = 64;
constexpr size_t kPooledBuffersMax = 16;
/// A quoted field that does not close within so many bytes is taken for one that never does.
constexpr ptrdiff_t kQuotedBytesMax = 16 << 20;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

const char* FindLineEnd(const char* from, const char* end) {
  if (from >= end) return nullptr;
  return static_cast<const char*>(std::memchr(from, '\n', static_cast<size_t>(end - from)));
}

/// The first quote in [from, end); null: there is none. Quoted fields often follow each other.
const char* NextQuote(const char* from, const char* end, char delimiter) {
  if (end - from > 1 && *from == delimiter && from[1] == '"') return from + 1;
  if (from >= end) return nullptr;
  return static_cast<const char*>(std::memchr(from, '"', static_cast<size_t>(end - from)));
}

}  // namespace

std::shared_ptr<std::vector<uint8_t>> BufferPool::Take(size_t size) {
  for (auto& buffer : buffers_) {
    if (buffer.use_count() == 1 && buffer->size() >= size + kLinePadding) return buffer;
  }
  auto fresh = std::make_shared<std::vector<uint8_t>>(size + kLinePadding);
  std::erase_if(buffers_, [&](const auto& each) {
    return each.use_count() == 1 && each->size() < fresh->size();
  });
  if (buffers_.size() < kPooledBuffersMax) buffers_.push_back(fresh);
  return fresh;
}

LineCutter::LineCutter(std::unique_ptr<ByteSource> source, char delimiter, int64_t position,
                       std::string name)
    : source_(std::move(source)),
      delimiter_(delimiter),
      name_(std::move(name)),
      position_(position),
      begun_(position != 0) {}

BufferPtr LineCutter::buffer() const {
  return std::make_shared<const Buffer>(bytes_->data(), size_, bytes_);
}

/// Puts what is left in front of what comes next.
Status LineCutter::Fill() {
  const size_t left = size_ - begin_;
  if (left > limits::kRecordBytesMax) {
    return Status(ErrorCode::kRecordTooLarge, "a line has too many bytes, in " + name_ +
                                                  ", from byte " + std::to_string(position_) +
                                                  " on");
  }
  // A line longer than the buffer makes it grow by doubling.
  auto fresh = pool_.Take(left < kReadBytes ? 2 * kReadBytes : 2 * left + kReadBytes);
  if (left != 0) std::memcpy(fresh->data(), bytes_->data() + begin_, left);
  searched_ -= std::min(searched_, begin_);
  bytes_ = std::move(fresh);
  begin_ = 0;
  size_ = left;
  const int64_t next = position_ + static_cast<int64_t>(left);
  const int64_t unread = source_->end() - next;
  if (unread <= 0 && !source_->grows()) return OkStatus();
  size_t room = std::min(std::max(kReadBytes, left), bytes_->size() - kLinePadding - left);
  const auto over = static_cast<int64_t>(std::max(left, kReadOverBytes));
  const int64_t wanted = std::max(soft_end_ - next, over);
  room = static_cast<size_t>(std::min<int64_t>(wanted, static_cast<int64_t>(room)));
  if (!source_->grows()) {
    room = static_cast<size_t>(std::min<int64_t>(unread, static_cast<int64_t>(room)));
  }
  auto count = source_->Read(bytes_->data() + left, room);
  if (!count.ok()) return count.status();
  size_ += *count;
  return OkStatus();
}

/// Looks at the source's first bytes, once there are some.
Status LineCutter::Begin() {
  const std::string_view first(reinterpret_cast<const char*>(bytes_->data()) + begin_,
                               size_ - begin_);
  if (first.size() < kByteOrderMark.size() && !HasLast() &&
      first.find('\n') == std::string_view::npos) {
    return OkStatus();  // A line cannot be whole yet.
  }
  begun_ = true;
  if (Status status = CheckIsText(first, name_); !status.ok()) return status;
  if (first.starts_with(kByteOrderMark)) {
    begin_ += kByteOrderMark.size();
    position_ += static_cast<int64_t>(kByteOrderMark.size());
  }
  return OkStatus();
}

Result<std::string_view> LineCutter::Peek() {
  while (true) {
    if (!begun_ && size_ > begin_) {
      if (Status status = Begin(); !status.ok()) return status;
    }
    if (begun_ && size_ > begin_) {
      return std::string_view(reinterpret_cast<const char*>(bytes_->data()) + begin_,
                              size_ - begin_);
    }
    const size_t before = size_ - begin_;
    if (Status status = Fill(); !status.ok()) return status;
    if (size_ == before) return std::string_view();
  }
}

/// The line end of the row that begins at `begin`; null: it lies behind `end`.
const char* LineCutter::FindRowEnd(const char* begin, const char* end, bool last) {
  inner_line_ends_ = 0;
  const char* line_end = FindLineEnd(begin, end);
  if (delimiter_ == kNoQuotes) return line_end;
  const char* at = begin;
  while (true) {
    const char* stop = line_end == nullptr ? end : line_end;
    const char* quote = NextQuote(at, stop, delimiter_);
    if (quote == nullptr) break;
    if (quote != begin && quote[-1] != delimiter_) {
      at = quote + 1;
      continue;
    }
    const QuotedField field = FindQuotedEnd(quote, end, delimiter_);
    // At the end of what is there the next byte may change everything.
    const bool unclear =
        field.end == QuotedEnd::kOpen || (field.end == QuotedEnd::kClosed && field.after == end);
    if (unclear && !last && end - begin < kQuotedBytesMax) return nullptr;
    if (field.end != QuotedEnd::kClosed) {
      line_end = FindLineEnd(quote, end);
      break;
    }
    at = field.after;
    if (line_end != nullptr && line_end < at) line_end = FindLineEnd(at, end);
  }
  const char* row_end = line_end == nullptr ? end : line_end;
  if (at != begin) inner_line_ends_ = std::count(begin, row_end, '\n');
  return line_end;
}

Status LineCutter::Next(int32_t lines_max, std::vector<Line>& out) {
  while (out.empty()) {
    if (!begun_ && size_ > begin_) {
      if (Status status = Begin(); !status.ok()) return status;
    }
    const bool last = HasLast();
    while (begun_ && begin_ < size_ && static_cast<int32_t>(out.size()) < lines_max) {
      const char* data = reinterpret_cast<const char*>(bytes_->data());
      const size_t from = delimiter_ != kNoQuotes ? begin_ : std::max(begin_, searched_);
      const char* found = FindRowEnd(data + from, data + size_, last);
      size_t stop = size_;
      size_t after = size_;
      if (found != nullptr) {
        stop = static_cast<size_t>(found - data);
        after = stop + 1;
      } else if (!last) {
        searched_ = size_;
        break;  // The line goes on behind this buffer.
      }
      if (stop > begin_ && data[stop - 1] == '\r') --stop;
      if (stop > begin_ || keeps_empty_) {
        out.push_back({static_cast<uint32_t>(begin_), static_cast<uint32_t>(stop - begin_),
                       position_, line_number_});
      }
      line_number_ += 1 + inner_line_ends_;
      position_ += static_cast<int64_t>(after - begin_);
      begin_ = after;
    }
    if (!out.empty() || lines_max <= 0) return OkStatus();
    const size_t before = size_ - begin_;
    if (before == 0 && !source_->grows() && at_end()) return OkStatus();
    if (Status status = Fill(); !status.ok()) return status;
    // The end may have become known by trying to read on.
    if (size_ == before && (before == 0 || !HasLast())) return OkStatus();
  }
  return OkStatus();
}

}  // namespace weir
