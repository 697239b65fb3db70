// Keys, rows and blocks of state.

#include <algorithm>
#include <map>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "exec/state/chunk_codec.h"
#include "exec/state/group_table.h"
#include "exec/state/join_buffer/join_buffer.h"
#include "exec/state/row_codec.h"
#include "exec/state/rows/row_table.h"
#include "tests/support/operator_harness.h"

namespace weir {
namespace {

using test::ChunkFromText;
using test::MemoryStore;
using test::SchemaFromText;

std::vector<DataType> Types(const Schema& schema) {
  std::vector<DataType> types;
  for (const ColumnSchema& column : schema.columns) types.push_back(column.type);
  return types;
}

ColumnPtr NestedColumn() {
  const DataType type = DataType::Array(DataType::Struct(
      {{"A", DataType::Int()}, {"M", DataType::Map(DataType::String(), DataType::Double())}}));
  ColumnBuilder builder(type);
  for (int row = 0; row < 5; ++row) {
    if (row == 2) {
      builder.AppendNull();
      continue;
    }
    for (int item = 0; item < row; ++item) {
      ColumnBuilder& item_builder = builder.child(0);
      item_builder.child(0).AppendInt32(item);
      item_builder.child(1).child(0).AppendBytes("k" + std::to_string(item));
      item_builder.child(1).child(1).AppendDouble(0.5 * item);
      item_builder.child(1).AppendNested();
      item_builder.AppendNested();
    }
    builder.AppendNested();
  }
  return builder.Finish();
}

TEST(RowCodec, ReadsBackWhatItWrote) {
  const ColumnPtr column = NestedColumn();
  ColumnBuilder out(column->type());
  for (int32_t row = 0; row < column->length(); ++row) {
    std::string bytes;
    AppendRowValue(*column, row, bytes);
    std::string_view view = bytes;
    ASSERT_TRUE(ReadRowValue(view, out));
    EXPECT_TRUE(view.empty());
  }
  const ColumnPtr read = out.Finish();
  for (int32_t row = 0; row < column->length(); ++row) {
    EXPECT_EQ(read->ToText(row), column->ToText(row));
  }
}

TEST(RowCodec, RefusesCutBytes) {
  const ColumnPtr column = NestedColumn();
  std::string bytes;
  AppendRowValue(*column, 4, bytes);
  for (size_t length = 0; length < bytes.size(); ++length) {
    ColumnBuilder out(column->type());
    std::string_view view = std::string_view(bytes).substr(0, length);
    EXPECT_FALSE(ReadRowValue(view, out)) << length;
  }
}

TEST(RowCodec, OrderedNumbersSort) {
  std::string previous;
  for (int64_t value : {INT64_MIN, int64_t{-5}, int64_t{0}, int64_t{7}, INT64_MAX}) {
    std::string bytes;
    AppendOrdered64(value, bytes);
    EXPECT_LT(previous, bytes);
    std::string_view view = bytes;
    int64_t read = 1;
    ASSERT_TRUE(ReadOrdered64(view, read));
    EXPECT_EQ(read, value);
    previous = bytes;
  }
}

TEST(ChunkCodec, ReadsBackWhatItWroteAndRefusesDamage) {
  const SchemaPtr schema = SchemaFromText("A INT, B STRING, C BOOLEAN, D DOUBLE");
  const Chunk chunk = ChunkFromText(*schema, R"(
    1 | 1, x, true, 0.5
    2 | null, null, null, null
    3 | 3, , false, 1)");
  std::vector<ColumnPtr> columns = chunk.columns;
  std::vector<ColumnPtr> nested = {
      GatherChunk({5, {NestedColumn()}}, std::vector{0, 1, 2}).columns};
  columns.push_back(nested[0]);
  std::vector<DataType> types = Types(*schema);
  types.push_back(nested[0]->type());
  std::string bytes;
  AppendColumns(columns, bytes);
  Result<std::vector<ColumnPtr>> read = ReadColumns(types, bytes);
  ASSERT_TRUE(read.ok());
  for (size_t i = 0; i < columns.size(); ++i) {
    for (int32_t row = 0; row < 3; ++row) {
      EXPECT_EQ((*read)[i]->ToText(row), columns[i]->ToText(row));
    }
  }
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(ReadColumns(types, std::string_view(bytes).substr(0, length)).ok());
  }
}

// Every layout against a map from the key's text. Keys grow from round to round, beyond what small
// keys may be; from the start if some are negative.
void CheckAgainstMap(const std::vector<DataType>& types, bool has_time, bool nulls,
                     bool negative = true) {
  GroupTable table({types, has_time, nulls});
  std::map<std::string, uint32_t> expected;
  std::mt19937 random(7);
  for (int round = 0; round < 40; ++round) {
    std::vector<ColumnBuilder> builders;
    for (const DataType& type : types) builders.emplace_back(type);
    std::vector<int64_t> times;
    const int rows = 1 + static_cast<int>(random() % 200);
    for (int row = 0; row < rows; ++row) {
      for (ColumnBuilder& builder : builders) {
        const int scale = round < 5 ? 1 : round < 20 ? 10 : 1000;
        const auto value = static_cast<int64_t>(random() % 40) * scale - (negative ? 20 : 0);
        if (nulls && random() % 5 == 0) {
          builder.AppendNull();
        } else if (builder.type().is(TypeKind::kString)) {
          builder.AppendBytes("key-" + std::string(random() % 3, 'x') + std::to_string(value));
        } else if (builder.type().is(TypeKind::kInt)) {
          builder.AppendInt32(static_cast<int32_t>(value));
        } else if (builder.type().is(TypeKind::kBoolean)) {
          builder.AppendBool(value > 0);
        } else {
          builder.AppendInt64(value);
        }
      }
      times.push_back(static_cast<int64_t>(random() % 5) * 60000);
    }
    std::vector<ColumnPtr> keys;
    for (ColumnBuilder& builder : builders) keys.push_back(builder.Finish());
    std::vector<int32_t> numbers(rows);
    std::iota(numbers.begin(), numbers.end(), 0);
    if (!has_time) times.clear();
    std::vector<uint32_t> ids, created, found;
    table.Find(keys, numbers, times, found);
    auto text = [&](int row) {
      std::string key = has_time ? std::to_string(times[row]) : "";
      for (const ColumnPtr& column : keys) key += "/" + column->ToText(row);
      return key;
    };
    for (int row = 0; row < rows; ++row) {
      const auto known = expected.find(text(row));
      EXPECT_EQ(found[row], known == expected.end() ? GroupTable::kNone : known->second);
    }
    table.FindOrInsert(keys, numbers, times, ids, created);
    for (int row = 0; row < rows; ++row) {
      const auto [entry, is_new] = expected.emplace(text(row), ids[row]);
      EXPECT_EQ(entry->second, ids[row]);
      if (has_time) {
        EXPECT_EQ(table.time(ids[row]), times[row]);
      }
      std::vector<ColumnBuilder> out, decoded;
      for (const DataType& type : types) {
        out.emplace_back(type);
        decoded.emplace_back(type);
      }
      table.AppendKeys(std::span(&ids[row], 1), out);
      std::string bytes;
      table.AppendKeyBytes(ids[row], bytes);
      std::string_view view = bytes;
      ASSERT_TRUE(ReadRow(view, decoded));
      for (size_t i = 0; i < types.size(); ++i) {
        EXPECT_EQ(out[i].Finish()->ToText(0), keys[i]->ToText(row));
        EXPECT_EQ(decoded[i].Finish()->ToText(0), keys[i]->ToText(row));
      }
    }
    // Some keys go.
    for (auto it = expected.begin(); it != expected.end();) {
      if (random() % 4 == 0) {
        table.Erase(it->second);
        it = expected.erase(it);
      } else {
        ++it;
      }
    }
    EXPECT_EQ(table.size(), expected.size());
    if (round % 7 != 6) continue;
    // The others move together.
    std::vector<uint32_t> kept;
    for (const auto& [key, id] : expected) kept.push_back(id);
    std::sort(kept.begin(), kept.end());
    table.Keep(kept);
    EXPECT_EQ(table.id_limit(), kept.size());
    for (auto& [key, id] : expected) {
      id = static_cast<uint32_t>(std::lower_bound(kept.begin(), kept.end(), id) - kept.begin());
    }
  }
}

TEST(GroupTable, EveryLayoutAgreesWithAMap) {
  CheckAgainstMap({DataType::Int()}, false, false);
  CheckAgainstMap({DataType::Bigint()}, false, false);
  CheckAgainstMap({DataType::Boolean()}, false, false);
  CheckAgainstMap({DataType::Int(), DataType::Int(), DataType::Bigint()}, false, false);
  CheckAgainstMap({DataType::Int(), DataType::Int()}, true, false);
  CheckAgainstMap({DataType::Bigint()}, true, false);
  CheckAgainstMap({DataType::String()}, false, false);
  CheckAgainstMap({DataType::String()}, true, false);
  CheckAgainstMap({DataType::String(), DataType::Int()}, true, false);
  CheckAgainstMap({DataType::String(), DataType::Bigint(), DataType::Int()}, false, true);
  CheckAgainstMap({DataType::Bigint(), DataType::Bigint(), DataType::Int()}, false, false);
  for (bool nulls : {false, true}) {
    for (bool negative : {false, true}) {
      CheckAgainstMap({DataType::Int(), DataType::Int()}, false, nulls, negative);
      CheckAgainstMap({DataType::Int(), DataType::Boolean()}, false, nulls, negative);
      CheckAgainstMap({DataType::Bigint(), DataType::Int()}, false, nulls, negative);
      CheckAgainstMap({DataType::Int()}, true, nulls, negative);
    }
  }
  CheckAgainstMap({DataType::Bigint()}, false, false, false);
}

// Random changes; the rows must be those of a map, over compactions and restarts, whatever may stay
// in memory.
void CheckRowTable(int64_t share, const DataType& key_type) {
  Schema schema;
  schema.columns = {{"K", key_type, true}, {"V", DataType::String(), false}};
  MemoryStore store;
  auto make = [&] { return std::make_unique<RowTable>(RowLayout{Types(schema), 1, false}); };
  auto table = make();
  ASSERT_TRUE(table->Open(store).ok());
  std::map<std::string, std::string> expected;
  std::mt19937 random(11);
  int64_t most = 0;
  for (int round = 0; round < 600; ++round) {
    std::string text;
    const int rows = 1 + static_cast<int>(random() % (round % 50 == 0 ? 3000 : 6));
    for (int row = 0; row < rows; ++row) {
      text += std::to_string(round) + "|" + std::to_string(random() % 500) + ",v" +
              std::to_string(round) + "-" + std::to_string(row) + "\n";
    }
    const Chunk chunk = ChunkFromText(schema, text);
    std::vector<int32_t> numbers(rows);
    std::iota(numbers.begin(), numbers.end(), 0);
    std::vector<uint32_t> ids;
    const auto keys = std::span(chunk.columns).first(1);
    ASSERT_TRUE(table->FindOrInsert(keys, numbers, {}, ids).ok());
    const uint32_t block = table->AddBlock(chunk);
    for (int row = 0; row < rows; ++row) {
      const std::string key = keys[0]->ToText(row);
      ASSERT_EQ(table->Has(ids[row]), expected.contains(key)) << round;
      if (random() % 4 == 0) {
        table->Remove(ids[row]);
        expected.erase(key);
      } else {
        table->Set(ids[row], {block, row});
        expected[key] = chunk.columns[1]->ToText(row);
      }
    }
    table->EndBatch();
    if (random() % 5 == 0) {
      table->Save();
      ASSERT_TRUE(table->OnCommitted(share).ok());
      ASSERT_EQ(store.entries().size(), expected.size());
      ASSERT_TRUE(share != 0 || table->row_count() == 0);
    }
    most = std::max(most, table->row_count());
    if (round % 97 == 0) {
      table->Save();
      table = make();
      ASSERT_TRUE(table->Open(store).ok());
    }
    if (round % 20 != 0) continue;
    std::string all;
    for (int key = 0; key < 500; ++key) all += "0|" + std::to_string(key) + "\n";
    const Chunk asked = ChunkFromText(schema, all);
    numbers.resize(500);
    std::iota(numbers.begin(), numbers.end(), 0);
    ASSERT_TRUE(table->Find(std::span(asked.columns).first(1), numbers, {}, ids).ok());
    std::map<std::string, std::string> actual;
    for (int key = 0; key < 500; ++key) {
      if (ids[key] == GroupTable::kNone || !table->Has(ids[key])) continue;
      const RowRef ref = table->ref(ids[key]);
      actual[table->Gather(0, {&ref, 1})->ToText(0)] = table->Gather(1, {&ref, 1})->ToText(0);
    }
    table->EndBatch();
    ASSERT_EQ(actual, expected);
  }
  EXPECT_GT(most, 300);
}

TEST(RowTable, KeepsTheLatestRows) {
  for (const DataType& type : {DataType::Int(), DataType::String()}) {
    for (int64_t share : {INT64_MAX, int64_t{60'000}, int64_t{30'000}, int64_t{0}}) {
      SCOPED_TRACE(share);
      CheckRowTable(share, type);
    }
  }
}

// Rows that are asked for again and again stay, others leave.
TEST(RowTable, KeepsWhatIsUsed) {
  const SchemaPtr schema = SchemaFromText("K INT KEY, V STRING");
  MemoryStore store;
  RowTable table({Types(*schema), 1, false});
  ASSERT_TRUE(table.Open(store).ok());
  const auto batch = [&](int from, int to, bool sets) {
    std::string text;
    for (int key = from; key < to; ++key) {
      text += "0|" + std::to_string(key) + ",a text that is longer than none\n";
    }
    const Chunk chunk = ChunkFromText(*schema, text);
    std::vector<int32_t> numbers(static_cast<size_t>(to - from));
    std::iota(numbers.begin(), numbers.end(), 0);
    std::vector<uint32_t> ids;
    ASSERT_TRUE(table.FindOrInsert(std::span(chunk.columns).first(1), numbers, {}, ids).ok());
    const uint32_t block = sets ? table.AddBlock(chunk) : 0;
    for (size_t i = 0; i < ids.size(); ++i) {
      ASSERT_TRUE(sets || table.Has(ids[i]));
      if (sets) table.Set(ids[i], {block, numbers[i]});
    }
    table.EndBatch();
  };
  batch(0, 2000, true);
  table.Save();
  const auto share = static_cast<int64_t>(table.ByteSize());
  int64_t reads = 0;
  for (int round = 0; round < 40; ++round) {
    batch(0, 100, false);
    batch(2000 + round * 100, 2100 + round * 100, true);
    table.Save();
    ASSERT_TRUE(table.OnCommitted(share / 2).ok());
    EXPECT_LE(table.ByteSize(), static_cast<size_t>(share));
    const size_t before = store.keys_asked();
    batch(0, 100, false);
    if (round > 0) reads += static_cast<int64_t>(store.keys_asked() - before);
  }
  // Without regard to use some 400 of the 3,900 would have to be read again.
  EXPECT_LT(reads, 200);
}

// A large table is there at once, and comes in behind the commits.
TEST(RowTable, OpensWithoutItsRows) {
  const SchemaPtr schema = SchemaFromText("K INT KEY, V STRING");
  MemoryStore store;
  const auto put = [&](RowTable& table, int from, int to) {
    std::string text;
    for (int key = from; key < to; ++key) text += "0|" + std::to_string(key) + ",x\n";
    const Chunk chunk = ChunkFromText(*schema, text);
    std::vector<int32_t> numbers(static_cast<size_t>(to - from));
    std::iota(numbers.begin(), numbers.end(), 0);
    std::vector<uint32_t> ids;
    ASSERT_TRUE(table.FindOrInsert(std::span(chunk.columns).first(1), numbers, {}, ids).ok());
    const uint32_t block = table.AddBlock(chunk);
    for (size_t i = 0; i < ids.size(); ++i) table.Set(ids[i], {block, numbers[i]});
    table.EndBatch();
    table.Save();
  };
  constexpr int kKeys = 20'000;
  RowTable first({Types(*schema), 1, false});
  ASSERT_TRUE(first.Open(store).ok());
  for (int key = 0; key < kKeys; key += 4000) put(first, key, key + 4000);
  RowTable second({Types(*schema), 1, false});
  ASSERT_TRUE(second.Open(store).ok());
  EXPECT_LT(second.row_count(), 5000);
  for (int commit = 0; commit < 10; ++commit) {
    put(second, kKeys + commit, kKeys + commit + 1);
    ASSERT_TRUE(second.OnCommitted(INT64_MAX).ok());
  }
  EXPECT_EQ(second.row_count(), kKeys + 10);
  const size_t before = store.keys_asked();
  put(second, kKeys, kKeys + 100);
  EXPECT_EQ(store.keys_asked(), before);
  EXPECT_EQ(store.entries().size(), static_cast<size_t>(kKeys + 100));
}

// Pages of rows, and rows ordered by time, as versions before 0.3 wrote them.
TEST(RowTable, ReadsWhatEarlierVersionsWrote) {
  for (bool has_time : {false, true}) {
    const SchemaPtr schema = SchemaFromText(has_time ? "K STRING KEY, E BIGINT KEY, V INT, W INT"
                                                     : "K STRING KEY, V INT, W INT");
    const RowLayout layout{Types(*schema), has_time ? 2 : 1, has_time};
    MemoryStore store;
    std::string page;
    for (int i = 0; i < 100; ++i) {
      const Chunk row = ChunkFromText(*schema, std::to_string(i) + "|k" + std::to_string(i) +
                                                   (has_time ? ", " + std::to_string(i + 10) : "") +
                                                   ", " + std::to_string(i * 2) + ", 7");
      std::string key, value;
      AppendRow(std::span(row.columns).first(static_cast<size_t>(layout.key_columns)), 0, key);
      AppendOrdered64(i, value);
      AppendRowValue(*row.columns[static_cast<size_t>(layout.key_columns)], 0, value);
      std::string at;
      AppendOrdered64(has_time ? i : i / 32, at);
      if (has_time) {
        store.Put(at + key, value);
        continue;
      }
      page += key + value;
      store.Put(at, page);
      if (i % 32 == 31) page.clear();
    }
    const std::map<std::string, std::string> old = store.entries();
    RowTable table(layout);
    // The last column is new.
    ASSERT_TRUE(table.Open(store, layout.types.size() - 1).ok());
    EXPECT_EQ(store.entries(), old);
    table.Save();
    ASSERT_TRUE(table.OnCommitted(0).ok());
    EXPECT_EQ(store.entries().size(), 100u);
    const Chunk asked = ChunkFromText(
        *schema, has_time ? "0|k9, 19, 0, 0\n0|k9, 20, 0, 0" : "0|k9, 0, 0\n0|none, 0, 0");
    const int32_t rows[] = {0, 1};
    const int64_t times[] = {9, 9};
    std::vector<uint32_t> ids;
    ASSERT_TRUE(table
                    .Find(std::span(asked.columns).first(static_cast<size_t>(layout.key_columns)),
                          rows, has_time ? std::span(times) : std::span<const int64_t>(), ids)
                    .ok());
    ASSERT_TRUE(table.Has(ids[0]));
    const RowRef ref = table.ref(ids[0]);
    EXPECT_EQ(table.Gather(layout.key_columns, {&ref, 1})->ToText(0), "18");
    EXPECT_TRUE(table.Gather(layout.key_columns + 1, {&ref, 1})->IsNull(0));
    EXPECT_EQ(table.row_time(ref), 9);
    EXPECT_FALSE(table.Has(ids[1]));
  }
}

TEST(JoinBuffer, ChainsRowsOfAKeyOverBlocksAndRestarts) {
  const SchemaPtr schema = SchemaFromText("K INT KEY, V BIGINT");
  MemoryStore store;
  auto buffer = std::make_unique<JoinBuffer>(Types(*schema), 1);
  std::multimap<int, int64_t> expected;
  std::mt19937 random(3);
  int64_t time = 0;
  for (int round = 0; round < 300; ++round) {
    std::string text;
    const int rows = 1 + static_cast<int>(random() % (round % 40 == 0 ? 5000 : 20));
    for (int row = 0; row < rows; ++row) {
      const int key = static_cast<int>(random() % 50);
      ++time;
      expected.emplace(key, time);
      text +=
          std::to_string(time) + "|" + std::to_string(key) + "," + std::to_string(time * 10) + "\n";
    }
    std::vector<int64_t> ordinals;
    buffer->Append(ChunkFromText(*schema, text), ordinals);
    if (round % 7 == 0) {
      ASSERT_TRUE(buffer->Expire(time - 6000).ok());
    }
    if (round % 31 == 0) {
      buffer->Save(store);
      buffer = std::make_unique<JoinBuffer>(Types(*schema), 1);
      ASSERT_TRUE(buffer->Load(store, [] {}).ok());
    }
    const int key = static_cast<int>(random() % 50);
    const Chunk probe = ChunkFromText(*schema, "0|" + std::to_string(key));
    const int32_t row = 0;
    std::vector<uint32_t> ids;
    buffer->Find(std::span(probe.columns).first(1), {&row, 1}, ids);
    std::multiset<int64_t> actual, wanted;
    if (ids[0] != GroupTable::kNone) {
      for (int64_t at = buffer->Head(ids[0]); at >= 0; at = buffer->Previous(at)) {
        if (buffer->Time(at) < time - 6000) continue;
        const RowRef ref = buffer->Locate(at);
        EXPECT_EQ(buffer->Gather(1, {&ref, 1}, nullptr)->values<int64_t>()[0],
                  buffer->Time(at) * 10);
        actual.insert(buffer->Time(at));
      }
    }
    const auto [from, to] = expected.equal_range(key);
    for (auto it = from; it != to; ++it) {
      if (it->second >= time - 6000) wanted.insert(it->second);
    }
    ASSERT_EQ(actual, wanted) << round;
  }
  EXPECT_LT(buffer->row_count(), 16000);
}

}  // namespace
}  // namespace weir
