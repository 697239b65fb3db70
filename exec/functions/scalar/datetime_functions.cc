// Date and time functions.

#include <limits>
#include <optional>

#include "base/time_text.h"
#include "exec/functions/builtin_functions.h"
#include "exec/functions/scalar/java_date_format.h"
#include "exec/functions/scalar/kernel_rows_inl.h"
#include "exec/functions/scalar/time_zone.h"

namespace weir {
namespace {

constexpr std::string_view kCategory = "Date and time";

/// What constant arguments were turned into; each may be missing.
struct PreparedFormat {
  std::optional<JavaDateFormat> format;
  std::optional<TimeZone> zone;
};

std::optional<std::string_view> ConstantText(std::span<const Value* const> constants, size_t i) {
  if (i >= constants.size() || constants[i] == nullptr) return std::nullopt;
  const auto* text = std::get_if<std::string>(&constants[i]->data);
  return text == nullptr ? std::nullopt : std::optional<std::string_view>(*text);
}

/// (value, pattern[, zone]). A constant that is wrong is left to the rows, which then are in error,
/// as ksqlDB does.
Result<std::shared_ptr<const void>> PrepareFormat(std::span<const Value* const> constants,
                                                  std::span<const DataType>) {
  auto prepared = std::make_shared<PreparedFormat>();
  if (const auto pattern = ConstantText(constants, 1)) {
    Result<JavaDateFormat> format = JavaDateFormat::Make(*pattern);
    if (format.ok()) prepared->format = std::move(format).value();
  }
  if (const auto zone = ConstantText(constants, 2)) prepared->zone = TimeZone::Find(*zone);
  return std::shared_ptr<const void>(std::move(prepared));
}

/// The format and the zone of each row: prepared, or made when the text changes.
class RowFormats {
 public:
  explicit RowFormats(const KernelCall& call)
      : call_(call), prepared_(static_cast<const PreparedFormat*>(call.state)) {}

  /// Null, with an error for the row, where the pattern is none.
  const JavaDateFormat* FormatAt(int32_t row) {
    if (prepared_ != nullptr && prepared_->format) return &*prepared_->format;
    const std::string_view pattern = call_.args[1]->GetString(row);
    if (!known_pattern_ || pattern != pattern_) {
      known_pattern_ = true;
      pattern_ = pattern;
      Result<JavaDateFormat> format = JavaDateFormat::Make(pattern);
      error_ = format.status().message();
      if (format.ok()) {
        format_ = std::move(format).value();
      } else {
        format_.reset();
      }
    }
    if (format_) return &*format_;
    call_.Error(row, error_);
    return nullptr;
  }

  /// UTC without an argument for it.
  const TimeZone* ZoneAt(int32_t row, size_t argument = 2) {
    if (call_.args.size() <= argument) return &utc_;
    if (prepared_ != nullptr && prepared_->zone) return &*prepared_->zone;
    const std::string_view name = call_.args[argument]->GetString(row);
    if (!known_zone_ || name != zone_name_) {
      known_zone_ = true;
      zone_name_ = name;
      zone_ = TimeZone::Find(name);
    }
    if (zone_) return &*zone_;
    call_.Error(row, "unknown time zone: " + zone_name_);
    return nullptr;
  }

