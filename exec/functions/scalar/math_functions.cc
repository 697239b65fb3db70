// Numeric functions.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <numbers>
#include <random>

#include "base/decimal.h"
#include "base/number_text.h"
#include "exec/functions/builtin_functions.h"
#include "exec/functions/scalar/kernel_rows_inl.h"

namespace weir {
namespace {

constexpr std::string_view kCategory = "Numeric";

// --- Functions of one DOUBLE. INT and BIGINT arguments go through double, as in ksqlDB.

double Acos(double x) { return std::acos(x); }
double Asin(double x) { return std::asin(x); }
double Atan(double x) { return std::atan(x); }
double Cbrt(double x) { return std::cbrt(x); }
double Cos(double x) { return std::cos(x); }
double Cosh(double x) { return std::cosh(x); }
double Cot(double x) { return 1.0 / std::tan(x); }
double Degrees(double x) { return x * 180.0 / std::numbers::pi; }
double Exp(double x) { return std::exp(x); }
double Ln(double x) {
  // The C library gives -NaN below zero; there is one NaN in SQL.
  return x < 0 ? std::numeric_limits<double>::quiet_NaN() : std::log(x);
}
double Radians(double x) { return x / 180.0 * std::numbers::pi; }
double Sin(double x) { return std::sin(x); }
double Sinh(double x) { return std::sinh(x); }
double Sqrt(double x) { return x < 0 ? std::numeric_limits<double>::quiet_NaN() : std::sqrt(x); }
double Tan(double x) { return std::tan(x); }
double Tanh(double x) { return std::tanh(x); }
double Atan2(double y, double x) { return std::atan2(y, x); }
double Power(double base, double exponent) { return std::pow(base, exponent); }
double LogBase(double base, double value) {
  if (base <= 0 || base == 1 || value < 0) return std::numeric_limits<double>::quiet_NaN();
  return std::log(value) / std::log(base);
}

template <typename A, double (*kFunction)(double)>
double Widen(A value) {
  return kFunction(static_cast<double>(value));
}
template <typename A, double (*kFunction)(double, double)>
double WidenTwo(A a, A b) {
  return kFunction(static_cast<double>(a), static_cast<double>(b));
}
template <typename A, double (*kFunction)(double)>
constexpr Kernel kUnary = &UnaryKernel<A, double, &Widen<A, kFunction>>;
template <typename A, double (*kFunction)(double, double)>
constexpr Kernel kBinary = &BinaryKernel<A, A, double, &WidenTwo<A, kFunction>>;

// --- Functions that keep the type.

template <typename T>
T Abs(T value) {
  if constexpr (std::is_integral_v<T>) {
    // The smallest integer has no positive twin and stays, as in Java.
    return value == std::numeric_limits<T>::min() ? value : std::abs(value);
  } else {
    return std::fabs(value);
  }
}
template <typename T>
T Same(T value) {
  return value;
}
template <typename T>
int32_t Sign(T value) {
  return value > 0 ? 1 : (value < 0 ? -1 : 0);
}
double Ceil(double value) { return std::ceil(value); }
double Floor(double value) { return std::floor(value); }

/// Math.round of Java: half up towards plus infinity, clamped to BIGINT.
int64_t RoundHalfUp(double value) {
  if (std::isnan(value)) return 0;
  const double floor = std::floor(value);
  const double rounded = value - floor >= 0.5 ? floor + 1 : floor;
  if (rounded >= 9223372036854775807.0) return std::numeric_limits<int64_t>::max();
  if (rounded <= -9223372036854775808.0) return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(rounded);
}
int64_t CutToBigint(double value) {
  if (std::isnan(value)) return 0;
  if (value >= 9223372036854775807.0) return std::numeric_limits<int64_t>::max();
  if (value <= -9223372036854775808.0) return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(value);
}
int64_t IntToBigint(int32_t value) { return value; }

/// How a number loses digits.
enum class Cut : uint8_t { kRound, kTrunc, kFloor, kCeil };

/// `value` / `unit`, brought to a whole number.
Int128 DivideCut(Int128 value, Int128 unit, Cut cut) {
  const Int128 whole = value / unit;
  const Int128 rest = value % unit;
  if (rest == 0) return whole;
  switch (cut) {
    case Cut::kTrunc: return whole;
    case Cut::kFloor: return rest < 0 ? whole - 1 : whole;
    case Cut::kCeil: return rest > 0 ? whole + 1 : whole;
    case Cut::kRound: {
      // Half goes towards plus infinity.
      const Int128 distance = rest < 0 ? -rest : rest;
      const bool up = rest > 0 ? distance >= unit - distance : distance > unit - distance;
      return up ? whole + (rest > 0 ? 1 : -1) : whole;
    }
  }
  return whole;
}

void AppendFitting(const KernelCall& call, int32_t row, Int128 value, ColumnBuilder& out) {
  if (FitsPrecision(value, call.return_type->precision())) {
    out.AppendDecimal(value);
  } else {
    call.Error(row, "the rounded DECIMAL has too many digits for its type");
    out.AppendNull();
  }
}

constexpr int kDigitsMax = limits::kDecimalPrecisionMax;

/// A DECIMAL brought to `scale` digits after the point and back to the result's scale.
template <Cut kCut>
void CutDecimal(const KernelCall& call, int32_t row, int scale, ColumnBuilder& out) {
  const int from = call.args[0]->type().scale();
  const Int128 value = ReadCell<Int128>(*call.args[0], row);
  const int target = call.return_type->scale();
  Int128 result = value;
  // Far left of the point nothing is left of any number.
  const int digits = std::clamp(scale, -kDigitsMax, from);
  if (digits < from) {
    const int drop = from - digits;
    result = drop > kDigitsMax ? 0 : DivideCut(value, PowerOfTen(drop), kCut);
  }
  Int128 scaled = 0;
  if (result != 0 &&
      (target - digits > kDigitsMax || !RescaleDecimal(result, 0, target - digits, scaled))) {
    call.Error(row, "the rounded DECIMAL has too many digits for its type");
    return out.AppendNull();
  }
  AppendFitting(call, row, scaled, out);
}

template <Cut kCut>
void CutDecimalKernel(const KernelCall& call, ColumnBuilder& out) {
  ForActiveRows(call, out, [&](int32_t row) { CutDecimal<kCut>(call, row, 0, out); });
}
template <Cut kCut>
void CutDecimalToKernel(const KernelCall& call, ColumnBuilder& out) {
  ForActiveRows(call, out,
                [&](int32_t row) { CutDecimal<kCut>(call, row, GetInt(*call.args[1], row), out); });
}

/// A double cut at `places` decimal digits: the digits of its shortest text are what is rounded, as
/// BigDecimal.valueOf does in Java.
template <Cut kCut>
double CutDouble(double value, int32_t places) {
  if (!std::isfinite(value) || value == 0) return value;
  char text[64];
  const auto end = std::to_chars(text, text + sizeof(text), value, std::chars_format::scientific);
  // d.ddd…e±xx as one integer and an exponent.
  Int128 digits = 0;
  int exponent = 0;
  bool after_point = false;
  for (const char* c = text; c != end.ptr; ++c) {
    if (*c == '-') continue;
    if (*c == '.') {
      after_point = true;
    } else if (*c == 'e') {
      int written = 0;
      std::from_chars(c + (c[1] == '+' ? 2 : 1), end.ptr, written);
      exponent += written;
      break;
    } else {
      digits = digits * 10 + (*c - '0');
      if (after_point) --exponent;
    }
  }
  if (value < 0) digits = -digits;
  const int64_t drop = -static_cast<int64_t>(exponent) - places;
  if (drop <= 0) return value;
  if (drop > 25) return 0.0;
  const Int128 cut = DivideCut(digits, PowerOfTen(static_cast<int>(drop)), kCut);
  if (cut == 0) return 0.0;
  std::string result = DecimalText(cut, 0) + "e" + std::to_string(-static_cast<int64_t>(places));
  double number = 0;
  const auto parsed = std::from_chars(result.data(), result.data() + result.size(), number);
  return parsed.ec == std::errc() ? number : value;
}

/// ROUND(DECIMAL) has no digits after the point.
Result<DataType> WholeDecimal(std::span<const DataType> args) {
  return DataType::Decimal(std::max(args[0].precision() - args[0].scale(), 1), 0);
}
Result<DataType> SameDecimal(std::span<const DataType> args) { return args[0]; }

void AbsDecimalKernel(const KernelCall& call, ColumnBuilder& out) {
  ForActiveRows(call, out, [&](int32_t row) {
    const Int128 value = ReadCell<Int128>(*call.args[0], row);
    out.AppendDecimal(value < 0 ? -value : value);
  });
}

// --- The rest.

void PiKernel(const KernelCall& call, ColumnBuilder& out) {
  for (int32_t row = 0; row < call.rows; ++row) out.AppendDouble(std::numbers::pi);
}

void RandomKernel(const KernelCall& call, ColumnBuilder& out) {
  thread_local std::mt19937_64 engine{std::random_device{}()};
  std::uniform_real_distribution<double> uniform(0.0, 1.0);
  for (int32_t row = 0; row < call.rows; ++row) out.AppendDouble(uniform(engine));
}

double GreatCircle(double lat1, double lon1, double lat2, double lon2, double radius) {
  const double phi1 = Radians(lat1);
  const double phi2 = Radians(lat2);
  const double dphi = Radians(lat2 - lat1);
  const double dlambda = Radians(lon2 - lon1);
  const double h = std::sin(dphi / 2) * std::sin(dphi / 2) +
                   std::sin(dlambda / 2) * std::sin(dlambda / 2) * std::cos(phi1) * std::cos(phi2);
  return 2 * radius * std::asin(std::sqrt(h));
}

constexpr double kEarthRadiusKm = 6371;
constexpr double kEarthRadiusMiles = 3959;

/// The radius for a unit written as km… or mi…, or 0.
double RadiusOf(std::string_view unit) {
  if (unit.size() < 2) return 0;
  const char a = static_cast<char>(unit[0] | 0x20);
  const char b = static_cast<char>(unit[1] | 0x20);
  if (a == 'k' && b == 'm') return kEarthRadiusKm;
  if (a == 'm' && b == 'i') return kEarthRadiusMiles;
  return 0;
}

void GeoDistanceKernel(const KernelCall& call, ColumnBuilder& out) {
  for (int32_t row = 0; row < call.rows; ++row) {
    bool null = !call.IsActive(row);
    for (size_t i = 0; i < 4; ++i) null = null || call.args[i]->IsNull(row);
    if (null) {
      out.AppendNull();
      continue;
    }
    const auto at = [&](size_t i) { return GetDouble(*call.args[i], row); };
    double radius = kEarthRadiusKm;
    if (call.args.size() > 4 && !call.args[4]->IsNull(row)) {
      radius = RadiusOf(call.args[4]->GetString(row));
    }
    if (radius == 0 || std::fabs(at(0)) > 90 || std::fabs(at(2)) > 90 || std::fabs(at(1)) > 180 ||
        std::fabs(at(3)) > 180) {
      call.Error(row, radius == 0 ? "GEO_DISTANCE takes the units KM and MILES"
                                  : "a point has a latitude within 90 and a longitude within 180");
      out.AppendNull();
      continue;
    }
    out.AppendDouble(GreatCircle(at(0), at(1), at(2), at(3), radius));
  }
}

constexpr FunctionRowOf Row{kCategory};

#define WEIR_DOUBLE_ROWS(name, function, text, example)                          \
  Row(name, "(INT) -> DOUBLE", kUnary<int32_t, function>, text, example),        \
      Row(name, "(BIGINT) -> DOUBLE", kUnary<int64_t, function>, text, example), \
      Row(name, "(DOUBLE) -> DOUBLE", kUnary<double, function>, text, example)
#define WEIR_TWO_DOUBLES_ROWS(name, function, text, example)                              \
  Row(name, "(INT, INT) -> DOUBLE", kBinary<int32_t, function>, text, example),           \
      Row(name, "(BIGINT, BIGINT) -> DOUBLE", kBinary<int64_t, function>, text, example), \
      Row(name, "(DOUBLE, DOUBLE) -> DOUBLE", kBinary<double, function>, text, example)

constexpr std::string_view kAbsText = "Gives the absolute value.";
constexpr std::string_view kCeilText = "Rounds up to a whole number.";
constexpr std::string_view kFloorText = "Rounds down to a whole number.";
constexpr std::string_view kRoundText =
    "Rounds to n decimals (none: to a whole number), halves towards plus infinity.";
constexpr std::string_view kTruncText =
    "Cuts towards zero at n decimals; a negative n cuts left of the point.";
constexpr std::string_view kSignText = "Gives -1, 0 or 1 for the sign of a number.";
constexpr std::string_view kDistanceText =
    "Gives the distance of two points (latitude, longitude, in degrees) in KM, or MILES.";

constexpr FunctionRow kMathFunctions[] = {
    Row("ABS", "(INT) -> INT", &UnaryKernel<int32_t, int32_t, &Abs<int32_t>>, kAbsText,
        "ABS(-3) = 3"),
    Row("ABS", "(BIGINT) -> BIGINT", &UnaryKernel<int64_t, int64_t, &Abs<int64_t>>, kAbsText,
        "ABS(-3000000000) = 3000000000"),
    Row("ABS", "(DECIMAL) -> DECIMAL", &AbsDecimalKernel, kAbsText, "ABS(-1.5) = 1.5",
        &SameDecimal),
    Row("ABS", "(DOUBLE) -> DOUBLE", &UnaryKernel<double, double, &Abs<double>>, kAbsText,
        "ABS(-1.5E0) = 1.5E0"),
    WEIR_DOUBLE_ROWS("ACOS", Acos, "Gives the arc cosine in radians; NaN outside -1 to 1.",
                     "ACOS(1) = 0E0"),
    WEIR_DOUBLE_ROWS("ASIN", Asin, "Gives the arc sine in radians; NaN outside -1 to 1.",
                     "ASIN(0) = 0E0"),
    WEIR_DOUBLE_ROWS("ATAN", Atan, "Gives the arc tangent in radians.", "ATAN(0) = 0E0"),
    WEIR_TWO_DOUBLES_ROWS("ATAN2", Atan2, "Gives the angle of the point (x, y), called as (y, x).",
                          "ATAN2(0, 1) = 0E0"),
    WEIR_DOUBLE_ROWS("CBRT", Cbrt, "Gives the cube root.", "CBRT(8) = 2E0"),
    Row("CEIL", "(INT) -> INT", &UnaryKernel<int32_t, int32_t, &Same<int32_t>>, kCeilText,
        "CEIL(3) = 3"),
    Row("CEIL", "(BIGINT) -> BIGINT", &UnaryKernel<int64_t, int64_t, &Same<int64_t>>, kCeilText,
        "CEIL(3000000000) = 3000000000"),
    Row("CEIL", "(DECIMAL) -> DECIMAL", &CutDecimalKernel<Cut::kCeil>, kCeilText, "CEIL(1.2) = 2.0",
        &SameDecimal),
    Row("CEIL", "(DOUBLE) -> DOUBLE", &UnaryKernel<double, double, &Ceil>, kCeilText,
        "CEIL(1.2E0) = 2E0"),
    WEIR_DOUBLE_ROWS("COS", Cos, "Gives the cosine of an angle in radians.", "COS(0) = 1E0"),
    WEIR_DOUBLE_ROWS("COSH", Cosh, "Gives the hyperbolic cosine.", "COSH(0) = 1E0"),
    WEIR_DOUBLE_ROWS("COT", Cot, "Gives the cotangent of an angle in radians; infinity at 0.",
                     "ROUND(COT(1E0), 4) = 0.6421E0"),
    WEIR_DOUBLE_ROWS("DEGREES", Degrees, "Turns radians into degrees.", "DEGREES(0) = 0E0"),
    WEIR_DOUBLE_ROWS("EXP", Exp, "Gives e to a power.", "EXP(0) = 1E0"),
    Row("FLOOR", "(INT) -> INT", &UnaryKernel<int32_t, int32_t, &Same<int32_t>>, kFloorText,
        "FLOOR(3) = 3"),
    Row("FLOOR", "(BIGINT) -> BIGINT", &UnaryKernel<int64_t, int64_t, &Same<int64_t>>, kFloorText,
        "FLOOR(3000000000) = 3000000000"),
    Row("FLOOR", "(DECIMAL) -> DECIMAL", &CutDecimalKernel<Cut::kFloor>, kFloorText,
        "FLOOR(-1.2) = -2.0", &SameDecimal),
    Row("FLOOR", "(DOUBLE) -> DOUBLE", &UnaryKernel<double, double, &Floor>, kFloorText,
        "FLOOR(1.8E0) = 1E0"),
    {.name = "GEO_DISTANCE",
     .signature = "(DOUBLE, DOUBLE, DOUBLE, DOUBLE) -> DOUBLE",
     .kernel = &GeoDistanceKernel,
     .category = kCategory,
     .text = kDistanceText,
     .example = "ROUND(GEO_DISTANCE(0E0, 0E0, 0E0, 1E0)) = 111"},
    {.name = "GEO_DISTANCE",
     .signature = "(DOUBLE, DOUBLE, DOUBLE, DOUBLE, STRING) -> DOUBLE",
     .nulls = Nulls::kHandle,
     .kernel = &GeoDistanceKernel,
     .category = kCategory,
     .text = kDistanceText,
     .example = "ROUND(GEO_DISTANCE(0E0, 0E0, 0E0, 1E0, 'MILES')) = 69"},
    WEIR_DOUBLE_ROWS("LN", Ln, "Gives the natural logarithm; NaN below 0.", "LN(1) = 0E0"),
    WEIR_DOUBLE_ROWS("LOG", Ln, "Gives the natural logarithm, or that to a base given first.",
                     "LOG(1) = 0E0"),
    WEIR_TWO_DOUBLES_ROWS("LOG", LogBase,
                          "Gives the natural logarithm, or that to a base given first.",
                          "LOG(2, 8) = 3E0"),
    Row("PI", "() -> DOUBLE", &PiKernel, "Gives the circle's number.", "ROUND(PI(), 2) = 3.14E0"),
    WEIR_TWO_DOUBLES_ROWS("POWER", Power, "Raises a base to an exponent.", "POWER(2, 10) = 1024E0"),
    WEIR_DOUBLE_ROWS("RADIANS", Radians, "Turns degrees into radians.", "RADIANS(0) = 0E0"),
    {.name = "RANDOM",
     .signature = "() -> DOUBLE",
     .kernel = &RandomKernel,
     .deterministic = false,
     .category = kCategory,
     .text = "Gives a number from 0 (included) to 1, another one each row.",
     .example = "RANDOM() < 1E0"},
    Row("ROUND", "(INT) -> BIGINT", &UnaryKernel<int32_t, int64_t, &IntToBigint>, kRoundText,
        "ROUND(3) = 3"),
    Row("ROUND", "(BIGINT) -> BIGINT", &UnaryKernel<int64_t, int64_t, &Same<int64_t>>, kRoundText,
        "ROUND(3000000000) = 3000000000"),
    Row("ROUND", "(DECIMAL) -> DECIMAL", &CutDecimalKernel<Cut::kRound>, kRoundText,
        "ROUND(1.5) = 2", &WholeDecimal),
    Row("ROUND", "(DECIMAL, INT) -> DECIMAL", &CutDecimalToKernel<Cut::kRound>, kRoundText,
        "ROUND(1.25, 1) = 1.30", &SameDecimal),
    Row("ROUND", "(DOUBLE) -> BIGINT", &UnaryKernel<double, int64_t, &RoundHalfUp>, kRoundText,
        "ROUND(-1.5E0) = -1"),
    Row("ROUND", "(DOUBLE, INT) -> DOUBLE",
        &BinaryKernel<double, int32_t, double, &CutDouble<Cut::kRound>>, kRoundText,
        "ROUND(1.25E0, 1) = 1.3E0"),
    Row("SIGN", "(INT) -> INT", &UnaryKernel<int32_t, int32_t, &Sign<int32_t>>, kSignText,
        "SIGN(-7) = -1"),
    Row("SIGN", "(BIGINT) -> INT", &UnaryKernel<int64_t, int32_t, &Sign<int64_t>>, kSignText,
        "SIGN(3000000000) = 1"),
    Row("SIGN", "(DOUBLE) -> INT", &UnaryKernel<double, int32_t, &Sign<double>>, kSignText,
        "SIGN(0E0) = 0"),
    WEIR_DOUBLE_ROWS("SIN", Sin, "Gives the sine of an angle in radians.", "SIN(0) = 0E0"),
    WEIR_DOUBLE_ROWS("SINH", Sinh, "Gives the hyperbolic sine.", "SINH(0) = 0E0"),
    WEIR_DOUBLE_ROWS("SQRT", Sqrt, "Gives the square root; NaN below 0.", "SQRT(9) = 3E0"),
    WEIR_DOUBLE_ROWS("TAN", Tan, "Gives the tangent of an angle in radians.", "TAN(0) = 0E0"),
    WEIR_DOUBLE_ROWS("TANH", Tanh, "Gives the hyperbolic tangent.", "TANH(0) = 0E0"),
    Row("TRUNC", "(INT) -> BIGINT", &UnaryKernel<int32_t, int64_t, &IntToBigint>, kTruncText,
        "TRUNC(3) = 3"),
    Row("TRUNC", "(BIGINT) -> BIGINT", &UnaryKernel<int64_t, int64_t, &Same<int64_t>>, kTruncText,
        "TRUNC(3000000000) = 3000000000"),
    Row("TRUNC", "(DECIMAL) -> DECIMAL", &CutDecimalKernel<Cut::kTrunc>, kTruncText,
        "TRUNC(-1.7) = -1", &WholeDecimal),
    Row("TRUNC", "(DECIMAL, INT) -> DECIMAL", &CutDecimalToKernel<Cut::kTrunc>, kTruncText,
        "TRUNC(1.29, 1) = 1.20", &SameDecimal),
    Row("TRUNC", "(DOUBLE) -> BIGINT", &UnaryKernel<double, int64_t, &CutToBigint>, kTruncText,
        "TRUNC(-1.7E0) = -1"),
    Row("TRUNC", "(DOUBLE, INT) -> DOUBLE",
        &BinaryKernel<double, int32_t, double, &CutDouble<Cut::kTrunc>>, kTruncText,
        "TRUNC(1.29E0, 1) = 1.2E0"),
};
#undef WEIR_DOUBLE_ROWS
#undef WEIR_TWO_DOUBLES_ROWS

}  // namespace

std::span<const FunctionRow> MathFunctions() { return kMathFunctions; }

}  // namespace weir
