#include "exec/functions/signature.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>

#include <fmt/format.h>

#include "base/status_macros.h"

namespace weir {
namespace {

/// Reads a signature's text from left to right.
class SignatureParser {
 public:
  explicit SignatureParser(std::string_view text) : text_(text), rest_(text) {}

  Result<Signature> Parse() {
    Signature signature;
    WEIR_RETURN_IF_ERROR(Expect("("));
    bool constants = false;
    while (!Take(")")) {
      if (Take(";")) {
        constants = true;
        continue;
      }
      Take(",");
      WEIR_ASSIGN_OR_RETURN(TypePattern parameter, ParseParameter());
      if (Take("...")) signature.is_variadic = true;
      (constants ? signature.constants : signature.parameters).push_back(std::move(parameter));
    }
    WEIR_RETURN_IF_ERROR(Expect("->"));
    WEIR_ASSIGN_OR_RETURN(signature.result, ParseType());
    Take("rows");
    SkipBlanks();
    if (!rest_.empty()) return Malformed();
    return signature;
  }

 private:
  void SkipBlanks() {
    while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
  }
  bool Take(std::string_view token) {
    SkipBlanks();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  Status Expect(std::string_view token) { return Take(token) ? OkStatus() : Malformed(); }
  Status Malformed() const {
    return Status(ErrorCode::kInternal,
                  fmt::format("malformed signature at '{}': {}", rest_, text_));
  }
  std::string_view Word() {
    SkipBlanks();
    size_t size = 0;
    while (size < rest_.size() &&
           (std::isalnum(static_cast<unsigned char>(rest_[size])) != 0 || rest_[size] == '_')) {
      ++size;
    }
    const std::string_view word = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return word;
  }

  Result<TypePattern> ParseParameter() {
    SkipBlanks();
    if (rest_.starts_with("(")) return ParseLambda();
    if (!rest_.empty() && std::islower(static_cast<unsigned char>(rest_.front())) != 0) Word();
    return ParseType();
  }

  Result<TypePattern> ParseLambda() {
    TypePattern lambda;
    lambda.kind = TypePattern::Kind::kLambda;
    WEIR_RETURN_IF_ERROR(Expect("("));
    while (!Take(")")) {
      Take(",");
      WEIR_ASSIGN_OR_RETURN(TypePattern parameter, ParseType());
      lambda.children.push_back(std::move(parameter));
    }
    WEIR_RETURN_IF_ERROR(Expect("=>"));
    WEIR_ASSIGN_OR_RETURN(TypePattern result, ParseType());
    lambda.children.push_back(std::move(result));
    return lambda;
  }

  Result<TypePattern> ParseType() {
    const std::string_view word = Word();
    TypePattern pattern;
    if (word == "ARRAY" || word == "MAP") return ParseCollection(word == "MAP");
    if (word == "STRUCT") return ParseStruct();
    if (word == "DECIMAL") return ParseDecimal();
    if (word == "UNIT") {
      pattern.kind = TypePattern::Kind::kUnit;
      return pattern;
    }
    if (word.size() == 1 && std::isupper(static_cast<unsigned char>(word[0])) != 0) {
      pattern.kind = TypePattern::Kind::kVariable;
      pattern.variable = word[0];
      return pattern;
    }
    static constexpr std::pair<std::string_view, DataType (*)()> kTypes[] = {
        {"BOOLEAN", &DataType::Boolean},    {"INT", &DataType::Int},
        {"INTEGER", &DataType::Int},        {"BIGINT", &DataType::Bigint},
        {"DOUBLE", &DataType::Double},      {"STRING", &DataType::String},
        {"VARCHAR", &DataType::String},     {"BYTES", &DataType::Bytes},
        {"DATE", &DataType::Date},          {"TIME", &DataType::Time},
        {"TIMESTAMP", &DataType::Timestamp}};
    for (const auto& [name, make] : kTypes) {
      if (word != name) continue;
      pattern.exact = make();
      return pattern;
    }
    return Malformed();
  }

  Result<TypePattern> ParseCollection(bool is_map) {
    TypePattern pattern;
    pattern.kind = is_map ? TypePattern::Kind::kMap : TypePattern::Kind::kArray;
    WEIR_RETURN_IF_ERROR(Expect("<"));
    WEIR_ASSIGN_OR_RETURN(TypePattern first, ParseType());
    pattern.children.push_back(std::move(first));
    if (is_map) {
      WEIR_RETURN_IF_ERROR(Expect(","));
      WEIR_ASSIGN_OR_RETURN(TypePattern value, ParseType());
      pattern.children.push_back(std::move(value));
    }
    WEIR_RETURN_IF_ERROR(Expect(">"));
    return pattern;
  }

  Result<TypePattern> ParseStruct() {
    TypePattern pattern;
    pattern.kind = TypePattern::Kind::kAnyStruct;
    if (!Take("<")) return pattern;
    pattern.kind = TypePattern::Kind::kStruct;
    while (!Take(">")) {
      Take(",");
      pattern.field_names.emplace_back(Word());
      WEIR_ASSIGN_OR_RETURN(TypePattern field, ParseType());
      pattern.children.push_back(std::move(field));
    }
    return pattern;
  }

  Result<TypePattern> ParseDecimal() {
    TypePattern pattern;
    pattern.kind = TypePattern::Kind::kAnyDecimal;
    // "(…" behind DECIMAL is its precision; a parameter list never follows a type directly.
    if (!Take("(")) return pattern;
    const int precision = std::atoi(std::string(Word()).c_str());
    WEIR_RETURN_IF_ERROR(Expect(","));
    const int scale = std::atoi(std::string(Word()).c_str());
    WEIR_RETURN_IF_ERROR(Expect(")"));
    pattern.kind = TypePattern::Kind::kExact;
    pattern.exact = DataType::Decimal(precision, scale);
    return pattern;
  }

  std::string_view text_;
  std::string_view rest_;
};

/// One attempt to fit arguments to a signature.
class Matcher {
 public:
  int cost() const { return cost_; }