 private:
  const KernelCall& call_;
  const PreparedFormat* prepared_;
  const TimeZone utc_;
  bool known_pattern_ = false;
  std::string pattern_;
  std::string error_;
  std::optional<JavaDateFormat> format_;
  bool known_zone_ = false;
  std::string zone_name_;
  std::optional<TimeZone> zone_;
};

enum class What : uint8_t { kDate, kTime, kTimestamp };

template <What kWhat>
bool PatternFits(const JavaDateFormat& format) {
  if (kWhat == What::kDate) return !format.has_time() && !format.has_zone();
  if (kWhat == What::kTime) return !format.has_date() && !format.has_zone();
  return true;
}

/// FORMAT_DATE, FORMAT_TIME, FORMAT_TIMESTAMP and their older names.
template <What kWhat>
void FormatKernel(const KernelCall& call, ColumnBuilder& out) {
  RowFormats formats(call);
  std::string scratch;
  const Column& values = *call.args[0];
  ForActiveRows(call, out, [&](int32_t row) {
    const JavaDateFormat* format = formats.FormatAt(row);
    const TimeZone* zone = formats.ZoneAt(row);
    if (format == nullptr || zone == nullptr) return out.AppendNull();
    if (!PatternFits<kWhat>(*format)) {
      call.Error(row, "the pattern has letters for which the value has nothing");
      return out.AppendNull();
    }
    int64_t ms = 0;
    if (kWhat == What::kDate) ms = GetInt(values, row) * kMillisPerDay;
    if (kWhat == What::kTime) ms = GetInt(values, row);
    if (kWhat == What::kTimestamp) ms = GetBigint(values, row);
    scratch.clear();
    format->Format(ms, *zone, scratch);
    out.AppendBytes(scratch);
  });
}

/// PARSE_DATE, PARSE_TIME, PARSE_TIMESTAMP and their older names. PARSE_DATE alone takes a text
/// with something behind the date: Java's older class of formats, which ksqlDB has there, does.
template <What kWhat, bool kWhole = true>
void ParseKernel(const KernelCall& call, ColumnBuilder& out) {
  RowFormats formats(call);
  ForActiveRows(call, out, [&](int32_t row) {
    const JavaDateFormat* format = formats.FormatAt(row);
    const TimeZone* zone = formats.ZoneAt(row);
    if (format == nullptr || zone == nullptr) return out.AppendNull();
    const std::string_view text = call.args[0]->GetString(row);
    int32_t small = 0;
    int64_t ms = 0;
    bool parsed = false;
    if (kWhat == What::kDate) parsed = format->ParseDate(text, small, kWhole);
    if (kWhat == What::kTime) parsed = format->ParseTime(text, small);
    if (kWhat == What::kTimestamp) parsed = format->ParseTimestamp(text, *zone, ms);
    if (!parsed) {
      call.Error(row, "the text does not fit the pattern: " + std::string(text.substr(0, 100)));
      return out.AppendNull();
    }
    if (kWhat == What::kTimestamp) {
      out.AppendInt64(ms);
    } else {
      out.AppendInt32(small);
    }
  });
}

constexpr std::string_view kBeyondTypes = "the sum is beyond what the type holds";

void AppendSum(const KernelCall& call, int32_t row, int64_t time, int64_t shift,
               ColumnBuilder& out) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(time, shift, &sum)) return out.AppendInt64(sum);
  call.Error(row, kBeyondTypes);
  out.AppendNull();
}

void ConvertZoneKernel(const KernelCall& call, ColumnBuilder& out) {
  RowFormats from_zones(call);
  RowFormats to_zones(call);
  ForActiveRows(call, out, [&](int32_t row) {
    const TimeZone* from = from_zones.ZoneAt(row, 1);
    const TimeZone* to = to_zones.ZoneAt(row, 2);
    if (from == nullptr || to == nullptr) return out.AppendNull();
    const int64_t ms = GetBigint(*call.args[0], row);
    const int64_t shift = to->OffsetSecondsAt(ms) - from->OffsetSecondsAt(ms);
    AppendSum(call, row, ms, shift * 1000, out);
  });
}

// --- Adding units.

