#include "exec/runtime/task/restored_changes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "exec/runtime/query/standby_tasks.h"

namespace weir {
namespace {

using Texts = std::vector<std::string>;

Texts Sorted(RestoredChanges& changes) {
  Texts texts;
  for (const StateEntry& entry : changes.SortClosed()) {
    texts.push_back(std::string(entry.key) + "=" + std::string(entry.value.value_or("(none)")));
  }
  return texts;
}

TEST(RestoredChanges, GivesTheLastValueOfEachKeyInOrder) {
  RestoredChanges changes("p/");
  changes.Add("b", "1");
  changes.Add("a", "1");
  changes.Add("b", "2");
  changes.Add("c", "1");
  changes.Add("c", std::nullopt);
  changes.Add("", "empty");
  EXPECT_EQ(Sorted(changes), Texts());  // Nothing is closed.
  changes.Close();
  EXPECT_EQ(Sorted(changes), Texts({"p/=empty", "p/a=1", "p/b=2", "p/c=(none)"}));
}

TEST(RestoredChanges, KeepsWhatIsOpenWhenTheRestIsForgotten) {
  RestoredChanges changes("p/");
  changes.Add("a", "1");
  changes.Close();
  changes.Add("b", "1");
  changes.Add("a", "2");
  EXPECT_EQ(Sorted(changes), Texts({"p/a=1"}));
  changes.ForgetClosed();
  EXPECT_FALSE(changes.has_closed());
  EXPECT_EQ(changes.closed_bytes(), 0u);
  EXPECT_GT(changes.open_bytes(), 0u);
  changes.Close();
  EXPECT_EQ(Sorted(changes), Texts({"p/a=2", "p/b=1"}));
  changes.Add("z", "1");
  Texts dropped;
  changes.DropOpen([&](std::string_view key) { dropped.emplace_back(key); });
  EXPECT_EQ(dropped, Texts({"z"}));
  EXPECT_EQ(changes.open_bytes(), 0u);
  EXPECT_EQ(Sorted(changes), Texts({"p/a=2", "p/b=1"}));
  changes.ForgetClosed();
  EXPECT_EQ(Sorted(changes), Texts());
}

// Keys of several stores, of any length and bytes, against a map.
TEST(RestoredChanges, AgreesWithAMapOnRandomChanges) {
  std::mt19937 random(7);
  RestoredChanges changes("prefix/");
  std::map<std::string, std::string> expected;
  for (int i = 0; i < 20'000; ++i) {
    std::string key = random() % 2 == 0 ? "store-a/" : "store-b/with a longer name/";
    for (unsigned n = random() % 12; n > 0; --n) key += static_cast<char>(random() % 4 * 85);
    const bool gone = random() % 5 == 0;
    const std::string value = std::to_string(i);
    changes.Add(key, gone ? std::nullopt : std::optional<std::string_view>(value));
    expected["prefix/" + key] = gone ? "(none)" : value;
    if (random() % 100 == 0) changes.Close();
  }
  changes.Close();
  Texts texts;
  for (const auto& [key, value] : expected) texts.push_back(key + "=" + value);
  EXPECT_EQ(Sorted(changes), texts);
}

TEST(StandbyTasks, ChooseTheSameFollowersInAllCopies) {
  const std::vector<std::string> ids = {"a", "b", "c", "d"};
  std::map<std::string, int> followed;
  for (int32_t partition = 0; partition < 40; ++partition) {
    const std::string owner = ids[static_cast<size_t>(partition) % 4];
    for (int64_t replicas = 0; replicas <= 5; ++replicas) {
      int64_t followers = 0;
      for (const std::string& id : ids) {
        if (!FollowsTask(ids, id, owner, partition, replicas)) continue;
        EXPECT_NE(id, owner);
        ++followers;
        if (replicas == 1) ++followed[id];
      }
      EXPECT_EQ(followers, std::min<int64_t>(replicas, 3));
    }
    EXPECT_FALSE(FollowsTask(ids, "stranger", owner, partition, 1));
  }
  EXPECT_EQ(followed.size(), 4u);  // The work is spread.
}

}  // namespace
}  // namespace weir
