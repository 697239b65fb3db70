#include <memory>
#include <utility>

#include "parser/ast/printer.h"

namespace weir::ast {
namespace {

ExprPtr CloneOrNull(const ExprPtr& expr) { return expr ? CloneExpr(*expr) : nullptr; }

std::vector<ExprPtr> CloneAll(const std::vector<ExprPtr>& exprs) {
  std::vector<ExprPtr> out;
  out.reserve(exprs.size());
  for (const ExprPtr& expr : exprs) out.push_back(CloneExpr(*expr));
  return out;
}

std::vector<OrderItem> CloneItems(const std::vector<OrderItem>& items) {
  std::vector<OrderItem> out;
  for (const OrderItem& item : items) {
    OrderItem& copy = out.emplace_back();
    copy.expr = CloneExpr(*item.expr);
    copy.descending = item.descending;
    copy.nulls_first = item.nulls_first;
  }
  return out;
}

std::unique_ptr<Literal> CloneNode(const Literal& from) {
  auto out = std::make_unique<Literal>();
  out->value = from.value;
  return out;
}

std::unique_ptr<ColumnRef> CloneNode(const ColumnRef& from) {
  auto out = std::make_unique<ColumnRef>();
  out->qualifier = from.qualifier;
  out->column = from.column;
  return out;
}

std::unique_ptr<Unary> CloneNode(const Unary& from) {
  auto out = std::make_unique<Unary>();
  out->op = from.op;
  out->operand = CloneExpr(*from.operand);
  return out;
}

std::unique_ptr<Binary> CloneNode(const Binary& from) {
  auto out = std::make_unique<Binary>();
  out->op = from.op;
  out->op_position = from.op_position;
  out->left = CloneExpr(*from.left);
  out->right = CloneExpr(*from.right);
  return out;
}

std::unique_ptr<Not> CloneNode(const Not& from) {
  auto out = std::make_unique<Not>();
  out->operand = CloneExpr(*from.operand);
  return out;
}

std::unique_ptr<IsNull> CloneNode(const IsNull& from) {
  auto out = std::make_unique<IsNull>();
  out->operand = CloneExpr(*from.operand);
  out->negated = from.negated;
  return out;
}

std::unique_ptr<Between> CloneNode(const Between& from) {
  auto out = std::make_unique<Between>();
  out->operand = CloneExpr(*from.operand);
  out->low = CloneExpr(*from.low);
  out->high = CloneExpr(*from.high);
  out->negated = from.negated;
  return out;
}

std::unique_ptr<InList> CloneNode(const InList& from) {
  auto out = std::make_unique<InList>();
  out->operand = CloneExpr(*from.operand);
  out->values = CloneAll(from.values);
  out->negated = from.negated;
  return out;
}

std::unique_ptr<Like> CloneNode(const Like& from) {
  auto out = std::make_unique<Like>();
  out->operand = CloneExpr(*from.operand);
  out->pattern = CloneExpr(*from.pattern);
  out->escape = from.escape;
  out->negated = from.negated;
  return out;
}

std::unique_ptr<Case> CloneNode(const Case& from) {
  auto out = std::make_unique<Case>();
  out->subject = CloneOrNull(from.subject);
  for (const CaseBranch& branch : from.branches) {
    out->branches.push_back({CloneExpr(*branch.when), CloneExpr(*branch.then)});
  }
  out->otherwise = CloneOrNull(from.otherwise);
  return out;
}

std::unique_ptr<Cast> CloneNode(const Cast& from) {
  auto out = std::make_unique<Cast>();
  out->operand = CloneExpr(*from.operand);
  out->type = from.type;
  return out;
}

std::unique_ptr<FunctionCall> CloneNode(const FunctionCall& from) {
  auto out = std::make_unique<FunctionCall>();
  out->name = from.name;
  out->star = from.star;
  out->distinct = from.distinct;
  out->args = CloneAll(from.args);
  out->filter = CloneOrNull(from.filter);
  if (from.over) {
    out->over = std::make_unique<OverClause>();
    out->over->partition_by = CloneAll(from.over->partition_by);
    out->over->order_by = CloneItems(from.over->order_by);
    out->over->frame = from.over->frame;
    out->over->position = from.over->position;
  }
  return out;
}

std::unique_ptr<Lambda> CloneNode(const Lambda& from) {
  auto out = std::make_unique<Lambda>();
  out->parameters = from.parameters;
  out->body = CloneExpr(*from.body);
  return out;
}

std::unique_ptr<Subscript> CloneNode(const Subscript& from) {
  auto out = std::make_unique<Subscript>();
  out->base = CloneExpr(*from.base);
  out->index = CloneExpr(*from.index);
  return out;
}

std::unique_ptr<StructField> CloneNode(const StructField& from) {
  auto out = std::make_unique<StructField>();
  out->base = CloneExpr(*from.base);
  out->field = from.field;
  return out;
}

std::unique_ptr<ArrayLiteral> CloneNode(const ArrayLiteral& from) {
  auto out = std::make_unique<ArrayLiteral>();
  out->elements = CloneAll(from.elements);
  return out;
}

std::unique_ptr<MapLiteral> CloneNode(const MapLiteral& from) {
  auto out = std::make_unique<MapLiteral>();
  for (const auto& [key, value] : from.entries) {
    out->entries.emplace_back(CloneExpr(*key), CloneExpr(*value));
  }
  return out;
}

std::unique_ptr<StructLiteral> CloneNode(const StructLiteral& from) {
  auto out = std::make_unique<StructLiteral>();
  for (const auto& [name, value] : from.fields) out->fields.emplace_back(name, CloneExpr(*value));
  return out;
}

std::unique_ptr<AtTimeZone> CloneNode(const AtTimeZone& from) {
  auto out = std::make_unique<AtTimeZone>();
  out->operand = CloneExpr(*from.operand);
  out->zone = from.zone;
  return out;
}

std::unique_ptr<IntervalUnit> CloneNode(const IntervalUnit& from) {
  auto out = std::make_unique<IntervalUnit>();
  out->unit = from.unit;
  out->name = from.name;
  return out;
}

std::unique_ptr<SubqueryExpr> CloneNode(const SubqueryExpr& from) {
  auto out = std::make_unique<SubqueryExpr>();
  out->form = from.form;
  out->operand = CloneOrNull(from.operand);
  out->op = from.op;
  out->negated = from.negated;
  out->query = CloneQuery(*from.query);
  return out;
}

ExprPtr CloneByKind(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::kLiteral: return CloneNode(expr.As<Literal>());
    case ExprKind::kColumnRef: return CloneNode(expr.As<ColumnRef>());
    case ExprKind::kUnary: return CloneNode(expr.As<Unary>());
    case ExprKind::kBinary: return CloneNode(expr.As<Binary>());
    case ExprKind::kNot: return CloneNode(expr.As<Not>());
    case ExprKind::kIsNull: return CloneNode(expr.As<IsNull>());
    case ExprKind::kBetween: return CloneNode(expr.As<Between>());
    case ExprKind::kInList: return CloneNode(expr.As<InList>());
    case ExprKind::kLike: return CloneNode(expr.As<Like>());
    case ExprKind::kCase: return CloneNode(expr.As<Case>());
    case ExprKind::kCast: return CloneNode(expr.As<Cast>());
    case ExprKind::kFunctionCall: return CloneNode(expr.As<FunctionCall>());
    case ExprKind::kLambda: return CloneNode(expr.As<Lambda>());
    case ExprKind::kSubscript: return CloneNode(expr.As<Subscript>());
    case ExprKind::kStructField: return CloneNode(expr.As<StructField>());
    case ExprKind::kArrayLiteral: return CloneNode(expr.As<ArrayLiteral>());
    case ExprKind::kMapLiteral: return CloneNode(expr.As<MapLiteral>());
    case ExprKind::kStructLiteral: return CloneNode(expr.As<StructLiteral>());
    case ExprKind::kAtTimeZone: return CloneNode(expr.As<AtTimeZone>());
    case ExprKind::kIntervalUnit: return CloneNode(expr.As<IntervalUnit>());
    case ExprKind::kSubquery: return CloneNode(expr.As<SubqueryExpr>());
  }
  return nullptr;
}

RelationPtr CloneRelation(const Relation& relation) {
  RelationPtr out;
  switch (relation.kind) {
    case RelationKind::kTable: {
      const auto& from = relation.As<AliasedTable>();
      auto copy = std::make_unique<AliasedTable>();
      copy->name = from.name;
      copy->alias = from.alias;
      copy->read_from = from.read_from;
      out = std::move(copy);
      break;
    }
    case RelationKind::kJoin: {
      const auto& from = relation.As<Join>();
      auto copy = std::make_unique<Join>();
      copy->type = from.type;
      copy->left = CloneRelation(*from.left);
      copy->right = CloneRelation(*from.right);
      copy->within = from.within;
      copy->form = from.form;
      copy->on = CloneOrNull(from.on);
      copy->using_names = from.using_names;
      out = std::move(copy);
      break;
    }
    case RelationKind::kSubquery: {
      const auto& from = relation.As<Subquery>();
      auto copy = std::make_unique<Subquery>();
      copy->query = CloneQuery(*from.query);
      copy->alias = from.alias;
      out = std::move(copy);
      break;
    }
    case RelationKind::kSetOperation: {
      const auto& from = relation.As<SetOperation>();
      auto copy = std::make_unique<SetOperation>();
      copy->op = from.op;
      copy->all = from.all;
      for (const QueryPtr& part : from.parts) copy->parts.push_back(CloneQuery(*part));
      out = std::move(copy);
      break;
    }
    case RelationKind::kNothing: out = std::make_unique<Nothing>(); break;
  }
  out->position = relation.position;
  return out;
}

}  // namespace

