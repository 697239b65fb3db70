#include "exec/connect/files/byte_source.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include "exec/connect/files/decompress.h"

namespace weir {
namespace {

constexpr size_t kReadAheadBytesMax = 4u << 20;
/// What must still stand before a followed file's end for it to be the same file.
constexpr size_t kTailBytes = 64;
constexpr size_t kSkippedBytes = 256 * 1024;

Status CannotRead(const std::string& path, const std::string& why) {
  return Status(ErrorCode::kIoError, "the file cannot be read, " + path + ": " + why);
}

Status CannotRead(const std::string& path, int error) {
  return CannotRead(path, std::string(std::strerror(error)));
}

/// Closes a descriptor when it goes.
class OpenFile {
 public:
  explicit OpenFile(int descriptor) : descriptor_(descriptor) {}
  OpenFile(OpenFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  OpenFile& operator=(OpenFile&&) = delete;
  ~OpenFile() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

class ByteFile final : public ByteSource {
 public:
  ByteFile(std::string path, OpenFile file, bool follow, int64_t position, int64_t end)
      : path_(std::move(path)),
        file_(std::move(file)),
        follow_(follow),
        position_(position),
        end_(end) {}

  Result<size_t> Read(uint8_t* to, size_t size) override {
    if (follow_ && at_end_) {
      if (Status status = CheckIsTheSame(); !status.ok()) return status;
    }
    while (true) {
      const ssize_t count = pread(file_.get(), to, size, position_);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return CannotRead(path_, errno);
      if (count == 0 && !follow_ && position_ < end_ && size > 0) {
        return Status(ErrorCode::kIoError, "the file has become shorter while it was read, " +
                                               path_ + ": " + std::to_string(position_) + " of " +
                                               std::to_string(end_) + " bytes are left");
      }
      position_ += count;
      at_end_ = static_cast<size_t>(count) < size;
      if (follow_ && count > 0) KeepTail({reinterpret_cast<char*>(to), static_cast<size_t>(count)});
      return static_cast<size_t>(count);
    }
  }

  int64_t end() const override {
    struct stat status;
    if (!follow_ || fstat(file_.get(), &status) != 0) return end_;
    return status.st_size;
  }
  bool grows() const override { return follow_; }

  /// Takes what stands before the position as what must stand there.
  Status ReadTail() {
    tail_.resize(static_cast<size_t>(std::min<int64_t>(position_, kTailBytes)));
    const ssize_t count = pread(file_.get(), tail_.data(), tail_.size(),
                                position_ - static_cast<int64_t>(tail_.size()));
    return count == static_cast<ssize_t>(tail_.size()) ? OkStatus() : CannotRead(path_, errno);
  }

 private:
  void KeepTail(std::string_view read) {
    tail_ += read.substr(read.size() - std::min(read.size(), kTailBytes));
    if (tail_.size() > kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);
  }

  Status Changed(const std::string& how) const {
    return Status(ErrorCode::kOffsetOutOfRange, "the followed file " + how + ", " + path_ +
                                                    ": it was read up to byte " +
                                                    std::to_string(position_))
        .WithHint(
            "what it holds now has not been read: DROP what the query makes and create it "
            "again to read it from its beginning");
  }

  /// The file is read to its end, and something may have happened to it since.
  Status CheckIsTheSame() const {
    struct stat open_file, at_path;
    if (fstat(file_.get(), &open_file) != 0) return CannotRead(path_, errno);
    if (open_file.st_size < position_) {
      return Changed("was cut to " + std::to_string(open_file.st_size) + " bytes");
    }
    char now[kTailBytes];
    const ssize_t count =
        pread(file_.get(), now, tail_.size(), position_ - static_cast<int64_t>(tail_.size()));
    if (count != static_cast<ssize_t>(tail_.size()) ||
        std::memcmp(now, tail_.data(), tail_.size()) != 0) {
      return Changed("was cut off and written anew");
    }
    if (open_file.st_size > position_) return OkStatus();
    // A file that is only gone may come back; until then there is nothing to miss.
    if (stat(path_.c_str(), &at_path) != 0) return OkStatus();
    if (at_path.st_ino != open_file.st_ino || at_path.st_dev != open_file.st_dev) {
      return Changed("was replaced by another one");
    }
    return OkStatus();
  }

  const std::string path_;
  const OpenFile file_;
  const bool follow_;
  int64_t position_;
  const int64_t end_;
  bool at_end_ = false;
  std::string tail_;  ///< Of a followed file: the last bytes read.
};

/// Reads a descriptor that may block on a thread of its own.
class BlockingBytes final : public ByteSource {
 public:
  BlockingBytes(std::string path, int descriptor, bool owned, std::function<void()> listener)
      : path_(std::move(path)),
        owned_(owned ? descriptor : -1),
        descriptor_(descriptor),
        stop_(eventfd(0, EFD_CLOEXEC)),
        listener_(std::move(listener)),
        thread_([this] { Run(); }) {}

  ~BlockingBytes() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    const uint64_t one = 1;
    if (write(stop_.get(), &one, sizeof one) < 0) {
      // The thread then ends with the next bytes or the end of the input.
    }
    taken_.notify_all();
    thread_.join();
  }

  Result<size_t> Read(uint8_t* to, size_t size) override {
    std::lock_guard lock(mutex_);
    if (waiting_.empty() && error_ != 0) return CannotRead(path_, error_);
    const size_t count = std::min(size, waiting_.size());
    std::copy_n(waiting_.begin(), count, to);
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<ptrdiff_t>(count));
    taken_.notify_all();
    return count;
  }

