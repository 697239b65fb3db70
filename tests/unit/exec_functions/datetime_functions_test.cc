#include <gtest/gtest.h>

#include "tests/unit/exec_functions/function_calls.h"

namespace weir {
namespace {

using namespace testing;  // NOLINT: the words of these tests.

TEST(DateTimeFunctions, Formats) {
  EXPECT_EQ(Eval("FORMAT_DATE", {Date(18993), Lit("dd-MMM-yyyy")}), "01-Jan-2022");
  EXPECT_EQ(Eval("FORMAT_DATE", {Date(-1), Lit("dd-MM-yyyy'Sophia'")}), "31-12-1969Sophia");
  EXPECT_EQ(Eval("FORMAT_DATE", {Date(0), Lit("HH")}), "null!");
  EXPECT_EQ(Eval("DATETOSTRING", {Lit(17662), Lit("yyyy-MM-dd")}), "2018-05-11");
  EXPECT_EQ(Eval("FORMAT_TIME", {Time(65000), Lit("HH_mm_ss_SSS")}), "00_01_05_000");
  EXPECT_EQ(Eval("FORMAT_TIMESTAMP", {Stamp(1526075913000), Lit("yyyy-MM-dd HH:mm:ss zzz"),
                                      Lit("America/Los_Angeles")}),
            "2018-05-11 14:58:33 PDT");
  EXPECT_EQ(Eval("FORMAT_TIMESTAMP", {Stamp(0), Lit("yyyy"), Lit("Nowhere/Town")}), "null!");
  EXPECT_EQ(Eval("TIMESTAMPTOSTRING", {Lit(int64_t{1526075913000}), Lit("yyyy-MM-dd HH:mm:ss")}),
            "2018-05-11 21:58:33");
}

TEST(DateTimeFunctions, Parses) {
  EXPECT_EQ(Eval("STRINGTODATE", {Lit("2018-05-11Lit"), Lit("yyyy-MM-dd'Lit'")}), "17662");
  EXPECT_EQ(Eval("STRINGTODATE", {Lit("foo"), Lit("yyyyMMdd")}), "null!");
  EXPECT_EQ(Eval("PARSE_DATE", {Lit("JAN-2022"), Lit("MMM-yyyy")}), "2022-01-01");
  EXPECT_EQ(Eval("PARSE_DATE", {Lit("2022-01-02 10:00"), Lit("yyyy-MM-dd")}), "2022-01-02");
  EXPECT_EQ(Eval("PARSE_TIME", {Lit("01:00:00 Pm"), Lit("hh:mm:ss a")}), "13:00:00");
  EXPECT_EQ(Eval("STRINGTOTIMESTAMP", {Lit("2018-05-11T21:58:33z"), Lit("yyyy-MM-dd'T'HH:mm:ssX")}),
            "1526075913000");
  EXPECT_EQ(
      Eval("STRINGTOTIMESTAMP", {Lit("2018-05-11T21:58:33 PST"), Lit("yyyy-MM-dd'T'HH:mm:ss zzz")}),
      "1526101113000");
}

TEST(DateTimeFunctions, Arithmetic) {
  EXPECT_EQ(ValuesOf(Call("UNIX_DATE", {Call("FROM_DAYS", {Lit(5)})})), "5");
  EXPECT_EQ(Eval("UNIX_TIMESTAMP", {Stamp(7)}), "7");
  EXPECT_EQ(Eval("CONVERT_TZ", {Stamp(0), Lit("UTC"), Lit("America/Los_Angeles")}),
            "1969-12-31T16:00:00.000");
}

}  // namespace
}  // namespace weir
