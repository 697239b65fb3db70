// Random accepted definitions, then the store is opened again: everything that can be seen of it is
// as before. WEIR_CATALOG_SEED repeats a run.

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "tests/unit/exec_engine/reopened_store.h"

namespace weir::test {
namespace {

constexpr int kCases = 100;
constexpr int kStatementsMax = 10;

// Names as nobody would write them; most are accepted in backquotes.
constexpr const char* kNames[] = {"a",
                                  "ID",
                                  "id",
                                  "Mixed Case",
                                  "sel`ect",
                                  "SELECT",
                                  "NULL",
                                  "CONNECTOR",
                                  "a.b",
                                  "a-b",
                                  "été",
                                  "名前",
                                  "ÀÉÎ",
                                  "ß",
                                  "ı",
                                  "tab\there",
                                  "line\nbreak",
                                  "return\rhere",
                                  "bell\x07",
                                  "'",
                                  "''",
                                  "\"",
                                  "--",
                                  "-- no comment",
                                  "/*",
                                  "*/",
                                  ";",
                                  "a;b",
                                  "=",
                                  "(",
                                  "ROWTIME",
                                  "rowtime",
                                  "WINDOWSTART",
                                  "KSQL_COL_0",
                                  "_",
                                  "1",
                                  "1a",
                                  "@",
                                  "$x",
                                  "a,b",
                                  "x=>y",
                                  "`",
                                  "``",
                                  "\xe2\x80\xae",
                                  " ",
                                  " lead",
                                  "\xf0\x9f\x98\x80",
                                  "DECIMAL",
                                  "INT",
                                  "STRUCT",
                                  "\\",
                                  "%s",
                                  "{}",
                                  "${v}",
                                  ""};
// Headers of files: not UTF-8, with a mark, in UTF-16, equal but for case, empty.
constexpr const char* kHeaders[] = {"id,v",
                                    "id,ID",
                                    "id,id",
                                    ",v",
                                    "a,,b",
                                    "rowtime,v",
                                    "\xef\xbb\xbfid,v",
                                    "\xe9t\xe9,v",
                                    "\"a\"\"b\",v",
                                    "\"a,b\",v",
                                    "\"a\nb\",v",
                                    "a b,a-b",
                                    "`,``",
                                    "1,2",
                                    "NULL,null",
                                    "a,b,",
                                    "名,前",
                                    "select,from",
                                    "id\t,v"};
constexpr const char* kObjects[] = {R"({"id":1,"v":"x"})",
                                    R"({"rowtime":1,"v":2})",
                                    R"({"id":1,"ID":2})",
                                    R"({"":1,"v":2})",
                                    R"({"a":{"b`c":1,"":2}})",
                                    R"({"a":[{"x y":1}],"é":{"É":2}})",
                                    R"({"a":{"a":1,"A":2}})",
                                    R"({"select":null,"x":{"y":{"`":[1]}}})",
                                    R"({"a'b":1,"a\"b":2,"a\nb":3})",
                                    R"({"a":{},"b":[]})",
                                    R"({"\u0000":1,"v":1})",
                                    R"({"windowstart":1})"};

class Generator {
 public:
  Generator(uint64_t seed, ReopenedStore& store) : random_(seed), store_(store) {}

  // Carries out some statements; says how many were accepted.
  int Run() {
    const int statements = 3 + Below(kStatementsMax);
    int accepted = 0;
    for (int i = 0; i < statements; ++i) {
      // Two to build on.
      std::string sql = i > 1 ? Statement() : "";
      if (i == 0) sql = CreateTopicSource("STREAM s0");
      if (i == 1) sql = CreateTopicSource("TABLE s1");
      const Status done = store_.Try(sql);
      log_ += fmt::format("{} -- {}\n", sql, done.ok() ? "ok" : done.message());
      // A refusal is fine; a fault of the engine's is not.
      EXPECT_NE(done.code(), ErrorCode::kInternal) << sql << "\n" << done.ToString();
      if (!done.ok()) continue;
      ++accepted;
      if (!topic_.empty() && Below(2) == 0) {
        for (int row = 0; row < 3; ++row) {
          store_.Append(topic_, fmt::format("{}", row), fmt::format("{{\"A\":{}}}", row));
        }
      }
    }
    return accepted;
  }
  const std::string& log() const { return log_; }

 private:
  int Below(int limit) { return static_cast<int>(random_() % static_cast<uint64_t>(limit)); }
  template <typename T, size_t kSize>
  T Pick(const T (&from)[kSize]) {
    return from[Below(static_cast<int>(kSize))];
  }

