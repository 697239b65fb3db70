// What stands between operators: names, calls, CASE, CAST, constructors, subscripts, fields.

#include <algorithm>
#include <array>

#include "parser/transform/transformer.h"

namespace weir::transform {
namespace {

struct UnitWord {
  std::string_view word;
  ast::TimeUnit unit;
};
constexpr std::array<UnitWord, 16> kUnitWords = {{
    {"DAY", ast::TimeUnit::kDay},
    {"DAYS", ast::TimeUnit::kDay},
    {"HOUR", ast::TimeUnit::kHour},
    {"HOURS", ast::TimeUnit::kHour},
    {"MILLISECOND", ast::TimeUnit::kMillisecond},
    {"MILLISECONDS", ast::TimeUnit::kMillisecond},
    {"MINUTE", ast::TimeUnit::kMinute},
    {"MINUTES", ast::TimeUnit::kMinute},
    {"MONTH", ast::TimeUnit::kMonth},
    {"MONTHS", ast::TimeUnit::kMonth},
    {"SECOND", ast::TimeUnit::kSecond},
    {"SECONDS", ast::TimeUnit::kSecond},
    {"WEEK", ast::TimeUnit::kWeek},
    {"WEEKS", ast::TimeUnit::kWeek},
    {"YEAR", ast::TimeUnit::kYear},
    {"YEARS", ast::TimeUnit::kYear},
}};

std::optional<ast::TimeUnit> FindUnit(std::string_view word) {
  for (const UnitWord& row : kUnitWords) {
    if (row.word == word) return row.unit;
  }
  return std::nullopt;
}

/// `expr` as a unit of time if it is a bare, unquoted unit's name; null otherwise.
ast::ExprPtr AsUnit(const ast::Expr& expr) {
  if (expr.kind != ast::ExprKind::kColumnRef) return nullptr;
  const auto& column = expr.As<ast::ColumnRef>();
  if (column.qualifier || column.column.quoted) return nullptr;
  const std::optional<ast::TimeUnit> unit = FindUnit(column.column.name);
  if (!unit) return nullptr;
  auto out = std::make_unique<ast::IntervalUnit>();
  out->position = expr.position;
  out->unit = *unit;
  out->name = column.column;
  return out;
}

}  // namespace

ast::ExprPtr Transformer::TransformPrimary(Grammar::PrimaryContext* tree) {
  std::vector<Grammar::PrimaryContext*> postfixes;  // Outermost first.
  while (true) {
    if (auto* subscript = dynamic_cast<Grammar::SubscriptContext*>(tree)) {
      postfixes.push_back(tree);
      tree = subscript->base;
    } else if (auto* field = dynamic_cast<Grammar::StructFieldContext*>(tree)) {
      postfixes.push_back(tree);
      tree = field->base;
    } else {
      break;
    }
  }
  ast::ExprPtr out = TransformAtom(tree);
  for (auto postfix = postfixes.rbegin(); postfix != postfixes.rend(); ++postfix) {
    out = TransformPostfix(*postfix, std::move(out));
  }
  return out;
}

ast::ExprPtr Transformer::TransformPostfix(Grammar::PrimaryContext* tree, ast::ExprPtr base) {
  int height = base->height;
  if (auto* subscript = dynamic_cast<Grammar::SubscriptContext*>(tree)) {
    auto out = std::make_unique<ast::Subscript>();
    out->position = Place(tree);
    out->base = std::move(base);
    out->index = TransformValue(subscript->index);
    height = std::max(height, out->index->height);
    return Seal(std::move(out), height);
  }
  auto out = std::make_unique<ast::StructField>();
  out->position = Place(tree);
  out->base = std::move(base);
  out->field = TransformName(static_cast<Grammar::StructFieldContext*>(tree)->identifier());
  return Seal(std::move(out), height);
}

ast::ExprPtr Transformer::TransformAtom(Grammar::PrimaryContext* tree) {
  if (auto* column = dynamic_cast<Grammar::ColumnContext*>(tree)) {
    auto out = std::make_unique<ast::ColumnRef>();
    out->position = Place(tree);
    out->column = TransformName(column->identifier());
    return out;
  }
  if (auto* column = dynamic_cast<Grammar::QualifiedColumnContext*>(tree)) {
    const std::vector<Grammar::IdentifierContext*> names = column->identifier();
    auto out = std::make_unique<ast::ColumnRef>();
    out->position = Place(tree);
    out->qualifier = TransformName(names[0]);
    out->column = TransformName(names[1]);
    return out;
  }
  if (auto* bracketed = dynamic_cast<Grammar::BracketedContext*>(tree)) {
    return TransformExpression(bracketed->expression());
  }
  if (auto* literal = dynamic_cast<Grammar::LiteralValueContext*>(tree)) {
    return MakeLiteral(tree, TransformLiteral(literal->literal()));
  }
  if (auto* number = dynamic_cast<Grammar::NumberValueContext*>(tree)) {
    return MakeLiteral(tree, TransformNumber(number->number(), false));
  }
  if (auto* typed = dynamic_cast<Grammar::TypedLiteralContext*>(tree)) {
    ast::LiteralValue value;
    value.kind = ast::LiteralKind::kTyped;
    value.type_name = TransformName(typed->typeName);
    value.text = TransformString(typed->STRING());
    return MakeLiteral(tree, std::move(value));
  }
  if (auto* call = dynamic_cast<Grammar::FunctionCallContext*>(tree)) return TransformCall(call);
  if (auto* call = dynamic_cast<Grammar::StarCallContext*>(tree)) {
    auto out = std::make_unique<ast::FunctionCall>();
    out->position = Place(tree);
    out->name = TransformName(call->identifier());
    out->star = true;
    int height = 0;
    if (call->filter() != nullptr) {
      out->filter = TransformExpression(call->filter()->expression());
      height = out->filter->height;
    }
    if (call->over() != nullptr) out->over = TransformOver(call->over(), height);
    return Seal(std::move(out), height);
  }
  if (auto* exists = dynamic_cast<Grammar::ExistsContext*>(tree)) {
    return TransformSubquery(tree, ast::SubqueryForm::kExists, nullptr, exists->innerQuery());
  }
  if (auto* scalar = dynamic_cast<Grammar::ScalarQueryContext*>(tree)) {
    return TransformSubquery(tree, ast::SubqueryForm::kScalar, nullptr, scalar->innerQuery());
  }
  return TransformConstructor(tree);
}

ast::ExprPtr Transformer::TransformSubquery(antlr4::ParserRuleContext* tree, ast::SubqueryForm form,
                                            ast::ExprPtr operand,
                                            Grammar::InnerQueryContext* query) {
  auto out = std::make_unique<ast::SubqueryExpr>();
  out->position = Place(tree);
  out->form = form;
  out->operand = std::move(operand);
  out->query = TransformInner(query);
  const int height = std::max(HeightOf(out->operand), out->query->height);
  return Seal(std::move(out), height);
}

ast::ExprPtr Transformer::TransformConstructor(Grammar::PrimaryContext* tree) {
  int height = 0;
  const SourcePosition place = Place(tree);
  if (auto* cast = dynamic_cast<Grammar::CastContext*>(tree)) {
    auto out = std::make_unique<ast::Cast>();
    out->position = place;
    out->operand = TransformExpression(cast->expression());
    out->type = TransformType(cast->type());
    height = out->operand->height;
    return Seal(std::move(out), height);
  }
  if (auto* searched = dynamic_cast<Grammar::SearchedCaseContext*>(tree)) {
    return TransformCase(tree, nullptr, searched->whenClause(), searched->otherwise);
  }
  if (auto* simple = dynamic_cast<Grammar::SimpleCaseContext*>(tree)) {
    return TransformCase(tree, simple->subject, simple->whenClause(), simple->otherwise);
  }
  if (auto* array = dynamic_cast<Grammar::ArrayLiteralContext*>(tree)) {
    auto out = std::make_unique<ast::ArrayLiteral>();
    out->position = place;
    for (Grammar::ExpressionContext* element : array->expression()) {
      out->elements.push_back(TransformExpression(element));
      height = std::max(height, out->elements.back()->height);
    }
    return Seal(std::move(out), height);
  }
  if (auto* map = dynamic_cast<Grammar::MapLiteralContext*>(tree)) {
    auto out = std::make_unique<ast::MapLiteral>();
    out->position = place;
    for (Grammar::MapEntryContext* entry : map->mapEntry()) {
      const std::vector<Grammar::ExpressionContext*> sides = entry->expression();
      out->entries.emplace_back(TransformExpression(sides[0]), TransformExpression(sides[1]));
      height = std::max(
          {height, HeightOf(out->entries.back().first), HeightOf(out->entries.back().second)});
    }
    return Seal(std::move(out), height);
  }
  auto out = std::make_unique<ast::StructLiteral>();
  out->position = place;
  auto* record = static_cast<Grammar::StructLiteralContext*>(tree);
  for (Grammar::StructEntryContext* entry : record->structEntry()) {
    out->fields.emplace_back(TransformName(entry->identifier()),
                             TransformExpression(entry->expression()));
    height = std::max(height, out->fields.back().second->height);
  }
  return Seal(std::move(out), height);
}

ast::ExprPtr Transformer::TransformCase(Grammar::PrimaryContext* tree,
                                        Grammar::ValueContext* subject,
                                        const std::vector<Grammar::WhenClauseContext*>& branches,
                                        Grammar::ExpressionContext* otherwise) {
  auto out = std::make_unique<ast::Case>();
  out->position = Place(tree);
  if (subject != nullptr) out->subject = TransformValue(subject);
  int height = HeightOf(out->subject);
  for (Grammar::WhenClauseContext* branch : branches) {
    out->branches.push_back({TransformExpression(branch->when), TransformExpression(branch->then)});
    height =
        std::max({height, out->branches.back().when->height, out->branches.back().then->height});
  }
  if (otherwise != nullptr) out->otherwise = TransformExpression(otherwise);
  height = std::max(height, HeightOf(out->otherwise));
  return Seal(std::move(out), height);
}

ast::ExprPtr Transformer::TransformCall(Grammar::FunctionCallContext* tree) {
  // A free word such as DAY is a unit only as the first of three arguments or more, as in
  // DATEADD(DAY, 1, d); elsewhere it is a column.
  constexpr size_t kArgumentsWithUnit = 3;
  auto out = std::make_unique<ast::FunctionCall>();
  out->position = Place(tree);
  out->name = TransformName(tree->identifier());
  out->distinct = tree->K_DISTINCT() != nullptr;
  const std::vector<Grammar::ArgumentContext*> arguments = tree->argument();
  int height = 0;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const bool unit_may_stand_here = i == 0 && arguments.size() >= kArgumentsWithUnit;
    out->args.push_back(TransformArgument(arguments[i], unit_may_stand_here));
    height = std::max(height, out->args.back()->height);
  }
  if (tree->filter() != nullptr) {
    out->filter = TransformExpression(tree->filter()->expression());
    height = std::max(height, out->filter->height);
  }
  if (tree->over() != nullptr) out->over = TransformOver(tree->over(), height);
  return Seal(std::move(out), height);
}

