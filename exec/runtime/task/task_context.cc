#include "exec/runtime/task/task_context.h"

#include "base/fault_points.h"
#include "base/limits.h"
#include "base/status_macros.h"

namespace weir {
namespace {

// A store's keys in the state backend: its prefix, then the operator's.
class PrefixedStore : public StateStore {
 public:
  PrefixedStore(std::string prefix, const QueryEnvironment& environment, TaskJournal& journal)
      : prefix_(std::move(prefix)), env_(environment), journal_(journal) {}

  Status Scan(std::string_view from, std::string_view to,
              const std::function<bool(std::string_view, std::string_view)>& visit) const override {
    const std::string end = to.empty() ? End() : prefix_ + std::string(to);
    return env_.state->Scan(prefix_ + std::string(from), end,
                            [&](std::string_view key, std::string_view value) {
                              return visit(key.substr(prefix_.size()), value);
                            });
  }
  Status MultiGet(const std::vector<std::string>& keys,
                  std::vector<std::optional<std::string>>& values) const override {
    std::vector<std::string> full;
    full.reserve(keys.size());
    for (const std::string& key : keys) full.push_back(prefix_ + key);
    return env_.state->MultiGet(full, values);
  }
  void Put(std::string_view key, std::string_view value) override {
    journal_.Put(Full(key), value);
  }
  void Delete(std::string_view key) override { journal_.Delete(Full(key)); }
  void DeleteRange(std::string_view from, std::string_view to) override {
    const std::string end = to.empty() ? End() : prefix_ + std::string(to);
    journal_.DeleteRange(prefix_ + std::string(from), end);
  }

 private:
  std::string_view Full(std::string_view key) {
    scratch_.assign(prefix_);
    scratch_.append(key);
    return scratch_;
  }
  // The prefix ends in a partition or a zero byte; the next such prefix is past all keys.
  std::string End() const {
    std::string end = prefix_;
    for (size_t i = end.size(); i-- > 0;) {
      if (++reinterpret_cast<unsigned char&>(end[i]) != 0) break;
    }
    return end;
  }

  const std::string prefix_;
  std::string scratch_;
  const QueryEnvironment& env_;
  TaskJournal& journal_;
};

}  // namespace

class RootContext::Outputs : public OutputCollector {
 public:
  explicit Outputs(QueryEnvironment& environment) : env_(environment) {}

  RecordBatchBuilder& Partition(std::string_view topic, int32_t partition) override {
    auto it = topics_.find(topic);
    if (it == topics_.end()) it = topics_.emplace(std::string(topic), Builders()).first;
    Builders& builders = it->second;
    if (partition >= static_cast<int32_t>(builders.size())) builders.resize(partition + 1);
    if (builders[partition] == nullptr) {
      builders[partition] = std::make_unique<RecordBatchBuilder>();
    }
    // Much from few rows goes on its way at once; a failure is told at the next Flush.
    if (builders[partition]->byte_size() > limits::kOutputBytesMax && status_.ok()) {
      status_ = HandOver(topic, partition, *builders[partition]);
    }
    return *builders[partition];
  }

  int32_t PartitionCount(std::string_view topic) override {
    auto it = env_.sink_partitions.find(topic);
    return it == env_.sink_partitions.end() ? 1 : it->second;
  }

  Status Flush() {
    if (!status_.ok()) return std::move(status_);
    for (auto& [topic, builders] : topics_) {
      for (size_t partition = 0; partition < builders.size(); ++partition) {
        if (builders[partition] == nullptr || builders[partition]->size() == 0) continue;
        WEIR_RETURN_IF_ERROR(
            HandOver(topic, static_cast<int32_t>(partition), *builders[partition]));
      }
    }
    return OkStatus();
  }

 private:
  Status HandOver(std::string_view topic, int32_t partition, RecordBatchBuilder& records) {
    PassFaultPoint("before_output");
    WEIR_RETURN_IF_ERROR(env_.commit->Append(topic, partition, records));
    PassFaultPoint("after_output");
    return OkStatus();
  }

