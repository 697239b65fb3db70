#pragma once

// Row times out of a column: WITH (TIMESTAMP='…', TIMESTAMP_FORMAT='…'), on sources and on sinks.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "exec/functions/scalar/java_date_format.h"
#include "weir/batch.h"
#include "weir/status.h"
#include "weir/types.h"

namespace weir {

/// Immutable; safe from any thread.
class RowClock {
 public:
  /// `format` is Java's pattern for STRING columns; empty: ISO text. kTypeMismatch for types that
  /// hold no time.
  static Result<RowClock> Make(const DataType& type, const std::string& format);

  /// Milliseconds since the epoch; nothing for null, unreadable or negative values, and for those
  /// beyond limits::kRowTimeMax.
  std::optional<int64_t> At(const Column& column, int32_t row) const;

 private:
  std::shared_ptr<const JavaDateFormat> format_;
  bool is_text_ = false;
};

}  // namespace weir
