#include "planner/queries/join_condition.h"

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "parser/ast/printer.h"
#include "planner/binder/coercion.h"
#include "planner/binder/expr_binder.h"
#include "planner/binder/make_expr.h"
#include "planner/catalog/near_names.h"
#include "planner/queries/where_parts.h"

namespace weir {
namespace {

Status InvalidCondition(std::string message, SourcePosition position) {
  return Status(ErrorCode::kInvalidJoin, std::move(message)).At(position);
}

/// Aliases of the sources that an expression over `scope` reads.
std::vector<std::string> SourcesOf(const BoundExpr& expr, const Scope& scope) {
  std::vector<std::string> sources;
  VisitExpr(expr, [&](const BoundExpr& node) {
    if (node.kind != BoundKind::kColumn && node.kind != BoundKind::kSystem) return;
    for (const ScopeColumn& column : scope.columns()) {
      if (!SameExpr(*column.expr, node)) continue;
      if (std::ranges::find(sources, column.source) == sources.end()) {
        sources.push_back(column.source);
      }
      return;
    }
  });
  return sources;
}

/// Both sides' names; columns are numbered so that those of the two sides differ.
Scope Combine(const Scope& left, const Scope& right) {
  Scope both;
  int next = 0;
  for (const Scope* scope : {&left, &right}) {
    for (ScopeColumn column : scope->columns()) {
      column.expr = MakeColumn(next++, column.expr->type, column.name);
      both.Add(std::move(column));
    }
  }
  return both;
}

/// Each key has columns of its own: another has one of this one's.
bool SharesColumn(const std::vector<JoinEquality>& equalities, const JoinEquality& made) {
  return std::ranges::any_of(equalities, [&](const JoinEquality& other) {
    return SameExpr(*other.left, *made.left) || SameExpr(*other.right, *made.right);
  });
}

/// A condition for a pair of rows.
Result<BoundExprPtr> BindPairBy(ExprBinder binder, const ast::Expr& expr) {
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr bound, binder.BindPredicate(expr));
  if (IsDeterministic(*bound)) return bound;
  return InvalidCondition("ON has to give the same for the same rows, and this does not: " +
                              ast::FormatExpr(expr),
                          expr.position)
      .WithHint("WHERE takes it");
}

/// "ALIAS.COLUMN" for a plain column of `scope`, else the expression's SQL.
std::string LabelOf(const BoundExpr& expr, const Scope& scope) {
  for (const ScopeColumn& column : scope.columns()) {
    if (SameExpr(*column.expr, expr)) return column.source + "." + column.name;
  }
  return expr.text;
}

class ConditionBinder {
 public:
  ConditionBinder(const QueryInput& left, const QueryInput& right, const QueryUse& use)
      : left_(left), right_(right), use_(use), both_(Combine(left.scope, right.scope)) {}

  /// ON is this one equality.
  Result<JoinCondition> BindOne(const ast::Expr& on);
  Result<JoinCondition> BindAll(const std::vector<const ast::Expr*>& parts, const ast::Expr& on);

 private:
  ExprBinder BinderOver(const Scope& scope) const {
    return ExprBinder(scope, *use_.context->catalog, *use_.context->functions, "ON");
  }
  Result<BoundExprPtr> Bind(const ast::Expr& expr, const Scope& scope) const {
    return BinderOver(scope).Bind(expr);
  }
  Result<BoundExprPtr> BindPair(const ast::Expr& expr) const {
    return BindPairBy(BinderOver(both_), expr);
  }
  Result<std::vector<std::string>> NamedSources(const ast::Expr& expr) const {
    WEIR_ASSIGN_OR_RETURN(BoundExprPtr bound, Bind(expr, both_));
    return SourcesOf(*bound, both_);
  }
  Result<JoinEquality> BindEquality(const ast::Binary& equality, bool swapped) const;
  Result<bool> IsBetweenSides(const ast::Binary& equality, bool* swapped) const;
  Status TypesDiffer(const JoinEquality& equality, const ast::Expr& expr) const;

