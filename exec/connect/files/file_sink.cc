#include "exec/connect/files/file_sink.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <span>
#include <utility>

#include "base/file_ending.h"
#include "base/number_text.h"
#include "base/status_macros.h"
#include "exec/column/builder.h"
#include "exec/connect/connector.h"
#include "exec/connect/store/block_checksum.h"

namespace weir {
namespace {

/// So many bytes before the end of what is the query's must be what it wrote.
constexpr size_t kTailBytesMax = 4096;

/// What the state keeps of a file: how much of it is the query's, which file it is, and how its
/// bytes end.
struct FileMark {
  static constexpr int64_t kUnknown = -1;
  int64_t length = 0;
  int64_t device = kUnknown;
  int64_t inode = kUnknown;
  int64_t born_ns = 0;  ///< When the file was made, as inodes are used again; 0: unknown.
  uint64_t tail_checksum = 0;

  std::string Text() const {
    return std::to_string(length) + " " + std::to_string(device) + " " + std::to_string(inode) +
           " " + std::to_string(born_ns) + " " +
           std::to_string(static_cast<int64_t>(tail_checksum));
  }
  static std::optional<FileMark> Parse(std::string_view text) {
    int64_t numbers[5] = {0, kUnknown, kUnknown, 0, 0};
    // What was kept first was the length alone.
    const size_t count = text.find(' ') == std::string_view::npos ? 1 : 5;
    for (int64_t& number : std::span(numbers, count)) {
      const size_t blank = std::min(text.find(' '), text.size());
      if (!ParseInt64(text.substr(0, blank), number)) return std::nullopt;
      text.remove_prefix(std::min(blank + 1, text.size()));
    }
    return FileMark{numbers[0], numbers[1], numbers[2], numbers[3],
                    static_cast<uint64_t>(numbers[4])};
  }
};

FileMark IdentityOf(int file, const struct stat& info) {
  FileMark mark;
  mark.device = static_cast<int64_t>(info.st_dev);
  mark.inode = static_cast<int64_t>(info.st_ino);
  struct statx more {};
  if (::statx(file, "", AT_EMPTY_PATH, STATX_BTIME, &more) == 0 &&
      (more.stx_mask & STATX_BTIME) != 0) {
    mark.born_ns = more.stx_btime.tv_sec * 1'000'000'000 + more.stx_btime.tv_nsec;
  }
  return mark;
}

Status FileError(const char* what, const std::string& path) {
  return Status(ErrorCode::kIoError,
                std::string(what) + ": " + path + " (" + std::strerror(errno) + ")");
}

/// The names of the columns as a line of the format.
Result<std::string> HeaderLine(const ConnectorSpec& spec) {
  std::vector<FormatColumn> columns;
  std::vector<ColumnPtr> names;
  for (const ColumnSchema& column : spec.columns) {
    columns.push_back({.name = column.name, .type = DataType::String()});
    ColumnBuilder builder(DataType::String());
    builder.AppendBytes(column.name);
    names.push_back(builder.Finish());
  }
  const FormatSpec format = ConnectorFormat(spec, false, "DELIMITED");
  WEIR_ASSIGN_OR_RETURN(std::unique_ptr<SideEncoder> encoder, MakeEncoder(format, columns));
  BufferBuilder bytes;
  std::vector<Slice> slices;
  const int32_t row = 0;
  WEIR_RETURN_IF_ERROR(encoder->Encode(names, std::span(&row, 1), bytes, slices));
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()) + "\n";
}

/// One file that a query writes. It is locked as long as this lives. Its units share it: one of
/// them at a time writes, and is committed.
class SinkFile {
 public:
  SinkFile(const ConnectorSpec& spec, std::string state_key)
      : spec_(spec), path_(ConnectorText(spec, "PATH", "")), state_key_(std::move(state_key)) {}
  SinkFile(const SinkFile&) = delete;
  ~SinkFile() {
    if (file_ >= 0) ::close(file_);
  }

