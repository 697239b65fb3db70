#pragma once

// Our own code does not throw; libraries and failed checks may. This is the boundary at which that
// becomes a status: a task's round, a call of the API.

#include <exception>
#include <new>
#include <string>

#include "base/status_macros.h"
#include "weir/status.h"

namespace weir {

/// What `body` returns, or kInternal or kMemoryLimit for what it throws.
template <typename Body>
Status Guarded(const Body& body) {
  try {
    return body();
  } catch (const CheckFailure& failure) {
    return Status(ErrorCode::kInternal, failure.message);
  } catch (const std::bad_alloc&) {
    return Status(ErrorCode::kMemoryLimit, "the machine has no more memory");
  } catch (const std::exception& error) {
    return Status(ErrorCode::kInternal, std::string("unexpected exception: ") + error.what());
  }
}

}  // namespace weir
