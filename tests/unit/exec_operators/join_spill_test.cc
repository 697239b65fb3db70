// Joins of streams whose rows do not stay in memory: what leaves it is read back, and nothing that
// comes out depends on it.

#include <algorithm>
#include <map>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "exec/state/chunk_codec.h"
#include "exec/state/join_buffer/cold_blocks.h"
#include "exec/state/join_buffer/join_buffer_keys.h"
#include "planner/physical/stores.h"
#include "tests/support/operator_harness.h"

namespace weir {
namespace {

using physical::JoinKind;
using test::Harness;
using test::InputNode;
using test::SchemaFromText;

struct SpillCase {
  std::string name;
  JoinKind kind;
  bool has_grace;
  bool text_keys = false;
  bool as_kafka = false;
};

physical::StreamStreamJoin SpillJoin(const SpillCase& spill, int64_t before, int64_t after,
                                     int64_t grace) {
  physical::StreamStreamJoin node;
  const std::string key = spill.text_keys ? "K STRING KEY" : "K INT KEY";
  node.inputs = {InputNode(key + ", L STRING"), InputNode(key + ", R STRING")};
  node.schema =
      SchemaFromText(spill.text_keys ? "K STRING KEY, L_K STRING, L STRING, R_K STRING, R STRING"
                                     : "K INT KEY, L_K INT, L STRING, R_K INT, R STRING");
  node.join = spill.kind;
  node.before_ms = before;
  node.after_ms = after;
  node.grace_ms = grace;
  node.has_grace = spill.has_grace;
  node.left_columns = {0, 1};
  node.right_columns = {0, 1};
  DeclareStores(node);
  return node;
}

// Rows one after another in time, some late, some without a key.
class SpillRows {
 public:
  SpillRows(uint32_t seed, int keys, bool text_keys, size_t value_bytes)
      : random_(seed), keys_(keys), text_keys_(text_keys), value_(value_bytes, 'v') {}

  Chunk Next(int rows, int64_t late_max) {
    ColumnBuilder keys(text_keys_ ? DataType::String() : DataType::Int());
    ColumnBuilder values(DataType::String());
    std::vector<int64_t> times;
    for (int row = 0; row < rows; ++row) {
      time_ += static_cast<int64_t>(random_() % 3);
      const bool late = random_() % 7 == 0;
      times.push_back(
          std::max<int64_t>(0, late ? time_ - static_cast<int64_t>(random_() % late_max) : time_));
      const auto key = static_cast<int>(random_() % keys_);
      if (random_() % 97 == 0) {
        keys.AppendNull();
      } else if (text_keys_) {
        keys.AppendBytes("key of some length " + std::to_string(key));
      } else {
        keys.AppendInt32(key);
      }
      values.AppendBytes(std::to_string(++count_) + value_);
    }
    Chunk chunk;
    chunk.rows = rows;
    chunk.columns = {keys.Finish(), values.Finish()};
    chunk.sys(SystemColumn::kRowTime) = MakeInt64Column(DataType::Bigint(), times);
    return chunk;
  }
  void Jump(int64_t by) { time_ += by; }

