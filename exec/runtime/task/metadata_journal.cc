// The journal of a task that keeps a few bytes only: they travel as the metadata of the offset that
// its group commits for the first of its inputs, so that no changelog topic is needed.

#include <absl/strings/escaping.h>

#include <fmt/format.h>

#include "base/status_macros.h"
#include "exec/runtime/task/task_journal.h"

namespace weir {
namespace {

// Kafka's brokers take 4,096 bytes by default (offset.metadata.max.bytes).
constexpr size_t kMetadataBytesMax = 4000;

class MetadataJournal final : public SharedJournal {
 public:
  using SharedJournal::SharedJournal;

  Status Restore(bool*, bool* done) override {
    PartitionGroup& group = *env_.groups[stage_.id];
    std::map<std::string, int64_t, std::less<>> committed;
    bool has_metadata = false;
    for (int source : stage_.sources) {
      const std::string& topic = env_.stages.sources[source].node->topic;
      if (committed.contains(topic)) continue;
      WEIR_ASSIGN_OR_RETURN(const auto offsets, group.Committed(topic, {partition_}));
      if (!offsets[0]) continue;
      committed[topic] = offsets[0]->next;
      if (offsets[0]->metadata.empty() || has_metadata) continue;
      WEIR_RETURN_IF_ERROR(TakeMetadata(offsets[0]->metadata));
      has_metadata = true;
    }
    if (!has_metadata) TakeOffsets(committed);
    WEIR_RETURN_IF_ERROR(FillState());
    checkpoint_.fingerprint = env_.fingerprint;
    checkpoint_.partitions = stage_.partitions;
    *done = true;
    return OkStatus();
  }

  void Put(std::string_view key, std::string_view value) override {
    TaskJournal::Put(key, value);
    checkpoint_.state.insert_or_assign(std::string(Relative(key)), std::string(value));
  }
  void Delete(std::string_view key) override {
    TaskJournal::Delete(key);
    const auto entry = checkpoint_.state.find(Relative(key));
    if (entry != checkpoint_.state.end()) checkpoint_.state.erase(entry);
  }
  void DeleteRange(std::string_view from, std::string_view to) override {
    TaskJournal::DeleteRange(from, to);
    checkpoint_.state.erase(checkpoint_.state.lower_bound(Relative(from)),
                            checkpoint_.state.lower_bound(Relative(to)));
  }

  Status Barrier() override {
    const auto next_by_topic = std::exchange(next_by_topic_, {});
    std::string metadata = absl::Base64Escape(EncodeCheckpoint(checkpoint_));
    if (metadata == last_metadata_) return OkStatus();
    if (metadata.size() > kMetadataBytesMax) {
      return Status(ErrorCode::kInternal,
                    fmt::format("the checkpoint of a task of query {} does not fit the metadata of "
                                "an offset, bytes: {}",
                                env_.id, metadata.size()));
    }
    bool first = true;
    for (const auto& [topic, next] : next_by_topic) {
      GroupOffset offset{topic, partition_, next, first ? metadata : std::string()};
      first = false;
      WEIR_RETURN_IF_ERROR(env_.commit->AddOffset(*env_.groups[stage_.id], std::move(offset)));
    }
    last_metadata_ = std::move(metadata);
    return OkStatus();
  }

 private:
  Status TakeMetadata(std::string_view metadata) {
    std::string bytes;
    if (!absl::Base64Unescape(absl::string_view(metadata.data(), metadata.size()), &bytes)) {
      return Status(ErrorCode::kStoreCorrupt,
                    fmt::format("the offsets of group {} were not committed by Weir",
                                env_.groups[stage_.id]->name()));
    }
    WEIR_ASSIGN_OR_RETURN(checkpoint_, DecodeCheckpoint(bytes));
    return CheckFingerprint(env_, checkpoint_);
  }

  // Somebody else has set the group's offsets; that is allowed where nothing else is kept.
  void TakeOffsets(const std::map<std::string, int64_t, std::less<>>& committed) {
    for (int source : stage_.sources) {
      const SourcePlan& plan = env_.stages.sources[source];
      auto it = committed.find(plan.node->topic);
      if (it != committed.end()) checkpoint_.inputs[plan.input_name].next = it->second;
    }
  }

  Status FillState() {
    WEIR_ASSIGN_OR_RETURN(const std::unique_ptr<CommitUnit> unit, env_.broker->NewStateUnit());
    DeleteAll(*unit);
    for (const auto& [key, value] : checkpoint_.state) unit->Put(prefix_ + key, value);
    return unit->Commit();
  }

  std::string last_metadata_;
};

}  // namespace

std::unique_ptr<TaskJournal> MakeMetadataJournal(QueryEnvironment& environment,
                                                 const StagePlan& stage, int32_t partition) {
  return std::make_unique<MetadataJournal>(environment, stage, partition);
}

}  // namespace weir
