// The catalog of built-in functions: the tables of all families, their signatures parsed once, and
// the overloads that calls have been resolved to.

#include "exec/functions/builtin_functions.h"

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>

#include <fmt/format.h>

#include "base/status_macros.h"
#include "exec/expr/expr_program.h"
#include "exec/functions/signature.h"
#include "planner/binder/constant_folder.h"
#include "planner/catalog/function_catalog.h"
#include "planner/catalog/near_names.h"

namespace weir {
namespace {

constexpr std::span<const FunctionRow> (*kScalarTables[])() = {
    &OperatorFunctions, &ConditionalFunctions, &StringFunctions,     &MaskFunctions,
    &RegexpFunctions,   &MathFunctions,        &CollectionFunctions, &LambdaFunctions,
    &JsonFunctions,     &BytesFunctions,       &DateTimeFunctions,   &UrlFunctions};
constexpr std::span<const AggregateRow> (*kAggregateTables[])() = {
    &CountAggregates,   &SumAggregates,  &MinMaxAggregates,    &OffsetAggregates,
    &CollectAggregates, &TopkAggregates, &StatisticsAggregates};
constexpr std::span<const TableFunctionRow> (*kTableFunctionTables[])() = {&TableFunctions};

constexpr std::string_view kOperatorCategory = "OPERATOR";

/// Names that other dialects have for functions of the tables.
struct FunctionAlias {
  std::string_view name;
  std::string_view of;
};
constexpr FunctionAlias kAliases[] = {
    {"UPPER", "UCASE"},
    {"LOWER", "LCASE"},
    {"LENGTH", "LEN"},
    {"CHAR_LENGTH", "LEN"},
    {"SUBSTR", "SUBSTRING"},
    {"STRPOS", "INSTR"},
    {"NVL", "IFNULL"},
    {"CEILING", "CEIL"},
    {"POW", "POWER"},
    {"TRUNCATE", "TRUNC"},
    {"RAND", "RANDOM"},
    {"CARDINALITY", "ARRAY_LENGTH"},
    {"ARRAY_AGG", "COLLECT_LIST"},
};

std::string UpperCase(std::string_view name) {
  std::string upper(name);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper;
}

/// A row with its signature parsed.
template <typename Row>
struct Overload {
  const Row* row;
  Signature signature;
};

/// The rows of one kind by name, in the order of their tables.
template <typename Row>
using OverloadsByName = std::map<std::string, std::vector<Overload<Row>>, std::less<>>;

template <typename Row>
OverloadsByName<Row> Index(std::span<std::span<const Row> (*const)()> tables) {
  OverloadsByName<Row> index;
  for (const auto table : tables) {
    for (const Row& row : table()) {
      Result<Signature> signature = ParseSignature(row.signature);
      WEIR_CHECK(signature.ok(), row.signature);
      index[std::string(row.name)].push_back({&row, std::move(signature).value()});
    }
  }
  for (const FunctionAlias& alias : kAliases) {
    const auto found = index.find(alias.of);
    if (found == index.end()) continue;
    WEIR_CHECK(!index.contains(alias.name), alias.name);
    index[std::string(alias.name)] = found->second;
  }
  return index;
}

std::string ArgumentText(std::span<const ArgumentType> arguments) {
  std::string text = "(";
  for (const ArgumentType& argument : arguments) {
    if (text.size() > 1) text += ", ";
    text += argument.is_lambda          ? "LAMBDA"
            : argument.is_interval_unit ? "UNIT"
                                        : argument.type.ToString();
  }
  return text + ")";
}

template <typename Row>
Status NoMatch(std::string_view name, std::span<const ArgumentType> arguments,
               const std::vector<Overload<Row>>& overloads) {
  std::string hint = "it takes ";
  size_t listed = 0;
  for (const Overload<Row>& overload : overloads) {
    if (listed++ == 12) break;
    if (listed > 1) hint += ", ";
    hint += overload.row->signature.substr(0, overload.row->signature.find(" ->"));
  }
  return Status(ErrorCode::kNoMatchingOverload,
                fmt::format("{} does not take these arguments: {}", name, ArgumentText(arguments)))
      .WithHint(std::move(hint));
}

template <typename Row>
struct BestMatch {
  const Row* row;
  SignatureMatch match;
};

/// The overload with the fewest implicit conversions, the first one of equals.
template <typename Row>
Result<BestMatch<Row>> FindBest(std::string_view name, const std::vector<Overload<Row>>& overloads,
                                std::span<const ArgumentType> arguments,
                                const LambdaBinder& bind_lambda) {
  const Overload<Row>* best = nullptr;
  int best_cost = 0;
  const Overload<Row>* last_bound = nullptr;
  SignatureMatch best_match;
  std::optional<Status> lambda_error;
  for (const Overload<Row>& overload : overloads) {
    Result<std::optional<SignatureMatch>> match =
        MatchSignature(overload.signature, arguments, bind_lambda);
    if (!match.ok()) {
      if (!lambda_error) lambda_error = match.status();
      continue;
    }
    if (!*match) continue;
    last_bound = &overload;
    if (best != nullptr && (*match)->cost >= best_cost) continue;
    best = &overload;
    best_cost = (*match)->cost;
    best_match = std::move(**match);
  }
  if (best == nullptr) {
    return lambda_error ? *lambda_error : NoMatch(name, arguments, overloads);
  }
  const bool has_lambda = std::any_of(arguments.begin(), arguments.end(),
                                      [](const ArgumentType& a) { return a.is_lambda; });
  if (has_lambda && last_bound != best) {
    // The binder keeps what it bound last: that must be for the overload chosen.
    WEIR_ASSIGN_OR_RETURN(std::optional<SignatureMatch> again,
                          MatchSignature(best->signature, arguments, bind_lambda));
    best_match = std::move(*again);
  }
  if (best->row->result_type != nullptr) {
    WEIR_ASSIGN_OR_RETURN(best_match.result, best->row->result_type(best_match.parameters));
  }
  return BestMatch<Row>{best->row, std::move(best_match)};
}

/// The overload that takes and gives exactly these types; of several, the one that they fit best.
template <typename Row>
std::optional<BestMatch<Row>> FindExact(const OverloadsByName<Row>& index, std::string_view name,
                                        std::span<const DataType> parameters,
                                        std::span<const int> lambdas,
                                        std::span<const DataType> constants,
                                        const DataType& result) {
  const auto found = index.find(name);
  if (found == index.end()) return std::nullopt;
  std::optional<BestMatch<Row>> best;
  for (const Overload<Row>& overload : found->second) {
    const std::vector<TypePattern>& patterns = overload.signature.parameters;
    std::vector<ArgumentType> arguments;
    for (size_t i = 0; i < parameters.size(); ++i) {
      const bool is_lambda = i < lambdas.size() && lambdas[i] >= 0;
      const bool is_unit = !patterns.empty() && patterns[std::min(i, patterns.size() - 1)].kind ==
                                                    TypePattern::Kind::kUnit;
      arguments.push_back({parameters[i], is_lambda, is_lambda ? lambdas[i] : 0, false, is_unit});
    }
    for (const DataType& constant : constants) arguments.push_back({constant, false, 0, true});
    const auto body = [&](int argument, std::span<const DataType>) -> Result<DataType> {
      return parameters[static_cast<size_t>(argument)];
    };
    Result<std::optional<SignatureMatch>> match =
        MatchSignature(overload.signature, arguments, body);
    if (!match.ok() || !*match) continue;
    if (overload.row->result_type != nullptr) {
      Result<DataType> computed = overload.row->result_type((*match)->parameters);
      if (!computed.ok()) continue;
      (*match)->result = *computed;
    }
    const bool same = std::ranges::equal((*match)->parameters, parameters) &&
                      std::ranges::equal((*match)->constants, constants) &&
                      (*match)->result == result;
    if (!same || (best && best->match.cost <= (*match)->cost)) continue;
    best = BestMatch<Row>{overload.row, std::move(**match)};
  }
  return best;
}

/// Resolved overloads, one for each row and its types; their addresses stay.
template <typename Resolved>
class InternPool {
 public:
  template <typename Make>
  const Resolved* Get(const void* row, const SignatureMatch& match, Make&& make) {
    std::string key = fmt::format("{} {}", row, match.result.ToString());
    for (const DataType& type : match.parameters) key += " " + type.ToString();
    for (const DataType& type : match.constants) key += ";" + type.ToString();
    const std::lock_guard lock(mutex_);
    std::unique_ptr<const Resolved>& slot = pool_[key];
    if (slot == nullptr) slot = std::make_unique<const Resolved>(make());
    return slot.get();
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::unique_ptr<const Resolved>> pool_;
};

/// In ksqlDB a call of GREATEST or LEAST with numbers of several types is ambiguous, unless one is
/// a DOUBLE, which all become.
bool IsAmbiguousInDialect(std::string_view name, std::span<const ArgumentType> arguments) {
  if (name != "GREATEST" && name != "LEAST") return false;
  std::optional<TypeKind> kind;
  bool mixed = false;
  for (const ArgumentType& argument : arguments) {
    if (!argument.type.is_numeric()) continue;
    if (argument.type.is(TypeKind::kDouble)) return false;
    mixed |= kind && *kind != argument.type.kind();
    kind = argument.type.kind();
  }
  return mixed;
}

class BuiltinCatalog final : public FunctionCatalog {
 public:
  /// `dialect`: resolves calls no further than ksqlDB does.
  explicit BuiltinCatalog(bool dialect)
      : dialect_(dialect),
        scalars_(Index<FunctionRow>(kScalarTables)),
        aggregates_(Index<AggregateRow>(kAggregateTables)),
        table_functions_(Index<TableFunctionRow>(kTableFunctionTables)) {}

