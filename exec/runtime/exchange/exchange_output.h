#pragma once

// The two operators that belong to the runtime itself: the end of a stage that feeds an exchange,
// and the keeper of stream time in front of windowed operators that no exchange feeds.

#include <memory>

#include "exec/operators/operators.h"
#include "exec/runtime/query/query_environment.h"

namespace weir {

/// Splits rows by the task that owns their key and leaves them in `buffer`'s slots of upstream task
/// `from_task`.
std::unique_ptr<Operator> MakeExchangeOutput(ExchangeBuffer& buffer, int32_t from_task,
                                             std::unique_ptr<ExchangeRouter> router);

/// Stamps each row with the highest event time that has reached this point (SystemColumn::
/// kStreamTime) and, after each batch, tells the operator behind. Rows that it drops, those without
/// a value or with a null among their first `key_columns`, move no time. The maximum is kept in the
/// store `store_name`, so that a restart does not take late rows for timely ones.
std::unique_ptr<Operator> MakeStreamTimeTracker(std::string store_name, int input, int key_columns);

}  // namespace weir
