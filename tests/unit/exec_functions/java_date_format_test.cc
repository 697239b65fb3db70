#include "exec/functions/scalar/java_date_format.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

std::string Format(std::string_view pattern, int64_t ms, std::string_view zone = "UTC") {
  const Result<JavaDateFormat> format = JavaDateFormat::Make(pattern);
  if (!format.ok()) return format.status().message();
  std::string out;
  format->Format(ms, *TimeZone::Find(zone), out);
  return out;
}

std::string Parse(std::string_view pattern, std::string_view text, std::string_view zone = "UTC") {
  const Result<JavaDateFormat> format = JavaDateFormat::Make(pattern);
  if (!format.ok()) return format.status().message();
  int64_t ms = 0;
  return format->ParseTimestamp(text, *TimeZone::Find(zone), ms) ? std::to_string(ms) : "no";
}

constexpr int64_t kTime = 1526075913042;  // 2018-05-11T21:58:33.042Z, a Friday.

TEST(JavaDateFormat, Writes) {
  EXPECT_EQ(Format("yyyy-MM-dd'T'HH:mm:ss.SSSX", kTime), "2018-05-11T21:58:33.042Z");
  EXPECT_EQ(Format("yy M d H m s", 0), "70 1 1 0 0 0");
  EXPECT_EQ(Format("EEE, d MMM uuuu", kTime), "Fri, 11 May 2018");
  EXPECT_EQ(Format("EEEE MMMM MMMMM", kTime), "Friday May M");
  EXPECT_EQ(Format("hh:mm a K k", kTime), "09:58 PM 9 21");
  EXPECT_EQ(Format("hh k", 0), "12 24");
  EXPECT_EQ(Format("D DDD Q e", kTime), "131 131 2 6");
  EXPECT_EQ(Format("S SS SSSSSS", kTime), "0 04 042000");
  EXPECT_EQ(Format("''yyyy'' 'o''clock'", kTime), "'2018' o'clock");
  EXPECT_EQ(Format("yyyy-MM-dd[ HH]", kTime), "2018-05-11 21");
  EXPECT_EQ(Format("X XX XXX x Z ZZZZZ O OOOO", kTime, "+05:30"),
            "+0530 +0530 +05:30 +0530 +0530 +05:30 GMT+5:30 GMT+05:30");
  EXPECT_EQ(Format("X x Z O VV z", kTime), "Z +00 +0000 GMT UTC UTC");
  EXPECT_EQ(Format("yyyy-MM-dd HH:mm z VV", kTime, "Europe/Zurich"),
            "2018-05-11 23:58 CEST Europe/Zurich");
  EXPECT_EQ(Format("YYYY-ww", 1546128000000), "2019-01");  // 2018-12-30, a Sunday.
  EXPECT_EQ(Format("yyyy G", -62167305600000), "0002 BC");
}

TEST(JavaDateFormat, Reads) {
  EXPECT_EQ(Parse("yyyy-MM-dd'T'HH:mm:ss.SSSX", "2018-05-11T21:58:33.042Z"), "1526075913042");
  EXPECT_EQ(Parse("yyyy-MM-dd HH:mm:ss.SSSSSSSSS", "2018-05-11 21:58:33.042999999"),
            "1526075913042");
  EXPECT_EQ(Parse("yyyyMMddHHmmssSSS", "20180511215833042"), "1526075913042");
  EXPECT_EQ(Parse("d/M/yy", "1/2/21"), "1612137600000");
  EXPECT_EQ(Parse("yyyy-MM-dd[ HH:mm]", "2018-05-11"), "1525996800000");
  EXPECT_EQ(Parse("yyyy-MM-dd[ HH:mm]", "2018-05-11 01:00"), "1526000400000");
  EXPECT_EQ(Parse("EEE dd MMM yyyy", "fri 11 MAY 2018"), "1525996800000");
  EXPECT_EQ(Parse("yyyy-DDD", "2018-131"), "1525996800000");
  EXPECT_EQ(Parse("yyyy-MM-dd", "2019-02-31"), "1551312000000");  // The last of February.
  EXPECT_EQ(Parse("HH", "01"), "3600000");
  EXPECT_EQ(Parse("yyyy-MM-dd HH:mm XXX", "1970-01-01 02:00 +02:00"), "0");
  EXPECT_EQ(Parse("yyyy-MM-dd HH:mm VV", "1970-01-01 01:00 Europe/Zurich"), "0");
  EXPECT_EQ(Parse("yyyy-MM-dd HH:mm", "1970-01-01 01:00", "Europe/Zurich"), "0");
  EXPECT_EQ(Parse("yyyy-MM-dd O", "1970-01-01 GMT+1"), "-3600000");
}