  bool IsScalar(std::string_view name) const override { return scalars_.contains(UpperCase(name)); }
  bool IsAggregate(std::string_view name) const override {
    return aggregates_.contains(UpperCase(name));
  }
  bool IsTableFunction(std::string_view name) const override {
    return table_functions_.contains(UpperCase(name));
  }

  Result<const ScalarOverload*> ResolveScalar(std::string_view name,
                                              std::span<const ArgumentType> arguments,
                                              const LambdaBinder& bind_lambda) const override {
    const auto found = scalars_.find(UpperCase(name));
    if (found == scalars_.end()) return Unknown(name);
    if (dialect_ && IsAmbiguousInDialect(found->first, arguments)) {
      return Status(ErrorCode::kNoMatchingOverload,
                    fmt::format("{} is ambiguous for arguments of several types: {}", found->first,
                                ArgumentText(arguments)))
          .WithHint("CAST them to one type");
    }
    WEIR_ASSIGN_OR_RETURN(auto best, FindBest(found->first, found->second, arguments, bind_lambda));
    return Scalar(best);
  }

  Result<const AggregateOverload*> ResolveAggregate(
      std::string_view name, std::span<const ArgumentType> arguments) const override {
    const auto found = aggregates_.find(UpperCase(name));
    if (found == aggregates_.end()) return Unknown(name);
    WEIR_ASSIGN_OR_RETURN(auto best, FindBest(found->first, found->second, arguments, {}));
    return Aggregate(best);
  }

