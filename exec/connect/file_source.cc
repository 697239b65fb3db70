// CONNECTOR='file': each line of a file, or of the standard input, is a record.

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "exec/connect/commit_buffer.h"
#include "exec/connect/connector.h"
#include "exec/connect/csv_layout.h"
#include "exec/connect/line_source.h"
#include "exec/formats/infer_columns.h"

namespace weir {
namespace {

constexpr int32_t kInferredLinesMax = 1000;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

int64_t NowMs() {
  using std::chrono::system_clock;
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             system_clock::now().time_since_epoch())
      .count();
}

/// What the WITH clause says of the file.
struct FileOptions {
  std::string path;
  bool standard_input = false;
  bool follow = false;
  bool delimited = false;
  bool header = false;
  char delimiter = ',';
  int32_t partitions = 1;
};

Result<FileOptions> ReadOptions(const ConnectorSpec& spec) {
  FileOptions options;
  options.path = ConnectorText(spec, "PATH", "");
  if (options.path.empty()) {
    return Status(ErrorCode::kInvalidProperty, "the file connector needs the property PATH");
  }
  options.standard_input = options.path == "-";
  options.follow = ConnectorFlag(spec, "FOLLOW", false);
  const FormatSpec format = ConnectorFormat(spec, false, FileFormatByExtension(options.path));
  options.delimited = format.name == "DELIMITED";
  options.header = options.delimited && ConnectorFlag(spec, "HEADER", true);
  if (options.delimited) {
    auto delimiter = FileDelimiter(spec);
    if (!delimiter.ok()) return delimiter.status();
    options.delimiter = *delimiter;
  }
  auto partitions = ConnectorNumber(spec, "PARTITIONS", 1, 1);
  if (!partitions.ok()) return partitions.status();
  options.partitions = static_cast<int32_t>(std::min<int64_t>(*partitions, 1024));
  if (options.partitions > 1 && (options.follow || options.standard_input)) {
    return Status(ErrorCode::kInvalidProperty,
                  "only a file that is not followed can be cut into PARTITIONS");
  }
  return options;
}

/// A file's lines from `position` on.
Result<std::unique_ptr<LineCutter>> CutFile(const FileOptions& options, int64_t position) {
  auto bytes = OpenByteFile(options.path, position, options.follow);
  if (!bytes.ok()) return bytes.status();
  return std::make_unique<LineCutter>(std::move(*bytes), options.delimited, position);
}

std::string_view TextOf(const BufferPtr& buffer, const LineCutter::Line& line) {
  std::string_view text(reinterpret_cast<const char*>(buffer->data()) + line.begin, line.length);
  if (line.position == 0 && text.starts_with(kByteOrderMark)) {
    text.remove_prefix(kByteOrderMark.size());
  }
  return text;
}

struct FirstLine {
  std::string text;
  int64_t after = 0;   ///< Position of the line behind it.
};

Result<FirstLine> ReadHeader(const FileOptions& options) {
  FirstLine header;
  auto cutter = CutFile(options, 0);
  if (!cutter.ok()) return cutter.status();
  std::vector<LineCutter::Line> lines;
  if (Status status = (*cutter)->Next(1, lines); !status.ok()) return status;
  if (lines.empty()) {
    return Status(ErrorCode::kIoError, "the file has no header line: " + options.path)
        .WithHint("HEADER = 'false' reads a file without one");
  }
  header.text = TextOf((*cutter)->buffer(), lines[0]);
  header.after = (*cutter)->position();
  return header;
}

/// Makes keys from the key columns' values in the lines, where a source has any.
class KeyMaker {
 public:
  static Result<std::unique_ptr<KeyMaker>> Make(const ConnectorSpec& spec,
                                                const FormatSpec& line_format) {
    auto maker = std::make_unique<KeyMaker>();
    maker->columns_ = ConnectorColumns(spec, true);
    FormatSpec key_format = ConnectorFormat(spec, true, "KAFKA");
    if (maker->columns_.empty() || key_format.name == "NONE") return std::unique_ptr<KeyMaker>();
    FormatSpec reader = line_format;
    reader.is_key = false;
    reader.unwrapped = false;
    auto decoder = MakeDecoder(reader, maker->columns_);
    if (!decoder.ok()) return decoder.status();
    auto encoder = MakeEncoder(key_format, maker->columns_);
    if (!encoder.ok()) return encoder.status();
    maker->decoder_ = std::move(*decoder);
    maker->encoder_ = std::move(*encoder);
    return maker;
  }

