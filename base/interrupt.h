#pragma once

// Work that has no end in sight is given up when its query is to stop. Who runs a query says so for
// the thread it runs on; loops whose length data or SQL decide look once in a while.

#include <atomic>

namespace weir {

/// Thrown where work is given up; never leaves the library.
struct Interrupted {};

/// While it lives, work on this thread is given up once `asked` is true. Scopes may nest; the inner
/// one counts.
class InterruptScope {
 public:
  explicit InterruptScope(const std::atomic<bool>& asked);
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;

 private:
  const std::atomic<bool>* outer_;
};

/// Whether the work on this thread is to be given up. Costs two loads.
bool IsInterrupted();

/// Gives up the work on this thread, by an exception, if it is to be.
inline void CheckInterrupt() {
  if (IsInterrupted()) throw Interrupted();
}

}  // namespace weir
