#pragma once

// Waiting for what no signal tells of: what a broker has come to know, what another process has
// done.

#include <chrono>
#include <thread>

namespace weir::testing {

/// Looks at `done` again and again until it holds; false if it does not within `timeout`. For
/// conditions outside of this process only: what happens inside is waited for by its own signal.
template <typename Done>
bool WaitUntil(std::chrono::milliseconds timeout, const Done& done) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // Leaves the others the processor.
  }
  return true;
}

}  // namespace weir::testing
