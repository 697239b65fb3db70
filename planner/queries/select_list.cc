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

/// The columns of a star that a name means: in a join that of its source, or both.
std::vector<size_t> NamedInStar(const std::vector<SelectedColumn>& columns,
                                const ast::Identifier& name) {
  std::vector<size_t> found;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == name.name || columns[i].own_name == name.name) found.push_back(i);
  }
  return found;
}

Status NotInStar(const std::vector<SelectedColumn>& columns, const ast::Identifier& name,
                 const std::string& clause) {
  std::vector<std::string> names;
  for (const SelectedColumn& column : columns) names.push_back(column.name);
  return Status(ErrorCode::kUnknownColumn, clause + " names no column of the *: " + name.name)
      .At(name.position)
      .WithHint(names.empty() ? "" : "* has " + ListNames(names));
}

/// * EXCEPT (…) REPLACE (…).
Status ChangeStar(const ast::SelectItem& item, const QueryUse& use, ExprBinder& binder,
                  std::vector<SelectedColumn>& columns) {
  if (item.without.empty() && item.replaced.empty()) return OkStatus();
  const std::string clause = item.without.empty() ? "REPLACE" : "EXCEPT";
  if (!use.bounded || !use.context->sql_extensions) {
    return ExtensionError(
        *use.context,
        "* " + clause + " (…)" + (use.bounded ? " is" : " over rows that keep coming is"),
        item.position);
  }
  const std::vector<SelectedColumn> all = columns;
  std::vector<bool> leaves(all.size(), false);
  for (const ast::Identifier& name : item.without) {
    const std::vector<size_t> found = NamedInStar(all, name);
    if (found.empty()) return NotInStar(all, name, "EXCEPT");
    for (size_t place : found) leaves[place] = true;
  }
  std::vector<bool> replaced(all.size(), false);
  for (const ast::Replacement& each : item.replaced) {
    const std::vector<size_t> found = NamedInStar(all, each.name);
    if (found.empty()) return NotInStar(all, each.name, "REPLACE");
    if (found.size() > 1) {
      return Status(ErrorCode::kAmbiguousColumn,
                    "REPLACE names several columns of the *: " + each.name.name)
          .At(each.name.position)
          .WithHint("write " + all[found[0]].name + " or " + all[found[1]].name);
    }
    if (leaves[found[0]] || replaced[found[0]]) {
      return Status(ErrorCode::kDuplicateName,
                    "* leaves out or replaces this column already: " + each.name.name)
          .At(each.name.position);
    }
    replaced[found[0]] = true;
    WEIR_ASSIGN_OR_RETURN(columns[found[0]].expr, binder.Bind(*each.expr));
  }
  for (size_t i = all.size(); i-- > 0;) {
    if (leaves[i]) columns.erase(columns.begin() + static_cast<std::ptrdiff_t>(i));
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
    columns.push_back({std::move(name), column.expr, {}, false, true, column.name});
  };
  for (const ScopeColumn& column : input.scope.columns()) {
    if (column.source.empty() && !source) add(column);
  }
  for (const std::string& alias : input.scope.Sources()) {
    if (source && *source != alias) continue;
    for (int rank = 0; rank < 4; ++rank) {  // Keys, window bounds, values, headers.
      for (const ScopeColumn& column : input.scope.columns()) {
        const int own = column.is_key ? 0 : column.is_window_bound ? 1 : column.is_headers ? 3 : 2;
        if (column.is_merged && !source) continue;
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
        WEIR_RETURN_IF_ERROR(ChangeStar(item, use, binder, all));
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
        std::vector<SelectedColumn> all = StarColumns(input, use, source);
        WEIR_RETURN_IF_ERROR(ChangeStar(item, use, binder, all));
        for (SelectedColumn& column : all) {
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
