#include "exec/connect/line_source.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/limits.h"

namespace weir {
namespace {

/// Bytes read at a time: with the columns made of them they stay in the L2 cache.
constexpr size_t kReadBytes = 512 * 1024;
constexpr size_t kLinePadding = 64;
constexpr size_t kReadAheadBytesMax = 4u << 20;
constexpr size_t kPooledBuffersMax = 16;
/// A quoted field that does not close within so many bytes is taken for a stray quote.
constexpr ptrdiff_t kQuotedBytesMax = 1 << 20;

Status FileError(const std::string& path, int error) {
  return Status(ErrorCode::kIoError, "the file cannot be read, " + path + ": " +
                                         std::strerror(error));
}

class ByteFile final : public ByteSource {
 public:
  ByteFile(std::string path, int descriptor, bool follow, int64_t end)
      : path_(std::move(path)), descriptor_(descriptor), follow_(follow), end_(end) {}
  ~ByteFile() override { close(descriptor_); }

  Result<size_t> Read(uint8_t* to, size_t size) override {
    while (true) {
      const ssize_t count = read(descriptor_, to, size);
      // A file that was cut off meanwhile ends where it ends now.
      if (count == 0 && !follow_) end_ = lseek(descriptor_, 0, SEEK_CUR);
      if (count >= 0) return static_cast<size_t>(count);
      if (errno != EINTR) return FileError(path_, errno);
    }
  }

  int64_t end() const override {
    struct stat status;
    if (!follow_ || fstat(descriptor_, &status) != 0) return end_;
    return status.st_size;
  }
  bool grows() const override { return follow_; }

 private:
  std::string path_;
  int descriptor_;
  bool follow_;
  int64_t end_;
};

/// Reads a blocking descriptor on a thread of its own.
class BlockingBytes final : public ByteSource {
 public:
  BlockingBytes(int descriptor, std::function<void()> listener)
      : descriptor_(descriptor), stop_(eventfd(0, EFD_CLOEXEC)), listener_(std::move(listener)),
        thread_([this] { Run(); }) {}

  ~BlockingBytes() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    const uint64_t one = 1;
    if (write(stop_, &one, sizeof one) < 0) {
      // The thread then ends with the next bytes or the end of the input.
    }
    taken_.notify_all();
    thread_.join();
    close(stop_);
  }

  Result<size_t> Read(uint8_t* to, size_t size) override {
    std::lock_guard lock(mutex_);
    if (waiting_.empty() && error_ != 0) return FileError("standard input", error_);
    const size_t count = std::min(size, waiting_.size());
    std::copy_n(waiting_.begin(), count, to);
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<ptrdiff_t>(count));
    taken_.notify_all();
    return count;
  }

  int64_t end() const override {
    std::lock_guard lock(mutex_);
    return ended_ ? total_ : INT64_MAX;
  }

 private:
  void Run() {
    std::vector<uint8_t> chunk(64 * 1024);
    while (true) {
      pollfd ready[2] = {{descriptor_, POLLIN, 0}, {stop_, POLLIN, 0}};
      if (poll(ready, 2, -1) < 0 && errno != EINTR) break;
      if (ready[1].revents != 0) break;
      const ssize_t count = read(descriptor_, chunk.data(), chunk.size());
      if (count < 0 && errno == EINTR) continue;
      {
        std::unique_lock lock(mutex_);
        if (count <= 0) {
          error_ = count < 0 ? errno : 0;
          ended_ = true;
        } else {
          taken_.wait(lock, [this] { return stopping_ || waiting_.size() < kReadAheadBytesMax; });
          waiting_.insert(waiting_.end(), chunk.begin(), chunk.begin() + count);
          total_ += count;
        }
        if (stopping_) return;
      }
      if (listener_) listener_();
      if (count <= 0) return;
    }
  }

  int descriptor_;
  int stop_;
  std::function<void()> listener_;
  mutable std::mutex mutex_;
  std::condition_variable taken_;
  std::vector<uint8_t> waiting_;
  int64_t total_ = 0;
  bool ended_ = false;
  bool stopping_ = false;
  int error_ = 0;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<ByteSource>> OpenByteFile(const std::string& path, int64_t begin,
                                                 bool follow) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return FileError(path, errno);
  struct stat status;
  if (fstat(descriptor, &status) != 0 || lseek(descriptor, begin, SEEK_SET) < 0) {
    const int error = errno;
    close(descriptor);
    return FileError(path, error);
  }
  posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
  return std::unique_ptr<ByteSource>(
      std::make_unique<ByteFile>(path, descriptor, follow, status.st_size));
}

