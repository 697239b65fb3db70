#pragma once

// Our own code throws where work must be left at any depth: a failed check, a column that would be
// too large, an interruption; libraries may. This is the boundary at which that becomes a status: a
// task's round, a call of the API.

#include <exception>
#include <new>
#include <string>
#include <system_error>

#include "base/interrupt.h"
#include "base/status_macros.h"
#include "exec/column/column_limit.h"
#include "weir/status.h"

namespace weir {

/// What `body` returns; kInternal, kMemoryLimit, kRecordTooLarge or kCancelled for what it throws.
template <typename Body>
Status Guarded(const Body& body) {
  try {
    return body();
  } catch (const CheckFailure& failure) {
    return Status(ErrorCode::kInternal, failure.message);
  } catch (const ColumnTooLarge& thrown) {
    return ColumnTooLargeStatus(thrown);
  } catch (const Interrupted&) {
    return Status(ErrorCode::kCancelled, "the work was given up, as it was asked to stop");
  } catch (const std::bad_alloc&) {
    return Status(ErrorCode::kMemoryLimit, "the machine has no more memory");
  } catch (const std::system_error& error) {
    // A thread that the system does not give is the one such error that our libraries throw.
    if (error.code() == std::errc::resource_unavailable_try_again) {
      return Status(ErrorCode::kMemoryLimit, "the system gives no more threads")
          .WithHint("allow more processes (ulimit -u), or run fewer queries and threads");
    }
    return Status(ErrorCode::kInternal, std::string("unexpected exception: ") + error.what());
  } catch (const std::exception& error) {
    return Status(ErrorCode::kInternal, std::string("unexpected exception: ") + error.what());
  }
}

}  // namespace weir
