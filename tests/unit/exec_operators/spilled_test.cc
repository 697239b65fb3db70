// Aggregates whose groups leave memory give what those give that keep them: the same changes in the
// same order for each key, the same old rows and times, however often all is let go or restarted.

#include <algorithm>
#include <cstring>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "tests/support/operator_harness.h"

namespace weir {
namespace {

using physical::ChangeMode;
using physical::WindowKind;
using test::Aggregate;
using test::Harness;
using test::InputNode;
using test::SchemaFromText;

physical::AggregateCall WithConstant(std::string_view name, DataType type, int column,
                                     int32_t constant) {
  physical::AggregateCall call = Aggregate(name, {type, DataType::Int()}, {column});
  call.constants = {Value(constant)};
  return call;
}

std::vector<physical::AggregateCall> EveryKindOfState() {
  const DataType text = DataType::String();
  return {Aggregate("COUNT", {}, {}),
          Aggregate("SUM", {DataType::Bigint()}, {1}),
          Aggregate("AVG", {DataType::Bigint()}, {1}),
          Aggregate("MIN", {text}, {2}),
          Aggregate("MAX", {text}, {2}),
          Aggregate("COUNT_DISTINCT", {text}, {2}),
          Aggregate("COLLECT_LIST", {text}, {2}),
          Aggregate("COLLECT_SET", {DataType::Bigint()}, {1}),
          Aggregate("HISTOGRAM", {text}, {2}),
          Aggregate("STDDEV_SAMP", {DataType::Bigint()}, {1}),
          Aggregate("EARLIEST_BY_OFFSET", {text}, {2}),
          Aggregate("LATEST_BY_OFFSET", {text}, {2}),
          WithConstant("LATEST_BY_OFFSET", text, 2, 2),
          WithConstant("TOPK", DataType::Bigint(), 1, 3),
          WithConstant("TOPKDISTINCT", text, 2, 2)};
}

std::vector<physical::AggregateCall> ThoseThat(bool (*can)(const AggregateOverload&)) {
  std::vector<physical::AggregateCall> calls = EveryKindOfState();
  std::erase_if(calls, [&](const physical::AggregateCall& call) { return !can(*call.function); });
  return calls;
}

physical::StreamAggregate Grouped(const std::string& key, WindowKind kind, int64_t size = 0,
                                  int64_t advance = 0, int64_t grace = 0) {
  physical::StreamAggregate node;
  node.inputs = {InputNode("K " + key + " KEY, V BIGINT, T STRING")};
  node.schema = SchemaFromText("K " + key + " KEY");
  node.mode = ChangeMode::kUpsert;
  node.key_columns = 1;
  node.calls = EveryKindOfState();
  node.window = {kind, size, advance, grace, size + grace};
  node.windowed_key = kind;
  return node;
}

struct RandomRows {
  std::mt19937& random;
  int keys;
  int64_t step;
  int64_t disorder;
  int64_t time = 0;

  int64_t NextTime() {
    time += static_cast<int64_t>(random() % static_cast<uint64_t>(step + 1));
    return std::max<int64_t>(
        0, time - static_cast<int64_t>(random() % static_cast<uint64_t>(disorder + 1)));
  }
  std::string Values() {
    const std::string text = random() % 9 == 0 ? "null" : "t" + std::to_string(random() % 12);
    return ", " + std::to_string(random() % 50) + ", " + text + "\n";
  }
  std::string Key() { return std::to_string(random() % static_cast<uint64_t>(keys)); }
  std::string Take(int rows) {
    std::string lines;
    for (int row = 0; row < rows; ++row) {
      lines += std::to_string(NextTime()) + " | " + Key() + Values();
    }
    return lines;
  }
};

// The lines of each key, in their order.
std::map<std::string, std::vector<std::string>> ByKey(const std::vector<std::string>& lines) {
  std::map<std::string, std::vector<std::string>> keys;
  for (const std::string& line : lines) {
    const size_t bar = line.find('|');
    keys[line.substr(bar, line.find(',', bar) - bar)].push_back(line);
  }
  return keys;
}

// Feeds the same rows to an operator that keeps all and to one that lets go of some or all of it.
class Pair {
 public:
  Pair(const physical::Node& node, bool every, std::mt19937& random)
      : keeps_(node), spills_(node), random_(random) {
    keeps_.context().every_change = spills_.context().every_change = every;
    for (auto* context : {&keeps_.context(), &spills_.context()}) {
      context->settings["collect_list.limit"] = context->settings["collect_set.limit"] = 1000;
    }
  }

