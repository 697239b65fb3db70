#include "shell/prompt/completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <system_error>
#include <utility>

#include "base/letter_case.h"
#include "parser/parser.h"
#include "planner/properties/connector_properties.h"
#include "shell/commands.h"
#include "shell/prompt/situation.h"
#include "shell/prompt/statement_help.h"
#include "shell/render/display_width.h"

namespace weir::shell {
namespace {

using Texts = std::vector<std::string>;

bool HasSmallLetter(std::string_view text) { return ToUpper(text) != text; }

/// Words that follow one word.
struct Follower {
  std::string_view word;
  std::string_view next;  // Between bars.
};
constexpr Follower kFollowers[] = {
    {"GROUP", "BY"},
    {"PARTITION", "BY"},
    {"ORDER", "BY"},
    {"EMIT", "CHANGES|FINAL"},
    {"GRACE", "PERIOD"},
    {"WINDOW", "TUMBLING (|HOPPING (|SESSION ("},
    {"ADVANCE", "BY"},
    {"LEFT", "JOIN|OUTER JOIN"},
    {"RIGHT", "JOIN|OUTER JOIN"},
    {"FULL", "JOIN|OUTER JOIN"},
    {"INNER", "JOIN"},
    {"OUTER", "JOIN"},
    {"PRIMARY", "KEY"},
    {"UNION", "ALL"},
    {"INTERSECT", "ALL"},
    {"EXCEPT", "ALL"},
    {"CROSS", "JOIN"},
    {"IS", "NULL|NOT NULL|DISTINCT FROM|NOT DISTINCT FROM"},
};
constexpr std::string_view kExpressionWords =
    "AND|OR|NOT|AS|CASE|WHEN|THEN|ELSE|END|CAST(|LIKE|BETWEEN|IN (|IS NULL|IS NOT NULL|NULL|TRUE|"
    "FALSE|DISTINCT|INTERVAL";
constexpr std::string_view kClauseWords =
    "FROM|WHERE|GROUP BY|PARTITION BY|HAVING|WINDOW TUMBLING (|WINDOW HOPPING (|WINDOW SESSION (|"
    "JOIN|LEFT JOIN|RIGHT JOIN|FULL OUTER JOIN|INNER JOIN|ON|WITHIN|GRACE PERIOD|EMIT CHANGES|"
    "EMIT FINAL|LIMIT|AS|UNION ALL|ORDER BY|CROSS JOIN|USING (|UNION|INTERSECT|EXCEPT";
constexpr std::string_view kSystemColumns = "ROWTIME|ROWPARTITION|ROWOFFSET|WINDOWSTART|WINDOWEND";

Texts Split(std::string_view bars) {
  Texts texts;
  while (!bars.empty()) {
    const size_t bar = std::min(bars.find('|'), bars.size());
    texts.emplace_back(bars.substr(0, bar));
    bars.remove_prefix(std::min(bar + 1, bars.size()));
  }
  return texts;
}

bool NeedsQuotes(std::string_view name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) != 0) return true;
  if (!std::all_of(name.begin(), name.end(), &IsNameByte) || HasSmallLetter(name)) return true;
  const std::span<const Keyword> words = Keywords();
  const auto found = std::ranges::lower_bound(words, name, {}, &Keyword::word);
  return found != words.end() && found->word == name && found->reserved;
}

/// Gathers candidates for a started word.
class Gatherer {
 public:
  Gatherer(std::string_view typed, const CompletionNames& names) : names_(names) {
    const bool quoted = typed.starts_with('`') || typed.starts_with('"');
    quoted_ = quoted;
    typed_ = ToUpper(quoted ? typed.substr(1) : typed);
    small_ = HasSmallLetter(typed);
  }

