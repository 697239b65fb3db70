// The table of short texts is complete, and so is docs/sql.md: both are held against the grammar,
// the table of properties and the types.

#include "shell/prompt/statement_help.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "planner/properties/connector_properties.h"
#include "planner/properties/with_properties.h"
#include "weir/types.h"

namespace weir::shell {
namespace {

std::string ReadSourceFile(const std::string& path) {
  std::ifstream in(std::string(WEIR_SOURCE_DIR) + "/" + path);
  EXPECT_TRUE(in.good()) << path;
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

const std::string& SqlPage() {
  static const auto* const kPage = new std::string(ReadSourceFile("docs/sql.md"));
  return *kPage;
}

/// Whether the page names `words` as SQL or as code.
bool PageNames(const std::string& words) { return SqlPage().find(words) != std::string::npos; }

std::vector<std::string> NamesFound(std::string_view topic) {
  std::vector<std::string> names;
  for (const StatementHelp* entry : FindHelp(topic)) names.emplace_back(entry->name);
  return names;
}

using Names = std::vector<std::string>;

TEST(StatementHelp, FindsByNameByOtherNameByFirstWordsAndByAnyWord) {
  EXPECT_EQ(NamesFound("group by"), Names({"GROUP BY"}));
  EXPECT_EQ(NamesFound("  Group   BY ; "), Names({"GROUP BY"}));
  EXPECT_EQ(NamesFound("integer"), Names({"INT"}));
  EXPECT_EQ(NamesFound("left join"), Names({"JOIN"}));
  EXPECT_EQ(NamesFound("drop"),
            Names({"DROP STREAM", "DROP TABLE", "DROP TYPE", "DROP PIPELINE", "DROP CONNECTOR"}));
  EXPECT_EQ(NamesFound("into"), Names({"INSERT INTO", "INSERT VALUES"}));
  EXPECT_EQ(NamesFound("kafka_topic"), Names({"KAFKA_TOPIC"}));
  EXPECT_EQ(NamesFound("no such thing"), Names());
  EXPECT_EQ(NamesFound(""), Names());
}

TEST(StatementHelp, EveryEntryHasTextsAndAName) {
  std::set<std::pair<HelpKind, std::string_view>> seen;
  for (const StatementHelp& entry : HelpTexts()) {
    EXPECT_FALSE(entry.syntax.empty()) << entry.name;
    EXPECT_TRUE(entry.text.ends_with('.')) << entry.name;
    EXPECT_TRUE(seen.emplace(entry.kind, entry.name).second) << entry.name;
  }
  size_t sum = 0;
  for (const HelpKind kind :
       {HelpKind::kStatement, HelpKind::kClause, HelpKind::kProperty, HelpKind::kType}) {
    EXPECT_FALSE(HelpTexts(kind).empty());
    sum += HelpTexts(kind).size();
  }
  EXPECT_EQ(sum, HelpTexts().size());
}

/// What the grammar calls each statement, and the words by which people find it.
const std::map<std::string, std::vector<std::string>>& StatementsByLabel() {
  static const auto* const kStatements = new std::map<std::string, std::vector<std::string>>{
      {"select", {"SELECT"}},
      {"createSource", {"CREATE STREAM", "CREATE TABLE", "CREATE STREAM AS", "CREATE TABLE AS"}},
      {"createType", {"CREATE TYPE"}},
      {"createConnector", {"CREATE CONNECTOR"}},
      {"insertInto", {"INSERT INTO"}},
      {"insertValues", {"INSERT VALUES"}},
      {"deleteFrom", {"DELETE FROM"}},
      {"dropSource", {"DROP STREAM", "DROP TABLE"}},
      {"dropType", {"DROP TYPE"}},
      {"dropConnector", {"DROP CONNECTOR"}},
      {"dropPipeline", {"DROP PIPELINE"}},
      {"alterSource", {"ALTER STREAM", "ALTER TABLE"}},
      {"alterSystem", {"ALTER SYSTEM"}},
      {"show",
       {"SHOW STREAMS", "SHOW TABLES", "SHOW TOPICS", "SHOW QUERIES", "SHOW FUNCTIONS",
        "SHOW TYPES", "SHOW VARIABLES", "SHOW PROPERTIES", "SHOW PIPELINES", "SHOW METRICS",
        "SHOW SCHEMAS", "SHOW CONNECTORS", "SHOW CONNECTOR PLUGINS"}},
      {"showCreate", {"SHOW CREATE"}},
      {"describeAll", {"DESCRIBE STREAMS"}},
      {"describeOther", {"DESCRIBE FUNCTION"}},
      {"describeSource", {"DESCRIBE"}},
      {"print", {"PRINT"}},
      {"controlQuery", {"TERMINATE", "PAUSE", "RESUME"}},
      {"setProperty", {"SET"}},
      {"unsetProperty", {"UNSET"}},
      {"defineVariable", {"DEFINE"}},
      {"undefineVariable", {"UNDEFINE"}},
      {"runScript", {"RUN SCRIPT"}},
      {"assertTopic", {"ASSERT TOPIC"}},
      {"assertSchema", {"ASSERT SCHEMA"}},
      {"assertValues", {"ASSERT VALUES"}},
      {"assertNullValues", {"ASSERT NULL VALUES"}},
      {"assertSource", {"ASSERT STREAM", "ASSERT TABLE"}},
      {"plain", {}},
      {"explainText", {"EXPLAIN"}},
      {"explainQuery", {"EXPLAIN"}},
      {"pipelineAlone", {"BEGIN PIPELINE"}},
  };
  return *kStatements;
}

// "DROP STREAM" stands in the page as DROP STREAM|TABLE, and the like.
std::string FirstWord(const std::string& name) { return name.substr(0, name.find(' ')); }

TEST(StatementHelp, KnowsEachStatementOfTheGrammar) {
  const std::string grammar = ReadSourceFile("grammar/WeirParser.g4");
  const size_t begin = grammar.find("\nstatement\n");
  const size_t end = grammar.find("\nsourceKind:");
  ASSERT_LT(begin, end);
  const std::string rules = grammar.substr(begin, end - begin);
  const std::regex label("# *([A-Za-z]+)");
  std::set<std::string> seen;
  for (std::sregex_iterator it(rules.begin(), rules.end(), label), none; it != none; ++it) {
    seen.insert((*it)[1]);
    const auto found = StatementsByLabel().find((*it)[1]);
    ASSERT_NE(found, StatementsByLabel().end())
        << "a new statement needs a row here, a help text and a place in docs/sql.md: " << (*it)[1];
    for (const std::string& name : found->second) {
      EXPECT_FALSE(FindHelp(name).empty()) << name;
      EXPECT_TRUE(PageNames(FirstWord(name))) << name;
    }
  }
  EXPECT_EQ(seen.size(), StatementsByLabel().size());
}

TEST(StatementHelp, KnowsEachProperty) {
  for (const std::string_view name : WithPropertyNames()) {
    EXPECT_FALSE(FindHelp(name).empty()) << name;
    EXPECT_TRUE(PageNames("`" + std::string(name) + "`")) << name;
  }
  for (const ConnectorRow& connector : Connectors()) {
    EXPECT_TRUE(PageNames("CONNECTOR='" + std::string(connector.name) + "'")) << connector.name;
    for (const ConnectorProperty& property : connector.properties) {
      EXPECT_FALSE(FindHelp(property.name).empty()) << property.name;
      EXPECT_TRUE(PageNames("`" + std::string(property.name) + "`")) << property.name;
    }
  }
}

/// The type of each kind; a new kind does not compile without a row.
std::string TypeOf(TypeKind kind) {
  switch (kind) {
    case TypeKind::kNull: return "";
    case TypeKind::kBoolean: return "BOOLEAN";
    case TypeKind::kInt: return "INT";
    case TypeKind::kBigint: return "BIGINT";
    case TypeKind::kDouble: return "DOUBLE";
    case TypeKind::kDecimal: return "DECIMAL";
    case TypeKind::kString: return "STRING";
    case TypeKind::kBytes: return "BYTES";
    case TypeKind::kDate: return "DATE";
    case TypeKind::kTime: return "TIME";
    case TypeKind::kTimestamp: return "TIMESTAMP";
    case TypeKind::kArray: return "ARRAY";
    case TypeKind::kMap: return "MAP";
    case TypeKind::kStruct: return "STRUCT";
  }
  return "";
}

TEST(StatementHelp, KnowsEachType) {
  for (int kind = 0; kind <= static_cast<int>(TypeKind::kStruct); ++kind) {
    const std::string name = TypeOf(static_cast<TypeKind>(kind));
    if (name.empty()) continue;
    const auto found = FindHelp(name);
    EXPECT_TRUE(std::ranges::any_of(found, [](const StatementHelp* entry) {
      return entry->kind == HelpKind::kType;
    })) << name;
    EXPECT_TRUE(PageNames("| `" + name)) << name;
  }
}

TEST(SqlPage, NamesEachClauseAndRunsItsExamples) {
  for (const StatementHelp& entry : HelpTexts(HelpKind::kClause)) {
    if (entry.name == "SYSTEM COLUMNS" || entry.name == "LAMBDA" || entry.name == "ARROW") continue;
    EXPECT_TRUE(PageNames(std::string(entry.name))) << entry.name;
  }
  for (const char* column : {"ROWTIME", "ROWPARTITION", "ROWOFFSET", "WINDOWSTART", "WINDOWEND"}) {
    EXPECT_TRUE(PageNames("`" + std::string(column) + "`")) << column;
  }
  // What is marked as SQL is a test.
  std::istringstream page(SqlPage());
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("```sql")) continue;
    EXPECT_EQ(line, "```sql test");
  }
}

}  // namespace
}  // namespace weir::shell