ast::ExprPtr Transformer::TransformArgument(Grammar::ArgumentContext* tree,
                                            bool unit_may_stand_here) {
  if (auto* lambda = dynamic_cast<Grammar::LambdaContext*>(tree)) {
    auto out = std::make_unique<ast::Lambda>();
    out->position = Place(tree);
    for (Grammar::IdentifierContext* name : lambda->identifier()) {
      out->parameters.push_back(TransformName(name));
    }
    out->body = TransformExpression(lambda->expression());
    const int height = out->body->height;
    return Seal(std::move(out), height);
  }
  if (auto* unit = dynamic_cast<Grammar::UnitArgumentContext*>(tree)) {
    auto out = std::make_unique<ast::IntervalUnit>();
    out->position = Place(tree);
    out->name.spelling = TextOf(unit);
    for (char c : out->name.spelling) {
      out->name.name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    out->name.position = out->position;
    out->unit = FindUnit(out->name.name).value_or(ast::TimeUnit::kDay);
    return out;
  }
  ast::ExprPtr out =
      TransformExpression(static_cast<Grammar::PlainArgumentContext*>(tree)->expression());
  if (unit_may_stand_here) {
    if (ast::ExprPtr unit = AsUnit(*out)) return unit;
  }
  return out;
}

std::unique_ptr<ast::OverClause> Transformer::TransformOver(Grammar::OverContext* tree,
                                                            int& height) {
  auto out = std::make_unique<ast::OverClause>();
  out->position = Place(tree);
  for (Grammar::ExpressionContext* key : tree->expression()) {
    out->partition_by.push_back(TransformExpression(key));
    height = std::max(height, out->partition_by.back()->height);
  }
  for (Grammar::OrderItemContext* item : tree->orderItem()) {
    out->order_by.push_back(TransformOrderItem(item));
    height = std::max(height, out->order_by.back().expr->height);
  }
  if (tree->frame() != nullptr) {
    // Words only and numbers: the tokens in capitals, one blank between, are its canonical text.
    const std::string written = TextOf(tree->frame());
    bool blank = false;
    for (char c : written) {
      if (c == ' ' || (c >= '\t' && c <= '\r')) {
        blank = true;
        continue;
      }
      if (blank) out->frame += ' ';
      blank = false;
      out->frame += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  return out;
}

}  // namespace weir::transform