  /// A word of the language.
  void AddWords(const Texts& words, std::string_view suffix = " ") {
    if (quoted_) return;
    for (const std::string& word : words) {
      const bool opens = word.ends_with('(');
      if (Begins(word)) found_.push_back({InTypedCase(word), opens ? "" : std::string(suffix)});
    }
  }
  /// A name of the catalog.
  void AddName(const std::string& name, std::string_view suffix = "") {
    if (!Begins(name)) return;
    const bool quotes = NeedsQuotes(name);
    if (quoted_ && !quotes) return;
    found_.push_back({quotes ? "`" + name + "`" : InTypedCase(name), std::string(suffix)});
  }
  void AddSources() {
    for (const SourceNames& source : names_.sources) AddName(source.name, " ");
  }
  void AddFunctions() {
    if (quoted_) return;
    for (const std::string& name : names_.list(NameList::kFunctions)) {
      if (Begins(name)) found_.push_back({InTypedCase(name), "("});
    }
  }
  void AddList(NameList list) {
    for (const std::string& name : names_.list(list)) AddName(name, " ");
  }
  /// Topics may have dots and small letters: such a name stands in quotes.
  void AddTopics() {
    for (const std::string& name : names_.list(NameList::kTopics)) {
      if (Begins(name)) found_.push_back({NeedsQuotes(name) ? "'" + name + "'" : name, " "});
    }
  }
  void AddColumns(const std::string& source) {
    for (const SourceNames& each : names_.sources) {
      if (ToUpper(each.name) != ToUpper(source)) continue;
      for (const std::string& column : each.columns) AddName(column);
    }
  }
  void AddColumnsInReach(const Situation& at) {
    const bool any = std::ranges::any_of(
        names_.sources, [&](const SourceNames& source) { return Reaches(at, source.name); });
    for (const SourceNames& source : names_.sources) {
      // Before FROM is written any column may be meant.
      if (any && !Reaches(at, source.name)) continue;
      for (const std::string& column : source.columns) AddName(column);
    }
    AddWords(Split(kSystemColumns), "");
    if (at.sources().size() < 2) return;
    for (const auto& [alias, source] : at.sources()) AddName(alias, ".");
  }
  void AddTypes() {
    for (const StatementHelp& type : HelpTexts(HelpKind::kType)) {
      AddWords({std::string(type.name)}, "");
    }
  }

  std::vector<Candidate> Take() {
    std::ranges::sort(found_, {}, &Candidate::text);
    found_.erase(
        std::unique(found_.begin(), found_.end(),
                    [](const Candidate& a, const Candidate& b) { return a.text == b.text; }),
        found_.end());
    return std::move(found_);
  }

 private:
  static bool Reaches(const Situation& at, const std::string& source) {
    return std::ranges::any_of(
        at.sources(), [&](const auto& each) { return ToUpper(each.second) == ToUpper(source); });
  }
  bool Begins(std::string_view name) const {
    return ToUpper(name.substr(0, typed_.size())) == typed_;
  }
  std::string InTypedCase(std::string_view word) const {
    std::string out(word);
    if (!small_ || HasSmallLetter(word)) return out;
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
  }

  const CompletionNames& names_;
  std::string typed_;
  bool quoted_ = false;
  bool small_ = false;
  std::vector<Candidate> found_;
};

/// The next words of the statements that begin as this one does.
void AddStatementWords(const std::string& begun, Gatherer& out) {
  Texts next;
  const auto look = [&](std::string_view name) {
    if (!name.starts_with(begun)) return;
    const std::string_view rest = name.substr(begun.size());
    next.emplace_back(rest.substr(0, rest.find(' ')));
  };
  for (const StatementHelp& statement : StatementHelps()) {
    look(statement.name);
    for (const std::string& also : Split(statement.also)) {
      if (also.find(' ') != std::string::npos) look(also);  // Others are short names: CSAS.
    }
  }
  if (begun == "CREATE " || begun == "BEGIN ") next.emplace_back("OR REPLACE");
  if (begun == "CREATE STREAM " || begun == "CREATE TABLE ") next.emplace_back("IF NOT EXISTS");
  if (begun == "DROP STREAM " || begun == "DROP TABLE ") next.emplace_back("IF EXISTS");
  out.AddWords(next);
}

