// A store that cannot be opened or written: in use, not ours, unwritable, full, damaged. Each is
// one clear error, and nothing is overwritten.

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/fault/child_process.h"
#include "tests/fault/temporary_directory.h"
#include "weir/engine.h"

namespace weir::fault {
namespace {

namespace fs = std::filesystem;

Result<std::unique_ptr<Engine>> Open(const std::string& directory,
                                     std::map<std::string, std::string> settings = {}) {
  EngineOptions options;
  options.directory = directory;
  options.settings = std::move(settings);
  return Engine::Open(options);
}

ChildResult Weir(const std::string& directory, const std::string& sql) {
  ChildOptions options;
  options.arguments = {WEIR_PROGRAM, "-d", directory, "-c", sql};
  return RunChild(options);
}

std::string Contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::map<std::string, std::string> ContentsOf(const fs::path& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) {
      files[fs::relative(entry.path(), directory)] = Contents(entry.path());
    }
  }
  return files;
}

std::vector<Record> Records(int from, int count, size_t bytes) {
  std::vector<Record> records(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    records[i].value = fmt::format("{{\"id\":{},\"pad\":\"", from + i);
    uint64_t noise = static_cast<uint64_t>(from + i) * 0x9e3779b97f4a7c15u;
    while (records[i].value->size() < bytes) {
      noise = noise * 6364136223846793005u + 1442695040888963407u;
      records[i].value->push_back(static_cast<char>('a' + (noise >> 40) % 26));
    }
    *records[i].value += "\"}";
    records[i].timestamp_ms = 1000 + i;
  }
  return records;
}

constexpr const char* kStatements = R"sql(
  CREATE STREAM s (id INT, pad VARCHAR) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
  CREATE TABLE counts AS SELECT pad, COUNT(*) AS n FROM s GROUP BY pad EMIT CHANGES;)sql";

// A store with everything: table files and blobs from earlier, a log of what came last.
void MakeStore(const std::string& directory) {
  for (int part = 0; part < 3; ++part) {
    auto engine = Open(directory);
    ASSERT_TRUE(engine.ok()) << engine.status().ToString();
    ASSERT_TRUE((*engine)->Execute(kStatements).ok());
    for (int batch = 0; batch < 10; ++batch) {
      ASSERT_TRUE((*engine)->Append("s", Records((part * 10 + batch) * 20, 20, 400)).ok());
    }
    ASSERT_TRUE((*engine)->RunUntilEnd(false).ok());
    ASSERT_TRUE((*engine)->Close().ok());
  }
}

TEST(StoreDamageTest, SecondProcessNamesTheOwner) {
  TemporaryDirectory directory;
  const std::string store = directory.At("store");
  auto engine = Open(store);
  ASSERT_TRUE(engine.ok());
  const ChildResult second = Weir(store, "SHOW STREAMS;");
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_NE(second.err.find(std::to_string(getpid())), std::string::npos) << second.err;
  EXPECT_TRUE((*engine)->Execute(kStatements).ok());
  engine->reset();
  EXPECT_EQ(Weir(store, "SHOW STREAMS;").exit_code, 0);
}

TEST(StoreDamageTest, ADirectoryOfOtherThingsIsRefused) {
  TemporaryDirectory directory;
  std::ofstream(directory.At("letter.txt")) << "dear";
  const auto before = ContentsOf(directory.path());
  const auto opened = Open(directory.path());
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.status().code(), ErrorCode::kNotAStore);
  EXPECT_EQ(ContentsOf(directory.path()), before);
  const auto file = Open(directory.At("letter.txt"));
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(ContentsOf(directory.path()), before);
}

TEST(StoreDamageTest, AnUnwritableDirectoryIsAnError) {
  // Nobody may write here, not even root.
  auto opened = Open("/proc/weir-store");
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.status().code(), ErrorCode::kStoreIo) << opened.status().ToString();
  EXPECT_NE(opened.status().message().find("/proc/weir-store"), std::string::npos);
  if (geteuid() == 0) return;
  TemporaryDirectory directory;
  ASSERT_EQ(chmod(directory.path().c_str(), 0555), 0);
  opened = Open(directory.path());
  chmod(directory.path().c_str(), 0755);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.status().code(), ErrorCode::kStoreIo) << opened.status().ToString();
}

