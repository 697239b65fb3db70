#include "planner/explain_text.h"

#include "planner/binder/literals.h"

namespace weir {

std::string_view WindowKindText(physical::WindowKind kind) {
  switch (kind) {
    case physical::WindowKind::kNone: return "NONE";
    case physical::WindowKind::kTumbling: return "TUMBLING";
    case physical::WindowKind::kHopping: return "HOPPING";
    case physical::WindowKind::kSession: return "SESSION";
  }
  return {};
}

std::string_view JoinKindText(physical::JoinKind join) {
  switch (join) {
    case physical::JoinKind::kInner: return "INNER";
    case physical::JoinKind::kLeft: return "LEFT";
    case physical::JoinKind::kRight: return "RIGHT";
    case physical::JoinKind::kFull: return "FULL";
  }
  return {};
}

std::string WindowText(const physical::WindowSpec& window) {
  if (window.kind == physical::WindowKind::kNone) return "none";
  std::string text(WindowKindText(window.kind));
  const bool session = window.kind == physical::WindowKind::kSession;
  text += (session ? " gap " : " size ") + std::to_string(window.size_ms) + " ms";
  if (window.kind == physical::WindowKind::kHopping) {
    text += " advance " + std::to_string(window.advance_ms) + " ms";
  }
  text += " grace " + std::to_string(window.grace_ms) + " ms";
  return text + " retention " + std::to_string(window.retention_ms) + " ms";
}

std::string CallsText(const std::vector<physical::AggregateCall>& calls, const Schema& schema) {
  std::string text;
  for (const physical::AggregateCall& call : calls) {
    if (!text.empty()) text += ", ";
    text += call.function->name + "(";
    std::string separator;
    for (int arg : call.args) {
      text += separator + schema.columns[arg].name;
      separator = ", ";
    }
    for (size_t i = 0; i < call.constants.size(); ++i) {
      // A bound that a setting adds stands behind the function's own.
      const auto& types = call.function->constant_types;
      const DataType type = i < types.size() ? types[i] : DataType::Bigint();
      text += separator + ValueText(call.constants[i], type);
      separator = ", ";
    }
    text += ")";
  }
  return text;
}

std::string FlatMapText(const std::vector<physical::FlatMap::Call>& calls, const Schema& input) {
  std::string text = "FlatMap";
  for (const physical::FlatMap::Call& call : calls) {
    text += " " + call.function->name + "(";
    for (size_t i = 0; i < call.args.size(); ++i) {
      text += (i > 0 ? ", " : "") + ToText(*call.args[i], input);
    }
    text += ")";
  }
  return text;
}

std::string ExprsText(const std::vector<BoundExprPtr>& exprs, const Schema& input,
                      const Schema& output) {
  std::string text;
  for (size_t i = 0; i < exprs.size(); ++i) {
    if (i > 0) text += ", ";
    const std::string expr = ToText(*exprs[i], input);
    text += expr;
    const std::string& name = output.columns[i].name;
    if (expr != name) text += " AS " + name;
  }
  return text;
}

std::string SortKeysText(const std::vector<physical::SortKey>& keys, const Schema& schema) {
  std::string text;
  for (const physical::SortKey& key : keys) {
    if (!text.empty()) text += ", ";
    text += key.column == physical::SortKey::kTime ? "ROWTIME" : schema.columns[key.column].name;
    if (key.descending) text += " DESC";
    if (key.nulls_first) text += " NULLS FIRST";
  }
  return text;
}

std::string LimitText(int64_t limit, int64_t offset) {
  std::string text;
  if (limit >= 0) text += " " + std::to_string(limit);
  if (offset > 0) text += " offset " + std::to_string(offset);
  return text;
}

std::string FormatText(const physical::SideFormat& format) {
  std::string text = format.format;
  if (format.unwrapped && format.format == "JSON") text += " bare";
  for (const auto& [name, value] : format.properties) text += " " + name + "='" + value + "'";
  return text;
}

std::string PickedText(const std::vector<int>& columns, const Schema& schema) {
  std::string text;
  for (int column : columns) {
    if (!text.empty()) text += ", ";
    text += schema.columns[column].name;
  }
  return text;
}

template <>
Schema LeftSchema(const physical::ForeignKeyJoin& join) {
  Schema schema = *join.inputs[0]->schema;
  if (!join.spread) return schema;
  schema.columns.erase(
      schema.columns.begin(),
      schema.columns.begin() + static_cast<std::ptrdiff_t>(join.foreign_key.size()));
  schema.columns.resize(schema.columns.size() - 2);  // Version and kind.
  return schema;
}

std::string ListText(const std::vector<BoundExprPtr>& exprs, const Schema& input) {
  std::string text;
  for (const BoundExprPtr& expr : exprs) {
    if (!text.empty()) text += ", ";
    text += ToText(*expr, input);
  }
  return text;
}

std::string PairText(const BoundExprPtr& condition, const Schema& left, const Schema& right) {
  if (condition == nullptr) return {};
  Schema both = left;
  both.columns.insert(both.columns.end(), right.columns.begin(), right.columns.end());
  return " if " + ToText(*condition, both);
}

}  // namespace weir
