#include "parser/statement_splitter.h"

#include <algorithm>
#include <utility>

namespace weir {
namespace {

/// Words remembered of a statement: EXPLAIN mode BEGIN OR REPLACE PIPELINE.
constexpr size_t kWordsMax = 6;

bool IsBlank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

char UpperLetter(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

/// Part of a word, so that BEGINNING or BEGIN_2 is not BEGIN.
bool IsWordPart(char c) {
  const char upper = UpperLetter(c);
  return (upper >= 'A' && upper <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (c & 0x80) != 0;
}

}  // namespace

void StatementSplitter::Add(std::string_view text) {
  // Some editors put a byte order mark at the begin of a file.
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  const bool at_begin = line_ == 1 && column_ == 1 && pending_.empty();
  if (at_begin && text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  pending_.append(text);
  Scan();
  // Once per piece, not once per statement: a file may come as one piece.
  const size_t given_out = begun_ ? begin_ : at_;
  pending_.erase(0, given_out);
  at_ -= given_out;
  begin_ = 0;
}

std::optional<StatementText> StatementSplitter::Next() {
  if (given_ == done_.size()) {
    done_.clear();
    given_ = 0;
    return std::nullopt;
  }
  return std::move(done_[given_++]);
}

std::optional<StatementText> StatementSplitter::TakeRest() {
  // The character held back for want of a successor is scanned now.
  while (at_ < pending_.size()) {
    if (state_ == State::kPlain) {
      ScanPlain(pending_[at_], '\0');
    } else {
      Advance();
    }
  }
  EndWord();
  if (given_ < done_.size()) return Next();
  std::optional<StatementText> rest;
  if (begun_) {
    EndStatement();
    rest = std::move(done_.back());
    done_.pop_back();
  }
  pending_.clear();
  at_ = begin_ = 0;
  begun_ = in_pipeline_ = false;
  state_ = State::kPlain;
  words_.clear();
  return rest;
}

void StatementSplitter::Clear() { *this = StatementSplitter(); }

StatementSplitter::Open StatementSplitter::open() const {
  switch (state_) {
    case State::kString: return Open::kString;
    case State::kDoubleQuoted:
    case State::kBackquoted: return Open::kQuotedName;
    case State::kBlockComment: return Open::kComment;
    case State::kPlain:
    case State::kLineComment: break;
  }
  if (in_pipeline_) return Open::kPipeline;
  const bool held_back = at_ < pending_.size() && !IsBlank(pending_[at_]);
  return begun_ || held_back ? Open::kStatement : Open::kNothing;
}

void StatementSplitter::Scan() {
  while (at_ < pending_.size()) {
    const char c = pending_[at_];
    const bool has_next = at_ + 1 < pending_.size();
    const char next = has_next ? pending_[at_ + 1] : '\0';
    switch (state_) {
      case State::kPlain:
        // A first character of a comment's mark waits for its second.
        if (!has_next && (c == '-' || c == '/')) return;
        ScanPlain(c, next);
        break;
      case State::kString:
      case State::kDoubleQuoted:
      case State::kBackquoted: {
        // A doubled quote ends one text and begins the next, which comes to the same.
        const char quote =
            state_ == State::kString ? '\'' : (state_ == State::kDoubleQuoted ? '"' : '`');
        if (c == quote) state_ = State::kPlain;
        Advance();
        break;
      }
      case State::kLineComment:
      case State::kBlockComment:
        if (!has_next && c == '*') return;
        ScanComment(c, next);
        break;
    }
  }
}

void StatementSplitter::ScanPlain(char c, char next) {
  if (IsWordPart(c)) {
    Begin();
    word_ += UpperLetter(c);
    Advance();
    return;
  }
  EndWord();
  if ((c == '-' && next == '-') || (c == '/' && next == '*')) {
    state_ = c == '-' ? State::kLineComment : State::kBlockComment;
    open_position_ = Here();
    Advance();
    Advance();
    return;
  }
  if (c == ';') {
    const bool ends_pipeline = words_.size() >= 2 && words_[0] == "END" && words_[1] == "PIPELINE";
    if (!in_pipeline_ && WordsBeginPipeline()) {
      in_pipeline_ = true;
      words_.clear();
      Advance();
    } else if (in_pipeline_ && !ends_pipeline) {
      words_.clear();
      Advance();
    } else {
      EndStatement();
    }
    return;
  }
  if (!IsBlank(c)) Begin();
  if (c == '\'' || c == '"' || c == '`') {
    state_ = c == '\'' ? State::kString : (c == '"' ? State::kDoubleQuoted : State::kBackquoted);
    open_position_ = Here();
  }
  // A symbol or a quoted name is a word too, lest END "PIPELINE" counts.
  if (!IsBlank(c) && words_.size() < kWordsMax) words_.emplace_back(1, c);
  Advance();
}

void StatementSplitter::ScanComment(char c, char next) {
  if (state_ == State::kLineComment) {
    if (c == '\n') state_ = State::kPlain;
    Advance();
    return;
  }
  Advance();
  if (c == '*' && next == '/') {
    state_ = State::kPlain;
    Advance();
  }
}

void StatementSplitter::Advance() {
  const char c = pending_[at_++];
  if (c == '\n') {
    ++line_;
    column_ = 1;
  } else if ((c & 0xC0) != 0x80) {
    ++column_;  // Once for each code point, at its first byte.
  }
}

void StatementSplitter::EndWord() {
  if (word_.empty()) return;
  if (words_.size() < kWordsMax) words_.push_back(word_);
  word_.clear();
}

void StatementSplitter::EndStatement() {
  if (begun_) {
    std::string_view text(pending_.data() + begin_, at_ - begin_);
    while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
    done_.push_back({std::string(text), begin_position_});
  }
  if (at_ < pending_.size()) Advance();
  begun_ = in_pipeline_ = false;
  words_.clear();
}

void StatementSplitter::Begin() {
  if (begun_) return;
  begun_ = true;
  begin_ = at_;
  begin_position_ = Here();
}

bool StatementSplitter::WordsBeginPipeline() const {
  size_t at = 0;
  if (words_.size() > at && words_[at] == "EXPLAIN") {
    ++at;
    if (words_.size() > at && words_[at] != "BEGIN") ++at;
  }
  if (words_.size() <= at || words_[at] != "BEGIN") return false;
  ++at;
  if (words_.size() > at + 1 && words_[at] == "OR" && words_[at + 1] == "REPLACE") at += 2;
  return words_.size() > at && words_[at] == "PIPELINE";
}

}  // namespace weir
