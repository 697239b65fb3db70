#include "planner/statements/pull_keys.h"

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "planner/binder/constant_folder.h"
#include "planner/binder/make_expr.h"

namespace weir {
namespace {

constexpr size_t kLookupsMax = 10'000;

/// `column op constant` or the other way round, with the operator turned.
struct Comparison {
  const BoundExpr* column = nullptr;
  BoundExprPtr constant;
  std::string op;
};

std::string Turned(const std::string& op) {
  if (op == "<") return ">";
  if (op == "<=") return ">=";
  if (op == ">") return "<";
  if (op == ">=") return "<=";
  return op;
}

std::optional<Comparison> AsComparison(const BoundExpr& expr) {
  if (expr.kind != BoundKind::kCall || expr.children.size() != 2) return std::nullopt;
  const std::string& op = expr.function->name;
  if (op != "=" && op != "<" && op != "<=" && op != ">" && op != ">=") return std::nullopt;
  const auto is_name = [](const BoundExpr& side) {
    return side.kind == BoundKind::kColumn || side.kind == BoundKind::kSystem;
  };
  if (is_name(*expr.children[0]) && IsConstant(*expr.children[1])) {
    return Comparison{expr.children[0].get(), expr.children[1], op};
  }
  if (is_name(*expr.children[1]) && IsConstant(*expr.children[0])) {
    return Comparison{expr.children[1].get(), expr.children[0], Turned(op)};
  }
  return std::nullopt;
}

/// The values that one key column may have under a conjunct; nothing if it does not say.
Result<std::optional<std::vector<Value>>> KeyValues(const BoundExpr& conjunct, int column,
                                                    bool sql_extensions) {
  std::vector<BoundExprPtr> constants;
  if (std::optional<Comparison> comparison = AsComparison(conjunct)) {
    if (comparison->op != "=" || comparison->column->kind != BoundKind::kColumn ||
        comparison->column->index != column) {
      return std::optional<std::vector<Value>>();
    }
    constants.push_back(comparison->constant);
  } else if (conjunct.kind == BoundKind::kIn && conjunct.children[0]->kind == BoundKind::kColumn &&
             conjunct.children[0]->index == column) {
    for (size_t i = 1; i < conjunct.children.size(); ++i) {
      if (!IsConstant(*conjunct.children[i])) return std::optional<std::vector<Value>>();
      constants.push_back(conjunct.children[i]);
    }
  } else {
    return std::optional<std::vector<Value>>();
  }
  std::vector<Value> values;
  for (const BoundExprPtr& constant : constants) {
    WEIR_ASSIGN_OR_RETURN(Value value, EvaluateConstantExpr(*constant));
    if (value.is_null()) {
      if (sql_extensions) return std::optional<std::vector<Value>>();
      return Status(ErrorCode::kInvalidPullQuery, "a key is never NULL: " + conjunct.text)
          .At(conjunct.position);
    }
    if (std::ranges::find(values, value) == values.end()) values.push_back(std::move(value));
  }
  return std::optional(std::move(values));
}

using Lookups = std::vector<KeyLookup>;

/// Look-ups for a conjunction: every key column has exactly one condition that lists its values.
Result<std::optional<Lookups>> ConjunctionKeys(const std::vector<BoundExprPtr>& conjuncts, int keys,
                                               bool sql_extensions) {
  Lookups lookups = {{}};
  for (int column = 0; column < keys; ++column) {
    std::optional<std::vector<Value>> found;
    for (const BoundExprPtr& conjunct : conjuncts) {
      WEIR_ASSIGN_OR_RETURN(std::optional<std::vector<Value>> values,
                            KeyValues(*conjunct, column, sql_extensions));
      if (!values) continue;
      // Two conditions on one key are left to a scan, as in ksqlDB.
      if (found) return std::optional<Lookups>();
      found = std::move(values);
    }
    if (!found || lookups.size() * found->size() > kLookupsMax) return std::optional<Lookups>();
    Lookups next;
    for (const KeyLookup& lookup : lookups) {
      for (const Value& value : *found) {
        next.push_back(lookup);
        next.back().push_back(value);
      }
    }
    lookups = std::move(next);
  }
  return std::optional(std::move(lookups));
}

Result<std::optional<Lookups>> KeysOf(const BoundExprPtr& filter, int keys, bool sql_extensions) {
  if (filter->kind != BoundKind::kOr) {
    return ConjunctionKeys(Conjuncts(filter), keys, sql_extensions);
  }
  Lookups all;
  for (const BoundExprPtr& branch : filter->children) {
    WEIR_ASSIGN_OR_RETURN(std::optional<Lookups> some, KeysOf(branch, keys, sql_extensions));
    if (!some) return std::optional<Lookups>();
    for (KeyLookup& lookup : *some) {
      if (std::ranges::find(all, lookup) == all.end()) all.push_back(std::move(lookup));
    }
  }
  return std::optional(std::move(all));
}

}  // namespace

Result<PullKeys> ExtractKeys(const BoundExprPtr& filter, const SourceEntry& source,
                             bool sql_extensions) {
  PullKeys result;
  const int keys = static_cast<int>(
      std::ranges::count_if(source.columns, [](const auto& column) { return column.is_key; }));
  WEIR_ASSIGN_OR_RETURN(result.lookups, KeysOf(filter, keys, sql_extensions));
  if (keys == 1 && source.windowed_key == physical::WindowKind::kNone) {
    for (const BoundExprPtr& conjunct : Conjuncts(filter)) {
      const std::optional<Comparison> comparison = AsComparison(*conjunct);
      result.is_key_range |= comparison && comparison->column->kind == BoundKind::kColumn &&
                             comparison->column->index == 0 && comparison->op != "=";
    }
  }
  return result;
}

}  // namespace weir