  const QueryInput& left_;
  const QueryInput& right_;
  const QueryUse& use_;
  const Scope both_;
};

Result<JoinEquality> ConditionBinder::BindEquality(const ast::Binary& equality,
                                                   bool swapped) const {
  JoinEquality made;
  WEIR_ASSIGN_OR_RETURN(made.left, Bind(swapped ? *equality.right : *equality.left, left_.scope));
  WEIR_ASSIGN_OR_RETURN(made.right, Bind(swapped ? *equality.left : *equality.right, right_.scope));
  made.left_label = LabelOf(*made.left, left_.scope);
  made.right_label = LabelOf(*made.right, right_.scope);
  made.position = equality.position;
  return made;
}

Status ConditionBinder::TypesDiffer(const JoinEquality& equality, const ast::Expr& expr) const {
  return InvalidCondition("the sides of a join's = have the same type, and here are " +
                              equality.left->type.ToString() + " and " +
                              equality.right->type.ToString() + ": " + ast::FormatExpr(expr),
                          equality.position)
      .WithHint("CAST one of them");
}

Result<JoinCondition> ConditionBinder::BindOne(const ast::Expr& on) {
  const auto& equality = on.As<ast::Binary>();
  WEIR_ASSIGN_OR_RETURN(std::vector<std::string> a, NamedSources(*equality.left));
  WEIR_ASSIGN_OR_RETURN(std::vector<std::string> b, NamedSources(*equality.right));
  for (const auto& [sources, side] :
       {std::pair{&a, equality.left.get()}, std::pair{&b, equality.right.get()}}) {
    if (sources->size() == 1) continue;
    return InvalidCondition(
        "each side of a join's = names columns of exactly one source: " + ast::FormatExpr(*side),
        side->position);
  }
  const bool swapped = right_.scope.HasSource(a[0]);
  if (swapped == right_.scope.HasSource(b[0])) {
    return InvalidCondition("the condition compares " + a[0] + " with " + b[0] +
                                "; one side has to be of the joined source " +
                                ListNames(right_.scope.Sources()),
                            on.position);
  }
  WEIR_ASSIGN_OR_RETURN(JoinEquality made, BindEquality(equality, swapped));
  if (!(made.left->type == made.right->type)) return TypesDiffer(made, on);
  JoinCondition condition;
  condition.equalities.push_back(std::move(made));
  return condition;
}

/// Whether one side of the equality is of the left input alone, the other of the right alone.
Result<bool> ConditionBinder::IsBetweenSides(const ast::Binary& equality, bool* swapped) const {
  WEIR_ASSIGN_OR_RETURN(std::vector<std::string> a, NamedSources(*equality.left));
  WEIR_ASSIGN_OR_RETURN(std::vector<std::string> b, NamedSources(*equality.right));
  if (a.size() != 1 || b.size() != 1) return false;
  *swapped = right_.scope.HasSource(a[0]);
  return *swapped != right_.scope.HasSource(b[0]);
}

Result<JoinCondition> ConditionBinder::BindAll(const std::vector<const ast::Expr*>& parts,
                                               const ast::Expr& on) {
  JoinCondition condition;
  Status mismatch = OkStatus();
  for (const ast::Expr* part : parts) {
    bool swapped = false, between = false;
    if (IsEquality(*part)) {
      WEIR_ASSIGN_OR_RETURN(between, IsBetweenSides(part->As<ast::Binary>(), &swapped));
    }
    if (!between) {
      WEIR_ASSIGN_OR_RETURN(BoundExprPtr bound, BindPair(*part));
      condition.others.push_back(std::move(bound));
      continue;
    }
    WEIR_ASSIGN_OR_RETURN(JoinEquality made, BindEquality(part->As<ast::Binary>(), swapped));
    if (!(made.left->type == made.right->type)) {
      if (mismatch.ok()) mismatch = TypesDiffer(made, *part);
      WEIR_ASSIGN_OR_RETURN(BoundExprPtr bound, BindPair(*part));
      condition.others.push_back(std::move(bound));
      continue;
    }
    WEIR_ASSIGN_OR_RETURN(made.pair, BindPair(*part));
    // So that SELECT can name one for each key.
    if (SharesColumn(condition.equalities, made))
      condition.others.push_back(std::move(made.pair));
    else
      condition.equalities.push_back(std::move(made));
  }
  if (!condition.equalities.empty()) return condition;
  if (!mismatch.ok()) return mismatch;
  return InvalidCondition("ON needs an equality between " + ListNames(left_.scope.Sources()) +
                              " and " + ListNames(right_.scope.Sources()) + ": " +
                              ast::FormatExpr(on),
                          on.position)
      .WithHint("write ON a.x = b.y; further conditions may follow it with AND");
}

/// The condition of a join of inputs that end.
class BoundedBinder {
 public:
  BoundedBinder(const QueryInput& left, const QueryInput& right, const QueryUse& use)
      : left_(left),
        right_(right),
        use_(use),
        both_(Combine(left.scope, right.scope)),
        left_columns_(static_cast<int>(left.scope.columns().size())) {}

  Status Add(const ast::Expr& part);
  Status AddNamed(const ast::Identifier& name);
  JoinCondition Take() { return std::move(condition_); }

 private:
  enum Sides { kNone = 0, kLeft = 1, kRight = 2 };

  ExprBinder Binder() const {
    ExprBinder binder(both_, *use_.context->catalog, *use_.context->functions, "ON");
    binder.SetOuter(use_.outer);
    return binder;
  }
  int SidesOf(const BoundExpr& expr) const {
    int sides = kNone;
    VisitExpr(expr, [&](const BoundExpr& node) {
      if (node.kind == BoundKind::kColumn) sides |= node.index < left_columns_ ? kLeft : kRight;
    });
    return sides;
  }
  /// The expression as its side's own scope has it.
  BoundExprPtr OverSide(const BoundExprPtr& expr) const {
    return ReplaceExpr(expr, [&](const BoundExprPtr& node) -> BoundExprPtr {
      if (node->kind != BoundKind::kColumn) return nullptr;
      return node->index < left_columns_ ? left_.scope.columns()[node->index].expr
                                         : right_.scope.columns()[node->index - left_columns_].expr;
    });
  }
  bool AddEquality(BoundExprPtr left, BoundExprPtr right, SourcePosition position);

