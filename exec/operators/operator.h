#pragma once

// What an operator is, and what it may use. Operators of one task form a tree: each pushes its rows
// into the next. They run on one thread at a time, do no I/O except through their state stores,
// and hold their state in memory; what changed goes to the store at each barrier.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exec/column/chunk.h"
#include "exec/connect/topic.h"
#include "exec/expr/expr_program.h"
#include "exec/state/state_store.h"
#include "weir/status.h"

namespace weir {

class SchemaRegistry;

/// Counters of one query, summed over its tasks. Names are those of QueryMetrics::dropped.
class QueryCounters {
 public:
  virtual ~QueryCounters() = default;
  /// Counts `rows` dropped or nulled for `reason`; safe from any thread.
  virtual void Dropped(std::string_view reason, int64_t rows) = 0;
  /// Records one example for the processing log (the last few are kept and shown).
  virtual void LogError(std::string_view reason, std::string_view topic, int32_t partition,
                        int64_t offset, std::string_view cause) = 0;
  /// The same of a record whose place is told in words: "file rides.csv line 3 offset 75".
  virtual void LogErrorAt(std::string_view reason, std::string_view place,
                          std::string_view cause) = 0;
  virtual void RecordsOut(int64_t records) = 0;
  /// Of keys and values written to topics.
  virtual void BytesOut(int64_t) {}
};

/// Where sinks put encoded records; flushed into the commit by the runtime.
class OutputCollector {
 public:
  virtual ~OutputCollector() = default;
  /// The builder of a topic's partition in the commit under way; append to it, never keep it across
  /// calls of OnBatch.
  virtual RecordBatchBuilder& Partition(std::string_view topic, int32_t partition) = 0;
  virtual int32_t PartitionCount(std::string_view topic) = 0;
};

/// Where the rows of a query without a topic go (push and pull queries).
class RowReceiver {
 public:
  virtual ~RowReceiver() = default;
  virtual Status OnRows(const Chunk& rows) = 0;
};

/// What a task offers its operators. Lives as long as they do.
class TaskContext {
 public:
  virtual ~TaskContext() = default;
  /// The store declared by the plan node; created empty on first use.
  virtual StateStore& Store(std::string_view name) = 0;
  virtual OutputCollector& outputs() = 0;
  /// Where the schemas of formats such as AVRO are; null: nowhere.
  virtual SchemaRegistry* schemas() { return nullptr; }
  virtual RowReceiver* receiver() = 0;  ///< Null unless the plan ends in a ClientSink.
  virtual QueryCounters& counters() = 0;
  virtual int32_t partition() const = 0;
  /// True: every change of an aggregate or table is emitted (cache.max.bytes.buffering = 0). False:
  /// only the last one a key and batch.
  virtual bool emit_every_change() const = 0;
  virtual int64_t now_ms() const = 0;
  /// Topic name of a Chunk's `source`, for messages.
  virtual std::string_view SourceTopic(int32_t source) const = 0;
  /// Number of source partitions (or upstream tasks) that feed this task's exchange.
  virtual int64_t setting(std::string_view name, int64_t fallback) const = 0;
  /// Adds (or with a negative number releases) bytes of state held in memory.
  virtual void AccountMemory(int64_t bytes) = 0;
  /// How many of `held` bytes of state may stay in memory, where what leaves can be read back from
  /// a store: INT64_MAX while all queries together are within the engine's budget (a part of
  /// memory.limit), else the share by which every holder shrinks. To be asked in OnCommitted.
  virtual int64_t MemoryShare(int64_t held) const = 0;
  /// Asks for a commit once the rows at hand are done: state that changed can leave memory only
  /// behind one.
  virtual void AskForCommit() = 0;
};

class Operator;

/// Pushes rows into the next operator.
class Emitter {
 public:
  Emitter() = default;
  Emitter(Operator* next, int input) : next_(next), input_(input) {}
  /// Empty chunks are swallowed. The chunk may be flattened or kept by the receiver.
  Status Emit(Chunk chunk);
  Operator* next() const { return next_; }
  int input() const { return input_; }

 private:
  Operator* next_ = nullptr;
  int input_ = 0;
};

class Operator {
 public:
  virtual ~Operator() = default;
  /// Binds stores and loads state. Called once, before any row.
  virtual Status Open(TaskContext& context) { return OkStatus(); }
  /// Rows from input `input` (0, or 1 for the right side of a join). Has at least one active row.
  virtual Status OnBatch(int input, Chunk chunk) = 0;
  /// Stream time of input `input` over all upstream partitions moved on to `stream_time` (their
  /// minimum): close and expire windows. Never goes back. The runtime calls it after each batch;
  /// the operator calls the next one's through Advance(). Windowed operators always get rows with
  /// the kStreamTime system column: the exchange in front of them fills it, or, where no exchange
  /// feeds them, a stream time tracker that the runtime puts there (it also calls OnStreamTime).
  virtual Status OnStreamTime(int input, int64_t stream_time) { return Advance(stream_time); }
  /// Hands on what is held back because a later row may replace it. The runtime calls it before
  /// each commit and whenever the input is read up, so that holding back never delays what is
  /// there.
  virtual Status EmitPending() { return OkStatus(); }
  /// A commit is being made: write what changed to the stores. Emits nothing.
  virtual Status OnBarrier() { return OkStatus(); }
  /// What OnBarrier wrote can be read from its stores, and is durable or on its way there: state
  /// beyond the operator's MemoryShare leaves memory here. No row comes between the two. Should the
  /// commit fail, the operator goes, and its like begins from the one before. Emits nothing.
  virtual Status OnCommitted() { return OkStatus(); }
  /// Bounded queries only: the input has ended and what is in front of this operator has handed on
  /// all it had. Hands on a piece of what was kept until then; sets `*more` to be called again.
  virtual Status EmitRest(bool* more) {
    static_cast<void>(more);
    return OkStatus();
  }
  /// EMIT FINAL windows still open, for --until-end's report.
  virtual int64_t open_windows() const { return 0; }
  /// Closes all open windows now (--close-windows).
  virtual Status CloseWindows() { return OkStatus(); }

  void set_output(Emitter out) { out_ = out; }

 protected:
  Status Advance(int64_t stream_time);
  Emitter out_;
};

inline Status Emitter::Emit(Chunk chunk) {
  if (next_ == nullptr || chunk.active_rows() == 0) return OkStatus();
  return next_->OnBatch(input_, std::move(chunk));
}

}  // namespace weir