const StatementHelp* FindProperty(std::string_view name) {
  for (const StatementHelp& property : HelpTexts(HelpKind::kProperty)) {
    if (property.name == name) return &property;
  }
  return nullptr;
}

/// What may be the value of a property: the words in quotes of its syntax ("FORMAT = 'JSON' | …").
Texts PropertyValues(std::string_view name) {
  Texts values;
  const StatementHelp* property = FindProperty(name);
  if (property == nullptr) return values;
  std::string_view rest =
      property->syntax.substr(std::min(property->syntax.find('='), property->syntax.size()));
  for (size_t begin; (begin = rest.find('\'')) != std::string_view::npos;) {
    const size_t end = rest.find('\'', begin + 1);
    if (end == std::string_view::npos) break;
    values.emplace_back(rest.substr(begin + 1, end - begin - 1));
    rest.remove_prefix(end + 1);
  }
  return values;
}

/// Inside an open quote, whose text so far is `typed`.
std::vector<Candidate> CompleteString(const Situation& at, std::string_view typed,
                                      const CompletionNames& names) {
  std::vector<Candidate> found;
  const auto add = [&](const Texts& texts) {
    for (const std::string& text : texts) {
      if (ToUpper(text.substr(0, typed.size())) == ToUpper(typed)) {
        found.push_back({text, "'"});
      }
    }
  };
  const auto add_files = [&] {
    for (const std::string& file : names.files(typed)) {
      found.push_back({file, file.ends_with('/') ? "" : "'"});
    }
  };
  if (at.Word() == "SCRIPT") {
    add_files();
  } else if (at.First() == "PRINT") {
    add(names.list(NameList::kTopics));
  } else if (at.before().size() == 1 && (at.First() == "SET" || at.First() == "UNSET")) {
    add(names.list(NameList::kSettings));
  } else if (at.Symbol() == "=") {
    const std::string property = at.Word(1);
    if (property == "PATH") add_files();
    if (property == "KAFKA_TOPIC") add(names.list(NameList::kTopics));
    if (property == "TIMESTAMP") {
      for (const SourceNames& source : names.sources) {
        if (at.sources().contains(source.name)) add(source.columns);
      }
    }
    if (property == "CONNECTOR") {
      for (const ConnectorRow& row : Connectors()) add({std::string(row.name)});
      return found;
    }
    if (property != "PATH" && property != "KAFKA_TOPIC" && property != "TIMESTAMP") {
      add(PropertyValues(property));
    }
  }
  std::ranges::sort(found, {}, &Candidate::text);
  return found;
}

void AddProperties(const Situation& at, Gatherer& out) {
  if (at.First() == "INSERT") {
    out.AddWords({"QUERY_ID"}, "=");
    return;
  }
  const auto add = [&](std::string_view name) {
    const bool word = std::all_of(name.begin(), name.end(), &IsNameByte);
    if (word) out.AddWords({std::string(name)}, "=");
  };
  if (const ConnectorRow* connector = at.connector(); connector != nullptr) {
    for (const ConnectorProperty& property : connector->properties) add(property.name);
    return;
  }
  for (const StatementHelp& property : HelpTexts(HelpKind::kProperty)) add(property.name);
}

void AddInColumnList(const Situation& at, Gatherer& out) {
  if (at.Symbol() == "(" || at.Symbol() == ",") return;  // A new name.
  if (at.Symbol(1) == "(" || at.Symbol(1) == ",") {
    out.AddTypes();
  } else {
    out.AddWords({"KEY", "PRIMARY KEY", "HEADERS"}, "");
  }
}

void AddInExpression(const Situation& at, Gatherer& out) {
  out.AddColumnsInReach(at);
  out.AddFunctions();
  out.AddWords(Split(kExpressionWords));
  out.AddWords(Split(kClauseWords));
}

