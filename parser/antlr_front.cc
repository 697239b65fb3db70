#include "parser/antlr_front.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "WeirLexer.h"
#include "WeirParser.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "parser/diagnostic.h"
#include "parser/keyword_table.h"
#include "parser/source_text.h"
#include "parser/syntax_advice.h"
#include "parser/transform/transformer.h"

namespace weir {
namespace {

using generated::WeirLexer;
using generated::WeirParser;

/// Tokens beyond which no repair is tried: each trial parses the text again.
constexpr size_t kRepairTokensMax = 4000;
/// Words tried in place of a misspelt one.
constexpr size_t kRepairWordsMax = 6;

/// Code points as the lexer reads them, open to the look-up of words.
class CodePointStream : public antlr4::ANTLRInputStream {
 public:
  explicit CodePointStream(std::string_view text) : ANTLRInputStream(std::string(text)) {}
  const decltype(_data)& points() const { return _data; }
};

/// Gives names found in the list of words that word's type: the case-insensitive half of the lexer.
class WordLexer : public WeirLexer {
 public:
  explicit WordLexer(CodePointStream* stream) : WeirLexer(stream), stream_(*stream) {}

  std::unique_ptr<antlr4::Token> nextToken() override {
    std::unique_ptr<antlr4::Token> token = WeirLexer::nextToken();
    if (token->getType() == IDENTIFIER) Retype(*token);
    return token;
  }

 private:
  void Retype(antlr4::Token& token) {
    char word[16];
    const size_t size = token.getStopIndex() - token.getStartIndex() + 1;
    if (size > sizeof(word)) return;
    for (size_t i = 0; i < size; ++i) {
      const auto point = stream_.points()[token.getStartIndex() + i];
      if (point >= 0x80) return;
      word[i] = static_cast<char>(point);
    }
    const std::optional<int> found = FindKeyword({word, size});
    if (found) static_cast<antlr4::CommonToken&>(token).setType(static_cast<size_t>(*found) + 1);
  }

  const CodePointStream& stream_;
};

/// Where a parse stopped.
struct FirstError {
  size_t token_index = 0;
  bool found = false;
  size_t only_expected = 0;  // The single token type that could stand there, or 0.
};

/// Ends the parse at the first error and notes where it is.
class StopAtFirstError : public antlr4::DefaultErrorStrategy {
 public:
  explicit StopAtFirstError(FirstError* error) : error_(*error) {}

  void recover(antlr4::Parser*, std::exception_ptr) override {
    throw antlr4::ParseCancellationException();
  }
  antlr4::Token* recoverInline(antlr4::Parser* parser) override {
    Note(parser, parser->getCurrentToken(), true);
    throw antlr4::ParseCancellationException();
  }
  void sync(antlr4::Parser*) override {}
  void reportError(antlr4::Parser* parser, const antlr4::RecognitionException& e) override {
    const bool exact = dynamic_cast<const antlr4::InputMismatchException*>(&e) != nullptr;
    Note(parser, e.getOffendingToken(), exact);
  }

 private:
  void Note(antlr4::Parser* parser, antlr4::Token* token, bool exact) {
    if (error_.found) return;
    error_.found = true;
    error_.token_index = token->getTokenIndex();
    if (!exact) return;
    const antlr4::misc::IntervalSet expected = parser->getExpectedTokens();
    if (expected.size() == 1) {
      const ssize_t type = expected.getMinElement();
      if (type > 0) error_.only_expected = static_cast<size_t>(type);
    }
  }

  FirstError& error_;
};

/// Whether a token opens a bracket; `<` does after the word of a type that takes types.
bool OpensBracket(size_t type, size_t previous) {
  if (type == WeirParser::LT) {
    return previous == WeirParser::K_ARRAY || previous == WeirParser::K_MAP ||
           previous == WeirParser::K_STRUCT;
  }
  return type == WeirParser::LPAREN || type == WeirParser::LBRACKET || type == WeirParser::K_CASE;
}

/// One text with its lexer, tokens and parser.
class AntlrFront {
 public:
  AntlrFront(std::string_view text, SourcePosition origin)
      : text_(text),
        origin_(origin),
        stream_(text),
        lexer_(&stream_),
        tokens_(&lexer_),
        parser_(&tokens_) {
    lexer_.removeErrorListeners();
    parser_.removeErrorListeners();
    parser_.setErrorHandler(std::make_shared<StopAtFirstError>(&error_));
  }