  /// Reads the keys from `lines`' values and appends their bytes to `bytes`.
  Status Append(const RecordBatch& lines, BufferBuilder& bytes, std::vector<Slice>& keys) {
    if (Status status = decoder_->Decode(lines, decoded_); !status.ok()) return status;
    rows_.resize(static_cast<size_t>(lines.size()));
    for (size_t i = 0; i < rows_.size(); ++i) rows_[i] = static_cast<int32_t>(i);
    if (Status status = encoder_->Encode(decoded_.columns, rows_, bytes, keys); !status.ok()) {
      return status;
    }
    for (size_t i = 0; i < decoded_.states.size(); ++i) {
      if (decoded_.states[i] != RowState::kOk) keys[i].length = -1;
    }
    return OkStatus();
  }

 private:
  std::vector<FormatColumn> columns_;
  std::unique_ptr<SideDecoder> decoder_;
  std::unique_ptr<SideEncoder> encoder_;
  DecodedSide decoded_;
  std::vector<int32_t> rows_;
};

class FileReader final : public PartitionReader {
 public:
  FileReader(ConnectorSpec spec, FileOptions options, std::unique_ptr<LineCutter> cutter,
             int64_t time_ms)
      : spec_(std::move(spec)), options_(std::move(options)), cutter_(std::move(cutter)),
        time_ms_(time_ms) {}

  /// Reads lines that begin before `end` only; the first one counts if it begins at `begin`.
  void Confine(int64_t begin, int64_t end) {
    begin_ = begin;
    range_end_ = end;
  }
  /// To be called before the first record is given out; stdin's header comes late.
  Status Prepare(std::string_view header) {
    FormatSpec line_format = ConnectorFormat(spec_, false, FileFormatByExtension(options_.path));
    if (options_.delimited) {
      auto layout = CsvLayout::Make(spec_, options_.delimiter, header);
      if (!layout.ok()) return layout.status();
      layout_ = std::move(*layout);
      line_format = layout_->key_reader();
    }
    auto keys = KeyMaker::Make(spec_, line_format);
    if (!keys.ok()) return keys.status();
    keys_ = std::move(*keys);
    prepared_ = true;
    return OkStatus();
  }

  Status Fetch(int32_t rows_max, size_t, RecordBatch& out) override {
    out.Clear();
    if (!prepared_) {
      lines_.clear();
      if (Status status = cutter_->Next(1, lines_); !status.ok()) return status;
      if (lines_.empty()) return OkStatus();
      const std::string header(TextOf(cutter_->buffer(), lines_[0]));
      if (Status status = Prepare(header); !status.ok()) return status;
    }
    lines_.clear();
    while (lines_.empty() && !done()) {
      if (Status status = cutter_->Next(rows_max, lines_); !status.ok()) return status;
      if (lines_.empty()) return OkStatus();
      std::erase_if(lines_, [this](const LineCutter::Line& line) {
        return line.position < begin_ || line.position >= range_end_;
      });
    }
    if (lines_.empty()) return OkStatus();
    TakeLines(out);
    const bool rewrites = layout_ && layout_->rewrites();
    return rewrites || keys_ != nullptr ? Rebuild(rewrites, out) : OkStatus();
  }

  int64_t position() const override { return std::max(begin_, cutter_->position()); }
  int64_t end_offset() const override {
    const int64_t end = std::min(cutter_->end(), range_end_);
    return end == INT64_MAX ? position() + 1 : end;
  }
  bool endless() const override { return options_.follow; }
  bool caught_up() const override { return cutter_->at_end() || done(); }

 private:
  bool done() const { return cutter_->position() >= range_end_; }

