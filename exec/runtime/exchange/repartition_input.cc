#include "exec/runtime/exchange/repartition_input.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/runtime/exchange/rows_block.h"
#include "exec/runtime/internal_topics.h"
#include "exec/runtime/task/task_context.h"

namespace weir {
namespace {

// Messages are blocks of many rows.
constexpr int32_t kMessagesPerFetch = 256;
constexpr size_t kUpstreamBytes = sizeof(int64_t) + 1;

}  // namespace

RepartitionInput::RepartitionInput(QueryEnvironment& environment, int exchange, int32_t partition)
    : env_(environment),
      partition_(partition),
      topic_(RepartitionTopic(environment, exchange)),
      inbox_(
          environment.stages.exchanges[exchange],
          environment.stages.stages[environment.stages.exchanges[exchange].from_stage].partitions) {
}

Status RepartitionInput::Open(TaskContext& context, TaskJournal& journal) {
  store_ = &context.Store(inbox_.plan().node->StoreName(physical::StoreKind::kUpstreams));
  WEIR_RETURN_IF_ERROR(LoadUpstreams());
  StartPosition start;
  const InputPosition* committed = journal.Find(topic_);
  if (committed != nullptr) start = {StartPosition::Kind::kOffset, committed->next};
  WEIR_ASSIGN_OR_RETURN(reader_, env_.internal_session->Open(topic_, partition_, start));
  return OkStatus();
}

Status RepartitionInput::LoadUpstreams() {
  WEIR_RETURN_IF_ERROR(store_->Scan("", "", [&](std::string_view, std::string_view value) {
    saved_ = value;
    return false;
  }));
  std::vector<ExchangeBuffer::Upstream>& upstreams = inbox_.upstreams();
  if (saved_.empty()) return OkStatus();
  // A source that has got partitions has more tasks that read it.
  if (saved_.size() % kUpstreamBytes != 0 || saved_.size() > upstreams.size() * kUpstreamBytes) {
    return Status(ErrorCode::kPartitionsChanged,
                  fmt::format("query {} was fed by {} tasks and is now fed by {}", env_.id,
                              saved_.size() / kUpstreamBytes, upstreams.size()))
        .WithHint(
            "stop all copies and run `weir reset --query` for it, which starts it from the "
            "beginning of its sources");
  }
  const char* at = saved_.data();
  for (size_t i = 0; i < saved_.size() / kUpstreamBytes; ++i) {
    ExchangeBuffer::Upstream& upstream = upstreams[i];
    std::memcpy(&upstream.stream_time, at, sizeof(int64_t));
    upstream.drained_since_ms = at[sizeof(int64_t)] != 0 ? env_.clock->NowMs() : -1;
    at += kUpstreamBytes;
  }
  return OkStatus();
}

Status RepartitionInput::Poll(bool* any) {
  WEIR_RETURN_IF_ERROR(reader_->Fetch(kMessagesPerFetch, limits::kBatchBytesMax, batch_));
  for (int32_t i = 0; i < batch_.size(); ++i) {
    *any = true;
    WEIR_RETURN_IF_ERROR(TakeBlock(batch_.View(batch_.values[i]), batch_.offsets[i]));
  }
  return OkStatus();
}

Status RepartitionInput::TakeBlock(std::string_view bytes, int64_t offset) {
  BlockHeader header;
  Chunk rows;
  Status decoded = DecodeBlock(*inbox_.plan().node->schema, bytes, header, rows);
  if (decoded.ok() &&
      (header.upstream < 0 || header.upstream >= static_cast<int32_t>(inbox_.upstreams().size()))) {
    decoded = UnknownUpstream(header.upstream);
    if (decoded.code() == ErrorCode::kTaskMigrated) return decoded;
  }
  if (!decoded.ok()) {
    return Status(decoded.code(), fmt::format("{}: topic {}, partition {}, offset {}",
                                              decoded.message(), topic_, partition_, offset));
  }
  ExchangeBuffer::Upstream& upstream = inbox_.upstreams()[header.upstream];
  upstream.stream_time = std::max(upstream.stream_time, header.stream_time);
  if (!header.drained) {
    upstream.drained_since_ms = -1;
  } else if (upstream.drained_since_ms < 0) {
    upstream.drained_since_ms = env_.clock->NowMs();
  }
  if (rows.rows > 0) upstream.slots[partition_].push_back(std::move(rows));
  return OkStatus();
}

// Perhaps a copy has seen before this one that a source has more partitions now.
Status RepartitionInput::UnknownUpstream(int32_t upstream) const {
  const StagePlan& from = env_.stages.stages[inbox_.plan().from_stage];
  if (upstream >= 0 && !from.sources.empty()) {
    const std::string& topic = env_.stages.sources[from.sources.front()].node->topic;
    WEIR_ASSIGN_OR_RETURN(const int32_t partitions, env_.broker->CountPartitions(topic));
    if (upstream < partitions) {
      return Status(ErrorCode::kTaskMigrated,
                    fmt::format("topic {} has {} partitions now, query {} goes on with them", topic,
                                partitions, env_.id));
    }
  }
  return Status(ErrorCode::kStoreCorrupt, "a block comes from a task that is not there");
}

void RepartitionInput::NotePosition(TaskJournal& journal) {
  InputPosition position;
  position.next = reader_->position();
  journal.SetPosition(topic_, topic_, position);
  std::string bytes;
  for (const ExchangeBuffer::Upstream& upstream : inbox_.upstreams()) {
    bytes.append(reinterpret_cast<const char*>(&upstream.stream_time), sizeof(int64_t));
    bytes.push_back(upstream.drained_since_ms >= 0 ? 1 : 0);
  }
  if (bytes == saved_) return;
  saved_ = std::move(bytes);
  store_->Put("upstreams", saved_);
}

}  // namespace weir
