#include "base/interrupt.h"

#include <utility>

namespace weir {
namespace {

thread_local const std::atomic<bool>* interrupt_asked = nullptr;

}  // namespace

InterruptScope::InterruptScope(const std::atomic<bool>& asked)
    : outer_(std::exchange(interrupt_asked, &asked)) {}

InterruptScope::~InterruptScope() { interrupt_asked = outer_; }

bool IsInterrupted() {
  return interrupt_asked != nullptr && interrupt_asked->load(std::memory_order_relaxed);
}

}  // namespace weir
