#pragma once

// What stands around the cursor, as completion sees it: words, brackets, and the sources that the
// statement names. Reads words, not grammar, so that it works in statements that are not finished.

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planner/properties/connector_properties.h"

namespace weir::shell {

/// Whether it may stand in a name without quotes.
bool IsNameByte(char c);

enum class TokenKind { kWord, kQuotedName, kString, kSymbol };

struct Token {
  TokenKind kind = TokenKind::kSymbol;
  std::string text;  // Words in capitals, names and strings without their quotes.
  size_t begin = 0;
  size_t end = 0;
  bool open = false;  // The closing quote is missing.
};

/// Cuts SQL into tokens, leniently; comments are left out.
std::vector<Token> Tokens(std::string_view sql);

/// What the brackets around the cursor are.
enum class Bracket { kProperties, kColumnList, kTargetColumns, kCast, kWindow, kOther };

/// The statement around the cursor.
class Situation {
 public:
  /// `tokens` without the word to complete, which begins at `cursor`.
  Situation(const std::vector<Token>& tokens, size_t cursor);

  const std::vector<Token>& before() const { return before_; }
  /// The word `back` places in front of the cursor, in capitals; empty if it is none.
  std::string Word(size_t back = 0) const {
    if (before_.size() <= back) return {};
    const Token& token = before_[before_.size() - 1 - back];
    return token.kind == TokenKind::kWord ? token.text : std::string();
  }
  std::string Symbol(size_t back = 0) const {
    if (before_.size() <= back) return {};
    const Token& token = before_[before_.size() - 1 - back];
    return token.kind == TokenKind::kSymbol ? token.text : std::string();
  }
  std::string First(size_t place = 0) const {
    return before_.size() > place && before_[place].kind == TokenKind::kWord ? before_[place].text
                                                                             : std::string();
  }
  /// The words of the statement so far, where it has nothing but words.
  std::optional<std::string> OnlyWords() const {
    std::string words;
    for (const Token& token : before_) {
      if (token.kind != TokenKind::kWord) return std::nullopt;
      words += token.text + " ";
    }
    return words;
  }
  std::optional<Bracket> bracket() const {
    return brackets_.empty() ? std::nullopt : std::optional(brackets_.back());
  }
  /// Names by which columns may be qualified, and the source each stands for.
  const std::map<std::string, std::string>& sources() const { return sources_; }
  const std::string& target() const { return target_; }
  /// The connector that the statement names, or null.
  const ConnectorRow* connector() const {
    for (size_t i = 0; i + 2 < all_.size(); ++i) {
      if (all_[i].text == "CONNECTOR" && all_[i + 1].text == "=") {
        return FindConnector(all_[i + 2].text);
      }
    }
    return nullptr;
  }

 private:
  Bracket BracketBehind(size_t i) const;
  void FindBrackets();
  bool IsName(size_t i) const;
  void FindSources();

  std::vector<Token> before_;  // In front of the word to complete.
  std::vector<Token> all_;     // Of the whole statement, without that word.
  std::vector<Bracket> brackets_;
  std::map<std::string, std::string> sources_;
  std::string target_;
};

}  // namespace weir::shell