  using Builders = std::vector<std::unique_ptr<RecordBatchBuilder>>;
  QueryEnvironment& env_;
  std::map<std::string, Builders, std::less<>> topics_;
  Status status_;
};

// Hands on, and notes what is given out.
class RootContext::MeasuredCounters final : public QueryCounters {
 public:
  MeasuredCounters(QueryCounters& counters, size_t& bytes) : counters_(counters), bytes_(bytes) {}
  void Dropped(std::string_view reason, int64_t rows) override { counters_.Dropped(reason, rows); }
  void LogError(std::string_view reason, std::string_view topic, int32_t partition, int64_t offset,
                std::string_view cause) override {
    counters_.LogError(reason, topic, partition, offset, cause);
  }
  void LogErrorAt(std::string_view reason, std::string_view place,
                  std::string_view cause) override {
    counters_.LogErrorAt(reason, place, cause);
  }
  void RecordsOut(int64_t records) override { counters_.RecordsOut(records); }
  void BytesOut(int64_t bytes) override {
    bytes_ += static_cast<size_t>(bytes);
    counters_.BytesOut(bytes);
  }

 private:
  QueryCounters& counters_;
  size_t& bytes_;
};

class RootContext::MeasuredReceiver final : public RowReceiver {
 public:
  MeasuredReceiver(RowReceiver& receiver, size_t& bytes) : receiver_(receiver), bytes_(bytes) {}
  Status OnRows(const Chunk& rows) override {
    bytes_ += ByteSize(rows);
    return receiver_.OnRows(rows);
  }

 private:
  RowReceiver& receiver_;
  size_t& bytes_;
};

RootContext::RootContext(QueryEnvironment& environment, int query_root, int32_t partition,
                         TaskJournal* journal)
    : env_(environment),
      query_root_(query_root),
      partition_(partition),
      journal_(journal),
      outputs_(std::make_unique<Outputs>(environment)),
      counters_(
          std::make_unique<MeasuredCounters>(*environment.counters[query_root], made_bytes_)) {
  if (environment.receiver == nullptr) return;
  receiver_ = std::make_unique<MeasuredReceiver>(*environment.receiver, made_bytes_);
}

RootContext::~RootContext() { AccountMemory(-memory_); }

StateStore& RootContext::Store(std::string_view name) {
  auto it = stores_.find(name);
  if (it == stores_.end()) {
    WEIR_CHECK(journal_ != nullptr, "only tasks keep state");
    WEIR_CHECK(env_.declared_stores[query_root_].contains(name), name);
    it =
        stores_
            .emplace(std::string(name),
                     std::make_unique<PrefixedStore>(
                         journal_->StorePrefix(env_.state_ids[query_root_], name), env_, *journal_))
            .first;
  }
  return *it->second;
}

OutputCollector& RootContext::outputs() { return *outputs_; }

RowReceiver* RootContext::receiver() { return receiver_.get(); }

QueryCounters& RootContext::counters() { return *counters_; }

Status RootContext::FlushOutputs() { return outputs_->Flush(); }

std::string_view RootContext::SourceTopic(int32_t source) const {
  if (source < 0 || source >= static_cast<int32_t>(env_.stages.sources.size())) return "-";
  return env_.stages.sources[source].node->topic;
}

int64_t RootContext::setting(std::string_view name, int64_t fallback) const {
  auto it = env_.settings.numbers.find(name);
  return it == env_.settings.numbers.end() ? fallback : it->second;
}

void RootContext::AccountMemory(int64_t bytes) {
  memory_ += bytes;
  env_.state_bytes += bytes;
  if (env_.memory_used != nullptr) *env_.memory_used += bytes;
  // A bounded query makes no commits at which this would be seen.
  if (env_.bounded && bytes > 0 && env_.IsPastMemoryLimit()) {
    env_.past_memory_limit = env_.give_up = true;
  }
}

void AppendBigEndian32(uint32_t value, std::string& out) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

}  // namespace weir
