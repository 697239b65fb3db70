#include "exec/operators/materialized_view.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <string_view>

#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/factories.h"
#include "exec/state/row_table.h"

namespace weir {
namespace {

constexpr std::string_view kLayoutKey = "columns";
constexpr int kChunksAtOnce = 16;

// Of windowed tables the window's end is one more key column, behind the key, and its start the
// time of the key; `owners_` then knows all windows of a key.
class View : public MaterializedView {
 public:
  explicit View(const MaterializedViewOptions& options)
      : options_(options),
        windowed_(options.windowed_key != physical::WindowKind::kNone),
        table_(TableOptions(options, windowed_)),
        owners_({KeyTypes(options), false, options.key_columns > 1}) {}

  Status Open(TaskContext& context) override {
    context_ = &context;
    store_ = &context.Store(options_.store_name);
    WEIR_ASSIGN_OR_RETURN(const size_t columns, StoredColumns());
    WEIR_RETURN_IF_ERROR(table_.Load(*store_, columns + (windowed_ ? 1 : 0)));
    if (windowed_) FindOwnersOfAll();
    return OkStatus();
  }

  Status OnBatch(int, Chunk chunk) override {
    Keep(chunk);
    if (!options_.emits_at_end) return out_.Emit(std::move(chunk));
    AccountMemory();
    return OkStatus();
  }

  Status EmitRest(bool* more) override {
    if (!options_.emits_at_end) return OkStatus();
    std::vector<int> all(static_cast<size_t>(options_.schema->size()));
    std::iota(all.begin(), all.end(), 0);
    std::vector<uint32_t> ids;
    for (int chunks = 0; chunks < kChunksAtOnce && TakeIds(next_id_, ids); ++chunks) {
      WEIR_RETURN_IF_ERROR(VisitRows(
          ids, all, [this](Chunk rows) { return out_.Emit(std::move(rows)); }));
    }
    *more = next_id_ < table_.id_limit();
    return OkStatus();
  }

  Status OnStreamTime(int, int64_t stream_time) override {
    if (windowed_ && options_.retention_ms >= 0) {
      table_.RemoveBefore(stream_time - options_.retention_ms + 1,
                          [this](uint32_t id) { Disown(id); });
      table_.EndBatch();
    }
    return Advance(stream_time);
  }

  Status OnBarrier() override {
    table_.Save(*store_);
    if (!layout_is_stored_) {
      context_->Store(LayoutName()).Put(kLayoutKey, options_.schema->ToString());
      layout_is_stored_ = true;
    }
    AccountMemory();
    return OkStatus();
  }

  Status Scan(std::span<const int> columns, const Visit& visit) override {
    std::vector<uint32_t> ids;
    uint32_t next = 0;
    while (TakeIds(next, ids)) WEIR_RETURN_IF_ERROR(VisitRows(ids, columns, visit));
    return OkStatus();
  }

  Status Lookup(const std::vector<Value>& key, std::span<const int> wanted,
                const Visit& visit) override {
    if (static_cast<int>(key.size()) != options_.key_columns) {
      return Status(ErrorCode::kInternal, "a look-up does not name all key columns");
    }
    std::vector<ColumnPtr> columns;
    for (size_t i = 0; i < key.size(); ++i) {
      if (key[i].is_null() && key.size() == 1) return OkStatus();
      ColumnBuilder builder(options_.schema->columns[i].type);
      builder.AppendValue(key[i]);
      columns.push_back(builder.Finish());
    }
    const int32_t row = 0;
    std::vector<uint32_t> ids;
    if (!windowed_) {
      table_.Find(columns, {&row, 1}, {}, ids);
      if (ids[0] == GroupTable::kNone || !table_.Has(ids[0])) return OkStatus();
      return VisitRows(ids, wanted, visit);
    }
    owners_.Find(columns, {&row, 1}, {}, ids);
    if (ids[0] == GroupTable::kNone) return OkStatus();
    std::vector<uint32_t> windows = rows_of_owner_[ids[0]];
    std::sort(windows.begin(), windows.end(), [this](uint32_t a, uint32_t b) {
      return table_.time(a) < table_.time(b);
    });
    return VisitRows(windows, wanted, visit);
  }

