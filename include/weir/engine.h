#pragma once

// The engine: opens a store or a Kafka cluster, runs SQL, takes records, gives batches.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/batch.h"
#include "weir/options.h"
#include "weir/status.h"

namespace weir {

/// One record of a topic. A missing key or value is Kafka's null.
struct Record {
  std::optional<std::string> key;
  std::optional<std::string> value;
  /// Event time, milliseconds since the epoch; unset: now.
  std::optional<int64_t> timestamp_ms;
  /// Partition to append to; unset: placed by the key as Kafka's Java client places it (murmur2),
  /// records without key round robin.
  std::optional<int32_t> partition;
  struct Header {
    std::string name;
    std::optional<std::string> value;
  };
  std::vector<Header> headers;
};

/// A record read back from a topic.
struct TopicRecord : Record {
  int64_t offset = 0;
};

/// What a statement that gives no rows answered.
struct StatementResult {
  /// The statement's text as executed.
  std::string statement;
  /// One line for people, such as "Created stream RIDES".
  std::string message;
  /// Lists (SHOW, DESCRIBE, EXPLAIN): rows to print; null for other statements.
  std::shared_ptr<const Batch> rows;
  /// Id of the persistent query the statement started, else empty.
  std::string query_id;
  /// Things worth knowing that did not stop the statement.
  std::vector<std::string> notices;
};

/// Numbers of one task of a query: one sub-topology over one partition.
struct TaskMetrics {
  int32_t sub_topology = 0;
  int32_t partition = 0;
  std::string state;       ///< RUNNING, RESTORING; PAUSED and ERROR as the query.
  int64_t records_in = 0;  ///< Records read since this copy has the task.
  int64_t lag_records = 0;
};

/// Bringing local state up to date from changelog topics before a task may run.
struct RestoreProgress {
  int32_t tasks = 0;               ///< Tasks that are restoring now; 0: none.
  int64_t records_restored = 0;    ///< Of these tasks, so far.
  int64_t records_to_restore = 0;  ///< Of these tasks, altogether.
  double records_per_second = 0;
};

/// Numbers of one running query. Counters begin at 0 when the engine opens. On Kafka they are those
/// of this copy.
struct QueryMetrics {
  std::string query_id;
  std::string state;       ///< RUNNING, PAUSED, RESTARTING, ERROR.
  std::string error;       ///< Cause while in ERROR, else empty.
  int64_t records_in = 0;  ///< Records read since the engine opened.
  int64_t bytes_in = 0;    ///< Bytes of their keys and values.
  int64_t records_out = 0;
  int64_t bytes_out = 0;             ///< Bytes of the keys and values written to output topics.
  double records_in_per_second = 0;  ///< Of about the last ten seconds.
  double records_out_per_second = 0;
  int64_t lag_records = 0;  ///< Records in its topics that it has not committed past.
  int64_t late_rows_dropped = 0;
  int64_t commits = 0;
  int64_t commit_last_us = 0;          ///< Microseconds that the last commit took.
  int64_t commit_max_us = 0;           ///< The longest one.
  int64_t transactions_committed = 0;  ///< Kafka, exactly once.
  int64_t transactions_aborted = 0;
  int64_t rebalances = 0;   ///< Times that partitions came to this copy or left it.
  int64_t state_bytes = 0;  ///< Estimated bytes of state in memory.
  RestoreProgress restore;
  /// Records and rows that were dropped or nulled, by reason: "bad_value", "bad_key",
  /// "null_group_key", "late", "late_after_idle", "expression_error", …
  std::map<std::string, int64_t> dropped;
  /// The last few of them with topic, partition, offset and cause, newest last.
  std::vector<std::string> last_errors;
  /// Tasks that run in this engine, by sub-topology and partition.
  std::vector<TaskMetrics> tasks;
};

/// A stream or table of the catalog, for tools that read its topic raw.
struct SourceInfo {
  std::string name;  ///< As in the catalog.
  bool is_table = false;
  std::string topic;
  std::string key_format;  ///< "KAFKA", "JSON", …; "NONE" without key.
  std::string value_format;
  SchemaPtr schema;
  std::string window_type;     ///< "TUMBLING", "HOPPING", "SESSION", or empty: no windowed key.
  int64_t window_size_ms = 0;  ///< Of TUMBLING and HOPPING.
};

/// A topic as it is now.
struct TopicDescription {
  std::string name;
  int32_t partitions = 0;
  bool compacted = false;     ///< The last record of each key is kept for ever.
  int64_t retention_ms = -1;  ///< How long records are kept; -1: for ever.
  /// Records age by the clock (Kafka): one that bears a time longer ago is deleted soon after it
  /// was written. Else by the latest record of their partition.
  bool ages_by_clock = false;
};

struct EngineMetrics {
  std::vector<QueryMetrics> queries;
  int64_t memory_bytes = 0;  ///< Bytes counted against memory.limit.
};

/// The rows of one SELECT or PRINT, as they come. Used by one thread at a time, except Cancel.
/// A cursor that is not read fills its bounded buffer (setting cursor.bytes.max) and then stops its
/// own reading; it never holds up a persistent query. Must not outlive its engine.
class Cursor {
 public:
  virtual ~Cursor() = default;
  /// The columns, known before the first row. Lives as long as the cursor.
  virtual const Schema& schema() const = 0;
  /// True for queries that follow their source (EMIT CHANGES, EMIT FINAL), false for pull queries,
  /// SELECTs without EMIT, which give what is there now and end.
  virtual bool is_push() const = 0;
  /// The next rows. Waits up to `timeout`; an empty optional means that nothing came in time, or
  /// that the result is complete (see done()). Errors end the cursor. A pull query is worked out by
  /// the thread that calls this; the timeout then bounds only its waits for a broker.
  virtual Result<std::optional<Batch>> Next(std::chrono::milliseconds timeout) = 0;
  /// True when no further row will come (limit reached, pull query complete, cancelled).
  virtual bool done() const = 0;
  /// True when done because of LIMIT.
  virtual bool limit_reached() const = 0;
  /// For a push query: true when everything its sources held at this moment has been given out.
  virtual bool caught_up() const = 0;
  /// True when rows may be other than kInsert, so that a caller can lay out a column for their ops.
  virtual bool is_changelog() const { return false; }
  /// True if a source of the query never ends by itself and no LIMIT ends the query.
  virtual bool endless() const { return false; }
  /// Windows that EMIT FINAL holds back until a later row closes them.
  virtual int64_t open_windows() const { return 0; }
  /// Closes them now: Next gives them out, and rows that come for them later are late. For a result
  /// that is to end here.
  virtual Status CloseWindows() { return {}; }
  /// Topics this cursor reads that have given no record so far; for "waiting" messages.
  virtual std::vector<std::string> waiting_for() const { return {}; }
  /// Makes a blocked or later Next return soon with kCancelled. May be called from any thread.
  virtual void Cancel() = 0;
};

/// What Execute does with statements that give rows, in order between the others. Called on the
/// thread that called Execute, with no lock held: it may read the cursor for as long as it likes,
/// cancel it, and call the engine, and other threads' statements go on meanwhile.
using CursorHandler = std::function<Status(std::string_view statement, Cursor& cursor)>;
/// Called after each statement that gives no cursor, in order; with no lock held, too.
using ResultHandler = std::function<void(const StatementResult& result)>;

/// An open engine. All calls may come from any thread; statements are executed one at a time, those
/// of two threads in turns.
/// Persistent queries run on the engine's own threads from CREATE … AS or INSERT INTO until DROP,
/// TERMINATE or Close; on a directory they resume at Open.
class Engine {
 public:
  /// Opens the store or connects to the cluster. Fails with kStoreLocked, kNotAStore,
  /// kStoreCorrupt, kStoreVersion, kInvalidOption, kUnknownOption, kKafkaUnavailable.
  static Result<std::unique_ptr<Engine>> Open(EngineOptions options);

