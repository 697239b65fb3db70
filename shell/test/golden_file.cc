#include "shell/test/golden_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <iterator>
#include <sstream>

#include "base/status_macros.h"

namespace weir::shell {
namespace {

constexpr std::string_view kRule = "----";

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

bool ParseNumber(std::string_view text, int64_t* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size();
}

bool ContainsWithoutCase(std::string_view text, std::string_view word) {
  return std::search(text.begin(), text.end(), word.begin(), word.end(),
                     [](unsigned char a, unsigned char b) {
                       return std::tolower(a) == std::tolower(b);
                     }) != text.end();
}

/// `partitions=` with blanks around the sign or not.
bool PinsPartitions(std::string_view sql) {
  std::string packed;
  std::copy_if(sql.begin(), sql.end(), std::back_inserter(packed),
               [](unsigned char c) { return std::isspace(c) == 0; });
  return ContainsWithoutCase(packed, "partitions=");
}

std::vector<std::string> LinesOf(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(std::move(line));
  return lines;
}

class GoldenParser {
 public:
  explicit GoldenParser(std::vector<std::string> lines) { file_.lines = std::move(lines); }

  Result<GoldenFile> Parse() {
    while (at_ < file_.lines.size()) {
      if (Clean().empty()) {
        ++at_;
        continue;
      }
      GoldenBlock block;
      block.line = static_cast<int>(at_) + 1;
      WEIR_RETURN_IF_ERROR(ParseBlock(&block));
      if (PinsPartitions(block.sql)) file_.pins_partitions = true;
      file_.blocks.push_back(std::move(block));
    }
    return std::move(file_);
  }

 private:
  std::string_view Clean() const { return WithoutComment(file_.lines[at_]); }
  Status Error(std::string_view what) const {
    return Status(ErrorCode::kUsage, fmt::format("line {}: {}", at_ + 1, what));
  }

  Status ParseBlock(GoldenBlock* block) {
    std::istringstream in{std::string(Clean())};
    std::vector<std::string> words{std::istream_iterator<std::string>(in), {}};
    words.resize(std::max<size_t>(words.size(), 3));
    if (words[0] == "statement") return ParseStatement(words, block);
    if (words[0] == "input") return ParseInput(words, block);
    if (words[0] == "output") return ParseOutput(words, block);
    if (words[0] == "query") return ParseQuery(words, block);
    if (words[0] == "metric") {
      block->kind = BlockKind::kMetric;
      block->subject = words[1];
      block->expected_begin = at_;
      block->expected_end = ++at_;
      if (!ParseNumber(words[2], &block->number)) return Error("metric NAME NUMBER is expected");
      return OkStatus();
    }
    if (words[0] == "close" && words[1] == "windows") {
      block->kind = BlockKind::kCloseWindows;
      ++at_;
      return OkStatus();
    }
    if (words[0] == "clock") {
      block->kind = BlockKind::kClock;
      if (!ParseNumber(words[1], &block->number)) return Error("clock MILLISECONDS is expected");
      ++at_;
      return OkStatus();
    }
    return Error(fmt::format("unknown kind of block: {}", words[0]));
  }

  Status ParseStatement(const std::vector<std::string>& words, GoldenBlock* block) {
    if (words[1] == "ok") {
      block->kind = BlockKind::kStatementOk;
    } else if (words[1] == "error") {
      block->kind = BlockKind::kStatementError;
      if (!ParseNumber(words[2], &block->number)) return Error("statement error CODE is expected");
    } else if (words[1] == "plan") {
      block->kind = BlockKind::kStatementPlan;
      block->subject = words[2];
      if (words[2] != "logical" && words[2] != "optimized" && words[2] != "physical") {
        return Error("a plan is logical, optimized or physical");
      }
    } else {
      return Error("a statement is ok, error CODE or plan STAGE");
    }
    ++at_;
    block->sql = TakeSql();
    if (block->kind == BlockKind::kStatementOk) return OkStatus();
    return TakeExpected(block);
  }

  Status ParseInput(const std::vector<std::string>& words, GoldenBlock* block) {
    block->kind = BlockKind::kInput;
    block->subject = words[1];
    ++at_;
    return TakeRows(block);
  }

  Status ParseOutput(const std::vector<std::string>& words, GoldenBlock* block) {
    block->kind = BlockKind::kOutput;
    block->subject = words[1];
    if (words[2] == "changes") {
      block->mode = OutputMode::kChanges;
    } else if (words[2] == "final") {
      block->mode = OutputMode::kFinal;
    } else if (words[2] == "ordered") {
      block->mode = OutputMode::kOrdered;
    } else {
      return Error("output NAME changes|final|ordered is expected");
    }
    ++at_;
    return TakeRows(block);
  }

