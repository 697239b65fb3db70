#include <random>

#include <gtest/gtest.h>

#include "exec/column/builder.h"
#include "exec/column/compare.h"
#include "tests/unit/exec_expr/expr_builder.h"
#include "weir/arrow_c_abi.h"

namespace weir {
namespace {

using testing::MakeColumn;

const DataType kNested = DataType::Struct(
    {{"A", DataType::Array(DataType::String())},
     {"M", DataType::Map(DataType::String(), DataType::Decimal(10, 2))},
     {"S", DataType::Struct({{"B", DataType::Boolean()}, {"D", DataType::Double()}})}});

/// A random value of any type, null one time in five.
Value RandomValue(const DataType& type, std::mt19937& random, bool nullable = true) {
  if (nullable && random() % 5 == 0) return Value();
  switch (type.kind()) {
    case TypeKind::kNull: return Value();
    case TypeKind::kBoolean: return Value(random() % 2 == 0);
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kTime: return Value(static_cast<int32_t>(random() % 1000));
    case TypeKind::kBigint:
    case TypeKind::kTimestamp: return Value(static_cast<int64_t>(random()) * 1000);
    case TypeKind::kDouble: return Value(static_cast<double>(random() % 1000) / 8);
    case TypeKind::kDecimal: return Value(Int128{static_cast<int64_t>(random() % 100000)});
    case TypeKind::kString:
    case TypeKind::kBytes:
      return Value(std::string(random() % 40, static_cast<char>('a' + random() % 26)));
    case TypeKind::kArray: {
      Value::Items items;
      for (uint32_t i = random() % 4; i > 0; --i)
        items.push_back(RandomValue(type.element(), random));
      return Value(std::move(items));
    }
    case TypeKind::kMap: {
      Value::Entries entries;
      for (uint32_t i = random() % 3; i > 0; --i) {
        entries.emplace_back(RandomValue(type.key(), random, false),
                             RandomValue(type.element(), random));
      }
      return Value(std::move(entries));
    }
    case TypeKind::kStruct: {
      Value::Items items;
      for (const DataType::Field& field : type.fields()) {
        items.push_back(RandomValue(field.type, random));
      }
      return Value(std::move(items));
    }
  }
  return Value();
}

const std::vector<DataType>& AllTypes() {
  static const std::vector<DataType> types = {
      DataType::Boolean(),
      DataType::Int(),
      DataType::Bigint(),
      DataType::Double(),
      DataType::String(),
      DataType::Bytes(),
      DataType::Decimal(12, 3),
      DataType::Date(),
      DataType::Time(),
      DataType::Timestamp(),
      DataType::Array(DataType::Int()),
      DataType::Map(DataType::String(), DataType::Boolean()),
      kNested,
      DataType::Array(kNested)};
  return types;
}

std::vector<Value> RandomValues(const DataType& type, std::mt19937& random, int count) {
  std::vector<Value> values;
  for (int i = 0; i < count; ++i) values.push_back(RandomValue(type, random));
  return values;
}

TEST(Column, ValuesComeBackAsTheyWereAppended) {
  std::mt19937 random(1);
  for (const DataType& type : AllTypes()) {
    const std::vector<Value> values = RandomValues(type, random, 300);
    const ColumnPtr column = MakeColumn(type, values);
    ASSERT_EQ(column->length(), 300);
    for (int32_t i = 0; i < 300; ++i) {
      EXPECT_EQ(GetValue(*column, i), values[static_cast<size_t>(i)]) << type.ToString();
    }
  }
}

TEST(Column, GatherPicksRowsAndNullForMissing) {
  std::mt19937 random(2);
  for (const DataType& type : AllTypes()) {
    const std::vector<Value> values = RandomValues(type, random, 100);
    const ColumnPtr column = MakeColumn(type, values);
    std::vector<int32_t> rows;
    for (int i = 0; i < 250; ++i) rows.push_back(static_cast<int32_t>(random() % 101) - 1);
    const ColumnPtr picked = Gather(*column, rows);
    ASSERT_EQ(picked->length(), 250);
    for (size_t i = 0; i < rows.size(); ++i) {
      const Value expected = rows[i] < 0 ? Value() : values[static_cast<size_t>(rows[i])];
      EXPECT_EQ(GetValue(*picked, static_cast<int32_t>(i)), expected) << type.ToString();
    }
  }
}

TEST(Column, ConcatAndPrefix) {
  std::mt19937 random(3);
  for (const DataType& type : AllTypes()) {
    std::vector<Value> expected;
    std::vector<ColumnPtr> parts;
    for (const int size : {0, 7, 64, 1, 33}) {
      const std::vector<Value> values = RandomValues(type, random, size + 5);
      parts.push_back(Prefix(MakeColumn(type, values), size));
      expected.insert(expected.end(), values.begin(), values.begin() + size);
    }
    const ColumnPtr all = Concat(parts);
    ASSERT_EQ(all->length(), static_cast<int32_t>(expected.size()));
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(GetValue(*all, static_cast<int32_t>(i)), expected[i]) << type.ToString();
    }
  }
}

TEST(Column, TruncateUndoesRows) {
  std::mt19937 random(4);
  for (const DataType& type : AllTypes()) {
    const std::vector<Value> values = RandomValues(type, random, 60);
    ColumnBuilder builder(type);
    for (const Value& value : values) builder.AppendValue(value);
    builder.Truncate(21);
    builder.AppendValue(values[50]);
    const ColumnPtr column = builder.Finish();
    ASSERT_EQ(column->length(), 22);
    for (int32_t i = 0; i < 21; ++i)
      EXPECT_EQ(GetValue(*column, i), values[static_cast<size_t>(i)]);
    EXPECT_EQ(GetValue(*column, 21), values[50]);
    EXPECT_EQ(builder.length(), 0);
  }
}

TEST(Column, ConstantsAndNulls) {
  const ColumnPtr constant = testing::MakeColumn(DataType::String(), {Value(std::string("x"))});
  const ColumnPtr many = MakeConstantColumn(DataType::String(), Value(std::string("xy")), 100);
  EXPECT_EQ(many->GetString(99), "xy");
  const ColumnPtr nulls = MakeNullColumn(kNested, 3);
  EXPECT_TRUE(nulls->IsNull(2));
  EXPECT_EQ(nulls->ToText(0), "null");
}

TEST(Column, TextOfValues) {
  const Value items(Value::Items{Value(int32_t{1}), Value(), Value(int32_t{3})});
  EXPECT_EQ(MakeColumn(DataType::Array(DataType::Int()), {items})->ToText(0), "[1,null,3]");
  const Value entries(Value::Entries{{Value(std::string("a\"b")), Value(1.0)}});
  EXPECT_EQ(MakeColumn(DataType::Map(DataType::String(), DataType::Double()), {entries})->ToText(0),
            R"({"a\"b":1.0})");
  EXPECT_EQ(MakeColumn(DataType::Bytes(), {Value(std::string("abcd"))})->ToText(0), "YWJjZA==");
  EXPECT_EQ(MakeColumn(DataType::Decimal(5, 2), {Value(Int128{-5})})->ToText(0), "-0.05");
}

