// Property: what an encoder writes, its decoder reads back.

#include <cstring>
#include <random>

#include "exec/formats/registry/memory_registry.h"
#include "format_fixture.h"

namespace weir::test {
namespace {

class ValueMaker {
 public:
  explicit ValueMaker(uint32_t seed) : random_(seed) {}

  void Append(const DataType& type, ColumnBuilder& out) {
    if (Below(8) == 0) return out.AppendNull();
    switch (type.kind()) {
      case TypeKind::kBoolean: return out.AppendBool(Below(2) == 0);
      case TypeKind::kInt:
      case TypeKind::kDate: return out.AppendInt32(static_cast<int32_t>(random_()));
      case TypeKind::kTime: return out.AppendInt32(static_cast<int32_t>(Below(86400000)));
      case TypeKind::kBigint:
      case TypeKind::kTimestamp: return out.AppendInt64(static_cast<int64_t>(Bits() >> Below(64)));
      case TypeKind::kDouble: {
        if (Below(2) == 0) return out.AppendDouble(static_cast<double>(Below(1000000)) / 100);
        const uint64_t bits = Bits();
        double value = 0;
        std::memcpy(&value, &bits, sizeof value);
        return out.AppendDouble(value == value ? value : 0.5);
      }
      case TypeKind::kDecimal:
        return out.AppendDecimal(static_cast<Int128>(static_cast<int64_t>(Bits())) / 1000);
      case TypeKind::kString: return out.AppendBytes(Text());
      case TypeKind::kBytes: return out.AppendBytes(Bytes());
      case TypeKind::kArray: {
        for (uint32_t i = Below(4); i > 0; --i) Append(type.element(), out.child(0));
        return out.AppendNested();
      }
      case TypeKind::kMap: {
        for (uint32_t i = Below(4); i > 0; --i) {
          out.child(0).AppendBytes("k" + std::to_string(i));
          Append(type.element(), out.child(1));
        }
        return out.AppendNested();
      }
      default: {
        int field = 0;
        for (const auto& each : type.fields()) Append(each.type, out.child(field++));
        return out.AppendNested();
      }
    }
  }

 private:
  uint32_t Below(uint32_t limit) { return static_cast<uint32_t>(random_()) % limit; }
  uint64_t Bits() { return static_cast<uint64_t>(random_()) << 32 | random_(); }
  std::string Text() {
    static const char* const kPieces[] = {"a", "\"", "\\", "\n", "é", "😀", ",", " ", "{", "x\x01"};
    std::string text = "t";  // DELIMITED cannot tell an empty text from a null.
    for (uint32_t i = Below(12); i > 0; --i) text += kPieces[Below(10)];
    return text;
  }
  std::string Bytes() {
    std::string bytes = "b";
    for (uint32_t i = Below(9); i > 0; --i) bytes.push_back(static_cast<char>(random_()));
    return bytes;
  }
  std::mt19937 random_;
};

void CheckRoundTrip(const FormatSpec& spec, const std::vector<DataType>& types, uint32_t seed) {
  constexpr int32_t kRows = 500;
  ValueMaker make(seed);
  std::vector<FormatColumn> columns;
  std::vector<ColumnPtr> values;
  for (const DataType& type : types) {
    columns.push_back({.name = "C" + std::to_string(columns.size()), .type = type});
    ColumnBuilder builder(type);
    for (int32_t row = 0; row < kRows; ++row) make.Append(type, builder);
    values.push_back(builder.Finish());
  }
  std::vector<int32_t> rows(kRows);
  for (int32_t row = 0; row < kRows; ++row) rows[static_cast<size_t>(row)] = row;
  const Texts texts = Encode(spec, columns, values, rows);
  for (bool separated : {true, false}) {
    const DecodedSide side = Decode(spec, columns, texts, separated);
    ASSERT_TRUE(side.bad.empty()) << side.bad[0].reason << "\n" << *texts[side.bad[0].row];
    for (size_t i = 0; i < types.size(); ++i) {
      for (int32_t row = 0; row < kRows; ++row) {
        ASSERT_EQ(side.columns[i]->ToText(row), values[i]->ToText(row))
            << types[i].ToString() << "\n"
            << texts[static_cast<size_t>(row)].value_or("(null)");
      }
    }
  }
}

const std::vector<DataType> kFlatTypes = {
    DataType::Boolean(),      DataType::Int(),      DataType::Bigint(), DataType::Double(),
    DataType::Decimal(20, 5), DataType::String(),   DataType::Bytes(),  DataType::Date(),
    DataType::Time(),         DataType::Timestamp()};

TEST(RoundTripTest, Json) {
  std::vector<DataType> types = kFlatTypes;
  types.push_back(DataType::Array(DataType::Array(DataType::String())));
  types.push_back(DataType::Map(DataType::String(), DataType::Double()));
  types.push_back(
      DataType::Struct({{"A", DataType::Int()}, {"B", DataType::Array(DataType::Decimal(20, 5))}}));
  for (uint32_t seed = 1; seed <= 20; ++seed) CheckRoundTrip(kJson, types, seed);
}

TEST(RoundTripTest, FormatsWithSchemas) {
  std::vector<DataType> types = kFlatTypes;
  types.push_back(DataType::Array(DataType::Array(DataType::String())));
  types.push_back(DataType::Map(DataType::String(), DataType::Double()));
  types.push_back(
      DataType::Struct({{"A", DataType::Int()}, {"B", DataType::Array(DataType::Decimal(20, 5))}}));
  for (const char* name : {"AVRO", "JSON_SR"}) {
    for (uint32_t seed = 1; seed <= 20; ++seed) {
      MemoryRegistry registry;
      FormatSpec spec{.name = name};
      spec.registry = &registry;
      spec.subject = "t-value";
      CheckRoundTrip(spec, types, seed);
      spec.unwrapped = true;
      spec.subject = "u-value";
      CheckRoundTrip(spec, {types[seed % types.size()]}, seed);
    }
  }
}

// Where nulls are told from zeros; items of lists cannot be null there.
TEST(RoundTripTest, Protobuf) {
  std::vector<DataType> types;
  for (const DataType& type : kFlatTypes) {
    if (!type.is(TypeKind::kDate)) types.push_back(type);  // Of the years 1 to 9999 only.
  }
  types.push_back(DataType::Struct({{"A", DataType::Int()}, {"B", DataType::Decimal(20, 5)}}));
  for (const char* name : {"PROTOBUF", "PROTOBUF_NOSR"}) {
    for (const char* nulls : {"OPTIONAL", "WRAPPER"}) {
      for (uint32_t seed = 1; seed <= 10; ++seed) {
        MemoryRegistry registry;
        FormatSpec spec{.name = name};
        spec.properties["PROTOBUF_NULLABLE_REPRESENTATION"] = nulls;
        spec.registry = &registry;
        spec.subject = "t-value";
        CheckRoundTrip(spec, types, seed);
      }
    }
  }
}

TEST(RoundTripTest, JsonBare) {
  uint32_t seed = 1;
  for (const DataType& type : kFlatTypes) CheckRoundTrip(kJsonBare, {type}, seed++);
}

TEST(RoundTripTest, Delimited) {
  for (uint32_t seed = 1; seed <= 20; ++seed) CheckRoundTrip(kDelimited, kFlatTypes, seed);
}

TEST(RoundTripTest, Kafka) {
  for (const DataType& type : {DataType::Int(), DataType::Bigint(), DataType::Double(),
                               DataType::String(), DataType::Bytes()}) {
    CheckRoundTrip({.name = "KAFKA"}, {type}, 7);
  }
}

}  // namespace
}  // namespace weir::test