  int64_t row_count() const override { return table_.row_count(); }

 private:
  static std::vector<DataType> KeyTypes(const MaterializedViewOptions& options) {
    std::vector<DataType> types = ColumnTypes(*options.schema);
    types.resize(static_cast<size_t>(options.key_columns));
    return types;
  }

  static RowTable::Options TableOptions(const MaterializedViewOptions& options, bool windowed) {
    RowTable::Options table;
    table.types = ColumnTypes(*options.schema);
    table.key_columns = options.key_columns + (windowed ? 1 : 0);
    table.has_time = windowed;
    if (windowed) table.types.insert(table.types.begin() + options.key_columns, DataType::Bigint());
    return table;
  }

  std::string LayoutName() const { return options_.store_name + "-layout"; }

  // How many of the columns the stored rows have. A query that was replaced may have got more at
  // the end. Earlier versions did not say, and changed nothing.
  Result<size_t> StoredColumns() {
    const std::string now = options_.schema->ToString();
    std::optional<std::string> then;
    WEIR_RETURN_IF_ERROR(context_->Store(LayoutName())
                             .Scan("", "", [&](std::string_view, std::string_view value) {
                               then = value;
                               return true;
                             }));
    layout_is_stored_ = then == now;
    if (!then || *then == now) return options_.schema->columns.size();
    Schema first;
    for (const ColumnSchema& column : options_.schema->columns) {
      first.columns.push_back(column);
      if (first.ToString() == *then) return first.columns.size();
    }
    return Status(ErrorCode::kPlanChanged,
                  "stored rows of a table have other columns: " + *then);
  }

  // The schema's columns as the table has them.
  Chunk TableRows(const Chunk& chunk) const {
    Chunk rows;
    rows.rows = chunk.rows;
    rows.columns = chunk.columns;
    rows.sys(SystemColumn::kRowTime) = chunk.row_time();
    if (windowed_) {
      rows.columns.insert(rows.columns.begin() + options_.key_columns,
                          chunk.sys(SystemColumn::kWindowEnd));
    }
    return rows;
  }

  void Keep(const Chunk& chunk) {
    rows_.clear();
    const auto keys = std::span(chunk.columns).first(static_cast<size_t>(options_.key_columns));
    // Of several key columns some may be null.
    SelectNonNull(options_.key_columns == 1 ? keys : keys.first(0), numbers_.Of(chunk), rows_);
    std::erase_if(rows_, [&](int32_t row) { return chunk.op(row) == RowOp::kUpdateBefore; });
    if (rows_.empty()) return;
    times_.clear();
    if (windowed_) {
      const auto starts = chunk.sys(SystemColumn::kWindowStart)->values<int64_t>();
      for (int32_t row : rows_) times_.push_back(starts[row]);
    }
    const Chunk kept = TableRows(chunk);
    const auto table_keys =
        std::span(kept.columns)
            .first(static_cast<size_t>(options_.key_columns + (windowed_ ? 1 : 0)));
    table_.FindOrInsert(table_keys, rows_, times_, ids_);
    const uint32_t block = table_.AddBlock(kept);
    for (size_t i = 0; i < rows_.size(); ++i) {
      if (chunk.op(rows_[i]) == RowOp::kDelete) {
        if (windowed_ && table_.Has(ids_[i])) Disown(ids_[i]);
        table_.Remove(ids_[i]);
        continue;
      }
      if (windowed_ && !table_.Has(ids_[i])) Own(keys, rows_[i], ids_[i]);
      table_.Set(ids_[i], {block, rows_[i]});
    }
    table_.EndBatch();
  }

  void Own(std::span<const ColumnPtr> keys, int32_t row, uint32_t id) {
    created_.clear();
    owners_.FindOrInsert(keys, {&row, 1}, {}, owner_ids_, created_);
    if (rows_of_owner_.size() < owners_.id_limit()) rows_of_owner_.resize(owners_.id_limit());
    if (owner_of_row_.size() <= id) owner_of_row_.resize(table_.id_limit(), GroupTable::kNone);
    rows_of_owner_[owner_ids_[0]].push_back(id);
    owner_of_row_[id] = owner_ids_[0];
  }