  const std::string& topic() const { return spec_.source_name; }
  const std::string& state_key() const { return state_key_; }

  /// `stored` is what the state says of the file.
  Status Open(const std::optional<std::string>& stored,
              const std::function<void(std::string_view)>& warn) {
    if (WithoutCompressionEnding(path_).size() != path_.size()) {
      return Status(ErrorCode::kUnsupported, "not built yet: a file sink that compresses: " + path_)
          .WithHint("leave the ending .gz or .zst out");
    }
    std::optional<FileMark> mark;
    if (stored && !(mark = FileMark::Parse(*stored))) {
      return Status(ErrorCode::kInternal, "what is stored of a file cannot be read: " + *stored);
    }
    if (mark) length_ = next_length_ = mark->length;
    struct stat info {};
    WEIR_RETURN_IF_ERROR(OpenFile(info));
    if (!mark && info.st_size > 0)
      return NotOurs(
          "the file is not empty, and this query has not "
          "written it: ");
    if (info.st_size < length_) return LostBytes();
    WEIR_RETURN_IF_ERROR(ReadTail());
    identity_ = IdentityOf(file_, info);
    if (mark && mark->inode != FileMark::kUnknown) {
      const bool same_file = mark->device == identity_.device && mark->inode == identity_.inode &&
                             mark->born_ns == identity_.born_ns;
      // A copy that was put back ends just where the query's bytes end.
      if (mark->tail_checksum != TailChecksum() || (!same_file && info.st_size != length_)) {
        return NotOurs("the file is not the one that this query wrote: ");
      }
    }
    return CutOff(info.st_size, warn);
  }

  /// What the state has to keep once what Write was given is committed.
  std::string NextMark() const {
    FileMark mark = identity_;
    mark.length = next_length_;
    mark.tail_checksum = TailChecksum();
    return mark.Text();
  }

  /// Writes lines behind the query's bytes, whatever a failed commit has left there; the header
  /// before the first ones.
  Status Write(std::string_view lines) {
    WEIR_RETURN_IF_ERROR(CheckIsStillOurs());
    std::string with_header;
    if (length_ == 0) {
      WEIR_ASSIGN_OR_RETURN(with_header, Header());
      with_header += lines;
      lines = with_header;
    }
    size_t written = 0;
    while (written < lines.size()) {
      const ssize_t count = ::pwrite(file_, lines.data() + written, lines.size() - written,
                                     length_ + static_cast<int64_t>(written));
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return FileError("a file cannot be written", path_);
      written += static_cast<size_t>(count);
      written_end_ = std::max(written_end_, length_ + static_cast<int64_t>(written));
    }
    if (::fdatasync(file_) != 0) return FileError("a file cannot be synced", path_);
    next_tail_ = tail_;
    AppendTail(next_tail_, lines);
    next_length_ = length_ + static_cast<int64_t>(lines.size());
    return OkStatus();
  }

  void Committed() {
    length_ = next_length_;
    tail_ = next_tail_;
  }

 private:
  Status NotOurs(const char* what) const {
    return Status(ErrorCode::kAlreadyExists, what + path_)
        .WithHint("move or delete it, or choose another PATH");
  }
  Status LostBytes() const {
    return Status(ErrorCode::kIoError, "the file is shorter than what was written to it, " +
                                           std::to_string(length_) + " bytes: " + path_)
        .WithHint("put it back; or DROP what the query makes and create it again");
  }