/// Statements that name one thing and hold no query. True if it was one.
bool AddInShortStatement(const Situation& at, Gatherer& out) {
  const std::string first = at.First();
  const size_t place = at.before().size();
  if (first == "PRINT") {
    if (place == 1) out.AddTopics();
    if (place > 1) out.AddWords({"FROM BEGINNING", "INTERVAL", "LIMIT"});
  } else if (first == "TERMINATE" || first == "PAUSE" || first == "RESUME") {
    out.AddList(NameList::kQueries);
    out.AddWords({"ALL"}, "");
  } else if (first == "DESCRIBE" && at.Word() == "FUNCTION") {
    out.AddFunctions();
  } else if (first == "DESCRIBE") {
    if (place == 1) out.AddSources();
    AddStatementWords(at.OnlyWords().value_or(""), out);
    if (place > 1) out.AddWords({"EXTENDED"}, "");
  } else if (first == "SHOW" || first == "LIST") {
    if (at.First(1) == "CREATE") out.AddSources();
    AddStatementWords(at.OnlyWords().value_or(""), out);
    if (place > 1 && at.First(1) != "CREATE") out.AddWords({"EXTENDED"}, "");
  } else if (first == "DROP" || first == "ALTER") {
    const bool named = at.Word() == "STREAM" || at.Word() == "TABLE" || at.Word() == "EXISTS";
    if (named) out.AddSources();
    AddStatementWords(at.OnlyWords().value_or(""), out);
    if (place > 2 && !named) {
      out.AddWords(first == "DROP" ? Texts{"DELETE TOPIC"} : Texts{"ADD COLUMN"});
    }
  } else if (first == "SET" || first == "UNSET") {
    // Settings stand in quotes.
  } else {
    return false;
  }
  return true;
}

void AddCandidates(const Situation& at, std::string_view qualifier, Gatherer& out) {
  if (!qualifier.empty()) {
    const auto source = at.sources().find(ToUpper(qualifier));
    out.AddColumns(source == at.sources().end() ? std::string(qualifier) : source->second);
    return;
  }
  const std::string word = at.Word();
  if (at.before().empty()) {
    AddStatementWords("", out);
    for (const Command& command : Commands()) {
      if (command.bare) out.AddWords({ToUpper(command.name)});
    }
    return;
  }
  const std::optional<Bracket> bracket = at.bracket();
  if (bracket == Bracket::kProperties) {
    if (at.Symbol() == "(" || at.Symbol() == ",") AddProperties(at, out);
    if (at.Symbol() == "=") out.AddWords({"TRUE", "FALSE"}, "");
    return;
  }
  if (bracket == Bracket::kColumnList) return AddInColumnList(at, out);
  if (bracket == Bracket::kTargetColumns) return out.AddColumns(at.target());
  if (bracket == Bracket::kCast && word == "AS") return out.AddTypes();
  if (bracket == Bracket::kWindow) {
    out.AddWords({"SIZE", "ADVANCE BY", "RETENTION", "GRACE PERIOD", "SECONDS", "MINUTES", "HOURS",
                  "DAYS", "MILLISECONDS"});
    return;
  }
  if (word == "FROM" || word == "JOIN" || (word == "INTO" && at.First() == "INSERT")) {
    return out.AddSources();
  }
  if (AddInShortStatement(at, out)) return;
  if (at.First() == "EXPLAIN" && at.before().size() == 1) {
    out.AddList(NameList::kQueries);
    out.AddWords({"SELECT", "CREATE", "INSERT", "LOGICAL", "OPTIMIZED", "PHYSICAL", "VERBOSE"});
    return;
  }
  if (word == "AS" && at.First() == "CREATE") {
    if (at.First(1) == "TYPE") return out.AddTypes();
    return out.AddWords({"SELECT"});
  }
  for (const Follower& follower : kFollowers) {
    if (word == follower.word) return out.AddWords(Split(follower.next));
  }
  const std::optional<std::string> words = at.OnlyWords();
  const bool in_query = std::ranges::any_of(at.before(), [](const Token& token) {
    return token.kind == TokenKind::kWord && (token.text == "SELECT" || token.text == "WHERE");
  });
  if (in_query) return AddInExpression(at, out);
  if (words) AddStatementWords(*words, out);
  if (at.First() == "CREATE") out.AddWords({"WITH (", "AS SELECT"});
  if (at.First() == "INSERT") out.AddWords({"SELECT", "VALUES ("});
}

