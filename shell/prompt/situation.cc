#include "shell/prompt/situation.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "base/letter_case.h"

namespace weir::shell {

bool IsNameByte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::isalnum(byte) != 0 || byte >= 0x80 || c == '_' || c == '$';
}

std::vector<Token> Tokens(std::string_view sql) {
  std::vector<Token> tokens;
  for (size_t i = 0; i < sql.size();) {
    const char c = sql[i];
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++i;
    } else if (sql.substr(i).starts_with("--")) {
      i = std::min(sql.find('\n', i), sql.size());
    } else if (sql.substr(i).starts_with("/*")) {
      const size_t end = sql.find("*/", i + 2);
      i = end == std::string_view::npos ? sql.size() : end + 2;
    } else if (c == '\'' || c == '"' || c == '`') {
      const size_t end = sql.find(c, i + 1);
      const bool open = end == std::string_view::npos;
      const size_t stop = open ? sql.size() : end;
      tokens.push_back({c == '\'' ? TokenKind::kString : TokenKind::kQuotedName,
                        std::string(sql.substr(i + 1, stop - i - 1)), i, open ? stop : stop + 1,
                        open});
      i = tokens.back().end;
    } else if (IsNameByte(c)) {
      size_t end = i;
      while (end < sql.size() && IsNameByte(sql[end])) ++end;
      tokens.push_back({TokenKind::kWord, ToUpper(sql.substr(i, end - i)), i, end});
      i = end;
    } else {
      tokens.push_back({TokenKind::kSymbol, std::string(1, c), i, i + 1});
      ++i;
    }
  }
  return tokens;
}

Situation::Situation(const std::vector<Token>& tokens, size_t cursor) {
  for (const Token& token : tokens) {
    const bool separator = token.kind == TokenKind::kSymbol && token.text == ";";
    const bool in_front = token.begin < cursor;
    if (separator && in_front) {
      before_.clear();
      all_.clear();
    } else if (separator) {
      break;
    } else {
      if (in_front) before_.push_back(token);
      all_.push_back(token);
    }
  }
  FindBrackets();
  FindSources();
}

Bracket Situation::BracketBehind(size_t i) const {
  const auto word = [&](size_t back) {
    return i >= back && before_[i - back].kind == TokenKind::kWord ? before_[i - back].text
                                                                   : std::string();
  };
  if (word(1) == "WITH") return Bracket::kProperties;
  if (word(1) == "CAST") return Bracket::kCast;
  if (word(1) == "TUMBLING" || word(1) == "HOPPING" || word(1) == "SESSION") {
    return Bracket::kWindow;
  }
  const bool declares = First() == "CREATE" && (word(2) == "STREAM" || word(2) == "TABLE" ||
                                                word(2) == "EXISTS" || word(2) == "REPLACE");
  if (declares && brackets_.empty()) return Bracket::kColumnList;
  if (First() == "INSERT" && word(2) == "INTO") return Bracket::kTargetColumns;
  return Bracket::kOther;
}

void Situation::FindBrackets() {
  for (size_t i = 0; i < before_.size(); ++i) {
    if (before_[i].kind != TokenKind::kSymbol) continue;
    if (before_[i].text == "(") {
      brackets_.push_back(BracketBehind(i));
    } else if (before_[i].text == ")" && !brackets_.empty()) {
      brackets_.pop_back();
    }
  }
}

bool Situation::IsName(size_t i) const {
  return i < all_.size() &&
         (all_[i].kind == TokenKind::kWord || all_[i].kind == TokenKind::kQuotedName);
}

void Situation::FindSources() {
  static const std::set<std::string_view> kNoAlias = {
      "WHERE", "GROUP", "HAVING", "WINDOW", "JOIN",  "LEFT",   "RIGHT",     "FULL",
      "INNER", "OUTER", "ON",     "EMIT",   "LIMIT", "WITHIN", "PARTITION", "ORDER",
      "FROM",  "UNION", "VALUES", "SELECT", "WITH",  "AS"};
  for (size_t i = 0; i + 1 < all_.size(); ++i) {
    if (all_[i].kind != TokenKind::kWord || !IsName(i + 1)) continue;
    const std::string& word = all_[i].text;
    if (word == "INTO") target_ = all_[i + 1].text;
    if (word != "FROM" && word != "JOIN" && word != "DESCRIBE" && word != "INTO") continue;
    const std::string& name = all_[i + 1].text;
    sources_[name] = name;
    const size_t alias = IsName(i + 2) && all_[i + 2].text == "AS" ? i + 3 : i + 2;
    if (IsName(alias) && !kNoAlias.contains(all_[alias].text)) {
      sources_[all_[alias].text] = name;
    }
  }
}

}  // namespace weir::shell
