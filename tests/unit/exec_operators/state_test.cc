// Keys, rows and blocks of state.

#include <algorithm>
#include <map>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "exec/state/chunk_codec.h"
#include "exec/state/group_table.h"
#include "exec/state/join_buffer.h"
#include "exec/state/row_codec.h"
#include "exec/state/row_table.h"
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
  const DataType type = DataType::Array(
      DataType::Struct({{"A", DataType::Int()}, {"M", DataType::Map(DataType::String(),
                                                                    DataType::Double())}}));
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

// Random changes; the rows must be those of a map, over compactions and restarts.
TEST(RowTable, KeepsTheLatestRows) {
  const SchemaPtr schema = SchemaFromText("K INT KEY, V STRING");
  MemoryStore store;
  auto make = [&] { return RowTable({Types(*schema), 1, false}); };
  RowTable table = make();
  std::map<int, std::string> expected;
  std::mt19937 random(11);
  for (int round = 0; round < 600; ++round) {
    std::string text;
    std::vector<int> keys;
    const int rows = 1 + static_cast<int>(random() % (round % 50 == 0 ? 3000 : 6));
    for (int row = 0; row < rows; ++row) {
      keys.push_back(static_cast<int>(random() % 500));
      text += std::to_string(round) + "|" + std::to_string(keys.back()) + ",v" +
              std::to_string(round) + "-" + std::to_string(row) + "\n";
    }
    const Chunk chunk = ChunkFromText(*schema, text);
    std::vector<int32_t> numbers(rows);
    std::iota(numbers.begin(), numbers.end(), 0);
    std::vector<uint32_t> ids;
    table.FindOrInsert(std::span(chunk.columns).first(1), numbers, {}, ids);
    const uint32_t block = table.AddBlock(chunk);
    for (int row = 0; row < rows; ++row) {
      if (random() % 4 == 0) {
        table.Remove(ids[row]);
        expected.erase(keys[row]);
      } else {
        table.Set(ids[row], {block, row});
        expected[keys[row]] = chunk.columns[1]->ToText(row);
      }
    }
    table.EndBatch();
    if (round % 97 == 0) {
      table.Save(store);
      table = make();
      ASSERT_TRUE(table.Load(store).ok());
    }
    ASSERT_EQ(table.row_count(), static_cast<int64_t>(expected.size()));
    if (round % 20 != 0) continue;
    std::map<int, std::string> actual;
    for (uint32_t id = 0; id < table.id_limit(); ++id) {
      if (!table.Has(id)) continue;
      const RowRef ref = table.ref(id);
      actual[table.Gather(0, {&ref, 1})->values<int32_t>()[0]] =
          table.Gather(1, {&ref, 1})->ToText(0);
    }
    ASSERT_EQ(actual, expected);
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