  void Push(const std::string& rows) {
    const auto cut = static_cast<int32_t>(1 + random_() % 40);
    const bool meanwhile = random_() % 2 == 0;  // The rows come while a commit is under way.
    if (meanwhile) {
      ChooseShare();
      keeps_.BeginCommit();
      spills_.BeginCommit();
    }
    keeps_.Push(0, rows, cut);
    spills_.Push(0, rows, cut);
    if (meanwhile) {
      keeps_.EndCommit();
      spills_.EndCommit();
    }
    if (random_() % 3 != 0) CommitBoth();
    EXPECT_EQ(keeps_.op().open_windows(), spills_.op().open_windows());
  }

  void ChooseShare() {
    // All leaves, most does, some does, nothing does.
    const int64_t shares[] = {0, 0, 300, 6000, 20000, INT64_MAX};
    spills_.context().memory_share = shares[random_() % std::size(shares)];
  }

  void CommitBoth() {
    ChooseShare();
    if (random_() % 4 != 0) {
      keeps_.Barrier();
      spills_.Barrier();
    } else {
      keeps_.Restart();
      spills_.Restart();
    }
    Compare();
  }

  void CloseWindows() {
    ASSERT_TRUE(keeps_.op().CloseWindows().ok());
    ASSERT_TRUE(spills_.op().CloseWindows().ok());
    Compare();
  }

  void Compare() {
    const std::vector<std::string> wanted = keeps_.Take();
    rows_ += wanted.size();
    auto spilled = ByKey(spills_.Take()), kept = ByKey(wanted);
    if (any_order_) {
      for (auto* keys : {&spilled, &kept}) {
        for (auto& [key, lines] : *keys) std::sort(lines.begin(), lines.end());
      }
    }
    EXPECT_EQ(spilled, kept);
    EXPECT_EQ(spills_.context().dropped, keeps_.context().dropped);
  }

  size_t rows() const { return rows_; }
  /// Of sessions with equal bounds either may come first.
  void AllowAnyOrder() { any_order_ = true; }