SubqueryExpr::SubqueryExpr() : Expr(kKind) {}
SubqueryExpr::~SubqueryExpr() = default;

ExprPtr CloneExpr(const Expr& expr) {
  ExprPtr out = CloneByKind(expr);
  out->position = expr.position;
  out->height = expr.height;
  return out;
}

QueryPtr CloneQuery(const Query& query) {
  auto out = std::make_unique<Query>();
  out->height = query.height;
  for (const CommonTable& common : query.ctes) {
    out->ctes.push_back({common.name, CloneQuery(*common.query)});
  }
  out->distinct = query.distinct;
  for (const SelectItem& item : query.items) {
    SelectItem& copy = out->items.emplace_back();
    copy.kind = item.kind;
    copy.expr = CloneOrNull(item.expr);
    copy.alias = item.alias;
    copy.qualifier = item.qualifier;
    copy.without = item.without;
    for (const Replacement& replacement : item.replaced) {
      copy.replaced.push_back({CloneExpr(*replacement.expr), replacement.name});
    }
    copy.position = item.position;
  }
  out->from = CloneRelation(*query.from);
  out->window = query.window;
  out->where = CloneOrNull(query.where);
  out->group_by = CloneAll(query.group_by);
  out->partition_by = CloneAll(query.partition_by);
  out->having = CloneOrNull(query.having);
  out->order_by = CloneItems(query.order_by);
  out->emit = query.emit;
  out->emit_position = query.emit_position;
  out->limit = query.limit;
  out->offset = query.offset;
  out->offset_position = query.offset_position;
  out->position = query.position;
  out->group_by_position = query.group_by_position;
  out->partition_by_position = query.partition_by_position;
  return out;
}

}  // namespace weir::ast
