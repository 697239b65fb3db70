// LIMIT: the first rows only.

#include "exec/operators/chunk_rows.h"
#include "exec/operators/factories.h"

namespace weir {
namespace {

class Limit : public Operator {
 public:
  explicit Limit(int64_t rows) : left_(rows) {}

  Status OnBatch(int, Chunk chunk) override {
    if (left_ <= 0) return OkStatus();
    if (chunk.active_rows() > left_) {
      const auto rows = numbers_.Of(chunk).first(static_cast<size_t>(left_));
      chunk.selection = std::make_shared<const Selection>(rows.begin(), rows.end());
    }
    left_ -= chunk.active_rows();
    return out_.Emit(std::move(chunk));
  }

 private:
  int64_t left_;
  RowNumbers numbers_;
};

}  // namespace

OperatorResult MakeLimit(const physical::Limit& node) {
  return std::unique_ptr<Operator>(std::make_unique<Limit>(node.rows));
}

}  // namespace weir
