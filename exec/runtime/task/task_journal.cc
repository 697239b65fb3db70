#include "exec/runtime/task/task_journal.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "base/status_macros.h"
#include "exec/runtime/internal_topics.h"
#include "exec/runtime/task/task_context.h"

namespace weir {
namespace {

std::string EncodeOffset(int64_t offset) {
  return std::string(reinterpret_cast<const char*>(&offset), sizeof(offset));
}

int64_t DecodeOffset(std::string_view bytes) {
  int64_t offset = 0;
  std::memcpy(&offset, bytes.data(), sizeof(offset));
  return offset;
}

// State and positions of a query whose tasks all run here.
class LocalJournal final : public TaskJournal {
 public:
  using TaskJournal::TaskJournal;

  Status Restore(bool*, bool* done) override {
    for (int source : stage_.sources) {
      const std::string& name = env_.stages.sources[source].input_name;
      InputPosition position;
      WEIR_ASSIGN_OR_RETURN(const std::optional<std::string> bytes,
                            env_.broker->state().Get(PositionKey(name)));
      WEIR_ASSIGN_OR_RETURN(const std::optional<std::string> end,
                            env_.broker->state().Get(TableEndKey(name)));
      if (bytes) {
        if (bytes->size() != sizeof(int64_t) && bytes->size() != 2 * sizeof(int64_t)) {
          return Status(
              ErrorCode::kStoreCorrupt,
              fmt::format("a committed position of query {} has {} bytes", env_.id, bytes->size()));
        }
        position.next = DecodeOffset(*bytes);
        if (bytes->size() > sizeof(int64_t)) {
          position.decoded = DecodeOffset(std::string_view(*bytes).substr(sizeof(int64_t)));
        }
      }
      if (end && end->size() == sizeof(int64_t)) position.table_end = DecodeOffset(*end);
      if (bytes || end) checkpoint_.inputs[name] = position;
    }
    *done = true;
    return OkStatus();
  }

  Status Barrier() override {
    next_by_topic_.clear();
    for (const auto& [name, position] : checkpoint_.inputs) {
      std::string bytes = EncodeOffset(position.next);
      if (position.decoded >= 0) bytes += EncodeOffset(position.decoded);
      env_.commit->Put(PositionKey(name), bytes);
      if (position.table_end < 0) continue;
      env_.commit->Put(TableEndKey(name), EncodeOffset(position.table_end));
    }
    return OkStatus();
  }

 private:
  std::string PositionKey(std::string_view name) const {
    std::string key = fmt::format("{}p/{}", env_.state_prefix, name);
    key.push_back('\0');
    AppendBigEndian32(static_cast<uint32_t>(partition_), key);
    return key;
  }
  std::string TableEndKey(std::string_view name) const { return PositionKey(name) + "/table-end"; }
};

}  // namespace

const InputPosition* TaskJournal::Find(std::string_view name) const {
  auto it = checkpoint_.inputs.find(name);
  return it == checkpoint_.inputs.end() ? nullptr : &it->second;
}

void TaskJournal::SetPosition(std::string_view name, std::string_view topic,
                              const InputPosition& position) {
  auto it = checkpoint_.inputs.find(name);
  if (it == checkpoint_.inputs.end()) {
    checkpoint_.inputs.emplace(std::string(name), position);
  } else {
    it->second = position;
  }
  auto next = next_by_topic_.find(topic);
  if (next == next_by_topic_.end()) {
    next_by_topic_.emplace(std::string(topic), position.next);
  } else {
    next->second = std::min(next->second, position.next);
  }
}

void TaskJournal::Put(std::string_view key, std::string_view value) {
  env_.commit->Put(key, value);
}

void TaskJournal::Delete(std::string_view key) { env_.commit->Delete(key); }

void TaskJournal::DeleteRange(std::string_view from, std::string_view to) {
  env_.commit->DeleteRange(from, to);
}

std::unique_ptr<TaskJournal> MakeTaskJournal(QueryEnvironment& environment, const StagePlan& stage,
                                             int32_t partition) {
  if (!environment.shared) {
    return std::make_unique<LocalJournal>(environment, stage, partition);
  }
  return NeedsChangelog(stage) ? MakeChangelogJournal(environment, stage, partition)
                               : MakeMetadataJournal(environment, stage, partition);
}

namespace {

std::string TaskPrefix(const QueryEnvironment& environment, const StagePlan& stage,
                       int32_t partition) {
  std::string prefix = environment.state_prefix + "t/";
  AppendBigEndian32(static_cast<uint32_t>(stage.id), prefix);
  AppendBigEndian32(static_cast<uint32_t>(partition), prefix);
  return prefix;
}

}  // namespace

std::string StorePrefix(const QueryEnvironment& environment, const StagePlan& stage,
                        int32_t partition, std::string_view root_id, std::string_view store) {
  if (!environment.shared) {
    std::string prefix = fmt::format("{}s/{}/{}", environment.state_prefix, root_id, store);
    prefix.push_back('\0');
    AppendBigEndian32(static_cast<uint32_t>(partition), prefix);
    return prefix;
  }
  std::string prefix =
      fmt::format("{}{}/{}", TaskPrefix(environment, stage, partition), root_id, store);
  prefix.push_back('\0');
  return prefix;
}

SharedJournal::SharedJournal(QueryEnvironment& environment, const StagePlan& stage,
                             int32_t partition)
    : TaskJournal(environment, stage, partition),
      prefix_(TaskPrefix(environment, stage, partition)) {}

// Keys go on with a query's id, whose bytes are all below.
void SharedJournal::DeleteAll(CommitUnit& unit) const {
  unit.DeleteRange(prefix_, prefix_ + '\xff');
}

Status CheckFingerprint(const QueryEnvironment& environment, const Checkpoint& checkpoint) {
  if (checkpoint.fingerprint == environment.fingerprint ||
      checkpoint.fingerprint == environment.legacy_fingerprint) {
    return OkStatus();
  }
  return Status(ErrorCode::kPlanChanged,
                fmt::format("stored state belongs to a different plan of query {}", environment.id))
      .WithHint(
          "run the statement that wrote the state, or stop all copies and run `weir reset "
          "--query` for it, which starts it from the beginning of its sources");
}

}  // namespace weir