// Loads until the disk, or what stands for it, is full; all that was acknowledged must be there.
void FillUp(const std::string& store, std::optional<size_t> file_bytes_max,
            const std::function<void()>& make_room) {
  std::string input;
  std::vector<std::string> lines;
  for (const Record& record : Records(0, 60000, 400)) {
    lines.push_back(*record.value);
    input += *record.value + "\n";
  }
  ChildOptions options;
  options.arguments = {WEIR_PROGRAM, "load", "s", "-", "--input-format", "json", "-d", store};
  options.file_bytes_max = file_bytes_max;
  options.input = input;
  const ChildResult load = RunChild(options);
  EXPECT_EQ(load.exit_code, 1) << load.err;
  EXPECT_NE(load.err.find("cannot be written"), std::string::npos) << load.err;
  size_t acknowledged = 0;
  for (size_t at = 0; (at = load.err.find("acknowledged ", at)) != std::string::npos;) {
    at += 13;
    acknowledged = std::stoul(load.err.substr(at));
  }
  make_room();
  auto engine = Open(store);
  ASSERT_TRUE(engine.ok()) << engine.status().ToString();
  const auto records = (*engine)->ReadTopic("s");
  ASSERT_TRUE(records.ok()) << records.status().ToString();
  EXPECT_GT(acknowledged, 0u) << load.err;
  EXPECT_GE(records->size(), acknowledged);
  for (size_t i = 0; i < records->size(); ++i) ASSERT_EQ((*records)[i].value, lines[i]);
  EXPECT_TRUE((*engine)->Append("s", Records(0, 10, 100)).ok());
  std::cout << "acknowledged " << acknowledged << ", there " << records->size() << std::endl;
}

TEST(StoreDamageTest, AFileThatCannotGrowKeepsWhatWasAcknowledged) {
  TemporaryDirectory directory;
  FillUp(directory.At("store"), 10u << 20, [] {});
}

TEST(StoreDamageTest, AFullDiskKeepsWhatWasAcknowledged) {
  TemporaryDirectory directory;
  const std::string disk = directory.At("disk");
  fs::create_directory(disk);
  if (mount("weir-fault", disk.c_str(), "tmpfs", 0, "size=12m") != 0) {
    GTEST_SKIP() << "no small disk can be mounted here";
  }
  FillUp(disk + "/store", std::nullopt,
         [&] { mount("weir-fault", disk.c_str(), "tmpfs", MS_REMOUNT, "size=200m"); });
  umount2(disk.c_str(), MNT_DETACH);
}

// State that leaves memory is lost no less than output when it cannot be written: the query stops,
// and goes on when there is room.
TEST(StoreDamageTest, AJoinOnDiskStopsWhenItCannotBeWrittenAndGoesOn) {
  TemporaryDirectory directory;
  const std::string store = directory.At("store");
  constexpr int kRows = 20'000;
  for (const char* name : {"l", "r"}) {
    std::ofstream lines(directory.At(std::string(name) + ".ndjson"));
    for (const Record& record : Records(0, kRows, 150)) lines << *record.value << '\n';
  }
  std::string sql;
  for (const char* name : {"l", "r"}) {
    sql += fmt::format(
        "CREATE STREAM {0} (id INT, pad VARCHAR) WITH (CONNECTOR='file', "
        "PATH='{1}', VALUE_FORMAT='JSON');\n",
        name, directory.At(std::string(name) + ".ndjson"));
  }
  sql +=
      "CREATE STREAM j WITH (KAFKA_TOPIC='j') AS SELECT l.id AS id, l.pad AS a, r.pad AS b FROM "
      "l JOIN r WITHIN 10 DAYS GRACE PERIOD 1 HOUR ON l.id = r.id EMIT CHANGES;\n";
  std::ofstream(directory.At("join.sql")) << sql;
  ChildOptions options;
  options.arguments = {
      WEIR_PROGRAM, "-d", store, "-S", "test.state.spills=true", "run", directory.At("join.sql"),
      "--until-end"};
  options.file_bytes_max = 4u << 20;
  const ChildResult stopped = RunChild(options);
  EXPECT_EQ(stopped.exit_code, 1) << stopped.err;
  EXPECT_NE(stopped.err.find("cannot be written"), std::string::npos) << stopped.err;
  EXPECT_NE(stopped.err.find("CSAS_J"), std::string::npos) << stopped.err;
  auto engine = Open(store);
  ASSERT_TRUE(engine.ok()) << engine.status().ToString();
  const auto end = (*engine)->RunUntilEnd(false);
  ASSERT_TRUE(end.ok()) << end.status().ToString();
  EXPECT_EQ((*engine)->ReadTopic("j")->size(), static_cast<size_t>(kRows));
}

