// The journal of a task with state: one partition of its sub-topology's changelog topic, compacted,
// holds all its stores. A commit is its changes, then a marker with the positions they belong to;
// only what a marker closes counts. So state is never half a commit, even where the guarantee is at
// least once. Exactly once, transactions do the same; the marker then only carries the positions.
//
// At least once, a copy that was taken for dead may still write. Each owner begins with a claim,
// its records say whose they are, and those of earlier owners behind it do not count.

#include <algorithm>
#include <cstring>
#include <random>
#include <set>

#include <absl/container/flat_hash_map.h>
#include <fmt/format.h>

#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/connect/header_codec.h"
#include "exec/runtime/internal_topics.h"
#include "exec/runtime/task/task_context.h"
#include "exec/runtime/task/task_journal.h"

namespace weir {
namespace {

// Keys that no store has, as those begin with a query's id.
const std::string kMarkerKey("\0m", 2);
const std::string kClaimKey("\0c", 2);
constexpr std::string_view kOwnerHeader = "w";

constexpr int kFetchesPerCall = 16;
// Restored changes are written to the store in batches of about so many bytes.
constexpr size_t kWriteBytes = 32u << 20;
// More than a commit can hold: what is older than that behind the last marker belongs to commits
// whose markers compaction has removed.
constexpr size_t kPendingBytesMax = 64u << 20;

uint64_t RandomId() {
  std::random_device device;
  return static_cast<uint64_t>(device()) << 32 | device();
}

std::string LittleEndian(int64_t value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof(value));
}

// Changes by key, the last one each.
struct Changes {
  absl::flat_hash_map<std::string, std::optional<std::string>> by_key;
  size_t bytes = 0;

  void Set(std::string_view key, std::optional<std::string_view> value) {
    bytes += key.size() + (value ? value->size() : 0) + 64;
    auto& slot = by_key[std::string(key)];
    if (value) {
      slot = std::string(*value);
    } else {
      slot.reset();
    }
  }
  void MoveTo(Changes& out) {
    if (out.by_key.empty()) {
      std::swap(*this, out);
      return;
    }
    for (auto& [key, value] : by_key) out.by_key.insert_or_assign(key, std::move(value));
    out.bytes += bytes;
    Clear();
  }
  void Clear() {
    by_key.clear();
    bytes = 0;
  }
};

class ChangelogJournal final : public SharedJournal {
 public:
  ChangelogJournal(QueryEnvironment& environment, const StagePlan& stage, int32_t partition)
      : SharedJournal(environment, stage, partition),
        topic_(ChangelogTopic(environment, stage.id)) {
    local_offset_key_ = environment.state_prefix + "o/" + prefix_.substr(prefix_.size() - 8);
    local_checkpoint_key_ = environment.state_prefix + "c/" + prefix_.substr(prefix_.size() - 8);
  }

  Status Restore(bool* worked, bool* done) override;
  Progress progress() const override {
    return {restored_, std::max<int64_t>(restored_, target_ - start_)};
  }

  void Put(std::string_view key, std::string_view value) override {
    TaskJournal::Put(key, value);
    AddRecord(Relative(key), value);
  }
  void Delete(std::string_view key) override {
    TaskJournal::Delete(key);
    AddRecord(Relative(key), std::nullopt);
  }
  void DeleteRange(std::string_view from, std::string_view to) override;
  Status Barrier() override;

 private:
  enum class Phase { kStart, kReading, kClaimed, kDone };

  Status Start();
  Status OpenReader(int64_t offset);
  Status StartOver();
  Status TakeRecords(const RecordBatch& records);
  bool Counts(std::string_view encoded_headers);
  Status WriteRestored();
  Status Claim();
  Status Superseded() const;
  Result<bool> GroupKnowsPositions(std::string* what) const;
  Status Finish();
  Status CheckNotLost();
  Status MendGarbage();
  void AddRecord(std::string_view key, std::optional<std::string_view> value);
  bool claims() const { return env_.settings.guarantee == Guarantee::kAtLeastOnce; }