  Status OpenFile(struct stat& info) {
    // No link is followed: what it leads to may be anybody's. A pipe is not waited for.
    const int create = length_ == 0 ? O_CREAT : 0;
    file_ = ::open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | create, 0644);
    if (file_ < 0 && errno == ELOOP) {
      return NotOurs("the path is a symbolic link, and a query writes through none: ");
    }
    if (file_ < 0 && errno == ENOENT && length_ > 0) return LostBytes();
    if (file_ < 0) return FileError("a file cannot be opened for writing", path_);
    if (::fstat(file_, &info) != 0) return FileError("a file's length cannot be read", path_);
    if (!S_ISREG(info.st_mode)) {
      return Status(ErrorCode::kIoError, "a query writes regular files only: " + path_);
    }
    if (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
      return Status(ErrorCode::kIoError, "another query writes to this file: " + path_);
    }
    return OkStatus();
  }

  Status ReadTail() {
    tail_.resize(static_cast<size_t>(std::min<int64_t>(length_, kTailBytesMax)));
    const ssize_t count =
        ::pread(file_, tail_.data(), tail_.size(), length_ - static_cast<int64_t>(tail_.size()));
    next_tail_ = tail_;
    return count == static_cast<ssize_t>(tail_.size()) ? OkStatus()
                                                       : FileError("a file cannot be read", path_);
  }
  uint64_t TailChecksum() const { return BlockChecksum(next_tail_.data(), next_tail_.size()); }
  static void AppendTail(std::string& tail, std::string_view bytes) {
    tail += bytes.substr(bytes.size() - std::min(bytes.size(), kTailBytesMax));
    if (tail.size() > kTailBytesMax) tail.erase(0, tail.size() - kTailBytesMax);
  }

  /// Lines that go to a file that nobody finds, or over somebody else's, would be lost.
  Status CheckIsStillOurs() const {
    struct stat open_file {
    }, at_path{};
    if (::fstat(file_, &open_file) != 0) return FileError("a file's length cannot be read", path_);
    if (::lstat(path_.c_str(), &at_path) != 0 || at_path.st_dev != open_file.st_dev ||
        at_path.st_ino != open_file.st_ino) {
      return Status(ErrorCode::kIoError,
                    "the file was removed or replaced while a query wrote it: " + path_)
          .WithHint("put it back; or DROP what the query makes and create it again");
    }
    if (open_file.st_size < length_) return LostBytes();
    if (open_file.st_size > std::max(length_, written_end_)) {
      return Status(ErrorCode::kIoError, "somebody else writes to this file too: " + path_);
    }
    return OkStatus();
  }

  Result<std::string> Header() const {
    const bool delimited =
        ConnectorFormat(spec_, false, FileFormatByEnding(path_)).name == "DELIMITED";
    if (!delimited || !ConnectorFlag(spec_, "HEADER", true)) return std::string();
    return HeaderLine(spec_);
  }

  /// Lines of a commit that did not become durable come again.
  Status CutOff(int64_t size, const std::function<void(std::string_view)>& warn) {
    if (size == length_) return OkStatus();
    if (warn) {
      warn("bytes that no commit stands for are cut off the end of " + path_ + ": " +
           std::to_string(size - length_));
    }
    return ::ftruncate(file_, length_) == 0 ? OkStatus() : FileError("a file cannot be cut", path_);
  }

  const ConnectorSpec spec_;
  const std::string path_;
  const std::string state_key_;
  int file_ = -1;
  int64_t length_ = 0;       ///< Bytes that commits stand for.
  int64_t next_length_ = 0;  ///< As length_, once what was written last is committed.
  int64_t written_end_ = 0;  ///< Behind all that was ever written here.
  FileMark identity_;        ///< Of the file; its length and checksum mean nothing.
  std::string tail_;         ///< Before length_.
  std::string next_tail_;    ///< Before next_length_.
};

using SinkFiles = std::vector<std::shared_ptr<SinkFile>>;

class FileSinkUnit final : public CommitUnit {
 public:
  FileSinkUnit(std::unique_ptr<CommitUnit> inner, const SinkFiles& files)
      : inner_(std::move(inner)) {
    for (const auto& file : files) lines_.push_back({file, {}});
  }

