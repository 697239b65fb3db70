// UNION is UNION ALL with each row once. The others count: a row of all parts is a group, in which
// how many rows each part has says whether it comes out, and with ALL how often.

#include "planner/queries/set_operations.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "base/type_rules.h"
#include "planner/binder/coercion.h"
#include "planner/binder/make_call.h"
#include "planner/binder/make_expr.h"
#include "planner/queries/aggregate_builder.h"
#include "planner/queries/bounded_builder.h"

namespace weir {
namespace {

/// The type that all values of a column have.
Result<DataType> ColumnType(const std::vector<BuiltQuery>& parts, int column,
                            const ast::SetOperation& operation) {
  const auto type_of = [column](const BuiltQuery& part) {
    return part.node->schema->columns[column].type;
  };
  DataType type = type_of(parts[0]);
  for (const BuiltQuery& part : parts) {
    const std::optional<DataType> common = CommonType(type, type_of(part));
    if (!common) {
      return Status(ErrorCode::kTypeMismatch,
                    "column " + parts[0].node->schema->columns[column].name + " of " +
                        NameOf(operation) + " has values of the types " + type.ToString() +
                        " and " + type_of(part).ToString())
          .WithHint("CAST them to one type")
          .At(operation.position);
    }
    type = *common;
  }
  return type;
}

/// A part with its columns as the whole has them, and `marks` columns behind of which number `mark`
/// is not null.
Result<logical::NodePtr> AsPartOf(const Schema& whole, const logical::NodePtr& part, int marks,
                                  int mark) {
  auto project = std::make_shared<logical::Project>();
  auto schema = std::make_shared<Schema>(whole);
  for (int i = 0; i < whole.size(); ++i) {
    const ColumnSchema& column = part->schema->columns[i];
    WEIR_ASSIGN_OR_RETURN(BoundExprPtr expr,
                          CoerceTo(MakeColumn(i, column.type, column.name), whole.columns[i].type));
    project->exprs.push_back(std::move(expr));
  }
  for (int i = 0; i < marks; ++i) {
    project->exprs.push_back(MakeLiteral(i == mark ? Value(true) : Value(), DataType::Boolean(),
                                         i == mark ? "TRUE" : "NULL"));
    schema->columns.push_back({"part " + std::to_string(i + 1), DataType::Boolean(), false});
  }
  project->inputs = {part};
  project->schema = std::move(schema);
  return logical::NodePtr(std::move(project));
}

class SetBuilder {
 public:
  SetBuilder(const ast::SetOperation& operation, const QueryUse& use)
      : operation_(operation), use_(use), functions_(*use.context->functions) {}

  Result<QueryInput> Build();

 private:
  Status BuildParts(QueryInput& input);
  Result<logical::NodePtr> Together() const;
  Result<logical::NodePtr> Counted(const logical::NodePtr& together) const;
  Result<logical::NodePtr> Exploded(const logical::NodePtr& input, std::vector<BoundExprPtr> kept,
                                    BoundExprPtr first, BoundExprPtr last) const;
  Result<logical::NodePtr> Repeated(const logical::NodePtr& counted) const;
  Result<BoundExprPtr> Passes() const;
  Result<BoundExprPtr> Copies() const;
  bool is_union() const { return operation_.op == ast::SetOperator::kUnion; }
  bool is_except() const { return operation_.op == ast::SetOperator::kExcept; }
  /// What is counted: of EXCEPT the first part and all others together.
  int marks() const {
    if (is_union()) return 0;
    return is_except() ? 2 : static_cast<int>(parts_.size());
  }
  BoundExprPtr Count(int mark) const {
    return MakeColumn(schema_->size() + mark, DataType::Bigint(),
                      "rows " + std::to_string(mark + 1));
  }

