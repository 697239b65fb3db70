#include "shell/test/golden_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/letter_case.h"
#include "base/status_macros.h"
#include "base/text_file.h"
#include "parser/source_text.h"
#include "shell/statement_text.h"
#include "shell/test/golden_compare.h"
#include "shell/test/record_text.h"

namespace weir::shell {
namespace {

constexpr int kSpreadPartitions = 4;
constexpr int kSpreadThreads = 2;
constexpr size_t kSpilledRows = 3;
constexpr std::chrono::milliseconds kGoldenCursorWait(100);

class ManualClock : public Clock {
 public:
  int64_t NowMs() const override { return now_ms_; }
  void Set(int64_t now_ms) { now_ms_ = now_ms; }

 private:
  std::atomic<int64_t> now_ms_{0};
};

/// A directory of its own under the system's temporary one, removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "weir-test-XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

int64_t MetricOf(const EngineMetrics& metrics, const std::string& name) {
  int64_t total = 0;
  for (const QueryMetrics& query : metrics.queries) {
    if (name == "late_rows_dropped") total += query.late_rows_dropped;
    if (name == "records_in") total += query.records_in;
    if (name == "records_out") total += query.records_out;
    const auto dropped = query.dropped.find(name);
    if (dropped != query.dropped.end()) total += dropped->second;
  }
  return total;
}

/// One run of a file in one way.
class GoldenRun {
 public:
  GoldenRun(const GoldenFile& file, GoldenWay way, const EngineOpener& open_engine)
      : file_(file), way_(way), open_engine_(open_engine) {
    for (const GoldenBlock& block : file.blocks) {
      if (block.kind == BlockKind::kMetric) metric_base_[block.subject] = 0;
    }
  }

  Status Open() {
    EngineOptions options;
    options.clock = clock_;
    options.threads = way_ == GoldenWay::kSpread ? kSpreadThreads : 1;
    options.settings["cache.max.bytes.buffering"] = "0";
    options.settings["persistence.default.format.value"] = "JSON";
    options.settings["test.check.edges"] = "true";
    if (!file_.pins_partitions) {
      options.settings["test.partitions.override"] =
          std::to_string(way_ == GoldenWay::kSpread ? kSpreadPartitions : 1);
    }
    if (way_ == GoldenWay::kSpilled) options.settings["test.state.spills"] = "true";
    if (way_ == GoldenWay::kRestart) options.directory = directory_.path();
    WEIR_ASSIGN_OR_RETURN(engine_, open_engine_(std::move(options)));
    for (const std::string& sql : session_) WEIR_RETURN_IF_ERROR(engine_->Execute(sql).status());
    return OkStatus();
  }

  /// What differs from the file in this block, or nothing. Fills `actual` with lines that would be
  /// right, for --update.
  std::string RunBlock(const GoldenBlock& block, std::vector<std::string>* actual) {
    switch (block.kind) {
      case BlockKind::kStatementOk: return RunStatementOk(block);
      case BlockKind::kStatementError: return RunStatementError(block);
      case BlockKind::kStatementPlan: return RunStatementPlan(block, actual);
      case BlockKind::kInput: return TextOf(FeedRows(block));
      case BlockKind::kOutput: return CheckOutput(block, actual);
      case BlockKind::kQuery: return CheckQuery(block, actual);
      case BlockKind::kSameAs: return CheckSameAs(block);
      case BlockKind::kMetric: return CheckMetric(block, actual);
      case BlockKind::kCloseWindows: return TextOf(engine_->RunUntilEnd(true).status());
      case BlockKind::kClock: clock_->Set(block.number); return {};
    }
    return {};
  }

 private:
  static std::string TextOf(const Status& status) {
    return status.ok() ? std::string() : status.ToString();
  }

  Status Settle() { return engine_->RunUntilEnd(false).status(); }

  Status Restart() {
    for (auto& [name, value] : metric_base_) value += MetricOf(engine_->Metrics(), name);
    WEIR_RETURN_IF_ERROR(engine_->Close());
    engine_.reset();
    return Open();
  }

  std::string RunStatementOk(const GoldenBlock& block) {
    const std::string word = FirstWord(block.sql);
    const bool session = word == "SET" || word == "UNSET" || word == "DEFINE" || word == "UNDEFINE";
    Result<std::vector<StatementResult>> results = engine_->Execute(block.sql);
    if (results.ok() && session) session_.push_back(block.sql);
    return TextOf(results.status());
  }

