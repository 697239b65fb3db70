#include "base/schema_rules.h"

#include <algorithm>

namespace weir {
namespace {

bool IsNameStart(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; }

/// Of an item or a map's value: fields are repeated, but there are no lists of lists.
std::string MisfitInside(const DataType& type) {
  if (type.is(TypeKind::kArray)) return "an ARRAY inside an ARRAY or a MAP";
  if (type.is(TypeKind::kMap)) return "a MAP inside an ARRAY or a MAP";
  return ProtobufMisfit(type);
}

}  // namespace

bool NeedsRegistry(std::string_view format) {
  return format == "AVRO" || format == "JSON_SR" || format == "PROTOBUF";
}

bool IsProtobuf(std::string_view format) {
  return format == "PROTOBUF" || format == "PROTOBUF_NOSR";
}

std::string_view SchemaNameFault(std::string_view name) {
  if (name.empty()) return "it is empty";
  if (!IsNameStart(name[0])) return "it begins with neither a letter nor an underscore";
  const bool plain =
      std::ranges::all_of(name, [](char c) { return IsNameStart(c) || (c >= '0' && c <= '9'); });
  return plain ? std::string_view() : "it has other characters than letters, digits, underscores";
}

std::string SchemaMisname(const std::string& name, const DataType& type) {
  if (!SchemaNameFault(name).empty()) return name;
  if (type.is(TypeKind::kArray) || type.is(TypeKind::kMap)) {
    return SchemaMisname(name, type.element());
  }
  for (const DataType::Field& field : type.fields()) {
    if (std::string found = SchemaMisname(field.name, field.type); !found.empty()) return found;
  }
  return {};
}

std::string ProtobufMisfit(const DataType& type) {
  switch (type.kind()) {
    case TypeKind::kArray: return MisfitInside(type.element());
    case TypeKind::kMap:
      switch (type.key().kind()) {
        case TypeKind::kString:
        case TypeKind::kInt:
        case TypeKind::kBigint:
        case TypeKind::kBoolean: return MisfitInside(type.element());
        default: return "a MAP with keys of type " + type.key().ToString();
      }
    case TypeKind::kStruct:
      for (const DataType::Field& field : type.fields()) {
        if (std::string found = ProtobufMisfit(field.type); !found.empty()) return found;
      }
      return {};
    default: return {};
  }
}

}  // namespace weir
