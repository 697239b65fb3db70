#include <gtest/gtest.h>

#include "tests/unit/exec_functions/function_calls.h"

namespace weir {
namespace {

using namespace testing;  // NOLINT: the words of these tests.

TEST(StringFunctions, SubstringCountsFromBothEnds) {
  EXPECT_EQ(Eval("SUBSTRING", {Lit("some_string"), Lit(6)}), "string");
  EXPECT_EQ(Eval("SUBSTRING", {Lit("short"), Lit(6)}), "");
  EXPECT_EQ(Eval("SUBSTRING", {Lit("some_string"), Lit(6), Lit(3)}), "str");
  EXPECT_EQ(Eval("SUBSTRING", {Lit("some string"), Lit(0), Lit(2)}), "so");
  EXPECT_EQ(Eval("SUBSTRING", {Lit("stream"), Lit(-3)}), "eam");
  EXPECT_EQ(Eval("SUBSTRING", {Lit("stream"), Lit(-30), Lit(2)}), "st");
  EXPECT_EQ(Eval("SUBSTRING", {Lit("stream"), Lit(2), Lit(-1)}), "");
  EXPECT_EQ(Eval("SUBSTRING", {Lit("stream"), NoInt()}), "null");
  EXPECT_EQ(Eval("SUBSTRING", {Bytes("abc"), Lit(2), Lit(1)}), "Yg==");
}

TEST(StringFunctions, LengthsAreUtf16Units) {
  EXPECT_EQ(Eval("LEN", {Lit("abc")}), "3");
  EXPECT_EQ(Eval("LEN", {Lit("Zürich")}), "6");
  EXPECT_EQ(Eval("LEN", {Lit("😀!")}), "3");
  EXPECT_EQ(Eval("LEN", {Bytes("😀!")}), "5");
  EXPECT_EQ(Eval("SUBSTRING", {Lit("a😀bc"), Lit(4)}), "bc");
  EXPECT_EQ(Eval("SUBSTRING", {Lit("äöü"), Lit(2), Lit(1)}), "ö");
  EXPECT_EQ(Eval("INSTR", {Lit("😀x"), Lit("x")}), "3");
}

TEST(StringFunctions, Instr) {
  EXPECT_EQ(Eval("INSTR", {Lit("corporate floor"), Lit("or")}), "2");
  EXPECT_EQ(Eval("INSTR", {Lit("no substring"), Lit("or")}), "0");
  EXPECT_EQ(Eval("INSTR", {Lit("corporate floor"), Lit("or"), Lit(4), Lit(2)}), "14");
  EXPECT_EQ(Eval("INSTR", {Lit("short"), Lit("or"), Lit(4), Lit(2)}), "0");
  EXPECT_EQ(Eval("INSTR", {Lit("corporate floor"), Lit("or"), Lit(-4)}), "5");
  EXPECT_EQ(Eval("INSTR", {Lit("short"), Lit("or"), Lit(-4)}), "0");
}

TEST(StringFunctions, Padding) {
  EXPECT_EQ(Eval("LPAD", {Lit("foo"), Lit(7), Lit("Bar")}), "BarBfoo");
  EXPECT_EQ(Eval("RPAD", {Lit("foo"), Lit(7), Lit("Bar")}), "fooBarB");
  EXPECT_EQ(Eval("LPAD", {Lit("foo"), Lit(2), Lit("Bar")}), "fo");
  EXPECT_EQ(Eval("LPAD", {Lit("foo"), Lit(-1), Lit("Bar")}), "null");
  EXPECT_EQ(Eval("RPAD", {Lit("foo"), Lit(7), Lit("")}), "null");
  EXPECT_EQ(Eval("RPAD", {Lit(""), Lit(7), Lit("Bar")}), "BarBarB");
  EXPECT_EQ(Eval("LPAD", {Bytes("yes"), Lit(8), Bytes("no")}), "bm9ub255ZXM=");
  EXPECT_EQ(Eval("LPAD", {Bytes("yes"), Lit(0), Bytes("no")}), "");
}

TEST(StringFunctions, CaseAndBlanks) {
  EXPECT_EQ(Eval("UCASE", {Lit("MiXeD")}), "MIXED");
  EXPECT_EQ(Eval("UCASE", {Lit("straße é")}), "STRASSE É");
  EXPECT_EQ(Eval("LCASE", {Lit("MiXeD ÄÖ")}), "mixed äö");
  EXPECT_EQ(Eval("INITCAP", {Lit("the   Quick br0wn fOx")}), "The   Quick Br0wn Fox");
  EXPECT_EQ(Eval("INITCAP", {Lit("some_string")}), "Some_string");
  EXPECT_EQ(Eval("TRIM", {Lit(" \t with white space \t")}), "with white space");
}

TEST(StringFunctions, Chr) {
  EXPECT_EQ(Eval("CHR", {Lit(75)}), "K");
  EXPECT_EQ(Eval("CHR", {Lit(22909)}), "好");
  EXPECT_EQ(Eval("CHR", {Lit(99000)}), "𘊸");
  EXPECT_EQ(Eval("CHR", {Lit(-1)}), "null");
  EXPECT_EQ(Eval("CHR", {Lit("\\u004b")}), "K");
  EXPECT_EQ(Eval("CHR", {Lit("\\ud820\\udeb8")}), "𘊸");
  for (const char* text : {"75", "004b", "bogus", ""}) EXPECT_EQ(Eval("CHR", {Lit(text)}), "null");
}

TEST(StringFunctions, JoinAndSplit) {
  EXPECT_EQ(Eval("CONCAT", {Lit("prefix-"), NoText(), Lit("s1")}), "prefix-s1");
  EXPECT_EQ(Eval("CONCAT_WS", {Lit("-"), Lit("a"), NoText(), Lit(""), Lit("b")}), "a--b");
  EXPECT_EQ(Eval("CONCAT_WS", {NoText(), Lit("a")}), "null");
  EXPECT_EQ(Eval("CONCAT_WS", {Bytes("a"), Bytes("b"), Bytes("yes"), Bytes("no")}), "YmF5ZXNhbm8=");
  EXPECT_EQ(Eval("SPLIT", {Lit("..a.."), Lit(".")}), R"(["","","a","",""])");
  EXPECT_EQ(Eval("SPLIT", {Lit(""), Lit(".")}), R"([""])");
  EXPECT_EQ(Eval("SPLIT", {Lit("a.b"), Lit("")}), R"(["a",".","b"])");
  EXPECT_EQ(Eval("SPLIT", {Lit(""), Lit("")}), R"([""])");
  EXPECT_EQ(Eval("SPLIT", {Bytes("a.b"), Bytes(".")}), R"(["YQ==","Yg=="])");
}

TEST(StringFunctions, SplitToMap) {
  const auto split = [](const char* text, const char* entries, const char* pair) {
    return Eval("SPLIT_TO_MAP", {Lit(text), Lit(entries), Lit(pair)});
  };
  EXPECT_EQ(split("apple:green/cherry:red", "/", ":"), R"({"apple":"green","cherry":"red"})");
  EXPECT_EQ(split("apple:green/banana:yellow", "&&", ":"), R"({"apple":"green/banana"})");
  EXPECT_EQ(split("apple:green//cherry:red/", "/", ":"), R"({"apple":"green","cherry":"red"})");
  EXPECT_EQ(split("apple:green", "/", "="), "{}");
  EXPECT_EQ(split("apple:green", "", ":"), "null");
  EXPECT_EQ(split("", "/", ":"), "{}");
}

TEST(StringFunctions, Replace) {
  EXPECT_EQ(Eval("REPLACE", {Lit("anaconda"), Lit("a"), Lit("o")}), "onocondo");
  EXPECT_EQ(Eval("REPLACE", {Lit("ab"), Lit(""), Lit("-")}), "-a-b-");
  EXPECT_EQ(Eval("REPLACE", {Lit("a"), NoText(), Lit("-")}), "null");
}

TEST(StringFunctions, Encode) {
  const auto encode = [](const char* text, const char* from, const char* to) {
    return Eval("ENCODE", {Lit(text), Lit(from), Lit(to)});
  };
  EXPECT_EQ(encode("4578616d706C6521", "hex", "ascii"), "Example!");
  EXPECT_EQ(encode("0x4578616d706C6521", "hex", "base64"), "RXhhbXBsZSE=");
  EXPECT_EQ(encode("0x578", "hex", "base64"), "BXg=");
  EXPECT_EQ(encode("X'4578616d706C6521'", "hex", "utf8"), "Example!");
  EXPECT_EQ(encode("c39c", "hex", "utf8"), "Ü");
  EXPECT_EQ(encode("c39c", "hex", "ascii"), "��");
  EXPECT_EQ(encode("0x", "hex", "ascii"), "");
  EXPECT_EQ(encode("x''", "hex", "ascii"), "");
  for (const char* text : {"0x0x", "X'", "x'4578", "x'578616d706C6521'", "578"}) {
    EXPECT_EQ(encode(text, "hex", "utf8"), "null!") << text;
  }
  EXPECT_EQ(encode("Ελλάδα", "ascii", "hex"), "3f3f3f3f3f3f");
  EXPECT_EQ(encode("zpXOu867zqzOtM6x", "base64", "utf8"), "Ελλάδα");
  EXPECT_EQ(encode("a", "ebcdic", "utf8"), "null!");
  EXPECT_EQ(Eval("MD5", {Lit("")}), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(Eval("FROM_BYTES", {Bytes("\x1a\xb2"), Lit("hex")}), "1AB2");
  EXPECT_EQ(Eval("TO_BYTES", {Lit("1aB2"), Lit("hex")}), "GrI=");
  EXPECT_EQ(Eval("UUID", {Bytes(std::string(16, '\x11'))}), "11111111-1111-1111-1111-111111111111");
  EXPECT_EQ(Eval("INT_FROM_BYTES", {Bytes(std::string("\0\0\7\xe5", 4))}), "2021");
  EXPECT_EQ(Eval("INT_FROM_BYTES", {Bytes("abc")}), "null!");
}

TEST(StringFunctions, Mask) {
  EXPECT_EQ(Eval("MASK", {Lit("My Test $123")}), "Xx-Xxxx--nnn");
  EXPECT_EQ(Eval("MASK", {Lit("Ab 1"), Lit("*"), NoText(), Lit("#"), Lit(".")}), "*b.#");
  EXPECT_EQ(Eval("MASK_LEFT", {Lit("Abcd"), Lit(2)}), "Xxcd");
  EXPECT_EQ(Eval("MASK_RIGHT", {Lit("Abcd"), Lit(9)}), "Xxxx");
  EXPECT_EQ(Eval("MASK_KEEP_LEFT", {Lit("Abcd"), Lit(9)}), "Abcd");
  EXPECT_EQ(Eval("MASK_KEEP_RIGHT", {Lit("Abcd"), Lit(1)}), "Xxxd");
  EXPECT_EQ(Eval("MASK_LEFT", {Lit("Abcd"), Lit(-1)}), "null!");
}

TEST(StringFunctions, RegularExpressions) {
  EXPECT_EQ(Eval("REGEXP_EXTRACT", {Lit("(.*) (.*)"), Lit("steven zhang"), Lit(2)}), "zhang");
  EXPECT_EQ(Eval("REGEXP_EXTRACT", {Lit("(.*) (.*)"), Lit("agavra"), Lit(2)}), "null");
  EXPECT_EQ(Eval("REGEXP_EXTRACT", {Lit("a+"), Lit("caab")}), "aa");
  EXPECT_EQ(Eval("REGEXP_EXTRACT_ALL", {Lit("test."), Lit("some_test_string_testabab")}),
            R"(["test_","testa"])");
  EXPECT_EQ(Eval("REGEXP_EXTRACT_ALL", {Lit("(\\w+) (\\w*)"), Lit("apurva mehta agavra "), Lit(2)}),
            R"(["mehta",""])");
  EXPECT_EQ(Eval("REGEXP_REPLACE", {Lit("a1b22"), Lit("[0-9]+"), Lit("<$0>")}), "a<1>b<22>");
  EXPECT_EQ(Eval("REGEXP_REPLACE", {Lit("john doe"), Lit("(\\w+) (\\w+)"), Lit("$2 $1")}),
            "doe john");
  EXPECT_EQ(Eval("REGEXP_REPLACE", {Lit("ab"), Lit("x*"), Lit("-")}), "-a-b-");
  EXPECT_EQ(Eval("REGEXP_SPLIT_TO_ARRAY", {Lit("aabcda"), Lit("(ab|cd)")}), R"(["a","","a"])");
  EXPECT_EQ(Eval("REGEXP_SPLIT_TO_ARRAY", {Lit("abc"), Lit("")}), R"(["a","b","c"])");
  EXPECT_EQ(Eval("REGEXP_SPLIT_TO_ARRAY", {Lit(".a."), Lit("\\.")}), R"(["","a",""])");
}

TEST(StringFunctions, Urls) {
  EXPECT_EQ(Eval("URL_EXTRACT_HOST", {Lit("http://test@confluent.io:8080")}), "confluent.io");
  EXPECT_EQ(Eval("URL_EXTRACT_PORT", {Lit("http://test@confluent.io")}), "null");
  EXPECT_EQ(Eval("URL_EXTRACT_PORT", {Lit("http://test@confluent.io:8080/nested/path?q")}), "8080");
  EXPECT_EQ(Eval("URL_EXTRACT_PROTOCOL", {Lit("www.confluent.io")}), "null");
  EXPECT_EQ(Eval("URL_EXTRACT_PATH", {Lit("http://a.io/a%20b?x")}), "/a b");
  EXPECT_EQ(Eval("URL_EXTRACT_QUERY", {Lit("http://www.test.com?query#fragment")}), "query");
  EXPECT_EQ(Eval("URL_EXTRACT_FRAGMENT", {Lit("http://www.nofragment.com")}), "null");
  EXPECT_EQ(
      Eval("URL_EXTRACT_PARAMETER", {Lit("http://a.io/?one=a&two=url%20encoded"), Lit("two")}),
      "url encoded");
  EXPECT_EQ(Eval("URL_EXTRACT_PARAMETER", {Lit("http://a.io/?three"), Lit("three")}), "");
  EXPECT_EQ(Eval("URL_EXTRACT_HOST", {Lit("http://a b.io")}), "null!");
  EXPECT_EQ(Eval("URL_DECODE_PARAM", {Lit("%3Ffoo+%24bar")}), "?foo $bar");
  EXPECT_EQ(Eval("URL_DECODE_PARAM", {Lit("%zz")}), "null!");
  EXPECT_EQ(Eval("URL_DECODE_PARAM", {Lit("%0x")}), "null!");
  EXPECT_EQ(Eval("URL_ENCODE_PARAM", {Lit("?foo $bar")}), "%3Ffoo+%24bar");
}

}  // namespace
}  // namespace weir
