// The part of a GROUP BY that runs in front of its exchange: each batch becomes one row a group
// (key and window), which carries the partial states of the calls. Nothing is held back, so there
// is nothing to keep but stream time.
//
// Lateness is judged here, where each row still stands with its own source partition: behind the
// exchange nobody could tell a group's rows apart. The exchange then goes by the groups' row times,
// which add up to the same stream time: the row that moves it on is never late itself.

#include <algorithm>
#include <numeric>

#include "base/interrupt.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/operators/aggregate/aggregate_calls.h"
#include "exec/operators/aggregate/grouped_rows.h"
#include "exec/operators/factories.h"
#include "exec/operators/source_clocks.h"
#include "exec/state/group_table.h"

namespace weir {
namespace {

using physical::WindowKind;

// Keys stay in the table from batch to batch, as most come again; beyond so many it starts afresh.
constexpr size_t kKeysKept = 4 * size_t{limits::kBatchRowsMax};

// Where groups are nearly as many as rows, this many batches pass without looking for groups.
constexpr int kBatchesPassed = 16;

class PartialAggregate : public Operator {
 public:
  PartialAggregate(const physical::PartialAggregate& node, AggregateCalls calls)
      : store_name_(node.window.kind == WindowKind::kNone
                        ? std::string()
                        : node.StoreName(physical::StoreKind::kClocks)),
        key_columns_(node.key_columns),
        window_(node.window),
        windowed_(node.window.kind != WindowKind::kNone),
        bounded_(node.bounded),
        calls_(std::move(calls)),
        table_options_{KeyTypes(node), windowed_, bounded_},
        groups_(table_options_) {}

  Status Open(TaskContext& context) override {
    context_ = &context;
    calls_.Open(context);
    return windowed_ ? clocks_.Load(context.Store(store_name_)) : OkStatus();
  }

  Status OnBatch(int, Chunk chunk) override {
    if (bounded_) {
      const auto rows = numbers_.Of(chunk);
      kept_.assign(rows.begin(), rows.end());
    } else {
      SelectGroupedRows(chunk, Keys(chunk), numbers_, context_->counters(), kept_);
    }
    const size_t step = RowsAtOnce(window_);
    for (size_t from = 0; from < kept_.size(); from += step) {
      CheckInterrupt();
      WEIR_RETURN_IF_ERROR(
          Process(chunk, std::span(kept_).subspan(from, std::min(step, kept_.size() - from))));
    }
    return OkStatus();
  }

  Status Process(const Chunk& chunk, std::span<const int32_t> rows) {
    AssignWindows(chunk, rows);
    if (rows_.empty()) return OkStatus();
    NumberGroups(chunk);
    calls_.Add(chunk, rows_, ids_);
    WEIR_RETURN_IF_ERROR(EmitGroups(chunk));
    for (uint32_t id : touched_) calls_.Reset(id);
    return OkStatus();
  }

  Status OnBarrier() override {
    if (windowed_) clocks_.Save(context_->Store(store_name_));
    memory_.Update(*context_, groups_.ByteSize() + calls_.ByteSize());
    return OkStatus();
  }

 private:
  static std::vector<DataType> KeyTypes(const physical::PartialAggregate& node) {
    std::vector<DataType> types;
    for (int i = 0; i < node.key_columns; ++i) types.push_back(node.schema->columns[i].type);
    return types;
  }
  std::span<const ColumnPtr> Keys(const Chunk& chunk) const {
    return std::span(chunk.columns).first(static_cast<size_t>(key_columns_));
  }

  void AssignWindows(const Chunk& chunk, std::span<const int32_t> rows);
  void NumberGroups(const Chunk& chunk);
  void FindGroups(const Chunk& chunk);
  void CollectGroups(const Chunk& chunk);
  Status EmitGroups(const Chunk& chunk);
  Chunk GroupRows(const Chunk& chunk, size_t from, size_t count);

  const std::string store_name_;
  const int key_columns_;
  const physical::WindowSpec window_;
  const bool windowed_;
  const bool bounded_;
  AggregateCalls calls_;
  const GroupTable::Options table_options_;
  GroupTable groups_;
  SourceClocks clocks_;
  TaskContext* context_ = nullptr;
  MemoryAccount memory_;
  int pass_ = 0;  // Batches left in which groups are not looked for.