  /// Reads the tokens; refuses what nests too deep for the recursion to come.
  Status Prepare() {
    tokens_.fill();
    return CheckNesting();
  }

  template <typename Context>
  using Rule = Context* (WeirParser::*)();

  /// The tree of `rule`, or the first error. SLL prediction is faster and nearly always enough.
  template <typename Context>
  Result<Context*> Parse(Rule<Context> rule) {
    if (Context* tree = Try(rule, antlr4::atn::PredictionMode::SLL)) return tree;
    if (Context* tree = Try(rule, antlr4::atn::PredictionMode::LL)) return tree;
    const FirstError error = error_;
    return DescribeSyntaxFault(FindFault(rule, error));
  }

  transform::Transformer MakeTransformer() {
    return transform::Transformer(text_, stream_.points(), origin_);
  }

 private:
  template <typename Context>
  Context* Try(Rule<Context> rule, antlr4::atn::PredictionMode mode) {
    error_ = FirstError();
    parser_.reset();
    parser_.getInterpreter<antlr4::atn::ParserATNSimulator>()->setPredictionMode(mode);
    try {
      return (parser_.*rule)();
    } catch (const antlr4::ParseCancellationException&) {
      return nullptr;
    }
  }

  Status CheckNesting() const;
  template <typename Context>
  SyntaxFault FindFault(Rule<Context> rule, const FirstError& error);
  template <typename Context>
  void TryRepairs(Rule<Context> rule, const FirstError& error, SyntaxFault& fault);
  template <typename Context>
  bool TryWords(Rule<Context> rule, size_t error_index, antlr4::Token* token, SyntaxFault& fault);
  void FindOpenBracket(size_t end, SyntaxFault& fault) const;
  void TakeAdvice(size_t error_index, SyntaxFault& fault) const;

  /// Whether the text as changed parses further than to token `index`.
  template <typename Context>
  bool GetsFurther(Rule<Context> rule, size_t index) {
    return Try(rule, antlr4::atn::PredictionMode::LL) != nullptr || error_.token_index > index;
  }

  /// The token on the default channel before `index`, or null.
  antlr4::Token* Before(size_t index) const {
    while (index > 0) {
      antlr4::Token* token = tokens_.get(--index);
      if (token->getChannel() == antlr4::Token::DEFAULT_CHANNEL) return token;
    }
    return nullptr;
  }

  SourcePosition Place(antlr4::Token* token) const {
    return transform::PlaceOf(token, token, origin_);
  }