  const std::string topic_;
  std::string local_offset_key_, local_checkpoint_key_;
  Phase phase_ = Phase::kStart;
  std::unique_ptr<PartitionReader> reader_;
  RecordBatch batch_;
  std::vector<HeaderView> headers_;
  int64_t start_ = 0, target_ = 0, restored_ = 0;
  int64_t marker_end_ = -1;  // Offset behind the last marker.
  std::string marker_;       // Its bytes.
  ChangelogOwner seen_;      // The highest in the log.
  ChangelogOwner mine_;
  Changes pending_;                // Behind the last marker.
  Changes restored_changes_;       // Closed by a marker, not yet written.
  std::set<std::string> garbage_;  // Keys that the log says something of which does not count.
  std::string owner_header_;       // Encoded.
  RecordBatchBuilder records_;     // Of the commit under way.
  std::string last_checkpoint_;
  Status error_;  // Of a change that could not be made; the commit fails.
};

Status ChangelogJournal::Restore(bool* worked, bool* done) {
  if (phase_ == Phase::kStart) WEIR_RETURN_IF_ERROR(Start());
  for (int fetch = 0; fetch < kFetchesPerCall && reader_->position() < target_; ++fetch) {
    Status fetched = reader_->Fetch(limits::kBatchRowsMax, limits::kBatchBytesMax, batch_);
    if (fetched.code() == ErrorCode::kOffsetOutOfRange) return StartOver();
    WEIR_RETURN_IF_ERROR(fetched);
    if (batch_.size() == 0) break;
    *worked = true;
    WEIR_RETURN_IF_ERROR(TakeRecords(batch_));
  }
  if (reader_->position() < target_) return OkStatus();
  *worked = true;
  if (claims() && phase_ == Phase::kReading) return Claim();
  if (claims() && seen_ != mine_) return Superseded();
  WEIR_RETURN_IF_ERROR(Finish());
  *done = true;
  return OkStatus();
}

Status ChangelogJournal::Start() {
  StateBackend& state = env_.broker->state();
  WEIR_ASSIGN_OR_RETURN(const std::optional<std::string> offset, state.Get(local_offset_key_));
  WEIR_ASSIGN_OR_RETURN(std::optional<std::string> checkpoint, state.Get(local_checkpoint_key_));
  if (!offset || !checkpoint || offset->size() != sizeof(int64_t)) return StartOver();
  std::memcpy(&marker_end_, offset->data(), sizeof(marker_end_));
  WEIR_ASSIGN_OR_RETURN(const Checkpoint local, DecodeCheckpoint(*checkpoint));
  seen_ = local.owner;
  marker_ = std::move(*checkpoint);
  Status opened = OpenReader(marker_end_);
  // The topic was made anew, or compaction has gone past what is here.
  if (opened.code() == ErrorCode::kOffsetOutOfRange) return StartOver();
  return opened;
}

Status ChangelogJournal::OpenReader(int64_t offset) {
  reader_.reset();
  StartPosition from;
  if (offset >= 0) from = {StartPosition::Kind::kOffset, offset};
  WEIR_ASSIGN_OR_RETURN(reader_, env_.internal_session->Open(topic_, partition_, from));
  WEIR_ASSIGN_OR_RETURN(target_, env_.broker->WriteEnd(topic_, partition_));
  start_ = reader_->position();
  restored_ = 0;
  phase_ = Phase::kReading;
  return OkStatus();
}

// Forgets the local copy and reads the changelog from its beginning.
Status ChangelogJournal::StartOver() {
  WEIR_ASSIGN_OR_RETURN(const std::unique_ptr<CommitUnit> unit, env_.broker->NewStateUnit());
  DeleteAll(*unit);
  unit->Delete(local_offset_key_);
  unit->Delete(local_checkpoint_key_);
  WEIR_RETURN_IF_ERROR(unit->Commit());
  marker_end_ = -1;
  marker_.clear();
  seen_ = mine_ = ChangelogOwner();
  pending_.Clear();
  restored_changes_.Clear();
  garbage_.clear();
  return OpenReader(-1);
}

// Whether a record was written by who owned the task then.
bool ChangelogJournal::Counts(std::string_view encoded_headers) {
  headers_.clear();
  if (encoded_headers.empty() || !DecodeHeaders(encoded_headers, headers_)) return true;
  for (const HeaderView& header : headers_) {
    ChangelogOwner owner;
    if (header.name != kOwnerHeader || !header.value) continue;
    if (!DecodeOwner(*header.value, owner)) continue;
    if (owner == seen_) return true;
    if (owner.IsBefore(seen_)) return false;
    // What the last owner had not closed does not count either.
    for (const auto& [key, value] : pending_.by_key) garbage_.insert(key);
    pending_.Clear();
    seen_ = owner;
  }
  return true;
}

Status ChangelogJournal::TakeRecords(const RecordBatch& records) {
  restored_ += records.size();
  for (int32_t i = 0; i < records.size(); ++i) {
    const std::string_view key = records.View(records.keys[i]);
    const bool counts = records.headers.empty() || Counts(records.View(records.headers[i]));
    if (key == kClaimKey) continue;
    if (key == kMarkerKey) {
      if (!counts || records.values[i].is_null()) continue;
      marker_ = records.View(records.values[i]);
      marker_end_ = records.offsets[i] + 1;
      pending_.MoveTo(restored_changes_);
    } else if (!counts) {
      garbage_.emplace(key);
    } else if (records.values[i].is_null()) {
      pending_.Set(key, std::nullopt);
    } else {
      pending_.Set(key, records.View(records.values[i]));
    }
  }
  if (pending_.bytes > kPendingBytesMax) pending_.MoveTo(restored_changes_);
  return restored_changes_.bytes > kWriteBytes ? WriteRestored() : OkStatus();
}

Status ChangelogJournal::WriteRestored() {
  WEIR_ASSIGN_OR_RETURN(const std::unique_ptr<CommitUnit> unit, env_.broker->NewStateUnit());
  // In order of keys, which the store takes fastest.
  std::vector<std::pair<std::string_view, const std::optional<std::string>*>> sorted;
  sorted.reserve(restored_changes_.by_key.size());
  for (const auto& [key, value] : restored_changes_.by_key) sorted.emplace_back(key, &value);
  std::sort(sorted.begin(), sorted.end());
  std::string full = prefix_;
  for (const auto& [key, value] : sorted) {
    full.resize(prefix_.size());
    full.append(key);
    if (*value) {
      unit->Put(full, **value);
    } else {
      unit->Delete(full);
    }
  }
  if (marker_end_ >= 0) {
    unit->Put(local_offset_key_, LittleEndian(marker_end_));
    unit->Put(local_checkpoint_key_, marker_);
  }
  WEIR_RETURN_IF_ERROR(unit->Commit());
  restored_changes_.Clear();
  return OkStatus();
}

Status ChangelogJournal::Superseded() const {
  return Status(ErrorCode::kTaskMigrated,
                fmt::format("another copy has taken over partition {} of group {}", partition_,
                            env_.groups[stage_.id]->name()));
}

Status ChangelogJournal::Claim() {
  mine_ = {seen_.era, env_.GenerationOf(stage_.id, partition_), RandomId()};
  if (mine_.IsBefore(seen_)) {
    // Either the group has gone on without this copy, or it expired and counts from the beginning.
    WEIR_ASSIGN_OR_RETURN(const bool known, GroupKnowsPositions(nullptr));
    if (known || mine_.generation < 0) return Superseded();
    ++mine_.era;
  }
  BufferBuilder header;
  AppendHeader(kOwnerHeader, EncodeOwner(mine_), header);
  owner_header_.assign(reinterpret_cast<const char*>(header.data()), header.size());
  RecordBatchBuilder claim;
  const std::string_view key = kClaimKey, value = "claim";
  claim.AddCopy(&key, &value, owner_header_, env_.clock->NowMs());
  WEIR_RETURN_IF_ERROR(env_.broker->AppendDurably(topic_, partition_, claim));
  WEIR_ASSIGN_OR_RETURN(target_, env_.broker->WriteEnd(topic_, partition_));
  phase_ = Phase::kClaimed;
  return OkStatus();
}

Status ChangelogJournal::Finish() {
  for (const auto& [key, value] : pending_.by_key) garbage_.insert(key);
  pending_.Clear();
  WEIR_RETURN_IF_ERROR(WriteRestored());
  if (marker_.empty()) {
    WEIR_RETURN_IF_ERROR(CheckNotLost());
  } else {
    WEIR_ASSIGN_OR_RETURN(checkpoint_, DecodeCheckpoint(marker_));
    WEIR_RETURN_IF_ERROR(CheckFingerprint(env_, checkpoint_));
    if (checkpoint_.partitions != stage_.partitions) {
      return Status(ErrorCode::kPartitionsChanged,
                    fmt::format("query {} has state for {} partitions and its sources now have {}",
                                env_.id, checkpoint_.partitions, stage_.partitions))
          .WithHint(
              "stop all copies and run `weir reset --query` for it, which starts it from the "
              "beginning of its sources");
    }
  }
  checkpoint_.fingerprint = env_.fingerprint;
  checkpoint_.partitions = stage_.partitions;
  checkpoint_.owner = claims() ? mine_ : seen_;
  reader_.reset();
  phase_ = Phase::kDone;
  return OkStatus();
}

// The positions of a task are committed behind its state, so they cannot be known without it.
Status ChangelogJournal::CheckNotLost() {
  std::string what;
  WEIR_ASSIGN_OR_RETURN(const bool known, GroupKnowsPositions(&what));
  if (!known) return OkStatus();
  return Status(ErrorCode::kStateLost,
                fmt::format("{}, but the changelog topic {} holds no state of that", what, topic_))
      .WithHint(
          "was the changelog topic deleted? Run `weir reset --query` for the query, which "
          "starts it from the beginning of its sources");
}

Result<bool> ChangelogJournal::GroupKnowsPositions(std::string* what) const {
  std::vector<std::string> topics;
  for (int source : stage_.sources) topics.push_back(env_.stages.sources[source].node->topic);
  for (int exchange : stage_.exchange_inputs) topics.push_back(RepartitionTopic(env_, exchange));
  PartitionGroup& group = *env_.groups[stage_.id];
  for (const std::string& topic : topics) {
    WEIR_ASSIGN_OR_RETURN(const auto offsets, group.Committed(topic, {partition_}));
    if (!offsets[0]) continue;
    if (what != nullptr) {
      *what = fmt::format("group {} has read topic {} up to offset {}", group.name(), topic,
                          offsets[0]->next);
    }
    return true;
  }
  return false;
}

void ChangelogJournal::AddRecord(std::string_view key, std::optional<std::string_view> value) {
  records_.AddCopy(&key, value ? &*value : nullptr, owner_header_, env_.clock->NowMs());
}

// Kafka has no range deletes: each key gets a tombstone, those of this commit included.
void ChangelogJournal::DeleteRange(std::string_view from, std::string_view to) {
  std::set<std::string> doomed;
  Status scanned = env_.broker->state().Scan(from, to, [&](std::string_view key, std::string_view) {
    doomed.emplace(Relative(key));
    return true;
  });
  if (!scanned.ok()) error_ = std::move(scanned);
  const std::string_view first = Relative(from);
  const std::string_view last = Relative(to);
  for (const Slice key : records_.keys()) {
    const std::string_view bytes = records_.View(key);
    if (bytes >= first && bytes < last) doomed.emplace(bytes);
  }
  for (const std::string& key : doomed) AddRecord(key, std::nullopt);
  TaskJournal::DeleteRange(from, to);
}

// Says again what is true of keys about which the log says something else.
Status ChangelogJournal::MendGarbage() {
  if (garbage_.empty()) return OkStatus();
  for (const Slice key : records_.keys()) garbage_.erase(std::string(records_.View(key)));
  for (const std::string& key : garbage_) {
    WEIR_ASSIGN_OR_RETURN(const std::optional<std::string> value,
                          env_.broker->state().Get(prefix_ + key));
    AddRecord(key, value ? std::optional<std::string_view>(*value) : std::nullopt);
  }
  garbage_.clear();
  return OkStatus();
}

Status ChangelogJournal::Barrier() {
  const auto next_by_topic = std::exchange(next_by_topic_, {});
  if (!error_.ok()) return error_;
  WEIR_RETURN_IF_ERROR(MendGarbage());
  std::string bytes = EncodeCheckpoint(checkpoint_);
  if (records_.size() == 0 && bytes == last_checkpoint_) return OkStatus();
  if (records_.size() > 0) {
    WEIR_RETURN_IF_ERROR(env_.commit->Append(topic_, partition_, records_));
  }
  RecordBatchBuilder marker;
  const std::string_view key = kMarkerKey, value = bytes;
  marker.AddCopy(&key, &value, owner_header_, env_.clock->NowMs());
  WEIR_RETURN_IF_ERROR(env_.commit->AppendLast(topic_, partition_, marker));
  WEIR_RETURN_IF_ERROR(env_.commit->PutWrittenOffset(local_offset_key_, topic_, partition_));
  env_.commit->Put(local_checkpoint_key_, bytes);
  for (const auto& [topic, next] : next_by_topic) {
    WEIR_RETURN_IF_ERROR(
        env_.commit->AddOffset(*env_.groups[stage_.id], {topic, partition_, next, {}}));
  }
  last_checkpoint_ = std::move(bytes);
  return OkStatus();
}

}  // namespace

std::unique_ptr<TaskJournal> MakeChangelogJournal(QueryEnvironment& environment,
                                                  const StagePlan& stage, int32_t partition) {
  return std::make_unique<ChangelogJournal>(environment, stage, partition);
}

}  // namespace weir
