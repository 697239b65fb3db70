#include <fmt/format.h>

#include "parser/ast/print_parts.h"
#include "parser/ast/printer.h"

namespace weir::ast {
namespace {

std::string FormatKeep(const std::optional<int64_t>& retention_ms,
                       const std::optional<int64_t>& grace_ms) {
  std::string out;
  if (retention_ms) out += ", RETENTION " + FormatDuration(*retention_ms);
  if (grace_ms) out += ", GRACE PERIOD " + FormatDuration(*grace_ms);
  return out;
}

std::string FormatWindow(const WindowClause& window) {
  std::string out = window.name ? FormatIdentifier(*window.name) + " " : "";
  const std::string size = FormatDuration(window.size_ms);
  switch (window.kind) {
    case WindowKind::kTumbling: out += "TUMBLING (SIZE " + size; break;
    case WindowKind::kHopping:
      out +=
          fmt::format("HOPPING (SIZE {}, ADVANCE BY {}", size, FormatDuration(window.advance_ms));
      break;
    case WindowKind::kSession: out += "SESSION (" + size; break;
    case WindowKind::kSliding: out += "SLIDING (SIZE " + size; break;
  }
  return out + FormatKeep(window.retention_ms, window.grace_ms) + ")";
}

std::string FormatReadFrom(const ReadFrom& from) {
  switch (from.kind) {
    case ReadFromKind::kDefault: return "";
    case ReadFromKind::kBeginning: return " FROM BEGINNING";
    case ReadFromKind::kLatest: return " FROM LATEST";
    case ReadFromKind::kTimestamp: return " FROM TIMESTAMP " + FormatLiteral(from.timestamp);
    case ReadFromKind::kOffsets: break;
  }
  return " FROM OFFSETS (" +
         JoinFormatted(
             from.offsets,
             [](const auto& pair) { return fmt::format("{} := {}", pair.first, pair.second); }) +
         ")";
}

std::string_view JoinWords(JoinType type) {
  switch (type) {
    case JoinType::kInner: return "INNER JOIN";
    case JoinType::kLeft: return "LEFT OUTER JOIN";
    case JoinType::kRight: return "RIGHT OUTER JOIN";
    case JoinType::kFull: break;
  }
  return "FULL OUTER JOIN";
}

std::string FormatWithin(const Within& within) {
  std::string out = within.symmetric
                        ? " WITHIN " + FormatDuration(within.before_ms)
                        : fmt::format(" WITHIN ({}, {})", FormatDuration(within.before_ms),
                                      FormatDuration(within.after_ms));
  if (within.grace_ms) out += " GRACE PERIOD " + FormatDuration(*within.grace_ms);
  return out;
}

std::string FormatRelation(const Relation& relation);

std::string FormatNameList(const std::vector<Identifier>& names) {
  return "(" + JoinFormatted(names, FormatIdentifier) + ")";
}

std::string FormatJoin(const Join& join) {
  std::string right = FormatRelation(*join.right);
  const bool is_nested = join.right->kind == RelationKind::kJoin;
  // A comma binds last: joins behind it need no brackets.
  const bool behind_comma =
      is_nested && join.form == JoinForm::kComma && join.right->As<Join>().form != join.form;
  if (is_nested && !behind_comma) right = "(" + right + ")";
  const std::string left = FormatRelation(*join.left);
  switch (join.form) {
    case JoinForm::kComma: return left + ", " + right;
    case JoinForm::kCross: return left + " CROSS JOIN " + right;
    case JoinForm::kNatural:
      return fmt::format("{} NATURAL {} {}", left, JoinWords(join.type), right);
    case JoinForm::kOn:
    case JoinForm::kUsing: break;
  }
  return fmt::format("{} {} {}{}{}", left, JoinWords(join.type), right,
                     join.within ? FormatWithin(*join.within) : "",
                     join.form == JoinForm::kOn ? " ON " + FormatExpr(*join.on)
                                                : " USING " + FormatNameList(join.using_names));
}

std::string_view SetWords(SetOperator op) {
  switch (op) {
    case SetOperator::kUnion: return " UNION ";
    case SetOperator::kIntersect: return " INTERSECT ";
    case SetOperator::kExcept: break;
  }
  return " EXCEPT ";
}

/// A part of a set operation, in brackets where it is more than a SELECT.
std::string FormatPart(const Query& part) {
  const bool bare = part.ctes.empty() && part.order_by.empty() && part.emit == EmitMode::kNone &&
                    !part.limit && !part.offset && part.from->kind != RelationKind::kSetOperation;
  return bare ? FormatQuery(part) : "(" + FormatQuery(part) + ")";
}

std::string FormatRelation(const Relation& relation) {
  switch (relation.kind) {
    case RelationKind::kTable: {
      const auto& table = relation.As<AliasedTable>();
      std::string out = FormatIdentifier(table.name);
      if (table.alias) out += " AS " + FormatIdentifier(*table.alias);
      return out + FormatReadFrom(table.read_from);
    }
    case RelationKind::kJoin: return FormatJoin(relation.As<Join>());
    case RelationKind::kSubquery: {
      const auto& inner = relation.As<Subquery>();
      std::string out = "(" + FormatQuery(*inner.query) + ")";
      if (inner.alias) out += " AS " + FormatIdentifier(*inner.alias);
      return out;
    }
    case RelationKind::kNothing: return {};
    case RelationKind::kSetOperation: break;
  }
  const auto& operation = relation.As<SetOperation>();
  std::string out;
  for (const QueryPtr& part : operation.parts) {
    if (!out.empty()) out += SetWords(operation.op);
    if (!out.empty() && operation.all) out += "ALL ";
    out += FormatPart(*part);
  }
  return out;
}

/// A star with what is left out and replaced.
std::string FormatStar(std::string star, const SelectItem& item) {
  if (!item.without.empty()) star += " EXCEPT " + FormatNameList(item.without);
  if (item.replaced.empty()) return star;
  return star + " REPLACE (" +
         JoinFormatted(item.replaced,
                       [](const Replacement& each) {
                         return FormatExpr(*each.expr) + " AS " + FormatIdentifier(each.name);
                       }) +
         ")";
}

std::string FormatItem(const SelectItem& item) {
  switch (item.kind) {
    case SelectItemKind::kStar: return FormatStar("*", item);
    case SelectItemKind::kQualifiedStar:
      return FormatStar(FormatIdentifier(*item.qualifier) + ".*", item);
    case SelectItemKind::kStructStar: {
      const bool bare = item.expr->kind != ExprKind::kBinary &&
                        item.expr->kind != ExprKind::kUnary && item.expr->kind != ExprKind::kNot;
      const std::string text = FormatExpr(*item.expr);
      return (bare ? text : "(" + text + ")") + "->*";
    }
    case SelectItemKind::kExpr: break;
  }
  std::string out = FormatExpr(*item.expr);
  if (item.alias) out += " AS " + FormatIdentifier(*item.alias);
  return out;
}

std::string FormatSelectPart(const Query& query) {
  if (query.from->kind == RelationKind::kSetOperation) return FormatRelation(*query.from);
  std::string out = fmt::format("SELECT {}{}", query.distinct ? "DISTINCT " : "",
                                JoinFormatted(query.items, FormatItem));
  if (query.from->kind != RelationKind::kNothing) out += " FROM " + FormatRelation(*query.from);
  if (query.window) out += " WINDOW " + FormatWindow(*query.window);
  if (query.where) out += " WHERE " + FormatExpr(*query.where);
  if (!query.group_by.empty()) out += " GROUP BY " + FormatExprList(query.group_by);
  if (!query.partition_by.empty()) out += " PARTITION BY " + FormatExprList(query.partition_by);
  if (query.having) out += " HAVING " + FormatExpr(*query.having);
  return out;
}

}  // namespace

std::string FormatDuration(int64_t ms) {
  struct Unit {
    int64_t ms;
    std::string_view name;
  };
  constexpr Unit kUnits[] = {
      {86'400'000, "DAYS"}, {3'600'000, "HOURS"}, {60'000, "MINUTES"}, {1'000, "SECONDS"}};
  for (const Unit& unit : kUnits) {
    if (ms != 0 && ms % unit.ms == 0) return fmt::format("{} {}", ms / unit.ms, unit.name);
  }
  return fmt::format("{} MILLISECONDS", ms);
}

std::string FormatOrderItems(const std::vector<OrderItem>& items) {
  return JoinFormatted(items, [](const OrderItem& item) {
    std::string out = FormatExpr(*item.expr);
    if (item.descending) out += " DESC";
    if (item.nulls_first) out += *item.nulls_first ? " NULLS FIRST" : " NULLS LAST";
    return out;
  });
}

std::string FormatQuery(const Query& query) {
  std::string out;
  if (!query.ctes.empty()) {
    out = "WITH " +
          JoinFormatted(query.ctes,
                        [](const CommonTable& common) {
                          return FormatIdentifier(common.name) + " AS (" +
                                 FormatQuery(*common.query) + ")";
                        }) +
          " ";
  }
  out += FormatSelectPart(query);
  if (!query.order_by.empty()) out += " ORDER BY " + FormatOrderItems(query.order_by);
  if (query.emit == EmitMode::kChanges) out += " EMIT CHANGES";
  if (query.emit == EmitMode::kFinal) out += " EMIT FINAL";
  if (query.limit) out += fmt::format(" LIMIT {}", *query.limit);
  if (query.offset) out += fmt::format(" OFFSET {}", *query.offset);
  return out;
}

}  // namespace weir::ast