std::unique_ptr<ByteSource> ReadAhead(int descriptor, std::function<void()> listener) {
  return std::make_unique<BlockingBytes>(descriptor, std::move(listener));
}

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

LineCutter::LineCutter(std::unique_ptr<ByteSource> source, bool quotes, int64_t position)
    : source_(std::move(source)), quotes_(quotes), position_(position) {}

BufferPtr LineCutter::buffer() const {
  return std::make_shared<const Buffer>(bytes_->data(), size_, bytes_);
}

/// Puts what is left in front of what comes next.
Status LineCutter::Fill() {
  const size_t left = size_ - begin_;
  if (left > limits::kRecordBytesMax) {
    return Status(ErrorCode::kRecordTooLarge, "a line has too many bytes, position: " +
                                                  std::to_string(position_));
  }
  // A line longer than the buffer makes it grow by doubling.
  auto fresh = pool_.Take(left < kReadBytes ? 2 * kReadBytes : 2 * left + kReadBytes);
  if (left != 0) std::memcpy(fresh->data(), bytes_->data() + begin_, left);
  searched_ -= std::min(searched_, begin_);
  bytes_ = std::move(fresh);
  begin_ = 0;
  size_ = left;
  const int64_t unread = source_->end() - position_ - static_cast<int64_t>(left);
  const size_t room = std::min(std::max(kReadBytes, left), bytes_->size() - kLinePadding - left);
  if (unread <= 0) return OkStatus();
  auto count =
      source_->Read(bytes_->data() + left,
                    static_cast<size_t>(std::min<int64_t>(unread, static_cast<int64_t>(room))));
  if (!count.ok()) return count.status();
  size_ += *count;
  return OkStatus();
}

const uint8_t* LineCutter::FindLineEnd(const uint8_t* begin, const uint8_t* end) const {
  const auto find = [end](const uint8_t* from) {
    return static_cast<const uint8_t*>(
        std::memchr(from, '\n', static_cast<size_t>(end - from)));
  };
  const uint8_t* line_end = find(begin);
  if (!quotes_ || line_end == nullptr) return line_end;
  const uint8_t* const first = line_end;
  auto open = std::count(begin, line_end, '"') % 2;
  while (open != 0 && line_end - begin < kQuotedBytesMax) {
    const uint8_t* next = find(line_end + 1);
    if (next == nullptr) return end - begin < kQuotedBytesMax ? nullptr : first;
    open = (open + std::count(line_end, next, '"')) % 2;
    line_end = next;
  }
  return open == 0 ? line_end : first;
}

Status LineCutter::Next(int32_t lines_max, std::vector<Line>& out) {
  bool filled = false;
  while (out.empty()) {
    while (begin_ < size_ && static_cast<int32_t>(out.size()) < lines_max) {
      const uint8_t* data = bytes_->data();
      const size_t from = quotes_ ? begin_ : std::max(begin_, searched_);
      const uint8_t* found = FindLineEnd(data + from, data + size_);
      size_t stop = size_;
      size_t after = size_;
      if (found != nullptr) {
        stop = static_cast<size_t>(found - data);
        after = stop + 1;
      } else if (source_->grows() ||
                 position_ + static_cast<int64_t>(size_ - begin_) < source_->end()) {
        searched_ = size_;
        break;   // The line goes on behind this buffer.
      }
      if (stop > begin_ && data[stop - 1] == '\r') --stop;
      if (stop > begin_) {
        out.push_back({static_cast<uint32_t>(begin_), static_cast<uint32_t>(stop - begin_),
                       position_});
      }
      position_ += static_cast<int64_t>(after - begin_);
      begin_ = after;
    }
    if (!out.empty() || lines_max <= 0) return OkStatus();
    const size_t before = size_ - begin_;
    if (filled && before == 0 && at_end()) return OkStatus();
    if (Status status = Fill(); !status.ok()) return status;
    if (size_ == before) return OkStatus();
    filled = true;
  }
  return OkStatus();
}

}  // namespace weir
