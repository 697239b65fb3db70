#pragma once

// Our own code throws where work must be left at any depth: a failed check, a column that would be
// too large, an interruption; libraries may. This is the boundary at which that becomes a status: a
// task's round, a call of the API.

#include <exception>
#include <new>
#include <string>

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
  } catch (const std::exception& error) {
    return Status(ErrorCode::kInternal, std::string("unexpected exception: ") + error.what());
  }
}

}  // namespace weir
