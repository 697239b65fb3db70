#pragma once

// The one shape that inputs of a task have, be they partitions of sources or rows that the tasks of
// an earlier stage send. Merges across inputs know nothing else of them.

#include <cstdint>
#include <vector>

#include "exec/column/chunk.h"
#include "exec/runtime/task/operator_tree.h"

namespace weir {

class TaskJournal;

/// One thread at a time.
class TaskInput {
 public:
  /// What decides how far inputs that wait for each other may go.
  struct Round {
    int64_t now_ms = 0;
    int64_t max_idle_ms = 0;  ///< An upstream that has been idle for longer is not waited for.
  };
  /// Rows that lie together, in the order in which they are to be processed.
  struct Run {
    const int64_t* times = nullptr;  ///< Event times.
    const int32_t* rows = nullptr;   ///< Which of `times` are theirs; null: the first ones.
    int32_t length = 0;
    int64_t time(int32_t i) const { return times[rows == nullptr ? i : rows[i]]; }
  };

  /// A round ends before its time once so many times commit.bytes.max of output wait:
  /// `commits_max`.
  TaskInput(std::vector<EntryPoint>& entries, int64_t commits_max)
      : entries_(entries), commits_max_(commits_max) {}
  virtual ~TaskInput() = default;
  TaskInput(const TaskInput&) = delete;
  TaskInput& operator=(const TaskInput&) = delete;

  /// Takes in what was sent since the last round; sets `*any` if something came.
  virtual Status BeginRound(const Round& round, bool* any) = 0;
  /// Reads on where there are no rows. Sets `*any` if records came, be there rows among them or
  /// not.
  virtual Status Fill(bool* any) = 0;
  /// Rows that may be processed now.
  virtual bool has_rows() const = 0;
  /// The first of them; holds until the next call that changes the input.
  virtual Run run() const = 0;
  /// Hands out the first `count` rows of the run, which then count as processed.
  virtual Chunk Take(int32_t count) = 0;
  /// Nothing more can come in this round: another input's rows need not wait for it.
  virtual bool caught_up() const = 0;
  /// There is nothing to read, and nothing is held back.
  virtual bool drained() const = 0;
  /// Up to where event time has come for those behind all inputs of the task.
  virtual int64_t StreamTime(const Round& round) const = 0;
  /// Before a commit: saves rows that would not be read again.
  virtual Status OnBarrier() = 0;
  /// After that, once all output is in the commit: notes the position behind what was processed.
  virtual void NotePosition(TaskJournal& journal) = 0;
  /// That position; -1: there is none.
  virtual int64_t position() const = 0;

  std::vector<EntryPoint>& entries() const { return entries_; }
  int64_t commits_max() const { return commits_max_; }

 private:
  std::vector<EntryPoint>& entries_;
  const int64_t commits_max_;
};

}  // namespace weir