  /// Closes as Close() does, silently.
  virtual ~Engine() = default;

  /// Runs the statements of `sql` in order; stops at the first error, whose position then says
  /// where (also which statement). Statements that give rows (SELECT, PRINT) go to `on_cursor`;
  /// without it they are an error. Blocks until the last has been carried out; persistent queries
  /// go on.
  virtual Result<std::vector<StatementResult>> Execute(std::string_view sql,
                                                       const CursorHandler& on_cursor = {},
                                                       const ResultHandler& on_result = {}) = 0;

  /// Starts the one SELECT or PRINT in `sql`.
  virtual Result<std::unique_ptr<Cursor>> Query(std::string_view sql) = 0;

  /// Appends records to a topic that exists and returns when they are durable (acknowledged): after
  /// a synced write on a directory, after all in-sync replicas on Kafka. All or, on error, possibly
  /// a prefix per partition.
  virtual Status Append(std::string_view topic, std::span<const Record> records) = 0;

  /// Makes a topic. kAlreadyExists if it exists, unless `if_not_exists`.
  virtual Status CreateTopic(std::string_view topic, int32_t partitions, bool if_not_exists) = 0;

  /// kUnknownTopic if there is no such topic.
  virtual Result<TopicDescription> DescribeTopic(std::string_view topic) const = 0;

  /// Reads a topic's raw records from the beginning to its end at the time of the call.
  virtual Result<std::vector<TopicRecord>> ReadTopic(std::string_view topic) = 0;

  /// The plans of the one statement in `sql`, as text.
  virtual Result<std::string> Explain(std::string_view sql) = 0;

  /// Waits until every persistent query has processed and committed all that its topics hold now,
  /// cascades included. Fails with kQueryFailed if a query is in ERROR, kEndlessSource if a
  /// source never ends, kCancelled after `CancelWaits`. `close_windows` also closes all windows
  /// that EMIT FINAL holds open. Returns the number of windows left open.
  virtual Result<int64_t> RunUntilEnd(bool close_windows) = 0;
  /// Makes RunUntilEnd and statements that wait return kCancelled. Safe from any thread.
  virtual void CancelWaits() = 0;

  /// Numbers of all persistent queries, taken now. Never blocks on a query.
  virtual EngineMetrics Metrics() const = 0;

  /// All streams and tables, oldest first.
  virtual std::vector<SourceInfo> Sources() const = 0;

  /// The catalog as SQL: the statements that make its types, sources, queries and pipelines anew,
  /// in an order that works, each with its semicolon.
  virtual Result<std::string> DumpCatalog() const = 0;

  /// A fresh name list for completion: sources, their columns, topics, functions, query ids.
  virtual std::vector<std::string> CompletionNames() const = 0;

  /// Stops all queries, commits what is processed and closes the store; the first error of these.
  /// Further calls give kClosed, open cursors too. The directory can be opened again once the
  /// engine's cursors are gone; the engine itself need not be. Waits for a statement under way.
  virtual Status Close() = 0;
};

}  // namespace weir
