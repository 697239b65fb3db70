// What the public header offers of columns and batches.

#include "weir/batch.h"

#include "base/decimal.h"
#include "base/number_text.h"
#include "base/time_text.h"
#include "exec/column/value_text.h"

namespace weir {

Column::Column(Parts parts) : parts_(std::move(parts)) {
  if (parts_.validity) validity_ = parts_.validity->data();
  if (parts_.values) values_ = parts_.values->data();
  if (parts_.offsets) offsets_ = parts_.offsets->as<int32_t>();
}

std::string Column::ToText(int32_t row) const {
  std::string text;
  AppendText(*this, row, text);
  return text;
}

Batch::Batch(SchemaPtr schema, std::vector<ColumnPtr> columns, int32_t row_count)
    : schema_(std::move(schema)), columns_(std::move(columns)), row_count_(row_count) {}

const Column* Batch::column(std::string_view name) const {
  const int index = schema_->Find(name);
  return index < 0 ? nullptr : columns_[index].get();
}

std::span<const int64_t> Batch::row_times() const {
  if (row_times_ == nullptr) return {};
  return row_times_->values<int64_t>().first(static_cast<size_t>(row_count_));
}

std::span<const RowOp> Batch::ops() const {
  if (ops_ == nullptr) return {};
  return {ops_->as<RowOp>(), static_cast<size_t>(row_count_)};
}

}  // namespace weir
