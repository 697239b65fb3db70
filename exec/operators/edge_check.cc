#include "exec/operators/edge_check.h"

#include <fmt/format.h>

#include "base/status_macros.h"

namespace weir {
namespace {

class EdgeCheck final : public Operator {
 public:
  explicit EdgeCheck(const physical::Node& node)
      : schema_(node.schema),
        mode_(node.mode),
        node_(node.id),
        // A projection may give rows the key of the groups they go to, and that may be null.
        has_keys_(mode_ != physical::ChangeMode::kAppend &&
                  node.kind != physical::NodeKind::kProject &&
                  node.kind != physical::NodeKind::kFilter) {}

  Status OnBatch(int, Chunk chunk) override {
    CheckColumns(chunk);
    CheckSelection(chunk);
    if (has_keys_) CheckKeys(chunk);
    CheckOperations(chunk);
    return out_.Emit(std::move(chunk));
  }

  Status OnStreamTime(int, int64_t stream_time) override {
    Hold(stream_time >= stream_time_, "stream time never goes back");
    stream_time_ = stream_time;
    return Advance(stream_time);
  }

 private:
  void Hold(bool promise, std::string_view what) const {
    if (promise) return;
    WEIR_CHECK(false, fmt::format("operator #{} broke its promise: {}", node_, what).c_str());
  }

  void CheckColumns(const Chunk& chunk) const {
    Hold(static_cast<int>(chunk.columns.size()) == schema_->size(), "all columns are there");
    for (int i = 0; i < schema_->size(); ++i) {
      const Column& column = *chunk.columns[i];
      Hold(column.length() == chunk.rows, "columns are as long as the chunk");
      Hold(column.type() == schema_->columns[i].type, "columns have the types of the schema");
    }
    Hold(chunk.row_time() != nullptr && chunk.row_time()->length() == chunk.rows,
         "each row has its time");
  }

  void CheckSelection(const Chunk& chunk) const {
    if (chunk.selection == nullptr) return;
    int32_t before = -1;
    for (const int32_t row : *chunk.selection) {
      Hold(row > before && row < chunk.rows, "selected rows are in order");
      before = row;
    }
  }

  template <typename Visit>
  static void EachRow(const Chunk& chunk, const Visit& visit) {
    const int32_t rows = chunk.active_rows();
    for (int32_t i = 0; i < rows; ++i) visit(chunk.selection ? (*chunk.selection)[i] : i);
  }

  void CheckKeys(const Chunk& chunk) const {
    EachRow(chunk, [&](int32_t row) {
      for (int i = 0; i < schema_->size(); ++i) {
        if (!schema_->columns[i].is_key) continue;
        Hold(!chunk.columns[i]->IsNull(row), "keys of tables are not null");
      }
    });
  }

  void CheckOperations(const Chunk& chunk) const {
    int32_t old_row = -1;
    EachRow(chunk, [&](int32_t row) {
      const RowOp op = chunk.op(row);
      if (mode_ != physical::ChangeMode::kRetract) {
        Hold(op != RowOp::kUpdateBefore, "old rows come in retract mode only");
        Hold(mode_ == physical::ChangeMode::kUpsert || op != RowOp::kUpdateAfter,
             "rows of a stream are no updates");
        return;
      }
      Hold((op == RowOp::kUpdateAfter) == (old_row >= 0),
           "an old row stands directly before its new one");
      old_row = op == RowOp::kUpdateBefore ? row : -1;
    });
    Hold(old_row < 0, "an old row and its new one are in one chunk");
  }

  const SchemaPtr schema_;
  const physical::ChangeMode mode_;
  const int node_;
  const bool has_keys_;
  int64_t stream_time_ = INT64_MIN;
};

}  // namespace

std::unique_ptr<Operator> MakeEdgeCheck(const physical::Node& node) {
  return std::make_unique<EdgeCheck>(node);
}

}  // namespace weir