  static std::string Quote(std::string_view text, char quote) {
    std::string out(1, quote);
    for (char c : text) {
      out += c;
      if (c == quote) out += c;
    }
    return out + quote;
  }
  std::string Name() {
    const std::string name = Pick(kNames);
    return Below(4) == 0 ? Quote(name, '"') : Quote(name, '`');
  }
  // Few names, so that statements meet.
  std::string SourceName() { return Below(5) == 0 ? Name() : fmt::format("s{}", Below(5)); }
  std::string MadeName() { return fmt::format("s{}", Below(3)); }
  std::string Type(int depth = 0) {
    switch (Below(depth < 3 ? 9 : 5)) {
      case 0: return "INT";
      case 1: return "STRING";
      case 2: return "DOUBLE";
      case 3: return "DECIMAL(9, 2)";
      case 4: return "TIMESTAMP";
      case 5: return fmt::format("ARRAY<{}>", Type(depth + 1));
      case 6: return fmt::format("MAP<STRING, {}>", Type(depth + 1));
      case 7: return fmt::format("t{}", Below(3));
      default: {
        std::string fields;
        for (int i = Below(3); i >= 0; --i) {
          fields += fmt::format("{}{} {}", fields.empty() ? "" : ", ", Name(), Type(depth + 1));
        }
        return fmt::format("STRUCT<{}>", fields);
      }
    }
  }
  std::string Columns(std::string_view key) {
    std::string columns = fmt::format("k STRING {}, A INT", key);
    for (int i = Below(3); i > 0; --i) columns += fmt::format(", {} {}", Name(), Type());
    if (Below(6) == 0) columns += fmt::format(", h BYTES HEADER({})", Quote(Pick(kNames), '\''));
    return columns;
  }
  std::string Comment() {
    static constexpr const char* kComments[] = {"", "", "/* it's `a */ ", "-- '\"`;\n"};
    return Pick(kComments);
  }

  std::string CreateTopicSource(std::string_view what) {
    static constexpr const char* kMore[] = {"",
                                            ", on_error='letters'",
                                            ", ON_ERROR='NULL'",
                                            ", timestamp_source='append'",
                                            ", TIMESTAMP='A'",
                                            ", wrap_single_value=false",
                                            ", 'retention_ms'=1000",
                                            ", KEY_FORMAT='JSON'",
                                            ", window_type='Session'",
                                            ", WINDOW_TYPE='TUMBLING', \"window_size\"='1 hour'"};
    topic_ = fmt::format("t{}", Below(4));
    const bool table = what.starts_with("TABLE");
    return fmt::format("CREATE {}{}{} {} ({}) WITH (kafka_topic='{}', {}partitions=1{});",
                       Below(4) == 0 ? "OR REPLACE " : "", Below(6) == 0 ? "SOURCE " : "", what,
                       Comment(), Columns(table ? "PRIMARY KEY" : "KEY"), topic_,
                       Below(5) == 0 ? "value_format='DELIMITED', value_delimiter='|', " : "",
                       Pick(kMore));
  }
  std::string CreateFileSource() {
    static constexpr const char* kMore[] = {"",
                                            ", NULL='NA'",
                                            ", 'NULL'='it''s'",
                                            ", \"null\"=''",
                                            ", header=false",
                                            ", value_delimiter=';'",
                                            ", ON_ERROR='NULL'",
                                            ", 'Value_Format'='delimited'"};
    const bool csv = Below(2) == 0;
    const std::string file = fmt::format("f{}.{}", files_++, csv ? "csv" : "json");
    std::string text = csv ? fmt::format("{}\n1,x\n2,y\n", Pick(kHeaders))
                           : fmt::format("{}\n{}\n", Pick(kObjects), Pick(kObjects));
    if (csv && Below(12) == 0) {  // UTF-16.
      std::string wide = "\xff\xfe";
      for (char c : text) wide += {c, '\0'};
      text = wide;
    }
    store_.WriteFile(file, text);
    return fmt::format("CREATE STREAM {}{} WITH ({}CONNECTOR='file', path={}{});", Comment(),
                       SourceName(), Comment(), Quote(store_.At(file), '\''),
                       csv || Below(2) == 0 ? Pick(kMore) : "");
  }
  std::string CreateGenerator() {
    return fmt::format(
        "CREATE STREAM {} (id INT, {} STRING) WITH (connector='datagen', rows=3, "
        "{}='sequence(1, 1)');",
        SourceName(), Name(), Below(2) == 0 ? "'COLUMN.id'" : "COLUMN.id");
  }
  std::string CreateQuery() {
    const std::string from = MadeName();
    const int kind = Below(8);
    if (kind == 0) {
      return fmt::format(
          "CREATE TABLE {} AS SELECT k, COUNT(*) AS {}, SUM(A) AS total FROM {} "
          "GROUP BY k;",
          SourceName(), Name(), from);
    }
    if (kind == 1) {
      return fmt::format(
          "CREATE TABLE {} AS SELECT A, COUNT(*) AS {} FROM {} WINDOW TUMBLING "
          "(SIZE 90 SECONDS) GROUP BY A;",
          SourceName(), Name(), from);
    }
    if (kind == 2) {
      // Queries may come to feed each other: what goes around becomes less, and ends.
      return fmt::format("INSERT INTO {} SELECT k, A / 3 - 9 FROM {} WHERE A > 0;", SourceName(),
                         from);
    }
    const int which = Below(5);
    std::string select;
    if (which == 0) select = fmt::format("SELECT * FROM {}", from);
    if (which == 1) select = fmt::format("SELECT k, A + 1 AS {} FROM {}", Name(), from);
    if (which == 2) {
      select = fmt::format("SELECT *, CAST(A AS {}) AS {} FROM {}", Type(), Name(), from);
    }
    if (which == 3) {
      select =
          fmt::format("SELECT * FROM {} x JOIN {} y WITHIN 1 HOUR ON x.k = y.k", from, MadeName());
    }
    if (which == 4) {
      select = fmt::format("SELECT x.k, x.A AS {} FROM {} x LEFT JOIN {} y ON x.k = y.k", Name(),
                           from, MadeName());
    }
    return fmt::format("CREATE {}{} {} AS {}{};", Below(4) == 0 ? "OR REPLACE " : "",
                       Below(3) == 0 ? "TABLE" : "STREAM", SourceName(), Comment(), select);
  }
  std::string Statement() {
    topic_.clear();
    switch (Below(14)) {
      case 0:
      case 1:
      case 2:
        return CreateTopicSource(
            fmt::format("{} {}", Below(3) == 0 ? "TABLE" : "STREAM", SourceName()));
      case 3:
      case 4: return CreateFileSource();
      case 5: return CreateGenerator();
      case 6: return fmt::format("CREATE TYPE t{} AS {};", Below(3), Type());
      case 7: return fmt::format("DROP TYPE t{};", Below(3));
      case 8:
        return fmt::format("ALTER {} {} ADD COLUMN {} {};", Below(3) == 0 ? "TABLE" : "STREAM",
                           MadeName(), Name(), Type());
      case 9:
        return fmt::format("DROP {} {}{};", Below(3) == 0 ? "TABLE" : "STREAM", SourceName(),
                           Below(3) == 0 ? " DELETE TOPIC" : "");
      case 10: {
        static constexpr const char* kActions[] = {"TERMINATE", "PAUSE"};
        return fmt::format("{} {}_S{};", Pick(kActions), Below(2) == 0 ? "CSAS" : "CTAS", Below(4));
      }
      default: return CreateQuery();
    }
  }

