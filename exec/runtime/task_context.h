#pragma once

// What one root of one task offers its operators: state stores under the root's own prefix, and
// builders for its output.

#include <map>
#include <memory>
#include <string>

#include "exec/operators/operator.h"
#include "exec/runtime/query_environment.h"
#include "exec/runtime/task_journal.h"

namespace weir {

class RootContext : public TaskContext {
 public:
  /// `journal` takes the state of the task; null where none is kept.
  RootContext(QueryEnvironment& environment, int query_root, int32_t partition,
              TaskJournal* journal);
  ~RootContext() override;

  StateStore& Store(std::string_view name) override;
  OutputCollector& outputs() override;
  RowReceiver* receiver() override { return env_.receiver; }
  QueryCounters& counters() override { return *env_.counters[query_root_]; }
  int32_t partition() const override { return partition_; }
  bool emit_every_change() const override { return env_.settings.emit_every_change; }
  int64_t now_ms() const override {
    return env_.now_ms ? *env_.now_ms : env_.clock->NowMs();
  }
  std::string_view SourceTopic(int32_t source) const override;
  int64_t setting(std::string_view name, int64_t fallback) const override;
  void AccountMemory(int64_t bytes) override;

  /// Moves collected output into the commit unit.
  Status FlushOutputs();
  int query_root() const { return query_root_; }

 private:
  class Outputs;
  QueryEnvironment& env_;
  const int query_root_;
  const int32_t partition_;
  TaskJournal* const journal_;
  int64_t memory_ = 0;   // Accounted for.
  std::map<std::string, std::unique_ptr<StateStore>, std::less<>> stores_;
  std::unique_ptr<Outputs> outputs_;
};

/// A number as 4 big-endian bytes, so that keys sort by it.
void AppendBigEndian32(uint32_t value, std::string& out);

}  // namespace weir
