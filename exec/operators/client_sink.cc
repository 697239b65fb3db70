// The end of a query without a topic: flat rows to the cursor.

#include "exec/operators/factories.h"

namespace weir {
namespace {

class ClientSink : public Operator {
 public:
  Status Open(TaskContext& context) override {
    context_ = &context;
    return OkStatus();
  }

  Status OnBatch(int, Chunk chunk) override {
    RowReceiver* receiver = context_->receiver();
    if (receiver == nullptr) return OkStatus();
    context_->counters().RecordsOut(chunk.active_rows());
    return receiver->OnRows(Flatten(std::move(chunk)));
  }

 private:
  TaskContext* context_ = nullptr;
};

}  // namespace

OperatorResult MakeClientSink(const physical::ClientSink&) {
  return std::unique_ptr<Operator>(std::make_unique<ClientSink>());
}

}  // namespace weir