/// Milliseconds of a unit word, or 0.
int64_t UnitMillis(std::string_view unit) {
  if (!unit.empty() && (unit.back() == 'S' || unit.back() == 's')) unit.remove_suffix(1);
  constexpr std::pair<std::string_view, int64_t> kUnits[] = {{"DAY", 86'400'000},
                                                             {"HOUR", 3'600'000},
                                                             {"MINUTE", 60'000},
                                                             {"SECOND", 1000},
                                                             {"MILLISECOND", 1}};
  for (const auto& [name, ms] : kUnits) {
    if (unit.size() != name.size()) continue;
    bool same = true;
    for (size_t i = 0; i < name.size(); ++i) same = same && (unit[i] & ~0x20) == name[i];
    if (same) return ms;
  }
  return 0;
}

template <What kWhat, int kSign>
void AddUnitsKernel(const KernelCall& call, ColumnBuilder& out) {
  const Column& units = *call.args[0];
  const Column& counts = *call.args[1];
  const Column& values = *call.args[2];
  ForActiveRows(call, out, [&](int32_t row) {
    const int64_t unit = UnitMillis(units.GetString(row));
    if (unit == 0) {
      call.Error(row, "unknown unit of time: " + std::string(units.GetString(row)));
      return out.AppendNull();
    }
    const int64_t shift = kSign * unit * GetInt(counts, row);
    if (kWhat == What::kTimestamp) return AppendSum(call, row, GetBigint(values, row), shift, out);
    const int64_t value = GetInt(values, row);
    if (kWhat == What::kTime) {
      return out.AppendInt32(static_cast<int32_t>(MillisOfDay(value + shift)));
    }
    const int64_t day = FloorDay(value * kMillisPerDay + shift);
    if (day < std::numeric_limits<int32_t>::min() || day > std::numeric_limits<int32_t>::max()) {
      call.Error(row, kBeyondTypes);
      return out.AppendNull();
    }
    out.AppendInt32(static_cast<int32_t>(day));
  });
}

// --- Conversions that keep the number, and the clock.

template <typename T>
void SameNumberKernel(const KernelCall& call, ColumnBuilder& out) {
  ForActiveRows(call, out,
                [&](int32_t row) { AppendCell<T>(ReadCell<T>(*call.args[0], row), out); });
}

void NowKernel(const KernelCall& call, ColumnBuilder& out) {
  for (int32_t row = 0; row < call.rows; ++row) out.AppendInt64(call.context->now_ms);
}

void TodayKernel(const KernelCall& call, ColumnBuilder& out) {
  const auto today = static_cast<int32_t>(FloorDay(call.context->now_ms));
  for (int32_t row = 0; row < call.rows; ++row) out.AppendInt32(today);
}

// --- Parts of dates and times.

enum class TimePart { kYear, kMonth, kDay, kHour, kMinute, kSecond };

template <TimePart kPart>
int32_t PartOfDay(int64_t days) {
  const CivilDate date = CivilFromDays(days);
  if constexpr (kPart == TimePart::kYear) return static_cast<int32_t>(date.year);
  return kPart == TimePart::kMonth ? date.month : date.day;
}

template <TimePart kPart>
int32_t PartOfTime(int64_t ms_of_day) {
  const auto seconds = static_cast<int32_t>(ms_of_day / 1000);
  if constexpr (kPart == TimePart::kHour) return seconds / 3600;
  return kPart == TimePart::kMinute ? seconds / 60 % 60 : seconds % 60;
}

template <TimePart kPart, What kWhat>
void PartKernel(const KernelCall& call, ColumnBuilder& out) {
  ForActiveRows(call, out, [&](int32_t row) {
    if constexpr (kWhat == What::kTimestamp) {
      const int64_t ms = ReadCell<int64_t>(*call.args[0], row);
      if constexpr (kPart <= TimePart::kDay) {
        out.AppendInt32(PartOfDay<kPart>(FloorDay(ms)));
      } else {
        out.AppendInt32(PartOfTime<kPart>(MillisOfDay(ms)));
      }
    } else {
      const int32_t value = ReadCell<int32_t>(*call.args[0], row);
      if constexpr (kPart <= TimePart::kDay) {
        out.AppendInt32(PartOfDay<kPart>(value));
      } else {
        out.AppendInt32(PartOfTime<kPart>(value));
      }
    }
  });
}

constexpr FunctionRowOf Row{kCategory};

constexpr FunctionRow FormatRow(std::string_view name, std::string_view signature, Kernel kernel,
                                std::string_view text, std::string_view example) {
  FunctionRow row = Row(name, signature, kernel, text, example);
  row.prepare = &PrepareFormat;
  return row;
}

constexpr FunctionRow ClockRow(std::string_view name, std::string_view signature, Kernel kernel,
                               std::string_view text, std::string_view example) {
  FunctionRow row = Row(name, signature, kernel, text, example);
  row.deterministic = false;
  return row;
}

constexpr std::string_view kFormatTimestampText =
    "Writes a timestamp by a Java pattern, in UTC or a zone.";
constexpr std::string_view kParseTimestampText =
    "Reads a timestamp by a Java pattern, in UTC or a zone.";
constexpr std::string_view kStringToTimestampText =
    "Reads epoch milliseconds by a Java pattern (older name of PARSE_TIMESTAMP).";
constexpr std::string_view kTimestampToStringText =
    "Writes epoch milliseconds by a Java pattern (older name of FORMAT_TIMESTAMP).";
constexpr std::string_view kUnixDateText = "Gives the days since 1970 of a date, or of today.";
constexpr std::string_view kUnixTimestampText =
    "Gives the milliseconds since 1970 of a timestamp, or of now.";

constexpr std::string_view kYearText = "Gives the year, in UTC.";
constexpr std::string_view kMonthText = "Gives the month, from 1, in UTC.";
constexpr std::string_view kDayText = "Gives the day of the month, in UTC.";
constexpr std::string_view kHourText = "Gives the hour of the day, in UTC.";
constexpr std::string_view kMinuteText = "Gives the minute of the hour, in UTC.";
constexpr std::string_view kSecondText = "Gives the second of the minute.";

constexpr FunctionRow kDateTimeFunctions[] = {
    Row("CONVERT_TZ", "(TIMESTAMP, STRING, STRING) -> TIMESTAMP", &ConvertZoneKernel,
        "Shifts a timestamp from what clocks show in one zone to what they show in another.",
        "CONVERT_TZ(FROM_UNIXTIME(0), 'UTC', '+01:00') = FROM_UNIXTIME(3600000)"),
    Row("DATEADD", "(UNIT, INT, DATE) -> DATE", &AddUnitsKernel<What::kDate, 1>,
        "Adds units of time to a date.", "DATEADD(DAYS, 3, FROM_DAYS(1)) = FROM_DAYS(4)"),
    Row("DATESUB", "(UNIT, INT, DATE) -> DATE", &AddUnitsKernel<What::kDate, -1>,
        "Takes units of time from a date.", "DATESUB(DAYS, 3, FROM_DAYS(4)) = FROM_DAYS(1)"),
    FormatRow("DATETOSTRING", "(INT, STRING) -> STRING", &FormatKernel<What::kDate>,
              "Writes epoch days by a Java pattern (older name of FORMAT_DATE).",
              "DATETOSTRING(0, 'dd/MM/yyyy') = '01/01/1970'"),
    FormatRow("FORMAT_DATE", "(DATE, STRING) -> STRING", &FormatKernel<What::kDate>,
              "Writes a date by a Java pattern.",
              "FORMAT_DATE(FROM_DAYS(0), 'dd-MMM-yyyy') = '01-Jan-1970'"),
    FormatRow("FORMAT_TIME", "(TIME, STRING) -> STRING", &FormatKernel<What::kTime>,
              "Writes a time of day by a Java pattern.",
              "FORMAT_TIME(PARSE_TIME('09:05', 'HH:mm'), 'h:mm a') = '9:05 AM'"),
    FormatRow("FORMAT_TIMESTAMP", "(TIMESTAMP, STRING) -> STRING", &FormatKernel<What::kTimestamp>,
              kFormatTimestampText,
              "FORMAT_TIMESTAMP(FROM_UNIXTIME(0), 'yyyy-MM-dd HH:mm') = '1970-01-01 00:00'"),
    FormatRow("FORMAT_TIMESTAMP", "(TIMESTAMP, STRING, STRING) -> STRING",
              &FormatKernel<What::kTimestamp>, kFormatTimestampText,
              "FORMAT_TIMESTAMP(FROM_UNIXTIME(0), 'HH:mm XXX', '+02:00') = '02:00 +02:00'"),
    Row("FROM_DAYS", "(INT) -> DATE", &SameNumberKernel<int32_t>,
        "Turns days since 1970 into a date.", "FROM_DAYS(1) = '1970-01-02'"),
    Row("FROM_UNIXTIME", "(BIGINT) -> TIMESTAMP", &SameNumberKernel<int64_t>,
        "Turns milliseconds since 1970 into a timestamp.",
        "FROM_UNIXTIME(1000) = '1970-01-01T00:00:01'"),
    FormatRow("PARSE_DATE", "(STRING, STRING) -> DATE", &ParseKernel<What::kDate, false>,
              "Reads a date by a Java pattern; what stands behind it does not count.",
              "PARSE_DATE('02.01.1970', 'dd.MM.yyyy') = FROM_DAYS(1)"),
    FormatRow("PARSE_TIME", "(STRING, STRING) -> TIME", &ParseKernel<What::kTime>,
              "Reads a time of day by a Java pattern.",
              "PARSE_TIME('01:00 PM', 'hh:mm a') = '13:00'"),
    FormatRow("PARSE_TIMESTAMP", "(STRING, STRING) -> TIMESTAMP", &ParseKernel<What::kTimestamp>,
              kParseTimestampText,
              "PARSE_TIMESTAMP('1970-01-01 00:00:01', 'yyyy-MM-dd HH:mm:ss') = "
              "FROM_UNIXTIME(1000)"),
    FormatRow("PARSE_TIMESTAMP", "(STRING, STRING, STRING) -> TIMESTAMP",
              &ParseKernel<What::kTimestamp>, kParseTimestampText,
              "PARSE_TIMESTAMP('1970-01-01 01', 'yyyy-MM-dd HH', '+01:00') = FROM_UNIXTIME(0)"),
    FormatRow("STRINGTODATE", "(STRING, STRING) -> INT", &ParseKernel<What::kDate>,
              "Reads epoch days by a Java pattern (older name of PARSE_DATE).",
              "STRINGTODATE('1970-01-03', 'yyyy-MM-dd') = 2"),
    FormatRow("STRINGTOTIMESTAMP", "(STRING, STRING) -> BIGINT", &ParseKernel<What::kTimestamp>,
              kStringToTimestampText, "STRINGTOTIMESTAMP('1970-01-02', 'yyyy-MM-dd') = 86400000"),
    FormatRow("STRINGTOTIMESTAMP", "(STRING, STRING, STRING) -> BIGINT",
              &ParseKernel<What::kTimestamp>, kStringToTimestampText,
              "STRINGTOTIMESTAMP('1970-01-01 01', 'yyyy-MM-dd HH', '+01:00') = 0"),
    Row("TIMEADD", "(UNIT, INT, TIME) -> TIME", &AddUnitsKernel<What::kTime, 1>,
        "Adds units of time to a time of day, past midnight too.",
        "TIMEADD(HOURS, 2, PARSE_TIME('23', 'HH')) = PARSE_TIME('01', 'HH')"),
    FormatRow("TIMESTAMPTOSTRING", "(BIGINT, STRING) -> STRING", &FormatKernel<What::kTimestamp>,
              kTimestampToStringText, "TIMESTAMPTOSTRING(0, 'yyyy') = '1970'"),
    FormatRow("TIMESTAMPTOSTRING", "(BIGINT, STRING, STRING) -> STRING",
              &FormatKernel<What::kTimestamp>, kTimestampToStringText,
              "TIMESTAMPTOSTRING(0, 'HH', '+03:00') = '03'"),
    Row("TIMESTAMPADD", "(UNIT, INT, TIMESTAMP) -> TIMESTAMP", &AddUnitsKernel<What::kTimestamp, 1>,
        "Adds units of time to a timestamp.",
        "TIMESTAMPADD(SECONDS, 1, FROM_UNIXTIME(0)) = FROM_UNIXTIME(1000)"),
    Row("TIMESTAMPSUB", "(UNIT, INT, TIMESTAMP) -> TIMESTAMP",
        &AddUnitsKernel<What::kTimestamp, -1>, "Takes units of time from a timestamp.",
        "TIMESTAMPSUB(SECONDS, 1, FROM_UNIXTIME(1000)) = FROM_UNIXTIME(0)"),
    Row("TIMESUB", "(UNIT, INT, TIME) -> TIME", &AddUnitsKernel<What::kTime, -1>,
        "Takes units of time from a time of day, past midnight too.",
        "TIMESUB(HOURS, 2, PARSE_TIME('01', 'HH')) = PARSE_TIME('23', 'HH')"),
    ClockRow("UNIX_DATE", "() -> INT", &TodayKernel, kUnixDateText, "UNIX_DATE() > 0"),
    Row("UNIX_DATE", "(DATE) -> INT", &SameNumberKernel<int32_t>, kUnixDateText,
        "UNIX_DATE(FROM_DAYS(5)) = 5"),
    ClockRow("UNIX_TIMESTAMP", "() -> BIGINT", &NowKernel, kUnixTimestampText,
             "UNIX_TIMESTAMP() > 0"),
    Row("UNIX_TIMESTAMP", "(TIMESTAMP) -> BIGINT", &SameNumberKernel<int64_t>, kUnixTimestampText,
        "UNIX_TIMESTAMP(FROM_UNIXTIME(5)) = 5"),
    ClockRow("NOW", "() -> TIMESTAMP", &NowKernel, "Gives the time now.",
             "UNIX_TIMESTAMP(NOW()) >= 0"),
    Row("YEAR", "(DATE) -> INT", &PartKernel<TimePart::kYear, What::kDate>, kYearText,
        "YEAR(FROM_DAYS(365)) = 1971"),
    Row("YEAR", "(TIMESTAMP) -> INT", &PartKernel<TimePart::kYear, What::kTimestamp>, kYearText,
        "YEAR(FROM_UNIXTIME(-1)) = 1969"),
    Row("MONTH", "(DATE) -> INT", &PartKernel<TimePart::kMonth, What::kDate>, kMonthText,
        "MONTH(FROM_DAYS(31)) = 2"),
    Row("MONTH", "(TIMESTAMP) -> INT", &PartKernel<TimePart::kMonth, What::kTimestamp>, kMonthText,
        "MONTH(FROM_UNIXTIME(-1)) = 12"),
    Row("DAY", "(DATE) -> INT", &PartKernel<TimePart::kDay, What::kDate>, kDayText,
        "DAY(FROM_DAYS(31)) = 1"),
    Row("DAY", "(TIMESTAMP) -> INT", &PartKernel<TimePart::kDay, What::kTimestamp>, kDayText,
        "DAY(FROM_UNIXTIME(-1)) = 31"),
    Row("HOUR", "(TIME) -> INT", &PartKernel<TimePart::kHour, What::kTime>, kHourText,
        "HOUR(PARSE_TIME('13:14', 'HH:mm')) = 13"),
    Row("HOUR", "(TIMESTAMP) -> INT", &PartKernel<TimePart::kHour, What::kTimestamp>, kHourText,
        "HOUR(FROM_UNIXTIME(-1)) = 23"),
    Row("MINUTE", "(TIME) -> INT", &PartKernel<TimePart::kMinute, What::kTime>, kMinuteText,
        "MINUTE(PARSE_TIME('13:14', 'HH:mm')) = 14"),
    Row("MINUTE", "(TIMESTAMP) -> INT", &PartKernel<TimePart::kMinute, What::kTimestamp>,
        kMinuteText, "MINUTE(FROM_UNIXTIME(-1)) = 59"),
    Row("SECOND", "(TIME) -> INT", &PartKernel<TimePart::kSecond, What::kTime>, kSecondText,
        "SECOND(PARSE_TIME('13:14:15', 'HH:mm:ss')) = 15"),
    Row("SECOND", "(TIMESTAMP) -> INT", &PartKernel<TimePart::kSecond, What::kTimestamp>,
        kSecondText, "SECOND(FROM_UNIXTIME(61000)) = 1"),
};

}  // namespace

std::span<const FunctionRow> DateTimeFunctions() { return kDateTimeFunctions; }

}  // namespace weir