  void TakeLines(RecordBatch& out) {
    const auto count = lines_.size();
    out.bytes = cutter_->buffer();
    out.values.resize(count);
    out.keys.assign(count, Slice{});
    out.offsets.resize(count);
    out.timestamps.assign(count, time_ms_ >= 0 ? time_ms_ : NowMs());
    for (size_t i = 0; i < count; ++i) {
      const LineCutter::Line& line = lines_[i];
      out.values[i] = {line.begin, static_cast<int32_t>(line.length)};
      out.offsets[i] = line.position;
    }
    if (lines_[0].position == 0) {
      const std::string_view text = TextOf(out.bytes, lines_[0]);
      out.values[0].begin += lines_[0].length - static_cast<uint32_t>(text.size());
      out.values[0].length = static_cast<int32_t>(text.size());
    }
  }

  /// Replaces the batch's bytes by rewritten values and made keys.
  Status Rebuild(bool rewrites, RecordBatch& out) {
    std::vector<Slice> values(out.values.size());
    for (size_t i = 0; i < values.size(); ++i) {
      const std::string_view line = out.View(out.values[i]);
      const auto begin = static_cast<uint32_t>(built_.size());
      if (rewrites) {
        layout_->Rewrite(line, built_);
      } else {
        built_.Append(line.data(), line.size());
      }
      values[i] = {begin, static_cast<int32_t>(built_.size() - begin)};
      built_.AppendValue('\n');
    }
    if (keys_ != nullptr) {
      if (Status status = keys_->Append(out, built_, out.keys); !status.ok()) return status;
    }
    out.values = std::move(values);
    out.bytes = built_.Finish();
    return OkStatus();
  }

  ConnectorSpec spec_;
  FileOptions options_;
  std::unique_ptr<LineCutter> cutter_;
  int64_t time_ms_;   ///< Time of all records; -1: the time they are read.
  int64_t begin_ = 0;
  int64_t range_end_ = INT64_MAX;
  bool prepared_ = false;
  std::optional<CsvLayout> layout_;
  std::unique_ptr<KeyMaker> keys_;
  std::vector<LineCutter::Line> lines_;
  BufferBuilder built_;
};

/// Calls a listener when a followed file changes.
class FileWatch {
 public:
  FileWatch(const std::string& path, std::function<void()> listener)
      : events_(inotify_init1(IN_CLOEXEC)), stop_(eventfd(0, EFD_CLOEXEC)),
        listener_(std::move(listener)) {
    inotify_add_watch(events_, path.c_str(), IN_MODIFY | IN_CLOSE_WRITE);
    thread_ = std::thread([this] { Run(); });
  }
  ~FileWatch() {
    const uint64_t one = 1;
    if (write(stop_, &one, sizeof one) == sizeof one) thread_.join();
    close(events_);
    close(stop_);
  }

 private:
  void Run() {
    char buffer[4096];
    while (true) {
      pollfd ready[2] = {{events_, POLLIN, 0}, {stop_, POLLIN, 0}};
      if (poll(ready, 2, -1) < 0 && errno != EINTR) return;
      if (ready[1].revents != 0) return;
      if (ready[0].revents != 0 && read(events_, buffer, sizeof buffer) > 0) listener_();
    }
  }
  int events_;
  int stop_;
  std::function<void()> listener_;
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
    return options_.standard_input ? OpenStandardInput(start) : OpenFile(partition, start);
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

  Result<std::unique_ptr<PartitionReader>> OpenStandardInput(StartPosition start) {
    if (start.kind == StartPosition::Kind::kOffset && start.value > 0) {
      return Status(ErrorCode::kOffsetOutOfRange,
                    "the standard input cannot be read again from where the query stood");
    }
    auto cutter =
        std::make_unique<LineCutter>(ReadAhead(STDIN_FILENO, Wake()), options_.delimited, 0);
    auto reader = std::make_unique<FileReader>(spec_, options_, std::move(cutter), -1);
    if (!options_.header) {
      if (Status status = reader->Prepare(""); !status.ok()) return status;
    }
    return std::unique_ptr<PartitionReader>(std::move(reader));
  }

