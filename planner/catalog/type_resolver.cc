// Types as written to DataTypes: built-in names, and those of CREATE TYPE.

#include <string>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/status_macros.h"
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
      {"BOOLEAN", DataType::Boolean()}, {"INT", DataType::Int()},
      {"INTEGER", DataType::Int()},     {"BIGINT", DataType::Bigint()},
      {"DOUBLE", DataType::Double()},   {"VARCHAR", DataType::String()},
      {"STRING", DataType::String()},   {"BYTES", DataType::Bytes()},
      {"DATE", DataType::Date()},       {"TIME", DataType::Time()},
      {"TIMESTAMP", DataType::Timestamp()},
  };
  return types;
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
    return Status(ErrorCode::kUnsupported, "DECIMAL of more than 38 digits is not supported: " +
                                               std::to_string(precision))
        .At(type.position);
  }
  return DataType::Decimal(static_cast<int>(precision), static_cast<int>(scale));
}

Result<DataType> ResolveNamed(const ast::TypeName& type, const Catalog& catalog) {
  const std::string& name = type.name.name;
  if (const DataType* own = catalog.FindType(name)) return *own;
  if (name == "DECIMAL" || name == "DEC" || name == "NUMERIC") return ResolveDecimal(type);
  for (const NamedType& builtin : BuiltinTypes()) {
    if (builtin.name == name) return builtin.type;
  }
  std::vector<std::string> names;
  for (const NamedType& builtin : BuiltinTypes()) names.emplace_back(builtin.name);
  for (const auto& [own, ignored] : catalog.types()) names.push_back(own);
  return Status(ErrorCode::kUnknownType, "unknown type: " + type.name.spelling)
      .At(type.position)
      .WithHint(DidYouMean(name, names));
}

Result<DataType> ResolveStruct(const ast::TypeName& type, const Catalog& catalog) {
  std::vector<DataType::Field> fields;
  for (size_t i = 0; i < type.children.size(); ++i) {
    const std::string& name = type.field_names[i].name;
    for (const DataType::Field& field : fields) {
      if (field.name == name) {
        return Status(ErrorCode::kDuplicateName, "duplicate field in STRUCT: " + name)
            .At(type.field_names[i].position);
      }
    }
    WEIR_ASSIGN_OR_RETURN(DataType child, ResolveType(type.children[i], catalog));
    fields.push_back({name, std::move(child)});
  }
  return DataType::Struct(std::move(fields));
}

}  // namespace

Result<DataType> ResolveType(const ast::TypeName& type, const Catalog& catalog) {
  switch (type.kind) {
    case ast::TypeNameKind::kNamed:
      return ResolveNamed(type, catalog);
    case ast::TypeNameKind::kArray: {
      WEIR_ASSIGN_OR_RETURN(DataType element, ResolveType(type.children[0], catalog));
      return DataType::Array(std::move(element));
    }
    case ast::TypeNameKind::kMap: {
      WEIR_ASSIGN_OR_RETURN(DataType key, ResolveType(type.children[0], catalog));
      WEIR_ASSIGN_OR_RETURN(DataType value, ResolveType(type.children[1], catalog));
      return DataType::Map(std::move(key), std::move(value));
    }
    case ast::TypeNameKind::kStruct:
      return ResolveStruct(type, catalog);
  }
  return Status(ErrorCode::kInternal, "type of an unknown kind");
}

}  // namespace weir