 private:
  Harness keeps_, spills_;
  std::mt19937& random_;
  size_t rows_ = 0;
  bool any_order_ = false;
};

void CheckStream(const physical::StreamAggregate& node, uint32_t seed, int keys = 60) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (bool every : {true, false}) {
    Pair pair(node, every, random);
    if (node.emit_final && node.window.kind == WindowKind::kSession) pair.AllowAnyOrder();
    RandomRows rows{random, keys, 3, 60};
    for (int part = 0; part < 25 && !testing::Test::HasFailure(); ++part) {
      pair.Push(rows.Take(1 + static_cast<int>(random() % 80)));
    }
    pair.CloseWindows();
    pair.CommitBoth();
    EXPECT_GT(pair.rows(), 20u);
  }
}

void CheckEachMode(physical::StreamAggregate node, uint32_t seed) {
  for (ChangeMode mode : {ChangeMode::kUpsert, ChangeMode::kRetract}) {
    node.mode = mode;
    CheckStream(node, seed++);
  }
}

TEST(SpilledGroups, WithoutWindows) {
  CheckEachMode(Grouped("INT", WindowKind::kNone), 1);
  CheckEachMode(Grouped("STRING", WindowKind::kNone), 11);
}

TEST(SpilledGroups, TumblingWindows) {
  CheckEachMode(Grouped("INT", WindowKind::kTumbling, 100, 100, 30), 2);
  CheckEachMode(Grouped("STRING", WindowKind::kTumbling, 100, 100, 0), 12);
}

TEST(SpilledGroups, HoppingWindows) {
  CheckEachMode(Grouped("INT", WindowKind::kHopping, 120, 40, 30), 3);
}

TEST(SpilledGroups, EmitFinal) {
  for (const char* key : {"INT", "STRING", "DOUBLE"}) {
    auto node = Grouped(key, WindowKind::kTumbling, 400, 400, 50);
    node.emit_final = true;
    CheckStream(node, 4);
    node = Grouped(key, WindowKind::kHopping, 200, 100, 0);
    node.emit_final = true;
    CheckStream(node, 5);
  }
}

// More groups in one window than are read at once: they come in the order of their keys all the
// same, those that changed since the last commit among them.
TEST(SpilledGroups, AWindowLargerThanMemoryClosesInOrder) {
  for (const char* key : {"INT", "STRING"}) {
    auto node = Grouped(key, WindowKind::kTumbling, 1000000, 1000000, 0);
    node.emit_final = true;
    node.calls = {Aggregate("COUNT", {}, {}), Aggregate("MAX", {DataType::String()}, {2})};
    std::mt19937 random(6);
    Harness keeps(node), spills(node);
    spills.context().memory_share = 0;
    RandomRows rows{random, 20000, 1, 0};
    for (int part = 0; part < 6; ++part) {
      const std::string text = rows.Take(5000);
      keeps.Push(0, text);
      spills.Push(0, text);
      if (part == 5) break;
      keeps.Barrier();
      spills.Barrier();
    }
    EXPECT_EQ(keeps.op().open_windows(), spills.op().open_windows());
    keeps.Push(0, "5000000 | 1, 1, a");
    spills.Push(0, "5000000 | 1, 1, a");
    const std::vector<std::string> wanted = keeps.Take();
    EXPECT_GT(wanted.size(), 10000u);
    EXPECT_EQ(spills.Take(), wanted);
    EXPECT_EQ(spills.op().open_windows(), 1);
  }
}

TEST(SpilledGroups, OfATable) {
  physical::TableAggregate node;
  node.inputs = {InputNode("K STRING KEY, V BIGINT, T STRING", ChangeMode::kRetract)};
  node.schema = SchemaFromText("K STRING KEY");
  node.key_columns = 1;
  node.calls = ThoseThat([](const AggregateOverload& overload) { return overload.can_undo; });
  EXPECT_GT(node.calls.size(), 3u);
  std::mt19937 random(7);
  for (ChangeMode mode : {ChangeMode::kUpsert, ChangeMode::kRetract}) {
    node.mode = mode;
    for (bool every : {true, false}) {
      Pair pair(node, every, random);
      RandomRows rows{random, 40, 3, 10};
      std::map<int, std::string> table;  // What each row of the table holds now.
      for (int part = 0; part < 40 && !HasFailure(); ++part) {
        std::string text;
        for (size_t row = 0; row < 1 + random() % 60; ++row) {
          std::string& held = table[static_cast<int>(random() % 100)];
          const std::string at = " " + std::to_string(rows.NextTime()) + " | ";
          const std::string fresh = rows.Key() + rows.Values();
          if (held.empty()) {
            text += "+" + at + fresh;
            held = fresh;
          } else if (random() % 4 == 0) {
            text += "-" + at + held;
            held.clear();
          } else {
            text += "b" + at + held + "u" + at + fresh;
            held = fresh;
          }
        }
        pair.Push(text);
      }
      pair.CommitBoth();
      EXPECT_GT(pair.rows(), 100u);
    }
  }
}

physical::StreamAggregate Sessions(const std::string& key, int64_t gap, int64_t grace) {
  physical::StreamAggregate node = Grouped(key, WindowKind::kSession, gap, 0, grace);
  node.calls = ThoseThat([](const AggregateOverload& overload) { return overload.can_merge; });
  return node;
}

TEST(SpilledSessions, ComeBackAndMerge) {
  EXPECT_GT(Sessions("INT", 1, 1).calls.size(), 5u);
  for (const char* key : {"INT", "STRING"}) {
    CheckEachMode(Sessions(key, 20, 100), 21);
    CheckEachMode(Sessions(key, 60, 0), 31);
    CheckEachMode(Sessions(key, 5, 3000), 41);
  }
}

TEST(SpilledSessions, EmitFinal) {
  for (const char* key : {"INT", "STRING"}) {
    for (int64_t gap : {7, 40, 300}) {
      auto node = Sessions(key, gap, gap / 2);
      node.emit_final = true;
      CheckStream(node, static_cast<uint32_t>(50 + gap));
    }
  }
}

// Versions before wrote each session by itself: end, start, key.
TEST(SpilledSessions, OpenWhatWasWrittenBefore) {
  const auto node = Sessions("INT", 20, 1000);
  for (int64_t share : {int64_t{0}, INT64_MAX}) {
    std::mt19937 random(14);
    RandomRows rows{random, 30, 3, 60};
    Harness now(node), before(node);
    now.Push(0, rows.Take(300));
    now.Barrier();
    now.Take();
    before.context().stores_ = now.context().stores_;
    test::MemoryStore& store = before.context().stores_["aggregate-0"];
    const std::map<std::string, std::string> pages = store.entries();
    store.DeleteRange("", "");
    for (const auto& [page, sessions] : pages) {
      std::string_view bytes = sessions;
      while (!bytes.empty()) {
        constexpr size_t kKeyBytes = 8 + 8 + 1 + 4;
        uint32_t length = 0;
        std::memcpy(&length, bytes.data() + kKeyBytes, sizeof(length));
        store.Put(bytes.substr(0, kKeyBytes), bytes.substr(kKeyBytes + sizeof(length), length));
        bytes.remove_prefix(kKeyBytes + sizeof(length) + length);
      }
    }
    before.context().memory_share = share;
    before.Restart();
    for (int part = 0; part < 4; ++part) {
      const std::string text = rows.Take(100);
      now.Push(0, text);
      before.Push(0, text);
      EXPECT_EQ(ByKey(before.Take()), ByKey(now.Take()));
      before.Restart();
    }
  }
}

// Memory really goes back: what is accounted for, and what lies in the store.
TEST(SpilledGroups, LeaveMemory) {
  const auto node = Grouped("STRING", WindowKind::kNone);
  std::mt19937 random(8);
  Harness run(node);
  RandomRows rows{random, 100000, 1, 0};
  run.Push(0, rows.Take(20000));
  run.Barrier();
  const int64_t full = run.context().memory;
  run.context().memory_share = 0;
  run.Barrier();
  EXPECT_LT(run.context().memory, full / 50);
  run.context().memory_share = INT64_MAX;
  run.Restart();
  EXPECT_LT(run.context().memory, full / 50) << "opening reads what was in memory";
}

TEST(SpilledSessions, LeaveMemory) {
  auto node = Sessions("STRING", 10, 1000000);
  node.emit_final = true;
  std::mt19937 random(15);
  Harness run(node);
  RandomRows rows{random, 5000, 1, 0};
  run.Push(0, rows.Take(20000));
  run.Barrier();
  const int64_t full = run.context().memory;
  const int64_t open = run.op().open_windows();
  EXPECT_GT(open, 10000);
  run.context().memory_share = full / 2;
  run.Barrier();
  EXPECT_LE(run.context().memory, full / 2 + full / 8) << "as asked for, without much more";
  EXPECT_GT(run.context().memory, full / 4);
  run.context().memory_share = 0;
  run.Barrier();
  EXPECT_LT(run.context().memory, full / 50);
  EXPECT_EQ(run.op().open_windows(), open);
  run.Restart();
  EXPECT_LT(run.context().memory, full / 50) << "opening reads what was in memory";
  EXPECT_EQ(run.op().open_windows(), open);
}

// What a version wrote that kept all groups in memory, pages of neighbours, is read as it is.
TEST(SpilledGroups, OpenWhatWasWrittenBefore) {
  const auto node = Grouped("STRING", WindowKind::kNone);
  std::mt19937 random(9);
  RandomRows rows{random, 400, 1, 0};
  Harness keeps(node), spills(node);
  keeps.Push(0, rows.Take(1500));
  keeps.Barrier();
  EXPECT_EQ(keeps.context().stores_.size(), 2u);
  for (const auto& [name, store] : keeps.context().stores_) {
    for (const auto& [key, value] : store.entries()) EXPECT_EQ(key.size(), 8u) << name;
  }
  keeps.Take();
  spills.context().stores_ = keeps.context().stores_;
  spills.context().memory_share = 0;
  spills.Restart();
  for (int part = 0; part < 4; ++part) {
    const std::string text = rows.Take(200);
    keeps.Push(0, text);
    spills.Push(0, text);
    EXPECT_EQ(spills.Take(), keeps.Take());
    spills.Restart();
  }
}

}  // namespace
}  // namespace weir
