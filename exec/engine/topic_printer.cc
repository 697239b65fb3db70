#include "exec/engine/topic_printer.h"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <condition_variable>
#include <mutex>

#include <fmt/format.h>

#include "base/letter_case.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/builder.h"
#include "exec/connect/header_codec.h"
#include "exec/formats/json/json_structure.h"
#include "exec/formats/registry/text_by_schema.h"
#include "planner/catalog/near_names.h"

namespace weir {
namespace {

bool IsPrintableUtf8(std::string_view bytes) {
  const bool controls = std::any_of(bytes.begin(), bytes.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
  });
  return !controls && IsUtf8(bytes.data(), bytes.size());
}

SchemaPtr PrintSchema() {
  auto schema = std::make_shared<Schema>();
  schema->columns = {
      {"PARTITION", DataType::Int(), false},  {"OFFSET", DataType::Bigint(), false},
      {"ROWTIME", DataType::Bigint(), false}, {"KEY", DataType::String(), false},
      {"VALUE", DataType::String(), false},   {"HEADERS", DataType::String(), false}};
  return schema;
}

/// Names of topics keep their case, unlike names in SQL.
Status SuggestTopic(Status status, Broker& broker, std::string_view topic) {
  const Result<std::vector<TopicInfo>> topics = broker.ListTopics();
  if (!topics.ok()) return status;
  std::vector<std::string> names;
  std::string hint;
  for (const TopicInfo& info : *topics) {
    if (EqualIgnoringCase(info.name, topic)) hint = "did you mean " + info.name + "?";
    names.push_back(info.name);
  }
  if (hint.empty()) hint = DidYouMean(topic, names);
  return hint.empty() ? status : std::move(status).WithHint(hint);
}

class TopicPrinter : public Cursor {
 public:
  explicit TopicPrinter(const TopicPrint& print)
      : schema_(PrintSchema()),
        interval_(std::max<int64_t>(print.interval.value_or(1), 1)),
        window_(print.window),
        window_size_ms_(print.window_size_ms),
        schemas_(print.schemas),
        left_(print.limit.value_or(-1)) {
    for (const ColumnSchema& column : schema_->columns) builders_.emplace_back(column.type);
  }

  Status Open(Broker& broker, std::string_view topic, bool from_beginning) {
    topic_ = topic;
    Result<TopicInfo> info = broker.DescribeTopic(topic);
    if (!info.ok()) return SuggestTopic(info.status(), broker, topic);
    WEIR_ASSIGN_OR_RETURN(session_, broker.OpenReadSession("print"));
    session_->SetListener([this] {
      std::lock_guard lock(mutex_);
      arrived_ = true;
      wake_.notify_all();
    });
    StartPosition start;
    if (!from_beginning) start.kind = StartPosition::Kind::kLatest;
    for (int32_t partition = 0; partition < info->partitions; ++partition) {
      WEIR_ASSIGN_OR_RETURN(auto reader, session_->Open(topic, partition, start));
      readers_.push_back(std::move(reader));
    }
    return OkStatus();
  }

  const Schema& schema() const override { return *schema_; }
  bool is_push() const override { return true; }
  bool done() const override { return left_ == 0 || cancelled_; }
  bool limit_reached() const override { return left_ == 0; }
  bool caught_up() const override {
    for (const auto& reader : readers_) {
      if (!reader->caught_up()) return false;
    }
    return true;
  }
  std::vector<std::string> waiting_for() const override {
    return seen_ == 0 ? std::vector<std::string>{topic_} : std::vector<std::string>{};
  }
  void Cancel() override {
    std::lock_guard lock(mutex_);
    cancelled_ = true;
    wake_.notify_all();
  }

