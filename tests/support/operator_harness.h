#pragma once

// Runs one operator as a task would: stores in memory, rows stamped with stream time, everything
// that comes out kept as text.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exec/operators/operators.h"
#include "tests/support/batch_text.h"

namespace weir::test {

/// A state store in memory. What is put can be read at once.
class MemoryStore : public StateStore {
 public:
  Status Scan(std::string_view from, std::string_view to,
              const std::function<bool(std::string_view, std::string_view)>& visit) const override;
  Status MultiGet(const std::vector<std::string>& keys,
                  std::vector<std::optional<std::string>>& values) const override;
  void Put(std::string_view key, std::string_view value) override;
  void Delete(std::string_view key) override;
  void DeleteRange(std::string_view from, std::string_view to) override;
  /// What is written from now on is seen after Release only, as with a commit under way.
  void Hold() { holds_ = true; }
  void Release();
  const std::map<std::string, std::string>& entries() const { return entries_; }
  /// Keys looked up so far.
  size_t keys_asked() const { return keys_asked_; }

 private:
  std::map<std::string, std::string> entries_;
  bool holds_ = false;
  std::vector<std::function<void()>> held_;
  mutable size_t keys_asked_ = 0;
};

class FakeContext : public TaskContext,
                    public QueryCounters,
                    public OutputCollector,
                    public RowReceiver {
 public:
  StateStore& Store(std::string_view name) override { return stores_[std::string(name)]; }
  OutputCollector& outputs() override { return *this; }
  RowReceiver* receiver() override { return this; }
  QueryCounters& counters() override { return *this; }
  int32_t partition() const override { return 0; }
  bool emit_every_change() const override { return every_change; }
  int64_t now_ms() const override { return now; }
  std::string_view SourceTopic(int32_t) const override { return "topic"; }
  int64_t setting(std::string_view name, int64_t fallback) const override {
    const auto found = settings.find(std::string(name));
    return found == settings.end() ? fallback : found->second;
  }
  void AccountMemory(int64_t bytes) override { memory += bytes; }
  int64_t MemoryShare(int64_t) const override { return memory_share; }
  void AskForCommit() override { commit_asked = true; }

  void Dropped(std::string_view reason, int64_t rows) override {
    dropped[std::string(reason)] += rows;
  }
  void LogError(std::string_view reason, std::string_view topic, int32_t partition, int64_t offset,
                std::string_view cause) override;
  void LogErrorAt(std::string_view reason, std::string_view place,
                  std::string_view cause) override {
    errors.push_back(std::string(reason) + " " + std::string(place) + ": " + std::string(cause));
  }
  void RecordsOut(int64_t records) override { records_out += records; }

  RecordBatchBuilder& Partition(std::string_view topic, int32_t partition) override {
    return topics[std::string(topic)][partition];
  }
  int32_t PartitionCount(std::string_view) override { return partition_count; }
  Status OnRows(const Chunk& rows) override;

  bool every_change = true;
  int64_t now = 0;
  int64_t memory = 0;
  int64_t memory_share = INT64_MAX;
  bool commit_asked = false;
  int64_t records_out = 0;
  int32_t partition_count = 1;
  std::map<std::string, int64_t> settings;
  std::map<std::string, int64_t> dropped;
  std::vector<std::string> errors;
  std::map<std::string, std::map<int32_t, RecordBatchBuilder>> topics;
  std::vector<std::string> received;
  std::map<std::string, MemoryStore> stores_;
};

/// Keeps what comes out, as text.
class Sink : public Operator {
 public:
  Status OnBatch(int, Chunk chunk) override;
  std::vector<std::string> lines;
};

/// Declares the stores of a node that a test has put together.
const physical::Node& WithStores(const physical::Node& node);

/// One operator with its sink.
class Harness {
 public:
  explicit Harness(const physical::Node& node) : node_(node) { Start(); }

  /// Pushes rows into an input and then stream time, as the runtime does. In pieces of `cut` rows.
  void Push(int input, const Chunk& chunk, int32_t cut = INT32_MAX);
  void Push(int input, std::string_view text, int32_t cut = INT32_MAX) {
    Push(input, ChunkFromText(*node_.inputs[input]->schema, text), cut);
  }
  /// Commits, throws the operator away and starts it again on what was saved.
  void Restart();
  /// Starts it again without a commit.
  void OpenAgain();
  void Barrier();
  /// A commit that lasts: rows may be pushed between these two.
  void BeginCommit();
  void EndCommit();
  /// What came out since the last call.
  std::vector<std::string> Take();
  FakeContext& context() { return context_; }
  Operator& op() { return *operator_; }

 private:
  void Start();
  const physical::Node& node_;
  FakeContext context_;
  Sink sink_;
  std::unique_ptr<Operator> operator_;
  int64_t highest_[2] = {INT64_MIN, INT64_MIN};
};

/// The last value of each key and window, deleted ones left out. Keys are the first `keys` columns.
std::map<std::string, std::string> FinalRows(const std::vector<std::string>& lines, int keys);

/// A leaf with a schema, to stand for what feeds a node under test.
physical::NodePtr InputNode(std::string_view schema,
                            physical::ChangeMode mode = physical::ChangeMode::kAppend);
/// A call of a built-in aggregate function.
physical::AggregateCall Aggregate(std::string_view name, std::vector<DataType> types,
                                  std::vector<int> columns);

}  // namespace weir::test
