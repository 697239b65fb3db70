#pragma once

// What all tasks of one query share: its identity, settings, counters, and the commit under way.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/memory_shares.h"
#include "exec/connect/files/file_sink.h"
#include "exec/connect/topic.h"
#include "exec/operators/operator.h"
#include "exec/runtime/query/recent_rate.h"
#include "exec/runtime/stage_plan.h"
#include "weir/engine.h"
#include "weir/options.h"

namespace weir {

/// Settings a query was created with; it keeps them for life.
struct QuerySettings {
  bool emit_every_change = false;  ///< cache.max.bytes.buffering = 0.
  int64_t commit_interval_ms = 100;
  int64_t commit_bytes_max = 16 << 20;
  int64_t max_task_idle_ms = 0;
  bool start_latest = false;                      ///< auto.offset.reset = latest.
  Guarantee guarantee = Guarantee::kAtLeastOnce;  ///< Where copies share the work.
  int64_t standby_replicas = 0;                   ///< Likewise; copies beside the owner.
  int64_t memory_limit = 0;                       ///< Bytes for the whole engine; 0: none.
  bool state_spills = false;  ///< State leaves memory at every commit, all of it.
  std::map<std::string, int64_t, std::less<>> numbers;
  /// Output that one commit is to have, at most. Twice as much may wait in all: while a commit is
  /// made the next one is filled.
  int64_t CommitBytesMax() const {
    return std::min(commit_bytes_max, MemoryShares::Of(memory_limit).commit / 2);
  }
};

/// Counters of one query. Safe from any thread; never blocks for long.
class QueryCounterSet : public QueryCounters {
 public:
  void Dropped(std::string_view reason, int64_t rows) override;
  void LogError(std::string_view reason, std::string_view topic, int32_t partition, int64_t offset,
                std::string_view cause) override;
  void LogErrorAt(std::string_view reason, std::string_view place, std::string_view cause) override;
  void RecordsOut(int64_t records) override { records_out_ += records; }
  void BytesOut(int64_t bytes) override { bytes_out_ += bytes; }
  void RecordsIn(int64_t records, int64_t bytes) {
    records_in_ += records;
    bytes_in_ += bytes;
  }
  /// A commit was made, by one thread at a time, and took so many microseconds.
  void Committed(int64_t micros) {
    ++commits_;
    commit_last_us_ = micros;
    if (micros > commit_max_us_) commit_max_us_ = micros;
  }
  /// Keeps the numbers of this moment for the rates; by one thread at a time.
  void NoteRates();
  /// Where log lines go; set before the first record.
  void SetLog(std::function<void(std::string_view)> log) { log_ = std::move(log); }
  void FillInto(QueryMetrics& metrics) const;

 private:
  static constexpr size_t kErrorsKept = 20;
  static constexpr int64_t kErrorsLogged = 20;  // By reason.
  std::atomic<int64_t> records_in_{0}, bytes_in_{0}, records_out_{0}, bytes_out_{0};
  std::atomic<int64_t> commits_{0}, commit_last_us_{0}, commit_max_us_{0};
  mutable std::mutex mutex_;
  std::map<std::string, int64_t, std::less<>> dropped_;
  std::map<std::string, int64_t, std::less<>> logged_;
  std::deque<std::string> last_errors_;
  RecentRate in_rate_{std::chrono::steady_clock::now()};  // Under mutex_, as the one below.
  RecentRate out_rate_{std::chrono::steady_clock::now()};
  std::function<void(std::string_view)> log_;
};

/// Rows crossing one exchange within a round. Upstream tasks write their own slots in one phase,
/// downstream tasks read them in the next; phases are separated by the round, so nothing is locked.
class ExchangeBuffer {
 public:
  ExchangeBuffer(const ExchangePlan& plan, int32_t from_tasks);

