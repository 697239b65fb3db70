#include "exec/operators/row_clock.h"

#include "base/limits.h"
#include "base/status_macros.h"
#include "base/time_text.h"

namespace weir {

Result<RowClock> RowClock::Make(const DataType& type, const std::string& format) {
  RowClock clock;
  if (type.is(TypeKind::kBigint) || type.is(TypeKind::kTimestamp)) return clock;
  if (!type.is(TypeKind::kString)) {
    return Status(ErrorCode::kTypeMismatch,
                  "a time column must be BIGINT, TIMESTAMP or STRING: " + type.ToString());
  }
  clock.is_text_ = true;
  if (!format.empty()) {
    WEIR_ASSIGN_OR_RETURN(JavaDateFormat made, JavaDateFormat::Make(format));
    clock.format_ = std::make_shared<const JavaDateFormat>(std::move(made));
  }
  return clock;
}

std::optional<int64_t> RowClock::At(const Column& column, int32_t row) const {
  if (column.IsNull(row)) return std::nullopt;
  int64_t time = 0;
  if (!is_text_) {
    time = column.values<int64_t>()[row];
  } else {
    const std::string_view text = column.GetString(row);
    const bool read =
        format_ ? format_->ParseTimestamp(text, TimeZone(), time) : ParseTimestamp(text, time);
    if (!read) return std::nullopt;
  }
  if (time < 0 || time > limits::kRowTimeMax) return std::nullopt;
  return time;
}

}  // namespace weir
