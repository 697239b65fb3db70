// Formats whose schemas are in a registry, on Kafka: columns that are found there, what a query
// writes, and a registry that is away for a while. The registry is the one that Weir serves, and
// also another one where WEIR_TEST_REGISTRY names its URL.

#include <cstdlib>

#include "exec/connect/registry/http_registry.h"
#include "exec/formats/registry/wire_format.h"
#include "shell/registry_server.h"
#include "tests/broker/support/engine_copies.h"

namespace weir::testing {
namespace {

constexpr const char* kOrder =
    R"({"type":"record","name":"Order","fields":[{"name":"id","type":"long"},)"
    R"({"name":"item","type":["null","string"],"default":null}]})";
constexpr const char* kOrderWithPrice =
    R"({"type":"record","name":"Order","fields":[{"name":"id","type":"long"},)"
    R"({"name":"price","type":"double","default":0},)"
    R"({"name":"item","type":["null","string"],"default":null}]})";

std::string Framed(int32_t id, const std::string& bytes) {
  BufferBuilder out;
  AppendSchemaId(id, out);
  return std::string(reinterpret_cast<const char*>(out.data()), out.size()) + bytes;
}

class KafkaRegistryTest : public EngineCopiesTest {
 protected:
  void SetUp() override {
    EngineCopiesTest::SetUp();
    if (kafka_ == nullptr) return;
    Serve(0);
    url_ = server_->url();
  }

  void Serve(int port) {
    shell::RegistryServerOptions options;
    options.port = port;
    auto server = shell::RegistryServer::Start(options);
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = std::move(*server);
  }

  std::shared_ptr<SchemaRegistry> Client() const {
    HttpRegistryOptions options;
    options.urls = {url_};
    return MakeHttpRegistry(options);
  }

  std::unique_ptr<Engine> OpenWithRegistry() const {
    return Open({{"ksql.schema.registry.url", url_}, {"ksql.schema.registry.max.retries", "0"}});
  }

  /// Reads records of two versions of a schema by columns that it finds, and writes AVRO.
  void RunBothWays() {
    const auto client = Client();
    const auto first = client->Register(in_ + "-value", SchemaType::kAvro, kOrder, {});
    ASSERT_TRUE(first.ok()) << first.status().ToString();
    const auto second = client->Register(in_ + "-value", SchemaType::kAvro, kOrderWithPrice, {});
    ASSERT_TRUE(second.ok()) << second.status().ToString();
    ASSERT_TRUE(kafka_->CreateTopic(in_, 1).ok());
    const std::string half("\0\0\0\0\0\0\xe0\x3f", 8);
    ASSERT_TRUE(kafka_
                    ->Produce(in_, {{.key = "a", .value = Framed(*first, "\x02\x02\x06pen")},
                                    {.key = "b", .value = Framed(*second, "\x04" + half + '\0')},
                                    {.key = "c", .value = Framed(*first, std::string("\x06\0", 2))},
                                    {.key = "d", .value = Framed(1 << 30, "\x02")}})
                    .ok());
    const std::string out = kafka_->NewName("out");
    auto engine = OpenWithRegistry();
    ASSERT_NE(engine, nullptr);
    Execute(*engine, "CREATE STREAM orders WITH (kafka_topic='" + in_ +
                         "', key_format='KAFKA', value_format='AVRO');"
                         "CREATE STREAM priced WITH (kafka_topic='" +
                         out + "') AS SELECT id + 10 AS id, price, item FROM orders WHERE id < 3;");
    RunUntilEnd(*engine);
    const auto written = kafka_->ReadAll(out);
    ASSERT_TRUE(written.ok()) << written.status().ToString();
    ASSERT_EQ(written->size(), 2u);
    const auto sink = client->Latest(out + "-value");
    ASSERT_TRUE(sink.ok() && *sink != nullptr) << sink.status().ToString();
    EXPECT_NE((*sink)->text.find("KsqlDataSourceSchema"), std::string::npos) << (*sink)->text;
    // Each field is a union of null and its type.
    EXPECT_EQ((*written)[0].value, Framed((*sink)->id, std::string("\x02\x16\0\x02\x06pen", 8)));
    EXPECT_EQ((*written)[1].value, Framed((*sink)->id, "\x02\x18\x02" + half + '\0'));
    // What it wrote is what it reads; the record with an id of nobody's was counted.
    Execute(*engine, "CREATE STREAM again WITH (kafka_topic='" + out +
                         "', key_format='KAFKA', value_format='AVRO');");
    auto cursor = engine->Query("SELECT id, price, item FROM again EMIT CHANGES LIMIT 2;");
    ASSERT_TRUE(cursor.ok()) << cursor.status().ToString();
    std::string read;
    while (!(*cursor)->done()) {
      const auto batch = (*cursor)->Next(std::chrono::minutes(1));
      ASSERT_TRUE(batch.ok()) << batch.status().ToString();
      if (!*batch) break;
      for (int32_t row = 0; row < (*batch)->row_count(); ++row) {
        for (int column = 0; column < 3; ++column) {
          read += (*batch)->column(column).ToText(row) + (column < 2 ? " " : "\n");
        }
      }
    }
    EXPECT_EQ(read, "11 null pen\n12 0.5 null\n");
    int64_t bad = 0;
    for (const QueryMetrics& query : engine->Metrics().queries) {
      for (const auto& [reason, rows] : query.dropped) bad += rows;
    }
    EXPECT_EQ(bad, 1);
  }