/// A line that calls a command, if it does.
std::optional<Completion> CompleteCommand(std::string_view line, size_t cursor,
                                          const CompletionNames& names) {
  const std::string_view text = line.substr(0, cursor);
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return std::nullopt;
  const size_t end = text.find_first_of(" \t", first);
  const std::string_view word = text.substr(first, end - first);
  const bool command = word[0] == '\\' || word[0] == '.';
  Completion completion;
  if (end == std::string_view::npos) {
    if (!command) return std::nullopt;
    completion.begin = first;
    const auto add = [&](const std::string& name) {
      if (name.starts_with(word)) completion.candidates.push_back({name, " "});
    };
    for (const Command& each : Commands()) {
      add(fmt::format(".{}", each.name));
      for (std::string_view rest = each.also; !rest.empty();) {
        const size_t blank = std::min(rest.find(' '), rest.size());
        add(std::string(rest.substr(0, blank)));
        rest.remove_prefix(std::min(blank + 1, rest.size()));
      }
    }
    std::ranges::sort(completion.candidates, {}, &Candidate::text);
    return completion;
  }
  const Command* found = FindCommand(word);
  if (found == nullptr || (!command && ToUpper(word) == "PRINT")) return std::nullopt;
  completion.begin = text.find_last_of(" \t'") + 1;
  const std::string_view typed = text.substr(completion.begin);
  const bool quoted = completion.begin > 0 && text[completion.begin - 1] == '\'';
  const bool is_first = text.find_first_not_of(" \t'", end) >= completion.begin;
  Gatherer gathered(typed, names);
  switch (found->arguments[is_first ? 0 : 1]) {
    case ArgumentKind::kAny: return completion;
    case ArgumentKind::kWord: gathered.AddWords(Split(found->words), ""); break;
    case ArgumentKind::kSource: gathered.AddSources(); break;
    case ArgumentKind::kFunction: gathered.AddList(NameList::kFunctions); break;
    case ArgumentKind::kHelpTopic:
      for (const StatementHelp& entry : HelpTexts()) {
        gathered.AddWords({std::string(entry.name)}, "");
      }
      gathered.AddList(NameList::kFunctions);
      break;
    case ArgumentKind::kTopic:
      for (const std::string& topic : names.list(NameList::kTopics)) {
        if (topic.starts_with(typed)) completion.candidates.push_back({topic, quoted ? "'" : " "});
      }
      return completion;
    case ArgumentKind::kFile:
      for (const std::string& file : names.files(typed)) {
        completion.candidates.push_back({file, file.ends_with('/') ? "" : quoted ? "'" : " "});
      }
      return completion;
  }
  completion.candidates = gathered.Take();
  return completion;
}

}  // namespace

