// Filter and count over batches in memory, nothing decoded: the engine's operators in batches of
// 4,096 rows and of one, beside a hand-written loop over the same arrays. Counts rides of at least
// 40 dollars per vendor. bench/run compares the three.

#include <benchmark/benchmark.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "exec/operators/operators.h"
#include "planner/catalog/function_catalog.h"

namespace weir {
namespace {

constexpr int32_t kRows = 1 << 20;
constexpr double kHighAmount = 40;

/// What the operators ask of a task; nothing is stored or counted.
class NoContext final : public TaskContext,
                        public StateStore,
                        public QueryCounters,
                        public OutputCollector {
 public:
  StateStore& Store(std::string_view) override { return *this; }
  OutputCollector& outputs() override { return *this; }
  RowReceiver* receiver() override { return nullptr; }
  QueryCounters& counters() override { return *this; }
  int32_t partition() const override { return 0; }
  bool emit_every_change() const override { return false; }
  int64_t now_ms() const override { return 0; }
  std::string_view SourceTopic(int32_t) const override { return "rides"; }
  int64_t setting(std::string_view, int64_t fallback) const override { return fallback; }
  void AccountMemory(int64_t) override {}
  int64_t MemoryShare(int64_t) const override { return INT64_MAX; }
  void AskForCommit() override {}

  Status Scan(std::string_view, std::string_view,
              const std::function<bool(std::string_view, std::string_view)>&) const override {
    return OkStatus();
  }
  Status MultiGet(const std::vector<std::string>& keys,
                  std::vector<std::optional<std::string>>& values) const override {
    values.assign(keys.size(), std::nullopt);
    return OkStatus();
  }
  void Put(std::string_view, std::string_view) override {}
  void Delete(std::string_view) override {}
  void DeleteRange(std::string_view, std::string_view) override {}
  void Dropped(std::string_view, int64_t) override {}
  void LogError(std::string_view, std::string_view, int32_t, int64_t, std::string_view) override {}
  void LogErrorAt(std::string_view, std::string_view, std::string_view) override {}
  void RecordsOut(int64_t) override {}
  RecordBatchBuilder& Partition(std::string_view, int32_t) override { return builder_; }
  int32_t PartitionCount(std::string_view) override { return 1; }

 private:
  RecordBatchBuilder builder_;
};

class LastOperator final : public Operator {
 public:
  Status OnBatch(int, Chunk chunk) override {
    rows += chunk.active_rows();
    return OkStatus();
  }
  int64_t rows = 0;
};

[[noreturn]] void Fail(const Status& status) {
  std::fprintf(stderr, "filter_count: %s\n", std::string(status.message()).c_str());
  std::exit(1);
}

template <typename T>
T Take(Result<T> result) {
  if (!result.ok()) Fail(result.status());
  return std::move(*result);
}

BoundExprPtr ColumnOf(int index, DataType type) {
  auto expr = std::make_shared<BoundExpr>();
  expr->kind = BoundKind::kColumn;
  expr->index = index;
  expr->type = std::move(type);
  return expr;
}

/// total_amount >= 40
BoundExprPtr HighAmount() {
  auto limit = std::make_shared<BoundExpr>();
  limit->kind = BoundKind::kLiteral;
  limit->type = DataType::Double();
  limit->value = Value(kHighAmount);
  auto call = std::make_shared<BoundExpr>();
  call->kind = BoundKind::kCall;
  call->type = DataType::Boolean();
  call->children = {ColumnOf(1, DataType::Double()), limit};
  const ArgumentType arguments[] = {{.type = DataType::Double()},
                                    {.type = DataType::Double(), .is_literal = true}};
  call->function = Take(BuiltinFunctions().ResolveScalar(">=", arguments, {}));
  return call;
}

/// The rides' two columns, as arrays and as batches.
struct Rides {
  std::vector<int32_t> vendors;
  std::vector<double> amounts;

  Rides() {
    std::mt19937_64 random(7);
    std::lognormal_distribution<double> amount(2.7, 0.7);
    for (int32_t row = 0; row < kRows; ++row) {
      vendors.push_back(random() % 10 < 3 ? 1 : 2);
      amounts.push_back(amount(random));
    }
  }

