// Rows of a file for `weir load` and other programs, on what CONNECTOR='file' reads with.

#include "weir/file_rows.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <unordered_set>

#include "base/file_ending.h"
#include "base/status_macros.h"
#include "exec/connect/connector.h"
#include "exec/connect/files/csv_layout.h"
#include "exec/connect/files/decompress.h"
#include "exec/connect/files/line_source.h"
#include "exec/connect/files/text_check.h"
#include "exec/formats/infer_columns.h"
#include "exec/formats/json/json_structure.h"
#include "exec/formats/quoted_field.h"

namespace weir {
namespace {

constexpr int32_t kRowsCutAtATime = 4096;
constexpr std::chrono::milliseconds kStopLookedAtEvery(100);

class IstreamBytes final : public ByteSource {
 public:
  explicit IstreamBytes(std::istream& in) : in_(in) {}
  Result<size_t> Read(uint8_t* to, size_t size) override {
    in_.read(reinterpret_cast<char*>(to), static_cast<std::streamsize>(size));
    const auto count = static_cast<size_t>(in_.gcount());
    position_ += static_cast<int64_t>(count);
    ended_ = !in_;
    return count;
  }
  int64_t end() const override { return ended_ ? position_ : INT64_MAX; }

 private:
  std::istream& in_;
  int64_t position_ = 0;
  bool ended_ = false;
};

/// Waits until a stream's reading thread has something.
class Arrival {
 public:
  void Tell() {
    std::lock_guard lock(mutex_);
    arrived_ = true;
    changed_.notify_all();
  }
  void WaitAWhile() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kStopLookedAtEvery, [this] { return arrived_; });
    arrived_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool arrived_ = false;
};

/// A field without its quotes, which are known to be right; no data if it is empty and has none.
std::string_view Unquoted(std::string_view raw, char delimiter, std::deque<std::string>& made,
                          size_t& made_count) {
  if (raw.empty()) return {};
  if (!raw.starts_with('"')) return raw;
  const QuotedField field = FindQuotedEnd(raw.data(), raw.data() + raw.size(), delimiter);
  std::string_view text = raw.substr(1, static_cast<size_t>(field.close - raw.data()) - 1);
  if (!field.escaped) return text;
  if (made_count == made.size()) made.emplace_back();
  std::string& plain = made[made_count++];
  plain.clear();
  for (size_t quote = text.find('"'); quote != std::string_view::npos; quote = text.find('"')) {
    plain += text.substr(0, quote + 1);
    text.remove_prefix(quote + 2);
  }
  return plain += text;
}

class TextRows final : public FileRows {
 public:
  explicit TextRows(Options options)
      : options_(std::move(options)),
        name_(options_.path == "-" ? "the standard input" : options_.path) {}

  Status Open() {
    WEIR_ASSIGN_OR_RETURN(auto bytes, OpenBytes());
    cutter_ = std::make_unique<LineCutter>(std::move(bytes), LineCutter::kNoQuotes, 0, name_);
    WEIR_ASSIGN_OR_RETURN(format_, ChooseFormat());
    if (format_ == Format::kJson) {
      rows_cut_ = kRowsCutAtATime;
      return OkStatus();
    }
    delimiter_ = IsTabSeparated(options_.path) ? '\t' : ',';
    cutter_->set_delimiter(delimiter_);
    return ReadNames();
  }

  Format format() const override { return format_; }
  const std::vector<std::string>& names() const override { return names_; }
  std::string_view text() const override { return text_; }
  const std::vector<std::string_view>& fields() const override { return fields_; }
  int64_t line() const override { return line_; }

  Result<bool> Next() override {
    WEIR_ASSIGN_OR_RETURN(const bool any, NextRow());
    if (!any) return false;
    if (!IsUtf8(text_.data(), text_.size())) return Bad(DescribeWrongEncoding(text_));
    if (format_ == Format::kJson) return true;
    WEIR_RETURN_IF_ERROR(SplitRow());
    if (fields_.size() != names_.size()) {
      return Bad("it has another number of fields than the header: " +
                 std::to_string(fields_.size()) + " instead of " + std::to_string(names_.size()));
    }
    return true;
  }