  Status Append(std::string_view topic, int32_t partition, RecordBatchBuilder& records) override {
    for (Lines& lines : lines_) {
      if (lines.file->topic() != topic) continue;
      std::lock_guard lock(mutex_);
      for (int32_t i = 0; i < records.size(); ++i) {
        const Slice value = records.values()[static_cast<size_t>(i)];
        if (value.is_null()) continue;
        lines.text += records.View(value);
        lines.text.push_back('\n');
      }
      records.Clear();
      return OkStatus();
    }
    return inner_->Append(topic, partition, records);
  }
  void Put(std::string_view key, std::string_view value) override { inner_->Put(key, value); }
  void Delete(std::string_view key) override { inner_->Delete(key); }
  void DeleteRange(std::string_view from, std::string_view to) override {
    inner_->DeleteRange(from, to);
  }
  size_t byte_size() const override {
    std::lock_guard lock(mutex_);
    size_t bytes = inner_->byte_size();
    for (const Lines& lines : lines_) bytes += lines.text.size();
    return bytes;
  }
  std::shared_ptr<const StateReader> Over(const StateReader& below) const override {
    return inner_->Over(below);
  }
  Status AppendLast(std::string_view topic, int32_t partition,
                    RecordBatchBuilder& records) override {
    return inner_->AppendLast(topic, partition, records);
  }
  Status AddOffset(PartitionGroup& group, GroupOffset offset) override {
    return inner_->AddOffset(group, std::move(offset));
  }
  Status PutWrittenOffset(std::string_view key, std::string_view topic,
                          int32_t partition) override {
    return inner_->PutWrittenOffset(key, topic, partition);
  }
  void PutLast(std::string_view key, std::string_view value) override {
    inner_->PutLast(key, value);
  }

  Status Commit() override {
    std::lock_guard lock(mutex_);
    for (Lines& lines : lines_) {
      if (lines.text.empty()) continue;
      WEIR_RETURN_IF_ERROR(lines.file->Write(lines.text));
      inner_->PutLast(lines.file->state_key(), lines.file->NextMark());
    }
    WEIR_RETURN_IF_ERROR(inner_->Commit());
    for (Lines& lines : lines_) {
      if (!lines.text.empty()) lines.file->Committed();
      lines.text.clear();
    }
    return OkStatus();
  }

 private:
  struct Lines {
    std::shared_ptr<SinkFile> file;
    std::string text;
  };
  mutable std::mutex mutex_;
  std::unique_ptr<CommitUnit> inner_;
  std::vector<Lines> lines_;
};

}  // namespace

struct FileSinks::Files {
  SinkFiles files;
};

FileSinks::FileSinks(std::unique_ptr<Files> files) : files_(std::move(files)) {}
FileSinks::FileSinks() = default;
FileSinks::FileSinks(FileSinks&&) noexcept = default;
FileSinks& FileSinks::operator=(FileSinks&&) noexcept = default;
FileSinks::~FileSinks() = default;

Result<FileSinks> FileSinks::Open(const FileSinkOptions& options, const StateBackend& state,
                                  CommitUnit& first) {
  auto opened = std::make_unique<Files>();
  for (const ConnectorSpec& spec : options.sinks) {
    const std::string key = options.state_prefix + "file/" + ConnectorText(spec, "PATH", "");
    WEIR_ASSIGN_OR_RETURN(std::optional<std::string> stored, state.Get(key));
    auto file = std::make_shared<SinkFile>(spec, key);
    WEIR_RETURN_IF_ERROR(file->Open(stored, options.warn));
    if (stored != file->NextMark()) first.Put(key, file->NextMark());
    opened->files.push_back(std::move(file));
  }
  return FileSinks(std::move(opened));
}

std::unique_ptr<CommitUnit> FileSinks::Add(std::unique_ptr<CommitUnit> unit) const {
  if (files_ == nullptr || files_->files.empty()) return unit;
  return std::make_unique<FileSinkUnit>(std::move(unit), files_->files);
}

}  // namespace weir
