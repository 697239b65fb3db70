#include "exec/engine/catalog_store.h"

#include <gtest/gtest.h>

#include <map>

namespace weir {
namespace {

class MapState : public StateReader {
 public:
  Result<std::optional<std::string>> Get(std::string_view key) const override {
    auto found = entries.find(std::string(key));
    if (found == entries.end()) return std::optional<std::string>();
    return std::optional<std::string>(found->second);
  }
  Status MultiGet(const std::vector<std::string>& keys,
                  std::vector<std::optional<std::string>>& values) const override {
    values.clear();
    for (const std::string& key : keys) values.push_back(*Get(key));
    return OkStatus();
  }
  Status Scan(std::string_view from, std::string_view to,
              const std::function<bool(std::string_view, std::string_view)>& visit) const override {
    for (auto it = entries.lower_bound(std::string(from)); it != entries.end(); ++it) {
      if (!to.empty() && it->first >= to) break;
      if (!visit(it->first, it->second)) break;
    }
    return OkStatus();
  }
  std::map<std::string, std::string> entries;
};

StoredStatement Sample(int64_t number) {
  StoredStatement statement;
  statement.number = number;
  statement.kind = "query";
  statement.name = "CSAS_\xC3\x9C:1";
  statement.sql = std::string("CREATE STREAM x AS SELECT ';', '3:abc' FROM s\n;\0", 48);
  statement.written = "CREATE STREAM x WITH (CONNECTOR='file')";
  statement.known_columns = {{"S", {"A", "", "2:B"}}, {"T", {}}};
  statement.settings = {{"auto.offset.reset", "latest"}, {"empty", ""}};
  statement.paused = number % 2 == 0;
  return statement;
}

TEST(CatalogStore, ComesBackInOrderOfCreation) {
  MapState state;
  for (int64_t number : {11, 2, 9, 100}) {
    state.entries[StatementKey(number)] = EncodeStatement(Sample(number));
  }
  state.entries["catalog0"] = "behind the catalog";
  state.entries["cat"] = "before it";
  auto loaded = LoadStatements(state);
  ASSERT_TRUE(loaded.ok()) << loaded.status().ToString();
  ASSERT_EQ(loaded->size(), 4u);
  const int64_t order[] = {2, 9, 11, 100};
  for (size_t i = 0; i < 4; ++i) {
    const StoredStatement& one = (*loaded)[i];
    const StoredStatement wanted = Sample(order[i]);
    EXPECT_EQ(one.number, wanted.number);
    EXPECT_EQ(one.kind, wanted.kind);
    EXPECT_EQ(one.name, wanted.name);
    EXPECT_EQ(one.sql, wanted.sql);
    EXPECT_EQ(one.written, wanted.written);
    EXPECT_EQ(one.known_columns, wanted.known_columns);
    EXPECT_EQ(one.settings, wanted.settings);
    EXPECT_EQ(one.paused, wanted.paused);
  }
}

TEST(CatalogStore, TheFirstFormatIsRead) {
  MapState state;
  state.entries[StatementKey(3)] = "\1P5:query6:CSAS_A21:CREATE STREAM A AS SE1:a1:b";
  auto loaded = LoadStatements(state);
  ASSERT_TRUE(loaded.ok()) << loaded.status().ToString();
  const StoredStatement& one = loaded->at(0);
  EXPECT_EQ(one.name, "CSAS_A");
  EXPECT_EQ(one.sql, "CREATE STREAM A AS SE");
  EXPECT_TRUE(one.known_columns.empty());
  EXPECT_EQ(one.settings.at("a"), "b");
  EXPECT_TRUE(one.paused);
}

TEST(CatalogStore, ANewerFormatIsNamed) {
  MapState state;
  std::string bytes = EncodeStatement(Sample(1));
  ++bytes[0];
  state.entries[StatementKey(1)] = bytes;
  const Status status = LoadStatements(state).status();
  EXPECT_EQ(status.code(), ErrorCode::kStoreVersion);
  EXPECT_NE(status.message().find('3'), std::string::npos) << status.message();
  bytes[0] = static_cast<char>(0xC8);  // A high version is newer too, not negative.
  state.entries[StatementKey(1)] = bytes;
  EXPECT_EQ(LoadStatements(state).status().code(), ErrorCode::kStoreVersion);
}

TEST(CatalogStore, EveryCutIsCorruptOrShorter) {
  const std::string whole = EncodeStatement(Sample(1));
  int corrupt = 0;
  for (size_t length = 0; length < whole.size(); ++length) {
    MapState state;
    state.entries[StatementKey(1)] = whole.substr(0, length);
    auto loaded = LoadStatements(state);
    if (loaded.ok()) {
      EXPECT_LT((*loaded)[0].settings.size(), 2u) << length;
      continue;
    }
    EXPECT_EQ(loaded.status().code(), ErrorCode::kStoreCorrupt) << length;
    ++corrupt;
  }
  EXPECT_GE(corrupt, static_cast<int>(whole.size()) - 2);
}

TEST(CatalogStore, LengthsThatLieAreCorrupt) {
  for (const char* tail : {"x:", "-1:", "99999999999999999999:a", "18446744073709551615:a", ":",
                           "5", "4:kind4:name"}) {
    MapState state;
    state.entries[StatementKey(1)] = std::string("\1R") + tail;
    EXPECT_EQ(LoadStatements(state).status().code(), ErrorCode::kStoreCorrupt) << tail;
  }
}

}  // namespace
}  // namespace weir