  const ast::SetOperation& operation_;
  const QueryUse& use_;
  const FunctionCatalog& functions_;
  std::vector<BuiltQuery> parts_;
  std::shared_ptr<Schema> schema_ = std::make_shared<Schema>();
};

Status SetBuilder::BuildParts(QueryInput& input) {
  for (const ast::QueryPtr& query : operation_.parts) {
    QueryUse inner = use_;
    inner.query = query.get();
    WEIR_ASSIGN_OR_RETURN(BuiltQuery part, BuildBounded(inner));
    const int columns = part.node->schema->size();
    if (!parts_.empty() && columns != parts_[0].node->schema->size()) {
      return Status(ErrorCode::kInvalidStatement,
                    "the parts of " + NameOf(operation_) +
                        " have the same number of columns: the first has " +
                        std::to_string(parts_[0].node->schema->size()) + ", this one " +
                        std::to_string(columns))
          .At(query->position);
    }
    input.sources.insert(input.sources.end(), part.sources.begin(), part.sources.end());
    input.relations += part.relations;
    parts_.push_back(std::move(part));
  }
  for (int i = 0; i < parts_[0].node->schema->size(); ++i) {
    WEIR_ASSIGN_OR_RETURN(const DataType type, ColumnType(parts_, i, operation_));
    const std::string& name = parts_[0].node->schema->columns[i].name;
    schema_->columns.push_back({name, type, false});
    input.scope.Add({.source = "", .name = name, .expr = MakeColumn(i, type, name)});
  }
  return OkStatus();
}

/// The rows of all parts.
Result<logical::NodePtr> SetBuilder::Together() const {
  auto node = std::make_shared<logical::UnionAll>();
  for (size_t i = 0; i < parts_.size(); ++i) {
    const int mark = is_except() ? std::min<int>(static_cast<int>(i), 1) : static_cast<int>(i);
    WEIR_ASSIGN_OR_RETURN(logical::NodePtr rows, AsPartOf(*schema_, parts_[i].node, marks(), mark));
    node->inputs.push_back(std::move(rows));
  }
  node->schema = node->inputs[0]->schema;
  return logical::NodePtr(std::move(node));
}

/// Whether a group comes out.
Result<BoundExprPtr> SetBuilder::Passes() const {
  if (is_except() && operation_.all) return Compare(functions_, ">", Count(0), Count(1));
  std::vector<BoundExprPtr> conditions;
  for (int mark = 0; mark < marks(); ++mark) {
    const std::string_view op = is_except() && mark > 0 ? "=" : ">";
    WEIR_ASSIGN_OR_RETURN(BoundExprPtr condition,
                          Compare(functions_, op, Count(mark), MakeBigint(0)));
    conditions.push_back(std::move(condition));
  }
  return MakeLogical(BoundKind::kAnd, std::move(conditions));
}

/// How often it does.
Result<BoundExprPtr> SetBuilder::Copies() const {
  if (is_except()) return CallOf(functions_, "-", {Count(0), Count(1)});
  std::vector<BoundExprPtr> counts;
  for (int mark = 0; mark < marks(); ++mark) counts.push_back(Count(mark));
  return CallOf(functions_, "LEAST", std::move(counts));
}

/// A row for each group that comes out, behind its columns how many rows each part has.
Result<logical::NodePtr> SetBuilder::Counted(const logical::NodePtr& together) const {
  QueryInput rows;
  rows.node = together;
  Grouping grouping;
  grouping.bounded = true;
  for (int i = 0; i < schema_->size(); ++i) {
    const ColumnSchema& column = schema_->columns[i];
    grouping.keys.push_back(MakeColumn(i, column.type, column.name));
    grouping.labels.push_back(column.name);
  }
  for (int mark = 0; mark < marks(); ++mark) {
    const int place = schema_->size() + mark;
    const ColumnSchema& column = together->schema->columns[place];
    WEIR_ASSIGN_OR_RETURN(
        CollectedAggregates::Call call,
        AggregateOf(functions_, "COUNT", {MakeColumn(place, column.type, column.name)}));
    grouping.calls.calls.push_back(std::move(call));
  }
  const logical::NodePtr counted = MakeAggregate(rows, grouping, *use_.context);
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr passes, Passes());
  return AddHaving(counted, std::move(passes));
}

/// Rows of `input`, each once for every element of a list; `kept` are their columns, behind which
/// that element stands.
Result<logical::NodePtr> SetBuilder::Exploded(const logical::NodePtr& input,
                                              std::vector<BoundExprPtr> kept, BoundExprPtr first,
                                              BoundExprPtr last) const {
  auto flat = std::make_shared<logical::FlatMap>();
  auto schema = std::make_shared<Schema>(*schema_);
  for (size_t i = schema->columns.size(); i < kept.size(); ++i) {
    schema->columns.push_back({kept[i]->text, kept[i]->type, false});
  }
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr list,
                        CallOf(functions_, "GENERATE_SERIES", {std::move(first), std::move(last)}));
  const ArgumentType type{.type = list->type};
  WEIR_ASSIGN_OR_RETURN(const TableFunctionOverload* explode,
                        functions_.ResolveTableFunction("EXPLODE", {&type, 1}));
  flat->calls.push_back({explode, {std::move(list)}});
  schema->columns.push_back({"copy", explode->return_type, false});
  flat->exprs = std::move(kept);
  flat->inputs = {input};
  flat->schema = std::move(schema);
  return logical::NodePtr(std::move(flat));
}