// Rows on disk are not looked at before they are needed. What is damaged then stops its query.
TEST(StoreDamageTest, ADamagedBlockOfAJoinStopsItsQueryOnly) {
  TemporaryDirectory directory;
  const std::string store = directory.At("store");
  const std::map<std::string, std::string> spills = {{"test.state.spills", "true"}};
  constexpr int kRows = 20'000;
  for (int opening = 0; opening < 2; ++opening) {  // The second one writes tables out of the log.
    auto engine = Open(store, spills);
    ASSERT_TRUE(engine.ok()) << engine.status().ToString();
    if (opening == 1) break;
    ASSERT_TRUE((*engine)
                    ->Execute(R"sql(
      CREATE STREAM l (id INT, pad VARCHAR)
        WITH (KAFKA_TOPIC='l', VALUE_FORMAT='JSON', PARTITIONS=1);
      CREATE STREAM r (id INT, pad VARCHAR)
        WITH (KAFKA_TOPIC='r', VALUE_FORMAT='JSON', PARTITIONS=1);
      CREATE STREAM j WITH (KAFKA_TOPIC='j') AS SELECT l.id AS id, l.pad AS a, r.pad AS b
        FROM l JOIN r WITHIN 10 DAYS GRACE PERIOD 1 HOUR ON l.id = r.id EMIT CHANGES;
      CREATE STREAM o WITH (KAFKA_TOPIC='o') AS SELECT id FROM r EMIT CHANGES;)sql")
                    .ok());
    ASSERT_TRUE((*engine)->Append("l", Records(0, kRows, 150)).ok());
    ASSERT_TRUE((*engine)->RunUntilEnd(false).ok());
  }
  fs::path largest;
  for (const auto& entry : fs::directory_iterator(store + "/db")) {
    if (entry.path().extension() != ".sst") continue;
    if (largest.empty() || entry.file_size() > fs::file_size(largest)) largest = entry.path();
  }
  ASSERT_FALSE(largest.empty());
  const auto bytes = static_cast<std::streamoff>(fs::file_size(largest));
  std::fstream file(largest, std::ios::in | std::ios::out | std::ios::binary);
  for (std::streamoff at = bytes / 4; at < bytes / 4 * 3; at += 2048) {
    file.seekp(at);
    file << "damaged damaged damaged";
  }
  file.close();
  auto engine = Open(store, spills);
  ASSERT_TRUE(engine.ok()) << engine.status().ToString();
  ASSERT_TRUE((*engine)->Append("r", Records(kRows / 2 - 500, 1000, 50)).ok());
  const auto end = (*engine)->RunUntilEnd(false);
  ASSERT_FALSE(end.ok());
  EXPECT_NE(end.status().message().find("CSAS_J"), std::string::npos) << end.status().ToString();
  EXPECT_NE(end.status().message().find("damaged"), std::string::npos) << end.status().ToString();
  EXPECT_NE(end.status().message().find("(store "), std::string::npos) << end.status().ToString();
  for (const QueryMetrics& query : (*engine)->Metrics().queries) {
    EXPECT_EQ(query.state, query.query_id == "CSAS_J" ? "ERROR" : "RUNNING") << query.query_id;
  }
  ASSERT_TRUE((*engine)->Execute("DROP STREAM j;").ok());
  ASSERT_TRUE((*engine)->RunUntilEnd(false).ok());
  EXPECT_EQ((*engine)->ReadTopic("o")->size(), 1000u);
}

// What a process leaves that is killed: its files as they are, while it still runs.
fs::path CopyOfRunning(const std::string& store, const std::string& to) {
  fs::copy(store, to, fs::copy_options::recursive);
  return to;
}

fs::path NewestLog(const fs::path& store) {
  fs::path newest;
  for (const auto& entry : fs::directory_iterator(store / "db")) {
    if (entry.path().extension() == ".log" && entry.path() > newest) newest = entry.path();
  }
  return newest;
}

