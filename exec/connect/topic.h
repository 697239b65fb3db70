#pragma once

// Topics and state behind one interface, whether they lie in memory, in a local directory, on Kafka
// or in files. exec/runtime and exec/engine know only this.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exec/formats/record_batch.h"
#include "weir/status.h"

namespace weir {

struct TopicInfo {
  std::string name;
  int32_t partitions = 0;
  bool compacted = false;
  /// Milliseconds that records are kept against the partition's highest timestamp; -1: for ever.
  int64_t retention_ms = -1;
  bool internal = false;
};

/// Where a partition's reading starts.
struct StartPosition {
  enum class Kind { kEarliest, kLatest, kOffset, kTimestamp } kind = Kind::kEarliest;
  int64_t value = 0;  ///< The offset, or the timestamp in ms.
};

/// Reads one partition, in order. One thread at a time.
class PartitionReader {
 public:
  virtual ~PartitionReader() = default;
  /// Fills `out` (cleared first) with what is there now, at most `rows_max` records and about
  /// `bytes_max` bytes; never waits. Nothing there: out.size() is 0. kOffsetOutOfRange if the
  /// position is no longer kept.
  virtual Status Fetch(int32_t rows_max, size_t bytes_max, RecordBatch& out) = 0;
  /// Offset of the next record to fetch (past the last one given out, control records included).
  virtual int64_t position() const = 0;
  /// Offset after the partition's last record, as known now without waiting. INT64_MAX: it will be
  /// known once it is reached (compressed files, the standard input).
  virtual int64_t end_offset() const = 0;
  /// True if the source can never end by itself (datagen without ROWS, a followed file, stdin
  /// open).
  virtual bool endless() const { return false; }
  /// Kafka: the next offset to write is unknown until the broker answered once.
  virtual bool caught_up() const { return position() >= end_offset(); }
};

/// The reading side of one query: its readers share connections (Kafka: one consumer).
class ReadSession {
 public:
  virtual ~ReadSession() = default;
  virtual Result<std::unique_ptr<PartitionReader>> Open(std::string_view topic, int32_t partition,
                                                        StartPosition start) = 0;
  /// Called (from any thread, often) when new records may be there. Set before the first Open.
  virtual void SetListener(std::function<void()> listener) = 0;
  /// Nobody looks at the headers of this topic's records: they need not be given out. Before its
  /// Open.
  virtual void SkipHeaders(std::string_view) {}
};

/// Reads key-value state, which is ordered by key bytes. Safe from any thread.
class StateReader {
 public:
  virtual ~StateReader() = default;
  virtual Result<std::optional<std::string>> Get(std::string_view key) const = 0;
  /// values[i] belongs to keys[i], which must be sorted.
  virtual Status MultiGet(const std::vector<std::string>& keys,
                          std::vector<std::optional<std::string>>& values) const = 0;
  /// Calls `visit` for each entry with `from` <= key < `to` ("" as `to`: to the end), in order,
  /// until it returns false. The views are valid during the call only.
  virtual Status Scan(
      std::string_view from, std::string_view to,
      const std::function<bool(std::string_view, std::string_view)>& visit) const = 0;
};

/// Durable state. Each read sees all that was committed before it, and nothing else.
class StateBackend : public StateReader {
 public:
  /// The state as it is now, whatever is committed later. It holds nobody up, and keeps what it
  /// needs of what is replaced until it is let go.
  virtual std::shared_ptr<const StateReader> Snapshot() const = 0;
};

/// What a query promises about its outputs when a copy dies (processing.guarantee).
enum class Guarantee : uint8_t { kAtLeastOnce, kExactlyOnce };

/// How far a group has read a partition, with a note of the committer's own (text without
/// null bytes, at most 4,000).
struct GroupOffset {
  std::string topic;
  int32_t partition = 0;
  int64_t next = 0;  ///< The first record not yet processed.
  std::string metadata;
};

struct GroupOptions {
  std::string name;
  /// The group shares out this topic's partition numbers; a copy that gets number n has partition n
  /// of every topic its tasks read.
  std::string anchor_topic;
  /// Called from any thread when Poll may have something. It may not call the group.
  std::function<void()> listener;
};

/// This copy's membership in the group that shares a sub-topology's partitions among all copies of
/// an application (Kafka's consumer groups, cooperative-sticky). It reads nothing itself. Its
/// calls come from one thread at a time; a unit with offsets of the group may be committed on
/// another one meanwhile. Destroying it leaves the group.
class PartitionGroup {
 public:
  struct Change {
    std::vector<int32_t> assigned;
    std::vector<int32_t> revoked;
    /// The revoked ones are another copy's already: nothing of theirs may be committed any more.
    bool lost = false;
  };
  virtual ~PartitionGroup() = default;
  /// What the group wants changed, if anything; never waits. Answer with Accept before the next
  /// Poll. Call it often: after max.poll.interval.ms without a call the group takes the copy for
  /// dead.
  virtual Result<std::optional<Change>> Poll() = 0;
  /// Tells the group that the change is made: tasks of revoked partitions are committed and closed,
  /// assigned ones are taken in. Never waits for the other copies.
  virtual Status Accept(const Change& change) = 0;
  /// What was last committed for the given partitions of a topic, in their order; null: nothing.
  /// Waits for the broker, and for transactions that are just committing offsets of the group.
  virtual Result<std::vector<std::optional<GroupOffset>>> Committed(
      std::string_view topic, const std::vector<int32_t>& partitions) = 0;
  virtual std::string_view name() const = 0;
  /// Number of the group's last rebalance that this copy took part in; a partition's later owner
  /// has a higher one. -1: not a member now.
  virtual int32_t generation() const { return -1; }
  /// By what DescribeGroup names this copy; empty: not a member now.
  virtual std::string member_id() const { return {}; }
  /// The group has told this copy its part, which may be nothing.
  virtual bool joined() const { return true; }
};

/// A copy of the application, as its group knows it.
struct GroupMember {
  std::string id;  ///< Unique in the group.
  std::string client_id;
  std::string host;
  /// What the copy gave as application.server, from its client id; empty: nothing.
  std::string server;
  std::vector<int32_t> partitions;  ///< Of the anchor topic.
};

/// One atomic step of a query: outputs, state changes and positions together. Filled by several
/// tasks (thread-safe calls), committed once, by any thread; the query's next unit may be filled
/// meanwhile. Units of one query are committed in the order in which they were filled, one after
/// another. A unit that is destroyed without Commit leaves no trace (Kafka at-least-once: outputs
/// already sent stay).
class CommitUnit {
 public:
  virtual ~CommitUnit() = default;
  /// Adds the builder's records to a topic's partition and leaves the builder empty.
  virtual Status Append(std::string_view topic, int32_t partition, RecordBatchBuilder& records) = 0;
  virtual void Put(std::string_view key, std::string_view value) = 0;
  virtual void Delete(std::string_view key) = 0;
  virtual void DeleteRange(std::string_view from, std::string_view to) = 0;
  /// As Put, behind all else, for what is known only while it is committed: readers that Over has
  /// given do not see it.
  virtual void PutLast(std::string_view key, std::string_view value) = 0;
  /// Bytes collected so far.
  virtual size_t byte_size() const = 0;
  /// The state as this unit leaves it: its changes over what `below` has, which must live as long
  /// as the reader. From then on nothing may be added before Commit has returned.
  virtual std::shared_ptr<const StateReader> Over(const StateReader& below) const = 0;