  // Of the batch at hand. Entry i of rows_, starts_ and ids_ is a row in one of its windows.
  RowNumbers numbers_;
  std::vector<int32_t> kept_, rows_;
  std::vector<int64_t> starts_;
  std::vector<uint32_t> ids_, created_;
  // Groups by their place in touched_: the first entry that has the group, and its latest time.
  std::vector<uint32_t> touched_;
  std::vector<int32_t> first_;
  std::vector<int64_t> times_;
  std::vector<int64_t> row_counts_;  // Only with windows: so many are late, if they are.
  // By group: its place in touched_, if touched_in_ is this batch.
  std::vector<uint32_t> touched_in_, place_;
  uint32_t batch_ = 0;
};

void PartialAggregate::AssignWindows(const Chunk& chunk, std::span<const int32_t> rows) {
  rows_.clear();
  starts_.clear();
  if (!windowed_) {
    rows_.assign(rows.begin(), rows.end());
    return;
  }
  const auto times = chunk.row_time()->values<int64_t>();
  SourceClocks::Clock& clock = clocks_.Of(chunk);
  int64_t late = 0;
  auto assign = [&](int32_t row, int64_t start) {
    if (!bounded_ && start + window_.size_ms + window_.grace_ms <= clock.highest) {
      ++late;
      return;
    }
    rows_.push_back(row);
    starts_.push_back(start);
  };
  const bool tumbling = window_.kind == WindowKind::kTumbling;
  for (int32_t row : rows) {
    const int64_t time = times[row];
    clock.Advance(time);
    if (tumbling) {
      assign(row, FloorTo(time, window_.size_ms));
      continue;
    }
    for (int64_t start = FirstHoppingStart(window_, time); start <= time;
         start += window_.advance_ms) {
      assign(row, start);
    }
  }
  if (late > 0) context_->counters().Dropped("late", late);
}

// Fills ids_ and what is known by group.
void PartialAggregate::NumberGroups(const Chunk& chunk) {
  if (pass_ > 0) {
    --pass_;
    ids_.resize(rows_.size());
    std::iota(ids_.begin(), ids_.end(), 0u);
    calls_.Resize(static_cast<uint32_t>(rows_.size()));
  } else {
    FindGroups(chunk);
  }
  CollectGroups(chunk);
  // Few rows say little about how they repeat.
  const bool many = rows_.size() >= limits::kBatchRowsMax / 8;
  if (many && pass_ == 0 && touched_.size() * 4 > rows_.size() * 3) pass_ = kBatchesPassed;
}

void PartialAggregate::FindGroups(const Chunk& chunk) {
  if (groups_.size() > kKeysKept) groups_ = GroupTable(table_options_);
  created_.clear();
  groups_.FindOrInsert(Keys(chunk), rows_, starts_, ids_, created_);
  calls_.Resize(groups_.id_limit());
}

void PartialAggregate::CollectGroups(const Chunk& chunk) {
  touched_.clear();
  first_.clear();
  times_.clear();
  ++batch_;
  const size_t limit = std::max<size_t>(groups_.id_limit(), rows_.size());
  if (touched_in_.size() < limit) {
    touched_in_.resize(limit, 0);
    place_.resize(limit, 0);
  }
  const auto times = chunk.row_time()->values<int64_t>();
  for (size_t i = 0; i < rows_.size(); ++i) {
    const uint32_t id = ids_[i];
    const int64_t time = times[rows_[i]];
    if (touched_in_[id] != batch_) {
      touched_in_[id] = batch_;
      place_[id] = static_cast<uint32_t>(touched_.size());
      touched_.push_back(id);
      first_.push_back(static_cast<int32_t>(i));
      times_.push_back(time);
    } else {
      times_[place_[id]] = std::max(times_[place_[id]], time);
    }
  }
  if (!windowed_) return;
  row_counts_.assign(touched_.size(), 0);
  for (const uint32_t id : ids_) ++row_counts_[place_[id]];
}

Status PartialAggregate::EmitGroups(const Chunk& chunk) {
  return InParts(
      touched_.size(), nullptr,
      [&](size_t from, size_t count) { return GroupRows(chunk, from, count); },
      [this](Chunk rows) { return out_.Emit(std::move(rows)); });
}

// The groups [from, from + count) of the batch, one row each.
Chunk PartialAggregate::GroupRows(const Chunk& chunk, size_t from, size_t count) {
  Chunk out;
  out.rows = static_cast<int32_t>(count);
  out.source = chunk.source;
  out.source_partition = chunk.source_partition;
  std::vector<int32_t> key_rows(count);
  for (size_t i = 0; i < count; ++i) key_rows[i] = rows_[first_[from + i]];
  for (const ColumnPtr& key : Keys(chunk)) out.columns.push_back(Gather(*key, key_rows));
  std::vector<ColumnBuilder> partials = calls_.MakePartialBuilders();
  calls_.ExportPartials(std::span(touched_).subspan(from, count), partials);
  for (ColumnBuilder& builder : partials) out.columns.push_back(builder.Finish());
  out.sys(SystemColumn::kRowTime) = MakeTimes(std::span(times_).subspan(from, count));
  if (!windowed_) return out;
  std::vector<int64_t> bounds(count);
  for (size_t i = 0; i < count; ++i) bounds[i] = starts_[first_[from + i]];
  out.sys(SystemColumn::kWindowStart) = MakeTimes(bounds);
  for (int64_t& bound : bounds) bound += window_.size_ms;
  out.sys(SystemColumn::kWindowEnd) = MakeTimes(bounds);
  // No single record is behind a group: where its offset would stand is how many there are.
  out.sys(SystemColumn::kOffset) = MakeTimes(std::span(row_counts_).subspan(from, count));
  return out;
}

}  // namespace

OperatorResult MakePartialAggregate(const physical::PartialAggregate& node) {
  WEIR_ASSIGN_OR_RETURN(AggregateCalls calls, AggregateCalls::Make(node.calls));
  return std::unique_ptr<Operator>(std::make_unique<PartialAggregate>(node, std::move(calls)));
}

}  // namespace weir
