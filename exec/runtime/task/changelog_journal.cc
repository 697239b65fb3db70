// The journal of a task with state: one partition of its sub-topology's changelog topic, compacted,
// holds all its stores. A commit is its changes, then a marker with the positions they belong to;
// only what a marker closes counts. So state is never half a commit, even where the guarantee is at
// least once. Exactly once, transactions do the same; the marker then only carries the positions.
//
// At least once, a copy that was taken for dead may still write. Each owner begins with a claim,
// its records say whose they are, and those of earlier owners behind it do not count.

#include <algorithm>
#include <chrono>
#include <cstring>
#include <random>
#include <set>

#include <fmt/format.h>

#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/connect/header_codec.h"
#include "exec/runtime/internal_topics.h"
#include "exec/runtime/task/restored_changes.h"
#include "exec/runtime/task/task_context.h"
#include "exec/runtime/task/task_journal.h"

namespace weir {
namespace {

// Keys that no store has, as those begin with a query's id.
const std::string kMarkerKey("\0m", 2);
const std::string kClaimKey("\0c", 2);
constexpr std::string_view kOwnerHeader = "w";

constexpr int kFetchesPerCall = 16;
// The tasks that the copy owns come first.
constexpr int kFetchesPerFollow = 2;
constexpr auto kFollowWriteEvery = std::chrono::seconds(1);
// More than a commit can hold: what is older than that behind the last marker belongs to commits
// whose markers compaction has removed.
constexpr size_t kPendingBytesMax = 64u << 20;

// Restored changes are written to the store when they are about so many bytes, one partition's:
// more make fewer files, but while they are written nothing is fetched.
size_t WriteBytes(int64_t memory_limit) {
  constexpr int64_t kMiB = int64_t{1} << 20;
  if (memory_limit <= 0) return static_cast<size_t>(16 * kMiB);
  return static_cast<size_t>(std::clamp(memory_limit / 64, kMiB, 16 * kMiB));
}

uint64_t RandomId() {
  std::random_device device;
  return static_cast<uint64_t>(device()) << 32 | device();
}

std::string LittleEndian(int64_t value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof(value));
}

class ChangelogJournal final : public SharedJournal {
 public:
  ChangelogJournal(QueryEnvironment& environment, const StagePlan& stage, int32_t partition)
      : SharedJournal(environment, stage, partition),
        topic_(ChangelogTopic(environment, stage.id)),
        write_bytes_(WriteBytes(environment.settings.memory_limit)),
        changes_(prefix_) {
    local_offset_key_ = environment.state_prefix + "o/" + prefix_.substr(prefix_.size() - 8);
    local_checkpoint_key_ = environment.state_prefix + "c/" + prefix_.substr(prefix_.size() - 8);
  }

  Status Restore(bool* worked, bool* done) override;
  Status Follow(bool* worked) override;
  int64_t behind() const override {
    if (reader_ == nullptr) return -1;
    return std::max<int64_t>(0, reader_->end_offset() - reader_->position());
  }
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
  enum class Phase { kStart, kFollowing, kReading, kClaimed, kDone };