 private:
  std::mt19937 random_;
  const int keys_;
  const bool text_keys_;
  const std::string value_;
  int64_t time_ = 0;
  int64_t count_ = 0;
};

size_t EntriesWith(Harness& run, char letter) {
  size_t count = 0;
  for (const auto& [name, store] : run.context().stores_) {
    for (const auto& entry : store.entries()) count += entry.first.front() == letter;
  }
  return count;
}

class JoinSpill : public ::testing::TestWithParam<SpillCase> {};

TEST_P(JoinSpill, GivesWhatAJoinInMemoryGives) {
  const SpillCase& spill = GetParam();
  const auto node = SpillJoin(spill, 4000, 6000, 5000);
  uint32_t seed = std::random_device()();
  for (const bool again : {false, true}) {
    // What Kafka Streams looked at last is not in its store, nor in ours, so there are no restarts.
    // With this seed rows that wait once went with their blocks.
    const bool restarts = again && !spill.as_kafka;
    if (again && spill.as_kafka) seed = 3390674831u;
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    SpillRows rows[] = {{seed, 3000, spill.text_keys, 3}, {seed + 1, 3000, spill.text_keys, 3}};
    Harness in_memory(node), spilled(node);
    for (Harness* run : {&in_memory, &spilled}) {
      if (spill.as_kafka) run->context().settings["sql.extensions"] = 0;
    }
    if (spill.as_kafka) {
      in_memory.Restart();
      spilled.Restart();
    }
    size_t headers = 0;
    int64_t largest = 0;
    for (int round = 0; round < 100; ++round) {
      const auto side = static_cast<int>(random() % 2);
      const Chunk chunk = rows[side].Next(100 + static_cast<int>(random() % 700), 20000);
      const int32_t cut = random() % 3 == 0 ? 97 : 4096;
      in_memory.Push(side, chunk, cut);
      spilled.Push(side, chunk, cut);
      if (round == 60) {
        for (SpillRows& each : rows) each.Jump(3000);
      }
      // Now all leaves memory, now only some.
      spilled.context().memory_share = random() % 4 == 0 ? 300'000 : 1;
      if (random() % 3 == 0) {
        spilled.Barrier();
        headers = std::max(headers, EntriesWith(spilled, 'h'));
        largest = std::max(largest, spilled.context().memory);
      }
      if (restarts && random() % 12 == 0) spilled.Restart();
      if (random() % 20 == 0) in_memory.Barrier();
      ASSERT_EQ(spilled.Take(), in_memory.Take()) << round << " restarts " << restarts;
    }
    EXPECT_GT(headers, 4u);
    in_memory.Barrier();
    if (!restarts) {
      EXPECT_LT(largest, in_memory.context().memory);
    }
    // All that waits comes out, and all blocks go.
    for (int side : {0, 1}) {
      rows[side].Jump(1'000'000);
      const Chunk last = rows[side].Next(1, 1);
      in_memory.Push(side, last);
      spilled.Push(side, last);
    }
    ASSERT_EQ(spilled.Take(), in_memory.Take());
    spilled.Barrier();
    spilled.Barrier();
    EXPECT_LE(EntriesWith(spilled, 'h'), 2u) << "of the last blocks only";
    EXPECT_LT(EntriesWith(spilled, 'r'), 100u);
    if (!spill.as_kafka) {
      EXPECT_LE(EntriesWith(spilled, 'w'), 2u);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, JoinSpill,
                         ::testing::Values(SpillCase{"Inner", JoinKind::kInner, true},
                                           SpillCase{"InnerOfTexts", JoinKind::kInner, true, true},
                                           SpillCase{"LeftAtOnce", JoinKind::kLeft, false},
                                           SpillCase{"Left", JoinKind::kLeft, true},
                                           SpillCase{"Right", JoinKind::kRight, true, true},
                                           SpillCase{"Full", JoinKind::kFull, true},
                                           SpillCase{"FullAsKafka", JoinKind::kFull, true, false,
                                                     true}),
                         [](const auto& info) { return info.param.name; });

// So many bytes match that they are read back a few rows at a time.
TEST(JoinSpillSizes, WideRowsOfFewKeys) {
  const SpillCase spill{"", JoinKind::kFull, true};
  const auto node = SpillJoin(spill, 100'000, 100'000, 1000);
  SpillRows rows[] = {{5, 4, false, 3000}, {6, 4, false, 100}};
  Harness in_memory(node), spilled(node);
  spilled.context().memory_share = 1;
  for (int round = 0; round < 12; ++round) {
    const Chunk chunk = rows[0].Next(500, 1000);
    in_memory.Push(0, chunk);
    spilled.Push(0, chunk);
    spilled.Barrier();
  }
  EXPECT_GT(EntriesWith(spilled, 'h'), 2u) << "blocks of many bytes take fewer rows";
  for (int round = 0; round < 3; ++round) {
    const Chunk chunk = rows[1].Next(9, 1000);
    in_memory.Push(1, chunk);
    spilled.Push(1, chunk);
    ASSERT_EQ(spilled.Take(), in_memory.Take());
    if (round == 1) spilled.Restart();
  }
}

// A commit's batch is bounded, too: rows that wait are small ones with large entries.
TEST(JoinSpillSizes, AsksForACommitWhenMuchIsToBeWritten) {
  const SpillCase spill{"", JoinKind::kLeft, true};
  const auto node = SpillJoin(spill, 100'000, 100'000, 1000);
  Harness run(node);
  run.context().settings["commit.bytes.max"] = 50'000;
  run.Restart();
  SpillRows rows(8, 1'000'000, false, 3);
  run.Push(0, rows.Next(100, 10));
  EXPECT_FALSE(run.context().commit_asked);
  run.Push(0, rows.Next(300, 10));
  EXPECT_TRUE(run.context().commit_asked);
  run.Barrier();
  run.context().commit_asked = false;
  run.Push(0, rows.Next(100, 10));
  EXPECT_FALSE(run.context().commit_asked);
}

// As versions before wrote it: an entry a commit, of up to a block's rows, and no headers.
TEST(JoinSpillSizes, OpensTheStoresOfBefore) {
  const SpillCase spill{"", JoinKind::kInner, true};
  const auto node = SpillJoin(spill, 100'000, 100'000, 1000);
  Harness run(node);
  StateStore& store = run.context().Store("join-0-0");
  int64_t ordinal = 0;
  for (const int32_t count : {4096, 100, 3996, 7}) {
    std::vector<int64_t> times(count);
    std::iota(times.begin(), times.end(), ordinal);
    ColumnBuilder keys(DataType::Int()), values(DataType::String());
    for (int64_t time : times) {
      keys.AppendInt32(static_cast<int32_t>(time % 1000));
      values.AppendBytes("v" + std::to_string(time));
    }
    const ColumnPtr columns[] = {keys.Finish(), values.Finish(),
                                 MakeInt64Column(DataType::Bigint(), times)};
    std::string value;
    AppendColumns(columns, value);
    store.Put(join_keys::Of('r', ordinal), value);
    ordinal += count;
  }
  run.context().memory_share = 1;
  run.Restart();
  run.Barrier();
  EXPECT_EQ(EntriesWith(run, 'h'), 2u);
  for (const bool again : {false, true}) {
    if (again) run.Restart();
    run.Push(1, again ? "8200 | 5, y" : "8200 | 3, x");
    std::vector<std::string> wanted;
    for (int64_t time = again ? 5 : 3; time < ordinal; time += 1000) {
      wanted.push_back(again ? "+ 8200 | 5, 5, v" + std::to_string(time) + ", 5, y"
                             : "+ 8200 | 3, 3, v" + std::to_string(time) + ", 3, x");
    }
    EXPECT_EQ(run.Take(), wanted);
  }
}

class DamagedJoinStore : public ::testing::Test {
 protected:
  DamagedJoinStore() : node_(SpillJoin({"", JoinKind::kInner, true}, 100'000, 100'000, 1000)) {
    run_ = std::make_unique<Harness>(node_);
    run_->context().memory_share = 1;
    SpillRows rows(3, 50, false, 3);
    for (int round = 0; round < 5; ++round) {
      run_->Push(0, rows.Next(1000, 10));
      run_->Barrier();
    }
    run_->Barrier();
  }
  test::MemoryStore& store() { return run_->context().stores_["join-0-0"]; }
  Status Probe() {
    Chunk probe = test::ChunkFromText(*node_.inputs[1]->schema, "4000 | 7, x");
    probe.source_partition = 0;
    probe.sys(SystemColumn::kStreamTime) = probe.row_time();
    Status status = run_->op().OnBatch(1, std::move(probe));
    return status.ok() ? run_->op().EmitPending() : status;
  }

  const physical::StreamStreamJoin node_;
  std::unique_ptr<Harness> run_;
};

TEST_F(DamagedJoinStore, AnEntryThatIsCutIsAnErrorThatNamesTheStore) {
  for (const auto& [key, value] : std::map(store().entries())) {
    if (key.front() == 'r') store().Put(key, value.substr(0, value.size() / 2));
  }
  const Status status = Probe();
  EXPECT_EQ(status.code(), ErrorCode::kStoreCorrupt) << status.ToString();
  EXPECT_NE(status.message().find("join-0-0"), std::string::npos) << status.ToString();
}

TEST_F(DamagedJoinStore, SoIsOneThatIsMissing) {
  store().DeleteRange("r", "s");
  const Status status = Probe();
  EXPECT_EQ(status.code(), ErrorCode::kStoreCorrupt) << status.ToString();
  EXPECT_NE(status.message().find("join-0-0"), std::string::npos) << status.ToString();
}

TEST_F(DamagedJoinStore, ADamagedHeaderIsFoundWhenTheQueryOpens) {
  for (const auto& [key, value] : std::map(store().entries())) {
    if (key.front() != 'h') continue;
    for (const size_t length : {size_t{0}, size_t{2}, value.size() / 2, value.size() - 1}) {
      store().Put(key, value.substr(0, length));
      auto made = MakeOperator(node_);
      ASSERT_TRUE(made.ok());
      EXPECT_EQ((*made)->Open(run_->context()).code(), ErrorCode::kStoreCorrupt) << length;
    }
    store().Put(key, value);
  }
}

TEST(KeyIndex, FindsTheRowsOfAHashAndReadsBackWhatItWrote) {
  std::mt19937_64 random(11);
  for (const size_t hashes : {size_t{3}, size_t{5000}}) {
    std::vector<uint64_t> known(hashes);
    for (uint64_t& hash : known) hash = random();
    std::multimap<uint64_t, uint32_t> expected;
    std::vector<uint64_t> packed;
    for (uint32_t row = 0; row < 4096; row += 1 + random() % 2) {
      const uint64_t hash = known[random() % hashes];
      expected.emplace(hash, row);
      packed.push_back(KeyIndex::Pack(hash, row));
    }
    const KeyIndex built(KeyIndex::kSmallBits, packed);
    std::string bytes;
    built.AppendTo(bytes);
    KeyIndex read(KeyIndex::kSmallBits, {});
    for (size_t length = 0; length < bytes.size(); length += 97) {
      EXPECT_FALSE(KeyIndex::Read(bytes.substr(0, length), KeyIndex::kSmallBits, read));
    }
    ASSERT_TRUE(KeyIndex::Read(bytes, KeyIndex::kSmallBits, read));
    std::vector<uint64_t> unpacked;
    read.Unpack(70'000, unpacked);
    const KeyIndex larger(20, unpacked);
    for (uint64_t hash : known) {
      std::vector<uint32_t> wanted, found, found_larger;
      for (auto [it, end] = expected.equal_range(hash); it != end; ++it) {
        if (it->second >= 100 && it->second <= 4000) wanted.push_back(it->second);
      }
      EXPECT_TRUE(read.Find(hash, 100, 4000, [&](uint32_t row) {
        found.push_back(row);
        return true;
      }));
      larger.Find(hash, 70'100, 74'000, [&](uint32_t row) {
        found_larger.push_back(row - 70'000);
        return true;
      });
      EXPECT_EQ(found, wanted);
      EXPECT_EQ(found_larger, wanted);
    }
    EXPECT_TRUE(read.Find(random(), 0, 4095, [](uint32_t) { return false; })) << "another hash";
  }
}

TEST(ColdBlocks, FindsRowsInIndexesOfManyBlocks) {
  ColdBlocks blocks;
  std::mt19937_64 random(12);
  std::map<uint64_t, std::vector<int64_t>> expected;
  constexpr int kBlocks = 600, kRows = 24;
  const int64_t begin = 5 * ColdBlocks::kBlockRows;
  for (int64_t block = 0; block < kBlocks; ++block) {
    std::vector<uint64_t> hashes;
    const int64_t ordinal = begin + block * ColdBlocks::kBlockRows;
    for (int64_t row = 0; row < kRows; ++row) {
      hashes.push_back((random() % 100) * 0x9e3779b97f4a7c15ULL);
      expected[hashes.back()].push_back(ordinal + row);
    }
    blocks.Add(ordinal, {{0, block * 10, block * 10 + 4}, {12, block * 10 + 5, block * 10 + 9}},
               hashes);
    if (block == 300) {
      for (int i = 0; i < 40; ++i) blocks.DropFirst();
    }
  }
  EXPECT_EQ(blocks.size(), 560u);
  EXPECT_EQ(blocks.EntryOf(blocks.first_ordinal() + 15), blocks.first_ordinal() + 12);
  for (const auto& [hash, ordinals] : expected) {
    // From the second half of block 100 on to the first one of block 500.
    const ColdProbe probe{hash, 1005, 5004};
    std::vector<int64_t> wanted, found;
    for (int64_t ordinal : ordinals) {
      const int64_t row = ordinal - begin;
      const int64_t half = row / ColdBlocks::kBlockRows * 2 + (row % ColdBlocks::kBlockRows >= 12);
      if (half >= 201 && half <= 1000) wanted.push_back(ordinal);
    }
    ASSERT_TRUE(blocks.Find({&probe, 1}, SIZE_MAX, found));
    EXPECT_EQ(found, wanted);
    EXPECT_FALSE(blocks.Find({&probe, 1}, 10, found));
  }
  while (!blocks.empty()) blocks.DropFirst();
  EXPECT_EQ(blocks.ByteSize(), 0u);
}

}  // namespace
}  // namespace weir