  // The next three are for brokers that share work between processes (Broker::shares_work); others
  // refuse them (kInternal).

  /// Records to be written after all else of this step is durable, before its offsets are
  /// committed.
  virtual Status AppendLast(std::string_view topic, int32_t partition, RecordBatchBuilder& records);
  /// Commits a position in the name of a group, which must outlive Commit. If the group has given
  /// the partition to another copy meanwhile, Commit fails (kTaskMigrated) and state is left
  /// unwritten.
  virtual Status AddOffset(PartitionGroup& group, GroupOffset offset);
  /// With the state changes, sets `key` to the offset after the last record that this unit has ever
  /// written to the partition (8 bytes, little endian), as PutLast does. Needs a record written to
  /// it since the unit was made.
  virtual Status PutWrittenOffset(std::string_view key, std::string_view topic, int32_t partition);
  /// Names the groups by which this copy owns the partitions that the unit's outputs come from;
  /// they must outlive it. Where a copy that stood still has been taken for dead, nothing is
  /// appended any more (kTaskMigrated).
  virtual void SetGroups(const std::vector<PartitionGroup*>&) {}
  /// Makes all of it durable, or none of it (on Kafka at-least-once: outputs first, then state with
  /// positions). Readers are woken. The unit is empty afterwards and can be filled again; on Kafka
  /// not after an error, which it gives from then on.
  virtual Status Commit() = 0;
};

/// An entry of state as it is written in bulk; no value deletes it.
struct StateEntry {
  std::string_view key;
  std::optional<std::string_view> value;
};

/// How the transactions of a query have ended in this process.
struct TransactionCounts {
  int64_t committed = 0;
  int64_t aborted = 0;
};

/// A place where topics and state live. Safe from any thread.
class Broker {
 public:
  virtual ~Broker() = default;
  virtual Status CreateTopic(const TopicInfo& info) = 0;  ///< kAlreadyExists.
  virtual Status DeleteTopic(std::string_view name) = 0;
  virtual Result<TopicInfo> DescribeTopic(std::string_view name) = 0;  ///< kUnknownTopic.
  virtual Result<std::vector<TopicInfo>> ListTopics() = 0;
  /// Offset after the last record of each partition.
  virtual Result<std::vector<int64_t>> EndOffsets(std::string_view topic) = 0;
  /// `name` is for logs and client ids. Reads committed records only.
  virtual Result<std::unique_ptr<ReadSession>> OpenReadSession(std::string_view name) = 0;
  virtual std::unique_ptr<CommitUnit> NewCommitUnit(
      std::string_view query_id, Guarantee guarantee = Guarantee::kAtLeastOnce) = 0;
  virtual StateBackend& state() = 0;
  /// Appends and returns when durable (acknowledged).
  virtual Status AppendDurably(std::string_view topic, int32_t partition,
                               RecordBatchBuilder& records) = 0;
  virtual std::string_view kind() const = 0;  ///< "memory", "local", "kafka".

