#pragma once

// Signature texts of functions ("(ARRAY<T>, (T) => R) -> ARRAY<R>") and their matching against the
// arguments of a call.
//
//   signature  = "(" [param {"," param}] [";" param {"," param}] ")" "->" type ["rows"]
//   param      = [lower_case_name] type ["..."] | lambda          behind ";": aggregates' constants
//   lambda     = "(" var {"," var} ")" "=>" type
//   type       = INT | … | DECIMAL | DECIMAL(p, s) | ARRAY<type> | MAP<type, type>
//              | STRUCT | STRUCT<name type, …> | UNIT | one capital letter (a type variable)
// DECIMAL alone takes any precision, STRUCT alone any fields, UNIT a bare word such as DAYS (its
// kernel gets the word as a STRING constant).

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/type_rules.h"
#include "planner/catalog/function_catalog.h"
#include "weir/status.h"
#include "weir/types.h"

namespace weir {

/// One type in a signature, with variables.
struct TypePattern {
  enum class Kind : uint8_t {
    kExact,
    kVariable,
    kAnyDecimal,
    kAnyStruct,
    kUnit,
    kArray,
    kMap,
    kStruct,
    kLambda
  };
  Kind kind = Kind::kExact;
  DataType exact;
  char variable = 0;
  std::vector<TypePattern> children;     ///< Of lambdas: the parameters, then the result.
  std::vector<std::string> field_names;  ///< Of kStruct.
};

/// A parsed signature.
struct Signature {
  std::vector<TypePattern> parameters;
  std::vector<TypePattern> constants;
  TypePattern result;
  bool is_variadic = false;  ///< The last parameter may stand any number of times.
};

/// The types of one match.
struct SignatureMatch {
  int cost = 0;                      ///< 0: exact; more: implicit conversions.
  std::vector<DataType> parameters;  ///< One an argument; of lambdas the type of the body.
  std::vector<DataType> constants;
  DataType result;
};

/// kInternal if the text is malformed (a test parses all).
Result<Signature> ParseSignature(std::string_view text);

/// The types that `arguments` get under `signature`, or nothing where they do not fit. Errors come
/// from binding a lambda's body.
Result<std::optional<SignatureMatch>> MatchSignature(const Signature& signature,
                                                     std::span<const ArgumentType> arguments,
                                                     const LambdaBinder& bind_lambda);

}  // namespace weir
