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
    changes_.PutLast(each.key, {bytes, sizeof bytes});
  }
  WEIR_RETURN_IF_ERROR(changes_.Commit());
  written_.clear();
  offsets_.clear();
  return OkStatus();
}

Status KafkaCommitUnit::Append(std::string_view topic, int32_t partition,
                               RecordBatchBuilder& records) {
  if (records.size() == 0) return OkStatus();
  {
    std::lock_guard lock(mutex_);
    WEIR_RETURN_IF_ERROR(StillOurs());
  }
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

void KafkaCommitUnit::SetGroups(const std::vector<PartitionGroup*>& groups) {
  std::lock_guard lock(mutex_);
  groups_.clear();
  for (PartitionGroup* group : groups) {
    if (auto* kafka = dynamic_cast<KafkaGroup*>(group)) groups_.push_back(kafka);
  }
}

Status KafkaCommitUnit::StillOurs() {
  const auto stalled = producer_->stalls().Last();
  for (KafkaGroup* group : groups_) WEIR_RETURN_IF_ERROR(group->ConfirmSince(stalled));
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
  if (!last_.empty()) WEIR_RETURN_IF_ERROR(StillOurs());
  for (KafkaWaiting& each : last_) {
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
  std::lock_guard lock(mutex_);
  if (transactor_ != nullptr) {
    static_cast<void>(Abandon(Status(ErrorCode::kCancelled, "the unit was let go")));
  }
}

Status KafkaTransactionUnit::TryBegin() {
  if (!failed_.ok()) return failed_;
  if (transactor_ != nullptr) return OkStatus();
  auto taken = transactions_->Take(query_id_);
  if (!taken.ok()) return failed_ = taken.status();
  if (*taken == nullptr) return OkStatus();
  const Status begun = (*taken)->Begin();
  if (!begun.ok()) {
    transactions_->GiveBack(query_id_, false);
    return failed_ = begun;
  }
  transactor_ = *taken;
  for (KafkaWaiting& each : waiting_) {
    Status sent =
        transactor_->producer().Send(each.topic, each.partition, each.records, *delivery_);
    if (!sent.ok()) return NotSent(std::move(sent));
  }
  waiting_.clear();
  return OkStatus();
}

Status KafkaTransactionUnit::NotSent(Status cause) {
  if (IsLasting(cause.code())) return Abandon(std::move(cause));
  // The transaction has failed before, and takes no more.
  return Abandon(Status(ErrorCode::kTransactionAborted, cause.message()));
}

Status KafkaTransactionUnit::Abandon(Status cause) {
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
  std::shared_ptr<KafkaTransactor> transactor;
  {
    std::lock_guard lock(mutex_);
    WEIR_RETURN_IF_ERROR(TryBegin());
    sent_bytes_ += bytes;
    if (transactor_ == nullptr) {
      waiting_.push_back({std::string(topic), partition, std::move(records)});
      records = RecordBatchBuilder();
      return OkStatus();
    }
    transactor = transactor_;
  }
  Status sent = transactor->producer().Send(topic, partition, records, *delivery_);
  if (sent.ok()) return OkStatus();
  std::lock_guard lock(mutex_);
  return NotSent(std::move(sent));
}

Status KafkaTransactionUnit::Commit() {
  std::lock_guard lock(mutex_);
  if (!failed_.ok()) return failed_;
  if (contents_.has_offsets() || !waiting_.empty()) {
    WEIR_RETURN_IF_ERROR(TryBegin());
    if (transactor_ == nullptr) {
      return failed_ = Status(ErrorCode::kInternal,
                              "two units are committed for one query at once: " + query_id_);
    }
  }
  if (transactor_ != nullptr) WEIR_RETURN_IF_ERROR(CommitTransaction());
  failed_ = contents_.WriteState(*delivery_);  // The outputs stand; the state is to be restored.
  sent_bytes_ = 0;
  return failed_;
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
  transactions_->GiveBack(query_id_, true);
  transactor_.reset();
  return OkStatus();
}

}  // namespace weir
