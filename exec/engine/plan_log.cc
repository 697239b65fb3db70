#include "exec/engine/plan_log.h"

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>

#include <fmt/format.h>

#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/engine/catalog_store.h"
#include "exec/runtime/internal_topics.h"

namespace weir {
namespace {

constexpr char kPlanLogVersion = 1;
constexpr size_t kPlanLogHead = 1 + sizeof(int64_t) + sizeof(uint64_t);
constexpr auto kPlanLogPatience = std::chrono::seconds(30);

// A version, the record whose place it takes, the fingerprint, and the plans.
std::string EncodeProposal(int64_t base, uint64_t fingerprint, const KeptPlans& plans) {
  std::string out(1, kPlanLogVersion);
  out.append(reinterpret_cast<const char*>(&base), sizeof(base));
  out.append(reinterpret_cast<const char*>(&fingerprint), sizeof(fingerprint));
  return out + EncodePlans(plans);
}

}  // namespace

PlanLog::PlanLog(Broker& broker, std::string_view unit)
    : broker_(broker), topic_(PlanTopic(broker.application_id(), unit)) {}

Status PlanLog::Open() {
  TopicInfo info;
  info.name = topic_;
  info.partitions = 1;
  info.internal = true;
  const Status made = broker_.CreateTopic(info);
  if (made.ok()) return made;  // Nothing can be in it yet that must be known: Propose looks.
  if (made.code() != ErrorCode::kAlreadyExists) return made;
  return Read();
}

Status PlanLog::Propose(uint64_t fingerprint, const KeptPlans& plans) {
  const int64_t base = in_force_ ? in_force_->offset : -1;
  RecordBatchBuilder record;
  const std::string bytes = EncodeProposal(base, fingerprint, plans);
  const std::string_view value = bytes;
  record.AddCopy(nullptr, &value, {}, 0);
  WEIR_RETURN_IF_ERROR(broker_.AppendDurably(topic_, 0, record));
  WEIR_ASSIGN_OR_RETURN(const int64_t end, broker_.WriteEnd(topic_, 0));
  if (end != end_ + 1) return Read();
  in_force_ = PlansInForce{end_, fingerprint, plans};  // Nobody else has written.
  end_ = end;
  return OkStatus();
}

Result<bool> PlanLog::IsStillInForce() {
  const int64_t before = in_force_ ? in_force_->offset : -1;
  WEIR_RETURN_IF_ERROR(Read());
  return (in_force_ ? in_force_->offset : -1) == before;
}

Status PlanLog::Read() {
  std::mutex mutex;
  std::condition_variable arrived;
  bool news = false;
  WEIR_ASSIGN_OR_RETURN(const std::unique_ptr<ReadSession> session,
                        broker_.OpenReadSession("plans"));
  session->SetListener([&] {
    std::lock_guard lock(mutex);
    news = true;
    arrived.notify_one();
  });
  WEIR_ASSIGN_OR_RETURN(const std::unique_ptr<PartitionReader> reader,
                        session->Open(topic_, 0, {StartPosition::Kind::kOffset, end_}));
  WEIR_ASSIGN_OR_RETURN(const int64_t end, broker_.WriteEnd(topic_, 0));
  const auto deadline = std::chrono::steady_clock::now() + kPlanLogPatience;
  RecordBatch batch;
  Status status;
  while (status.ok() && reader->position() < end) {
    status = reader->Fetch(limits::kBatchRowsMax, limits::kBatchBytesMax, batch);
    for (int32_t i = 0; status.ok() && i < batch.size(); ++i) {
      status = Take(batch.View(batch.values[i]), batch.offsets[i]);
    }
    if (!status.ok() || batch.size() > 0) continue;
    if (std::chrono::steady_clock::now() > deadline) {
      status = Status(ErrorCode::kKafkaUnavailable,
                      fmt::format("topic {} could not be read within 30 seconds", topic_));
    }
    std::unique_lock lock(mutex);
    arrived.wait_for(lock, std::chrono::milliseconds(20), [&] { return news; });
    news = false;
  }
  session->SetListener({});
  WEIR_RETURN_IF_ERROR(std::move(status));
  end_ = reader->position();
  return OkStatus();
}

Status PlanLog::Take(std::string_view record, int64_t offset) {
  if (!record.empty() && record[0] > kPlanLogVersion) {
    return Status(ErrorCode::kStoreVersion,
                  fmt::format("topic {} was written by a newer Weir", topic_));
  }
  PlansInForce plans;
  plans.offset = offset;
  int64_t base = 0;
  if (record.size() >= kPlanLogHead) {
    std::memcpy(&base, record.data() + 1, sizeof(base));
    std::memcpy(&plans.fingerprint, record.data() + 1 + sizeof(base), sizeof(uint64_t));
  }
  if (record.size() < kPlanLogHead || !DecodePlans(record.substr(kPlanLogHead), plans.plans)) {
    return Status(ErrorCode::kStoreCorrupt,
                  fmt::format("topic {}, offset {}, was not written by Weir", topic_, offset));
  }
  if (base == (in_force_ ? in_force_->offset : -1)) in_force_ = std::move(plans);
  return OkStatus();
}

}  // namespace weir