  /// Whether `type` may stand where `pattern` is; binds variables.
  bool Unify(const TypePattern& pattern, const DataType& type) {
    const bool is_null = type.is(TypeKind::kNull);
    switch (pattern.kind) {
      case TypePattern::Kind::kExact: {
        const int cost = ImplicitCost(type, pattern.exact);
        if (cost < 0) return false;
        cost_ += cost;
        return true;
      }
      case TypePattern::Kind::kVariable: return Bind(pattern.variable, type);
      case TypePattern::Kind::kAnyDecimal:
        if (is_null || type.is(TypeKind::kDecimal)) return true;
        if (!type.is(TypeKind::kInt) && !type.is(TypeKind::kBigint)) return false;
        cost_ += ImplicitCost(type, DecimalOf(type));
        return true;
      case TypePattern::Kind::kAnyStruct: return is_null || type.is(TypeKind::kStruct);
      case TypePattern::Kind::kUnit: return type.is(TypeKind::kString);
      case TypePattern::Kind::kArray:
        if (is_null) return UnifyChildren(pattern);
        return type.is(TypeKind::kArray) && Unify(pattern.children[0], type.element());
      case TypePattern::Kind::kMap:
        if (is_null) return UnifyChildren(pattern);
        return type.is(TypeKind::kMap) && Unify(pattern.children[0], type.key()) &&
               Unify(pattern.children[1], type.element());
      case TypePattern::Kind::kStruct: return is_null || UnifyFields(pattern, type);
      case TypePattern::Kind::kLambda: return false;
    }
    return false;
  }

  /// The type that `pattern` stands for once variables are bound. `given` is the argument's own.
  DataType Resolve(const TypePattern& pattern, const DataType& given) const {
    switch (pattern.kind) {
      case TypePattern::Kind::kExact: return pattern.exact;
      case TypePattern::Kind::kVariable: {
        const DataType& bound = variables_[Index(pattern.variable)];
        // Only bare NULLs were given: any type does.
        return bound.is(TypeKind::kNull) ? DataType::String() : bound;
      }
      case TypePattern::Kind::kAnyDecimal:
        return given.is_numeric() && !given.is(TypeKind::kDouble) ? DecimalOf(given)
                                                                  : DataType::Decimal(1, 0);
      case TypePattern::Kind::kAnyStruct: return given;
      case TypePattern::Kind::kUnit: return DataType::String();
      case TypePattern::Kind::kArray:
        return DataType::Array(Resolve(pattern.children[0], ChildOf(given, false)));
      case TypePattern::Kind::kMap:
        return DataType::Map(Resolve(pattern.children[0], ChildOf(given, true)),
                             Resolve(pattern.children[1], ChildOf(given, false)));
      case TypePattern::Kind::kStruct: {
        std::vector<DataType::Field> fields;
        for (size_t i = 0; i < pattern.children.size(); ++i) {
          fields.push_back({pattern.field_names[i], Resolve(pattern.children[i], DataType())});
        }
        return DataType::Struct(std::move(fields));
      }
      case TypePattern::Kind::kLambda: return Resolve(pattern.children.back(), DataType());
    }
    return DataType();
  }

  /// Binds a lambda's body and with it the variable of its result. False if the body does not fit.
  /// A wider body widens the result's variable (the state of REDUCE), and is bound once more.
  Result<bool> BindLambda(const TypePattern& lambda, int argument, const LambdaBinder& bind) {
    for (int attempt = 0; attempt < 2; ++attempt) {
      std::vector<DataType> parameters;
      for (size_t i = 0; i + 1 < lambda.children.size(); ++i) {
        parameters.push_back(Resolve(lambda.children[i], DataType()));
      }
      WEIR_ASSIGN_OR_RETURN(const DataType body, bind(argument, parameters));
      const std::array<DataType, 26> before = variables_;
      if (!Unify(lambda.children.back(), body)) return false;
      if (before == variables_) return true;
      const TypePattern& result = lambda.children.back();
      if (result.kind != TypePattern::Kind::kVariable || !Uses(lambda, result.variable)) {
        return true;
      }
    }
    return true;
  }