  void Disown(uint32_t id) {
    const uint32_t owner = owner_of_row_[id];
    std::erase(rows_of_owner_[owner], id);
    owner_of_row_[id] = GroupTable::kNone;
    if (rows_of_owner_[owner].empty()) owners_.Erase(owner);
  }

  void FindOwnersOfAll() {
    for (uint32_t id = 0; id < table_.id_limit(); ++id) {
      if (!table_.Has(id)) continue;
      const RowRef ref = table_.ref(id);
      std::vector<ColumnPtr> keys;
      for (int i = 0; i < options_.key_columns; ++i) keys.push_back(table_.Gather(i, {&ref, 1}));
      Own(keys, 0, id);
    }
  }

  // The next ids from `next` on that have rows, at most a batch of them; false if there is none.
  bool TakeIds(uint32_t& next, std::vector<uint32_t>& ids) const {
    ids.clear();
    while (next < table_.id_limit() && ids.size() < static_cast<size_t>(limits::kBatchRowsMax)) {
      if (table_.Has(next)) ids.push_back(next);
      ++next;
    }
    return !ids.empty();
  }

  void AccountMemory() { memory_.Update(*context_, table_.ByteSize() + owners_.ByteSize()); }

  Status VisitRows(std::span<const uint32_t> ids, std::span<const int> columns,
                   const Visit& visit) const {
    return InParts(
        ids.size(), nullptr,
        [&](size_t from, size_t count) { return RowsOf(ids.subspan(from, count), columns); },
        visit);
  }

  Chunk RowsOf(std::span<const uint32_t> ids, std::span<const int> columns) const {
    std::vector<RowRef> refs;
    for (uint32_t id : ids) refs.push_back(table_.ref(id));
    Chunk chunk;
    chunk.rows = static_cast<int32_t>(ids.size());
    for (const int i : columns) {
      const int column = windowed_ && i >= options_.key_columns ? i + 1 : i;
      chunk.columns.push_back(table_.Gather(column, refs));
    }
    chunk.sys(SystemColumn::kRowTime) = table_.GatherRowTimes(refs);
    if (windowed_) {
      std::vector<int64_t> starts;
      for (uint32_t id : ids) starts.push_back(table_.time(id));
      chunk.sys(SystemColumn::kWindowStart) = MakeTimes(starts);
      chunk.sys(SystemColumn::kWindowEnd) = table_.Gather(options_.key_columns, refs);
    }
    return chunk;
  }

  const MaterializedViewOptions options_;
  const bool windowed_;
  RowTable table_;
  GroupTable owners_;
  std::vector<std::vector<uint32_t>> rows_of_owner_;   // Row ids, by owner.
  std::vector<uint32_t> owner_of_row_;
  TaskContext* context_ = nullptr;
  bool layout_is_stored_ = false;
  StateStore* store_ = nullptr;
  MemoryAccount memory_;
  RowNumbers numbers_;
  std::vector<int32_t> rows_;
  std::vector<int64_t> times_;
  std::vector<uint32_t> ids_, created_, owner_ids_;
  uint32_t next_id_ = 0;   // Of those that are handed on at the end.
};

}  // namespace

Result<std::unique_ptr<MaterializedView>> MakeMaterializedView(
    const MaterializedViewOptions& options) {
  return std::unique_ptr<MaterializedView>(std::make_unique<View>(options));
}

OperatorResult MakeLatestRows(const physical::LatestRows& node) {
  MaterializedViewOptions options;
  options.schema = node.schema;
  options.key_columns = CountKeyColumns(*node.schema);
  options.windowed_key = node.windowed_key;
  options.window_size_ms = node.window_size_ms;
  options.emits_at_end = true;
  return std::unique_ptr<Operator>(std::make_unique<View>(options));
}

}  // namespace weir