  std::string RunStatementError(const GoldenBlock& block) {
    Result<std::vector<std::string>> rows = Rows(block.sql);
    if (rows.ok()) return fmt::format("expected error {}, but it went through", block.number);
    const Status& status = rows.status();
    if (static_cast<int64_t>(status.code()) != block.number) {
      return fmt::format("expected error {}, got:\n{}", block.number, status.ToString());
    }
    for (const std::string& part : block.expected) {
      if (status.message().find(part) != std::string::npos) continue;
      if (status.hint().find(part) != std::string::npos) continue;
      return fmt::format("the error does not say \"{}\":\n{}", part, status.ToString());
    }
    return {};
  }

  std::string RunStatementPlan(const GoldenBlock& block, std::vector<std::string>* actual) {
    Result<std::vector<std::string>> rows =
        Rows(fmt::format("EXPLAIN {} {}", ToUpper(block.subject), block.sql));
    if (!rows.ok()) return TextOf(rows.status());
    for (const std::string& text : *rows) AppendLines(text, actual);
    return *actual == block.expected ? std::string() : Difference(block.expected, *actual);
  }

  static void AppendLines(std::string_view text, std::vector<std::string>* lines) {
    while (!text.empty()) {
      const size_t end = text.find('\n');
      const std::string_view line = WithoutBlanksAtEnd(text.substr(0, end));
      if (!line.empty()) lines->emplace_back(line);
      text = end == text.npos ? std::string_view() : text.substr(end + 1);
    }
  }

  static std::string_view WithoutBlanksAtEnd(std::string_view text) {
    return text.substr(0, text.find_last_not_of(" \r") + 1);
  }

  const SourceInfo* FindSource(const std::string& name) {
    sources_ = engine_->Sources();
    const std::string upper = FoldName(name);
    for (const SourceInfo& source : sources_) {
      if (source.name == name || source.name == upper) return &source;
    }
    for (const SourceInfo& source : sources_) {
      if (source.topic == name) return &source;
    }
    return nullptr;
  }

  Status FeedRows(const GoldenBlock& block) {
    const SourceInfo* source = FindSource(block.subject);
    const std::string topic = source != nullptr ? source->topic : block.subject;
    std::vector<Record> records;
    for (const GoldenRow& row : block.rows) {
      WEIR_ASSIGN_OR_RETURN(Record record, MakeRecord(row, source));
      records.push_back(std::move(record));
    }
    if (way_ == GoldenWay::kWhole || way_ == GoldenWay::kSpread) {
      WEIR_RETURN_IF_ERROR(engine_->Append(topic, records));
      return Settle();
    }
    const size_t step = way_ == GoldenWay::kSpilled ? kSpilledRows : 1;
    for (size_t from = 0; from < records.size(); from += step) {
      const size_t count = std::min(step, records.size() - from);
      WEIR_RETURN_IF_ERROR(engine_->Append(topic, std::span(records).subspan(from, count)));
      // Reads all and commits.
      WEIR_RETURN_IF_ERROR(Settle());
      if (way_ == GoldenWay::kRestart) WEIR_RETURN_IF_ERROR(Restart());
    }
    return OkStatus();
  }

  std::string CheckOutput(const GoldenBlock& block, std::vector<std::string>* actual) {
    if (Status status = Settle(); !status.ok()) return TextOf(status);
    const SourceInfo* source = FindSource(block.subject);
    const std::string topic = source != nullptr ? source->topic : block.subject;
    Result<std::vector<TopicRecord>> records = engine_->ReadTopic(topic);
    if (!records.ok()) return TextOf(records.status());
    std::vector<GoldenRow> rows;
    std::map<int32_t, int64_t>& seen = seen_[topic];
    for (const TopicRecord& record : *records) {
      int64_t& next = seen[record.partition.value_or(0)];
      if (block.mode != OutputMode::kFinal && record.offset < next) continue;
      next = std::max(next, record.offset + 1);
      rows.push_back(MakeRow(record, source));
    }
    if (block.mode == OutputMode::kFinal) rows = LastOfEachKey(rows);
    *actual = FormatRows(rows);
    return CompareRows(block.rows, rows, MatchOf(block.mode, source));
  }

