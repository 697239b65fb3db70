#include "exec/state/rows/stored_rows.h"

#include <utility>

#include "base/interrupt.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/state/row_codec.h"
#include "exec/state/row_key.h"

namespace weir {
namespace {

// Of a BIGINT key column that is there.
constexpr size_t kWindowEndBytes = 1 + sizeof(int64_t);

}  // namespace

RowLayout LayoutOfTable(std::vector<DataType> types, int key_columns, bool windowed) {
  if (windowed) types.insert(types.begin() + key_columns, DataType::Bigint());
  return {std::move(types), key_columns + (windowed ? 1 : 0), windowed};
}

void AppendStoredKey(const RowLayout& layout, std::span<const ColumnPtr> keys, int32_t row,
                     int64_t time, std::string& out) {
  out.append(kStoredRowsBegin);
  if (!layout.has_time) return AppendKey(keys, row, out);
  AppendKey(keys.first(keys.size() - 1), row, out);
  AppendOrdered64(time, out);
  AppendKeyValue(*keys.back(), row, out);
}

void AppendStoredPrefix(std::span<const ColumnPtr> keys, int32_t row, std::string& out) {
  out.append(kStoredRowsBegin);
  AppendKey(keys, row, out);
}

int64_t TimeOfStoredKey(std::string_view key) {
  int64_t time = INT64_MAX;
  const size_t end = kWindowEndBytes + sizeof(time);
  if (key.size() < end) return time;
  key.remove_prefix(key.size() - end);
  ReadOrdered64(key, time);
  return time;
}

void AppendStoredRow(const RowLayout& layout, std::span<const ColumnPtr> columns, int32_t row,
                     int64_t row_time, std::string& out) {
  AppendOrdered64(row_time, out);
  const auto keys = static_cast<size_t>(layout.key_columns);
  AppendRow(columns.subspan(keys, layout.types.size() - keys), row, out);
}

StoredRowReader::StoredRowReader(const RowLayout& layout) : layout_(layout) {
  for (const DataType& type : layout_.types) builders_.emplace_back(type);
  builders_.emplace_back(DataType::Bigint());
}

bool StoredRowReader::Add(std::string_view key, std::string_view value) {
  bytes_ += key.size() + value.size();
  const std::span<ColumnBuilder> all(builders_);
  auto keys = all.first(static_cast<size_t>(layout_.key_columns));
  int64_t time = 0, row_time = 0;
  if (!key.starts_with(kStoredRowsBegin)) return false;
  key.remove_prefix(kStoredRowsBegin.size());
  if (layout_.has_time) {
    if (!ReadKey(key, keys.first(keys.size() - 1)) || !ReadOrdered64(key, time)) return false;
    keys = keys.last(1);
  }
  if (!ReadKey(key, keys) || !key.empty() || !ReadOrdered64(value, row_time)) return false;
  for (size_t i = static_cast<size_t>(layout_.key_columns); i < layout_.types.size(); ++i) {
    if (value.empty()) {
      builders_[i].AppendNull();
    } else if (!ReadRowValue(value, builders_[i])) {
      return false;
    }
  }
  builders_.back().AppendInt64(row_time);
  times_.push_back(time);
  return value.empty();
}

bool StoredRowReader::AddOld(std::string_view& key, std::string_view& value, size_t columns) {
  const size_t before = key.size() + value.size();
  const std::span<ColumnBuilder> all(builders_);
  const auto keys = static_cast<size_t>(layout_.key_columns);
  int64_t time = 0, row_time = 0;
  if (layout_.has_time && !ReadOrdered64(key, time)) return false;
  if (!ReadRow(key, all.first(keys)) || !ReadOrdered64(value, row_time) ||
      !ReadRow(value, all.subspan(keys, columns - keys))) {
    return false;
  }
  for (size_t i = columns; i < layout_.types.size(); ++i) builders_[i].AppendNull();
  builders_.back().AppendInt64(row_time);
  times_.push_back(time);
  bytes_ += before - key.size() - value.size();
  return true;
}

bool StoredRowReader::is_full() const {
  return rows() >= limits::kBatchRowsMax || bytes_ >= limits::kBatchBytesMax;
}

Chunk StoredRowReader::Finish() {
  Chunk chunk;
  chunk.rows = rows();
  for (size_t i = 0; i < layout_.types.size(); ++i) {
    chunk.columns.push_back(builders_[i].Finish());
  }
  chunk.sys(SystemColumn::kRowTime) = builders_.back().Finish();
  times_.clear();
  bytes_ = 0;
  return chunk;
}

Result<bool> ReadOldRows(const StateStore& store, const RowLayout& layout, size_t columns,
                         const std::function<void(StoredRowReader& rows)>& take) {
  StoredRowReader reader(layout);
  bool found = false;
  bool malformed = false;
  const auto take_some = [&](bool all) {
    if (reader.rows() == 0 || !(all || reader.is_full())) return;
    CheckInterrupt();
    take(reader);
  };
  WEIR_RETURN_IF_ERROR(
      store.Scan(kStoredRowsEnd, "", [&](std::string_view key, std::string_view value) {
        found = true;
        if (layout.has_time) {
          malformed = !reader.AddOld(key, value, columns) || !key.empty() || !value.empty();
        } else {
          int64_t page = 0;
          malformed = !ReadOrdered64(key, page) || !key.empty();
          while (!malformed && !value.empty()) {
            malformed = !reader.AddOld(value, value, columns);
            if (!malformed) take_some(false);
          }
        }
        if (!malformed) take_some(false);
        return !malformed;
      }));
  if (malformed) return MalformedRow();
  take_some(true);
  return found;
}

Status MalformedRow() {
  return Status(ErrorCode::kStoreCorrupt, "a table's row in a state store is malformed");
}

}  // namespace weir
