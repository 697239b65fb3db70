#include "base/number_text.h"

#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "base/decimal.h"
#include "base/time_text.h"

namespace weir {
namespace {

TEST(NumberText, DoublesLookAsInJava) {
  EXPECT_EQ(DoubleText(0.0), "0.0");
  EXPECT_EQ(DoubleText(-0.0), "-0.0");
  EXPECT_EQ(DoubleText(10), "10.0");
  EXPECT_EQ(DoubleText(1e10), "1.0E10");
  EXPECT_EQ(DoubleText(9999999), "9999999.0");
  EXPECT_EQ(DoubleText(1e7), "1.0E7");
  EXPECT_EQ(DoubleText(12345678.9), "1.23456789E7");
  EXPECT_EQ(DoubleText(0.001), "0.001");
  EXPECT_EQ(DoubleText(0.00099), "9.9E-4");
  EXPECT_EQ(DoubleText(-1.5), "-1.5");
  EXPECT_EQ(DoubleText(123.456), "123.456");
  EXPECT_EQ(DoubleText(1.7976931348623157e308), "1.7976931348623157E308");
  EXPECT_EQ(DoubleText(std::nan("")), "NaN");
  EXPECT_EQ(DoubleText(-std::numeric_limits<double>::infinity()), "-Infinity");
}

TEST(NumberText, DoublesReadBack) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20000; ++i) {
    const double value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    double back = 0;
    ASSERT_TRUE(ParseDouble(DoubleText(value), back));
    EXPECT_EQ(back, value);
  }
}

TEST(NumberText, ParsesNumbers) {
  int32_t small;
  EXPECT_TRUE(ParseInt32(" +12 ", small));
  EXPECT_EQ(small, 12);
  EXPECT_FALSE(ParseInt32("", small));
  EXPECT_FALSE(ParseInt32("+-1", small));
  EXPECT_FALSE(ParseInt32("2147483648", small));
  EXPECT_FALSE(ParseInt32("1.0", small));
  double value;
  EXPECT_TRUE(ParseDouble("-1.5e3", value));
  EXPECT_EQ(value, -1500);
  EXPECT_TRUE(ParseDouble("1e999", value));
  EXPECT_TRUE(std::isinf(value));
  EXPECT_FALSE(ParseDouble("inf", value));
  EXPECT_FALSE(ParseDouble("0x10", value));
}

std::string Parsed(std::string_view text, int precision, int scale) {
  Int128 value;
  switch (ParseDecimal(text, precision, scale, value)) {
    case DecimalParse::kMalformed: return "malformed";
    case DecimalParse::kOverflow: return "overflow";
    case DecimalParse::kOk: return DecimalText(value, scale);
  }
  return "";
}

TEST(NumberText, ParsesDecimals) {
  EXPECT_EQ(Parsed("10.1234512345123451234", 21, 19), "10.1234512345123451234");
  EXPECT_EQ(Parsed("1.005", 4, 2), "1.01");
  EXPECT_EQ(Parsed("-1.005", 4, 2), "-1.01");
  EXPECT_EQ(Parsed("1e3", 6, 1), "1000.0");
  EXPECT_EQ(Parsed("12.5E-1", 6, 3), "1.250");
  EXPECT_EQ(Parsed("-.5", 2, 1), "-0.5");
  EXPECT_EQ(Parsed("100", 2, 0), "overflow");
  EXPECT_EQ(Parsed("99.95", 3, 1), "overflow");
  EXPECT_EQ(Parsed("1.2.3", 5, 2), "malformed");
  EXPECT_EQ(Parsed("", 5, 2), "malformed");
  EXPECT_EQ(Parsed("1e", 5, 2), "malformed");
  EXPECT_EQ(Parsed("99999999999999999999999999999999999999", 38, 0),
            "99999999999999999999999999999999999999");
  EXPECT_EQ(Parsed("0.000000000000000000000000000000000000000000000001", 5, 2), "0.00");
}

TEST(Decimal, RoundsHalfAwayFromZeroAndFindsOverflow) {
  Int128 out;
  ASSERT_TRUE(RescaleDecimal(-125, 2, 1, out));
  EXPECT_EQ(DecimalText(out, 1), "-1.3");
  EXPECT_FALSE(RescaleDecimal(PowerOfTen(37), 0, 2, out));
  ASSERT_TRUE(DivideDecimal(1, 3, 6, out));
  EXPECT_EQ(DecimalText(out, 6), "0.333333");
  ASSERT_TRUE(DivideDecimal(PowerOfTen(37), PowerOfTen(37), 20, out));
  EXPECT_EQ(DecimalText(out, 20), "1.00000000000000000000");
  ASSERT_TRUE(MultiplyDecimal(PowerOfTen(30), PowerOfTen(30), 30, out));
  EXPECT_EQ(out, PowerOfTen(30));
  EXPECT_FALSE(MultiplyDecimal(PowerOfTen(30), PowerOfTen(30), 0, out));
  EXPECT_EQ(CompareDecimals(1001, 2, 10012, 3), -1);
  EXPECT_EQ(CompareDecimals(1001, 2, 10010, 3), 0);
}

std::string TimestampText(int64_t ms) {
  char text[kTimeTextMax];
  return std::string(text, FormatTimestamp(ms, text));
}

TEST(TimeText, TimestampsBothWays) {
  EXPECT_EQ(TimestampText(0), "1970-01-01T00:00:00.000");
  EXPECT_EQ(TimestampText(-1), "1969-12-31T23:59:59.999");
  EXPECT_EQ(TimestampText(1651182287943), "2022-04-28T21:44:47.943");
  int64_t ms;
  ASSERT_TRUE(ParseTimestamp("2022-04-28T21:44:47.943Z", ms));
  EXPECT_EQ(ms, 1651182287943);
  ASSERT_TRUE(ParseTimestamp("2018", ms));
  EXPECT_EQ(ms, 1514764800000);
  ASSERT_TRUE(ParseTimestamp("2019-01-01T00:00:00+0445", ms));
  EXPECT_EQ(ms, 1546300800000 - (4 * 60 + 45) * 60000);
  ASSERT_TRUE(ParseTimestamp("1970-01-01 00:00:01", ms));
  EXPECT_EQ(ms, 1000);
  EXPECT_FALSE(ParseTimestamp("2020-02-30", ms));
  EXPECT_FALSE(ParseTimestamp("foo", ms));
  std::mt19937_64 random(3);
  for (int i = 0; i < 2000; ++i) {
    const int64_t value = static_cast<int64_t>(random() % 100'000'000'000'000) - 50'000'000'000'000;
    ASSERT_TRUE(ParseTimestamp(TimestampText(value), ms));
    EXPECT_EQ(ms, value);
  }
}

TEST(TimeText, DatesAndTimes) {
  int32_t value;
  ASSERT_TRUE(ParseDate("1970-01", value));
  EXPECT_EQ(value, 0);
  ASSERT_TRUE(ParseDate("1970-01-10", value));
  EXPECT_EQ(value, 9);
  EXPECT_FALSE(ParseDate("foo", value));
  ASSERT_TRUE(ParseTime("00:00:00.010", value));
  EXPECT_EQ(value, 10);
  EXPECT_FALSE(ParseTime("24:00", value));
  char text[kTimeTextMax];
  EXPECT_EQ(std::string(text, FormatTime(3'661'000, text)), "01:01:01");
  EXPECT_EQ(std::string(text, FormatDate(4, text)), "1970-01-05");
}

}  // namespace
}  // namespace weir