  Result<std::unique_ptr<PartitionReader>> OpenFile(int32_t partition, StartPosition start) {
    struct stat status;
    if (stat(options_.path.c_str(), &status) != 0) {
      return Status(ErrorCode::kIoError, "the file cannot be read, " + options_.path + ": " +
                                             std::strerror(errno));
    }
    FirstLine header;
    if (options_.header) {
      auto read = ReadHeader(options_);
      if (!read.ok()) return read.status();
      header = std::move(*read);
    }
    // Partition p of n has the lines that begin in its n-th part of the bytes.
    const int64_t size = status.st_size;
    const auto bound = [&](int64_t part) {
      return header.after + (size - header.after) / options_.partitions * part;
    };
    const int64_t begin = bound(partition);
    const int64_t end = partition + 1 == options_.partitions ? INT64_MAX : bound(partition + 1);
    int64_t from = partition == 0 ? begin : begin - 1;
    int64_t first = begin;
    if (start.kind == StartPosition::Kind::kOffset && start.value >= begin) {
      if (start.value > size) {
        return Status(ErrorCode::kOffsetOutOfRange,
                      "the file is shorter than where the query stood: " + options_.path);
      }
      first = from = start.value;
    }
    if (start.kind == StartPosition::Kind::kLatest) first = from = std::min(size, end);
    auto cutter = CutFile(options_, from);
    if (!cutter.ok()) return cutter.status();
    const int64_t changed_ms = static_cast<int64_t>(status.st_mtim.tv_sec) * 1000 +
                               status.st_mtim.tv_nsec / 1000000;
    auto reader = std::make_unique<FileReader>(spec_, options_, std::move(*cutter),
                                               options_.follow ? -1 : changed_ms);
    reader->Confine(first, end);
    if (Status prepared = reader->Prepare(header.text); !prepared.ok()) return prepared;
    if (options_.follow && watch_ == nullptr) {
      watch_ = std::make_unique<FileWatch>(options_.path, Wake());
    }
    return std::unique_ptr<PartitionReader>(std::move(reader));
  }

  ConnectorSpec spec_;
  FileOptions options_;
  /// Readers may outlive the session, so what wakes it is shared.
  std::shared_ptr<WakeList::Entry> wake_ = std::make_shared<WakeList::Entry>();
  std::unique_ptr<FileWatch> watch_;
};

}  // namespace

Result<ConnectorSource> OpenFileSource(const ConnectorSpec& spec) {
  auto options = ReadOptions(spec);
  if (!options.ok()) return options.status();
  ConnectorSource source;
  source.partitions = options->partitions;
  source.session = std::make_unique<FileSession>(spec, std::move(*options));
  return source;
}

Result<std::vector<ColumnSchema>> InferFileColumns(ConnectorSpec& spec) {
  auto options = ReadOptions(spec);
  if (!options.ok()) return options.status();
  if (options->standard_input) {
    return Status(ErrorCode::kInvalidStatement,
                  "the standard input is read once, so its columns must be listed");
  }
  if (!spec.properties.contains("VALUE_FORMAT") && !spec.properties.contains("FORMAT")) {
    spec.properties["VALUE_FORMAT"] = options->delimited ? "DELIMITED" : "JSON";
  }
  auto cutter = CutFile(*options, 0);
  if (!cutter.ok()) return cutter.status();
  std::vector<std::string> texts;
  std::vector<LineCutter::Line> lines;
  while (static_cast<int32_t>(texts.size()) <= kInferredLinesMax) {
    lines.clear();
    const int32_t wanted = kInferredLinesMax + 1 - static_cast<int32_t>(texts.size());
    if (Status status = (*cutter)->Next(wanted, lines); !status.ok()) return status;
    if (lines.empty()) break;
    for (const auto& line : lines) texts.emplace_back(TextOf((*cutter)->buffer(), line));
  }
  std::vector<std::string_view> views(texts.begin(), texts.end());
  std::vector<std::string> names;
  if (options->header && !views.empty()) {
    names = HeaderNames(views[0], options->delimiter);
    views.erase(views.begin());
  }
  std::vector<ColumnSchema> columns =
      options->delimited ? InferDelimitedColumns(names, views, options->delimiter,
                                                 ConnectorText(spec, "NULL", ""))
                         : InferJsonColumns(views);
  if (columns.empty()) {
    return Status(ErrorCode::kInvalidStatement,
                  "the file has no records to take columns from: " + options->path)
        .WithHint("list the columns, or write the file first");
  }
  return columns;
}

}  // namespace weir
