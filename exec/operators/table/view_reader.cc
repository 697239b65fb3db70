// Reads what a view has stored.

#include <algorithm>
#include <utility>

#include "base/interrupt.h"
#include "base/status_macros.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/table/materialized_view.h"
#include "exec/operators/table/view_layout.h"
#include "exec/state/row_key.h"

namespace weir {

ViewReader::ViewReader(const MaterializedViewOptions& options,
                       std::shared_ptr<const StateReader> state, std::string rows_prefix,
                       std::string layout_prefix)
    : options_(options),
      state_(std::move(state)),
      rows_prefix_(std::move(rows_prefix)),
      layout_prefix_(std::move(layout_prefix)) {
  if (options_.retention_ms < 0) limit_ = INT64_MIN;
}

Status ViewReader::ReadLimit() {
  if (limit_) return OkStatus();
  limit_ = INT64_MIN;
  WEIR_ASSIGN_OR_RETURN(const std::optional<std::string> stored,
                        state_->Get(layout_prefix_ + std::string(kViewLimit)));
  if (!stored) return OkStatus();
  WEIR_ASSIGN_OR_RETURN(limit_, DecodeViewLimit(*stored));
  return OkStatus();
}

Status ViewReader::Lookup(const std::vector<Value>& key, std::span<const int> columns,
                          const Visit& visit) {
  if (static_cast<int>(key.size()) != options_.key_columns) {
    return Status(ErrorCode::kInternal, "a look-up does not name all key columns");
  }
  if (key.size() == 1 && key[0].is_null()) return OkStatus();
  std::vector<ColumnPtr> values;
  for (size_t i = 0; i < key.size(); ++i) {
    values.push_back(MakeConstantColumn(options_.schema->columns[i].type, key[i], 1));
  }
  std::string full = rows_prefix_;
  AppendStoredPrefix(values, 0, full);
  WEIR_RETURN_IF_ERROR(ReadLimit());
  if (!options_.is_windowed()) {
    WEIR_ASSIGN_OR_RETURN(const std::optional<std::string> row, state_->Get(full));
    if (row) WEIR_RETURN_IF_ERROR(Add(full, *row).status());
  } else {
    Status status;
    WEIR_RETURN_IF_ERROR(
        state_->Scan(full, EndOfPrefix(full), [&](std::string_view at, std::string_view value) {
          status = Add(at, value).status();
          if (status.ok() && rows_ && rows_->is_full()) status = visit(Take(columns));
          return status.ok();
        }));
    WEIR_RETURN_IF_ERROR(std::move(status));
  }
  return !rows_ || rows_->rows() == 0 ? OkStatus() : visit(Take(columns));
}

Result<std::optional<Chunk>> ViewReader::Next(std::span<const int> columns) {
  if (ended_) return std::optional<Chunk>();
  CheckInterrupt();
  WEIR_RETURN_IF_ERROR(ReadLimit());
  if (next_.empty()) next_ = rows_prefix_ + std::string(kStoredRowsBegin);
  ended_ = true;  // Unless there is more.
  Status status;
  WEIR_RETURN_IF_ERROR(state_->Scan(next_, rows_prefix_ + std::string(kStoredRowsEnd),
                                    [&](std::string_view key, std::string_view value) {
                                      if (rows_ && rows_->is_full()) {
                                        ended_ = false;
                                        next_ = key;
                                        return false;
                                      }
                                      status = Add(key, value).status();
                                      return status.ok();
                                    }));
  WEIR_RETURN_IF_ERROR(std::move(status));
  if (!rows_ || rows_->rows() == 0) return std::optional<Chunk>();
  return std::optional<Chunk>(Take(columns));
}

// False if the row does not count any more.
Result<bool> ViewReader::Add(std::string_view key, std::string_view value) {
  key.remove_prefix(rows_prefix_.size());
  if (options_.is_windowed() && TimeOfStoredKey(key) < *limit_) return false;
  if (!rows_) rows_.emplace(options_.Layout());
  if (!rows_->Add(key, value)) return MalformedRow();
  return true;
}

Chunk ViewReader::Take(std::span<const int> columns) {
  const std::vector<int64_t> starts(rows_->times().begin(), rows_->times().end());
  const Chunk read = rows_->Finish();
  Chunk chunk;
  chunk.rows = read.rows;
  const bool windowed = options_.is_windowed();
  for (const int i : columns) {
    const int column = windowed && i >= options_.key_columns ? i + 1 : i;
    chunk.columns.push_back(read.columns[column]);
  }
  chunk.sys(SystemColumn::kRowTime) = read.row_time();
  if (windowed) {
    chunk.sys(SystemColumn::kWindowStart) = MakeTimes(starts);
    chunk.sys(SystemColumn::kWindowEnd) = read.columns[options_.key_columns];
  }
  return chunk;
}

}  // namespace weir
