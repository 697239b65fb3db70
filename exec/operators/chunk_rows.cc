#include "exec/operators/chunk_rows.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace weir {

std::span<const int32_t> RowNumbers::Of(const Chunk& chunk) {
  if (chunk.selection) return *chunk.selection;
  for (auto row = static_cast<int32_t>(all_.size()); row < chunk.rows; ++row) all_.push_back(row);
  return std::span<const int32_t>(all_).first(static_cast<size_t>(chunk.rows));
}

int CountKeyColumns(const Schema& schema) {
  return static_cast<int>(std::count_if(schema.columns.begin(), schema.columns.end(),
                                        [](const ColumnSchema& column) { return column.is_key; }));
}

std::vector<DataType> ColumnTypes(const Schema& schema) {
  std::vector<DataType> types;
  for (const ColumnSchema& column : schema.columns) types.push_back(column.type);
  return types;
}

BufferPtr MakeOps(std::span<const RowOp> ops) {
  uint8_t* data = nullptr;
  BufferPtr buffer = MakeBuffer(ops.size(), &data);
  if (!ops.empty()) std::memcpy(data, ops.data(), ops.size());
  return buffer;
}

ColumnPtr MakeTimes(std::span<const int64_t> times) {
  return MakeInt64Column(DataType::Bigint(), times);
}

int64_t SelectNonNull(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
                      std::vector<int32_t>& out) {
  const size_t before = out.size();
  for (int32_t row : rows) {
    bool null = false;
    for (const ColumnPtr& key : keys) null |= key->IsNull(row);
    if (!null) out.push_back(row);
  }
  return static_cast<int64_t>(rows.size() - (out.size() - before));
}

Status ReportRowErrors(TaskContext& context, const Chunk& chunk, RowErrors& errors) {
  if (errors.count() == 0) return OkStatus();
  constexpr std::string_view kReason = "expression_error";
  context.counters().Dropped(kReason, errors.count());
  const ColumnPtr& partitions = chunk.sys(SystemColumn::kPartition);
  const ColumnPtr& offsets = chunk.sys(SystemColumn::kOffset);
  for (const RowErrors::Entry& entry : errors.entries()) {
    const int32_t partition = partitions && !partitions->IsNull(entry.row)
                                  ? partitions->values<int32_t>()[entry.row]
                                  : chunk.source_partition;
    const int64_t offset =
        offsets && !offsets->IsNull(entry.row) ? offsets->values<int64_t>()[entry.row] : -1;
    const std::string_view topic =
        chunk.source >= 0 ? context.SourceTopic(chunk.source) : std::string_view();
    context.counters().LogError(kReason, topic, partition, offset, entry.message);
  }
  std::string first = errors.entries().empty() ? "" : errors.entries().front().message;
  errors.Clear();
  if (context.setting("expression.errors.fail", 0) == 0) return OkStatus();
  return Status(ErrorCode::kExpressionError,
                fmt::format("an expression has no value for a row: {}", first));
}

}  // namespace weir
