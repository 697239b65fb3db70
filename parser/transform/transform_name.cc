#include <algorithm>

#include "parser/keyword_table.h"
#include "parser/source_text.h"
#include "parser/transform/transformer.h"

namespace weir::transform {
namespace {

/// `written` without its quotes, each doubled quote inside made one.
std::string Unquote(std::string_view written) {
  const char quote = written.front();
  std::string out;
  out.reserve(written.size());
  for (size_t i = 1; i + 1 < written.size(); ++i) {
    out += written[i];
    if (written[i] == quote) ++i;
  }
  return out;
}

}  // namespace

SourcePosition PlaceOf(antlr4::Token* first, antlr4::Token* last, SourcePosition origin) {
  const int line = static_cast<int>(first->getLine());
  const int column = static_cast<int>(first->getCharPositionInLine());
  SourcePosition place = origin;
  place.line = origin.line + line - 1;
  place.column = line == 1 ? origin.column + column : column + 1;
  const bool one_line = last->getLine() == first->getLine();
  antlr4::Token* end = one_line ? last : first;
  const ptrdiff_t length = static_cast<ptrdiff_t>(end->getStopIndex()) -
                           static_cast<ptrdiff_t>(first->getStartIndex()) + 1;
  place.length = static_cast<int>(std::max<ptrdiff_t>(1, length));
  return place;
}

std::string Transformer::TextOf(antlr4::Token* first, antlr4::Token* last) const {
  const size_t begin = first->getStartIndex();
  const size_t size = last->getStopIndex() - begin + 1;
  if (points_.size() == text_.size()) return std::string(text_.substr(begin, size));
  return antlrcpp::utf32_to_utf8(points_.substr(begin, size));
}

ast::Identifier Transformer::TransformName(Grammar::IdentifierContext* tree) {
  antlr4::Token* token = tree->getStart();
  const std::string written = TextOf(token);
  ast::Identifier out;
  out.position = Place(token);
  out.quoted = written.front() == '`' || written.front() == '"';
  if (out.quoted) {
    out.spelling = Unquote(written);
    out.name = out.spelling;
    if (out.name.empty()) Fail(out.position, ErrorCode::kSyntax, "a quoted name is empty");
  } else {
    out.spelling = written;
    out.name = FoldName(written);
  }
  return out;
}

std::vector<ast::Identifier> Transformer::TransformNames(Grammar::IdentifierListContext* tree) {
  std::vector<ast::Identifier> out;
  if (tree == nullptr) return out;
  for (Grammar::IdentifierContext* name : tree->identifier()) out.push_back(TransformName(name));
  return out;
}

std::string Transformer::TransformTopicName(Grammar::TopicNameContext* tree) {
  if (tree->STRING() != nullptr) return TransformString(tree->STRING());
  const std::vector<Grammar::TopicPartContext*> parts = tree->topicPart();
  if (parts.size() == 1 && parts[0]->identifier() != nullptr) {
    // Topics know case: the name is taken as written.
    return TransformName(parts[0]->identifier()).spelling;
  }
  std::string name = TextOf(tree);
  if (name.find_first_of(" \t\r\n`\"") != std::string::npos) {
    Fail(Place(tree), ErrorCode::kSyntax, "a topic's name is written with blanks or quotes inside",
         "put the whole name in single quotes");
  }
  return name;
}

std::string Transformer::TransformString(antlr4::Token* token) { return Unquote(TextOf(token)); }

void Transformer::Fail(SourcePosition position, ErrorCode code, std::string message,
                       std::string hint) {
  if (!status_.ok()) return;
  status_ = Status(code, std::move(message)).At(position).WithHint(std::move(hint));
}

}  // namespace weir::transform