  Result<const TableFunctionOverload*> ResolveTableFunction(
      std::string_view name, std::span<const ArgumentType> arguments) const override {
    const auto found = table_functions_.find(UpperCase(name));
    if (found == table_functions_.end()) return Unknown(name);
    WEIR_ASSIGN_OR_RETURN(auto best, FindBest(found->first, found->second, arguments, {}));
    return TableFunction(found->first, best);
  }

  const ScalarOverload* FindScalar(std::string_view name, std::span<const DataType> parameters,
                                   std::span<const int> lambdas,
                                   const DataType& result) const override {
    const auto best = FindExact(scalars_, name, parameters, lambdas, {}, result);
    return best ? Scalar(*best) : nullptr;
  }
  const AggregateOverload* FindAggregate(std::string_view name,
                                         std::span<const DataType> parameters,
                                         std::span<const DataType> constants,
                                         const DataType& result) const override {
    const auto best = FindExact(aggregates_, name, parameters, {}, constants, result);
    return best ? Aggregate(*best) : nullptr;
  }
  const TableFunctionOverload* FindTableFunction(std::string_view name,
                                                 std::span<const DataType> parameters,
                                                 const DataType& result) const override {
    const auto best = FindExact(table_functions_, name, parameters, {}, {}, result);
    return best ? TableFunction(std::string(name), *best) : nullptr;
  }

  std::vector<std::string> Names() const override {
    std::vector<std::string> names;
    for (const auto& [name, overloads] : scalars_) {
      if (overloads.front().row->category != kOperatorCategory) names.push_back(name);
    }
    for (const auto& [name, overloads] : aggregates_) names.push_back(name);
    for (const auto& [name, overloads] : table_functions_) names.push_back(name);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
  }

