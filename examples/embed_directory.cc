// A store in a directory: opened twice, it goes on where it stopped.
//
//   embed_directory DIRECTORY

#include <weir/weir.h>

#include <iostream>

namespace {

using namespace weir;

// One life of a program: declares its query (the second time that changes nothing), appends a
// record, and tells how many the query has counted in all its lives.
Result<int64_t> RunOnce(const std::string& directory) {
  auto engine = Engine::Open({.directory = directory});
  if (!engine.ok()) return engine.status();
  auto declared = (*engine)->Execute(
      "CREATE STREAM clicks (page VARCHAR KEY, n INT)"
      "  WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON', PARTITIONS=1);"
      "CREATE TABLE per_page AS SELECT page, COUNT(*) AS n FROM clicks GROUP BY page;");
  if (!declared.ok()) return declared.status();
  // Append returns when the record is on disk.
  const Record click{.key = "home", .value = R"({"n": 1})"};
  if (Status status = (*engine)->Append("clicks", std::span(&click, 1)); !status.ok()) {
    return status;
  }
  if (auto end = (*engine)->RunUntilEnd(false); !end.ok()) return end.status();
  int64_t count = 0;
  {
    auto rows = (*engine)->Query("SELECT n FROM per_page WHERE page = 'home';");
    if (!rows.ok()) return rows.status();
    while (!(*rows)->done()) {
      auto batch = (*rows)->Next(std::chrono::milliseconds(100));
      if (!batch.ok()) return batch.status();
      if (batch->has_value()) count = (*batch)->column(0).values<int64_t>()[0];
    }
  }
  if (Status status = (*engine)->Close(); !status.ok()) return status;
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: embed_directory DIRECTORY\n";
    return 2;
  }
  for (int life = 1; life <= 2; ++life) {
    const Result<int64_t> count = RunOnce(argv[1]);
    if (!count.ok()) {
      std::cerr << count.status().ToString() << '\n';
      return 1;
    }
    std::cout << "life " << life << ": " << *count << " clicks\n";
  }
  return 0;
}
