#include "exec/runtime/exchange/exchange_output.h"

#include <algorithm>
#include <cstring>

#include "base/status_macros.h"
#include "exec/operators/chunk_rows.h"

namespace weir {
namespace {

int64_t HighestStreamTime(const Chunk& chunk) {
  const ColumnPtr& column = chunk.sys(SystemColumn::kStreamTime);
  if (column == nullptr || chunk.active_rows() == 0) return INT64_MIN;
  // Stream time never falls within a source partition, so the last row has the highest.
  const int32_t last = chunk.selection ? chunk.selection->back() : chunk.rows - 1;
  return column->values<int64_t>()[last];
}

class ExchangeOutput : public Operator {
 public:
  ExchangeOutput(ExchangeBuffer& buffer, int32_t from_task, std::unique_ptr<ExchangeRouter> router)
      : upstream_(buffer.upstreams()[from_task]),
        partitions_(buffer.plan().partitions),
        router_(std::move(router)) {}

  Status Open(TaskContext& context) override {
    context_ = &context;
    WEIR_RETURN_IF_ERROR(router_->Open(context));
    // Windows behind the exchange go on from where the last commit left them.
    upstream_.stream_time = router_->StreamTime();
    return OkStatus();
  }

  Status OnBatch(int, Chunk chunk) override {
    parts_.clear();
    parts_.resize(partitions_);
    WEIR_RETURN_IF_ERROR(router_->Route(std::move(chunk), *context_, parts_));
    for (int32_t partition = 0; partition < partitions_; ++partition) {
      Chunk& part = parts_[partition];
      if (part.active_rows() == 0) continue;
      upstream_.stream_time = std::max(upstream_.stream_time, HighestStreamTime(part));
      upstream_.bytes_sent += ByteSize(part);
      upstream_.slots[partition].push_back(std::move(part));
    }
    return OkStatus();
  }

  Status OnBarrier() override { return router_->OnBarrier(*context_); }

 private:
  ExchangeBuffer::Upstream& upstream_;
  const int32_t partitions_;
  std::unique_ptr<ExchangeRouter> router_;
  TaskContext* context_ = nullptr;
  std::vector<Chunk> parts_;
};

class StreamTimeTracker : public Operator {
 public:
  StreamTimeTracker(std::string store_name, int input, int key_columns)
      : store_name_(std::move(store_name)), input_(input), key_columns_(key_columns) {}

  Status Open(TaskContext& context) override {
    store_ = &context.Store(store_name_);
    return store_->Scan("", "", [&](std::string_view, std::string_view value) {
      if (value.size() == sizeof(highest_)) std::memcpy(&highest_, value.data(), sizeof(highest_));
      return false;
    });
  }

  Status OnBatch(int, Chunk chunk) override {
    const auto times = chunk.row_time()->values<int64_t>();
    uint8_t* data = nullptr;
    BufferPtr buffer = MakeBuffer(static_cast<size_t>(chunk.rows) * sizeof(int64_t), &data);
    auto* stream_times = reinterpret_cast<int64_t*>(data);
    const int64_t before = highest_;
    bool all_count = chunk.ops == nullptr;
    for (int i = 0; i < key_columns_; ++i) all_count &= !chunk.columns[i]->has_nulls();
    if (!all_count) {
      StampCounted(chunk, stream_times);
    } else if (chunk.selection) {
      for (int32_t row : *chunk.selection) {
        highest_ = std::max(highest_, times[row]);
        stream_times[row] = highest_;
      }
    } else {
      for (int32_t row = 0; row < chunk.rows; ++row) {
        highest_ = std::max(highest_, times[row]);
        stream_times[row] = highest_;
      }
    }
    dirty_ |= highest_ != before;
    chunk.sys(SystemColumn::kStreamTime) = MakeColumn(
        Column::Parts{DataType::Bigint(), chunk.rows, nullptr, std::move(buffer), nullptr, {}});
    WEIR_RETURN_IF_ERROR(out_.Emit(std::move(chunk)));
    if (highest_ == INT64_MIN) return OkStatus();  // No row has counted yet.
    return out_.next()->OnStreamTime(input_, highest_);
  }

  // Time from further up has no say here: this point keeps its own.
  Status OnStreamTime(int, int64_t) override { return OkStatus(); }

  Status OnBarrier() override {
    if (!dirty_) return OkStatus();
    store_->Put("max",
                std::string_view(reinterpret_cast<const char*>(&highest_), sizeof(highest_)));
    dirty_ = false;
    return OkStatus();
  }

 private:
  void StampCounted(const Chunk& chunk, int64_t* stream_times) {
    const auto times = chunk.row_time()->values<int64_t>();
    for (int32_t row : numbers_.Of(chunk)) {
      const RowOp op = chunk.op(row);
      bool counts = op != RowOp::kDelete && op != RowOp::kUpdateBefore;
      for (int i = 0; i < key_columns_; ++i) counts &= !chunk.columns[i]->IsNull(row);
      if (counts) highest_ = std::max(highest_, times[row]);
      stream_times[row] = highest_;
    }
  }

  const std::string store_name_;
  const int input_;
  const int key_columns_;
  RowNumbers numbers_;
  StateStore* store_ = nullptr;
  int64_t highest_ = INT64_MIN;
  bool dirty_ = false;
};

}  // namespace

std::unique_ptr<Operator> MakeExchangeOutput(ExchangeBuffer& buffer, int32_t from_task,
                                             std::unique_ptr<ExchangeRouter> router) {
  return std::make_unique<ExchangeOutput>(buffer, from_task, std::move(router));
}

std::unique_ptr<Operator> MakeStreamTimeTracker(std::string store_name, int input,
                                                int key_columns) {
  return std::make_unique<StreamTimeTracker>(std::move(store_name), input, key_columns);
}

}  // namespace weir
