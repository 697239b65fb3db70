#include "planner/queries/select_list.h"

#include <set>
#include <utility>

#include "base/status_macros.h"
#include "planner/binder/make_expr.h"
#include "planner/catalog/near_names.h"
#include "planner/properties/format_rules.h"

namespace weir {
namespace {

/// The name of a column under its own name: in a join, ALIAS_COLUMN where several sources have it.
std::string NameOfColumn(const ScopeColumn& column, const QueryInput& input) {
  if (!input.is_join || column.source.empty()) return column.name;
  const bool clashes = input.scope.Find(column.name).size() > 1;
  return clashes ? JoinedName(column.source, column.name) : column.name;
}

Result<std::string> NameOfItem(const ast::Expr& expr, const QueryInput& input,
                               NameGenerator& names) {
  if (expr.kind == ast::ExprKind::kColumnRef) {
    const auto& ref = expr.As<ast::ColumnRef>();
    WEIR_ASSIGN_OR_RETURN(const ScopeColumn* column, input.scope.Resolve(ref, "SELECT"));
    return NameOfColumn(*column, input);
  }
  if (expr.kind == ast::ExprKind::kIntervalUnit) return expr.As<ast::IntervalUnit>().name.name;
  return names.ForExpr(expr);
}

bool IsInStar(const ScopeColumn& column, const QueryInput& input, const QueryUse& use) {
  if (!column.is_system) return true;
  // Sinks keep window bounds in the key; elsewhere they are shown.
  return column.is_window_bound && (input.is_join || !use.persistent);
}

/// STRUCT->*: one column a field.
Status ExpandStruct(const ast::SelectItem& item, ExprBinder& binder,
                    std::vector<SelectedColumn>& columns) {
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr base, binder.Bind(*item.expr));
  if (!base->type.is(TypeKind::kStruct)) {
    return Status(ErrorCode::kTypeMismatch,
                  "->* takes the fields of a STRUCT, not of " + base->type.ToString())
        .At(item.position);
  }
  const auto fields = base->type.fields();
  for (size_t i = 0; i < fields.size(); ++i) {
    auto field = NewExpr(BoundKind::kField, fields[i].type, {base});
    field->index = static_cast<int>(i);
    field->text = base->text + "->" + fields[i].name;
    columns.push_back({fields[i].name, field, item.position, false, false});
  }
  return OkStatus();
}

}  // namespace

std::vector<SelectedColumn> StarColumns(const QueryInput& input, const QueryUse& use,
                                        const std::optional<std::string>& source) {
  std::vector<SelectedColumn> columns;
  const auto add = [&](const ScopeColumn& column) {
    std::string name = input.is_join && !column.source.empty()
                           ? JoinedName(column.source, column.name)
                           : column.name;
    columns.push_back({std::move(name), column.expr, {}, false, true});
  };
  for (const ScopeColumn& column : input.scope.columns()) {
    if (column.source.empty() && !source) add(column);
  }
  for (const std::string& alias : input.scope.Sources()) {
    if (source && *source != alias) continue;
    for (int rank = 0; rank < 4; ++rank) {  // Keys, window bounds, values, headers.
      for (const ScopeColumn& column : input.scope.columns()) {
        const int own = column.is_key ? 0 : column.is_window_bound ? 1 : column.is_headers ? 3 : 2;
        if (column.source == alias && own == rank && IsInStar(column, input, use)) add(column);
      }
    }
  }
  return columns;
}

Result<std::vector<SelectedColumn>> BindSelectList(
    const QueryInput& input, const QueryUse& use, ExprBinder& binder, NameGenerator& names,
    const std::optional<std::vector<SelectedColumn>>& star) {
  std::vector<SelectedColumn> columns;
  // Before any work is done for them.
  WEIR_RETURN_IF_ERROR(CheckColumnCount(use.query->items.size(), use.query->position));
  for (const ast::SelectItem& item : use.query->items) {
    switch (item.kind) {
      case ast::SelectItemKind::kStar: {
        std::vector<SelectedColumn> all = star ? *star : StarColumns(input, use, std::nullopt);
        for (SelectedColumn& column : all) {
          column.position = item.position;
          columns.push_back(std::move(column));
        }
        break;
      }
      case ast::SelectItemKind::kQualifiedStar: {
        const std::string& source = item.qualifier->name;
        if (!input.scope.HasSource(source)) {
          return Status(ErrorCode::kUnknownSource,
                        "no source in FROM has this name or alias: " + source)
              .At(item.qualifier->position)
              .WithHint("FROM has " + ListNames(input.scope.Sources()));
        }
        for (SelectedColumn& column : StarColumns(input, use, source)) {
          column.position = item.position;
          columns.push_back(std::move(column));
        }
        break;
      }
      case ast::SelectItemKind::kStructStar:
        WEIR_RETURN_IF_ERROR(ExpandStruct(item, binder, columns));
        break;
      case ast::SelectItemKind::kExpr: {
        WEIR_ASSIGN_OR_RETURN(BoundExprPtr bound, binder.Bind(*item.expr));
        SelectedColumn column{
            {}, std::move(bound), item.expr->position, item.alias.has_value(), false};
        if (item.alias) {
          column.name = item.alias->name;
          column.position = item.alias->position;
        } else {
          Result<std::string> name = NameOfItem(*item.expr, input, names);
          // A window's bounds are no columns of the input, yet they have names.
          if (!name.ok()) name = item.expr->As<ast::ColumnRef>().column.name;
          column.name = std::move(*name);
        }
        columns.push_back(std::move(column));
        break;
      }
    }
  }
  return columns;
}

Status CheckSelectedNames(const std::vector<SelectedColumn>& columns, const QueryUse& use) {
  WEIR_RETURN_IF_ERROR(CheckColumnCount(columns.size(), use.query->position));
  std::set<std::string> seen;
  for (const SelectedColumn& column : columns) {
    // `*` holds a system column only as the key that PARTITION BY made of it.
    if (IsSystemColumnName(column.name) && !column.is_star &&
        (use.persistent || column.has_alias)) {
      return Status(ErrorCode::kReservedName,
                    "a system column's name cannot name a result column: " + column.name)
          .WithHint("give it another one with AS")
          .At(column.position);
    }
    if (!seen.insert(column.name).second) {
      return Status(ErrorCode::kDuplicateName,
                    "two result columns have the same name: " + column.name)
          .WithHint("give one of them another name with AS")
          .At(column.position);
    }
    if (column.expr->type.is(TypeKind::kNull)) {
      return Status(ErrorCode::kTypeMismatch, "NULL alone has no type: " + column.name)
          .WithHint("write CAST(NULL AS type)")
          .At(column.position);
    }
  }
  return OkStatus();
}

}  // namespace weir
