#include "shell/load/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/status_macros.h"

namespace weir::shell {
namespace {

/// A batch is one synced write: large enough that the sync does not count, small enough that what
/// is acknowledged advances many times a second.
constexpr size_t kBatchRecordsMax = 8192;
constexpr size_t kBatchBytesMax = 4u << 20;

/// Holds batches back so that no more than `rate` records a second go out.
class Pacer {
 public:
  explicit Pacer(int64_t rate) : rate_(rate), start_(std::chrono::steady_clock::now()) {}

  size_t batch_records_max() const {
    if (rate_ <= 0) return kBatchRecordsMax;
    // Ten batches a second, or single records where the rate is lower.
    return static_cast<size_t>(std::clamp<int64_t>(rate_ / 10, 1, kBatchRecordsMax));
  }
  /// Waits until `sent` records are due; false when a stop came.
  bool WaitUntilDue(int64_t sent, Interrupts& interrupts) const {
    if (rate_ <= 0) return interrupts.pending() == StopKind::kNone;
    const auto due = start_ + std::chrono::microseconds(sent * 1'000'000 / rate_);
    const auto wait = due - std::chrono::steady_clock::now();
    const auto wait_ms = std::chrono::ceil<std::chrono::milliseconds>(wait);
    return !interrupts.WaitFor(std::max(wait_ms, std::chrono::milliseconds(0)));
  }

 private:
  const int64_t rate_;
  const std::chrono::steady_clock::time_point start_;
};

constexpr int64_t kDayMs = 86'400'000;

/// Looks whether the topic's retention would delete records at once because of the times they bear.
class RetentionWatch {
 public:
  RetentionWatch(const Engine& engine, const LoadOptions& options, const LoadWarning& warn)
      : warn_(warn) {
    if (options.timestamp_column.empty() || !warn_) return;
    const Result<TopicDescription> topic = engine.DescribeTopic(options.topic);
    if (!topic.ok() || !topic->ages_by_clock || topic->compacted || topic->retention_ms < 0) return;
    topic_ = *topic;
  }
  void Look(std::span<const Record> records) {
    if (!topic_) return;
    int64_t oldest = INT64_MAX;
    for (const Record& record : records) {
      oldest = std::min(oldest, record.timestamp_ms.value_or(INT64_MAX));
    }
    const int64_t now = std::chrono::duration_cast<std::chrono::milliseconds>(
                            std::chrono::system_clock::now().time_since_epoch())
                            .count();
    if (oldest >= now - topic_->retention_ms) return;
    const double kept_days = static_cast<double>(topic_->retention_ms) / kDayMs;
    warn_(fmt::format(
        "topic {0} keeps records for {1:.3g} days by the times they bear, and these are up to {2} "
        "days old: the broker will delete them soon\n  hint: set the topic's retention.ms to -1 "
        "(kafka-configs.sh --alter --entity-type topics --entity-name {0} --add-config "
        "retention.ms=-1), or load into a new topic, which is made without a limit",
        topic_->name, kept_days, (now - oldest) / kDayMs));
    topic_.reset();
  }

 private:
  const LoadWarning& warn_;
  std::optional<TopicDescription> topic_;  // Empty: nothing to look for, any more.
};

Status Stopped(int64_t acknowledged) {
  return Status(ErrorCode::kCancelled,
                fmt::format("loading was stopped; records loaded: {}", acknowledged));
}

}  // namespace

Result<std::vector<ColumnChoice>> ParseColumnChoices(std::string_view text) {
  std::vector<ColumnChoice> choices;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    const size_t equals = item.find('=');
    const std::string_view column = item.substr(0, equals);
    const std::string_view name = equals == item.npos ? column : item.substr(equals + 1);
    if (column.empty() || name.empty()) {
      return Status(ErrorCode::kUsage, fmt::format("a column has no name: {}", item))
          .WithHint("columns are written COLUMN or COLUMN=NAME, with commas between them");
    }
    choices.push_back({std::string(column), std::string(name)});
    text = comma == text.npos ? std::string_view() : text.substr(comma + 1);
  }
  return choices;
}

Result<KeyFormat> ParseKeyFormat(std::string_view text) {
  if (text == "json") return KeyFormat::kObject;
  if (text == "kafka" || text == "kafka:string") return KeyFormat::kText;
  if (text == "kafka:int") return KeyFormat::kInt;
  if (text == "kafka:bigint") return KeyFormat::kBigint;
  if (text == "kafka:double") return KeyFormat::kDouble;
  if (text == "avro" || text == "protobuf" || text == "json_sr") return KeyFormat::kSchema;
  return Status(ErrorCode::kUsage, fmt::format("unknown key format: {}", text))
      .WithHint(
          "key formats are json, kafka, kafka:int, kafka:bigint, kafka:double, avro, protobuf and "
          "json_sr");
}

Result<int64_t> Load(Engine& engine, const LoadOptions& options, std::istream* in,
                     Interrupts& interrupts, const LoadProgress& progress,
                     const LoadWarning& warn) {
  WEIR_ASSIGN_OR_RETURN(std::unique_ptr<RecordSource> source,
                        MakeRecordSource(options, in, [&interrupts] {
                          return interrupts.pending() != StopKind::kNone;
                        }));
  if (!options.output_format.empty() || !options.key_schema_format.empty()) {
    Result<std::unique_ptr<RecordSource>> encoded =
        EncodeRecords(engine, options, std::move(source));
    if (encoded.status().code() == ErrorCode::kCancelled) return Stopped(0);
    WEIR_ASSIGN_OR_RETURN(source, std::move(encoded));
  }
  WEIR_RETURN_IF_ERROR(engine.CreateTopic(options.topic, 1, /*if_not_exists=*/true));
  const Pacer pacer(options.rate);
  RetentionWatch retention(engine, options, warn);
  std::vector<Record> batch(pacer.batch_records_max());
  int64_t acknowledged = 0;
  for (bool more = true; more;) {
    size_t count = 0;
    size_t bytes = 0;
    Status bad_row;
    while (count < batch.size() && bytes < kBatchBytesMax) {
      Result<bool> next = source->Next(&batch[count]);
      if (!next.ok()) bad_row = next.status();
      more = next.ok() && *next;
      if (!more) break;
      bytes += batch[count].value ? batch[count].value->size() : 0;
      ++count;
    }
    // What stands before a bad row is loaded all the same: the count that was told is then true.
    if (count > 0) {
      retention.Look(std::span(batch.data(), count));
      WEIR_RETURN_IF_ERROR(engine.Append(options.topic, std::span(batch.data(), count)));
      acknowledged += static_cast<int64_t>(count);
      progress(acknowledged);
    }
    if (bad_row.code() == ErrorCode::kCancelled) return Stopped(acknowledged);
    WEIR_RETURN_IF_ERROR(bad_row);
    if (more && !pacer.WaitUntilDue(acknowledged, interrupts)) {
      return Stopped(acknowledged);
    }
  }
  return acknowledged;
}

}  // namespace weir::shell
