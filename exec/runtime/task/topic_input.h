#pragma once

// One partition of a source: a topic's, a connector's, or rows that are handed to a bounded query.

#include <cstdint>
#include <memory>
#include <vector>

#include "exec/operators/operators.h"
#include "exec/runtime/task/task_context.h"
#include "exec/runtime/task/task_input.h"

namespace weir {

class TopicInput final : public TaskInput {
 public:
  /// What the inputs of one task share.
  struct Reading {
    QueryEnvironment& env;
    const std::vector<std::unique_ptr<RootContext>>& contexts;
    int32_t partition;
    bool tracks_time = false;  ///< Event time is asked for: there are exchanges beside.
    int64_t records_in = 0;    ///< Records given out so far.
    RecordBatch fetched = {};  ///< Of the last fetch, whichever input made it.
  };
  /// `source`: index into QueryStages::sources.
  TopicInput(Reading& reading, int source, std::vector<EntryPoint>& entries);

  /// Makes the decoder. Enough for rows that are injected.
  Status Open();
  /// Goes on where the last commit left it. `session` null: rows are handed over.
  Status OpenReader(ReadSession* session, const TaskJournal& journal);
  /// Rows of records as if they had been fetched.
  Status Decode(const RecordBatch& records, Chunk& out);

  int source() const { return source_; }
  /// Records that have not been processed, as far as the source tells.
  int64_t lag() const;
  /// The table side of a stream-table join is read before any stream, up to the end that it had
  /// when the query first started.
  bool comes_first() const { return table_end_ >= 0; }
  /// Looks whether that end has been reached.
  void LookForTableEnd();

  Status BeginRound(const Round& round, bool* any) override;
  Status Fill(bool* any) override;
  bool has_rows() const override { return next_ < pending_.rows; }
  Run run() const override;
  Chunk Take(int32_t count) override;
  bool caught_up() const override;
  bool drained() const override;
  int64_t StreamTime(const Round& round) const override;
  Status OnBarrier() override { return OkStatus(); }
  void NotePosition(TaskJournal& journal) override;
  int64_t position() const override;

 private:
  const SourcePlan& plan() const;
  Result<StartPosition> FindStart(const TaskJournal& journal);
  Status TakeGiven(bool* any);
  void KeepBounded();
  int32_t RowsMax() const;
  bool is_at_end() const { return bounded_end_ >= 0 && reader_->position() >= bounded_end_; }

  Reading& reading_;
  const int source_;
  bool is_table_ = false;  // Table side of a stream-table join.
  std::unique_ptr<PartitionReader> reader_;
  std::unique_ptr<SourceDecoder> decoder_;
  RowSupply supply_;               // Of a bounded query: rows that are not read; empty: no more.
  Chunk pending_;                  // Decoded rows; flat.
  int32_t next_ = 0;               // The first of them that has not been processed.
  int64_t noted_end_ = -1;         // Of a table: where it ended when the query first started.
  int64_t table_end_ = -1;         // Read up to here before any stream row; -1: done.
  int64_t bounded_end_ = -1;       // Of a bounded query: where the topic ends for it.
  int64_t round_end_ = INT64_MAX;  // Read up to here in this round.
  int64_t time_ = INT64_MIN;       // Highest event time of the rows that have been processed.
};

}  // namespace weir
