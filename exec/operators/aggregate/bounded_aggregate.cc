// GROUP BY over all rows of an input that ends, as SQL has it: null is a group of its own, no row
// is late, and each group comes out once, in the order in which it was first seen.
//
// Nothing is stored: a bounded query that is interrupted is asked again. All groups lie in memory.

#include <algorithm>

#include <fmt/format.h>

#include "base/interrupt.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/column/compare.h"
#include "exec/operators/aggregate/aggregate_calls.h"
#include "exec/operators/aggregate/grouped_rows.h"
#include "exec/operators/factories.h"
#include "exec/state/group_table.h"

namespace weir {
namespace {

constexpr int kGroupChunksAtOnce = 16;

class BoundedAggregate : public Operator {
 public:
  BoundedAggregate(const physical::BoundedAggregate& node, AggregateCalls calls)
      : schema_(node.schema),
        key_columns_(node.key_columns),
        window_(node.window),
        windowed_(node.window.kind != physical::WindowKind::kNone),
        sessions_(node.window.kind == physical::WindowKind::kSession),
        merges_partials_(node.merges_partials),
        global_(node.global && !windowed_),
        calls_(std::move(calls)),
        groups_({KeyTypesOf(node), windowed_, true}) {
    if (window_.kind == physical::WindowKind::kTumbling) window_.advance_ms = window_.size_ms;
  }

  Status Open(TaskContext& context) override {
    context_ = &context;
    calls_.Open(context);
    return OkStatus();
  }

  Status OnBatch(int, Chunk chunk) override {
    const std::span<const int32_t> rows = numbers_.Of(chunk);
    const size_t step = merges_partials_ ? SIZE_MAX : RowsAtOnce(window_);
    for (size_t from = 0; from < rows.size(); from += std::min(step, rows.size() - from)) {
      CheckInterrupt();
      Process(chunk, rows.subspan(from, std::min(step, rows.size() - from)));
    }
    return OkStatus();
  }

  Status EmitRest(bool* more) override {
    if (global_ && groups_.size() == 0) return EmitEmpty();
    std::vector<uint32_t> ids;
    for (int chunks = 0; chunks < kGroupChunksAtOnce && next_ < groups_.id_limit(); ++chunks) {
      ids.clear();
      while (next_ < groups_.id_limit() && ids.size() < size_t{limits::kBatchRowsMax}) {
        ids.push_back(next_++);
      }
      WEIR_RETURN_IF_ERROR(EmitGroups(ids));
    }
    *more = next_ < groups_.id_limit();
    return OkStatus();
  }

 private:
  static std::vector<DataType> KeyTypesOf(const physical::BoundedAggregate& node) {
    std::vector<DataType> types;
    for (int i = 0; i < node.key_columns; ++i) types.push_back(node.schema->columns[i].type);
    return types;
  }
  std::span<const ColumnPtr> Keys(const Chunk& chunk) const {
    return std::span(chunk.columns).first(static_cast<size_t>(key_columns_));
  }

  void Process(const Chunk& chunk, std::span<const int32_t> rows) {
    AssignWindows(chunk, rows);
    if (rows_.empty()) return;
    created_.clear();
    groups_.FindOrInsert(Keys(chunk), rows_, starts_, ids_, created_);
    if (!created_.empty()) calls_.Resize(groups_.id_limit());
    if (sessions_) NoteEnds(chunk);
    if (merges_partials_) {
      calls_.AddPartials(chunk, rows_, ids_);
    } else {
      calls_.Add(chunk, rows_, ids_);
    }
    memory_.Update(*context_,
                   groups_.ByteSize() + calls_.ByteSize() + ends_.capacity() * sizeof(int64_t));
  }

  // Fills rows_ and, where there are windows, starts_: one entry for each row and window of it.
  void AssignWindows(const Chunk& chunk, std::span<const int32_t> rows) {
    starts_.clear();
    if (!windowed_) {
      rows_.assign(rows.begin(), rows.end());
      return;
    }
    rows_.clear();
    if (sessions_) return FindSessions(chunk, rows);
    if (merges_partials_) {
      const auto starts = chunk.sys(SystemColumn::kWindowStart)->values<int64_t>();
      for (int32_t row : rows) AddRow(row, starts[row]);
      return;
    }
    const auto times = chunk.row_time()->values<int64_t>();
    const bool tumbling = window_.kind == physical::WindowKind::kTumbling;
    for (int32_t row : rows) {
      if (tumbling) {
        AddRow(row, FloorTo(times[row], window_.size_ms));
        continue;
      }
      for (int64_t start = FirstHoppingStart(window_, times[row]); start <= times[row];
           start += window_.advance_ms) {
        AddRow(row, start);
      }
    }
  }

