#include "parser/syntax_advice.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

namespace weir {
namespace {

using Tokens = std::span<const AdviceToken>;

/// The text at `at`, or nothing outside.
std::string_view TextAt(Tokens tokens, size_t at) {
  return at < tokens.size() ? std::string_view(tokens[at].text) : std::string_view();
}

/// The text `back` tokens before `at`.
std::string_view Before(Tokens tokens, size_t at, size_t back) {
  return at >= back ? TextAt(tokens, at - back) : std::string_view();
}

template <size_t N>
bool IsOneOf(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::ranges::find(words, text) != words.end();
}

/// What only makes sense with something behind it.
constexpr std::array<std::string_view, 28> kNeedsOperand = {
    "+",  "-",     "*",      "/",  "%",    "||",   "=",    "<>",     "!=",   "<",
    "<=", ">",     ">=",     ":=", "=>",   "AND",  "OR",   "NOT",    "LIKE", "BY",
    "IN", "WHERE", "HAVING", "ON", "WHEN", "THEN", "ELSE", "BETWEEN"};

bool NeedsOperand(Tokens tokens, size_t at) {
  const std::string_view text = TextAt(tokens, at);
  if (!IsOneOf(text, kNeedsOperand)) return false;
  // SELECT *, a.*, COUNT(*): all columns.
  const std::string_view before = Before(tokens, at, 1);
  return text != "*" || (before != "SELECT" && before != "," && before != "." && before != "(" &&
                         before != "->" && before != "DISTINCT");
}

/// What cannot be the operand.
bool CannotBeOperand(Tokens tokens, size_t at) {
  if (at >= tokens.size()) return true;
  const std::string_view text = tokens[at].text;
  return tokens[at].kind == FaultToken::kKeyword || text == ")" || text == "]" || text == ",";
}

/// Position of the bracket that is open at `at`, or nothing.
std::optional<size_t> OpenBracket(Tokens tokens, size_t at) {
  int closed = 0;
  for (size_t i = std::min(at, tokens.size()); i-- > 0;) {
    const std::string_view text = tokens[i].text;
    if (text == ")" || text == "]") ++closed;
    if ((text == "(" || text == "[") && closed-- == 0) return i;
  }
  return std::nullopt;
}

struct Clause {
  std::string_view word;
  std::string_view second;  ///< What follows it, where it is not a reserved word.
  std::string_view name;
};
/// In the order in which they stand.
constexpr Clause kClauses[] = {{"FROM", "", "FROM"},
                               {"WINDOW", "", "WINDOW"},
                               {"WHERE", "", "WHERE"},
                               {"GROUP", "BY", "GROUP BY"},
                               {"PARTITION", "BY", "PARTITION BY"},
                               {"HAVING", "", "HAVING"},
                               {"ORDER", "BY", "ORDER BY"},
                               {"EMIT", "", "EMIT"},
                               {"LIMIT", "", "LIMIT"}};

const Clause* ClauseAt(Tokens tokens, size_t at) {
  for (const Clause& clause : kClauses) {
    if (TextAt(tokens, at) != clause.word) continue;
    if (clause.second.empty() || TextAt(tokens, at + 1) == clause.second) return &clause;
  }
  return nullptr;
}

/// The clauses of the SELECT that `at` is in, last first.
template <typename Visit>
void VisitClausesBefore(Tokens tokens, size_t at, Visit visit) {
  int closed = 0;
  for (size_t i = std::min(at, tokens.size()); i-- > 0;) {
    const std::string_view text = tokens[i].text;
    if (text == ")" || text == "]") ++closed;
    if ((text == "(" || text == "[") && closed-- == 0) return;
    if (closed > 0) continue;
    if (text == "SELECT") return;
    if (const Clause* clause = ClauseAt(tokens, i)) visit(*clause);
  }
}

std::string ClauseAdvice(Tokens tokens, size_t at) {
  const Clause* clause = ClauseAt(tokens, at);
  if (clause == nullptr || clause == kClauses) return "";
  const Clause* earliest = nullptr;  // Of those that should come later.
  bool again = false;
  VisitClausesBefore(tokens, at, [&](const Clause& before) {
    again |= &before == clause;
    if (&before > clause && (earliest == nullptr || &before < earliest)) earliest = &before;
  });
  if (again && clause->word == "WHERE") return "there is a WHERE already: AND joins conditions";
  if (again) return fmt::format("there is a {} already", clause->name);
  return earliest == nullptr ? ""
                             : fmt::format("{} stands before {}", clause->name, earliest->name);
}

bool IsDurationNumber(Tokens tokens, size_t at) {
  if (at == 0 || at > tokens.size() || tokens[at - 1].kind != FaultToken::kNumber) return false;
  constexpr std::array<std::string_view, 5> kBeforeDuration = {"SIZE", "WITHIN", "PERIOD",
                                                               "RETENTION", "TIMEOUT"};
  const std::string_view before = Before(tokens, at, 2);
  return IsOneOf(before, kBeforeDuration) ||
         (before == "BY" && Before(tokens, at, 3) == "ADVANCE") ||
         (before == "(" && Before(tokens, at, 3) == "SESSION");
}

std::string WindowAdvice(Tokens tokens, size_t at) {
  const std::optional<size_t> bracket = OpenBracket(tokens, at);
  if (!bracket || Before(tokens, *bracket, 1) != "HOPPING") return "";
  for (size_t i = *bracket; i < std::min(at, tokens.size()); ++i) {
    if (tokens[i].text == "ADVANCE") return "";
  }
  return "a hopping window also advances: HOPPING (SIZE 1 MINUTE, ADVANCE BY 10 SECONDS)";
}

/// Whether the source before `at` is joined and nothing says how.
bool LacksOn(Tokens tokens, size_t at) {
  if (at < tokens.size() && ClauseAt(tokens, at) == nullptr) return false;
  int closed = 0;
  for (size_t i = std::min(at, tokens.size()); i-- > 0;) {
    const std::string_view text = tokens[i].text;
    if (text == ")") ++closed;
    if (text == "(" && closed-- == 0) return false;
    if (closed > 0) continue;
    if (text == "ON" || text == "USING" || text == "," || text == "SELECT") return false;
    if (text != "JOIN") continue;
    const std::string_view before = Before(tokens, i, 1);
    return i + 1 < at && before != "CROSS" && before != "NATURAL";
  }
  return false;
}

struct WordAdvice {
  std::string_view word;
  std::string_view hint;
};

constexpr std::string_view kWriteHint =
    "INSERT INTO … VALUES writes a record, and in a table the last record of a key counts";
constexpr std::string_view kFileHint =
    "CREATE STREAM … WITH (CONNECTOR='file', PATH='…') reads a file";
/// First words of statements that other systems have.
constexpr WordAdvice kForeignStatements[] = {
    {"UPDATE", kWriteHint},
    {"UPSERT", kWriteHint},
    {"MERGE", kWriteHint},
    {"REPLACE", kWriteHint},
    {"COPY", kFileHint},
    {"IMPORT", kFileHint},
    {"LOAD", kFileHint},
    {"TRUNCATE", "DROP … DELETE TOPIC deletes the records as well"},
    {"WATCH", "SELECT … EMIT CHANGES follows what comes"},
    {"SUBSCRIBE", "SELECT … EMIT CHANGES follows what comes"},
};
/// Words behind which the statement stopped.
constexpr WordAdvice kAfterFirstWord[] = {
    {"SHOW",
     "SHOW lists STREAMS, TABLES, TOPICS, QUERIES, METRICS, FUNCTIONS, TYPES, VARIABLES, "
     "PROPERTIES, SCHEMAS and PIPELINES"},
    {"LIST", "LIST lists STREAMS, TABLES, TOPICS, QUERIES, FUNCTIONS, TYPES and PROPERTIES"},
    {"DROP", "write DROP STREAM, DROP TABLE, DROP TYPE or DROP PIPELINE, and the name"},
    {"CREATE", "what can be made is a STREAM, a TABLE or a TYPE"},
    {"ALTER", "write ALTER STREAM or ALTER TABLE, and the name"},
};
constexpr WordAdvice kSymbols[] = {
    {"&", "AND stands between conditions"},
    {"|", "OR stands between conditions, || between texts to join"},
    {"!", "NOT stands before a condition, <> between values that differ"},
};

std::string_view FindWord(std::span<const WordAdvice> rows, std::string_view word) {
  const auto row = std::ranges::find(rows, word, &WordAdvice::word);
  return row == rows.end() ? std::string_view() : row->hint;
}

bool IsOddName(Tokens tokens, size_t at) {
  constexpr std::array<std::string_view, 6> kBeforeName = {"STREAM", "TABLE", "EXISTS",
                                                           "FROM",   "JOIN",  "INTO"};
  constexpr std::array<std::string_view, 5> kOddSymbols = {"-", "/", ":", "$", "#"};
  return IsOneOf(TextAt(tokens, at), kOddSymbols) && IsOneOf(Before(tokens, at, 2), kBeforeName);
}

std::string FirstWordsAdvice(Tokens tokens, size_t at) {
  if (at == 0) return std::string(FindWord(kForeignStatements, TextAt(tokens, 0)));
  if (at == 1) return std::string(FindWord(kAfterFirstWord, TextAt(tokens, 0)));
  const bool or_replace = at == 3 && TextAt(tokens, 2) == "REPLACE";
  return or_replace ? std::string(FindWord(kAfterFirstWord, "CREATE")) : "";
}

std::string AdviceAt(Tokens tokens, size_t at) {
  const std::string_view text = TextAt(tokens, at);
  const std::string_view before = Before(tokens, at, 1);
  if (std::string hint = FirstWordsAdvice(tokens, at); !hint.empty()) return hint;
  if (before == "EMIT" && text != "CHANGES" && text != "FINAL") {
    return "EMIT CHANGES follows what comes, EMIT FINAL gives a window when it has closed";
  }
  if (before == "LIMIT") return "a whole number follows LIMIT";
  if (before == "USING") return "USING takes names in brackets: USING (x)";
  if ((before == "EXCEPT" || before == "EXCLUDE") && Before(tokens, at, 2) == "*") {
    return "the names to leave out stand in brackets: * EXCEPT (a, b)";
  }
  if (IsDurationNumber(tokens, at)) {
    return "the units are DAYS, HOURS, MINUTES, SECONDS and MILLISECONDS";
  }
  if (std::string hint = WindowAdvice(tokens, at); !hint.empty()) return hint;
  if (const std::string_view hint = FindWord(kSymbols, text); !hint.empty()) {
    return std::string(hint);
  }
  if (before == "SELECT" && CannotBeOperand(tokens, at)) {
    return "SELECT needs what to select: * is all columns";
  }
  if (NeedsOperand(tokens, at - 1) && text == "SELECT") {
    return "a SELECT inside an expression stands in brackets of its own: (SELECT …)";
  }
  if (NeedsOperand(tokens, at - 1) && CannotBeOperand(tokens, at)) {
    return at < tokens.size() ? "an expression is missing before it" : "an expression must follow";
  }
  if (std::string hint = ClauseAdvice(tokens, at); !hint.empty()) return hint;
  if (LacksOn(tokens, at)) return at < tokens.size() ? "ON is missing before it" : "ON must follow";
  if (at >= tokens.size() && before == "AS" && TextAt(tokens, 0) == "CREATE") {
    return "SELECT must follow";
  }
  if ((text == ")" || text == "]") && !OpenBracket(tokens, at)) return "no bracket is open here";
  if (IsOddName(tokens, at)) return "a name with other characters stands in backquotes: `a-b`";
  if (Before(tokens, at, 2) == "CASE" && at < tokens.size() &&
      tokens[at].kind == FaultToken::kSymbol) {
    return "a CASE of conditions is CASE WHEN condition THEN value … END";
  }
  return "";
}

}  // namespace

std::optional<SyntaxAdvice> FindSyntaxAdvice(std::span<const AdviceToken> tokens, size_t at) {
  const std::string_view text = TextAt(tokens, at);
  const std::string_view before = Before(tokens, at, 1);
  // The word before is the odd one.
  if (at > 0) {
    if (before == "TOP" && Before(tokens, at, 2) == "SELECT") {
      return SyntaxAdvice{"LIMIT n at the statement's end takes the first rows", at - 1};
    }
    if (before == "EMIT" && (text == "CHANGES" || text == "FINAL") && at > 1 &&
        NeedsOperand(tokens, at - 2)) {
      return SyntaxAdvice{"an expression is missing before it", at - 1};
    }
  }
  std::string hint = AdviceAt(tokens, at);
  if (hint.empty()) return std::nullopt;
  return SyntaxAdvice{std::move(hint), at};
}

}  // namespace weir
