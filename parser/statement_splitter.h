#pragma once

// Cuts text into statements at their semicolons, piece by piece as it is typed or read. Knows
// quotes, comments, BEGIN PIPELINE … END PIPELINE, and nothing else of the language. The prompt,
// query files and ParseStatements all use it, so they agree on where a statement ends.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/status.h"

namespace weir {

/// One statement, without its semicolon, and the place of its first character.
struct StatementText {
  std::string text;
  SourcePosition position;
};

/// Used by one thread at a time.
class StatementSplitter {
 public:
  /// What is not closed at the end of the text so far.
  enum class Open { kNothing, kStatement, kString, kQuotedName, kComment, kPipeline };

  /// Adds any piece of text; a line break is part of it.
  void Add(std::string_view text);
  /// The next whole statement, or nothing until more text has come. Empty statements are skipped.
  std::optional<StatementText> Next();
  /// What stands after the last semicolon, unless it is only blanks and comments; the splitter is
  /// then as new, except that lines go on counting.
  std::optional<StatementText> TakeRest();
  /// Forgets all text; lines count from 1 again.
  void Clear();

  Open open() const;
  /// Where the open string, quoted name or comment begins. Meaningful where open() says so.
  SourcePosition open_position() const { return open_position_; }

 private:
  enum class State { kPlain, kString, kDoubleQuoted, kBackquoted, kLineComment, kBlockComment };

  void Scan();
  void ScanPlain(char c, char next);
  void ScanComment(char c, char next);
  void Advance();
  void EndWord();
  void EndStatement();
  void Begin();
  bool WordsBeginPipeline() const;
  SourcePosition Here() const { return {.line = line_, .column = column_}; }

  std::string pending_;  // Text not yet given out.
  size_t at_ = 0;        // Scanned up to here.
  size_t begin_ = 0;     // First byte of the statement under way.
  bool begun_ = false;   // It has a byte other than blank and comment.
  State state_ = State::kPlain;
  bool in_pipeline_ = false;
  std::string word_;                // Letters of the word under way, upper-cased.
  std::vector<std::string> words_;  // First words since the last semicolon, pipelines' inner too.
  int line_ = 1;
  int column_ = 1;
  SourcePosition begin_position_;
  SourcePosition open_position_;
  std::vector<StatementText> done_;
  size_t given_ = 0;
};

}  // namespace weir
