#include "exec/runtime/exchange/repartition_output.h"

#include <algorithm>
#include <numeric>

#include "base/status_macros.h"
#include "exec/runtime/exchange/rows_block.h"
#include "exec/runtime/internal_topics.h"

namespace weir {
namespace {

// Well below what brokers take (message.max.bytes, 1 MB by default).
constexpr size_t kBlockBytesMax = 512u << 10;

int64_t HighestStreamTime(const Chunk& rows) {
  const ColumnPtr& column = rows.sys(SystemColumn::kStreamTime);
  if (column == nullptr || rows.rows == 0) return INT64_MIN;
  const auto times = column->values<int64_t>();
  return *std::max_element(times.begin(), times.begin() + rows.rows);
}

}  // namespace

RepartitionOutput::RepartitionOutput(QueryEnvironment& environment, ExchangeBuffer& outbox,
                                     int exchange, int32_t upstream)
    : env_(environment),
      outbox_(outbox),
      topic_(RepartitionTopic(environment, exchange)),
      upstream_(upstream),
      told_(static_cast<size_t>(outbox.plan().partitions)) {}

Status RepartitionOutput::Flush(bool at_barrier) {
  ExchangeBuffer::Upstream& upstream = outbox_.upstreams()[upstream_];
  const bool drained = upstream.drained_since_ms >= 0;
  const int64_t now_ms = env_.clock->NowMs();
  for (size_t partition = 0; partition < told_.size(); ++partition) {
    std::vector<Chunk>& slot = upstream.slots[partition];
    Told& told = told_[partition];
    const BlockHeader last{upstream_, upstream.stream_time, drained};
    if (slot.empty()) {
      const bool news = told.drained != drained || !told.anything ||
                        (at_barrier && told.stream_time != upstream.stream_time);
      if (!news) continue;
      Add(EncodeBlock(last, nullptr), now_ms);
    }
    for (size_t i = 0; i < slot.size(); ++i) {
      AddRows(Flatten(std::move(slot[i])), i + 1 == slot.size() ? &last : nullptr, now_ms);
    }
    slot.clear();
    told = {upstream.stream_time, drained, true};
    WEIR_RETURN_IF_ERROR(env_.commit->Append(topic_, static_cast<int32_t>(partition), records_));
  }
  return OkStatus();
}

// Only the last message of all says where the task has got to: windows must not close before rows
// that are still to be read.
void RepartitionOutput::AddRows(Chunk rows, const BlockHeader* last, int64_t now_ms) {
  const BlockHeader here{upstream_, HighestStreamTime(rows), false};
  std::string value = EncodeBlock(last != nullptr ? *last : here, &rows);
  if (value.size() <= kBlockBytesMax || rows.rows == 1) {
    Add(value, now_ms);
    return;
  }
  std::vector<int32_t> half(static_cast<size_t>(rows.rows / 2));
  std::iota(half.begin(), half.end(), 0);
  std::vector<int32_t> rest(static_cast<size_t>(rows.rows) - half.size());
  std::iota(rest.begin(), rest.end(), static_cast<int32_t>(half.size()));
  AddRows(GatherChunk(rows, half), nullptr, now_ms);
  AddRows(GatherChunk(rows, rest), last, now_ms);
}

void RepartitionOutput::Add(std::string_view value, int64_t now_ms) {
  records_.AddCopy(nullptr, &value, {}, now_ms);
}

}  // namespace weir