  struct Upstream {
    int64_t stream_time = INT64_MIN;        ///< Highest event time it has sent.
    int64_t drained_since_ms = -1;          ///< Wall clock; -1: has unread records.
    size_t bytes_sent = 0;                  ///< Of all chunks so far.
    std::vector<std::vector<Chunk>> slots;  ///< By downstream partition.
  };
  std::vector<Upstream>& upstreams() { return upstreams_; }
  const std::vector<Upstream>& upstreams() const { return upstreams_; }
  const ExchangePlan& plan() const { return *plan_; }
  /// The stream time that windows behind the exchange go by: the minimum over the upstreams that
  /// are not idle; the maximum when all are; INT64_MIN when nothing has come yet.
  int64_t StreamTime(int64_t now_ms, int64_t max_idle_ms) const;

 private:
  const ExchangePlan* plan_;
  std::vector<Upstream> upstreams_;
};

/// Gives the next rows of a source that is not read; nothing at its end.
using RowSupply = std::function<Result<std::optional<Chunk>>()>;

struct QueryEnvironment {
  std::string id;            ///< Of the query or pipeline.
  std::string state_prefix;  ///< Of all its keys in the state backend.
  std::shared_ptr<Broker> broker;
  std::shared_ptr<SchemaRegistry> schemas;  ///< Of formats that need them; may be null.
  const Clock* clock = nullptr;
  QuerySettings settings;
  QueryStages stages;
  /// One a root of the plan: pipelines count each query by itself.
  std::vector<std::shared_ptr<QueryCounterSet>> counters;
  std::vector<std::string> root_ids;   ///< Query id of each root.
  std::vector<std::string> state_ids;  ///< What the state of each lies under.
  /// Names of the stores that the plan of each root declares: no other is opened.
  std::vector<std::set<std::string, std::less<>>> declared_stores;
  uint64_t fingerprint = 0;         ///< Of the plan, as state and positions carry it.
  uint64_t legacy_fingerprint = 0;  ///< Theirs where an earlier version wrote them.
  /// Copies share the tasks out by consumer groups, exchanges are topics, and state travels by
  /// changelog topics. Else all tasks run here.
  bool shared = false;
  std::vector<PartitionGroup*> groups;  ///< By stage, where shared.
  /// By stage: in which generation of its group a partition came here, where shared.
  std::vector<std::map<int32_t, int32_t>> generations;
  int32_t GenerationOf(int stage, int32_t partition) const {
    const auto it = generations[stage].find(partition);
    return it == generations[stage].end() ? -1 : it->second;
  }
  ReadSession* internal_session = nullptr;  ///< Reads internal topics, where shared.
  RowReceiver* receiver = nullptr;          ///< For transient queries.
  /// False while the receiver has no room; may be empty.
  std::function<bool()> has_room;
  std::atomic<bool> finish_soon{false};  ///< The round is to end as soon as it can.
  std::atomic<bool> give_up{false};      ///< Nobody waits for the round any more: see interrupt.h.
  std::unique_ptr<CommitUnit> commit;    ///< Being filled.
  FileSinks file_sinks;
  /// What commits have left: where one is not durable yet, read through it. Changed between rounds.
  std::shared_ptr<const StateReader> state;
  size_t sealed_bytes = 0;    ///< Of the commit under way,…
  size_t sealed_outputs = 0;  ///< …and of its outputs alone.
  /// The next unit to be filled.
  std::unique_ptr<CommitUnit> NewCommitUnit() const {
    auto unit = broker->NewCommitUnit(id, settings.guarantee);
    unit->SetGroups(groups);
    return file_sinks.Add(std::move(unit));
  }
  /// The state is read as the last durable commit has left it.
  void ReadCommitted() { state = std::shared_ptr<const StateReader>(broker, &broker->state()); }
  /// Outputs that wait for a commit, and what the commit under way holds besides.
  int64_t OutputsWaiting() const {
    const size_t filling = commit == nullptr ? 0 : commit->byte_size();
    return static_cast<int64_t>(filling + sealed_outputs);
  }
  int64_t BytesWaiting() const {
    const size_t filling = commit == nullptr ? 0 : commit->byte_size();
    return static_cast<int64_t>(filling + sealed_bytes);
  }
  std::vector<std::unique_ptr<ExchangeBuffer>> exchanges;
  /// By source and partition: where this round's reading ends. What is appended while tasks take
  /// their turns would make those that come first look as if they had ended. Empty: not noted.
  std::vector<std::vector<int64_t>> round_ends;
  std::atomic<int64_t>* memory_used = nullptr;  ///< Of the engine.
  /// Counts against memory.limit besides, where `memory_used` is only of queries such as this.
  const std::atomic<int64_t>* memory_of_others = nullptr;
  std::atomic<int64_t> state_bytes{0};        ///< Of this query.
  std::atomic<int64_t> read_since_commit{0};  ///< Bytes of records.
  int64_t read_max = INT64_MAX;               ///< Changed between rounds.
  int64_t MemoryUsed() const {
    const int64_t others = memory_of_others == nullptr ? 0 : memory_of_others->load();
    return memory_used == nullptr ? others : memory_used->load() + others;
  }
  std::atomic<bool> past_memory_limit{false};  ///< A bounded query was given up for that.
  bool IsPastMemoryLimit() const {
    return settings.memory_limit > 0 && MemoryUsed() > settings.memory_limit;
  }
  /// State is measured at commits. Whether it is time for one, as what was read since and
  /// `waiting_bytes` that wait for the commit may have brought the engine to its memory.limit.
  bool ShouldMeasureMemory(int64_t waiting_bytes) const {
    const int64_t limit = settings.memory_limit;
    if (limit <= 0 || memory_used == nullptr) return false;
    return read_since_commit > std::min(read_max, MemoryShares::Of(limit).between_commits) ||
           *memory_used + waiting_bytes > limit;
  }
  /// Takes note of how large a commit was for what had been read. It is held several times over
  /// while it is written, and its size is known only at the barrier: so the next one comes after so
  /// much less reading that it has its share of memory, and a third of what state leaves of its
  /// own.
  void NoteCommitSize(int64_t read, int64_t committed) {
    constexpr int64_t kReadMin = int64_t{256} << 10;  // Less tells nothing.
    if (read < kReadMin || committed <= 0 || settings.memory_limit <= 0) return;
    const MemoryShares shares = MemoryShares::Of(settings.memory_limit);
    const int64_t spare = std::max<int64_t>(0, shares.state - MemoryUsed());
    const auto share = static_cast<double>(shares.committed + spare / 3);
    read_max = std::max(kReadMin, static_cast<int64_t>(static_cast<double>(read) * share /
                                                       static_cast<double>(committed)));
  }
  bool has_disk = true;  ///< State that is stored leaves memory by that.
  /// What operators may hold in memory of state that can also be read from a store; 0: all of it.
  int64_t StateBudget() const {
    const bool bounded_by_it = memory_used != nullptr && has_disk && settings.memory_limit > 0;
    return bounded_by_it ? MemoryShares::Of(settings.memory_limit).state : 0;
  }
  /// By how much all that is held has to shrink for that: so much of `held` bytes may stay.
  int64_t MemoryShare(int64_t held) const {
    if (settings.state_spills) return 0;
    const int64_t budget = StateBudget();
    const int64_t used = MemoryUsed();
    if (budget <= 0 || used <= budget) return INT64_MAX;
    return static_cast<int64_t>(static_cast<double>(held) * static_cast<double>(budget) /
                                static_cast<double>(used));
  }
  std::atomic<bool> commit_asked{false};  ///< By an operator: TaskContext::AskForCommit.
  std::map<std::string, int32_t, std::less<>> sink_partitions;  ///< Topic → partitions.
  /// The query reads what there is and ends.
  bool bounded = false;
  /// Of a bounded query, by source: rows that are handed to it (TopicSource::Origin), and by
  /// partition where its topic ends (none: where the connector does).
  std::vector<RowSupply> given_rows;
  std::vector<std::vector<int64_t>> source_ends;
  std::optional<int64_t> now_ms;  ///< The time that all rows see; else the clock's.
};

}  // namespace weir