  /// Spread over partitions, what a query gives is told by its last rows (a table) or by its rows
  /// without their order (a stream): rows of several partitions meet in any order.
  RowsMatch MatchOf(OutputMode mode, const SourceInfo* source) const {
    if (mode == OutputMode::kFinal) return RowsMatch::kLastOfKeys;
    if (way_ == GoldenWay::kSpread) {
      const bool table = source != nullptr && source->is_table;
      return table ? RowsMatch::kLastOfKeys : RowsMatch::kAnyOrder;
    }
    return mode == OutputMode::kOrdered ? RowsMatch::kOrdered : RowsMatch::kByKey;
  }

  /// What a statement gives, row by row as text: of a cursor, or of a list such as SHOW.
  Result<std::vector<std::string>> Rows(const std::string& sql) {
    std::vector<std::string> rows;
    const auto take_batch = [&rows](const Batch& batch, bool show_ops) {
      for (int32_t row = 0; row < batch.row_count(); ++row) {
        std::string line;
        if (show_ops) line = OpText(OpOf(batch, row));
        for (int i = 0; i < batch.column_count(); ++i) {
          if (!line.empty() || i > 0) line += " | ";
          line += batch.column(i).ToText(row);
        }
        line.resize(WithoutBlanksAtEnd(line).size());
        rows.push_back(std::move(line));
      }
    };
    const auto on_cursor = [&take_batch](std::string_view, Cursor& cursor) -> Status {
      while (!cursor.done()) {
        WEIR_ASSIGN_OR_RETURN(const std::optional<Batch> batch, cursor.Next(kGoldenCursorWait));
        if (batch) {
          take_batch(*batch, cursor.is_changelog() || !batch->ops().empty());
        } else if (cursor.caught_up()) {
          break;
        }
      }
      return OkStatus();
    };
    const auto on_result = [&take_batch](const StatementResult& result) {
      if (result.rows != nullptr) take_batch(*result.rows, false);
    };
    WEIR_RETURN_IF_ERROR(engine_->Execute(sql, on_cursor, on_result).status());
    return rows;
  }

  std::string CheckQuery(const GoldenBlock& block, std::vector<std::string>* actual) {
    if (Status status = Settle(); !status.ok()) return TextOf(status);
    Result<std::vector<std::string>> rows = Rows(block.sql);
    if (!rows.ok()) return TextOf(rows.status());
    *actual = *rows;
    std::vector<std::string> expected = block.expected;
    if (!block.ordered) {
      std::sort(expected.begin(), expected.end());
      std::sort(rows->begin(), rows->end());
    }
    const bool same =
        std::equal(expected.begin(), expected.end(), rows->begin(), rows->end(),
                   [](const std::string& a, const std::string& b) { return SameText(a, b); });
    return same ? std::string() : Difference(expected, *rows);
  }

  std::string CheckSameAs(const GoldenBlock& block) {
    if (Status status = Settle(); !status.ok()) return TextOf(status);
    Result<std::vector<std::string>> first = Rows(block.sql);
    Result<std::vector<std::string>> second = Rows(block.other_sql);
    if (!first.ok()) return TextOf(first.status());
    if (!second.ok()) return TextOf(second.status());
    std::sort(first->begin(), first->end());
    std::sort(second->begin(), second->end());
    return *first == *second ? std::string() : Difference(*first, *second);
  }

  std::string CheckMetric(const GoldenBlock& block, std::vector<std::string>* actual) {
    if (Status status = Settle(); !status.ok()) return TextOf(status);
    const int64_t value = metric_base_[block.subject] + MetricOf(engine_->Metrics(), block.subject);
    actual->push_back(fmt::format("metric {} {}", block.subject, value));
    if (value == block.number) return {};
    return fmt::format("{} is {}, expected {}", block.subject, value, block.number);
  }

  const GoldenFile& file_;
  const GoldenWay way_;
  const EngineOpener& open_engine_;
  const std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  TemporaryDirectory directory_;
  std::unique_ptr<Engine> engine_;
  std::vector<std::string> session_;  ///< SET and DEFINE, which a restart forgets.
  std::vector<SourceInfo> sources_;
  std::map<std::string, int64_t> metric_base_;              ///< Counted before the last restart.
  std::map<std::string, std::map<int32_t, int64_t>> seen_;  ///< Next offset by topic, partition.
};

/// The lines of the file with the expected part of each block replaced; unchanged lines keep their
/// comments.
class Updater {
 public:
  explicit Updater(std::vector<std::string> lines) : lines_(std::move(lines)) {}

