// CONNECTOR='file': each line of a file, or of a stream such as the standard input, is a record.

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <thread>

#include "base/file_ending.h"
#include "base/status_macros.h"
#include "exec/connect/commit_buffer.h"
#include "exec/connect/connector.h"
#include "exec/connect/files/file_reader.h"
#include "exec/connect/files/text_check.h"
#include "exec/formats/infer_columns.h"
#include "exec/formats/json/json_structure.h"

namespace weir {
namespace {

/// Columns are found in so many lines, and in no more than so many bytes of them.
constexpr int32_t kInferredLinesMax = 1000;
constexpr size_t kInferredBytesMax = 16u << 20;

Status CannotBe(const std::string& what, const std::string& path) {
  return Status(ErrorCode::kInvalidProperty, what + ": " + path);
}

Result<FileOptions> ReadOptions(const ConnectorSpec& spec) {
  FileOptions options;
  options.path = ConnectorText(spec, "PATH", "");
  if (options.path.empty()) {
    return Status(ErrorCode::kInvalidProperty, "the file connector needs the property PATH");
  }
  options.name = options.path == "-" ? "the standard input" : options.path;
  options.follow = ConnectorFlag(spec, "FOLLOW", false);
  const FormatSpec format = ConnectorFormat(spec, false, FileFormatByEnding(options.path));
  options.delimited = format.name == "DELIMITED";
  options.header = options.delimited && ConnectorFlag(spec, "HEADER", true);
  if (options.delimited) {
    WEIR_ASSIGN_OR_RETURN(options.delimiter, FileDelimiter(spec));
  }
  WEIR_ASSIGN_OR_RETURN(const int64_t partitions, ConnectorNumber(spec, "PARTITIONS", 1, 1));
  options.partitions = static_cast<int32_t>(std::min<int64_t>(partitions, 1024));
  WEIR_ASSIGN_OR_RETURN(const PathKind kind, LookAtPath(options.path));
  options.stream = kind.stream;
  if (options.partitions > 1 && (options.follow || options.stream)) {
    return Status(ErrorCode::kInvalidProperty,
                  "only a file that is not followed can be cut into PARTITIONS");
  }
  if (kind.compressed && options.partitions > 1) {
    return CannotBe("a compressed file cannot be cut into PARTITIONS", options.path);
  }
  if (kind.compressed && options.follow) {
    return CannotBe("a compressed file cannot be followed (FOLLOW)", options.path);
  }
  return options;
}

/// A file's lines from `position` on.
Result<std::unique_ptr<LineCutter>> CutFile(const FileOptions& options, int64_t position) {
  WEIR_ASSIGN_OR_RETURN(auto bytes, OpenByteFile(options.path, position, options.follow));
  return std::make_unique<LineCutter>(std::move(bytes), options.quoting_delimiter(), position,
                                      options.name);
}

/// The same where a query goes on: a line must begin there.
Result<std::unique_ptr<LineCutter>> CutFileAgain(const FileOptions& options, int64_t position) {
  WEIR_ASSIGN_OR_RETURN(auto bytes, OpenByteFile(options.path, position - 1, options.follow));
  uint8_t before = 0;
  WEIR_ASSIGN_OR_RETURN(const size_t count, bytes->Read(&before, 1));
  if (count == 0) {
    return Status(ErrorCode::kOffsetOutOfRange,
                  "the file is shorter than where the query stood: " + options.path);
  }
  auto cutter = std::make_unique<LineCutter>(std::move(bytes), options.quoting_delimiter(),
                                             position, options.name);
  if (before == '\n') return cutter;
  // The last line may have had no end when it was read.
  WEIR_ASSIGN_OR_RETURN(const std::string_view next, cutter->Peek());
  if (next.empty() || next[0] == '\n' || next[0] == '\r') return cutter;
  return Status(ErrorCode::kOffsetOutOfRange, "no line begins where the query stood, at byte " +
                                                  std::to_string(position) +
                                                  ": the file is not what it was, " + options.path)
      .WithHint(
          "DROP what the query makes and create it again to read the file from its "
          "beginning");
}

/// Behind all that a file holds.
Result<std::unique_ptr<LineCutter>> CutNothing(const FileOptions& options) {
  WEIR_ASSIGN_OR_RETURN(const PathKind kind, LookAtPath(options.path));
  if (!kind.compressed) return CutFile(options, kind.size);
  WEIR_ASSIGN_OR_RETURN(auto bytes, OpenByteFile(options.path, 0, false));
  std::vector<uint8_t> read(256 * 1024);
  int64_t position = 0;
  while (true) {
    WEIR_ASSIGN_OR_RETURN(const size_t count, bytes->Read(read.data(), read.size()));
    if (count == 0) break;
    position += static_cast<int64_t>(count);
  }
  return std::make_unique<LineCutter>(std::move(bytes), options.quoting_delimiter(), position,
                                      options.name);
}

struct FirstLine {
  std::string text;
  int64_t after = 0;  ///< Position of the line behind it.
};

Result<FirstLine> ReadHeader(const FileOptions& options) {
  FirstLine header;
  WEIR_ASSIGN_OR_RETURN(auto cutter, CutFile(options, 0));
  std::vector<LineCutter::Line> lines;
  WEIR_RETURN_IF_ERROR(cutter->Next(1, lines));
  if (lines.empty()) {
    return Status(ErrorCode::kIoError, "the file has no header line: " + options.path)
        .WithHint("HEADER = 'false' reads a file without one");
  }
  header.text = cutter->TextOf(lines[0]);
  header.after = cutter->position();
  return header;
}

/// Calls a listener when a followed file changes.
class FileWatch {
 public:
  FileWatch(const std::string& path, std::function<void()> listener)
      : events_(inotify_init1(IN_CLOEXEC)),
        stop_(eventfd(0, EFD_CLOEXEC)),
        listener_(std::move(listener)) {
    const size_t slash = path.rfind('/');
    name_ = path.substr(slash == std::string::npos ? 0 : slash + 1);
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    constexpr uint32_t kChanges = IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB;
    // The folder tells when another file comes to the path.
    if (inotify_add_watch(events_, path.c_str(), kChanges) < 0 ||
        inotify_add_watch(events_, folder.c_str(), IN_CREATE | IN_MOVED_TO) < 0) {
      status_ = Status(ErrorCode::kIoError,
                       "the file cannot be watched, " + path + ": " + std::strerror(errno));
    }
    thread_ = std::thread([this] { Run(); });
  }
  const Status& status() const { return status_; }
  ~FileWatch() {
    const uint64_t one = 1;
    if (write(stop_, &one, sizeof one) == sizeof one) thread_.join();
    close(events_);
    close(stop_);
  }

