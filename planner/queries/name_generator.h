#pragma once

// Names for expressions without an alias: KSQL_COL_0, KSQL_COL_1, …; a struct's field keeps its own
// name. Names that a source has, or that were given before, are passed over.

#include <map>
#include <set>
#include <string>

#include "parser/ast/expression.h"
#include "planner/binder/scope.h"

namespace weir {

class NameGenerator {
 public:
  explicit NameGenerator(const Scope& scope) {
    for (const ScopeColumn& column : scope.columns()) taken_.insert(column.name);
  }

  /// The next KSQL_COL_n.
  std::string NextColumn() {
    std::string name;
    do {
      name = "KSQL_COL_" + std::to_string(next_++);
    } while (taken_.contains(name));
    return name;
  }

  /// FIELD, or FIELD_1, FIELD_2, … where it is taken.
  std::string ForField(const std::string& field) {
    std::string name = field;
    int& n = last_of_field_[field];
    while (taken_.contains(name)) name = field + "_" + std::to_string(++n);
    taken_.insert(name);
    return name;
  }

  std::string ForExpr(const ast::Expr& expr) {
    if (expr.kind == ast::ExprKind::kStructField) {
      return ForField(expr.As<ast::StructField>().field.name);
    }
    return NextColumn();
  }

 private:
  std::set<std::string> taken_;
  std::map<std::string, int> last_of_field_;  ///< The last number given behind a field's name.
  int next_ = 0;
};

}  // namespace weir
