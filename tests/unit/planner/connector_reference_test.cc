// docs/connectors.md is made from the tables of connectors. Run with WEIR_UPDATE_DOCS=1 to rewrite
// it.

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "planner/properties/connector_properties.h"

namespace weir {
namespace {

std::string_view TypeText(PropertyType type) {
  switch (type) {
    case PropertyType::kText: return "text";
    case PropertyType::kInteger: return "number";
    case PropertyType::kBoolean: return "true or false";
  }
  return "";
}

std::string_view UseText(ConnectorUse use) {
  switch (use) {
    case ConnectorUse::kRead: return "read";
    case ConnectorUse::kWrite: return "write";
    case ConnectorUse::kBoth: return "read, write";
  }
  return "";
}

std::string Reference() {
  std::string out =
      "# Connectors\n\nMade from the tables in `planner/properties/connector_properties.cc`. "
      "`CREATE STREAM s (…) WITH (CONNECTOR='name', …)` reads,\n`CREATE STREAM s WITH "
      "(CONNECTOR='name', …) AS SELECT …` writes; other properties than these are refused.\n";
  for (const ConnectorRow& connector : Connectors()) {
    out += fmt::format(
        "\n## {}\n\n{}\n\n| Property | Takes | If left out | For | Meaning |\n"
        "|---|---|---|---|---|\n",
        connector.name, connector.text);
    for (const ConnectorProperty& property : connector.properties) {
      out += fmt::format("| `{}` | {} | {} | {} | {} |\n", property.name, TypeText(property.type),
                         property.otherwise, UseText(property.use), property.text);
    }
  }
  return out;
}

TEST(ConnectorReference, MatchesTheTables) {
  const std::string reference = Reference();
  if (std::getenv("WEIR_UPDATE_DOCS") != nullptr) std::ofstream(WEIR_CONNECTORS_MD) << reference;
  std::ifstream file(WEIR_CONNECTORS_MD);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_TRUE(text.str() == reference)
      << "docs/connectors.md is out of date: run this test with WEIR_UPDATE_DOCS=1";
}

}  // namespace
}  // namespace weir
