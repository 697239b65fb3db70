#include <gtest/gtest.h>

#include "tests/unit/exec_functions/function_calls.h"

namespace weir {
namespace {

using namespace testing;  // NOLINT: the words of these tests.

TEST(MathFunctions, RoundsHalvesUp) {
  EXPECT_EQ(Eval("ROUND", {Lit(1.5)}), "2");
  EXPECT_EQ(Eval("ROUND", {Lit(-1.5)}), "-1");
  EXPECT_EQ(Eval("ROUND", {Lit(-1.7)}), "-2");
  EXPECT_EQ(Eval("ROUND", {Lit(-1.5), Lit(0)}), "-1.0");
  EXPECT_EQ(Eval("ROUND", {Lit(-12345.678), Lit(0)}), "-12346.0");
  EXPECT_EQ(Eval("ROUND", {Lit(12345.678), Lit(-1)}), "12350.0");
  EXPECT_EQ(Eval("ROUND", {Lit(-12345.678), Lit(-2)}), "-12300.0");
  EXPECT_EQ(Eval("ROUND", {Lit(-1.1), Lit(-1)}), "0.0");
  EXPECT_EQ(Eval("ROUND", {Lit(1.234567), Lit(10)}), "1.234567");
  EXPECT_EQ(Eval("ROUND", {Lit(1.005), Lit(2)}), "1.01");
  EXPECT_EQ(Eval("ROUND", {Lit(2.0152891037307), Lit(13)}), "2.0152891037307");
  EXPECT_EQ(Eval("ROUND", {Lit(7)}), "7");
}

TEST(MathFunctions, RoundsDecimals) {
  const BoundExprPtr value = Decimal(-125, 3, 2);
  EXPECT_EQ(Eval("ROUND", {value}), "-1");
  EXPECT_EQ(Eval("ROUND", {value, Lit(1)}), "-1.20");
  EXPECT_EQ(Eval("ROUND", {Decimal(125, 3, 2), Lit(1)}), "1.30");
  EXPECT_EQ(Eval("TRUNC", {Decimal(129, 3, 2), Lit(1)}), "1.20");
  EXPECT_EQ(Eval("CEIL", {Decimal(11, 2, 1)}), "2.0");
  EXPECT_EQ(Eval("FLOOR", {Decimal(-11, 2, 1)}), "-2.0");
  EXPECT_EQ(Eval("ABS", {Decimal(-11, 2, 1)}), "1.1");
  EXPECT_EQ(Call("ROUND", {Decimal(0, 33, 16)})->type, DataType::Decimal(17, 0));
}

// The number of places may come from a record.
TEST(MathFunctions, RoundsDecimalsAtAnyPlace) {
  const BoundExprPtr value = Decimal(150, 3, 2);
  for (const char* name : {"ROUND", "TRUNC"}) {
    for (int32_t places : {INT32_MIN, INT32_MIN + 1, -39, -38, -2}) {
      EXPECT_EQ(Eval(name, {value, Lit(places)}), "0.00") << name << places;
    }
    for (int32_t places : {2, 38, 39, INT32_MAX}) {
      EXPECT_EQ(Eval(name, {value, Lit(places)}), "1.50") << name << places;
    }
  }
  EXPECT_EQ(Eval("TRUNC", {Decimal(999, 3, 0), Lit(-2)}), "900");
  EXPECT_EQ(Eval("ROUND", {Decimal(949, 3, 0), Lit(-2)}), "900");
  EXPECT_EQ(Eval("ROUND", {Decimal(999, 3, 0), Lit(-3)}), "null!");  // 1000 has four digits.
}

TEST(MathFunctions, Truncates) {
  EXPECT_EQ(Eval("TRUNC", {Lit(-1.7)}), "-1");
  EXPECT_EQ(Eval("TRUNC", {Lit(12345.678), Lit(2)}), "12345.67");
  EXPECT_EQ(Eval("TRUNC", {Lit(12345.678), Lit(-1)}), "12340.0");
  EXPECT_EQ(Eval("TRUNC", {Lit(1.2), Lit(-1)}), "0.0");
}

TEST(MathFunctions, LogarithmsAndRoots) {
  EXPECT_EQ(Eval("LN", {Lit(-1)}), "NaN");
  EXPECT_EQ(Eval("LN", {Lit(0)}), "-Infinity");
  EXPECT_EQ(Eval("LN", {Lit(2)}), "0.6931471805599453");
  EXPECT_EQ(Eval("LOG", {Lit(13)}), "2.5649493574615367");
  EXPECT_EQ(Eval("LOG", {Lit(15), Lit(13)}), "0.9471572411831843");
  EXPECT_EQ(Eval("LOG", {Lit(15), Lit(0)}), "-Infinity");
  EXPECT_EQ(Eval("LOG", {Lit(1), Lit(13)}), "NaN");
  EXPECT_EQ(Eval("LOG", {Lit(-15), Lit(13)}), "NaN");
  EXPECT_EQ(Eval("SQRT", {Lit(-2.0)}), "NaN");
  EXPECT_EQ(Eval("CBRT", {Lit(-8)}), "-2.0");
  EXPECT_EQ(Eval("POWER", {Lit(2), Lit(10)}), "1024.0");
  EXPECT_EQ(Eval("ROUND", {Lit(0.0)}), "0");
}

TEST(MathFunctions, TheRest) {
  EXPECT_EQ(Eval("ABS", {Lit(INT32_MIN)}), "-2147483648");
  EXPECT_EQ(Eval("SIGN", {Lit(-3.0)}), "-1");
  EXPECT_EQ(Eval("ACOS", {Lit(2)}), "NaN");
  EXPECT_EQ(Eval("GREATEST", {Lit(1), NoInt(), Lit(5)}), "5");
  EXPECT_EQ(Eval("LEAST", {Lit("b"), NoText(), Lit("a")}), "a");
  EXPECT_EQ(Eval("GREATEST", {Decimal(123456789, 9, 2), Decimal(123456, 7, 6)}), "1234567.890000");
  EXPECT_EQ(Eval("NULLIF", {Lit("a"), Lit("a")}), "null");
  EXPECT_EQ(Eval("NULLIF", {Lit("a"), NoText()}), "a");
  EXPECT_EQ(Eval("IFNULL", {NoText(), Lit("x")}), "x");
  EXPECT_EQ(Eval("COALESCE", {NullOf(DataType::Array(DataType::Int())), Ints({10, 20})}),
            "[10,20]");
  EXPECT_EQ(Eval("GEO_DISTANCE", {Lit(37.4439), Lit(-122.1663), Lit(51.5257), Lit(-0.1122)}),
            "8634.659796579544");
  EXPECT_EQ(
      Eval("GEO_DISTANCE", {Lit(37.4439), Lit(-122.1663), Lit(51.5257), Lit(-0.1122), Lit("MI")})
          .substr(0, 9),
      "5365.6597");
}

}  // namespace
}  // namespace weir