  std::vector<Chunk> Batches(int32_t batch_rows) const {
    std::vector<Chunk> batches;
    for (int32_t from = 0; from < kRows; from += batch_rows) {
      ColumnBuilder vendor(DataType::Int()), amount(DataType::Double()), time(DataType::Bigint());
      Chunk chunk;
      chunk.rows = std::min(batch_rows, kRows - from);
      for (int32_t row = from; row < from + chunk.rows; ++row) {
        vendor.AppendInt32(vendors[static_cast<size_t>(row)]);
        amount.AppendDouble(amounts[static_cast<size_t>(row)]);
        time.AppendInt64(row);
      }
      chunk.columns = {vendor.Finish(), amount.Finish()};
      chunk.sys(SystemColumn::kRowTime) = time.Finish();
      batches.push_back(std::move(chunk));
    }
    return batches;
  }
};

const Rides& AllRides() {
  static const Rides rides;
  return rides;
}

SchemaPtr MakeSchema(std::vector<ColumnSchema> columns) {
  Schema schema;
  schema.columns = std::move(columns);
  return std::make_shared<const Schema>(std::move(schema));
}

/// Filter and aggregate as the planner puts them together for
/// SELECT vendor, COUNT(*) FROM rides WHERE total_amount >= 40 GROUP BY vendor.
class Plan {
 public:
  Plan() {
    auto filter = std::make_shared<physical::Filter>();
    filter->schema =
        MakeSchema({{"VENDOR", DataType::Int(), true}, {"AMOUNT", DataType::Double()}});
    filter->predicate = HighAmount();
    auto input = std::make_shared<physical::TopicSource>();
    input->schema = filter->schema;
    filter->inputs = {input};
    auto count = std::make_shared<physical::StreamAggregate>();
    count->schema = MakeSchema({{"VENDOR", DataType::Int(), true}, {"RIDES", DataType::Bigint()}});
    count->mode = physical::ChangeMode::kUpsert;
    count->key_columns = 1;
    count->inputs = {filter};
    physical::AggregateCall call;
    call.function = Take(BuiltinFunctions().ResolveAggregate("COUNT", {}));
    count->calls = {call};
    nodes_ = {filter, count};
    filter_ = Take(MakeOperator(*filter));
    count_ = Take(MakeOperator(*count));
    filter_->set_output(Emitter(count_.get(), 0));
    count_->set_output(Emitter(&last_, 0));
    for (Operator* op : {count_.get(), filter_.get()}) {
      if (Status status = op->Open(context_); !status.ok()) Fail(status);
    }
  }

  void Push(const Chunk& chunk) {
    if (Status status = filter_->OnBatch(0, chunk); !status.ok()) Fail(status);
  }
  int64_t rows_out() const { return last_.rows; }

 private:
  NoContext context_;
  LastOperator last_;
  std::vector<physical::NodePtr> nodes_;
  std::unique_ptr<Operator> filter_, count_;
};

void Engine(benchmark::State& state) {
  const std::vector<Chunk> batches = AllRides().Batches(static_cast<int32_t>(state.range(0)));
  Plan plan;
  for (auto _ : state) {
    for (const Chunk& batch : batches) plan.Push(batch);
  }
  benchmark::DoNotOptimize(plan.rows_out());
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(Engine)->Arg(limits::kBatchRowsMax)->Arg(1)->Unit(benchmark::kMillisecond);

void HandLoop(benchmark::State& state) {
  const Rides& rides = AllRides();
  std::array<int64_t, 8> counts{};
  for (auto _ : state) {
    const int32_t* vendors = rides.vendors.data();
    const double* amounts = rides.amounts.data();
    for (int32_t row = 0; row < kRows; ++row) {
      if (amounts[row] >= kHighAmount) ++counts[static_cast<size_t>(vendors[row]) & 7];
    }
    benchmark::DoNotOptimize(counts);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK(HandLoop)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace weir

BENCHMARK_MAIN();
