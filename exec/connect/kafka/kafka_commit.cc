#include "exec/connect/kafka/kafka_commit.h"

#include <cstring>

#include "base/status_macros.h"

namespace weir {
namespace {

size_t BytesOf(const RecordBatchBuilder& records) {
  return records.byte_size() + static_cast<size_t>(records.size()) * 32;
}

/// Errors that doing the work again would only meet again.
bool IsLasting(ErrorCode code) {
  return code == ErrorCode::kRecordTooLarge || code == ErrorCode::kUnknownTopic ||
         code == ErrorCode::kInvalidOption || code == ErrorCode::kInternal;
}

}  // namespace

Status KafkaUnitContents::AddOffset(PartitionGroup& group, GroupOffset offset) {
  auto* kafka = dynamic_cast<KafkaGroup*>(&group);
  if (kafka == nullptr) return Status(ErrorCode::kInternal, "a group of another broker");
  if (offset.metadata.find('\0') != std::string::npos) {
    // librdkafka reads it back as far as there only.
    return Status(ErrorCode::kInternal, "the note of a position has a null byte");
  }
  std::lock_guard lock(mutex_);
  std::vector<GroupOffset>& offsets = offsets_[kafka];
  for (GroupOffset& each : offsets) {
    if (each.partition != offset.partition || each.topic != offset.topic) continue;
    each = std::move(offset);
    return OkStatus();
  }
  offsets.push_back(std::move(offset));
  return OkStatus();
}

void KafkaUnitContents::AddWritten(std::string_view key, std::string_view topic,
                                   int32_t partition) {
  std::lock_guard lock(mutex_);
  written_.push_back({std::string(key), std::string(topic), partition});
}

bool KafkaUnitContents::has_offsets() {
  std::lock_guard lock(mutex_);
  return !offsets_.empty();
}

Status KafkaUnitContents::ForEachGroup(
    const std::function<Status(KafkaGroup&, const std::vector<GroupOffset>&)>& commit) {
  std::lock_guard lock(mutex_);
  for (const auto& [group, offsets] : offsets_) WEIR_RETURN_IF_ERROR(commit(*group, offsets));
  return OkStatus();
}

Status KafkaUnitContents::WriteState(KafkaDelivery& delivery) {
  std::lock_guard lock(mutex_);
  for (const Written& each : written_) {
    const auto offset = delivery.WrittenOffset(each.topic, each.partition);
    if (!offset) {
      return Status(ErrorCode::kInternal, "nothing was written to topic " + each.topic +
                                              ", partition " + std::to_string(each.partition));
    }
    char bytes[sizeof(int64_t)];
    for (size_t i = 0; i < sizeof bytes; ++i) bytes[i] = static_cast<char>(*offset >> (8 * i));
    changes_.Put(each.key, {bytes, sizeof bytes});
  }
  WEIR_RETURN_IF_ERROR(changes_.Commit());
  written_.clear();
  offsets_.clear();
  return OkStatus();
}

Status KafkaCommitUnit::Append(std::string_view topic, int32_t partition,
                               RecordBatchBuilder& records) {
  if (records.size() == 0) return OkStatus();
  const size_t bytes = BytesOf(records);
  WEIR_RETURN_IF_ERROR(producer_->Send(topic, partition, records, *delivery_));
  sent_bytes_ += bytes;
  return OkStatus();
}

Status KafkaCommitUnit::AppendLast(std::string_view topic, int32_t partition,
                                   RecordBatchBuilder& records) {
  if (records.size() == 0) return OkStatus();
  sent_bytes_ += BytesOf(records);
  std::lock_guard lock(mutex_);
  last_.push_back({std::string(topic), partition, std::move(records)});
  records = RecordBatchBuilder();
  return OkStatus();
}

Status KafkaCommitUnit::Commit() {
  std::lock_guard lock(mutex_);
  // A lost output must not be followed by its position at a second try.
  if (failed_.ok()) failed_ = CommitOnce();
  if (failed_.ok()) sent_bytes_ = 0;
  return failed_;
}

Status KafkaCommitUnit::CommitOnce() {
  WEIR_RETURN_IF_ERROR(delivery_->Wait());
  for (LastRecords& each : last_) {
    WEIR_RETURN_IF_ERROR(producer_->Send(each.topic, each.partition, each.records, *delivery_));
  }
  if (!last_.empty()) WEIR_RETURN_IF_ERROR(delivery_->Wait());
  last_.clear();
  // Groups stand apart: though one has moved on meanwhile, the others take their positions, else
  // the outputs behind these would come again for nothing.
  Status refused;
  WEIR_RETURN_IF_ERROR(
      contents_.ForEachGroup([&](KafkaGroup& group, const std::vector<GroupOffset>& offsets) {
        Status committed = group.CommitOffsets(offsets);
        if (refused.ok()) refused = std::move(committed);
        return OkStatus();
      }));
  WEIR_RETURN_IF_ERROR(std::move(refused));
  return contents_.WriteState(*delivery_);
}

KafkaTransactionUnit::~KafkaTransactionUnit() {
  if (transactor_ != nullptr) {
    static_cast<void>(Abandon(Status(ErrorCode::kCancelled, "the unit was let go")));
  }
}

Result<std::shared_ptr<KafkaTransactor>> KafkaTransactionUnit::Begin() {
  std::lock_guard lock(mutex_);
  if (!failed_.ok()) return failed_;
  if (transactor_ != nullptr) return transactor_;
  auto taken = transactions_->Take(query_id_);
  if (!taken.ok()) return failed_ = taken.status();
  const Status begun = (*taken)->Begin();
  if (!begun.ok()) {
    transactions_->GiveBack(query_id_, false);
    return failed_ = begun;
  }
  transactor_ = *taken;
  return transactor_;
}

Status KafkaTransactionUnit::Abandon(Status cause) {
  std::lock_guard lock(mutex_);
  if (!failed_.ok()) return failed_;
  if (transactor_ != nullptr) {
    transactor_->Abort();
    const bool dead = transactor_->is_dead();
    if (dead) transactor_->Close();  // Gives up what is under way.
    // Its records are all reported now. The first report tells more than what came of it.
    const Status report = delivery_->Wait();
    if (!report.ok() && IsLasting(report.code())) cause = report;
    if (dead && cause.code() == ErrorCode::kTransactionAborted) {
      cause = Status(ErrorCode::kFenced, cause.message());
    }
    transactions_->GiveBack(query_id_, false);
    transactor_.reset();
  }
  return failed_ = std::move(cause);
}

Status KafkaTransactionUnit::Append(std::string_view topic, int32_t partition,
                                    RecordBatchBuilder& records) {
  if (records.size() == 0) return OkStatus();
  const size_t bytes = BytesOf(records);
  WEIR_ASSIGN_OR_RETURN(const auto transactor, Begin());
  Status sent = transactor->producer().Send(topic, partition, records, *delivery_);
  if (sent.ok()) {
    sent_bytes_ += bytes;
    return OkStatus();
  }
  if (IsLasting(sent.code())) return Abandon(std::move(sent));
  // The transaction has failed before, and takes no more.
  return Abandon(Status(ErrorCode::kTransactionAborted, sent.message()));
}

Status KafkaTransactionUnit::Commit() {
  if (contents_.has_offsets()) WEIR_RETURN_IF_ERROR(Begin().status());
  bool is_open = false;
  {
    std::lock_guard lock(mutex_);
    if (!failed_.ok()) return failed_;
    is_open = transactor_ != nullptr;
  }
  if (is_open) WEIR_RETURN_IF_ERROR(CommitTransaction());
  Status written = contents_.WriteState(*delivery_);
  std::lock_guard lock(mutex_);
  failed_ = written;  // The outputs stand; the state behind them is to be restored.
  sent_bytes_ = 0;
  return written;
}

Status KafkaTransactionUnit::CommitTransaction() {
  Status status = delivery_->Wait();
  if (!status.ok() && !IsLasting(status.code())) {
    status = Status(ErrorCode::kTransactionAborted, status.message());
  }
  if (status.ok()) {
    status =
        contents_.ForEachGroup([this](KafkaGroup& group, const std::vector<GroupOffset>& offsets) {
          return transactor_->AddOffsets(group, offsets);
        });
  }
  if (status.ok()) status = transactor_->Commit();
  if (!status.ok()) return Abandon(std::move(status));
  std::lock_guard lock(mutex_);
  transactions_->GiveBack(query_id_, true);
  transactor_.reset();
  return OkStatus();
}

}  // namespace weir
