#pragma once

// What the Tab key offers: a pure function of the text around the cursor and the names there are.
// It reads words, not grammar, so that it works in statements that are not finished.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::shell {

/// A list of names that may cost a question to the engine; asked for only where it is offered.
enum class NameList : uint8_t { kTopics, kFunctions, kQueries, kSettings };

/// A stream or table, with its columns.
struct SourceNames {
  std::string name;
  std::vector<std::string> columns;
};

/// All that may be named.
struct CompletionNames {
  std::vector<SourceNames> sources;
  std::function<std::vector<std::string>(NameList list)> list;
  /// Paths that begin with `begin`; directories end in a slash.
  std::function<std::vector<std::string>(std::string_view begin)> files;
};

struct Candidate {
  std::string text;    ///< Takes the place of what was typed.
  std::string suffix;  ///< Follows where it is the only one: a blank, a bracket, a quote.
  bool operator==(const Candidate&) const = default;
};

struct Completion {
  size_t begin = 0;  ///< Where in the line what is replaced begins; it ends at the cursor.
  std::vector<Candidate> candidates;  ///< Sorted, each once.
};

/// What may stand at `cursor` of `line`. `before` are the lines of the statement in front of it;
/// what stands behind the cursor counts too, for the tables that it names. Words are found without
/// regard to case; what is all capitals is offered in small letters where small ones were typed.
Completion Complete(std::string_view before, std::string_view line, size_t cursor,
                    const CompletionNames& names);

/// What all of `candidates` begin with.
std::string CommonPrefix(const std::vector<Candidate>& candidates);

/// The candidates in columns for a terminal `width` wide, at most `lines_max` lines of them; then
/// "… n more".
std::string CandidateColumns(const std::vector<Candidate>& candidates, int width, int lines_max);

/// The files for CompletionNames. Hidden ones only where `begin` asks for them.
std::vector<std::string> FilesThatBegin(std::string_view begin);

}  // namespace weir::shell