  Status Start();
  Status OpenReader(int64_t offset);
  Status StartOver();
  Status TakeRecords(const RecordBatch& records);
  void DropOpen();
  bool Counts(std::string_view encoded_headers);
  bool CountsAnew(std::string_view encoded_headers);
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
  const size_t write_bytes_;
  std::string local_offset_key_, local_checkpoint_key_;
  Phase phase_ = Phase::kStart;
  std::chrono::steady_clock::time_point written_at_{};  // While following.
  std::unique_ptr<PartitionReader> reader_;
  RecordBatch batch_;
  std::vector<HeaderView> headers_;
  int64_t start_ = 0, target_ = 0, restored_ = 0;
  int64_t marker_end_ = -1;  // Offset behind the last marker.
  std::string marker_;       // Its bytes.
  ChangelogOwner seen_;      // The highest in the log.
  ChangelogOwner mine_;
  RestoredChanges changes_;        // Not yet written, those behind the last marker among them.
  std::string last_headers_;       // Of the record before, where they say whose it is,
  bool last_counts_ = true;        // and whether that counts.
  std::set<std::string> garbage_;  // Keys that the log says something of which does not count.
  std::string owner_header_;       // Encoded.
  RecordBatchBuilder records_;     // Of the commit under way.
  std::string last_checkpoint_;
  Status error_;  // Of a change that could not be made; the commit fails.
};

Status ChangelogJournal::Restore(bool* worked, bool* done) {
  if (phase_ == Phase::kStart) WEIR_RETURN_IF_ERROR(Start());
  if (phase_ == Phase::kFollowing) {
    // Only what has come since is left.
    WEIR_ASSIGN_OR_RETURN(target_, env_.broker->WriteEnd(topic_, partition_));
    start_ = reader_->position();
    restored_ = 0;
    phase_ = Phase::kReading;
  }
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

Status ChangelogJournal::Follow(bool* worked) {
  if (phase_ == Phase::kStart) {
    WEIR_RETURN_IF_ERROR(Start());
    phase_ = Phase::kFollowing;
  }
  for (int fetch = 0; fetch < kFetchesPerFollow; ++fetch) {
    Status fetched = reader_->Fetch(limits::kBatchRowsMax, limits::kBatchBytesMax, batch_);
    if (fetched.code() == ErrorCode::kOffsetOutOfRange) {
      WEIR_RETURN_IF_ERROR(StartOver());
      phase_ = Phase::kFollowing;
      return OkStatus();
    }
    WEIR_RETURN_IF_ERROR(fetched);
    if (batch_.size() == 0) break;
    *worked = true;
    WEIR_RETURN_IF_ERROR(TakeRecords(batch_));
  }
  const auto now = std::chrono::steady_clock::now();
  if (!changes_.has_closed() || now - written_at_ < kFollowWriteEvery) return OkStatus();
  written_at_ = now;
  return WriteRestored();
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
  last_headers_.clear();
  changes_.Clear();
  garbage_.clear();
  return OpenReader(-1);
}

void ChangelogJournal::DropOpen() {
  changes_.DropOpen([this](std::string_view key) { garbage_.emplace(key); });
}

// Whether a record was written by who owned the task then.
bool ChangelogJournal::Counts(std::string_view encoded_headers) {
  // Long runs of records are one owner's.
  if (!encoded_headers.empty() && encoded_headers == last_headers_) return last_counts_;
  last_headers_ = encoded_headers;
  last_counts_ = CountsAnew(encoded_headers);
  return last_counts_;
}

bool ChangelogJournal::CountsAnew(std::string_view encoded_headers) {
  headers_.clear();
  if (encoded_headers.empty() || !DecodeHeaders(encoded_headers, headers_)) return true;
  for (const HeaderView& header : headers_) {
    ChangelogOwner owner;
    if (header.name != kOwnerHeader || !header.value) continue;
    if (!DecodeOwner(*header.value, owner)) continue;
    if (owner == seen_) return true;
    if (owner.IsBefore(seen_)) return false;
    // What the last owner had not closed does not count either.
    DropOpen();
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
      changes_.Close();
    } else if (!counts) {
      garbage_.emplace(key);
    } else if (records.values[i].is_null()) {
      changes_.Add(key, std::nullopt);
    } else {
      changes_.Add(key, records.View(records.values[i]));
    }
  }
  if (changes_.open_bytes() > kPendingBytesMax) changes_.Close();
  return changes_.closed_bytes() > write_bytes_ ? WriteRestored() : OkStatus();
}

// With how far that is, in one step: a killed copy goes on from there.
Status ChangelogJournal::WriteRestored() {
  std::vector<StateEntry> sorted = changes_.SortClosed();
  const std::string offset = LittleEndian(marker_end_);
  if (marker_end_ >= 0) {
    sorted.push_back({local_checkpoint_key_, marker_});
    sorted.push_back({local_offset_key_, offset});
    std::inplace_merge(sorted.begin(), sorted.end() - 2, sorted.end(),
                       [](const StateEntry& a, const StateEntry& b) { return a.key < b.key; });
  }
  WEIR_RETURN_IF_ERROR(env_.broker->LoadState(sorted));
  changes_.ForgetClosed();
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
  DropOpen();
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
  Status scanned = env_.state->Scan(from, to, [&](std::string_view key, std::string_view) {
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
    WEIR_ASSIGN_OR_RETURN(const std::optional<std::string> value, env_.state->Get(prefix_ + key));
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
