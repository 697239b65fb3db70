#pragma once

// The receiving end of an exchange in one task. Chunks come in rounds from all upstream tasks;
// where the consumer depends on their order they are merged by (stream time, topic, partition,
// offset) and rows wait until no upstream can still send an earlier one. Rows also wait, in any
// case, while the task waits for another input. What waits is part of the commit: its sources are
// not read again.

#include <deque>
#include <memory>
#include <string_view>
#include <vector>

#include "exec/runtime/exchange/repartition_input.h"
#include "exec/runtime/query/query_environment.h"
#include "exec/runtime/task/task_input.h"
#include "exec/state/rows/row_gather.h"

namespace weir {

class ExchangeInput final : public TaskInput {
 public:
  /// Rows come within the process, through `buffer`.
  ExchangeInput(ExchangeBuffer& buffer, int exchange, int32_t partition,
                std::vector<EntryPoint>& entries);
  /// Rows come by a topic, opened already.
  ExchangeInput(std::unique_ptr<RepartitionInput> topic, int exchange, int32_t partition,
                std::vector<EntryPoint>& entries);

  /// Reads back rows that were held when the last commit was made.
  Status Open(TaskContext& context);
  /// True if `stream_time` is beyond what it was when last asked.
  bool Advances(int64_t stream_time);
  int exchange() const { return exchange_; }
  /// Null where rows come within the process.
  const RepartitionInput* topic() const { return topic_.get(); }

  Status BeginRound(const Round& round, bool* any) override;
  Status Fill(bool*) override { return OkStatus(); }
  bool has_rows() const override { return !ready_.empty(); }
  Run run() const override;
  Chunk Take(int32_t count) override;
  /// No upstream has unread records, and nothing is held here.
  bool caught_up() const override;
  bool drained() const override;
  /// Stream time as far as rows that wait here allow.
  int64_t StreamTime(const Round& round) const override;
  Status OnBarrier() override;
  void NotePosition(TaskJournal& journal) override;
  int64_t position() const override { return topic_ == nullptr ? -1 : topic_->reader().position(); }

 private:
  struct Held {
    Chunk chunk;
    int32_t upstream;
    int32_t next = 0;  // First row not yet released; held chunks are flat.
  };
  Status Release(int64_t up_to);
  Status AddReady(std::vector<Chunk>& from, std::vector<RowRef>& rows);
  Status Restore(std::string_view key, Chunk chunk);
  std::vector<int32_t> ReadyRows(size_t i) const;

  const std::unique_ptr<RepartitionInput> topic_;
  ExchangeBuffer& buffer_;
  const int exchange_;
  const int32_t partition_;
  const bool merge_;
  std::deque<Chunk> ready_;
  int32_t ready_next_ = 0;              // Index into the active rows of ready_.front().
  std::vector<std::deque<Held>> held_;  // By upstream.
  StateStore* store_ = nullptr;
  bool store_dirty_ = false;
  bool store_holds_ = false;  // The last commit left rows in the store.
  int64_t last_stream_time_ = INT64_MIN;
};

}  // namespace weir
