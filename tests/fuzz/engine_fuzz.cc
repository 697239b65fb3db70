// Any statements on an engine in memory, with records flowing through the queries they make: each
// gives a result or an error of its own, never a crash nor an internal error.
//
// The driver runs golden SQL tests block by block, statements mutated token by token: words change
// places with words, numbers with numbers, and so on, so that many mutants still mean something.

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "exec/engine/engine_impl.h"

namespace weir::fuzz {
namespace {

class StoppedClock : public Clock {
 public:
  int64_t NowMs() const override { return 1'700'000'000'000; }
};

[[noreturn]] void Broken(std::string_view input, const Status& status) {
  std::fprintf(stderr, "an internal error\ninput: %.*s\n%s\n", static_cast<int>(input.size()),
               input.data(), status.ToString().c_str());
  std::abort();
}

// An engine that runs nothing by itself, and how far each query has been fed.
class FuzzedEngine {
 public:
  FuzzedEngine() {
    EngineOptions options;
    options.clock = std::make_shared<StoppedClock>();
    options.threads = 1;
    Result<std::unique_ptr<EngineImpl>> made = EngineImpl::Make(std::move(options), true);
    if (!made.ok()) Broken("", made.status());
    engine_ = std::move(*made);
  }

  bool Execute(std::string_view sql) {
    auto on_cursor = [&](std::string_view, Cursor& cursor) {
      if (std::shared_ptr<QueryRuntime> push = engine_->last_transient();
          cursor.is_push() && push) {
        (void)Feed(sql, *push, "push");
      }
      for (int i = 0; i < 3 && !cursor.done(); ++i) {
        Result<std::optional<Batch>> batch = cursor.Next(std::chrono::milliseconds(0));
        if (!batch.ok()) return std::move(batch).status();
        if (*batch) ReadAll(**batch);
      }
      cursor.Cancel();
      ForgetPush();
      return OkStatus();
    };
    const Result<std::vector<StatementResult>> done = engine_->Execute(sql, on_cursor, {});
    if (!done.ok()) Check(sql, done.status());
    return done.ok();
  }

  /// Adds a record to the topic of source or topic `name` and feeds all queries.
  void Append(std::string_view name, Record record) {
    std::string topic(name);
    for (const SourceInfo& source : engine_->Sources()) {
      if (std::equal(source.name.begin(), source.name.end(), name.begin(), name.end(),
                     [](char a, char b) { return std::toupper(a) == std::toupper(b); })) {
        topic = source.topic;
      }
    }
    if (!engine_->CreateTopic(topic, 1, true).ok()) return;
    Check(name, engine_->Append(topic, std::span(&record, 1)));
  }

  /// Feeds what topics hold to the queries, in their order; false if one fails.
  bool FeedAll(std::string_view input) {
    for (RunningQuery& query : engine_->running()) {
      if (query.runtime == nullptr || query.runtime->state() != QueryRuntime::State::kRunning) {
        continue;
      }
      Status status = Feed(input, *query.runtime, query.id);
      if (status.ok()) status = query.runtime->Commit();
      Check(input, status);
      if (!status.ok()) return false;
    }
    return true;
  }

 private:
  static void Check(std::string_view input, const Status& status) {
    if (status.code() == ErrorCode::kInternal) Broken(input, status);
  }

  static void ReadAll(const Batch& batch) {
    for (int column = 0; column < batch.column_count(); ++column) {
      for (int32_t row = 0; row < batch.row_count(); ++row) (void)batch.column(column).ToText(row);
    }
  }

  void ForgetPush() {
    std::erase_if(fed_, [](const auto& entry) { return std::get<0>(entry.first) == "push"; });
  }

  Status Feed(std::string_view input, QueryRuntime& query, const std::string& id) {
    Broker& broker = engine_->broker();
    for (const std::string& topic : query.source_topics()) {
      Result<std::vector<int64_t>> ends = broker.EndOffsets(topic);
      if (!ends.ok()) continue;
      Result<std::unique_ptr<ReadSession>> session = broker.OpenReadSession("fuzz");
      for (size_t partition = 0; partition < ends->size(); ++partition) {
        int64_t& next = fed_[{id, topic, partition}];
        if (next >= (*ends)[partition]) continue;
        const StartPosition start{StartPosition::Kind::kOffset, next};
        auto reader = (*session)->Open(topic, static_cast<int32_t>(partition), start);
        if (!reader.ok()) continue;
        RecordBatch batch;
        Status status = (*reader)->Fetch(1000, 1 << 20, batch);
        next = (*ends)[partition];
        if (status.ok() && batch.size() > 0) status = query.Inject(topic, batch);
        Check(input, status);
        if (!status.ok()) return status;
      }
    }
    return OkStatus();
  }