 private:
  static size_t Index(char variable) { return static_cast<size_t>(variable - 'A'); }

  static DataType ChildOf(const DataType& type, bool key) {
    if (type.is(TypeKind::kMap)) return key ? type.key() : type.element();
    return type.is(TypeKind::kArray) ? type.element() : DataType();
  }

  static bool Uses(const TypePattern& lambda, char variable) {
    for (size_t i = 0; i + 1 < lambda.children.size(); ++i) {
      if (lambda.children[i].kind == TypePattern::Kind::kVariable &&
          lambda.children[i].variable == variable) {
        return true;
      }
    }
    return false;
  }

  bool UnifyChildren(const TypePattern& pattern) {
    return std::all_of(pattern.children.begin(), pattern.children.end(),
                       [&](const TypePattern& child) { return Unify(child, DataType()); });
  }

  bool UnifyFields(const TypePattern& pattern, const DataType& type) {
    if (!type.is(TypeKind::kStruct) || type.fields().size() != pattern.children.size()) {
      return false;
    }
    for (size_t i = 0; i < pattern.children.size(); ++i) {
      if (type.fields()[i].name != pattern.field_names[i]) return false;
      if (!Unify(pattern.children[i], type.fields()[i].type)) return false;
    }
    return true;
  }

  bool Bind(char variable, const DataType& type) {
    DataType& bound = variables_[Index(variable)];
    if (bound == type || type.is(TypeKind::kNull)) return true;
    if (bound.is(TypeKind::kNull)) {
      bound = type;
      return true;
    }
    const std::optional<DataType> common = CommonType(bound, type);
    if (!common) return false;
    cost_ += std::max(1, ImplicitCost(bound, *common) + ImplicitCost(type, *common));
    bound = *common;
    return true;
  }

  std::array<DataType, 26> variables_;
  int cost_ = 0;
};

const TypePattern& PatternOf(const Signature& signature, size_t argument) {
  return signature.parameters[std::min(argument, signature.parameters.size() - 1)];
}

}  // namespace

Result<Signature> ParseSignature(std::string_view text) { return SignatureParser(text).Parse(); }

Result<std::optional<SignatureMatch>> MatchSignature(const Signature& signature,
                                                     std::span<const ArgumentType> arguments,
                                                     const LambdaBinder& bind_lambda) {
  const std::optional<SignatureMatch> no_match;
  const size_t constants = signature.constants.size();
  if (arguments.size() < constants) return no_match;
  const size_t count = arguments.size() - constants;
  const size_t least = signature.parameters.size() - (signature.is_variadic ? 1 : 0);
  if (count < least || (!signature.is_variadic && count > least)) return no_match;
  Matcher matcher;
  // Lambdas last: their parameters' types come from the other arguments.
  for (size_t i = 0; i < count; ++i) {
    const TypePattern& pattern = PatternOf(signature, i);
    const bool is_lambda = pattern.kind == TypePattern::Kind::kLambda;
    if (is_lambda != arguments[i].is_lambda) return no_match;
    if ((pattern.kind == TypePattern::Kind::kUnit) != arguments[i].is_interval_unit) {
      return no_match;
    }
    if (is_lambda) {
      if (arguments[i].lambda_parameters + 1 != static_cast<int>(pattern.children.size())) {
        return no_match;
      }
      continue;
    }
    const DataType type = arguments[i].is_interval_unit ? DataType::String() : arguments[i].type;
    if (!matcher.Unify(pattern, type)) return no_match;
  }
  for (size_t i = 0; i < constants; ++i) {
    if (arguments[count + i].is_lambda) return no_match;
    if (!matcher.Unify(signature.constants[i], arguments[count + i].type)) return no_match;
  }
  for (size_t i = 0; i < count; ++i) {
    if (!arguments[i].is_lambda) continue;
    WEIR_ASSIGN_OR_RETURN(const bool fits, matcher.BindLambda(PatternOf(signature, i),
                                                              static_cast<int>(i), bind_lambda));
    if (!fits) return no_match;
  }
  SignatureMatch match;
  match.cost = matcher.cost();
  for (size_t i = 0; i < count; ++i) {
    match.parameters.push_back(matcher.Resolve(PatternOf(signature, i), arguments[i].type));
  }
  for (size_t i = 0; i < constants; ++i) {
    match.constants.push_back(matcher.Resolve(signature.constants[i], arguments[count + i].type));
  }
  // A bare DECIMAL or STRUCT as result is the first such argument's, unless the row computes it.
  DataType given;
  for (const DataType& parameter : match.parameters) {
    const bool fits = signature.result.kind == TypePattern::Kind::kAnyStruct
                          ? parameter.is(TypeKind::kStruct)
                          : parameter.is(TypeKind::kDecimal);
    if (fits && given.is(TypeKind::kNull)) given = parameter;
  }
  match.result = matcher.Resolve(signature.result, given);
  return std::optional<SignatureMatch>(std::move(match));
}

}  // namespace weir
