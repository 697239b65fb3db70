#include "exec/formats/record_batch.h"

#include <gtest/gtest.h>

#include "exec/connect/header_codec.h"

namespace weir {
namespace {

TEST(JavaPartitionTest, PlacesKeysWhereKafkasJavaClientDoes) {
  // From Kafka's own test of its hash: murmur2 of each text, here as partition of many.
  struct Known {
    const char* key;
    int32_t hash;
  };
  for (const Known& known :
       {Known{"21", -973932308}, Known{"foobar", -790332482},
        Known{"a-little-bit-long-string", -985981536},
        Known{"a-little-bit-longer-string", -1486304829},
        Known{"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971}}) {
    for (int32_t count : {1, 2, 7, 1000003}) {
      EXPECT_EQ(JavaPartition(known.key, count), (known.hash & 0x7fffffff) % count) << known.key;
    }
  }
  EXPECT_EQ(JavaPartition("abc", 1000003), (479470107 & 0x7fffffff) % 1000003);
}

TEST(HeaderCodecTest, ReadsWhatItWrote) {
  BufferBuilder bytes;
  AppendHeader("name", "value", bytes);
  AppendHeader("", std::nullopt, bytes);
  AppendHeader("name", "", bytes);
  const std::string_view encoded(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::vector<HeaderView> headers;
  ASSERT_TRUE(DecodeHeaders(encoded, headers));
  EXPECT_EQ(headers,
            (std::vector<HeaderView>{{"name", "value"}, {"", std::nullopt}, {"name", ""}}));
  for (size_t cut = 1; cut < encoded.size(); ++cut) {
    DecodeHeaders(encoded.substr(0, cut), headers);  // Must not read past the end.
  }
  EXPECT_FALSE(DecodeHeaders(encoded.substr(0, encoded.size() - 1), headers));
}

TEST(RecordBatchBuilderTest, KeepsHeadersAlignedWithRecords) {
  RecordBatchBuilder builder;
  const std::string_view key = "k", value = "v";
  builder.AddCopy(&key, &value, "", 1);
  builder.AddCopy(nullptr, &value, "headers", 2);
  builder.AddCopy(&key, nullptr, "", 3);
  RecordBatch batch;
  builder.MoveTo(batch);
  ASSERT_EQ(batch.size(), 3);
  ASSERT_EQ(batch.headers.size(), 3u);
  EXPECT_TRUE(batch.headers[0].is_null());
  EXPECT_EQ(batch.View(batch.headers[1]), "headers");
  EXPECT_TRUE(batch.keys[1].is_null());
  EXPECT_TRUE(batch.values[2].is_null());
  EXPECT_EQ(builder.size(), 0);
  EXPECT_EQ(builder.byte_size(), 0u);
}

}  // namespace
}  // namespace weir