// A database without its last log is one of earlier; what was acknowledged since may not be missed
// without a word.
TEST(StoreDamageTest, ALogThatIsLostOrCutShortIsTold) {
  TemporaryDirectory directory;
  const std::string store = directory.At("store");
  auto engine = Open(store);
  ASSERT_TRUE(engine.ok());
  ASSERT_TRUE((*engine)->Execute(kStatements).ok());
  for (int batch = 0; batch < 10; ++batch) {
    ASSERT_TRUE((*engine)->Append("s", Records(batch * 20, 20, 400)).ok());
  }
  ASSERT_TRUE((*engine)->RunUntilEnd(false).ok());
  const fs::path whole = CopyOfRunning(store, directory.At("whole"));
  const std::vector<std::pair<std::string, std::function<void(const fs::path&)>>> damages = {
      {"removed", [](const fs::path& log) { fs::remove(log); }},
      {"emptied", [](const fs::path& log) { fs::resize_file(log, 0); }},
      {"halved", [](const fs::path& log) { fs::resize_file(log, fs::file_size(log) / 2); }},
      {"clipped", [](const fs::path& log) { fs::resize_file(log, fs::file_size(log) - 3); }}};
  for (const auto& [name, damage] : damages) {
    SCOPED_TRACE(name);
    const fs::path copy = CopyOfRunning(store, directory.At(name));
    damage(NewestLog(copy));
    const auto before = ContentsOf(copy / "db");
    const auto opened = Open(copy);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.status().code(), ErrorCode::kStoreCorrupt) << opened.status().ToString();
    EXPECT_NE(opened.status().message().find("cut short"), std::string::npos)
        << opened.status().ToString();
    EXPECT_EQ(ContentsOf(copy / "db"), before);
    std::cout << opened.status().ToString() << std::endl;
    // Whoever says so goes on with what is left.
    fs::remove(copy / "weir.written");
    EXPECT_TRUE(Open(copy).ok());
  }
  auto again = Open(whole);
  ASSERT_TRUE(again.ok()) << again.status().ToString();
  EXPECT_EQ((*again)->ReadTopic("s")->size(), 200u);
}

struct Damage {
  const char* name;
  const char* pattern;  // A part of the file's name.
  double place;         // Of the damaged bytes, as a part of the file.
};

class DamageTest : public ::testing::TestWithParam<Damage> {};

TEST_P(DamageTest, IsAClearErrorAndNothingIsOverwritten) {
  const Damage& damage = GetParam();
  TemporaryDirectory directory;
  const std::string store = directory.At("store");
  ASSERT_NO_FATAL_FAILURE(MakeStore(store));
  std::vector<fs::path> damaged;
  for (const auto& entry : fs::recursive_directory_iterator(store)) {
    const std::string name = entry.path().filename();
    if (!entry.is_regular_file() || name.find(damage.pattern) == std::string::npos) continue;
    if (entry.file_size() < 8) continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    const auto at =
        static_cast<std::streamoff>(damage.place * static_cast<double>(entry.file_size()));
    // More than a blob's header and key, which are not needed to read the blob.
    char bytes[96] = {};
    file.seekg(at);
    file.read(bytes, sizeof(bytes));
    const std::streamsize there = file.gcount();
    for (char& byte : bytes) byte = static_cast<char>(~byte);
    file.clear();
    file.seekp(at);
    file.write(bytes, there);
    damaged.push_back(entry.path());
  }
  ASSERT_FALSE(damaged.empty()) << "the store has no file like " << damage.pattern;
  const auto before = ContentsOf(store);

  // Opening finds it, or reading everything does.
  Status status;
  {
    auto engine = Open(store);
    status = engine.status();
    for (const char* topic : {"s", "COUNTS"}) {
      if (!status.ok()) break;
      status = (*engine)->ReadTopic(topic).status();
    }
    if (status.ok()) {
      const auto end = (*engine)->RunUntilEnd(false);
      if (!end.ok()) status = end.status();
    }
  }
  ASSERT_FALSE(status.ok());
  EXPECT_TRUE(status.code() == ErrorCode::kStoreCorrupt || status.code() == ErrorCode::kQueryFailed)
      << status.ToString();
  std::cout << status.ToString() << std::endl;
  const auto after = ContentsOf(store);
  for (const fs::path& path : damaged) {
    const std::string name = fs::relative(path, store);
    ASSERT_TRUE(after.contains(name)) << name << " is gone";
    EXPECT_EQ(after.at(name), before.at(name)) << name << " was changed";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Files, DamageTest,
    ::testing::Values(Damage{"Marker", "weir.store", 0.1}, Damage{"Current", "CURRENT", 0.3},
                      Damage{"Manifest", "MANIFEST", 0.3}, Damage{"LogBegin", ".log", 0.01},
                      Damage{"LogMiddle", ".log", 0.5}, Damage{"TableBegin", ".sst", 0.05},
                      Damage{"Blob", ".blob", 0.5}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace weir::fault