  void AddRow(int32_t row, int64_t start) {
    rows_.push_back(row);
    starts_.push_back(start);
  }

  // Rows come by key and time: a session goes on while the next row has its key and comes within
  // the gap.
  void FindSessions(const Chunk& chunk, std::span<const int32_t> rows) {
    const auto times = chunk.row_time()->values<int64_t>();
    const std::span<const ColumnPtr> keys = Keys(chunk);
    for (int32_t row : rows) {
      bool goes_on = !last_keys_.empty() && times[row] - last_time_ <= window_.size_ms;
      for (size_t i = 0; i < keys.size() && goes_on; ++i) {
        goes_on = EqualAt(*keys[i], row, *last_keys_[i], last_row_);
      }
      if (!goes_on) session_start_ = times[row];
      last_keys_.assign(keys.begin(), keys.end());
      last_row_ = row;
      last_time_ = times[row];
      AddRow(row, session_start_);
    }
  }

  void NoteEnds(const Chunk& chunk) {
    const auto times = chunk.row_time()->values<int64_t>();
    if (ends_.size() < groups_.id_limit()) ends_.resize(groups_.id_limit(), INT64_MIN);
    for (size_t i = 0; i < rows_.size(); ++i) {
      ends_[ids_[i]] = std::max(ends_[ids_[i]], times[rows_[i]]);
    }
  }

  Status EmitGroups(std::span<const uint32_t> ids) {
    return InParts(
        ids.size(), nullptr,
        [&](size_t from, size_t count) { return GroupsOf(ids.subspan(from, count)); },
        [this](Chunk chunk) { return out_.Emit(std::move(chunk)); });
  }

  Chunk GroupsOf(std::span<const uint32_t> ids) {
    std::vector<ColumnBuilder> keys;
    std::vector<ColumnBuilder> results = calls_.MakeResultBuilders();
    for (int i = 0; i < key_columns_; ++i) keys.emplace_back(schema_->columns[i].type);
    groups_.AppendKeys(ids, keys);
    calls_.Results(ids, results);
    Chunk out;
    out.rows = static_cast<int32_t>(ids.size());
    for (ColumnBuilder& builder : keys) out.columns.push_back(builder.Finish());
    for (ColumnBuilder& builder : results) out.columns.push_back(builder.Finish());
    times_.assign(ids.size(), 0);
    if (!windowed_) {
      out.sys(SystemColumn::kRowTime) = MakeTimes(times_);
      return out;
    }
    for (size_t i = 0; i < ids.size(); ++i) times_[i] = groups_.time(ids[i]);
    out.sys(SystemColumn::kRowTime) = out.sys(SystemColumn::kWindowStart) = MakeTimes(times_);
    for (size_t i = 0; i < ids.size(); ++i) {
      times_[i] = sessions_ ? ends_[ids[i]] : times_[i] + window_.size_ms;
    }
    out.sys(SystemColumn::kWindowEnd) = MakeTimes(times_);
    return out;
  }

  // Without GROUP BY there is a row even where none came in: COUNT is 0, most others null.
  Status EmitEmpty() {
    const int32_t row = 0;
    std::vector<ColumnPtr> keys;
    for (int i = 0; i < key_columns_; ++i) {
      keys.push_back(MakeNullColumn(schema_->columns[i].type, 1));
    }
    groups_.FindOrInsert(keys, {&row, 1}, {}, ids_, created_);
    calls_.Resize(groups_.id_limit());
    next_ = groups_.id_limit();
    return EmitGroups(ids_);
  }

  const SchemaPtr schema_;
  const int key_columns_;
  physical::WindowSpec window_;
  const bool windowed_;
  const bool sessions_;
  const bool merges_partials_;
  const bool global_;
  AggregateCalls calls_;
  GroupTable groups_;
  std::vector<int64_t> ends_;  // Of sessions, by group.
  uint32_t next_ = 0;          // Of the groups that are handed on.
  TaskContext* context_ = nullptr;
  MemoryAccount memory_;

  // The row before, of sessions.
  std::vector<ColumnPtr> last_keys_;
  int32_t last_row_ = 0;
  int64_t last_time_ = 0;
  int64_t session_start_ = 0;

  // Of the batch at hand.
  RowNumbers numbers_;
  std::vector<int32_t> rows_;
  std::vector<int64_t> starts_, times_;
  std::vector<uint32_t> ids_, created_;
};

}  // namespace

OperatorResult MakeBoundedAggregate(const physical::BoundedAggregate& node) {
  WEIR_ASSIGN_OR_RETURN(AggregateCalls calls, AggregateCalls::Make(node.calls));
  return std::unique_ptr<Operator>(std::make_unique<BoundedAggregate>(node, std::move(calls)));
}

}  // namespace weir
