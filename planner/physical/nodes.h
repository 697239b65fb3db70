#pragma once

// The physical plan: a tree of nodes whose leaves read topics and whose root writes one. Nodes are
// plain data, immutable once planned. exec/operators has one factory for each kind, and
// exec/runtime cuts the tree into sub-topologies (stages) at Exchange nodes.
//
// Conventions on every edge:
//  - `schema`: key columns first, then value columns.
//  - System columns travel outside the schema (see SystemColumn): row time always; window bounds
//    when `windowed_key` is set; partition, offset, headers only where `needs` asks for them.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "planner/binder/bound_expr.h"
#include "weir/types.h"

namespace weir::physical {

enum class NodeKind : uint8_t {
  kTopicSource,
  kFilter,
  kProject,
  kFlatMap,
  kExchange,
  kMaterialize,
  kPartialAggregate,
  kStreamAggregate,
  kTableAggregate,
  kStreamStreamJoin,
  kStreamTableJoin,
  kTableTableJoin,
  kForeignKeyJoin,
  kLimit,
  kTopicSink,
  kClientSink,
  kLatestRows,
  kBoundedAggregate,
  kSort,
  kForeignKeySubscribe,
  kForeignKeyAnswers,
  kBoundedJoin,
  kUnionAll,
};

/// What flows over an edge.
enum class ChangeMode : uint8_t {
  kAppend,   ///< A stream: each row stands for itself.
  kUpsert,   ///< A table: the new row by key (kInsert/kUpdateAfter) or kDelete with the key alone.
  kRetract,  ///< A table: as kUpsert, and each change of a row that was there brings the old row:
             ///< kUpdateBefore directly before kUpdateAfter, or kDelete with the old values.
};

/// What the key's window is, if it has one.
enum class WindowKind : uint8_t { kNone, kTumbling, kHopping, kSession };

struct WindowSpec {
  WindowKind kind = WindowKind::kNone;
  int64_t size_ms = 0;       ///< Size; for sessions the gap.
  int64_t advance_ms = 0;    ///< Hopping only; equals size_ms for tumbling.
  int64_t grace_ms = 0;      ///< Resolved: as given, else max(24 h - size, 0); EMIT FINAL: 0.
  int64_t retention_ms = 0;  ///< Resolved: at least size + grace; by default a day or more.
};

/// What a store holds, and so how its entries look.
enum class StoreKind : uint8_t {
  kGroups,         ///< Groups of an aggregate over a stream, windowed or not.
  kSessions,       ///< Sessions of an aggregate over a stream.
  kTableGroups,    ///< Groups of an aggregate over a table.
  kWindowTimes,    ///< Up to when the windows of an aggregate have closed.
  kResultKeys,     ///< Keys that a filter of a table has let pass.
  kRows,           ///< The rows of a table by key.
  kPointers,       ///< The same, and behind each row the key of the other table that it names.
  kPointerIndex,   ///< For each key of the other table, which of these rows name it.
  kSubscriptions,  ///< Where each row of a spread foreign-key join points, and its version.
  kAnswers,        ///< The latest version that came back for each of these rows.
  kJoinBuffer,     ///< Rows of one side of a join of streams.
  kJoinTimes,      ///< Up to when both sides of such a join have come.
  kView,           ///< The rows of a result by key, for pull queries.
  kViewLayout,     ///< The columns that these have.
  kClocks,         ///< Stream time of each source partition, in front of an exchange.
  kStreamTime,     ///< Stream time of one input of a windowed node without an exchange.
  kHeldRows,       ///< Rows that wait behind an exchange for those of other tasks.
  kUpstreams,      ///< Stream times of the tasks that send by a repartition topic.
};

/// A state store of one node; one instance a task. Operators open what their node declares, and
/// nothing else. See planner/physical/stores.h.
struct StoreSpec {
  std::string name;  ///< Such as "join-1-left"; unique in a query, kept over restarts.
  StoreKind kind = StoreKind::kRows;
  std::vector<DataType> keys;  ///< What entries are found by.
  /// What entries hold: types of columns, or aggregate functions as "SUM(INTEGER) 1": with the
  /// version of their state.
  std::vector<std::string> values;
  WindowSpec window;          ///< Of the keys, where they have one.
  int64_t retention_ms = -1;  ///< How long entries stay behind stream time; -1: for ever.
  int layout = 1;             ///< Version of how entries are written (NewestLayout).
};

struct Node;
using NodePtr = std::shared_ptr<const Node>;

struct Node {
  explicit Node(NodeKind k) : kind(k) {}
  virtual ~Node() = default;
  NodeKind kind;
  int id = 0;  ///< Unique in a plan, stable for the same SQL.
  std::vector<NodePtr> inputs;
  SchemaPtr schema;
  ChangeMode mode = ChangeMode::kAppend;
  WindowKind windowed_key = WindowKind::kNone;
  int64_t window_size_ms = 0;  ///< Of a time-windowed key.
  std::vector<StoreSpec> stores;

