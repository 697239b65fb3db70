#include "planner/binder/make_expr.h"

#include <functional>
#include <string>
#include <variant>

#include "planner/binder/literals.h"

namespace weir {

std::shared_ptr<BoundExpr> NewExpr(BoundKind kind, DataType type,
                                   std::vector<BoundExprPtr> children) {
  auto expr = std::make_shared<BoundExpr>();
  expr->kind = kind;
  expr->type = std::move(type);
  expr->children = std::move(children);
  return expr;
}

BoundExprPtr MakeColumn(int index, DataType type, std::string text) {
  auto expr = NewExpr(BoundKind::kColumn, std::move(type));
  expr->index = index;
  expr->text = std::move(text);
  return expr;
}

BoundExprPtr MakeSystem(SystemColumn column) {
  auto expr = NewExpr(BoundKind::kSystem, SystemColumnType(column));
  expr->system = column;
  expr->text = std::string(SystemColumnName(column));
  return expr;
}

BoundExprPtr MakeLiteral(Value value, DataType type, std::string text) {
  auto expr = NewExpr(BoundKind::kLiteral, std::move(type));
  expr->value = std::move(value);
  expr->text = std::move(text);
  return expr;
}

BoundExprPtr MakeBigint(int64_t number) {
  return MakeLiteral(Value(number), DataType::Bigint(), std::to_string(number));
}

BoundExprPtr MakeCast(BoundExprPtr expr, const DataType& type) {
  if (expr->type == type) return expr;
  if (expr->kind == BoundKind::kLiteral) {
    if (std::optional<Value> value = ConvertLiteral(expr->value, expr->type, type)) {
      auto literal = NewExpr(BoundKind::kLiteral, type);
      literal->value = std::move(*value);
      literal->text = expr->text;
      literal->position = expr->position;
      return literal;
    }
  }
  auto cast = NewExpr(BoundKind::kCast, type, {expr});
  cast->text = expr->text;
  cast->position = expr->position;
  return cast;
}

BoundExprPtr MakeCall(const ScalarOverload* function, std::vector<BoundExprPtr> args,
                      std::string text) {
  auto call = NewExpr(BoundKind::kCall, function->return_type, std::move(args));
  call->function = function;
  call->text = std::move(text);
  return call;
}

BoundExprPtr MakeLogical(BoundKind kind, std::vector<BoundExprPtr> children, std::string text) {
  auto expr = NewExpr(kind, DataType::Boolean(), std::move(children));
  expr->text = std::move(text);
  return expr;
}

bool SameExpr(const BoundExpr& a, const BoundExpr& b) {
  if (&a == &b) return true;
  if (a.kind != b.kind || a.index != b.index || a.function != b.function ||
      a.parameter_count != b.parameter_count || a.children.size() != b.children.size() ||
      !(a.type == b.type)) {
    return false;
  }
  if (a.kind == BoundKind::kSystem && a.system != b.system) return false;
  if (a.kind == BoundKind::kLiteral && !(a.value == b.value)) return false;
  for (size_t i = 0; i < a.children.size(); ++i) {
    if (!SameExpr(*a.children[i], *b.children[i])) return false;
  }
  return true;
}

size_t HashExpr(const BoundExpr& expr) {
  size_t hash = static_cast<size_t>(expr.kind);
  const auto mix = [&hash](size_t part) { hash = (hash ^ part) * 0x9E3779B97F4A7C15u + 1; };
  mix(static_cast<size_t>(expr.index));
  mix(std::hash<const void*>()(expr.function));
  if (expr.kind == BoundKind::kSystem) mix(static_cast<size_t>(expr.system));
  if (expr.kind == BoundKind::kLiteral) {
    // Of values that are rarely written, the kind alone.
    mix(expr.value.data.index());
    if (const auto* text = std::get_if<std::string>(&expr.value.data)) {
      mix(std::hash<std::string>()(*text));
    } else if (const auto* number = std::get_if<int32_t>(&expr.value.data)) {
      mix(static_cast<size_t>(*number));
    } else if (const auto* large = std::get_if<int64_t>(&expr.value.data)) {
      mix(static_cast<size_t>(*large));
    } else if (const auto* decimal = std::get_if<Int128>(&expr.value.data)) {
      mix(static_cast<size_t>(*decimal));
    } else if (const auto* floating = std::get_if<double>(&expr.value.data)) {
      mix(std::hash<double>()(*floating));
    }
  }
  for (const BoundExprPtr& child : expr.children) mix(HashExpr(*child));
  return hash;
}

bool IsNullLiteral(const BoundExpr& expr) {
  return expr.kind == BoundKind::kLiteral && expr.value.is_null();
}

void VisitExpr(const BoundExpr& expr, const std::function<void(const BoundExpr&)>& visit) {
  visit(expr);
  for (const BoundExprPtr& child : expr.children) VisitExpr(*child, visit);
}

bool IsDeterministic(const BoundExpr& expr) {
  bool deterministic = true;
  VisitExpr(expr, [&](const BoundExpr& node) {
    if (node.kind == BoundKind::kCall && !node.function->deterministic) deterministic = false;
  });
  return deterministic;
}

bool IsConstant(const BoundExpr& expr) {
  bool constant = IsDeterministic(expr);
  VisitExpr(expr, [&](const BoundExpr& node) {
    if (node.kind == BoundKind::kColumn || node.kind == BoundKind::kSystem) constant = false;
  });
  return constant;
}

BoundExprPtr ReplaceExpr(const BoundExprPtr& expr,
                         const std::function<BoundExprPtr(const BoundExprPtr&)>& replace) {
  if (BoundExprPtr other = replace(expr)) return other;
  std::vector<BoundExprPtr> children;
  children.reserve(expr->children.size());
  bool changed = false;
  for (const BoundExprPtr& child : expr->children) {
    children.push_back(ReplaceExpr(child, replace));
    changed |= children.back() != child;
  }
  if (!changed) return expr;
  auto copy = std::make_shared<BoundExpr>(*expr);
  copy->children = std::move(children);
  return copy;
}

BoundExprPtr MapColumns(const BoundExprPtr& expr, const std::vector<int>& map) {
  return ReplaceExpr(expr, [&](const BoundExprPtr& node) -> BoundExprPtr {
    if (node->kind != BoundKind::kColumn || map[node->index] == node->index) return nullptr;
    auto copy = std::make_shared<BoundExpr>(*node);
    copy->index = map[node->index];
    return copy;
  });
}

void MarkColumns(const BoundExpr& expr, std::vector<bool>& used) {
  VisitExpr(expr, [&](const BoundExpr& node) {
    if (node.kind == BoundKind::kColumn) used[node.index] = true;
  });
}

std::vector<BoundExprPtr> Conjuncts(const BoundExprPtr& expr) {
  if (expr->kind != BoundKind::kAnd) return {expr};
  std::vector<BoundExprPtr> all;
  for (const BoundExprPtr& child : expr->children) {
    std::vector<BoundExprPtr> some = Conjuncts(child);
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

}  // namespace weir
