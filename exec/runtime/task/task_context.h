#pragma once

// What one root of one task offers its operators: state stores under the root's own prefix, and
// builders for its output.

#include <map>
#include <memory>
#include <string>

#include "exec/operators/operator.h"
#include "exec/runtime/query/query_environment.h"
#include "exec/runtime/task/task_journal.h"

namespace weir {

class RootContext : public TaskContext {
 public:
  /// `journal` takes the state of the task; null where none is kept.
  RootContext(QueryEnvironment& environment, int query_root, int32_t partition,
              TaskJournal* journal);
  ~RootContext() override;

  StateStore& Store(std::string_view name) override;
  OutputCollector& outputs() override;
  SchemaRegistry* schemas() override { return env_.schemas.get(); }
  RowReceiver* receiver() override;
  QueryCounters& counters() override;
  int32_t partition() const override { return partition_; }
  bool emit_every_change() const override { return env_.settings.emit_every_change; }
  int64_t now_ms() const override { return env_.now_ms ? *env_.now_ms : env_.clock->NowMs(); }
  std::string_view SourceTopic(int32_t source) const override;
  int64_t setting(std::string_view name, int64_t fallback) const override;
  void AccountMemory(int64_t bytes) override;
  int64_t MemoryShare(int64_t held) const override {
    const int64_t share = env_.MemoryShare(held);
    // What small holders have would not help, and is in use more often; but for very many of them.
    const int64_t budget = env_.StateBudget();
    const bool spared = held < budget / 256 && env_.MemoryUsed() < budget + budget / 4;
    return share > 0 && spared ? INT64_MAX : share;
  }
  void AskForCommit() override { env_.commit_asked = true; }

  /// Moves collected output into the commit unit.
  Status FlushOutputs();
  int query_root() const { return query_root_; }
  /// Bytes of what its sinks have given out so far.
  size_t made_bytes() const { return made_bytes_; }

 private:
  class Outputs;
  class MeasuredCounters;
  class MeasuredReceiver;
  QueryEnvironment& env_;
  const int query_root_;
  const int32_t partition_;
  TaskJournal* const journal_;
  int64_t memory_ = 0;  // Accounted for.
  std::map<std::string, std::unique_ptr<StateStore>, std::less<>> stores_;
  std::unique_ptr<Outputs> outputs_;
  std::unique_ptr<MeasuredCounters> counters_;
  std::unique_ptr<MeasuredReceiver> receiver_;
  size_t made_bytes_ = 0;
};

/// A number as 4 big-endian bytes, so that keys sort by it.
void AppendBigEndian32(uint32_t value, std::string& out);

}  // namespace weir
