// Types as written to DataTypes: built-in names, and those of CREATE TYPE.

#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/status_macros.h"
#include "parser/ast/type_names.h"
#include "planner/catalog/near_names.h"
#include "planner/planner.h"

namespace weir {
namespace {

struct NamedType {
  std::string_view name;
  DataType type;
};

const std::vector<NamedType>& BuiltinTypes() {
  static const std::vector<NamedType> types = {
      {"BOOLEAN", DataType::Boolean()},     {"INT", DataType::Int()},
      {"INTEGER", DataType::Int()},         {"BIGINT", DataType::Bigint()},
      {"DOUBLE", DataType::Double()},       {"VARCHAR", DataType::String()},
      {"STRING", DataType::String()},       {"BYTES", DataType::Bytes()},
      {"DATE", DataType::Date()},           {"TIME", DataType::Time()},
      {"TIMESTAMP", DataType::Timestamp()},
  };
  return types;
}

bool IsDecimalName(std::string_view name) {
  return name == "DECIMAL" || name == "DEC" || name == "NUMERIC";
}

Result<DataType> ResolveDecimal(const ast::TypeName& type) {
  if (type.parameters.size() != 2) {
    return Status(ErrorCode::kTypeMismatch, "DECIMAL needs a precision and a scale")
        .WithHint("write DECIMAL(10, 2)")
        .At(type.position);
  }
  const int64_t precision = type.parameters[0];
  const int64_t scale = type.parameters[1];
  if (precision < 1 || scale < 0 || scale > precision) {
    return Status(
               ErrorCode::kTypeMismatch,
               "a DECIMAL's precision is at least 1 and its scale between 0 and the precision: " +
                   std::to_string(precision) + ", " + std::to_string(scale))
        .At(type.position);
  }
  if (precision > limits::kDecimalPrecisionMax) {
    return Status(ErrorCode::kUnsupported,
                  "DECIMAL of more than 38 digits is not supported: " + std::to_string(precision))
        .At(type.position);
  }
  return DataType::Decimal(static_cast<int>(precision), static_cast<int>(scale));
}

/// Types of other systems, and what they are here.
constexpr std::pair<std::string_view, std::string_view> kForeignTypes[] = {
    {"ARRAY", "ARRAY<STRING>"},
    {"BINARY", "BYTES"},
    {"BLOB", "BYTES"},
    {"BOOL", "BOOLEAN"},
    {"BYTEA", "BYTES"},
    {"CHAR", "STRING"},
    {"DATETIME", "TIMESTAMP"},
    {"FLOAT", "DOUBLE"},
    {"FLOAT4", "DOUBLE"},
    {"FLOAT8", "DOUBLE"},
    {"INT2", "INT"},
    {"INT4", "INT"},
    {"INT8", "BIGINT"},
    {"JSON", "STRING"},
    {"LONG", "BIGINT"},
    {"MAP", "MAP<STRING, INT>"},
    {"NUMBER", "DECIMAL(10, 2)"},
    {"REAL", "DOUBLE"},
    {"SHORT", "INT"},
    {"SMALLINT", "INT"},
    {"STRUCT", "STRUCT<name STRING>"},
    {"TEXT", "STRING"},
    {"TIMESTAMPTZ", "TIMESTAMP"},
    {"TINYINT", "INT"},
    {"UUID", "STRING"}};

std::string TypeHint(const std::string& name, const Catalog& catalog) {
  for (const auto& [foreign, ours] : kForeignTypes) {
    if (name == foreign) return "write " + std::string(ours);
  }
  std::vector<std::string> names;
  for (const NamedType& builtin : BuiltinTypes()) names.emplace_back(builtin.name);
  for (const auto& [own, ignored] : catalog.types()) names.push_back(own);
  std::string near = DidYouMean(name, names);
  return near.empty() ? "the types are BOOLEAN, INT, BIGINT, DOUBLE, DECIMAL, STRING, BYTES, DATE, "
                        "TIME, TIMESTAMP, ARRAY, MAP and STRUCT"
                      : near;
}

Result<DataType> ResolveNamed(const ast::TypeName& type, const Catalog& catalog) {
  const std::string& name = type.name.name;
  if (IsDecimalName(name)) return ResolveDecimal(type);
  for (const NamedType& builtin : BuiltinTypes()) {
    if (builtin.name == name) return builtin.type;
  }
  if (const DataType* own = catalog.FindType(name)) return *own;
  return Status(ErrorCode::kUnknownType, "unknown type: " + type.name.spelling)
      .At(type.position)
      .WithHint(TypeHint(name, catalog));
}

Result<DataType> ResolveStruct(const ast::TypeName& type, const Catalog& catalog) {
  std::vector<DataType::Field> fields;
  std::unordered_set<std::string_view> names;
  if (type.children.size() > limits::kColumnsMax) {
    return Status(ErrorCode::kInvalidStatement,
                  "a STRUCT has at most " + std::to_string(limits::kColumnsMax) + " fields, not " +
                      std::to_string(type.children.size()))
        .At(type.position)
        .WithHint("a MAP<STRING, …> takes any number of names");
  }
  for (size_t i = 0; i < type.children.size(); ++i) {
    const std::string& name = type.field_names[i].name;
    if (!names.insert(name).second) {
      return Status(ErrorCode::kDuplicateName, "duplicate field in STRUCT: " + name)
          .At(type.field_names[i].position);
    }
    WEIR_ASSIGN_OR_RETURN(DataType child, ResolveType(type.children[i], catalog));
    fields.push_back({name, std::move(child)});
  }
  return DataType::Struct(std::move(fields));
}

bool NamesCustomType(const ast::TypeName& type, const Catalog& catalog) {
  if (type.kind == ast::TypeNameKind::kNamed) {
    return !IsBuiltinType(type.name.name) && catalog.FindType(type.name.name) != nullptr;
  }
  return std::ranges::any_of(
      type.children, [&](const ast::TypeName& child) { return NamesCustomType(child, catalog); });
}

ast::Identifier Named(std::string name, SourcePosition position) {
  return {.name = name, .spelling = name, .quoted = false, .position = position};
}

}  // namespace

bool IsBuiltinType(std::string_view name) {
  return IsDecimalName(name) ||
         std::ranges::find(BuiltinTypes(), name, &NamedType::name) != BuiltinTypes().end();
}

ast::TypeName SpellType(const DataType& type, SourcePosition position) {
  ast::TypeName out;
  out.position = position;
  switch (type.kind()) {
    case TypeKind::kArray:
      out.kind = ast::TypeNameKind::kArray;
      out.children = {SpellType(type.element(), position)};
      return out;
    case TypeKind::kMap:
      out.kind = ast::TypeNameKind::kMap;
      out.children = {SpellType(type.key(), position), SpellType(type.element(), position)};
      return out;
    case TypeKind::kStruct:
      out.kind = ast::TypeNameKind::kStruct;
      for (const DataType::Field& field : type.fields()) {
        out.field_names.push_back(Named(field.name, position));
        out.children.push_back(SpellType(field.type, position));
      }
      return out;
    case TypeKind::kDecimal:
      out.name = Named("DECIMAL", position);
      out.parameters = {type.precision(), type.scale()};
      return out;
    default: out.name = Named(type.ToString(), position); return out;
  }
}

void SpellCustomTypes(ast::Statement& statement, const Catalog& catalog) {
  if (catalog.types().empty()) return;
  ast::VisitTypeNames(statement, [&](ast::TypeName& type) {
    if (!NamesCustomType(type, catalog)) return;
    const Result<DataType> resolved = ResolveType(type, catalog);
    if (resolved.ok()) type = SpellType(*resolved, type.position);
  });
}

Result<DataType> ResolveType(const ast::TypeName& type, const Catalog& catalog) {
  switch (type.kind) {
    case ast::TypeNameKind::kNamed: return ResolveNamed(type, catalog);
    case ast::TypeNameKind::kArray: {
      WEIR_ASSIGN_OR_RETURN(DataType element, ResolveType(type.children[0], catalog));
      return DataType::Array(std::move(element));
    }
    case ast::TypeNameKind::kMap: {
      WEIR_ASSIGN_OR_RETURN(DataType key, ResolveType(type.children[0], catalog));
      WEIR_ASSIGN_OR_RETURN(DataType value, ResolveType(type.children[1], catalog));
      return DataType::Map(std::move(key), std::move(value));
    }
    case ast::TypeNameKind::kStruct: return ResolveStruct(type, catalog);
  }
  return Status(ErrorCode::kInternal, "type of an unknown kind");
}

}  // namespace weir
