// Casts, access into values (a[1], m['k'], s->f) and constructors (ARRAY[…], MAP(…), STRUCT(…)).

#include <string_view>
#include <unordered_set>
#include <utility>

#include "base/status_macros.h"
#include "base/type_rules.h"
#include "planner/binder/coercion.h"
#include "planner/binder/expr_binder.h"
#include "planner/binder/make_expr.h"
#include "planner/catalog/near_names.h"
#include "planner/planner.h"

namespace weir {

Result<BoundExprPtr> ExprBinder::BindCast(const ast::Cast& cast) {
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr operand, BindNode(*cast.operand));
  WEIR_ASSIGN_OR_RETURN(DataType type, ResolveType(cast.type, catalog_));
  if (!CanCast(operand->type, type)) {
    return Status(ErrorCode::kInvalidCast,
                  "no cast from " + operand->type.ToString() + " to " + type.ToString());
  }
  if (operand->type == type) return operand;
  auto bound = NewExpr(BoundKind::kCast, type, {std::move(operand)});
  if (bound->children[0]->type.is(TypeKind::kNull)) {
    return MakeLiteral(Value(), type, "null");
  }
  return BoundExprPtr(bound);
}

Result<BoundExprPtr> ExprBinder::BindSubscript(const ast::Subscript& subscript) {
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr base, BindNode(*subscript.base));
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr index, BindNode(*subscript.index));
  const DataType type = base->type;
  if (type.is(TypeKind::kArray)) {
    if (!index->type.is(TypeKind::kInt) && !index->type.is(TypeKind::kBigint)) {
      return Status(ErrorCode::kTypeMismatch,
                    "an ARRAY's index is an INTEGER, not " + index->type.ToString());
    }
    index = MakeCast(std::move(index), DataType::Int());
  } else if (type.is(TypeKind::kMap)) {
    if (!(index->type == type.key())) {
      WEIR_ASSIGN_OR_RETURN(index, CoerceTo(index, type.key()));
    }
  } else {
    return Status(ErrorCode::kTypeMismatch,
                  "only ARRAY and MAP have elements, not " + type.ToString() + ": " + base->text);
  }
  return BoundExprPtr(
      NewExpr(BoundKind::kSubscript, type.element(), {std::move(base), std::move(index)}));
}

Result<BoundExprPtr> ExprBinder::BindStructField(const ast::StructField& field) {
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr base, BindNode(*field.base));
  if (!base->type.is(TypeKind::kStruct)) {
    return Status(ErrorCode::kTypeMismatch,
                  "only a STRUCT has fields, not " + base->type.ToString() + ": " + base->text);
  }
  const int index = base->type.FieldIndex(field.field.name);
  if (index < 0) {
    std::vector<std::string> names;
    for (const DataType::Field& known : base->type.fields()) names.push_back(known.name);
    std::string hint = DidYouMean(field.field.name, names);
    if (!hint.empty()) hint += " ";
    return Status(ErrorCode::kUnknownColumn, "unknown field of a STRUCT: " + field.field.name)
        .At(field.field.position)
        .WithHint(hint + base->text + " has " + ListNames(names));
  }
  const DataType type = base->type.fields()[index].type;
  auto bound = NewExpr(BoundKind::kField, type, {std::move(base)});
  bound->index = index;
  return BoundExprPtr(bound);
}

Result<BoundExprPtr> ExprBinder::BindArray(const ast::ArrayLiteral& array) {
  std::vector<BoundExprPtr> elements;
  for (const ast::ExprPtr& element : array.elements) {
    WEIR_ASSIGN_OR_RETURN(BoundExprPtr bound, BindNode(*element));
    elements.push_back(std::move(bound));
  }
  if (elements.empty()) {
    return Status(ErrorCode::kTypeMismatch, "an empty ARRAY[] has no element type")
        .WithHint("give at least one element");
  }
  WEIR_ASSIGN_OR_RETURN(elements, CoerceList(std::move(elements)));
  const DataType type = elements[0]->type;
  if (type.is(TypeKind::kNull)) {
    return Status(ErrorCode::kTypeMismatch, "an ARRAY of NULLs only has no element type")
        .WithHint("write CAST(NULL AS type) for one of them");
  }
  return BoundExprPtr(NewExpr(BoundKind::kArray, DataType::Array(type), std::move(elements)));
}

Result<BoundExprPtr> ExprBinder::BindMap(const ast::MapLiteral& map) {
  if (map.entries.empty()) {
    return Status(ErrorCode::kTypeMismatch, "an empty MAP() has no types")
        .WithHint("give at least one entry");
  }
  std::vector<BoundExprPtr> keys;
  std::vector<BoundExprPtr> values;
  for (const auto& [key, value] : map.entries) {
    WEIR_ASSIGN_OR_RETURN(BoundExprPtr bound_key, BindNode(*key));
    WEIR_ASSIGN_OR_RETURN(BoundExprPtr bound_value, BindNode(*value));
    keys.push_back(std::move(bound_key));
    values.push_back(std::move(bound_value));
  }
  WEIR_ASSIGN_OR_RETURN(keys, CoerceList(std::move(keys)));
  WEIR_ASSIGN_OR_RETURN(values, CoerceList(std::move(values)));
  const DataType key_type = keys[0]->type;
  const DataType value_type = values[0]->type;
  if (key_type.is(TypeKind::kNull) || value_type.is(TypeKind::kNull)) {
    return Status(ErrorCode::kTypeMismatch, "a MAP whose keys or values are all NULL has no type")
        .WithHint("write CAST(NULL AS type) for one of them");
  }
  std::vector<BoundExprPtr> children;
  for (size_t i = 0; i < keys.size(); ++i) {
    children.push_back(std::move(keys[i]));
    children.push_back(std::move(values[i]));
  }
  return BoundExprPtr(
      NewExpr(BoundKind::kMap, DataType::Map(key_type, value_type), std::move(children)));
}

Result<BoundExprPtr> ExprBinder::BindStruct(const ast::StructLiteral& literal) {
  std::vector<DataType::Field> fields;
  std::vector<BoundExprPtr> children;
  std::unordered_set<std::string_view> names;
  for (const auto& [name, value] : literal.fields) {
    if (!names.insert(name.name).second) {
      return Status(ErrorCode::kDuplicateName, "duplicate field in STRUCT: " + name.name)
          .At(name.position);
    }
    WEIR_ASSIGN_OR_RETURN(BoundExprPtr bound, BindNode(*value));
    if (bound->type.is(TypeKind::kNull)) {
      return Status(ErrorCode::kTypeMismatch, "a NULL in STRUCT has no type: " + name.name)
          .At(name.position)
          .WithHint("write CAST(NULL AS type)");
    }
    fields.push_back({name.name, bound->type});
    children.push_back(std::move(bound));
  }
  return BoundExprPtr(
      NewExpr(BoundKind::kStruct, DataType::Struct(std::move(fields)), std::move(children)));
}

}  // namespace weir
