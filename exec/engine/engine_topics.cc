// Engine's calls on topics, and waiting for queries to have processed what is there.

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include <fmt/format.h>

#include "base/fault_points.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/connect/header_codec.h"
#include "exec/engine/engine_impl.h"
#include "exec/engine/record_placement.h"

namespace weir {

Status EngineImpl::Append(std::string_view topic, std::span<const Record> records) {
  WEIR_ASSIGN_OR_RETURN(const std::shared_ptr<Broker> broker, HoldBroker());
  WEIR_ASSIGN_OR_RETURN(TopicInfo info, broker->DescribeTopic(topic));
  std::vector<RecordBatchBuilder> partitions(info.partitions);
  int32_t round_robin = -1;
  for (const Record& record : records) {
    const size_t size =
        (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
    if (size > limits::kRecordBytesMax) {
      return Status(ErrorCode::kRecordTooLarge,
                    fmt::format("a record has {} bytes, at most {} are taken", size,
                                limits::kRecordBytesMax));
    }
    const int32_t partition = PlaceRecord(record, info.partitions, &round_robin);
    if (partition < 0 || partition >= info.partitions) {
      return Status(ErrorCode::kInvalidOption,
                    fmt::format("topic {} has {} partitions, there is no partition {}", topic,
                                info.partitions, partition));
    }
    AddRecord(record, clock_->NowMs(), partitions[partition]);
  }
  if (broker->kind() == "kafka") {
    for (int32_t partition = 0; partition < info.partitions; ++partition) {
      if (partitions[partition].size() == 0) continue;
      PassFaultPoint("load_before_append");
      WEIR_RETURN_IF_ERROR(broker->AppendDurably(topic, partition, partitions[partition]));
      PassFaultPoint("load_after_append");
    }
    return OkStatus();
  }
  // In one commit: queries that run see all partitions move on together.
  const std::unique_ptr<CommitUnit> commit = broker->NewCommitUnit("append");
  for (int32_t partition = 0; partition < info.partitions; ++partition) {
    if (partitions[partition].size() == 0) continue;
    WEIR_RETURN_IF_ERROR(commit->Append(topic, partition, partitions[partition]));
  }
  PassFaultPoint("load_before_append");
  WEIR_RETURN_IF_ERROR(commit->Commit());
  PassFaultPoint("load_after_append");
  return OkStatus();
}

Status EngineImpl::CreateTopic(std::string_view topic, int32_t partitions, bool if_not_exists) {
  WEIR_ASSIGN_OR_RETURN(const std::shared_ptr<Broker> broker, HoldBroker());
  TopicInfo info;
  info.name = topic;
  info.partitions = partitions;
  Status status = broker->CreateTopic(info);
  if (status.code() == ErrorCode::kAlreadyExists && if_not_exists) return OkStatus();
  return status;
}

Result<TopicDescription> EngineImpl::DescribeTopic(std::string_view topic) const {
  WEIR_ASSIGN_OR_RETURN(const std::shared_ptr<Broker> broker, HoldBroker());
  WEIR_ASSIGN_OR_RETURN(const TopicInfo info, broker->DescribeTopic(topic));
  return TopicDescription{.name = info.name,
                          .partitions = info.partitions,
                          .compacted = info.compacted,
                          .retention_ms = info.retention_ms,
                          .ages_by_clock = broker->kind() == "kafka"};
}

Result<std::vector<TopicRecord>> EngineImpl::ReadTopic(std::string_view topic) {
  WEIR_ASSIGN_OR_RETURN(const std::shared_ptr<Broker> broker, HoldBroker());
  WEIR_ASSIGN_OR_RETURN(std::vector<int64_t> ends, broker->EndOffsets(topic));
  WEIR_ASSIGN_OR_RETURN(std::unique_ptr<ReadSession> session, broker->OpenReadSession("read"));
  std::vector<TopicRecord> records;
  RecordBatch batch;
  std::vector<HeaderView> headers;
  for (size_t partition = 0; partition < ends.size(); ++partition) {
    WEIR_ASSIGN_OR_RETURN(auto reader, session->Open(topic, static_cast<int32_t>(partition), {}));
    while (reader->position() < ends[partition]) {
      WEIR_RETURN_IF_ERROR(reader->Fetch(limits::kBatchRowsMax, limits::kBatchBytesMax, batch));
      for (int32_t i = 0; i < batch.size(); ++i) {
        if (batch.offsets[i] >= ends[partition]) break;
        TopicRecord record;
        if (!batch.keys[i].is_null()) record.key = batch.View(batch.keys[i]);
        if (!batch.values[i].is_null()) record.value = batch.View(batch.values[i]);
        record.timestamp_ms = batch.timestamps[i];
        record.partition = static_cast<int32_t>(partition);
        record.offset = batch.offsets[i];
        headers.clear();
        if (!batch.headers.empty()) DecodeHeaders(batch.View(batch.headers[i]), headers);
        for (const HeaderView& header : headers) {
          record.headers.push_back({std::string(header.name), std::nullopt});
          if (header.value) record.headers.back().value = *header.value;
        }
        records.push_back(std::move(record));
      }
    }
  }
  return records;
}

namespace {

using Ends = std::map<std::string, std::vector<int64_t>>;

constexpr int kLookMicros = 2000;
constexpr int kAskBrokerMicros = 20'000;  // Where each look may be a request.

// Looks at a query again as long as it moves; its own commits wake nobody else, so this polls with
// a short, growing pause.
class Pause {
 public:
  void Wait(int micros_max) {
    std::this_thread::sleep_for(std::chrono::microseconds(micros_));
    micros_ = std::min(micros_ * 2, micros_max);
  }

 private:
  int micros_ = 50;
};

}  // namespace

// Waits until `runtime` has committed past `ends` in each of its sources.
Status EngineImpl::WaitForQuery(QueryRuntime& runtime, const Ends& ends) {
  Pause pause;
  while (true) {
    if (cancel_waits_) return Status(ErrorCode::kCancelled, "the wait was cancelled");
    if (runtime.state() == QueryRuntime::State::kError) {
      return Status(ErrorCode::kQueryFailed, fmt::format("query {} is in ERROR: {}", runtime.id(),
                                                         runtime.error().message()))
          .WithHint(runtime.error().hint());
    }
    if (runtime.state() == QueryRuntime::State::kPaused) return OkStatus();
    bool done = runtime.started();
    for (size_t i = 0; i < runtime.stages().sources.size() && done; ++i) {
      const physical::TopicSource& node = *runtime.stages().sources[i].node;
      if (!node.connector.empty()) {
        done = runtime.drained_since_commit();
        continue;
      }
      auto end = ends.find(node.topic);
      if (end == ends.end()) continue;
      WEIR_ASSIGN_OR_RETURN(done, runtime.CommittedPast(static_cast<int>(i), end->second));
    }
    if (done) {
      WEIR_ASSIGN_OR_RETURN(done, runtime.ExchangesDrained());
    }
    if (done) {
      runtime.AwaitCommit();
      return OkStatus();
    }
    pause.Wait(runtime.shared() ? kAskBrokerMicros : kLookMicros);
  }
}

// Until those that are made anew have taken their places, but for those that failed.
Status EngineImpl::WaitForRebuilds() {
  Pause pause;
  while (true) {
    {
      std::lock_guard lock(statement_mutex_);
      const bool waits = std::ranges::any_of(rebuilds_, [](const auto& rebuild) {
        return rebuild.second.failed.ok() && rebuild.second.runtime->error().ok();
      });
      if (!waits) return OkStatus();
    }
    if (cancel_waits_) return Status(ErrorCode::kCancelled, "the wait was cancelled");
    pause.Wait(kAskBrokerMicros);
  }
}

Result<int64_t> EngineImpl::RunUntilEnd(bool close_windows) {
  if (manual_) return Status(ErrorCode::kUsage, "a manual engine runs nothing by itself");
  WEIR_ASSIGN_OR_RETURN(const std::shared_ptr<Broker> broker, HoldBroker());
  cancel_waits_ = false;
  WEIR_RETURN_IF_ERROR(WaitForRebuilds());
  std::vector<std::shared_ptr<QueryRuntime>> queries;
  {
    std::lock_guard lock(running_mutex_);
    for (const RunningQuery& query : running_) queries.push_back(query.runtime);
    if (!broken_queries_.empty()) {
      const QueryMetrics& broken = broken_queries_.front();
      return Status(ErrorCode::kQueryFailed,
                    fmt::format("query {} is in ERROR: {}", broken.query_id, broken.error));
    }
  }
  std::set<std::string> derived;
  {
    std::lock_guard lock(statement_mutex_);
    for (const auto& [id, query] : catalog_.queries()) {
      if (const SourceEntry* sink = catalog_.FindSource(query.sink)) derived.insert(sink->topic);
    }
  }
  Ends ends;
  auto note_ends = [&](bool derived_too) -> Status {
    for (const auto& query : queries) {
      for (const SourcePlan& source : query->stages().sources) {
        const std::string& topic = source.node->topic;
        if (!source.node->connector.empty()) continue;
        if (derived.contains(topic) != derived_too) continue;
        WEIR_ASSIGN_OR_RETURN(ends[topic], broker->EndOffsets(topic));
      }
    }
    return OkStatus();
  };
  for (const auto& query : queries) {
    if (!query->endless()) continue;
    return Status(ErrorCode::kEndlessSource,
                  fmt::format("query {} reads a source that never ends", query->id()))
        .WithHint("give the generator ROWS, or the file FOLLOW='false'");
  }
  WEIR_RETURN_IF_ERROR(note_ends(false));
  // A query may feed an earlier one, so passes are made until none finds new records to wait for.
  auto settle = [&]() -> Status {
    Ends before;
    do {
      before = ends;
      for (const auto& query : queries) {
        WEIR_RETURN_IF_ERROR(note_ends(true));
        WEIR_RETURN_IF_ERROR(WaitForQuery(*query, ends));
      }
      WEIR_RETURN_IF_ERROR(note_ends(true));
    } while (ends != before);
    return OkStatus();
  };
  WEIR_RETURN_IF_ERROR(settle());
  if (close_windows) {
    for (const auto& query : queries) {
      WEIR_RETURN_IF_ERROR(query->CloseWindows());
      WEIR_RETURN_IF_ERROR(settle());
    }
  }
  int64_t open = 0;
  for (const auto& query : queries) open += query->open_windows();
  return open;
}

}  // namespace weir
