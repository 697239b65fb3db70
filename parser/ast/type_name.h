#pragma once

// A type as written in SQL, not yet looked up: `DECIMAL(10, 2)`, `ARRAY<STRUCT<a INT>>`, `ADDRESS`.

#include <cstdint>
#include <string>
#include <vector>

#include "parser/ast/identifier.h"
#include "weir/status.h"

namespace weir::ast {

enum class TypeNameKind {
  kNamed,   ///< A built-in scalar or a type made by CREATE TYPE: `name`, maybe with parameters.
  kArray,   ///< One child.
  kMap,     ///< Two children: key, value.
  kStruct,  ///< Children with field_names of the same count; may be empty.
};

/// A written type. Copyable; nested at most limits::kNestingDepthMax deep.
struct TypeName {
  TypeNameKind kind = TypeNameKind::kNamed;
  Identifier name;                  ///< kNamed: INT, VARCHAR, DECIMAL, … or a user's type.
  std::vector<int64_t> parameters;  ///< kNamed: (precision, scale) or a VARCHAR's length.
  std::vector<TypeName> children;
  std::vector<Identifier> field_names;  ///< kStruct only.
  SourcePosition position;
};

}  // namespace weir::ast
