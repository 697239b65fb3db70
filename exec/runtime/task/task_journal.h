#pragma once

// How the state of one task outlives it: the task writes its state and its positions through the
// journal, and the journal brings them back at the next start. On the local store both lie in the
// state backend, in one atomic batch with the outputs. Where copies share the work, they also
// travel by Kafka: state of any size by a changelog topic, a few bytes by the metadata of committed
// offsets.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "exec/runtime/query/query_environment.h"
#include "exec/runtime/task/checkpoint.h"

namespace weir {

/// Prefix of all keys of a store of one task in the state backend.
std::string StorePrefix(const QueryEnvironment& environment, const StagePlan& stage,
                        int32_t partition, std::string_view root_id, std::string_view store);

/// One thread at a time.
class TaskJournal {
 public:
  struct Progress {
    int64_t restored = 0;    ///< Records taken in.
    int64_t to_restore = 0;  ///< Records there are, as known now.
  };

  TaskJournal(QueryEnvironment& environment, const StagePlan& stage, int32_t partition)
      : env_(environment), stage_(stage), partition_(partition) {}
  virtual ~TaskJournal() = default;
  TaskJournal(const TaskJournal&) = delete;
  TaskJournal& operator=(const TaskJournal&) = delete;

  /// Does a bounded piece of bringing local state to the last commit; sets `*done` once it is
  /// there.
  /// `*worked`: call again at once; else records are waited for. kPlanChanged, kPartitionsChanged,
  /// kStateLost.
  virtual Status Restore(bool* worked, bool* done) = 0;
  virtual Progress progress() const { return {}; }

  /// In place of Restore, for a task that another copy owns: brings local state after what that one
  /// commits, a bounded piece a call. `*worked` as above. Restore may come later, and goes on from
  /// there. Only where there is a changelog.
  virtual Status Follow(bool*) { return Status(ErrorCode::kInternal, "nothing to follow"); }
  /// Records that Follow has not come to yet, as known now; -1: it has not begun.
  virtual int64_t behind() const { return -1; }

  /// Where the last commit left input `name`; null: it has never been read.
  const InputPosition* Find(std::string_view name) const;
  /// What the next Barrier notes. `topic` is the input's, where it is one.
  void SetPosition(std::string_view name, std::string_view topic, const InputPosition& position);

  /// Prefix of all keys of a store in the state backend.
  std::string StorePrefix(std::string_view root_id, std::string_view store) const {
    return weir::StorePrefix(env_, stage_, partition_, root_id, store);
  }
  /// Changes of state, by whole keys.
  virtual void Put(std::string_view key, std::string_view value);
  virtual void Delete(std::string_view key);
  virtual void DeleteRange(std::string_view from, std::string_view to);

  /// After the operators have written their state: adds positions to the commit under way.
  virtual Status Barrier() = 0;

 protected:
  QueryEnvironment& env_;
  const StagePlan& stage_;
  const int32_t partition_;
  Checkpoint checkpoint_;
  std::map<std::string, int64_t, std::less<>> next_by_topic_;  // The least, where several read it.
};

/// The journal that the environment asks for.
std::unique_ptr<TaskJournal> MakeTaskJournal(QueryEnvironment& environment, const StagePlan& stage,
                                             int32_t partition);
/// Journals of copies that share the work (MakeTaskJournal chooses).
std::unique_ptr<TaskJournal> MakeChangelogJournal(QueryEnvironment& environment,
                                                  const StagePlan& stage, int32_t partition);
std::unique_ptr<TaskJournal> MakeMetadataJournal(QueryEnvironment& environment,
                                                 const StagePlan& stage, int32_t partition);

/// What the journals of copies that share the work have in common: local state is a copy, which can
/// be replaced whole.
class SharedJournal : public TaskJournal {
 public:
  SharedJournal(QueryEnvironment& environment, const StagePlan& stage, int32_t partition);

 protected:
  /// A key of the state backend as it travels: without the task's prefix.
  std::string_view Relative(std::string_view key) const { return key.substr(prefix_.size()); }
  /// Has `unit` delete all the task's local state.
  void DeleteAll(CommitUnit& unit) const;

  const std::string prefix_;  ///< Of all the task's keys.
};
/// kPlanChanged if `checkpoint` was written for another plan.
Status CheckFingerprint(const QueryEnvironment& environment, const Checkpoint& checkpoint);

}  // namespace weir