 private:
  Result<std::unique_ptr<ByteSource>> OpenBytes() {
    if (options_.input != nullptr) {
      return Decompress(std::make_unique<IstreamBytes>(*options_.input), name_);
    }
    WEIR_ASSIGN_OR_RETURN(const PathKind kind, LookAtPath(options_.path));
    if (!kind.stream) return OpenByteFile(options_.path, 0, false);
    return OpenByteStream(options_.path, [arrival = arrival_] { arrival->Tell(); });
  }

  bool ended() const { return cutter_->at_end(); }

  Status Wait() {
    if (options_.stopped && options_.stopped()) {
      return Status(ErrorCode::kCancelled, "reading was stopped: " + name_);
    }
    if (options_.input == nullptr) arrival_->WaitAWhile();
    return OkStatus();
  }

  Result<Format> ChooseFormat() {
    if (options_.format != Format::kByName) return options_.format;
    const std::string plain = WithoutCompressionEnding(options_.path);
    if (plain.ends_with(".csv") || plain.ends_with(".tsv")) return Format::kDelimited;
    for (const char* ending : {".json", ".ndjson", ".jsonl"}) {
      if (plain.ends_with(ending)) return Format::kJson;
    }
    while (true) {
      WEIR_ASSIGN_OR_RETURN(const std::string_view first, cutter_->Peek());
      if (!first.empty()) return first[0] == '{' ? Format::kJson : Format::kDelimited;
      if (ended()) return Format::kDelimited;
      WEIR_RETURN_IF_ERROR(Wait());
    }
  }

  Status ReadNames() {
    WEIR_ASSIGN_OR_RETURN(const bool any, NextRow());
    if (!any) return Status(ErrorCode::kBadRecord, "a CSV without its header line: " + name_);
    if (!IsUtf8(text_.data(), text_.size())) return WrongEncoding(name_, line_, text_);
    WEIR_RETURN_IF_ERROR(SplitRow());
    std::unordered_set<std::string> taken;
    for (size_t i = 0; i < fields_.size(); ++i) {
      const std::string number = std::to_string(i + 1);
      std::string name = fields_[i].empty() ? "C" + number : std::string(fields_[i]);
      while (!taken.insert(ColumnNameOf(name)).second) name += "_" + number;
      names_.push_back(std::move(name));
    }
    cutter_->set_keeps_empty(names_.size() == 1);
    rows_cut_ = kRowsCutAtATime;
    return OkStatus();
  }

  Result<bool> NextRow() {
    while (next_ == lines_.size()) {
      lines_.clear();
      next_ = 0;
      WEIR_RETURN_IF_ERROR(cutter_->Next(rows_cut_, lines_));
      if (!lines_.empty()) break;
      if (ended()) return false;
      WEIR_RETURN_IF_ERROR(Wait());
    }
    text_ = cutter_->TextOf(lines_[next_]);
    line_ = lines_[next_].number + 1;
    ++next_;
    return true;
  }

  Status SplitRow() {
    if (const char* fault = SplitRawFields(text_, delimiter_, fields_)) return Bad(fault);
    size_t made_count = 0;
    for (std::string_view& field : fields_) {
      field = Unquoted(field, delimiter_, unescaped_, made_count);
    }
    return OkStatus();
  }

  Status Bad(const std::string& cause) const {
    return Status(ErrorCode::kBadRecord, "a row cannot be read, in " + name_ + " line " +
                                             std::to_string(line_) + ": " + cause);
  }

  const Options options_;
  const std::string name_;
  const std::shared_ptr<Arrival> arrival_ = std::make_shared<Arrival>();
  std::unique_ptr<LineCutter> cutter_;
  Format format_ = Format::kJson;
  char delimiter_ = ',';
  std::vector<std::string> names_;
  int32_t rows_cut_ = 1;  ///< At a time: what is behind a header is cut once that is known.
  std::vector<LineCutter::Line> lines_;
  size_t next_ = 0;
  std::string_view text_;
  int64_t line_ = 0;
  std::vector<std::string_view> fields_;
  std::deque<std::string> unescaped_;  ///< Views into it stay valid as it grows.
};

}  // namespace

Result<std::unique_ptr<FileRows>> FileRows::Open(Options options) {
  auto rows = std::make_unique<TextRows>(std::move(options));
  WEIR_RETURN_IF_ERROR(rows->Open());
  return std::unique_ptr<FileRows>(std::move(rows));
}

}  // namespace weir