 private:
  void Run() {
    alignas(inotify_event) char buffer[16 * 1024];
    while (true) {
      pollfd ready[2] = {{events_, POLLIN, 0}, {stop_, POLLIN, 0}};
      if (poll(ready, 2, -1) < 0 && errno != EINTR) return;
      if (ready[1].revents != 0) return;
      if (ready[0].revents == 0) continue;
      const ssize_t size = read(events_, buffer, sizeof buffer);
      if (size > 0 && Concerns({buffer, static_cast<size_t>(size)})) listener_();
    }
  }
  /// Events of the folder bear a name; those of its other files are nothing to us.
  bool Concerns(std::string_view events) const {
    while (events.size() >= sizeof(inotify_event)) {
      inotify_event event;
      std::memcpy(&event, events.data(), sizeof event);
      const std::string_view name = events.substr(sizeof event, event.len);
      if (event.len == 0 || name.substr(0, name.find('\0')) == name_) return true;
      events.remove_prefix(sizeof event + event.len);
    }
    return false;
  }
  int events_;
  int stop_;
  std::string name_;  ///< Of the file in its folder.
  std::function<void()> listener_;
  Status status_;
  std::thread thread_;
};

class FileSession final : public ReadSession {
 public:
  FileSession(ConnectorSpec spec, FileOptions options)
      : spec_(std::move(spec)), options_(std::move(options)) {}

  Result<std::unique_ptr<PartitionReader>> Open(std::string_view, int32_t partition,
                                                StartPosition start) override {
    if (start.kind == StartPosition::Kind::kTimestamp) {
      return Status(ErrorCode::kUnsupported, "not built yet: a file read from a timestamp on");
    }
    return options_.stream ? OpenStream(start) : OpenFile(partition, start);
  }

  void SetListener(std::function<void()> listener) override {
    std::lock_guard lock(wake_->mutex);
    wake_->listener = std::move(listener);
  }
  ~FileSession() override { SetListener({}); }

 private:
  std::function<void()> Wake() {
    return [wake = wake_] {
      std::lock_guard lock(wake->mutex);
      if (wake->listener) wake->listener();
    };
  }

  Result<std::unique_ptr<PartitionReader>> OpenStream(StartPosition start) {
    if (start.kind == StartPosition::Kind::kOffset && start.value > 0) {
      return Status(ErrorCode::kOffsetOutOfRange,
                    options_.name + " cannot be read again from where the query stood");
    }
    WEIR_ASSIGN_OR_RETURN(auto bytes, OpenByteStream(options_.path, Wake()));
    auto cutter = std::make_unique<LineCutter>(std::move(bytes), options_.quoting_delimiter(), 0,
                                               options_.name);
    auto reader =
        std::make_unique<FileReader>(spec_, options_, std::move(cutter), FileReader::kNow);
    if (!options_.header) WEIR_RETURN_IF_ERROR(reader->Prepare(""));
    return std::unique_ptr<PartitionReader>(std::move(reader));
  }