  int64_t end() const override {
    std::lock_guard lock(mutex_);
    return ended_ && error_ == 0 ? total_ : INT64_MAX;
  }

 private:
  void Run() {
    std::vector<uint8_t> chunk(64 * 1024);
    while (true) {
      pollfd ready[2] = {{descriptor_, POLLIN, 0}, {stop_.get(), POLLIN, 0}};
      const int found = poll(ready, 2, -1);
      if (found < 0 && errno == EINTR) continue;
      if (found > 0 && ready[1].revents != 0) return;
      const ssize_t count = found < 0 ? -1 : read(descriptor_, chunk.data(), chunk.size());
      if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
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

  const std::string path_;
  const OpenFile owned_;
  const int descriptor_;
  const OpenFile stop_;
  const std::function<void()> listener_;
  mutable std::mutex mutex_;
  std::condition_variable taken_;
  std::vector<uint8_t> waiting_;
  int64_t total_ = 0;
  bool ended_ = false;
  bool stopping_ = false;
  int error_ = 0;
  std::thread thread_;
};

/// Opens without waiting, whatever it is. Closing it is the caller's.
Result<int> OpenToRead(const std::string& path, struct stat& status) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor < 0) return CannotRead(path, errno);
  int error = fstat(descriptor, &status) != 0 ? errno : 0;
  if (error == 0 && S_ISDIR(status.st_mode)) error = EISDIR;
  if (error == 0) return descriptor;
  close(descriptor);
  return CannotRead(path, error);
}

bool HoldsCompressed(int descriptor) {
  char first[kCompressionMagicBytes];
  const ssize_t count = pread(descriptor, first, sizeof first, 0);
  return count > 0 && CompressionOf({first, static_cast<size_t>(count)}) != Compression::kNone;
}

/// Reads over the text before `begin`.
Status SkipTo(ByteSource& bytes, int64_t begin, const std::string& path) {
  std::vector<uint8_t> skipped(kSkippedBytes);
  for (int64_t position = 0; position < begin;) {
    auto count = bytes.Read(
        skipped.data(), static_cast<size_t>(std::min<int64_t>(begin - position, kSkippedBytes)));
    if (!count.ok()) return count.status();
    if (*count == 0) {
      return Status(ErrorCode::kOffsetOutOfRange,
                    "the file is shorter than where the query stood: " + path);
    }
    position += static_cast<int64_t>(*count);
  }
  return OkStatus();
}

}  // namespace

Result<PathKind> LookAtPath(const std::string& path) {
  PathKind kind;
  kind.stream = path == "-";
  if (kind.stream) return kind;
  struct stat status;
  if (stat(path.c_str(), &status) != 0) return CannotRead(path, errno);
  kind.stream = !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
  // Who opens a pipe and closes it again ends its writer.
  if (kind.stream) return kind;
  auto opened = OpenToRead(path, status);
  if (!opened.ok()) return opened.status();
  const OpenFile file(*opened);
  kind.compressed = HoldsCompressed(file.get());
  kind.size = status.st_size;
  kind.changed_ms =
      static_cast<int64_t>(status.st_mtim.tv_sec) * 1000 + status.st_mtim.tv_nsec / 1000000;
  return kind;
}

Result<std::unique_ptr<ByteSource>> OpenByteFile(const std::string& path, int64_t begin,
                                                 bool follow) {
  struct stat status;
  auto opened = OpenToRead(path, status);
  if (!opened.ok()) return opened.status();
  OpenFile file(*opened);
  posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  if (HoldsCompressed(file.get())) {
    auto text = Decompress(
        std::make_unique<ByteFile>(path, std::move(file), false, 0, status.st_size), path);
    if (Status skipped = SkipTo(*text, begin, path); !skipped.ok()) return skipped;
    return text;
  }
  if (begin > status.st_size) {
    return Status(ErrorCode::kOffsetOutOfRange,
                  "the file is shorter than where the query stood: " + path);
  }
  auto bytes = std::make_unique<ByteFile>(path, std::move(file), follow, begin, status.st_size);
  if (follow) {
    if (Status tail = bytes->ReadTail(); !tail.ok()) return tail;
  }
  return std::unique_ptr<ByteSource>(std::move(bytes));
}

Result<std::unique_ptr<ByteSource>> OpenByteStream(const std::string& path,
                                                   std::function<void()> listener) {
  const bool standard_input = path == "-";
  int descriptor = STDIN_FILENO;
  if (!standard_input) {
    struct stat status;
    auto opened = OpenToRead(path, status);
    if (!opened.ok()) return opened.status();
    descriptor = *opened;
  }
  const std::string name = standard_input ? "the standard input" : path;
  return Decompress(
      std::make_unique<BlockingBytes>(name, descriptor, !standard_input, std::move(listener)),
      name);
}

}  // namespace weir
