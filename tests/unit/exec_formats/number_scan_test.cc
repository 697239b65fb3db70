#include "exec/formats/json/number_scan.h"

#include <gtest/gtest.h>

#include <charconv>
#include <string>

namespace weir {
namespace {

bool IsJsonNumber(const std::string& text) {
  ScannedNumber number;
  return ScanNumber(text.data(), text.data() + text.size(), false, number);
}

TEST(NumberScanTest, FollowsJsonsGrammar) {
  for (const char* text : {"0", "-0", "1", "10", "1.5", "1e5", "1E+5", "1.25e-3", "-7"}) {
    EXPECT_TRUE(IsJsonNumber(text)) << text;
  }
  for (const char* text : {"", "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+", "1x", "0x1", "1 ",
                           "1.5.2", "NaN", "--1"}) {
    EXPECT_FALSE(IsJsonNumber(text)) << text;
  }
}

TEST(NumberScanTest, DoublesAreTheNearest) {
  uint64_t state = 99;
  for (int i = 0; i < 100000; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    std::string text = std::to_string(state >> (state & 63));
    text.insert(state % text.size() + (text.size() > 1), text.size() > 1 ? "." : "");
    if (text.back() == '.') text += '0';
    if (text.front() == '0' && text.size() > 1 && text[1] != '.') continue;
    if (state % 3 == 0) text += "e" + std::to_string(static_cast<int>(state >> 40) % 330);
    double expected = 0, actual = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), expected);
    if (parsed.ec != std::errc()) continue;
    ASSERT_TRUE(ParseDoubleText(text, actual)) << text;
    ASSERT_EQ(actual, expected) << text;
  }
}

TEST(NumberScanTest, DecimalsAreNeverRounded) {
  auto scan = [](const std::string& text, int precision, int scale) -> std::string {
    Int128 value = 0;
    if (!ToDecimal(text.data(), text.data() + text.size(), precision, scale, value)) return "no";
    return std::to_string(static_cast<long long>(value % 1000000000000000000LL));
  };
  EXPECT_EQ(scan("12345678987654321.2345678987654321", 33, 16), "212345678987654321");
  EXPECT_EQ(scan(".12", 6, 4), "1200");
  EXPECT_EQ(scan("1.23456", 6, 4), "no");
  EXPECT_EQ(scan("1.2300000000000000000000000000000000000000000000", 6, 4), "12300");
  EXPECT_EQ(scan("100", 6, 4), "no");
  EXPECT_EQ(scan("99.9999", 6, 4), "999999");
  EXPECT_EQ(scan("1e-4", 6, 4), "1");
  EXPECT_EQ(scan("0e99999", 6, 4), "0");
  EXPECT_EQ(scan("-1e1", 6, 4), "-100000");
  // 39 digits, which wrap around in 128 bits to a number of 38.
  EXPECT_EQ(scan("44e36", 38, 1), "no");
  EXPECT_EQ(scan("4e36", 38, 1), "0");
  EXPECT_EQ(scan("99999999999999999999999999999999999999", 38, 0), "999999999999999999");
}

}  // namespace
}  // namespace weir
