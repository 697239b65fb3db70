#include "tests/support/operator_harness.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "planner/catalog/function_catalog.h"
#include "planner/physical/stores.h"

namespace weir::test {

Status MemoryStore::Scan(
    std::string_view from, std::string_view to,
    const std::function<bool(std::string_view, std::string_view)>& visit) const {
  for (auto it = entries_.lower_bound(std::string(from)); it != entries_.end(); ++it) {
    if (!to.empty() && it->first >= to) break;
    if (!visit(it->first, it->second)) break;
  }
  return OkStatus();
}

Status MemoryStore::MultiGet(const std::vector<std::string>& keys,
                             std::vector<std::optional<std::string>>& values) const {
  values.clear();
  keys_asked_ += keys.size();
  for (const std::string& key : keys) {
    const auto found = entries_.find(key);
    values.push_back(found == entries_.end() ? std::nullopt : std::optional(found->second));
  }
  return OkStatus();
}

void MemoryStore::Release() {
  holds_ = false;
  for (const auto& write : std::exchange(held_, {})) write();
}

void MemoryStore::Put(std::string_view key, std::string_view value) {
  if (holds_) {
    held_.push_back(
        [this, key = std::string(key), value = std::string(value)] { Put(key, value); });
    return;
  }
  entries_[std::string(key)] = std::string(value);
}

void MemoryStore::Delete(std::string_view key) {
  if (holds_) {
    held_.push_back([this, key = std::string(key)] { Delete(key); });
    return;
  }
  entries_.erase(std::string(key));
}

void MemoryStore::DeleteRange(std::string_view from, std::string_view to) {
  if (holds_) {
    held_.push_back(
        [this, from = std::string(from), to = std::string(to)] { DeleteRange(from, to); });
    return;
  }
  entries_.erase(entries_.lower_bound(std::string(from)),
                 to.empty() ? entries_.end() : entries_.lower_bound(std::string(to)));
}

void FakeContext::LogError(std::string_view reason, std::string_view topic, int32_t partition,
                           int64_t offset, std::string_view cause) {
  errors.push_back(std::string(reason) + " " + std::string(topic) + "/" +
                   std::to_string(partition) + "/" + std::to_string(offset) + ": " +
                   std::string(cause));
}

Status FakeContext::OnRows(const Chunk& rows) {
  for (std::string& line : ChunkToLines(rows)) received.push_back(std::move(line));
  return OkStatus();
}

Status Sink::OnBatch(int, Chunk chunk) {
  for (std::string& line : ChunkToLines(chunk)) lines.push_back(std::move(line));
  return OkStatus();
}

const physical::Node& WithStores(const physical::Node& node) {
  DeclareStores(const_cast<physical::Node&>(node));
  return node;
}

void Harness::Start() {
  Result<std::unique_ptr<Operator>> made = MakeOperator(WithStores(node_));
  ASSERT_TRUE(made.ok()) << made.status().message();
  operator_ = std::move(*made);
  operator_->set_output(Emitter(&sink_, 0));
  const Status opened = operator_->Open(context_);
  ASSERT_TRUE(opened.ok()) << opened.message();
}

void Harness::Push(int input, const Chunk& chunk, int32_t cut) {
  for (int32_t from = 0; from < chunk.rows; from += std::min(cut, chunk.rows)) {
    const int32_t to = chunk.rows - from <= cut ? chunk.rows : from + cut;
    std::vector<int32_t> rows;
    std::vector<int64_t> clock;
    for (int32_t row = from; row < to; ++row) {
      rows.push_back(row);
      highest_[input] = std::max(highest_[input], chunk.row_time()->values<int64_t>()[row]);
      clock.push_back(highest_[input]);
    }
    Chunk piece = GatherChunk(chunk, rows);
    piece.source = 0;
    piece.source_partition = 0;
    piece.sys(SystemColumn::kStreamTime) = MakeInt64Column(DataType::Bigint(), clock);
    Status status = operator_->OnBatch(input, std::move(piece));
    ASSERT_TRUE(status.ok()) << status.message();
    status = operator_->OnStreamTime(input, highest_[input]);
    ASSERT_TRUE(status.ok()) << status.message();
    // Joins of streams hold rows until the runtime says that both sides have been given theirs.
    if (node_.kind != physical::NodeKind::kStreamStreamJoin) continue;
    status = operator_->EmitPending();
    ASSERT_TRUE(status.ok()) << status.message();
  }
}

void Harness::BeginCommit() {
  // As the runtime: what is held back comes out before state is written.
  ASSERT_TRUE(operator_->EmitPending().ok());
  for (auto& [name, store] : context_.stores_) store.Hold();
  const Status status = operator_->OnBarrier();
  ASSERT_TRUE(status.ok()) << status.message();
}

void Harness::EndCommit() {
  for (auto& [name, store] : context_.stores_) store.Release();
  const Status status = operator_->OnCommitted();
  ASSERT_TRUE(status.ok()) << status.message();
}

void Harness::Barrier() {
  BeginCommit();
  EndCommit();
}

void Harness::Restart() {
  Barrier();
  OpenAgain();
}

void Harness::OpenAgain() {
  operator_.reset();
  Start();
}

std::vector<std::string> Harness::Take() {
  EXPECT_TRUE(operator_->EmitPending().ok());
  return std::exchange(sink_.lines, {});
}

std::map<std::string, std::string> FinalRows(const std::vector<std::string>& lines, int keys) {
  std::map<std::string, std::string> rows;
  for (const std::string& line : lines) {
    const size_t bar = line.find('|');
    const size_t at = line.find('@');
    std::string key = at < bar ? line.substr(at, bar - at) : std::string();
    size_t end = bar + 1;
    for (int i = 0; i < keys; ++i) end = line.find(',', end + 1);
    key += end == std::string::npos ? line.substr(bar + 1) : line.substr(bar + 1, end - bar - 1);
    if (line[0] == '-') {
      rows.erase(key);
    } else if (line[0] != 'b') {
      rows[key] = line.substr(2);
    }
  }
  return rows;
}

physical::NodePtr InputNode(std::string_view schema, physical::ChangeMode mode) {
  auto node = std::make_shared<physical::TopicSource>();
  node->schema = SchemaFromText(schema);
  node->mode = mode;
  return node;
}

physical::AggregateCall Aggregate(std::string_view name, std::vector<DataType> types,
                                  std::vector<int> columns) {
  std::vector<ArgumentType> arguments;
  for (const DataType& type : types) arguments.push_back({.type = type});
  physical::AggregateCall call;
  Result<const AggregateOverload*> overload = BuiltinFunctions().ResolveAggregate(name, arguments);
  EXPECT_TRUE(overload.ok()) << overload.status().message();
  call.function = *overload;
  call.args = std::move(columns);
  return call;
}

}  // namespace weir::test