TEST(Column, TextsOrderByUtf16Units) {
  EXPECT_LT(CompareUtf16("a", "ab"), 0);
  EXPECT_GT(CompareUtf16("b", "ab"), 0);
  // U+1F600 is two surrogates, which come before U+FF21 though its code point is higher.
  EXPECT_LT(CompareUtf16("\xF0\x9F\x98\x80", "\xEF\xBC\xA1"), 0);
  EXPECT_GT(CompareUtf16("\xF0\x9F\x98\x80", "\xED\x9F\xBB"), 0);
}

TEST(Column, EqualValuesHaveEqualHashes) {
  std::mt19937 random(5);
  for (const DataType& type : AllTypes()) {
    const ColumnPtr column = MakeColumn(type, RandomValues(type, random, 60));
    for (int32_t i = 0; i < 60; ++i) {
      for (int32_t j = 0; j < 60; ++j) {
        const bool equal = GetValue(*column, i) == GetValue(*column, j);
        if (equal) {
          EXPECT_TRUE(EqualAt(*column, i, *column, j));
          EXPECT_EQ(HashAt(*column, i), HashAt(*column, j));
        }
      }
    }
  }
}

TEST(Batch, ExportsToArrowAndOutlivesItself) {
  auto schema = std::make_shared<Schema>();
  schema->columns = {{"ID", DataType::Int(), true}, {"N", kNested, false}};
  std::mt19937 random(6);
  ArrowArray array;
  ArrowSchema arrow;
  {
    const Batch batch(schema,
                      {MakeColumn(DataType::Int(), {Value(int32_t{7}), Value()}),
                       MakeColumn(kNested, RandomValues(kNested, random, 2))},
                      2);
    EXPECT_EQ(batch.column("ID")->values<int32_t>()[0], 7);
    EXPECT_EQ(batch.column("id"), nullptr);
    batch.ExportArrow(&array, &arrow);
  }
  EXPECT_STREQ(arrow.format, "+s");
  ASSERT_EQ(arrow.n_children, 2);
  EXPECT_STREQ(arrow.children[0]->format, "i");
  EXPECT_STREQ(arrow.children[0]->name, "ID");
  EXPECT_STREQ(arrow.children[1]->children[1]->format, "+m");
  EXPECT_STREQ(arrow.children[1]->children[1]->children[0]->children[1]->format, "d:10,2");
  EXPECT_EQ(array.length, 2);
  EXPECT_EQ(array.children[0]->null_count, 1);
  EXPECT_EQ(static_cast<const int32_t*>(array.children[0]->buffers[1])[0], 7);
  arrow.release(&arrow);
  array.release(&array);
  EXPECT_EQ(array.release, nullptr);
}

TEST(Chunk, FlattenFollowsTheSelection) {
  Chunk chunk = testing::MakeChunk(
      {MakeColumn(DataType::Int(), {Value(int32_t{1}), Value(int32_t{2}), Value(int32_t{3})})});
  chunk.sys(SystemColumn::kRowTime) =
      MakeInt64Column(DataType::Bigint(), std::vector<int64_t>{10, 20, 30});
  chunk.selection = std::make_shared<Selection>(Selection{0, 2});
  const Chunk flat = Flatten(chunk);
  EXPECT_EQ(flat.rows, 2);
  EXPECT_EQ(flat.columns[0]->values<int32_t>()[1], 3);
  EXPECT_EQ(flat.row_time()->values<int64_t>()[1], 30);
  EXPECT_GT(ByteSize(flat), 0u);
}

}  // namespace
}  // namespace weir