Completion Complete(std::string_view before, std::string_view line, size_t cursor,
                    const CompletionNames& names) {
  if (before.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    if (std::optional<Completion> command = CompleteCommand(line, cursor, names)) return *command;
  }
  const std::string text = std::string(before) + std::string(line);
  const size_t at = before.size() + cursor;
  // A quote that is open in front of the cursor takes no account of what stands behind it.
  const std::vector<Token> front = Tokens(std::string_view(text).substr(0, at));
  Completion completion{.begin = cursor};
  if (!front.empty() && front.back().open && front.back().kind == TokenKind::kString) {
    const size_t begin = front.back().begin + 1;
    if (begin < before.size()) return completion;
    completion.begin = begin - before.size();
    const std::vector<Token> closed(front.begin(), front.end() - 1);
    completion.candidates = CompleteString(
        Situation(closed, at + 1), line.substr(completion.begin, cursor - completion.begin), names);
    return completion;
  }
  size_t begin = at;
  if (!front.empty() && front.back().end == at && front.back().kind != TokenKind::kSymbol &&
      front.back().kind != TokenKind::kString &&
      (front.back().kind == TokenKind::kWord || front.back().open)) {
    begin = front.back().begin;
  }
  if (begin < before.size()) return completion;
  completion.begin = begin - before.size();
  const std::string_view typed = std::string_view(text).substr(begin, at - begin);
  // `alias.` in front of the word.
  std::string qualifier;
  if (begin >= 2 && text[begin - 1] == '.') {
    size_t start = begin - 1;
    while (start > 0 && (IsNameByte(text[start - 1]) || text[start - 1] == '`')) --start;
    qualifier = text.substr(start, begin - 1 - start);
    std::erase(qualifier, '`');
  }
  // The word under the cursor is cut there: what follows it in the same word is no token.
  std::string around = text;
  for (size_t i = begin; i < at; ++i) around[i] = ' ';
  Gatherer gathered(typed, names);
  AddCandidates(Situation(Tokens(around), begin), qualifier, gathered);
  completion.candidates = gathered.Take();
  return completion;
}

std::string CommonPrefix(const std::vector<Candidate>& candidates) {
  if (candidates.empty()) return {};
  std::string prefix = candidates[0].text;
  for (const Candidate& candidate : candidates) {
    size_t length = 0;
    while (length < prefix.size() && length < candidate.text.size() &&
           prefix[length] == candidate.text[length]) {
      ++length;
    }
    prefix.resize(length);
  }
  // Not in the middle of a character.
  while (!prefix.empty() && prefix.size() < candidates[0].text.size() &&
         (static_cast<unsigned char>(candidates[0].text[prefix.size()]) & 0xC0) == 0x80) {
    prefix.pop_back();
  }
  return prefix;
}

std::string CandidateColumns(const std::vector<Candidate>& candidates, int width, int lines_max) {
  int widest = 1;
  Texts texts;
  for (const Candidate& candidate : candidates) {
    texts.push_back(Printable(candidate.text));
    widest = std::max(widest, DisplayWidth(texts.back()));
  }
  const int columns = std::max(1, width / (widest + 2));
  const int lines = (static_cast<int>(texts.size()) + columns - 1) / columns;
  std::string out;
  size_t shown = 0;
  for (int line = 0; line < lines && line < lines_max; ++line) {
    for (int column = 0; column < columns; ++column) {
      // Down first, as ls does; across where not all lines are shown.
      const size_t i =
          static_cast<size_t>(lines <= lines_max ? column * lines + line : line * columns + column);
      if (i >= texts.size()) continue;
      ++shown;
      const int blanks = column + 1 == columns ? 0 : widest + 2 - DisplayWidth(texts[i]);
      out += texts[i] + std::string(static_cast<size_t>(blanks), ' ');
    }
    while (!out.empty() && out.back() == ' ') out.pop_back();
    out += '\n';
  }
  if (shown < texts.size()) out += fmt::format("… {} more\n", texts.size() - shown);
  return out;
}

std::vector<std::string> FilesThatBegin(std::string_view begin) {
  const size_t slash = begin.rfind('/');
  const std::string_view directory =
      slash == std::string_view::npos ? std::string_view() : begin.substr(0, slash + 1);
  const std::string_view name = begin.substr(directory.size());
  std::vector<std::string> found;
  std::error_code error;
  std::filesystem::directory_iterator at(directory.empty() ? "." : std::string(directory), error);
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    const std::string file = at->path().filename().string();
    if (!file.starts_with(name) || (file[0] == '.' && !name.starts_with('.'))) continue;
    std::error_code no_directory;
    found.push_back(std::string(directory) + file + (at->is_directory(no_directory) ? "/" : ""));
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace weir::shell