// Date and time of fixed width are read in another way: every day of 1999 to 2100, there and back.
TEST(JavaDateFormat, ReadsFixedWidths) {
  constexpr std::string_view kPattern = "yyyy-MM-dd HH:mm:ss";
  const Result<JavaDateFormat> format = JavaDateFormat::Make(kPattern);
  ASSERT_TRUE(format.ok());
  for (int64_t ms = 915'148'801'000; ms < 4'133'894'400'000; ms += 86'400'000 + 7'000) {
    std::string text;
    format->Format(ms, *TimeZone::Find("UTC"), text);
    int64_t read = 0;
    ASSERT_TRUE(format->ParseTimestamp(text, *TimeZone::Find("UTC"), read)) << text;
    ASSERT_EQ(read, ms) << text;
  }
  EXPECT_EQ(Parse(kPattern, "0001-01-01 00:00:00"), "-62135596800000");
  EXPECT_EQ(Parse(kPattern, "2000-02-29 23:59:59"), "951868799000");
  for (std::string_view text :
       {"2020-07-01 00:00:0:", "2020-07-01 00:00:0/", "2020-07-01T00:00:00", "2020-07-01 24:00:00",
        "2020-00-01 00:00:00", "202 -07-01 00:00:00", "2020-07-01 00:00:\xB0\xB0"}) {
    EXPECT_EQ(Parse(kPattern, text), "no") << text;
  }
  EXPECT_EQ(Parse("yyyy'0'MM'0'dd'0'HH'0'mm'0'ss", "2020107010000000000"), "no");
}

TEST(JavaDateFormat, ClocksSetForwardAndBack) {
  EXPECT_EQ(Parse("yyyy-MM-dd HH:mm", "2021-03-28 02:30", "Europe/Zurich"), "1616895000000");
  EXPECT_EQ(Parse("yyyy-MM-dd HH:mm", "2021-10-31 02:30", "Europe/Zurich"), "1635640200000");
}

TEST(JavaDateFormat, RefusesTexts) {
  EXPECT_EQ(Parse("yyyy-MM-dd", "2018-13-01"), "no");
  EXPECT_EQ(Parse("yyyy-MM-dd", "2018-1-01"), "no");
  EXPECT_EQ(Parse("yyyy-MM-dd", "2018-01-01x"), "no");
  EXPECT_EQ(Parse("HH:mm", "24:00"), "no");
  EXPECT_EQ(Parse("HH:mm", ""), "no");
  EXPECT_EQ(Parse("yyyy", "99999999999999999999"), "no");
}

TEST(JavaDateFormat, RefusesPatterns) {
  for (const char* pattern : {"yyyy-MM-dd'T", "b", "yyyy{", "ddd", "aa", "V", "XXXXXX"}) {
    EXPECT_FALSE(JavaDateFormat::Make(pattern).ok()) << pattern;
  }
  EXPECT_FALSE(TimeZone::Find("../../etc/passwd").has_value());
  EXPECT_FALSE(TimeZone::Find("Mars/Base").has_value());
}

}  // namespace
}  // namespace weir
