// docs/functions.md is made from the tables of functions. Run with WEIR_UPDATE_DOCS=1 to rewrite
// it.

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "planner/catalog/function_catalog.h"

namespace weir {
namespace {

std::string Code(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "`" : "<br>`") + text + "`";
  // A bar would end the table's cell.
  for (size_t at = out.find('|'); at != std::string::npos; at = out.find('|', at + 2)) {
    out.insert(at, "\\");
  }
  return out;
}

std::string Reference() {
  std::map<std::string, std::vector<FunctionDescription>> sections;
  for (const std::string& name : BuiltinFunctions().Names()) {
    FunctionDescription function = *BuiltinFunctions().Describe(name);
    const std::string section = function.kind == "AGGREGATE" ? "Aggregates"
                                : function.kind == "TABLE"   ? "Table functions"
                                                             : function.category;
    sections[section].push_back(std::move(function));
  }
  std::string out =
      "# Functions\n\nMade from the tables in `exec/functions/`; `SHOW FUNCTIONS` and `DESCRIBE "
      "FUNCTION name` show the same.\nIn signatures a single capital letter stands for any type, "
      "`…...` for any number of arguments,\nand what stands behind `;` must be a constant.\n";
  for (const auto& [section, functions] : sections) {
    out += fmt::format(
        "\n## {}\n\n| Function | Signatures | Meaning | Example |\n|---|---|---|---|\n", section);
    for (const FunctionDescription& function : functions) {
      const std::vector<std::string> first(function.examples.begin(),
                                           function.examples.begin() + !function.examples.empty());
      out += fmt::format("| `{}` | {} | {} | {} |\n", function.name, Code(function.signatures),
                         function.text, Code(first));
    }
  }
  return out;
}

TEST(FunctionReference, MatchesTheTables) {
  const std::string reference = Reference();
  if (std::getenv("WEIR_UPDATE_DOCS") != nullptr) std::ofstream(WEIR_FUNCTIONS_MD) << reference;
  std::ifstream file(WEIR_FUNCTIONS_MD);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_TRUE(text.str() == reference)
      << "docs/functions.md is out of date: run this test with WEIR_UPDATE_DOCS=1";
}

}  // namespace
}  // namespace weir
