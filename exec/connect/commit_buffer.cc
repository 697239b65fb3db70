#include "exec/connect/commit_buffer.h"

#include <algorithm>
#include <chrono>

#include "base/limits.h"
#include "exec/connect/pending_state.h"

namespace weir {
namespace {

constexpr size_t kPieceBytes = 256 << 10;
constexpr size_t kPiecesKept = 16;

}  // namespace

int64_t AppendTime(const BrokerOptions& options) {
  if (options.now_ms) return options.now_ms();
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

Status UnknownTopic(std::string_view topic) {
  return Status(ErrorCode::kUnknownTopic, "no such topic: " + std::string(topic));
}

Status UnknownPartition(std::string_view topic, int32_t partition, int32_t partitions) {
  return Status(ErrorCode::kUnknownTopic,
                "topic " + std::string(topic) + " has " + std::to_string(partitions) +
                    " partitions, so there is no partition " + std::to_string(partition));
}

int64_t KeptFrom(const TopicInfo& info, int64_t timestamp_max) {
  int64_t from = 0;
  const bool overflows = __builtin_sub_overflow(timestamp_max, info.retention_ms, &from);
  return info.retention_ms < 0 || overflows ? INT64_MIN : from;
}

Status CheckTopicInfo(const TopicInfo& info) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  if (info.name.empty() || info.name.size() > limits::kTopicNameBytesMax || info.name == "." ||
      info.name == ".." || !std::all_of(info.name.begin(), info.name.end(), allowed)) {
    return Status(ErrorCode::kInvalidOption, "not a topic name: " + info.name)
        .WithHint("letters, digits, '.', '_' and '-', at most 249 of them");
  }
  if (info.partitions < 1) {
    return Status(ErrorCode::kInvalidOption, "a topic needs at least one partition: " + info.name);
  }
  return OkStatus();
}

Status TakeRecords(std::string_view topic, int32_t partition, RecordBatchBuilder& records,
                   PendingAppend& out) {
  for (size_t i = 0; i < records.values().size(); ++i) {
    const auto bytes = static_cast<int64_t>(std::max(records.keys()[i].length, 0)) +
                       std::max(records.values()[i].length, 0);
    if (bytes > static_cast<int64_t>(limits::kRecordBytesMax)) {
      return Status(ErrorCode::kRecordTooLarge,
                    "a record for topic " + std::string(topic) +
                        " has too many bytes: " + std::to_string(bytes));
    }
  }
  out.topic = topic;
  out.partition = partition;
  records.MoveTo(out.records);
  return OkStatus();
}

Status BufferedCommitUnit::Append(std::string_view topic, int32_t partition,
                                  RecordBatchBuilder& records) {
  if (records.size() == 0) return OkStatus();
  const size_t bytes = records.byte_size() + static_cast<size_t>(records.size()) * 32;
  PendingAppend append;
  Status status = TakeRecords(topic, partition, records, append);
  if (!status.ok()) return status;
  std::lock_guard lock(mutex_);
  buffer_.bytes += bytes;
  buffer_.appends.push_back(std::move(append));
  return OkStatus();
}

std::string_view TextPieces::Add(std::string_view text) {
  while (current_ < pieces_.size() && pieces_[current_].size - used_ < text.size()) {
    ++current_;
    used_ = 0;
  }
  if (current_ == pieces_.size()) {
    const size_t size = std::max(kPieceBytes, text.size());
    pieces_.push_back({std::make_unique_for_overwrite<char[]>(size), size});
  }
  char* const to = pieces_[current_].bytes.get() + used_;
  std::copy(text.begin(), text.end(), to);
  used_ += text.size();
  return {to, text.size()};
}

void TextPieces::Clear() {
  if (pieces_.size() > kPiecesKept) pieces_.resize(kPiecesKept);
  current_ = used_ = 0;
}

void StateChanges::Add(StateChange::Kind kind, std::string_view key, std::string_view value) {
  const std::string_view kept = texts.Add(key);
  list.push_back({kind, kept, texts.Add(value)});
}

void BufferedCommitUnit::AddChange(StateChange::Kind kind, std::string_view key,
                                   std::string_view value) {
  std::lock_guard lock(mutex_);
  buffer_.bytes += key.size() + value.size();
  buffer_.changes->Add(kind, key, value);
}

void BufferedCommitUnit::PutLast(std::string_view key, std::string_view value) {
  std::lock_guard lock(mutex_);
  buffer_.last_changes.Add(StateChange::Kind::kPut, key, value);
}

void BufferedCommitUnit::Put(std::string_view key, std::string_view value) {
  AddChange(StateChange::Kind::kPut, key, value);
}

void BufferedCommitUnit::Delete(std::string_view key) {
  AddChange(StateChange::Kind::kDelete, key, {});
}

void BufferedCommitUnit::DeleteRange(std::string_view from, std::string_view to) {
  AddChange(StateChange::Kind::kDeleteRange, from, to);
}

size_t BufferedCommitUnit::byte_size() const {
  std::lock_guard lock(mutex_);
  return buffer_.bytes;
}

std::shared_ptr<const StateReader> BufferedCommitUnit::Over(const StateReader& below) const {
  std::lock_guard lock(mutex_);
  return std::make_shared<PendingState>(buffer_.changes, below);
}

Status BufferedCommitUnit::Commit() {
  std::lock_guard lock(mutex_);
  Status status = apply_(buffer_);
  if (!status.ok()) return status;
  buffer_.appends.clear();
  buffer_.last_changes.list.clear();
  buffer_.last_changes.texts.Clear();
  buffer_.bytes = 0;
  if (buffer_.changes.use_count() > 1) {
    buffer_.changes = std::make_shared<StateChanges>();
  } else {
    buffer_.changes->list.clear();
    buffer_.changes->texts.Clear();
  }
  return status;
}

std::shared_ptr<WakeList::Entry> WakeList::Add() {
  auto entry = std::make_shared<Entry>();
  std::lock_guard lock(mutex_);
  std::erase_if(entries_, [](const auto& each) { return each.expired(); });
  entries_.push_back(entry);
  return entry;
}

void WakeList::Wake() {
  std::vector<std::shared_ptr<Entry>> awake;
  {
    std::lock_guard lock(mutex_);
    for (const auto& each : entries_) {
      if (auto entry = each.lock()) awake.push_back(std::move(entry));
    }
  }
  for (const auto& entry : awake) {
    std::lock_guard lock(entry->mutex);
    if (entry->listener) entry->listener();
  }
}

}  // namespace weir