  std::unique_ptr<EngineImpl> engine_;
  std::map<std::tuple<std::string, std::string, size_t>, int64_t> fed_;
};

}  // namespace
}  // namespace weir::fuzz

#ifdef WEIR_LIBFUZZER
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  weir::fuzz::FuzzedEngine engine;
  engine.Execute({reinterpret_cast<const char*>(data), size});
  return 0;
}
#else

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

namespace {

using Random = std::mt19937_64;

size_t Below(Random& random, size_t bound) { return bound == 0 ? 0 : random() % bound; }

/// A block of a golden test: SQL, or records of a topic.
struct Block {
  std::string sql;
  std::string topic;
  std::vector<weir::Record> records;
};
using TestFile = std::vector<Block>;

std::string Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1));
}

std::optional<weir::Record> ParseRecord(const std::string& line) {
  const size_t first = line.find('|');
  const size_t second = first == std::string::npos ? first : line.find('|', first + 1);
  if (second == std::string::npos) return std::nullopt;
  weir::Record record;
  record.timestamp_ms = std::strtoll(line.c_str(), nullptr, 10);
  const std::string key = Trim(std::string_view(line).substr(first + 1, second - first - 1));
  const std::string value = Trim(std::string_view(line).substr(second + 1));
  if (key != "NULL") record.key = key;
  if (value != "NULL") record.value = value;
  return record;
}

TestFile ReadTest(const std::filesystem::path& path) {
  TestFile file;
  std::ifstream in(path);
  std::string line;
  enum class In { kNothing, kSql, kRecords } where = In::kNothing;
  while (std::getline(in, line)) {
    if (line.empty() || line.starts_with("----")) {
      where = In::kNothing;
    } else if (where == In::kNothing && line.starts_with("input ")) {
      where = In::kRecords;
      std::istringstream words(line.substr(6));
      file.emplace_back();
      words >> file.back().topic;
    } else if (where == In::kNothing &&
               (line.starts_with("statement") || line.starts_with("query"))) {
      where = In::kSql;
      file.emplace_back();
    } else if (where == In::kSql) {
      file.back().sql += line + "\n";
    } else if (where == In::kRecords) {
      if (auto record = ParseRecord(line)) file.back().records.push_back(std::move(*record));
    }
  }
  return file;
}

/// What a token is, so that it is replaced by one of its kind: a letter, '0', '\'' or the symbol.
char KindOf(const std::string& token) {
  const auto c = static_cast<unsigned char>(token[0]);
  if (std::isalpha(c) || c == '_' || c == '`') return 'a';
  return std::isdigit(c) ? '0' : token[0] == '\'' ? '\'' : ',';
}

std::vector<std::string> Tokens(std::string_view sql) {
  std::vector<std::string> tokens;
  size_t i = 0;
  auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  while (i < sql.size()) {
    const size_t begin = i;
    if (std::isspace(static_cast<unsigned char>(sql[i]))) {
      ++i;
      continue;
    }
    if (sql[i] == '\'' || sql[i] == '`') {
      i = std::min(sql.find(sql[begin], i + 1), sql.size() - 1) + 1;
    } else if (is_word(sql[i])) {
      while (i < sql.size() && is_word(sql[i])) ++i;
    } else {
      ++i;
      if (i < sql.size() && std::string_view("->=>!=<=>=").find(sql.substr(begin, 2)) % 2 == 0) ++i;
    }
    tokens.emplace_back(sql.substr(begin, i - begin));
  }
  return tokens;
}

