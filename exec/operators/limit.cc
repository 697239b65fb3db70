// LIMIT and OFFSET: the first rows only, or those behind some.

#include <algorithm>

#include "exec/column/builder.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/factories.h"

namespace weir {
namespace {

class Limit : public Operator {
 public:
  explicit Limit(const physical::Limit& node)
      : left_(node.rows < 0 ? INT64_MAX : node.rows),
        skip_(node.offset),
        is_stream_(node.mode == physical::ChangeMode::kAppend) {}

  Status OnBatch(int, Chunk chunk) override {
    if (left_ <= 0) return OkStatus();
    if (is_stream_ && chunk.ops) DropNullValues(chunk);
    if (skip_ > 0) {
      const auto skipped = static_cast<int32_t>(std::min<int64_t>(skip_, chunk.active_rows()));
      skip_ -= skipped;
      const auto rows = numbers_.Of(chunk).subspan(static_cast<size_t>(skipped));
      chunk.selection = std::make_shared<const Selection>(rows.begin(), rows.end());
    }
    if (chunk.active_rows() > left_) {
      const auto rows = numbers_.Of(chunk).first(static_cast<size_t>(left_));
      chunk.selection = std::make_shared<const Selection>(rows.begin(), rows.end());
    }
    left_ -= chunk.active_rows();
    return out_.Emit(std::move(chunk));
  }

 private:
  // Records without a value are no rows of the result, so they do not count.
  void DropNullValues(Chunk& chunk) {
    auto kept = std::make_shared<Selection>();
    for (int32_t row : numbers_.Of(chunk)) {
      if (chunk.op(row) != RowOp::kDelete) kept->push_back(row);
    }
    chunk.selection = std::move(kept);
  }

  int64_t left_;
  int64_t skip_;
  const bool is_stream_;
  RowNumbers numbers_;
};

/// A query as a value: its one row, or a row of nulls.
class OneRow : public Operator {
 public:
  explicit OneRow(const physical::Limit& node) : schema_(node.schema) {}

  Status OnBatch(int, Chunk chunk) override {
    if (chunk.active_rows() == 0) return OkStatus();
    if (has_row_ || chunk.active_rows() > 1) {
      return Status(ErrorCode::kExpressionError,
                    "a SELECT that stands for a value has given more than one row")
          .WithHint("LIMIT 1 takes the first of them; IN (SELECT …) compares with all");
    }
    has_row_ = true;
    return out_.Emit(std::move(chunk));
  }

  Status EmitRest(bool* more) override {
    *more = false;
    if (has_row_) return OkStatus();
    has_row_ = true;
    Chunk nulls;
    nulls.rows = 1;
    for (const ColumnSchema& column : schema_->columns) {
      nulls.columns.push_back(MakeNullColumn(column.type, 1));
    }
    const int64_t time = 0;
    nulls.sys(SystemColumn::kRowTime) = MakeTimes({&time, 1});
    return out_.Emit(std::move(nulls));
  }

 private:
  const SchemaPtr schema_;
  bool has_row_ = false;
};

}  // namespace

OperatorResult MakeLimit(const physical::Limit& node) {
  if (node.one_row) return std::unique_ptr<Operator>(std::make_unique<OneRow>(node));
  return std::unique_ptr<Operator>(std::make_unique<Limit>(node));
}

}  // namespace weir
