#include "shell/statement_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "parser/parser.h"

namespace weir::shell {
namespace {

std::string LineOf(std::string_view text, int line) {
  size_t begin = 0;
  for (int i = 1; i < line && begin != std::string_view::npos; ++i) {
    begin = text.find('\n', begin);
    if (begin != std::string_view::npos) ++begin;
  }
  if (begin == std::string_view::npos) return {};
  std::string_view found = text.substr(begin, text.find('\n', begin) - begin);
  if (found.ends_with('\r')) found.remove_suffix(1);
  return std::string(found);
}

}  // namespace

Status Relocate(Status status, const StatementText& statement, std::string_view whole_text) {
  if (status.ok() || !status.position() || status.position()->line <= 0) return status;
  SourcePosition position = *status.position();
  std::string source_line = status.source_line();
  if (position.line == 1) {
    position.column += statement.position.column - 1;
    // Keeps the caret under its word.
    source_line.insert(0, static_cast<size_t>(std::max(0, statement.position.column - 1)), ' ');
  }
  position.line += statement.position.line - 1;
  if (!whole_text.empty()) source_line = LineOf(whole_text, position.line);
  return Status(status.code(), status.message())
      .WithHint(status.hint())
      .At(position)
      .WithSourceLine(std::move(source_line));
}

std::string FirstWord(std::string_view statement) {
  size_t i = 0;
  while (i < statement.size()) {
    if (std::isspace(static_cast<unsigned char>(statement[i])) != 0 || statement[i] == '(') {
      ++i;
    } else if (statement.substr(i).starts_with("--")) {
      i = std::min(statement.find('\n', i), statement.size());
    } else if (statement.substr(i).starts_with("/*")) {
      const size_t end = statement.find("*/", i + 2);
      i = end == std::string_view::npos ? statement.size() : end + 2;
    } else {
      break;
    }
  }
  std::string word;
  while (i < statement.size() && std::isalpha(static_cast<unsigned char>(statement[i])) != 0) {
    word.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(statement[i++]))));
  }
  return word;
}

bool ReadsData(std::string_view statement) {
  const std::string word = FirstWord(statement);
  return word == "SELECT" || word == "WITH" || word == "PRINT";
}

bool FollowsForEver(std::string_view statement) {
  const Result<ast::Statement> parsed = ParseStatement(statement);
  if (!parsed.ok()) return false;
  if (parsed->Is<ast::Print>()) return !parsed->As<ast::Print>().limit;
  if (!parsed->Is<ast::Select>()) return false;
  const auto& query = *parsed->As<ast::Select>().query;
  return query.emit != ast::EmitMode::kNone && !query.limit;
}

}  // namespace weir::shell