  void Replace(const GoldenBlock& block, const std::vector<std::string>& lines) {
    edits_.emplace_back(&block, lines);
  }

  void Write(const std::string& path) const {
    std::vector<std::string> lines = lines_;
    for (auto edit = edits_.rbegin(); edit != edits_.rend(); ++edit) {
      const auto& [block, fresh] = *edit;
      const auto begin = lines.begin() + static_cast<ptrdiff_t>(block->expected_begin);
      const auto end = lines.begin() + static_cast<ptrdiff_t>(block->expected_end);
      const auto at = lines.erase(begin, end);
      lines.insert(at, fresh.begin(), fresh.end());
    }
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    for (const std::string& line : lines) out << line << '\n';
  }

 private:
  std::vector<std::string> lines_;
  std::vector<std::pair<const GoldenBlock*, std::vector<std::string>>> edits_;
};

/// The tests of a file: one of a .test, one a section of a page in Markdown.
Result<std::vector<GoldenFile>> ReadGoldenFiles(const std::string& path) {
  WEIR_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
  if (path.ends_with(".md")) return ParseGoldenPage(text);
  WEIR_ASSIGN_OR_RETURN(GoldenFile file, ParseGoldenFile(text));
  std::vector<GoldenFile> files;
  files.push_back(std::move(file));
  return files;
}

/// Runs the file in one way; nothing if all blocks hold, else where and what differs.
std::string RunWay(const GoldenFile& file, GoldenWay way, const EngineOpener& open_engine,
                   Updater* updater) {
  GoldenRun run(file, way, open_engine);
  if (Status status = run.Open(); !status.ok()) return status.ToString();
  for (const GoldenBlock& block : file.blocks) {
    std::vector<std::string> actual;
    const std::string difference = run.RunBlock(block, &actual);
    if (difference.empty()) continue;
    const bool rewritable = block.kind == BlockKind::kOutput || block.kind == BlockKind::kQuery ||
                            block.kind == BlockKind::kMetric ||
                            block.kind == BlockKind::kStatementPlan;
    if (updater == nullptr || !rewritable || (actual.empty() && block.expected_begin == 0)) {
      return fmt::format("line {}: {}", block.line, difference);
    }
    updater->Replace(block, actual);
  }
  return {};
}

}  // namespace

std::string_view GoldenWayName(GoldenWay way) {
  switch (way) {
    case GoldenWay::kWhole: return "whole";
    case GoldenWay::kRowByRow: return "row_by_row";
    case GoldenWay::kRestart: return "restart";
    case GoldenWay::kSpread: return "spread";
    case GoldenWay::kSpilled: return "spilled";
  }
  return "";
}

bool RunGoldenFile(const std::string& path, const GoldenOptions& options,
                   const EngineOpener& open_engine, std::ostream& out) {
  const Result<std::vector<GoldenFile>> files = ReadGoldenFiles(path);
  if (!files.ok()) {
    out << fmt::format("FAIL {}: {}\n", path, files.status().ToString());
    return false;
  }
  if (options.update) {
    Updater updater(files->empty() ? std::vector<std::string>() : files->front().lines);
    std::string problem = files->empty() ? "it holds no tests" : "";
    for (const GoldenFile& file : *files) {
      if (problem.empty()) problem = RunWay(file, options.ways.front(), open_engine, &updater);
    }
    if (problem.empty()) updater.Write(path);
    out << (problem.empty() ? fmt::format("updated {}\n", path)
                            : fmt::format("FAIL {}: {}\n", path, problem));
    return problem.empty();
  }
  std::string ways;
  bool passed = true;
  for (const GoldenWay way : options.ways) {
    bool ran = false;
    for (const GoldenFile& file : *files) {
      if (way == GoldenWay::kSpread && file.pins_partitions) continue;
      ran = true;
      const std::string problem = RunWay(file, way, open_engine, nullptr);
      if (problem.empty()) continue;
      passed = false;
      out << fmt::format("FAIL {} ({}) {}\n", path, GoldenWayName(way), problem);
    }
    if (ran) ways += fmt::format(" {}", GoldenWayName(way));
  }
  if (passed) out << fmt::format("ok   {} ({})\n", path, ways.empty() ? ways : ways.substr(1));
  out.flush();
  return passed;
}

}  // namespace weir::shell