  std::unique_ptr<shell::RegistryServer> server_;
  std::string url_;
};

TEST_F(KafkaRegistryTest, ReadsAndWritesByTheServedRegistry) { RunBothWays(); }

TEST_F(KafkaRegistryTest, ReadsAndWritesByAnotherRegistry) {
  const char* url = std::getenv("WEIR_TEST_REGISTRY");
  if (url == nullptr) GTEST_SKIP() << "WEIR_TEST_REGISTRY names no registry";
  url_ = url;
  RunBothWays();
}

TEST_F(KafkaRegistryTest, ARegistryThatIsAwayCostsNoRecord) {
  const int port = server_->port();
  auto id = Client()->Register(in_ + "-value", SchemaType::kAvro, kOrder, {});
  ASSERT_TRUE(id.ok()) << id.status().ToString();
  ASSERT_TRUE(kafka_->CreateTopic(in_, 2).ok());
  const std::string out = kafka_->NewName("out");
  auto engine = OpenWithRegistry();
  ASSERT_NE(engine, nullptr);
  Execute(*engine, "CREATE STREAM orders WITH (kafka_topic='" + in_ +
                       "', key_format='KAFKA', value_format='AVRO');"
                       "CREATE STREAM copied WITH (kafka_topic='" +
                       out + "', value_format='JSON') AS SELECT id FROM orders;");
  // The engine has not seen a record yet, and so no id.
  server_.reset();
  ASSERT_TRUE(kafka_
                  ->Produce(in_, {{.key = "a", .value = Framed(*id + 1, "\x02\x02\x06pen")},
                                  {.key = "b", .value = Framed(*id + 1, "\x04\x02\x06pen")}})
                  .ok());
  ASSERT_TRUE(WaitUntil(std::chrono::minutes(1), [&] {
    for (const QueryMetrics& query : engine->Metrics().queries) {
      if (query.state == "RESTARTING" && query.error.find(url_) != std::string::npos) return true;
    }
    return false;
  }));
  Serve(port);
  id = Client()->Register("other", SchemaType::kAvro, "\"int\"", {});
  ASSERT_TRUE(id.ok()) << id.status().ToString();
  id = Client()->Register(in_ + "-value", SchemaType::kAvro, kOrder, {});
  ASSERT_TRUE(id.ok()) << id.status().ToString();
  RunUntilEnd(*engine);
  const auto written = kafka_->ReadAll(out);
  ASSERT_TRUE(written.ok()) << written.status().ToString();
  EXPECT_EQ(written->size(), 2u);
  for (const QueryMetrics& query : engine->Metrics().queries) {
    EXPECT_TRUE(query.dropped.empty()) << query.query_id;
  }
}

TEST_F(KafkaRegistryTest, WithoutARegistryTheFormatIsRefused) {
  auto engine = Open();
  ASSERT_NE(engine, nullptr);
  const auto refused =
      engine->Execute("CREATE STREAM s WITH (kafka_topic='" + in_ + "', value_format='AVRO');");
  EXPECT_EQ(refused.status().code(), ErrorCode::kUnsupported);
  EXPECT_NE(refused.status().hint().find("ksql.schema.registry.url"), std::string::npos);
}

}  // namespace
}  // namespace weir::testing