  Result<std::unique_ptr<PartitionReader>> OpenFile(int32_t partition, StartPosition start) {
    FirstLine header;
    if (options_.header) {
      WEIR_ASSIGN_OR_RETURN(header, ReadHeader(options_));
    }
    WEIR_ASSIGN_OR_RETURN(const PathKind kind, LookAtPath(options_.path));
    const bool shared = options_.partitions > 1;
    if (shared && blocks_ == nullptr) {
      blocks_ =
          std::make_shared<FileBlocks>(options_.path, options_.quoting_delimiter(), header.after);
    }
    WEIR_ASSIGN_OR_RETURN(auto cutter, CutFrom(start, header.after));
    auto reader = std::make_unique<FileReader>(
        spec_, options_, std::move(cutter), options_.follow ? FileReader::kNow : kind.changed_ms);
    if (shared) reader->ShareOut(blocks_, partition, kind.size);
    WEIR_RETURN_IF_ERROR(reader->Prepare(header.text));
    if (options_.follow && watch_ == nullptr) {
      watch_ = std::make_unique<FileWatch>(options_.path, Wake());
      WEIR_RETURN_IF_ERROR(watch_->status());
    }
    return std::unique_ptr<PartitionReader>(std::move(reader));
  }

  Result<std::unique_ptr<LineCutter>> CutFrom(StartPosition start, int64_t first_row) const {
    if (start.kind == StartPosition::Kind::kLatest) return CutNothing(options_);
    if (start.kind == StartPosition::Kind::kOffset && start.value > first_row) {
      return CutFileAgain(options_, start.value);
    }
    return CutFile(options_, first_row);
  }

  ConnectorSpec spec_;
  FileOptions options_;
  /// Readers may outlive the session, so what wakes it is shared.
  std::shared_ptr<WakeList::Entry> wake_ = std::make_shared<WakeList::Entry>();
  std::unique_ptr<FileWatch> watch_;
  std::shared_ptr<FileBlocks> blocks_;
};

/// kUnsupported where the lines that are not ASCII tell another encoding than UTF-8. A line among
/// good ones is just a bad record.
Status CheckEncoding(const FileOptions& options, const std::vector<std::string>& lines,
                     const std::vector<int64_t>& numbers) {
  size_t wrong = 0;
  size_t right = 0;
  size_t first_wrong = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string& line = lines[i];
    if (!IsUtf8(line.data(), line.size())) {
      if (wrong++ == 0) first_wrong = i;
    } else if (std::any_of(line.begin(), line.end(), [](char c) { return c < 0; })) {
      ++right;
    }
  }
  if (wrong <= right) return OkStatus();
  return WrongEncoding(options.name, numbers[first_wrong] + 1, lines[first_wrong]);
}

}  // namespace

Result<ConnectorSource> OpenFileSource(const ConnectorSpec& spec) {
  WEIR_ASSIGN_OR_RETURN(FileOptions options, ReadOptions(spec));
  ConnectorSource source;
  source.partitions = options.partitions;
  source.session = std::make_unique<FileSession>(spec, std::move(options));
  return source;
}

Result<std::vector<ColumnSchema>> InferFileColumns(ConnectorSpec& spec) {
  WEIR_ASSIGN_OR_RETURN(const FileOptions options, ReadOptions(spec));
  if (options.stream) {
    return Status(ErrorCode::kInvalidStatement,
                  options.name + " is read once, so its columns must be listed");
  }
  if (!spec.properties.contains("VALUE_FORMAT") && !spec.properties.contains("FORMAT")) {
    spec.properties["VALUE_FORMAT"] = options.delimited ? "DELIMITED" : "JSON";
  }
  WEIR_ASSIGN_OR_RETURN(auto cutter, CutFile(options, 0));
  std::vector<std::string> texts;
  std::vector<int64_t> numbers;
  std::vector<LineCutter::Line> lines;
  size_t bytes = 0;
  while (static_cast<int32_t>(texts.size()) <= kInferredLinesMax && bytes < kInferredBytesMax) {
    lines.clear();
    const int32_t wanted = kInferredLinesMax + 1 - static_cast<int32_t>(texts.size());
    WEIR_RETURN_IF_ERROR(cutter->Next(wanted, lines));
    if (lines.empty()) break;
    for (const auto& line : lines) {
      texts.emplace_back(cutter->TextOf(line));
      numbers.push_back(line.number);
      bytes += line.length;
    }
  }
  WEIR_RETURN_IF_ERROR(CheckEncoding(options, texts, numbers));
  std::vector<std::string_view> views(texts.begin(), texts.end());
  std::vector<std::string> names;
  if (options.header && !views.empty()) {
    if (!IsUtf8(views[0].data(), views[0].size())) {
      return WrongEncoding(options.name, numbers[0] + 1, views[0]);
    }
    WEIR_ASSIGN_OR_RETURN(names, HeaderNames(views[0], options.delimiter));
    views.erase(views.begin());
  }
  auto columns = options.delimited ? InferDelimitedColumns(names, views, options.delimiter,
                                                           ConnectorText(spec, "NULL", ""))
                                   : InferJsonColumns(views);
  if (columns.ok() && columns->empty()) {
    return Status(ErrorCode::kInvalidStatement,
                  "the file has no records to take columns from: " + options.path)
        .WithHint("list the columns, or write the file first");
  }
  return columns;
}

}  // namespace weir