  std::string_view text_;
  SourcePosition origin_;
  CodePointStream stream_;
  WordLexer lexer_;
  mutable antlr4::CommonTokenStream tokens_;
  WeirParser parser_;
  FirstError error_;
};

/// Counts what the grammar recurses on: brackets of all kinds, CASE … END, and runs of NOT and
/// signs, each of which lasts as long as the bracket it stands in. Unbalanced text may count too
/// high, never too low.
Status AntlrFront::CheckNesting() const {
  struct OpenBracket {
    size_t type;
    int depth;  // What it added.
  };
  std::vector<OpenBracket> open;
  int depth = 0;
  int run = 0;
  size_t previous = 0;
  const auto close = [&](size_t type) {
    if (open.empty() || open.back().type != type) return;
    depth -= open.back().depth;
    open.pop_back();
  };
  for (antlr4::Token* token : tokens_.getTokens()) {
    if (token->getChannel() != antlr4::Token::DEFAULT_CHANNEL) continue;
    const size_t type = token->getType();
    if (type == WeirParser::K_NOT || type == WeirParser::MINUS || type == WeirParser::PLUS) {
      ++run;
    } else {
      if (OpensBracket(type, previous)) {
        open.push_back({type, run + 1});
        depth += run + 1;
      }
      run = 0;
    }
    if (type == WeirParser::RPAREN) close(WeirParser::LPAREN);
    if (type == WeirParser::RBRACKET) close(WeirParser::LBRACKET);
    if (type == WeirParser::K_END) close(WeirParser::K_CASE);
    if (type == WeirParser::GT) close(WeirParser::LT);
    if (depth + run > limits::kNestingDepthMax) {
      return Status(ErrorCode::kNestingTooDeep,
                    fmt::format("brackets and operators nest deeper than the limit of {}",
                                limits::kNestingDepthMax))
          .At(Place(token))
          .WithHint("split the expression, or compute its inner part in a query of its own");
    }
    previous = type;
  }
  return OkStatus();
}

FaultToken KindOf(size_t type) {
  switch (type) {
    case antlr4::Token::EOF: return FaultToken::kEnd;
    case WeirParser::IDENTIFIER:
    case WeirParser::DIGIT_IDENTIFIER: return FaultToken::kWord;
    case WeirParser::QUOTED_IDENTIFIER:
    case WeirParser::BACKQUOTED_IDENTIFIER: return FaultToken::kQuotedName;
    case WeirParser::STRING: return FaultToken::kString;
    case WeirParser::INTEGER_NUMBER:
    case WeirParser::DECIMAL_NUMBER:
    case WeirParser::FLOAT: return FaultToken::kNumber;
    default: return type <= Keywords().size() ? FaultToken::kKeyword : FaultToken::kSymbol;
  }
}

/// Reserved words that people take for names; the bones of a query and literals never are.
bool MayBeMeantAsName(size_t type) {
  switch (type) {
    case WeirParser::K_CASE:
    case WeirParser::K_FALSE:
    case WeirParser::K_FROM:
    case WeirParser::K_NULL:
    case WeirParser::K_SELECT:
    case WeirParser::K_TRUE:
    case WeirParser::K_WHERE: return false;
    default: return KindOf(type) == FaultToken::kKeyword && Keywords()[type - 1].reserved;
  }
}

template <typename Context>
SyntaxFault AntlrFront::FindFault(Rule<Context> rule, const FirstError& error) {
  antlr4::Token* token = tokens_.get(error.token_index);
  antlr4::Token* before = Before(error.token_index);
  SyntaxFault fault;
  fault.kind = KindOf(token->getType());
  if (fault.kind != FaultToken::kEnd) fault.text = token->getText();
  fault.position = Place(token);
  fault.at_begin = before == nullptr || before->getType() == WeirParser::SEMICOLON;
  fault.unclosed_quote = token->getType() == WeirParser::OTHER &&
                         (fault.text == "'" || fault.text == "\"" || fault.text == "`");
  fault.subquery = token->getType() == WeirParser::K_SELECT && before != nullptr &&
                   before->getType() == WeirParser::LPAREN;
  fault.doubled_equals = token->getType() == WeirParser::EQ && before != nullptr &&
                         before->getType() == WeirParser::EQ;
  if (error.only_expected == WeirParser::STRING) {
    fault.meant_string = fault.kind == FaultToken::kWord || fault.kind == FaultToken::kNumber ||
                         fault.kind == FaultToken::kQuotedName;
  } else if (error.only_expected > 0) {
    // The vocabulary has literals in single quotes.
    const std::string& literal = parser_.getVocabulary().getLiteralName(error.only_expected);
    if (literal.size() > 2) fault.missing_word = literal.substr(1, literal.size() - 2);
  }
  if (fault.kind == FaultToken::kEnd || fault.kind == FaultToken::kKeyword) {
    FindOpenBracket(error.token_index, fault);
  }
  if (tokens_.size() <= kRepairTokensMax && !fault.unclosed_quote && !fault.doubled_equals) {
    TryRepairs(rule, error, fault);
  }
  const bool repaired =
      !fault.meant_word.empty() || fault.meant_name || fault.meant_string || fault.extra_comma;
  if (!repaired && !fault.unclosed_quote) TakeAdvice(error.token_index, fault);
  return fault;
}

/// Looks at the words around the error for what it may come from.
void AntlrFront::TakeAdvice(size_t error_index, SyntaxFault& fault) const {
  std::vector<AdviceToken> words;
  std::vector<antlr4::Token*> tokens;
  size_t at = 0;
  for (antlr4::Token* token : tokens_.getTokens()) {
    if (token->getChannel() != antlr4::Token::DEFAULT_CHANNEL) continue;
    if (token->getType() == antlr4::Token::EOF) break;
    const FaultToken kind = KindOf(token->getType());
    const bool is_word = kind == FaultToken::kWord || kind == FaultToken::kKeyword;
    if (token->getTokenIndex() < error_index) ++at;
    words.push_back({is_word ? FoldName(token->getText()) : token->getText(), kind});
    tokens.push_back(token);
  }
  std::optional<SyntaxAdvice> advice = FindSyntaxAdvice(words, at);
  if (!advice) return;
  fault.advice = std::move(advice->hint);
  if (advice->token == at) return;
  fault.kind = words[advice->token].kind;
  fault.text = tokens[advice->token]->getText();
  fault.position = Place(tokens[advice->token]);
}

template <typename Context>
void AntlrFront::TryRepairs(Rule<Context> rule, const FirstError& error, SyntaxFault& fault) {
  antlr4::Token* token = tokens_.get(error.token_index);
  antlr4::Token* before = Before(error.token_index);
  // A misspelt word was often taken for a name, and the error found one word later.
  if (fault.kind == FaultToken::kWord && TryWords(rule, error.token_index, token, fault)) return;
  if (before != nullptr && KindOf(before->getType()) == FaultToken::kWord &&
      TryWords(rule, error.token_index, before, fault)) {
    fault.kind = FaultToken::kWord;
    fault.text = before->getText();
    fault.position = Place(before);
    antlr4::Token* first = Before(before->getTokenIndex());
    fault.at_begin = first == nullptr || first->getType() == WeirParser::SEMICOLON;
    return;
  }
  if (before != nullptr && before->getType() == WeirParser::COMMA) {
    auto* comma = static_cast<antlr4::CommonToken*>(before);
    comma->setChannel(antlr4::Token::HIDDEN_CHANNEL);
    fault.extra_comma = GetsFurther(rule, error.token_index);
    comma->setChannel(antlr4::Token::DEFAULT_CHANNEL);
    if (fault.extra_comma) return;
  }
  auto* changed = static_cast<antlr4::CommonToken*>(token);
  const size_t type = token->getType();
  // Where CREATE lists columns, every word is meant as a name.
  const bool in_column_list =
      tokens_.get(0)->getType() == WeirParser::K_CREATE && before != nullptr &&
      (before->getType() == WeirParser::LPAREN || before->getType() == WeirParser::COMMA) &&
      KindOf(type) == FaultToken::kKeyword;
  if (in_column_list || MayBeMeantAsName(type)) {
    changed->setType(WeirParser::IDENTIFIER);
    fault.meant_name = GetsFurther(rule, error.token_index);
    changed->setType(type);
    if (fault.meant_name) return;
  }
  if (type == WeirParser::QUOTED_IDENTIFIER) {
    changed->setType(WeirParser::STRING);
    fault.meant_string = GetsFurther(rule, error.token_index);
    changed->setType(type);
  }
}

/// Tries, in place of `token`, the words of the language that are spelt like it, nearest first.
template <typename Context>
bool AntlrFront::TryWords(Rule<Context> rule, size_t error_index, antlr4::Token* token,
                          SyntaxFault& fault) {
  constexpr size_t kLongWord = 6;
  constexpr size_t kLongestWord = 20;
  const std::string written = FoldName(token->getText());
  if (written.size() < 2 || written.size() > kLongestWord) return false;
  std::vector<std::pair<int, size_t>> near;
  for (size_t i = 0; i < Keywords().size(); ++i) {
    const int distance = EditDistance(written, Keywords()[i].word);
    const bool close = distance <= (written.size() >= kLongWord ? 2 : 1);
    if (close && Keywords()[i].word.size() > 1) near.emplace_back(distance, i);
  }
  std::sort(near.begin(), near.end());
  if (near.size() > kRepairWordsMax) near.resize(kRepairWordsMax);
  auto* changed = static_cast<antlr4::CommonToken*>(token);
  const size_t type = token->getType();
  for (const auto& [distance, keyword] : near) {
    changed->setType(keyword + 1);
    const bool further = GetsFurther(rule, error_index);
    changed->setType(type);
    // Words of three letters are near many others: CAST(x INT) lacks AS, not IN.
    const bool other_missing = written.size() <= 3 && !fault.missing_word.empty() &&
                               fault.missing_word != Keywords()[keyword].word;
    if (further && !other_missing) {
      fault.meant_word = Keywords()[keyword].word;
      return true;
    }
  }
  return false;
}

/// The last bracket before token `end` that nothing in the text closes.
void AntlrFront::FindOpenBracket(size_t end, SyntaxFault& fault) const {
  std::vector<antlr4::Token*> open;
  for (antlr4::Token* token : tokens_.getTokens()) {
    const size_t type = token->getType();
    if (type == WeirParser::LPAREN || type == WeirParser::LBRACKET) {
      open.push_back(token);
    } else if ((type == WeirParser::RPAREN || type == WeirParser::RBRACKET) && !open.empty()) {
      open.pop_back();
    }
  }
  while (!open.empty() && open.back()->getTokenIndex() >= end) open.pop_back();
  if (open.empty()) return;
  fault.open_bracket = open.back()->getText();
  fault.open_position = Place(open.back());
}

Status CheckText(std::string_view text, SourcePosition origin) {
  if (text.size() > limits::kStatementBytesMax) {
    return Status(ErrorCode::kStatementTooLong,
                  fmt::format("a statement may have {} bytes; this one has {}",
                              limits::kStatementBytesMax, text.size()))
        .At(origin)
        .WithHint("is a semicolon or a closing quote missing?");
  }
  const size_t invalid = FindInvalidUtf8(text);
  if (invalid == std::string_view::npos) return OkStatus();
  const std::string_view before = text.substr(0, invalid);
  const auto lines = static_cast<int>(std::count(before.begin(), before.end(), '\n'));
  const size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0.
  const int column = CodePointCount(before.substr(line_begin));
  origin.column = lines == 0 ? origin.column + column : column + 1;
  origin.line += lines;
  return Status(ErrorCode::kSyntax, fmt::format("the text is not UTF-8: byte 0x{:02X}",
                                                static_cast<unsigned char>(text[invalid])))
      .At(origin);
}

/// Runs `rule` over `text` and hands its tree to `transform`.
template <typename T, typename Context, typename Transform>
Result<T> ParseText(std::string_view text, SourcePosition origin, AntlrFront::Rule<Context> rule,
                    Transform transform) {
  WEIR_RETURN_IF_ERROR(CheckText(text, origin));
  try {
    AntlrFront front(text, origin);
    WEIR_RETURN_IF_ERROR(front.Prepare());
    WEIR_ASSIGN_OR_RETURN(Context * tree, front.Parse(rule));
    transform::Transformer transformer = front.MakeTransformer();
    T result = transform(transformer, tree);
    if (!transformer.status().ok()) return transformer.status();
    return result;
  } catch (const std::exception& e) {
    return Status(ErrorCode::kInternal, fmt::format("the parser failed: {}", e.what())).At(origin);
  }
}

}  // namespace

Result<ast::Statement> ParseStatementText(std::string_view text, SourcePosition origin) {
  return ParseText<ast::Statement, WeirParser::SingleStatementContext>(
      text, origin, &WeirParser::singleStatement,
      [](transform::Transformer& transformer, WeirParser::SingleStatementContext* tree) {
        return transformer.TransformStatement(tree->statement());
      });
}

Result<ast::ExprPtr> ParseExpressionText(std::string_view text, SourcePosition origin) {
  return ParseText<ast::ExprPtr, WeirParser::SingleExpressionContext>(
      text, origin, &WeirParser::singleExpression,
      [](transform::Transformer& transformer, WeirParser::SingleExpressionContext* tree) {
        return transformer.TransformExpression(tree->expression());
      });
}

Result<ast::TypeName> ParseTypeText(std::string_view text, SourcePosition origin) {
  return ParseText<ast::TypeName, WeirParser::SingleTypeContext>(
      text, origin, &WeirParser::singleType,
      [](transform::Transformer& transformer, WeirParser::SingleTypeContext* tree) {
        return transformer.TransformType(tree->type());
      });
}

}  // namespace weir
