#include "planner/queries/join_plan.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/status_macros.h"
#include "planner/binder/make_expr.h"
#include "planner/catalog/near_names.h"

namespace weir {

bool ContainsExpr(const std::vector<BoundExprPtr>& exprs, const BoundExpr& expr) {
  return std::ranges::any_of(exprs, [&](const BoundExprPtr& one) { return SameExpr(*one, expr); });
}

bool IsKeyOf(const BoundExpr& expr, const KeyColumn& key, const QueryInput& input) {
  if (!input.is_join) return SameExpr(*key.expr, expr);
  return ContainsExpr(input.is_table() ? key.equal : key.always, expr);
}

namespace {

using logical::JoinSides;
using physical::JoinKind;

Status CannotJoin(std::string message, SourcePosition position) {
  return Status(ErrorCode::kInvalidJoin, std::move(message)).At(position);
}

JoinKind KindOf(ast::JoinType type) {
  switch (type) {
    case ast::JoinType::kInner: return JoinKind::kInner;
    case ast::JoinType::kLeft: return JoinKind::kLeft;
    case ast::JoinType::kRight: return JoinKind::kRight;
    case ast::JoinType::kFull: return JoinKind::kFull;
  }
  return JoinKind::kInner;
}

enum class JoinedSide { kLeft, kRight };

/// For each key column of one side the equality that compares it, if each has one.
std::optional<std::vector<size_t>> FindKeys(const QueryInput& input, const JoinCondition& on,
                                            JoinedSide side) {
  if (input.keys.empty()) return std::nullopt;
  std::vector<size_t> found;
  for (const KeyColumn& key : input.keys) {
    const auto at = std::ranges::find_if(on.equalities, [&](const JoinEquality& equality) {
      return IsKeyOf(side == JoinedSide::kLeft ? *equality.left : *equality.right, key, input);
    });
    const auto place = static_cast<size_t>(at - on.equalities.begin());
    if (at == on.equalities.end() || std::ranges::find(found, place) != found.end()) {
      return std::nullopt;
    }
    found.push_back(place);
  }
  return found;
}

/// What is wrong where the right side's key is not compared as a whole.
Status LacksTableKey(const QueryInput& right, const JoinCondition& on, const ast::Join& join,
                     bool of_stream) {
  std::vector<std::string> keys, missing;
  for (const KeyColumn& key : right.keys) {
    const std::string name =
        right.is_join ? key.labels[0] : right.scope.Sources()[0] + "." + key.name;
    keys.push_back(name);
    const bool found = std::ranges::any_of(on.equalities, [&](const JoinEquality& equality) {
      return IsKeyOf(*equality.right, key, right);
    });
    if (!found) missing.push_back(name);
  }
  const std::string rule = of_stream ? "a stream joins a table on the table's primary key"
                                     : "tables are joined on the primary key of the right one";
  if (missing.size() == keys.size() || missing.empty()) {
    return CannotJoin(rule + ", and this is not it: " + on.equalities[0].right_label,
                      join.on->position)
        .WithHint("the primary key is " + ListNames(keys));
  }
  return CannotJoin(rule + ", and a part of it is not compared: " + ListNames(missing),
                    join.on->position)
      .WithHint("the primary key is " + ListNames(keys) + "; each of them needs an equality");
}

Status CheckForeignKey(const QueryInput& left, const QueryInput& right, const ast::Join& join) {
  const JoinKind kind = KindOf(join.type);
  if (kind == JoinKind::kFull || kind == JoinKind::kRight) {
    return CannotJoin("a foreign key joins tables by JOIN or LEFT JOIN only", join.position);
  }
  if (left.node->windowed_key != physical::WindowKind::kNone ||
      right.node->windowed_key != physical::WindowKind::kNone) {
    return CannotJoin("windowed tables cannot be joined by a foreign key", join.position);
  }
  return OkStatus();
}

/// Whether both name the same equalities, in whatever order.
bool SameSet(const std::optional<std::vector<size_t>>& some, std::vector<size_t> others) {
  if (!some) return false;
  std::vector<size_t> sorted = *some;
  std::ranges::sort(sorted);
  std::ranges::sort(others);
  return sorted == others;
}

Status CheckWithin(const QueryInput& left, const QueryInput& right, const ast::Join& join) {
  const bool streams = !left.is_table() && !right.is_table();
  if (streams && !join.within) {
    return CannotJoin("a join of two streams needs WITHIN", join.position)
        .WithHint("write JOIN … WITHIN 10 MINUTES ON …");
  }
  if (!streams && join.within) {
    return CannotJoin("WITHIN belongs to joins of two streams only", join.within->position);
  }
  if (join.within && (join.within->before_ms < 0 || join.within->after_ms < 0 ||
                      join.within->grace_ms.value_or(0) < 0)) {
    return CannotJoin("the times of WITHIN are not negative", join.within->position);
  }
  return OkStatus();
}

Status CheckWindows(const QueryInput& left, const QueryInput& right, const JoinPlan& plan,
                    bool keyed, const std::string& text, const ast::Join& join) {
  using physical::WindowKind;
  const WindowKind a = left.node->windowed_key;
  const WindowKind b = right.node->windowed_key;
  if (a == WindowKind::kNone && b == WindowKind::kNone) return OkStatus();
  if ((a == WindowKind::kNone) != (b == WindowKind::kNone) ||
      (a == WindowKind::kSession) != (b == WindowKind::kSession)) {
    return CannotJoin("sources join only if both have windows of one kind, or none", join.position);
  }
  if (!keyed || plan.sides == JoinSides::kForeignKey) {
    return CannotJoin("windowed sources join on their keys only: " + text, join.on->position);
  }
  // A key carries its window's start only: windows of other sizes would look equal.
  const bool time = a != WindowKind::kSession;
  if (time && left.node->window_size_ms != right.node->window_size_ms) {
    return CannotJoin("windows of different sizes cannot be joined: " +
                          std::to_string(left.node->window_size_ms) + " and " +
                          std::to_string(right.node->window_size_ms) + " ms",
                      join.position);
  }
  if (plan.sides != JoinSides::kStreamStream) {
    return Status(ErrorCode::kUnsupported,
                  "joins with a table whose key has a window are not supported: " + text)
        .WithHint("join the streams before they are aggregated")
        .At(join.position);
  }
  return OkStatus();
}

}  // namespace

Result<JoinPlan> PlanJoin(const QueryInput& left, const QueryInput& right, JoinCondition on,
                          const ast::Join& join, const QueryUse& use) {
  const PlannerContext& context = *use.context;
  JoinPlan plan;
  plan.join = KindOf(join.type);
  const auto of_left = FindKeys(left, on, JoinedSide::kLeft);
  const auto of_right = FindKeys(right, on, JoinedSide::kRight);
  std::vector<size_t> order;  // Of the equalities that are keys.
  if (use.bounded) {
    if (join.within) {
      return Status(ErrorCode::kUnsupported, "WITHIN in a SELECT without EMIT is not supported")
          .WithHint("compare ROWTIME in ON")
          .At(join.within->position);
    }
    plan.sides = JoinSides::kBounded;
    plan.keys = std::move(on.equalities);
    plan.others = std::move(on.others);
    return plan;
  }
  if (left.is_table() && !right.is_table()) {
    return CannotJoin("a table cannot be joined with a stream on its right", join.position)
        .WithHint("name the stream first: FROM stream JOIN table");
  }
  if (!right.is_table()) {
    // All equalities are keys; in the order that one of the sides has already.
    for (size_t i = 0; i < on.equalities.size(); ++i) order.push_back(i);
    if (SameSet(of_left, order)) {
      order = *of_left;
    } else if (SameSet(of_right, order)) {
      order = *of_right;
    }
  } else if (!left.is_table()) {
    plan.sides = JoinSides::kStreamTable;
    if (plan.join == JoinKind::kFull || plan.join == JoinKind::kRight) {
      return CannotJoin("a stream joins a table by JOIN or LEFT JOIN only", join.position);
    }
    if (!of_right) return LacksTableKey(right, on, join, true);
    order = *of_right;
  } else {
    if (!of_right) return LacksTableKey(right, on, join, false);
    order = *of_right;
    plan.sides = JoinSides::kForeignKey;
    if (SameSet(of_left, order)) {
      plan.sides = JoinSides::kTableTable;
      order = *of_left;
    } else if (left.is_join && !context.sql_extensions) {
      return CannotJoin("a foreign-key join has to be the first of several joins: " + on.text,
                        join.on->position);
    } else {
      WEIR_RETURN_IF_ERROR(CheckForeignKey(left, right, join));
    }
  }
  WEIR_RETURN_IF_ERROR(CheckWithin(left, right, join));
  const bool keyed = SameSet(of_left, order) && SameSet(of_right, order);
  WEIR_RETURN_IF_ERROR(CheckWindows(left, right, plan, keyed, on.text, join));
  plan.others = std::move(on.others);
  for (size_t i = 0; i < on.equalities.size(); ++i) {
    if (std::ranges::find(order, i) == order.end()) plan.others.push_back(on.equalities[i].pair);
  }
  for (size_t i : order) plan.keys.push_back(on.equalities[i]);
  if (plan.sides == JoinSides::kTableTable && plan.join == JoinKind::kFull &&
      !plan.others.empty()) {
    return CannotJoin(
               "a FULL JOIN of tables takes equalities of their primary keys only: of rows "
               "with one key that are no pair both would stand under that key",
               join.on->position)
        .WithHint("LEFT JOIN and RIGHT JOIN take further conditions");
  }
  return plan;
}

}  // namespace weir