  const QueryInput& left_;
  const QueryInput& right_;
  const QueryUse& use_;
  const Scope both_;
  const int left_columns_;
  JoinCondition condition_;
};

/// Whether each value of `from` is one of `to`: so that a hash table finds what = finds.
bool IsExact(const DataType& from, const DataType& to) {
  return from == to || (from.is(TypeKind::kInt) && !to.is(TypeKind::kDecimal)) ||
         from.is(TypeKind::kNull);
}

/// False where it is none between the two sides, or only close to one: a BIGINT beside a DOUBLE.
bool BoundedBinder::AddEquality(BoundExprPtr left, BoundExprPtr right, SourcePosition position) {
  if (SidesOf(*left) == kRight && SidesOf(*right) == kLeft) std::swap(left, right);
  if (SidesOf(*left) != kLeft || SidesOf(*right) != kRight) return false;
  const DataType types[] = {left->type, right->type};
  if (!(types[0] == types[1]) && !CoerceComparison("=", left, right).ok()) return false;
  if (!(left->type == right->type)) return false;
  if (!IsExact(types[0], left->type) || !IsExact(types[1], right->type)) return false;
  JoinEquality made;
  made.left = OverSide(left);
  made.right = OverSide(right);
  made.position = position;
  if (SharesColumn(condition_.equalities, made)) return false;
  condition_.equalities.push_back(std::move(made));
  return true;
}

Status BoundedBinder::Add(const ast::Expr& part) {
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr whole, BindPairBy(Binder(), part));
  if (IsEquality(part)) {
    const auto& equality = part.As<ast::Binary>();
    WEIR_ASSIGN_OR_RETURN(BoundExprPtr left, Binder().Bind(*equality.left));
    WEIR_ASSIGN_OR_RETURN(BoundExprPtr right, Binder().Bind(*equality.right));
    if (AddEquality(std::move(left), std::move(right), part.position)) return OkStatus();
  }
  condition_.others.push_back(std::move(whole));
  return OkStatus();
}

Status BoundedBinder::AddNamed(const ast::Identifier& name) {
  ast::ColumnRef ref;
  ref.column = name;
  ref.position = name.position;
  BoundExprPtr sides[2];
  for (const QueryInput* input : {&left_, &right_}) {
    WEIR_ASSIGN_OR_RETURN(const ScopeColumn* column, input->scope.Resolve(ref, "USING"));
    const int first = input == &left_ ? 0 : left_columns_;
    const auto place = static_cast<int>(column - input->scope.columns().data());
    sides[first == 0 ? 0 : 1] = both_.columns()[static_cast<size_t>(first + place)].expr;
  }
  const DataType types[] = {sides[0]->type, sides[1]->type};
  if (AddEquality(std::move(sides[0]), std::move(sides[1]), name.position)) return OkStatus();
  if (types[0] == types[1]) {
    return Status(ErrorCode::kDuplicateName, "USING has this name twice: " + name.name)
        .At(name.position);
  }
  return InvalidCondition("USING takes columns of one type, and " + name.name + " is " +
                              types[0].ToString() + " and " + types[1].ToString(),
                          name.position)
      .WithHint("write ON, and CAST one of them");
}

}  // namespace

Result<JoinCondition> BindBoundedCondition(const QueryInput& left, const QueryInput& right,
                                           const std::vector<const ast::Expr*>& parts,
                                           const std::vector<ast::Identifier>& names,
                                           const QueryUse& use) {
  BoundedBinder binder(left, right, use);
  for (const ast::Identifier& name : names) WEIR_RETURN_IF_ERROR(binder.AddNamed(name));
  for (const ast::Expr* part : parts) WEIR_RETURN_IF_ERROR(binder.Add(*part));
  return binder.Take();
}

Result<JoinCondition> BindJoinCondition(const QueryInput& left, const QueryInput& right,
                                        const ast::Expr& on, const QueryUse& use) {
  const PlannerContext& context = *use.context;
  std::vector<const ast::Expr*> parts;
  SplitConjuncts(on, parts);
  if (!context.sql_extensions && parts.size() > 1) {
    return ExtensionError(context, "a join on several conditions is", on.position);
  }
  if (!context.sql_extensions && !IsEquality(on)) {
    return ExtensionError(context, "a join on anything but one equality (a = b) is", on.position);
  }
  ConditionBinder binder(left, right, use);
  JoinCondition condition;
  if (parts.size() == 1 && IsEquality(on)) {
    WEIR_ASSIGN_OR_RETURN(condition, binder.BindOne(on));
  } else {
    WEIR_ASSIGN_OR_RETURN(condition, binder.BindAll(parts, on));
  }
  condition.text = ast::FormatExpr(on);
  return condition;
}

}  // namespace weir
