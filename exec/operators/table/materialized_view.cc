#include "exec/operators/table/materialized_view.h"

#include <algorithm>
#include <string_view>

#include "base/status_macros.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/table/view_layout.h"
#include "exec/state/rows/row_changes.h"

namespace weir {
namespace {

// Windows leave the store once as much time has passed again as they are kept, piece by piece: for
// each byte that is written some are looked at.
constexpr size_t kSweepBytesMin = 256u << 10;
constexpr size_t kSweepBytesPerWritten = 4;

class View : public Operator {
 public:
  explicit View(const MaterializedViewOptions& options)
      : options_(options),
        windowed_(options.is_windowed()),
        forgets_(windowed_ && options.retention_ms >= 0),
        changes_(options.Layout()) {}

  Status Open(TaskContext& context) override {
    context_ = &context;
    store_ = &context.Store(options_.store_name);
    layout_store_ = &context.Store(options_.layout_name);
    WEIR_ASSIGN_OR_RETURN(const size_t columns, StoredColumns());
    return changes_.Open(*store_, columns + (windowed_ ? 1 : 0));
  }

  Status OnBatch(int, Chunk chunk) override {
    Keep(chunk);
    return out_.Emit(std::move(chunk));
  }

  Status OnStreamTime(int, int64_t stream_time) override {
    // Times may be anything; before the first retention has passed nothing is over.
    if (forgets_ && stream_time >= INT64_MIN + options_.retention_ms) {
      const int64_t last_over = stream_time - options_.retention_ms;
      limit_ = std::max(limit_, last_over < INT64_MAX ? last_over + 1 : last_over);
    }
    return Advance(stream_time);
  }

  Status OnBarrier() override {
    const size_t written = changes_.ByteSize();
    changes_.Save();
    if (!layout_is_stored_) layout_store_->Put(kViewColumns, options_.schema->ToString());
    layout_is_stored_ = true;
    if (limit_ != stored_limit_) layout_store_->Put(kViewLimit, EncodeViewLimit(limit_));
    stored_limit_ = limit_;
    if (forgets_) WEIR_RETURN_IF_ERROR(Sweep(kSweepBytesMin + written * kSweepBytesPerWritten));
    memory_.Update(*context_, changes_.ByteSize());
    return OkStatus();
  }

 private:
  // How many of the columns the stored rows have. A query that was replaced may have got more at
  // the end. Earlier versions did not say, and changed nothing.
  Result<size_t> StoredColumns() {
    const std::string now = options_.schema->ToString();
    std::vector<std::optional<std::string>> stored;
    WEIR_RETURN_IF_ERROR(
        layout_store_->MultiGet({std::string(kViewColumns), std::string(kViewLimit)}, stored));
    if (stored[1]) {
      WEIR_ASSIGN_OR_RETURN(limit_, DecodeViewLimit(*stored[1]));
      stored_limit_ = swept_limit_ = limit_;
    }
    const std::optional<std::string>& then = stored[0];
    layout_is_stored_ = then == now;
    if (!then || *then == now) return options_.schema->columns.size();
    Schema first;
    for (const ColumnSchema& column : options_.schema->columns) {
      first.columns.push_back(column);
      if (first.ToString() == *then) return first.columns.size();
    }
    return Status(ErrorCode::kPlanChanged, "stored rows of a table have other columns: " + *then);
  }

  // The schema's columns as the table has them.
  Chunk TableRows(const Chunk& chunk) const {
    Chunk rows;
    rows.rows = chunk.rows;
    rows.columns = chunk.columns;
    rows.ops = chunk.ops;
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
    changes_.Add(TableRows(chunk), rows_, times_);
    memory_.Update(*context_, changes_.ByteSize());
  }

  // Looks at about `bytes` of what is stored, and deletes the windows that do not count any more.
  Status Sweep(size_t bytes) {
    if (!sweeps_) {
      if (limit_ == INT64_MIN) return OkStatus();
      const auto every = static_cast<uint64_t>(std::max(options_.retention_ms, int64_t{1}));
      const uint64_t since = static_cast<uint64_t>(limit_) - static_cast<uint64_t>(swept_limit_);
      if (swept_limit_ != INT64_MIN && since < every) return OkStatus();
      sweeps_ = true;
      swept_limit_ = limit_;
      sweep_from_ = kStoredRowsBegin;
    }
    std::vector<std::string> expired;
    sweeps_ = false;  // Unless there is more.
    WEIR_RETURN_IF_ERROR(store_->Scan(sweep_from_, kStoredRowsEnd,
                                      [&](std::string_view key, std::string_view value) {
                                        const size_t size = key.size() + value.size();
                                        if (size > bytes) {
                                          sweeps_ = true;
                                          sweep_from_ = key;
                                          return false;
                                        }
                                        bytes -= size;
                                        if (TimeOfStoredKey(key) < limit_)
                                          expired.emplace_back(key);
                                        return true;
                                      }));
    for (const std::string& key : expired) store_->Delete(key);
    return OkStatus();
  }

  const MaterializedViewOptions options_;
  const bool windowed_;
  const bool forgets_;  // Windows that are over for long.
  RowChanges changes_;
  TaskContext* context_ = nullptr;
  StateStore* store_ = nullptr;
  StateStore* layout_store_ = nullptr;
  bool layout_is_stored_ = false;
  int64_t limit_ = INT64_MIN;  // Windows that start below do not count.
  int64_t stored_limit_ = INT64_MIN;
  int64_t swept_limit_ = INT64_MIN;  // That of the last sweep.
  bool sweeps_ = false;
  std::string sweep_from_;
  MemoryAccount memory_;
  RowNumbers numbers_;
  std::vector<int32_t> rows_;
  std::vector<int64_t> times_;
};

}  // namespace

RowLayout MaterializedViewOptions::Layout() const {
  return LayoutOfTable(ColumnTypes(*schema), key_columns, is_windowed());
}

std::optional<MaterializedViewOptions> ViewOf(const physical::Node& sink) {
  MaterializedViewOptions options;
  if (sink.kind == physical::NodeKind::kTopicSink) {
    const auto& topic = static_cast<const physical::TopicSink&>(sink);
    if (!topic.is_table) return std::nullopt;
    options.retention_ms = topic.view_retention_ms;
  } else if (sink.kind != physical::NodeKind::kClientSink ||
             !static_cast<const physical::ClientSink&>(sink).keeps_table) {
    return std::nullopt;
  }
  options.schema = sink.schema;
  options.key_columns = CountKeyColumns(*sink.schema);
  options.windowed_key = sink.windowed_key;
  options.store_name = sink.StoreName(physical::StoreKind::kView);
  options.layout_name = sink.StoreName(physical::StoreKind::kViewLayout);
  return options;
}

Result<std::unique_ptr<Operator>> MakeMaterializedView(const MaterializedViewOptions& options) {
  return std::unique_ptr<Operator>(std::make_unique<View>(options));
}

}  // namespace weir