std::string MutateSql(std::string_view sql, const std::vector<std::string>& near,
                      const std::vector<std::string>& all, Random& random) {
  std::vector<std::string> tokens = Tokens(sql);
  const size_t changes = 1 + Below(random, 3);
  for (size_t change = 0; change < changes && !tokens.empty(); ++change) {
    const size_t at = Below(random, tokens.size());
    const std::vector<std::string>& pool = random() % 3 == 0 ? all : near;
    switch (random() % 8) {
      case 0: std::swap(tokens[at], tokens[Below(random, tokens.size())]); break;
      case 1: tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(at)); break;
      case 2:
        tokens.insert(tokens.begin() + static_cast<std::ptrdiff_t>(at),
                      pool[Below(random, pool.size())]);
        break;
      default:
        for (int attempt = 0; attempt < 50; ++attempt) {
          const std::string& other = pool[Below(random, pool.size())];
          if (KindOf(other) != KindOf(tokens[at]) || other == tokens[at]) continue;
          tokens[at] = other;
          break;
        }
    }
  }
  std::string text;
  for (const std::string& token : tokens) text += (text.empty() ? "" : " ") + token;
  return text;
}

void MutateRecord(weir::Record& record, Random& random) {
  if (!record.value || record.value->empty()) return;
  std::string& value = *record.value;
  const size_t at = Below(random, value.size());
  switch (random() % 4) {
    case 0: value.erase(at, 1 + Below(random, 5)); break;
    case 1: value[at] = static_cast<char>(random()); break;
    case 2: record.value.reset(); break;
    default:
      // Past the last time the first one follows.
      *record.timestamp_ms = static_cast<int64_t>(static_cast<uint64_t>(*record.timestamp_ms) +
                                                  random() % 2'000'000 - 1'000'000);
  }
}

std::vector<TestFile> ReadTests(const char* folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".test") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<TestFile> files;
  for (const std::filesystem::path& path : paths) {
    files.push_back(ReadTest(path));
    if (files.back().empty()) files.pop_back();
  }
  return files;
}

class Driver {
 public:
  explicit Driver(std::vector<TestFile> files) : files_(std::move(files)) {
    for (const TestFile& file : files_) {
      for (const Block& block : file) Collect(block, all_);
    }
  }
  bool empty() const { return all_.empty(); }

  void RunOne() {
    const TestFile& file = files_[Below(random_, files_.size())];
    std::vector<std::string> near;
    for (const Block& block : file) Collect(block, near);
    weir::fuzz::FuzzedEngine engine;
    for (const Block& block : file) {
      std::string sql = block.sql;
      if (!sql.empty()) {
        // Where the mutant fails, what stands in the test goes on.
        if (random_() % 2 == 0) sql = MutateSql(sql, near, all_, random_);
        if (!Execute(engine, sql) && sql != block.sql) Execute(engine, block.sql);
      }
      for (weir::Record record : block.records) {
        if (random_() % 8 == 0) MutateRecord(record, random_);
        ++records;
        engine.Append(block.topic, std::move(record));
      }
      if (!engine.FeedAll(sql)) return;
    }
  }

  uint64_t statements = 0;
  uint64_t accepted = 0;
  uint64_t records = 0;
  static constexpr uint64_t kSeed = 20240611;

 private:
  bool Execute(weir::fuzz::FuzzedEngine& engine, const std::string& sql) {
    if (std::getenv("WEIR_FUZZ_TRACE") != nullptr) std::fprintf(stderr, "> %s\n", sql.c_str());
    ++statements;
    const bool done = engine.Execute(sql);
    accepted += done ? 1 : 0;
    return done;
  }

  static void Collect(const Block& block, std::vector<std::string>& out) {
    for (std::string& token : Tokens(block.sql)) out.push_back(std::move(token));
  }

  const std::vector<TestFile> files_;
  std::vector<std::string> all_;
  Random random_{kSeed};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const uint64_t executions = std::strtoull(argv[2], nullptr, 10);
  std::vector<TestFile> files = ReadTests(argv[1]);
  const size_t count = files.size();
  // Statements may name files; what they make of them stays here.
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() /
      ("weir_engine_fuzz_" + std::to_string(std::random_device{}()));
  std::filesystem::create_directory(folder);
  std::filesystem::current_path(folder);
  Driver driver(std::move(files));
  if (driver.empty()) return 2;
  while (driver.statements < executions) driver.RunOne();
  std::filesystem::current_path(folder.parent_path());
  std::filesystem::remove_all(folder);
  std::printf(
      "engine_fuzz: %zu tests in the corpus, %llu executions, %llu statements accepted, "
      "%llu records, seed %llu\n",
      count, static_cast<unsigned long long>(driver.statements),
      static_cast<unsigned long long>(driver.accepted),
      static_cast<unsigned long long>(driver.records),
      static_cast<unsigned long long>(Driver::kSeed));
  return 0;
}
#endif