  Result<FunctionDescription> Describe(std::string_view name) const override {
    const std::string upper = UpperCase(name);
    if (const auto found = aggregates_.find(upper); found != aggregates_.end()) {
      return DescribeRows(found->first, "AGGREGATE", "AGGREGATE", found->second);
    }
    if (const auto found = table_functions_.find(upper); found != table_functions_.end()) {
      return DescribeRows(found->first, "TABLE", "TABLE", found->second);
    }
    const auto found = scalars_.find(upper);
    if (found == scalars_.end()) return Unknown(name);
    return DescribeRows(found->first, "SCALAR", found->second.front().row->category, found->second);
  }

 private:
  const ScalarOverload* Scalar(const BestMatch<FunctionRow>& best) const {
    return scalar_pool_.Get(best.row, best.match, [&] {
      return ScalarOverload{
          .name = std::string(best.row->name),  // Whatever alias it is called by.
          .parameter_types = best.match.parameters,
          .return_type = best.match.result,
          .kernel_row = best.row,
          .deterministic = best.row->deterministic,
          .is_variadic = best.row->signature.find("...") != std::string_view::npos};
    });
  }
  const AggregateOverload* Aggregate(const BestMatch<AggregateRow>& best) const {
    return aggregate_pool_.Get(best.row, best.match, [&] {
      std::vector<DataType> partials;
      if (best.row->partial_types != nullptr) {
        partials = best.row->partial_types(best.match.parameters);
      }
      return AggregateOverload{.name = std::string(best.row->name),
                               .parameter_types = best.match.parameters,
                               .constant_types = best.match.constants,
                               .return_type = best.match.result,
                               .aggregate_row = best.row,
                               .can_undo = best.row->can_undo,
                               .can_merge = best.row->can_merge,
                               .order_sensitive = best.row->order_sensitive,
                               .state_version = best.row->state_version,
                               .partial_types = std::move(partials)};
    });
  }
  const TableFunctionOverload* TableFunction(const std::string& name,
                                             const BestMatch<TableFunctionRow>& best) const {
    return table_function_pool_.Get(best.row, best.match, [&] {
      return TableFunctionOverload{.name = name,
                                   .parameter_types = best.match.parameters,
                                   .return_type = best.match.result,
                                   .kernel_row = best.row};
    });
  }

  template <typename Row>
  static FunctionDescription DescribeRows(std::string_view name, std::string_view kind,
                                          std::string_view category,
                                          const std::vector<Overload<Row>>& overloads) {
    FunctionDescription description;
    description.name = name;
    description.kind = kind;
    description.category = category;
    for (const Overload<Row>& overload : overloads) {
      description.signatures.emplace_back(overload.row->signature);
      if (description.text.empty()) description.text = overload.row->text;
      if (overload.row->example.empty()) continue;
      description.examples.push_back(
          Renamed(overload.row->example, overload.row->name, description.name));
    }
    if (const std::string_view row_name = overloads.front().row->name; name != row_name) {
      description.text += fmt::format(" The same as {}.", row_name);
    }
    return description;
  }

  /// An example of a function as one of its alias.
  static std::string Renamed(std::string_view example, std::string_view name,
                             std::string_view alias) {
    std::string renamed(example);
    const size_t at = renamed.find(fmt::format("{}(", name));
    if (at != std::string::npos) renamed.replace(at, name.size(), alias);
    return renamed;
  }

  Status Unknown(std::string_view name) const {
    return Status(ErrorCode::kUnknownFunction, fmt::format("unknown function: {}", name))
        .WithHint(DidYouMean(name, Names()));
  }

  const bool dialect_;
  OverloadsByName<FunctionRow> scalars_;
  OverloadsByName<AggregateRow> aggregates_;
  OverloadsByName<TableFunctionRow> table_functions_;
  mutable InternPool<ScalarOverload> scalar_pool_;
  mutable InternPool<AggregateOverload> aggregate_pool_;
  mutable InternPool<TableFunctionOverload> table_function_pool_;
};

}  // namespace

const AggregateRow& RowOf(const AggregateOverload& overload) {
  return *static_cast<const AggregateRow*>(overload.aggregate_row);
}

const FunctionCatalog& BuiltinFunctions() {
  static const BuiltinCatalog catalog(false);
  // Whoever plans with these functions may also fold constants with their kernels.
  static const bool folds = (SetConstantEvaluator(&EvaluateConstant), true);
  (void)folds;
  return catalog;
}

const FunctionCatalog& DialectFunctions() {
  static const BuiltinCatalog catalog(true);
  BuiltinFunctions();  // Sets what folds constants.
  return catalog;
}

}  // namespace weir