  /// The name of the `nth` store of this kind; a failed check if the node declares none.
  const std::string& StoreName(StoreKind store_kind, size_t nth = 0) const;
};

/// One side of a record's format, as resolved by the planner.
struct SideFormat {
  std::string format;  ///< JSON, DELIMITED, KAFKA, NONE, …
  bool unwrapped = false;
  std::map<std::string, std::string> properties;
  bool operator==(const SideFormat&) const = default;
};

/// What to do with a record that does not decode.
enum class OnError : uint8_t { kSkip, kNull, kFail, kDeadLetter };

/// The clock that gives a row its time.
enum class TimeSource : uint8_t { kRecord, kColumn, kAppend, kProcessing };

struct TopicSource : Node {
  TopicSource() : Node(NodeKind::kTopicSource) {}
  /// Where the rows are: in the topic (or what the connector reads); kept by the query that makes
  /// the table; or nowhere: one row without columns, for a SELECT without FROM.
  enum class Origin : uint8_t { kTopic, kKeptTable, kOneRow };
  Origin origin = Origin::kTopic;
  std::string kept_by;  ///< kKeptTable: id of that query.
  /// kKeptTable: the only keys that are asked for, one value a key column; empty: all rows.
  std::vector<std::vector<Value>> lookups;
  std::string source_name;  ///< Stream or table in the catalog.
  std::string topic;        ///< Topic, or for a connector the source's name.
  /// Non-empty: not a topic of the broker, but CONNECTOR='file' or 'datagen' with these properties.
  std::map<std::string, std::string> connector;
  SideFormat key_format, value_format;
  /// All columns of the source in declaration order, key columns first. `output_index` is the place
  /// in `schema`, or -1 if not read. HEADERS columns are read from headers, not from the value.
  struct SourceColumn {
    std::string name;
    DataType type;
    bool is_key = false;
    bool is_headers = false;  ///< HEADERS, or HEADER('k') if header_key is set.
    std::optional<std::string> header_key;
    int output_index = -1;
  };
  std::vector<SourceColumn> columns;
  bool is_table = false;  ///< Rows without key are dropped and counted.
  bool needs_partition = false, needs_offset = false, needs_headers = false;
  TimeSource time_source = TimeSource::kRecord;
  int time_column = -1;     ///< kColumn: index into `columns`.
  std::string time_format;  ///< Java pattern for STRING time columns, or empty.
  OnError on_error = OnError::kSkip;
  std::string dead_letter_topic;
  /// Start for a query without committed positions: "earliest", "latest", or explicit.
  enum class Start : uint8_t { kDefault, kEarliest, kLatest, kTimestamp, kOffsets };
  Start start = Start::kDefault;
  int64_t start_timestamp_ms = 0;
  std::vector<int64_t> start_offsets;
};

/// Keeps rows for which `predicate` is true. On tables (kUpsert) rows that fail become kDelete; in
/// kRetract mode pairs are kept consistent. Rows of streams with a null value are dropped.
struct Filter : Node {
  Filter() : Node(NodeKind::kFilter) {}
  BoundExprPtr predicate;
  /// HAVING or WHERE of a table: a store that remembers which keys are in the result may be needed
  /// so that only rows that were there are deleted; absent when `inputs[0]` is in retract mode.
  bool is_having = false;
};

/// One output column per expression, in the order of `schema`. Rows with a null value pass with
/// null value columns (key columns are evaluated).
struct Project : Node {
  Project() : Node(NodeKind::kProject) {}
  std::vector<BoundExprPtr> exprs;
};

/// Table functions: zips their results, padded with null; `exprs` are the columns kept, after which
/// the functions' columns follow, one each.
struct FlatMap : Node {
  FlatMap() : Node(NodeKind::kFlatMap) {}
  struct Call {
    const TableFunctionOverload* function;
    std::vector<BoundExprPtr> args;
  };
  std::vector<BoundExprPtr> exprs;
  std::vector<Call> calls;
};

/// Moves rows to the task that owns their key: the cut between stages. The key is the first
/// `key_columns` columns of the schema. On the local store an in-memory exchange, on Kafka an
/// internal topic.
struct Exchange : Node {
  Exchange() : Node(NodeKind::kExchange) {}
  int key_columns = 0;
  std::string name;  ///< "<query>-…-repartition" on Kafka.
  /// Number of partitions: that of the widest source upstream, or of the join partner.
  int32_t partitions = 0;  ///< 0: as many as the (first) upstream source has.
  /// Rows must meet those of an external topic partitioned by Java's murmur2 over the encoded key:
  /// place them alike. Unset: any hash.
  std::optional<SideFormat> placement;
  /// Consumers need rows merged by (stream time, topic, partition, offset).
  bool ordered = false;
  bool drop_null_keys = true;  ///< Counted as null_group_key.
};

/// Turns a table's topic (kUpsert) into a kRetract changelog by keeping the table by key. Shared
/// with joins and pull queries.
struct Materialize : Node {
  Materialize() : Node(NodeKind::kMaterialize) {}
};

struct AggregateCall {
  const AggregateOverload* function = nullptr;
  std::vector<int> args;  ///< Columns of the input.
  std::vector<Value> constants;
};

/// Reduces each batch to one row a group (key and window) in front of the exchange of a
/// StreamAggregate. Input as that of the aggregate. Output: group keys, then the partial states of
/// the calls, each in as many columns as its function's `partial_types`; window bounds as system
/// columns when windowed; the row time is the latest of the group's rows. Late rows end here.
struct PartialAggregate : Node {
  PartialAggregate() : Node(NodeKind::kPartialAggregate) {}
  int key_columns = 0;
  std::vector<AggregateCall> calls;
  WindowSpec window;  ///< None, tumbling or hopping.
  /// In front of a BoundedAggregate: nulls are a group, and no row is late.
  bool bounded = false;
};

/// GROUP BY over a stream, with or without a window. Input: group keys first (`key_columns`), then
/// the arguments' columns. Output: group keys, then one column a call; window bounds as system
/// columns when windowed. Rows with a null key column or a null value are dropped, counted.
struct StreamAggregate : Node {
  StreamAggregate() : Node(NodeKind::kStreamAggregate) {}
  int key_columns = 0;
  std::vector<AggregateCall> calls;
  WindowSpec window;
  bool emit_final = false;
  /// Rows come from a PartialAggregate: `args` of the calls are the columns of their partial
  /// states, and windows are given. Such rows are not late by themselves.
  bool merges_partials = false;
};

/// GROUP BY over a table (input in kRetract mode): undo the old row, add the new one.
struct TableAggregate : Node {
  TableAggregate() : Node(NodeKind::kTableAggregate) {}
  int key_columns = 0;
  std::vector<AggregateCall> calls;
};

enum class JoinKind : uint8_t { kInner, kLeft, kRight, kFull };

// `condition` of a join, if there is one: rows with equal keys are a pair only where it is true.
// Its columns are those of the left input's schema, then those of the right's.

/// Windowed join of two streams on equal keys (the first `key_columns` of both sides; same types).
/// Output: [key][left columns…][right columns…] as listed by `left_columns`/`right_columns`, which
/// index the inputs' schemas. A row of the right at time t matches left rows in
/// [t - before_ms… see Kafka Streams JoinWindows]: left.time - before <= right.time <= left.time +
/// after. Row time of a pair: the larger of both.
struct StreamStreamJoin : Node {
  StreamStreamJoin() : Node(NodeKind::kStreamStreamJoin) {}
  JoinKind join = JoinKind::kInner;
  int64_t before_ms = 0, after_ms = 0;
  int64_t grace_ms = 0;
  bool has_grace = false;  ///< False: unmatched outer rows come out at once.
  int key_columns = 1;
  std::vector<int> left_columns, right_columns;
  BoundExprPtr condition;
  /// Output column 0..key_columns-1 is the join key: the left's or, where the left is missing, the
  /// right's.
};

/// Looks each stream row (inputs[0]) up in the table (inputs[1], materialized here by its key).
struct StreamTableJoin : Node {
  StreamTableJoin() : Node(NodeKind::kStreamTableJoin) {}
  JoinKind join = JoinKind::kInner;  ///< kInner or kLeft.
  int key_columns = 1;
  std::vector<int> left_columns, right_columns;
  BoundExprPtr condition;
};

/// Primary-key join of two tables; both sides are materialized here. kFull has no condition.
struct TableTableJoin : Node {
  TableTableJoin() : Node(NodeKind::kTableTableJoin) {}
  JoinKind join = JoinKind::kInner;
  int key_columns = 1;
  std::vector<int> left_columns, right_columns;
  BoundExprPtr condition;
};

/// Table join where expressions over the left row equal the right's primary key, in its order.
struct ForeignKeyJoin : Node {
  ForeignKeyJoin() : Node(NodeKind::kForeignKeyJoin) {}
  JoinKind join = JoinKind::kInner;       ///< kInner or kLeft.
  std::vector<BoundExprPtr> foreign_key;  ///< Over the left input, one a column of that key.
  int left_key_columns = 1;
  std::vector<int> left_columns, right_columns;
  BoundExprPtr condition;
  /// Left rows come as messages of a ForeignKeySubscribe, and results go as messages to a
  /// ForeignKeyAnswers. `left_columns` and `condition` are over the left table all the same, and
  /// `foreign_key` is not evaluated here.
  bool spread = false;
};

// A foreign-key join over several partitions. Each left row is sent to the partition of the right
// row that it points to; what is found there is sent back to the partition of the left row's key.
// Since answers of several partitions overtake each other, each carries the version of the left row
// that it is of, and the last part drops what is out of date.
//
//   left ─▶ ForeignKeySubscribe ─▶ exchange by foreign key ─▶ ForeignKeyJoin ◀─ right
//                   ForeignKeyAnswers ◀─ exchange by left key ◀─┘

/// First part. Output, a stream of messages: [foreign key][columns of the left table][version
/// BIGINT][kind INT], a SubscriptionKind.
struct ForeignKeySubscribe : Node {
  ForeignKeySubscribe() : Node(NodeKind::kForeignKeySubscribe) {}
  std::vector<BoundExprPtr> foreign_key;  ///< Over the input.
  int key_columns = 1;                    ///< Of the input.
};

enum class SubscriptionKind : int32_t {
  kSubscribe = 0,    ///< A row that points where an earlier one of its key did, or the first one.
  kMoved = 1,        ///< A row that points elsewhere; its kUnsubscribe has the same version.
  kUnsubscribe = 2,  ///< The earlier row no longer points there.
  kDelete = 3,       ///< The row is gone.
};

/// Last part. Input, a stream of messages: the columns of the join's result, then [version BIGINT]
/// [kind INT], some AnswerBits. Output: the result, a table.
struct ForeignKeyAnswers : Node {
  ForeignKeyAnswers() : Node(NodeKind::kForeignKeyAnswers) {}
  int key_columns = 1;
};

struct AnswerBits {
  static constexpr int32_t kHasResult = 1;
  static constexpr int32_t kMoved = 2;         ///< The answer to a kMoved.
  static constexpr int32_t kUnsubscribed = 4;  ///< Alone: the answer to a kUnsubscribe.
  static constexpr int32_t kDeleted = 8;       ///< To a kDelete of a row that pointed somewhere.
};

struct Limit : Node {
  Limit() : Node(NodeKind::kLimit) {}
  int64_t rows = 0;    ///< -1: all.
  int64_t offset = 0;  ///< Rows passed over first.
  /// A query as a value: more than one row is an error, and none becomes a row of nulls.
  bool one_row = false;
};

// The rest is for bounded input only: these nodes hand on their rows when their input has ended.

/// A table's rows as they are at the end of its topic: the latest of each key (and window).
struct LatestRows : Node {
  LatestRows() : Node(NodeKind::kLatestRows) {}
};

/// GROUP BY as SQL has it, over all rows of the input: null is a group, no row is late, each group
/// comes out once. Input as that of StreamAggregate; sessions need it sorted by key and time.
/// Output: group keys, then one column a call; window bounds as system columns when windowed.
struct BoundedAggregate : Node {
  BoundedAggregate() : Node(NodeKind::kBoundedAggregate) {}
  int key_columns = 0;
  std::vector<AggregateCall> calls;
  WindowSpec window;
  bool merges_partials = false;  ///< As in StreamAggregate.
  /// No GROUP BY: the one group is there without rows too. Its key is a constant.
  bool global = false;
};

/// A join as SQL has it, over all rows of both inputs: a pair is rows with equal keys, none of them
/// null, for which `condition` is true, where there is one. Output: the key (the right's where the
/// left row is missing), left columns, right columns.
struct BoundedJoin : Node {
  BoundedJoin() : Node(NodeKind::kBoundedJoin) {}
  JoinKind join = JoinKind::kInner;
  int key_columns = 1;
  std::vector<int> left_columns, right_columns;
  BoundExprPtr condition;
};

/// The rows of all inputs.
struct UnionAll : Node {
  UnionAll() : Node(NodeKind::kUnionAll) {}
};

/// What rows are sorted by, first key first.
struct SortKey {
  int column = 0;  ///< Of the input; kTime: the row's time.
  bool descending = false;
  bool nulls_first = false;
  static constexpr int kTime = -1;
};

/// All rows in order, equal ones as they came; or the first `limit` of them behind `offset`.
struct Sort : Node {
  Sort() : Node(NodeKind::kSort) {}
  std::vector<SortKey> keys;
  int64_t limit = -1;  ///< -1: all.
  int64_t offset = 0;
};

/// Writes rows to a topic. Key columns are the first of the schema (`schema` says which are keys).
struct TopicSink : Node {
  TopicSink() : Node(NodeKind::kTopicSink) {}
  std::string sink_name;
  std::string topic;
  int32_t partitions = 0;
  SideFormat key_format, value_format;
  int time_column = -1;  ///< WITH (TIMESTAMP=…): column of the schema.
  std::string time_format;
  bool is_table = false;
  /// Keys are those of the source's records: several columns that are all null are a null key.
  bool passes_keys = false;
  /// Tables are kept for pull queries: how long windows stay readable after they start (RETENTION);
  /// -1: for ever (tables without windows).
  int64_t view_retention_ms = -1;
  bool forward_headers = true;
  /// File sink: connector properties, else empty.
  std::map<std::string, std::string> connector;
};

/// Hands rows to a cursor.
struct ClientSink : Node {
  ClientSink() : Node(NodeKind::kClientSink) {}
  /// No cursor: the rows of a table are only kept for pull queries (CREATE SOURCE TABLE).
  bool keeps_table = false;
};

}  // namespace weir::physical
