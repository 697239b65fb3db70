// The rows of several inputs, as they come.

#include "exec/operators/factories.h"

namespace weir {
namespace {

class UnionAll : public Operator {
 public:
  Status OnBatch(int, Chunk chunk) override {
    // Each input has its own.
    chunk.sys(SystemColumn::kStreamTime) = nullptr;
    return out_.Emit(std::move(chunk));
  }
  Status OnStreamTime(int, int64_t) override { return OkStatus(); }
};

}  // namespace

OperatorResult MakeUnionAll(const physical::UnionAll&) {
  return std::unique_ptr<Operator>(std::make_unique<UnionAll>());
}

}  // namespace weir