  /// True: several processes with one application id share the partitions of each query out (Kafka
  /// with an application id). Only then may the calls below be made; others answer kInternal.
  virtual bool shares_work() const { return false; }
  virtual std::string_view application_id() const { return {}; }
  virtual Result<std::unique_ptr<PartitionGroup>> JoinGroup(const GroupOptions& options);
  /// A unit that only writes local state, without waiting for the disk: for restoring in bulk.
  virtual Result<std::unique_ptr<CommitUnit>> NewStateUnit();
  /// Writes entries that are sorted by key, no key twice, all or none of them, without waiting for
  /// the disk: for restoring in bulk.
  virtual Status LoadState(const std::vector<StateEntry>& sorted);
  /// The number of partitions that a topic has now, asked of the cluster: nothing remembered.
  virtual Result<int32_t> CountPartitions(std::string_view topic);
  /// The offset past everything written to a partition, records of open transactions included. A
  /// reader gets there once they have ended.
  virtual Result<int64_t> WriteEnd(std::string_view topic, int32_t partition);
  /// Frees the space of records with lower offsets.
  virtual Status DeleteRecordsBefore(std::string_view topic,
                                     const std::vector<std::pair<int32_t, int64_t>>& offsets);
  /// As PartitionGroup::Committed, from outside the group, for partitions [0, partitions).
  virtual Result<std::vector<std::optional<GroupOffset>>> CommittedOffsets(std::string_view group,
                                                                           std::string_view topic,
                                                                           int32_t partitions);
  /// The copies that are in a group now.
  virtual Result<std::vector<GroupMember>> DescribeGroup(std::string_view group);
  /// Names of all groups that begin with `prefix`.
  virtual Result<std::vector<std::string>> ListGroups(std::string_view prefix);
  /// Deletes a group's offsets. kAlreadyExists if copies are in it still.
  virtual Status DeleteGroup(std::string_view group);
  virtual TransactionCounts TransactionCountsOf(std::string_view) { return {}; }
  virtual Status Close() = 0;
};

struct BrokerOptions {
  std::string directory;
  std::string brokers;
  std::string application_id;
  std::string state_dir;
  std::string application_server;            ///< host:port that other copies name us by.
  bool sync_commits = true;                  ///< durability = 'power' (default) or 'process'.
  int64_t memory_limit = 0;                  ///< Of the engine; 0: none (see MemoryShares).
  std::map<std::string, std::string> kafka;  ///< librdkafka properties.
  std::function<void(int level, std::string_view)> log;
  /// The time at which a record is appended, ms since the epoch; none: the system's clock.
  std::function<int64_t()> now_ms;
};

/// What `options.now_ms` gives, or the system's clock.
int64_t AppendTime(const BrokerOptions& options);

Result<std::unique_ptr<Broker>> OpenMemoryBroker(const BrokerOptions& options = {});
Result<std::unique_ptr<Broker>> OpenLocalBroker(const BrokerOptions& options);
Result<std::unique_ptr<Broker>> OpenKafkaBroker(const BrokerOptions& options);

/// WITH properties of a source or sink that is not a topic of the broker: CONNECTOR='file' or
/// 'datagen'. Names are upper case.
struct ConnectorSpec {
  std::string source_name;
  std::map<std::string, std::string> properties;
  std::vector<ColumnSchema> columns;
};

/// A read session over an external source that behaves like a topic with `partitions` partitions.
struct ConnectorSource {
  int32_t partitions = 1;
  std::unique_ptr<ReadSession> session;  ///< Open(topic = source name, …).
};
Result<ConnectorSource> OpenConnectorSource(const ConnectorSpec& spec);
/// Columns of a file source without a column list, from its header and first 1,000 rows; also fills
/// VALUE_FORMAT by the file's extension where `spec` names none.
Result<std::vector<ColumnSchema>> InferConnectorColumns(ConnectorSpec& spec);

}  // namespace weir
