// Whatever makes a column stops at the limit in force, before anything is written past it.

#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "exec/column/chunk_parts.h"
#include "tests/unit/exec_expr/expr_builder.h"

namespace weir {
namespace {

using testing::MakeColumn;

constexpr size_t kLimit = 4096;

std::vector<DataType> WideTypes() {
  return {DataType::String(),
          DataType::Bytes(),
          DataType::Array(DataType::Int()),
          DataType::Array(DataType::String()),
          DataType::Map(DataType::String(), DataType::Double()),
          DataType::Struct({{"A", DataType::Array(DataType::Bigint())}})};
}

/// One value of some hundred bytes.
Value WideValue(const DataType& type) {
  switch (type.kind()) {
    case TypeKind::kArray: return Value(Value::Items(40, WideValue(type.element())));
    case TypeKind::kMap: {
      Value::Entries entries;
      for (int i = 0; i < 20; ++i) {
        entries.emplace_back(Value("key " + std::to_string(i)), Value(0.5));
      }
      return Value(std::move(entries));
    }
    case TypeKind::kStruct: return Value(Value::Items{WideValue(type.fields()[0].type)});
    case TypeKind::kInt: return Value(7);
    case TypeKind::kBigint: return Value(int64_t{7});
    default: return Value(std::string(100, 'x'));
  }
}

TEST(ColumnLimit, HoldsWhereRowsArePickedJoinedAndAppended) {
  for (const DataType& type : WideTypes()) {
    SCOPED_TRACE(type.ToString());
    const Value value = WideValue(type);
    const ColumnPtr one = MakeColumn(type, {value});
    const std::vector<int32_t> often(100, 0);
    EXPECT_EQ(Gather(*one, often)->length(), 100);
    EXPECT_TRUE(IsTooLarge(WithinColumnLimit(kLimit, [&] { Gather(*one, often); })));

    const std::vector<ColumnPtr> columns(100, one);
    EXPECT_EQ(Concat(columns)->length(), 100);
    EXPECT_TRUE(IsTooLarge(WithinColumnLimit(kLimit, [&] { Concat(columns); })));

    EXPECT_TRUE(IsTooLarge(WithinColumnLimit(kLimit, [&] {
      ColumnBuilder builder(type);
      for (int i = 0; i < 100; ++i) builder.AppendFrom(*one, 0);
    })));
    EXPECT_TRUE(
        IsTooLarge(WithinColumnLimit(kLimit, [&] { MakeConstantColumn(type, value, 99); })));
  }
}

TEST(ColumnLimit, IsThatOfTheInnermostScope) {
  const ColumnLimit outer(kLimit);
  EXPECT_TRUE(WithinColumnLimit(10 * kLimit, [] { CheckColumnBytes(2 * kLimit); }).ok());
  EXPECT_THROW(CheckColumnBytes(2 * kLimit), ColumnTooLarge);
}

TEST(ChunkParts, EveryRowComesOnceAndInOrder) {
  const ColumnPtr text = MakeColumn(DataType::String(), {Value(std::string(1 << 20, 'x'))});
  std::vector<size_t> counts;
  size_t next = 0;
  const Status status = InParts(
      1000, nullptr,
      [&](size_t from, size_t count) {
        EXPECT_EQ(from, next);
        Chunk chunk;
        chunk.rows = static_cast<int32_t>(count);
        chunk.columns = {Gather(*text, std::vector<int32_t>(count, 0))};
        return chunk;
      },
      [&](const Chunk& chunk) {
        EXPECT_LE(ByteSize(chunk), limits::kMadeColumnBytesMax + 8192);
        next += static_cast<size_t>(chunk.rows);
        return OkStatus();
      });
  EXPECT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(next, 1000u);
}

TEST(ChunkParts, AnUpdateStaysWhole) {
  const RowOp ops[] = {RowOp::kUpdateBefore, RowOp::kUpdateAfter, RowOp::kInsert,
                       RowOp::kUpdateBefore, RowOp::kUpdateAfter};
  EXPECT_EQ(FirstPart(ops, 0, 5), 2u);
  EXPECT_EQ(FirstPart(ops, 2, 3), 1u);
  EXPECT_EQ(FirstPart(ops, 0, 2), 0u);
  EXPECT_EQ(FirstPart(ops, 2, 1), 0u);
  EXPECT_EQ(FirstPart(nullptr, 0, 2), 1u);
  for (size_t rows_max = 1; rows_max <= 5; ++rows_max) {
    size_t next = 0;
    const Status status = InParts(
        5, ops,
        [&](size_t from, size_t count) {
          EXPECT_NE(ops[from], RowOp::kUpdateAfter);
          EXPECT_EQ(from, next);
          next += count;
          return Chunk();
        },
        [](const Chunk&) { return OkStatus(); }, rows_max);
    EXPECT_TRUE(status.ok());
    EXPECT_EQ(next, 5u);
  }
}

}  // namespace
}  // namespace weir
