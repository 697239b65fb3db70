// Operators. Chains lean to the left in the parse tree, as deep as they are long: they are walked
// in loops here, and recursion goes only into brackets and from one precedence to the next.

#include <fmt/format.h>

#include <algorithm>

#include "base/limits.h"
#include "parser/transform/transformer.h"

namespace weir::transform {
namespace {

/// Operands up to which a chain of AND or OR leans left as usual; longer ones are balanced.
constexpr size_t kLeftDeepMax = 16;

ast::BinaryOp ComparisonOf(size_t token_type) {
  switch (token_type) {
    case Grammar::NEQ: return ast::BinaryOp::kNotEqual;
    case Grammar::LT: return ast::BinaryOp::kLess;
    case Grammar::LE: return ast::BinaryOp::kLessOrEqual;
    case Grammar::GT: return ast::BinaryOp::kGreater;
    case Grammar::GE: return ast::BinaryOp::kGreaterOrEqual;
    default: return ast::BinaryOp::kEqual;
  }
}

ast::BinaryOp ArithmeticOf(size_t token_type) {
  switch (token_type) {
    case Grammar::PLUS: return ast::BinaryOp::kAdd;
    case Grammar::MINUS: return ast::BinaryOp::kSubtract;
    case Grammar::STAR: return ast::BinaryOp::kMultiply;
    case Grammar::SLASH: return ast::BinaryOp::kDivide;
    case Grammar::PERCENT: return ast::BinaryOp::kModulo;
    default: return ast::BinaryOp::kConcat;
  }
}

/// One step of a chain: the operator and the operand to its right.
struct Link {
  antlr4::Token* op;
  Grammar::ValueContext* right;
};

/// Precedence of a binary value node, or 0 for any other.
int LinkOf(Grammar::ValueContext* tree, Grammar::ValueContext*& left, Link& link) {
  if (auto* concat = dynamic_cast<Grammar::ConcatContext*>(tree)) {
    left = concat->left;
    link = {concat->CONCAT()->getSymbol(), concat->right};
    return 1;
  }
  if (auto* additive = dynamic_cast<Grammar::AdditiveContext*>(tree)) {
    left = additive->left;
    link = {additive->op, additive->right};
    return 2;
  }
  if (auto* multiplicative = dynamic_cast<Grammar::MultiplicativeContext*>(tree)) {
    left = multiplicative->left;
    link = {multiplicative->op, multiplicative->right};
    return 3;
  }
  return 0;
}

}  // namespace

ast::ExprPtr Transformer::Seal(ast::ExprPtr node, int height_below) {
  node->height = height_below + 1;
  if (node->height <= limits::kNestingDepthMax) return node;
  Fail(node->position, ErrorCode::kNestingTooDeep,
       fmt::format("the expression is deeper than the limit of {}", limits::kNestingDepthMax),
       "split the expression, or compute its inner part in a query of its own");
  auto stand_in = std::make_unique<ast::Literal>();
  stand_in->position = node->position;
  return stand_in;
}

ast::ExprPtr Transformer::MakeBinary(ast::BinaryOp op, SourcePosition op_position,
                                     ast::ExprPtr left, ast::ExprPtr right) {
  auto out = std::make_unique<ast::Binary>();
  out->op = op;
  out->op_position = op_position;
  out->position = left->position;
  if (left->position.line == right->position.line) {
    out->position.length = right->position.column + right->position.length - left->position.column;
  }
  const int height = std::max(left->height, right->height);
  out->left = std::move(left);
  out->right = std::move(right);
  return Seal(std::move(out), height);
}

ast::ExprPtr Transformer::TransformExpression(Grammar::ExpressionContext* tree) {
  if (auto* alone = dynamic_cast<Grammar::PredicateAloneContext*>(tree)) {
    return TransformPredicate(alone->predicate());
  }
  if (auto* negation = dynamic_cast<Grammar::NotContext*>(tree)) {
    auto out = std::make_unique<ast::Not>();
    out->position = Place(tree);
    out->operand = TransformExpression(negation->expression());
    const int height = out->operand->height;
    return Seal(std::move(out), height);
  }
  return TransformBooleans(tree, dynamic_cast<Grammar::AndContext*>(tree) != nullptr);
}

ast::ExprPtr Transformer::TransformBooleans(Grammar::ExpressionContext* tree, bool is_and) {
  std::vector<ast::ExprPtr> operands;
  std::vector<SourcePosition> places;
  std::vector<Grammar::ExpressionContext*> rights;
  while (true) {  // Down the left side, from the last operator to the first.
    Grammar::ExpressionContext* left = nullptr;
    if (auto* conjunction = dynamic_cast<Grammar::AndContext*>(tree); conjunction && is_and) {
      left = conjunction->left;
      rights.push_back(conjunction->right);
      places.push_back(Place(conjunction->K_AND()->getSymbol()));
    } else if (auto* either = dynamic_cast<Grammar::OrContext*>(tree); either && !is_and) {
      left = either->left;
      rights.push_back(either->right);
      places.push_back(Place(either->K_OR()->getSymbol()));
    } else {
      break;
    }
    tree = left;
  }
  std::reverse(places.begin(), places.end());
  operands.push_back(TransformExpression(tree));
  for (auto right = rights.rbegin(); right != rights.rend(); ++right) {
    operands.push_back(TransformExpression(*right));
  }
  const ast::BinaryOp op = is_and ? ast::BinaryOp::kAnd : ast::BinaryOp::kOr;
  if (operands.size() <= kLeftDeepMax) {
    ast::ExprPtr out = std::move(operands[0]);
    for (size_t i = 1; i < operands.size(); ++i) {
      out = MakeBinary(op, places[i - 1], std::move(out), std::move(operands[i]));
    }
    return out;
  }
  // Pairs of neighbours, then pairs of pairs: the order of evaluation stays, the height is small.
  while (operands.size() > 1) {
    std::vector<ast::ExprPtr> pairs;
    std::vector<SourcePosition> between;
    for (size_t i = 0; i + 1 < operands.size(); i += 2) {
      pairs.push_back(
          MakeBinary(op, places[i], std::move(operands[i]), std::move(operands[i + 1])));
      if (i + 1 < places.size()) between.push_back(places[i + 1]);
    }
    if (operands.size() % 2 == 1) pairs.push_back(std::move(operands.back()));
    operands = std::move(pairs);
    places = std::move(between);
  }
  return std::move(operands[0]);
}

ast::ExprPtr Transformer::TransformPredicate(Grammar::PredicateContext* tree) {
  ast::ExprPtr operand = TransformValue(tree->value());
  if (tree->predicateTail() == nullptr) return operand;
  ast::ExprPtr out = TransformPredicateTail(std::move(operand), tree->predicateTail());
  out->position = Place(tree);
  return out;
}

ast::ExprPtr Transformer::TransformPredicateTail(ast::ExprPtr operand,
                                                 Grammar::PredicateTailContext* tail) {
  int height = operand->height;
  if (auto* comparison = dynamic_cast<Grammar::ComparisonContext*>(tail)) {
    return MakeBinary(ComparisonOf(comparison->op->getType()), Place(comparison->op),
                      std::move(operand), TransformValue(comparison->right));
  }
  if (auto* quantified = dynamic_cast<Grammar::QuantifiedContext*>(tail)) {
    const bool all = quantified->quantifier->getType() == Grammar::K_ALL;
    ast::ExprPtr out =
        TransformSubquery(tail, all ? ast::SubqueryForm::kAll : ast::SubqueryForm::kAny,
                          std::move(operand), quantified->innerQuery());
    if (out->kind == ast::ExprKind::kSubquery) {
      out->As<ast::SubqueryExpr>().op = ComparisonOf(quantified->op->getType());
    }
    return out;
  }
  if (auto* in = dynamic_cast<Grammar::InQueryContext*>(tail)) {
    ast::ExprPtr out =
        TransformSubquery(tail, ast::SubqueryForm::kIn, std::move(operand), in->innerQuery());
    if (out->kind == ast::ExprKind::kSubquery) {
      out->As<ast::SubqueryExpr>().negated = in->K_NOT() != nullptr;
    }
    return out;
  }
  if (auto* distinct = dynamic_cast<Grammar::DistinctFromContext*>(tail)) {
    const ast::BinaryOp op = distinct->K_NOT() != nullptr ? ast::BinaryOp::kIsNotDistinctFrom
                                                          : ast::BinaryOp::kIsDistinctFrom;
    return MakeBinary(op, Place(distinct->K_IS()->getSymbol()), std::move(operand),
                      TransformValue(distinct->right));
  }
  if (auto* is_null = dynamic_cast<Grammar::IsNullContext*>(tail)) {
    auto out = std::make_unique<ast::IsNull>();
    out->position = operand->position;
    out->operand = std::move(operand);
    out->negated = is_null->K_NOT() != nullptr;
    return Seal(std::move(out), height);
  }
  if (auto* between = dynamic_cast<Grammar::BetweenContext*>(tail)) {
    auto out = std::make_unique<ast::Between>();
    out->position = operand->position;
    out->operand = std::move(operand);
    out->low = TransformValue(between->low);
    out->high = TransformValue(between->high);
    out->negated = between->K_NOT() != nullptr;
    height = std::max({height, out->low->height, out->high->height});
    return Seal(std::move(out), height);
  }
  if (auto* list = dynamic_cast<Grammar::InListContext*>(tail)) {
    auto out = std::make_unique<ast::InList>();
    out->position = operand->position;
    out->operand = std::move(operand);
    for (Grammar::ExpressionContext* value : list->expression()) {
      out->values.push_back(TransformExpression(value));
      height = std::max(height, out->values.back()->height);
    }
    out->negated = list->K_NOT() != nullptr;
    return Seal(std::move(out), height);
  }
  auto* like = static_cast<Grammar::LikeContext*>(tail);
  auto out = std::make_unique<ast::Like>();
  out->position = operand->position;
  out->operand = std::move(operand);
  out->pattern = TransformValue(like->pattern);
  if (like->STRING() != nullptr) out->escape = TransformString(like->STRING());
  out->negated = like->K_NOT() != nullptr;
  height = std::max(height, out->pattern->height);
  return Seal(std::move(out), height);
}

ast::ExprPtr Transformer::TransformValue(Grammar::ValueContext* tree) {
  if (auto* alone = dynamic_cast<Grammar::PrimaryAloneContext*>(tree)) {
    return TransformPrimary(alone->primary());
  }
  if (auto* sign = dynamic_cast<Grammar::SignContext*>(tree)) return TransformSign(sign);
  if (dynamic_cast<Grammar::AtTimeZoneContext*>(tree) == nullptr) return TransformChain(tree);
  std::vector<Grammar::AtTimeZoneContext*> zones;
  while (auto* zone = dynamic_cast<Grammar::AtTimeZoneContext*>(tree)) {
    zones.push_back(zone);
    tree = zone->value();
  }
  ast::ExprPtr out = TransformValue(tree);
  for (auto zone = zones.rbegin(); zone != zones.rend(); ++zone) {
    auto node = std::make_unique<ast::AtTimeZone>();
    node->position = Place(*zone);
    node->zone = TransformString((*zone)->STRING());
    const int height = out->height;
    node->operand = std::move(out);
    out = Seal(std::move(node), height);
  }
  return out;
}

ast::ExprPtr Transformer::TransformChain(Grammar::ValueContext* tree) {
  std::vector<Link> links;
  Link link{};
  Grammar::ValueContext* left = nullptr;
  const int precedence = LinkOf(tree, left, link);
  while (LinkOf(tree, left, link) == precedence) {
    links.push_back(link);
    tree = left;
  }
  ast::ExprPtr out = TransformValue(tree);
  for (auto each = links.rbegin(); each != links.rend(); ++each) {
    out = MakeBinary(ArithmeticOf(each->op->getType()), Place(each->op), std::move(out),
                     TransformValue(each->right));
  }
  return out;
}

ast::ExprPtr Transformer::TransformSign(Grammar::SignContext* tree) {
  const bool minus = tree->MINUS() != nullptr;
  if (auto* alone = dynamic_cast<Grammar::PrimaryAloneContext*>(tree->value()); alone && minus) {
    // A minus belongs to the number, or the least BIGINT could not be written.
    if (auto* number = dynamic_cast<Grammar::NumberValueContext*>(alone->primary())) {
      return MakeLiteral(tree, TransformNumber(number->number(), true));
    }
  }
  auto out = std::make_unique<ast::Unary>();
  out->position = Place(tree);
  out->op = minus ? ast::UnaryOp::kMinus : ast::UnaryOp::kPlus;
  out->operand = TransformValue(tree->value());
  const int height = out->operand->height;
  return Seal(std::move(out), height);
}

}  // namespace weir::transform
