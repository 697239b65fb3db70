#include "format_fixture.h"

namespace weir::test {
namespace {

using Strings = std::vector<std::string>;
const FormatSpec kKafka{.name = "KAFKA"};

std::vector<FormatColumn> One(DataType type) { return {{.name = "A", .type = type}}; }

TEST(KafkaFormatTest, ReadsWhatKafkasSerializersWrite) {
  using std::string_literals::operator""s;
  EXPECT_EQ(Shown(Decode(kKafka, One(DataType::Int()),
                         {"\0\0\1\2"s, "\xff\xff\xff\xff"s, "1"s, ""s, std::nullopt})),
            (Strings{"258", "-1", "BAD", "BAD", "NULL"}));
  EXPECT_EQ(Shown(Decode(kKafka, One(DataType::Bigint()), {"\0\0\0\0\0\0\0\7"s, "\0\0\0\7"s})),
            (Strings{"7", "BAD"}));
  EXPECT_EQ(Shown(Decode(kKafka, One(DataType::Double()), {"\x3f\xf8\0\0\0\0\0\0"s})),
            (Strings{"1.5"}));
  EXPECT_EQ(Shown(Decode(kKafka, One(DataType::String()), {"text", "", "\xff"})),
            (Strings{"text", "", "BAD"}));
}

TEST(KafkaFormatTest, WritesWhatItReads) {
  for (const DataType& type : {DataType::Int(), DataType::Bigint(), DataType::Double()}) {
    const Texts texts = {std::string(type.is(TypeKind::kInt) ? 4 : 8, '\x17'), std::nullopt};
    const DecodedSide side = Decode(kKafka, One(type), texts);
    EXPECT_EQ(Encode(kKafka, One(type), side.columns, {0, 1}), texts);
  }
}

TEST(WindowKeyTest, SplitsWhatItAppends) {
  for (auto kind : {WindowKeyKind::kTime, WindowKeyKind::kSession}) {
    BufferBuilder bytes;
    bytes.Append("key", 3);
    AppendWindowToKey(kind, 60000, 120000, bytes);
    std::string_view key(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    EXPECT_EQ(key.size(), kind == WindowKeyKind::kTime ? 11u : 19u);
    int64_t start = 0, end = 0;
    ASSERT_TRUE(SplitWindowedKey(kind, 60000, key, start, end));
    EXPECT_EQ(key, "key");
    EXPECT_EQ(start, 60000);
    EXPECT_EQ(end, 120000);
    std::string_view short_key = "1234567";
    EXPECT_FALSE(SplitWindowedKey(kind, 60000, short_key, start, end));
  }
}

}  // namespace
}  // namespace weir::test
