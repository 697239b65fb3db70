// The same engine on Kafka: topics live on the brokers, state beside the program.
//
//   embed_kafka BROKERS STATE_DIRECTORY

#include <weir/weir.h>

#include <iostream>

namespace {

using namespace weir;

Status Run(const std::string& brokers, const std::string& state_dir) {
  EngineOptions options;
  options.brokers = brokers;
  options.application_id = "weir-embed-example";
  options.state_dir = state_dir;
  options.logger = [](LogLevel, std::string_view line) { std::cerr << line << '\n'; };
  auto engine = Engine::Open(std::move(options));
  if (!engine.ok()) return engine.status();
  // On Kafka the program is the catalog: it declares its sources and queries at each start, and
  // they go on where their consumer groups stand.
  auto created = (*engine)->Execute(
      "CREATE STREAM clicks (page VARCHAR KEY, n INT)"
      "  WITH (KAFKA_TOPIC='weir.example.clicks', VALUE_FORMAT='JSON', PARTITIONS=1);"
      "CREATE TABLE per_page WITH (KAFKA_TOPIC='weir.example.per_page') AS"
      "  SELECT page, COUNT(*) AS n FROM clicks GROUP BY page;");
  if (!created.ok()) return created.status();
  const Record clicks[] = {{.key = "home", .value = R"({"n": 1})"},
                           {.key = "home", .value = R"({"n": 2})"}};
  if (Status status = (*engine)->Append("weir.example.clicks", clicks); !status.ok()) {
    return status;
  }
  if (auto end = (*engine)->RunUntilEnd(false); !end.ok()) return end.status();
  auto topic = (*engine)->ReadTopic("weir.example.per_page");
  if (!topic.ok()) return topic.status();
  for (const TopicRecord& record : *topic) {
    std::cout << record.key.value_or("null") << " " << record.value.value_or("null") << '\n';
  }
  return (*engine)->Close();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: embed_kafka BROKERS STATE_DIRECTORY\n";
    return 2;
  }
  const Status status = Run(argv[1], argv[2]);
  if (!status.ok()) std::cerr << status.ToString() << '\n';
  return status.ok() ? 0 : 1;
}
