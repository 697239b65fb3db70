#include "exec/connect/file_sink.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

#include "base/number_text.h"
#include "base/status_macros.h"
#include "exec/column/builder.h"
#include "exec/connect/connector.h"

namespace weir {
namespace {

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

/// One file that a query writes. It is locked as long as this lives.
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
  bool has_lines() const { return !pending_.empty(); }
  size_t pending_bytes() const { return pending_.size(); }
  /// Bytes that are the query's once the lines are written.
  int64_t next_length() const { return length_ + static_cast<int64_t>(pending_.size()); }

  /// `stored` is what the state says of the file's length.
  Status Open(const std::optional<std::string>& stored,
              const std::function<void(std::string_view)>& warn) {
    file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file_ < 0) return FileError("a file cannot be opened for writing", path_);
    if (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
      return Status(ErrorCode::kIoError, "another query writes to this file: " + path_);
    }
    struct stat info {};
    if (::fstat(file_, &info) != 0) return FileError("a file's length cannot be read", path_);
    if (!stored && info.st_size > 0) {
      return Status(ErrorCode::kAlreadyExists,
                    "the file is not empty, and this query has not written it: " + path_)
          .WithHint("move or delete it, or choose another PATH");
    }
    if (stored && !ParseInt64(*stored, length_)) {
      return Status(ErrorCode::kInternal, "a file's stored length is no number: " + *stored);
    }
    if (info.st_size < length_) {
      return Status(ErrorCode::kIoError,
                    "the file is shorter than what was written to it, " + std::to_string(length_) +
                        " bytes: " + path_)
          .WithHint("put it back; or DROP what the query makes and create it again");
    }
    return CutOff(info.st_size, warn);
  }

  Status AddLines(const RecordBatchBuilder& records) {
    if (next_length() == 0 && records.size() > 0) WEIR_RETURN_IF_ERROR(AddHeader());
    for (int32_t i = 0; i < records.size(); ++i) {
      const Slice value = records.values()[static_cast<size_t>(i)];
      if (value.is_null()) continue;
      pending_ += records.View(value);
      pending_.push_back('\n');
    }
    return OkStatus();
  }

  /// Writes the lines behind the query's bytes, whatever a failed commit has left there.
  Status Write() {
    size_t written = 0;
    while (written < pending_.size()) {
      const ssize_t count = ::pwrite(file_, pending_.data() + written, pending_.size() - written,
                                     length_ + static_cast<int64_t>(written));
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return FileError("a file cannot be written", path_);
      written += static_cast<size_t>(count);
    }
    return ::fdatasync(file_) == 0 ? OkStatus() : FileError("a file cannot be synced", path_);
  }

  void Committed() {
    length_ = next_length();
    pending_.clear();
  }

 private:
  Status AddHeader() {
    const bool delimited = ConnectorFormat(spec_, false, FileFormatByExtension(path_)).name ==
                           "DELIMITED";
    if (!delimited || !ConnectorFlag(spec_, "HEADER", true)) return OkStatus();
    WEIR_ASSIGN_OR_RETURN(pending_, HeaderLine(spec_));
    return OkStatus();
  }

  /// Lines of a commit that did not become durable come again.
  Status CutOff(int64_t size, const std::function<void(std::string_view)>& warn) {
    if (size == length_) return OkStatus();
    if (warn) {
      warn("bytes that no commit stands for are cut off the end of " + path_ + ": " +
           std::to_string(size - length_));
    }
    return ::ftruncate(file_, length_) == 0 ? OkStatus()
                                            : FileError("a file cannot be cut", path_);
  }

  const ConnectorSpec spec_;
  const std::string path_;
  const std::string state_key_;
  int file_ = -1;
  int64_t length_ = 0;
  std::string pending_;
};

class FileSinkUnit final : public CommitUnit {
 public:
  FileSinkUnit(std::unique_ptr<CommitUnit> inner, std::vector<std::unique_ptr<SinkFile>> files)
      : inner_(std::move(inner)), files_(std::move(files)) {}

  Status Append(std::string_view topic, int32_t partition, RecordBatchBuilder& records) override {
    for (const auto& file : files_) {
      if (file->topic() != topic) continue;
      std::lock_guard lock(mutex_);
      WEIR_RETURN_IF_ERROR(file->AddLines(records));
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
    for (const auto& file : files_) bytes += file->pending_bytes();
    return bytes;
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

  Status Commit() override {
    std::lock_guard lock(mutex_);
    for (const auto& file : files_) {
      if (!file->has_lines()) continue;
      WEIR_RETURN_IF_ERROR(file->Write());
      inner_->Put(file->state_key(), std::to_string(file->next_length()));
    }
    WEIR_RETURN_IF_ERROR(inner_->Commit());
    for (const auto& file : files_) file->Committed();
    return OkStatus();
  }

 private:
  mutable std::mutex mutex_;
  std::unique_ptr<CommitUnit> inner_;
  std::vector<std::unique_ptr<SinkFile>> files_;
};

}  // namespace

Result<std::unique_ptr<CommitUnit>> AddFileSinks(std::unique_ptr<CommitUnit> inner,
                                                 const StateBackend& state,
                                                 const FileSinkOptions& options) {
  if (options.sinks.empty()) return inner;
  std::vector<std::unique_ptr<SinkFile>> files;
  for (const ConnectorSpec& spec : options.sinks) {
    const std::string key = options.state_prefix + "file/" + ConnectorText(spec, "PATH", "");
    WEIR_ASSIGN_OR_RETURN(std::optional<std::string> stored, state.Get(key));
    files.push_back(std::make_unique<SinkFile>(spec, key));
    WEIR_RETURN_IF_ERROR(files.back()->Open(stored, options.warn));
    if (!stored) inner->Put(key, "0");
  }
  return std::unique_ptr<CommitUnit>(
      std::make_unique<FileSinkUnit>(std::move(inner), std::move(files)));
}

}  // namespace weir