  Result<std::optional<Batch>> Next(std::chrono::milliseconds timeout) override {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    while (true) {
      if (cancelled_) return Status(ErrorCode::kCancelled, "PRINT was cancelled");
      if (left_ == 0) return std::optional<Batch>();
      {
        std::lock_guard lock(mutex_);
        arrived_ = false;
      }
      for (auto& reader : readers_) {
        WEIR_RETURN_IF_ERROR(reader->Fetch(limits::kBatchRowsMax, limits::kBatchBytesMax, batch_));
        for (int32_t i = 0; i < batch_.size() && left_ != 0; ++i) AddRecord(i);
      }
      if (builders_[0].length() > 0) return std::optional<Batch>(TakeBatch());
      std::unique_lock lock(mutex_);
      if (!wake_.wait_until(lock, deadline, [&] { return arrived_ || cancelled_; })) {
        return std::optional<Batch>();
      }
    }
  }

 private:
  void AddRecord(int32_t i) {
    if (seen_++ % interval_ != 0) return;
    if (left_ > 0) --left_;
    builders_[0].AppendInt32(batch_.partition);
    builders_[1].AppendInt64(batch_.offsets[i]);
    builders_[2].AppendInt64(batch_.timestamps[i]);
    AddKey(batch_.keys[i]);
    AddText(builders_[4], batch_.values[i]);
    headers_.clear();
    if (!batch_.headers.empty()) DecodeHeaders(batch_.View(batch_.headers[i]), headers_);
    std::string text;
    for (const HeaderView& header : headers_) {
      text += fmt::format("{}{}={}", text.empty() ? "" : ", ", header.name,
                          header.value ? GuessText(*header.value) : "null");
    }
    builders_[5].AppendBytes(text);
  }

  void AddKey(Slice slice) {
    std::string_view key = slice.is_null() ? std::string_view() : batch_.View(slice);
    int64_t start_ms = 0, end_ms = 0;
    if (window_ == WindowKeyKind::kNone || slice.is_null() ||
        !SplitWindowedKey(window_, window_size_ms_, key, start_ms, end_ms)) {
      return AddText(builders_[3], slice);
    }
    const char close = window_ == WindowKeyKind::kSession ? ']' : ')';
    builders_[3].AppendBytes(fmt::format("{}@[{},{}{}", TextOf(key), start_ms, end_ms, close));
  }

  void AddText(ColumnBuilder& builder, Slice slice) {
    if (slice.is_null()) {
      builder.AppendNull();
    } else {
      builder.AppendBytes(TextOf(batch_.View(slice)));
    }
  }

  std::string TextOf(std::string_view bytes) const {
    if (schemas_ != nullptr) {
      if (std::optional<std::string> text = TextBySchema(*schemas_, bytes)) return *text;
    }
    return GuessText(bytes);
  }

  Batch TakeBatch() {
    const int32_t rows = builders_[0].length();
    std::vector<ColumnPtr> columns;
    for (ColumnBuilder& builder : builders_) columns.push_back(builder.Finish());
    return Batch(schema_, std::move(columns), rows);
  }

  const SchemaPtr schema_;
  const int64_t interval_;
  const WindowKeyKind window_;
  const int64_t window_size_ms_;
  const std::shared_ptr<SchemaRegistry> schemas_;
  int64_t left_;
  int64_t seen_ = 0;
  std::string topic_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool arrived_ = false;
  std::atomic<bool> cancelled_{false};
  std::vector<ColumnBuilder> builders_;
  std::vector<HeaderView> headers_;
  RecordBatch batch_;
  std::unique_ptr<ReadSession> session_;
  std::vector<std::unique_ptr<PartitionReader>> readers_;  // Destroyed before their session.
};

}  // namespace

std::string GuessText(std::string_view bytes) {
  if (IsPrintableUtf8(bytes)) return std::string(bytes);
  if (bytes.size() == 4 || bytes.size() == 8) {
    uint64_t value = 0;
    for (char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
    return bytes.size() == 4 ? fmt::format("{}", static_cast<int32_t>(value))
                             : fmt::format("{}", static_cast<int64_t>(value));
  }
  std::string out = "0x";
  for (char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

Result<std::unique_ptr<Cursor>> MakeTopicPrinter(Broker& broker, const TopicPrint& print) {
  auto printer = std::make_unique<TopicPrinter>(print);
  WEIR_RETURN_IF_ERROR(printer->Open(broker, print.topic, print.from_beginning));
  return std::unique_ptr<Cursor>(std::move(printer));
}

}  // namespace weir