  std::mt19937_64 random_;
  ReopenedStore& store_;
  std::string log_;
  std::string topic_;  // Of a source made last, to append to.
  int files_ = 0;
};

// All that can be seen, by what was asked.
std::map<std::string, std::vector<std::string>> Look(ReopenedStore& store) {
  std::map<std::string, std::vector<std::string>> seen;
  // Queries over records that do not fit may end in ERROR; the others settle.
  seen["settled"] = store.Settled("SHOW TYPES;");
  for (const char* sql : {"SHOW STREAMS;", "SHOW TABLES;"}) seen[sql] = store.Rows(sql);
  for (const SourceInfo& source : store.engine().Sources()) {
    std::string name = "`";
    for (char c : source.name) name += c == '`' ? "``" : std::string(1, c);
    name += "`";
    for (const char* what : {"SHOW CREATE {};", "DESCRIBE {};", "SELECT * FROM {};"}) {
      const std::string sql = fmt::format(fmt::runtime(what), name);
      seen[sql] = store.Rows(sql);
    }
  }
  for (const QueryMetrics& query : store.engine().Metrics().queries) {
    seen["state of " + query.query_id] = {query.state};
  }
  return seen;
}

TEST(CatalogRandom, WhatIsAcceptedOpensAgain) {
  const char* given = std::getenv("WEIR_CATALOG_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::cout << "WEIR_CATALOG_SEED=" << seed << std::endl;
  int accepted = 0;
  for (int number = 0; number < kCases; ++number) {
    ReopenedStore store;
    Generator generator(seed + static_cast<uint64_t>(number), store);
    accepted += generator.Run();
    if (given != nullptr) std::cout << "case " << number << ":\n" << generator.log() << std::endl;
    const auto before = Look(store);
    store.Reopen();
    if (::testing::Test::HasFatalFailure()) break;
    EXPECT_EQ(store.errors(), std::vector<std::string>());
    const auto after = Look(store);
    for (const auto& [what, rows] : before) {
      const auto found = after.find(what);
      ASSERT_TRUE(found != after.end()) << what;
      EXPECT_EQ(found->second, rows) << what;
    }
    EXPECT_EQ(after.size(), before.size());
    if (::testing::Test::HasFailure()) {
      FAIL() << "case " << number << ": WEIR_CATALOG_SEED=" << seed + static_cast<uint64_t>(number)
             << "\n"
             << generator.log();
    }
  }
  std::cout << "accepted " << accepted << std::endl;
  EXPECT_GT(accepted, 2 * kCases);
}

}  // namespace
}  // namespace weir::test