/// ALL: each row as often as it has to be. That may be more often than a list has places: first a
/// row for each block of copies, then one for each copy.
Result<logical::NodePtr> SetBuilder::Repeated(const logical::NodePtr& counted) const {
  constexpr int64_t kBlock = 1 << 16;
  std::vector<BoundExprPtr> columns;
  for (int i = 0; i < schema_->size(); ++i) {
    columns.push_back(MakeColumn(i, schema_->columns[i].type, schema_->columns[i].name));
  }
  std::vector<BoundExprPtr> with_copies = columns;
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr copies, Copies());
  with_copies.push_back(copies);
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr last, CallOf(functions_, "-", {copies, MakeBigint(1)}));
  WEIR_ASSIGN_OR_RETURN(last, CallOf(functions_, "/", {std::move(last), MakeBigint(kBlock)}));
  WEIR_ASSIGN_OR_RETURN(logical::NodePtr blocks,
                        Exploded(counted, std::move(with_copies), MakeBigint(0), std::move(last)));
  const BoundExprPtr all = MakeColumn(schema_->size(), DataType::Bigint(), "copies");
  const BoundExprPtr block = MakeColumn(schema_->size() + 1, DataType::Bigint(), "block");
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr before, CallOf(functions_, "*", {block, MakeBigint(kBlock)}));
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr left, CallOf(functions_, "-", {all, std::move(before)}));
  WEIR_ASSIGN_OR_RETURN(left, CallOf(functions_, "LEAST", {std::move(left), MakeBigint(kBlock)}));
  return Exploded(blocks, std::move(columns), MakeBigint(1), std::move(left));
}

Result<QueryInput> SetBuilder::Build() {
  QueryInput input;
  input.is_subquery = true;
  input.relations = 0;
  WEIR_RETURN_IF_ERROR(BuildParts(input));
  WEIR_ASSIGN_OR_RETURN(input.node, Together());
  if (is_union()) {
    if (!operation_.all) input.node = DistinctOf(input.node);
    return input;
  }
  WEIR_ASSIGN_OR_RETURN(input.node, Counted(input.node));
  if (operation_.all) {
    WEIR_ASSIGN_OR_RETURN(input.node, Repeated(input.node));
  }
  return input;
}

}  // namespace

std::string NameOf(const ast::SetOperation& operation) {
  std::string name = "UNION";
  if (operation.op == ast::SetOperator::kIntersect) name = "INTERSECT";
  if (operation.op == ast::SetOperator::kExcept) name = "EXCEPT";
  return operation.all ? name + " ALL" : name;
}

Result<QueryInput> BuildSetOperation(const ast::SetOperation& operation, const QueryUse& use) {
  return SetBuilder(operation, use).Build();
}

logical::NodePtr DistinctOf(const logical::NodePtr& input) {
  auto distinct = std::make_shared<logical::Aggregate>();
  distinct->inputs = {input};
  distinct->schema = input->schema;
  distinct->key_columns = input->schema->size();
  distinct->bounded = true;
  return distinct;
}

}  // namespace weir