  Status ParseQuery(const std::vector<std::string>& words, GoldenBlock* block) {
    block->kind = BlockKind::kQuery;
    block->ordered = words[1] == "ordered";
    ++at_;
    block->sql = TakeSql();
    if (at_ < file_.lines.size() && Clean() == "same as") {
      block->kind = BlockKind::kSameAs;
      ++at_;
      block->other_sql = TakeSql();
      return OkStatus();
    }
    return TakeExpected(block);
  }

  /// Lines up to a blank line, a rule or `same as`.
  std::string TakeSql() {
    std::string sql;
    for (; at_ < file_.lines.size(); ++at_) {
      if (Trim(file_.lines[at_]).empty() || Clean() == kRule || Clean() == "same as") break;
      sql += Clean();
      sql += '\n';
    }
    return sql;
  }

  /// The rule and the lines behind it up to a blank one. There may be none: no rows.
  Status TakeExpected(GoldenBlock* block) {
    if (at_ >= file_.lines.size() || Clean() != kRule) return Error("---- is expected");
    ++at_;
    block->expected_begin = at_;
    for (; at_ < file_.lines.size() && !Trim(file_.lines[at_]).empty(); ++at_) {
      const bool plan = block->kind == BlockKind::kStatementPlan;
      block->expected.emplace_back(plan ? std::string_view(file_.lines[at_]) : Trim(Clean()));
    }
    block->expected_end = at_;
    return OkStatus();
  }

  Status TakeRows(GoldenBlock* block) {
    block->expected_begin = at_;
    for (; at_ < file_.lines.size() && !Trim(file_.lines[at_]).empty(); ++at_) {
      if (Clean().empty()) continue;
      GoldenRow row;
      WEIR_RETURN_IF_ERROR(ParseRow(Clean(), &row));
      block->rows.push_back(std::move(row));
    }
    block->expected_end = at_;
    return OkStatus();
  }

  Status ParseRow(std::string_view line, GoldenRow* row) const {
    const size_t first = line.find('|');
    const size_t second = first == line.npos ? line.npos : line.find(" | ", first + 1);
    if (second == line.npos) return Error("time | key | value is expected");
    const std::string_view time = Trim(line.substr(0, first));
    const std::string_view key = Trim(line.substr(first + 1, second - first - 1));
    const std::string_view value = Trim(line.substr(second + 3));
    int64_t time_ms = 0;
    if (time != "*") {
      if (!ParseNumber(time, &time_ms)) return Error("a time is milliseconds or *");
      row->time_ms = time_ms;
    }
    if (key != "NULL") row->key = key;
    if (value != "NULL") row->value = value;
    return OkStatus();
  }

  GoldenFile file_;
  size_t at_ = 0;
};

}  // namespace

std::string_view WithoutComment(std::string_view line) {
  if (Trim(line).starts_with('#')) return {};
  line = line.substr(0, line.find("  #"));
  const size_t last = line.find_last_not_of(" \t\r");
  return last == line.npos ? std::string_view() : line.substr(0, last + 1);
}

Result<GoldenFile> ParseGoldenFile(std::string_view text) {
  return GoldenParser(LinesOf(text)).Parse();
}

Result<std::vector<GoldenFile>> ParseGoldenPage(std::string_view text) {
  constexpr std::string_view kFence = "```";
  const std::vector<std::string> page = LinesOf(text);
  std::vector<GoldenFile> files;
  std::vector<std::string> section(page.size());  // All lines outside of its tests are blank.
  bool fenced = false;
  bool tested = false;
  const auto flush = [&]() -> Status {
    WEIR_ASSIGN_OR_RETURN(GoldenFile file, GoldenParser(section).Parse());
    if (!file.blocks.empty()) files.push_back(std::move(file));
    section.assign(page.size(), "");
    return OkStatus();
  };
  for (size_t i = 0; i < page.size(); ++i) {
    const std::string_view line = Trim(page[i]);
    if (line.starts_with(kFence)) {
      fenced = !fenced;
      tested = fenced && line == "```sql test";
    } else if (tested) {
      section[i] = page[i];
    } else if (!fenced && line.starts_with("## ")) {
      WEIR_RETURN_IF_ERROR(flush());
    }
  }
  WEIR_RETURN_IF_ERROR(flush());
  for (GoldenFile& file : files) file.lines = page;
  return files;
}

std::vector<std::string> FormatRows(const std::vector<GoldenRow>& rows) {
  size_t time_width = 0;
  size_t key_width = 0;
  const auto time_text = [](const GoldenRow& row) {
    return row.time_ms ? std::to_string(*row.time_ms) : std::string("*");
  };
  for (const GoldenRow& row : rows) {
    time_width = std::max(time_width, time_text(row).size());
    key_width = std::max(key_width, row.key.value_or("NULL").size());
  }
  std::vector<std::string> lines;
  for (const GoldenRow& row : rows) {
    lines.push_back(fmt::format("{:<{}} | {:<{}} | {}", time_text(row), time_width,
                                row.key.value_or("NULL"), key_width, row.value.value_or("NULL")));
  }
  return lines;
}

}  // namespace weir::shell
