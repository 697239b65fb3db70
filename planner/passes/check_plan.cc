// The invariants that every pass keeps. Shares no code with the passes but what edges carry.

#include "base/status_macros.h"
#include "planner/logical/edge.h"
#include "planner/passes/passes.h"

namespace weir {
namespace {

using logical::EdgeTraits;
using logical::JoinSides;
using logical::NodeKind;
using logical::Partitioning;
using logical::TraitsOf;

Status Broken(std::string what) { return Status(ErrorCode::kInternal, "broken plan: " + what); }

Status CheckExpr(const BoundExpr& expr, const Schema& input) {
  if (expr.kind == BoundKind::kColumn) {
    if (expr.index < 0 || expr.index >= input.size()) {
      return Broken("column index " + std::to_string(expr.index) + " of " +
                    std::to_string(input.size()));
    }
    if (!(input.columns[expr.index].type == expr.type)) {
      return Broken("column " + input.columns[expr.index].name + " has another type");
    }
  }
  for (const BoundExprPtr& child : expr.children) WEIR_RETURN_IF_ERROR(CheckExpr(*child, input));
  return OkStatus();
}

Status CheckProject(const logical::Project& project) {
  const Schema& input = *project.inputs[0]->schema;
  if (static_cast<int>(project.exprs.size()) != project.schema->size()) {
    return Broken("a projection's expressions and columns differ in number");
  }
  for (size_t i = 0; i < project.exprs.size(); ++i) {
    WEIR_RETURN_IF_ERROR(CheckExpr(*project.exprs[i], input));
    if (!(project.exprs[i]->type == project.schema->columns[i].type)) {
      return Broken("a projected column has another type than its expression");
    }
  }
  return OkStatus();
}

Status CheckAggregate(const logical::Aggregate& aggregate) {
  const int inputs = aggregate.inputs[0]->schema->size();
  for (const physical::AggregateCall& call : aggregate.calls) {
    for (int arg : call.args) {
      if (arg < 0 || arg >= inputs) return Broken("an aggregate's argument is out of range");
    }
  }
  const size_t columns = aggregate.key_columns + aggregate.calls.size();
  if (static_cast<int>(columns) != aggregate.schema->size()) {
    return Broken("an aggregate's columns are its keys and its calls");
  }
  return OkStatus();
}

Status CheckJoin(const logical::Join& join) {
  const size_t columns = join.key_columns + join.left_columns.size() + join.right_columns.size();
  if (static_cast<int>(columns) != join.schema->size()) {
    return Broken("a join's columns are its key and those of both sides");
  }
  for (int column : join.left_columns) {
    if (column < 0 || column >= join.inputs[0]->schema->size()) return Broken("left column");
  }
  for (int column : join.right_columns) {
    if (column < 0 || column >= join.inputs[1]->schema->size()) return Broken("right column");
  }
  const Schema& left = *join.inputs[0]->schema;
  const Schema& right = *join.inputs[1]->schema;
  const bool foreign = join.sides == JoinSides::kForeignKey;
  const int right_keys = join.inputs[1]->key_columns;
  if (join.key_columns != join.inputs[0]->key_columns) return Broken("the keys of a join");
  if (right_keys != (foreign ? static_cast<int>(join.foreign_key.size()) : join.key_columns)) {
    return Broken("the two sides of a join have keys of other numbers");
  }
  for (int key = 0; key < right_keys; ++key) {
    if (foreign) WEIR_RETURN_IF_ERROR(CheckExpr(*join.foreign_key[key], left));
    const DataType& type = foreign ? join.foreign_key[key]->type : left.columns[key].type;
    if (!(type == right.columns[key].type)) return Broken("join keys of other types");
  }
  const bool tables = join.sides == JoinSides::kTableTable || foreign;
  if (join.sides == JoinSides::kBounded && !TraitsOf(join).ends) {
    return Broken("a join waits for an end");
  }
  if (join.inputs[0]->is_table != tables ||
      join.inputs[1]->is_table != (tables || join.sides == JoinSides::kStreamTable)) {
    return Broken("a join of other kinds of input");
  }
  if (join.condition == nullptr) return OkStatus();
  if (tables && join.join == physical::JoinKind::kFull) return Broken("a full join's condition");
  Schema both = left;
  both.columns.insert(both.columns.end(), right.columns.begin(), right.columns.end());
  if (!join.condition->type.is(TypeKind::kBoolean)) return Broken("a join's condition");
  return CheckExpr(*join.condition, both);
}

/// Where rows meet: those of one key in one task, those of a result that ends in one place.
Status CheckPlaces(const logical::Node& node) {
  const Partitioning left = TraitsOf(*node.inputs[0]).partitioning;
  if (node.kind == NodeKind::kAggregate) {
    if (left.is_single() || left.IsByFirst(node.key_columns)) return OkStatus();
    return Broken("the rows of a group are in several partitions");
  }
  if (node.kind == NodeKind::kJoin) {
    const Partitioning right = TraitsOf(*node.inputs[1]).partitioning;
    if (left.is_single() && right.is_single()) return OkStatus();
    const auto& join = node.As<logical::Join>();
    const bool by_keys = (left.is_single() || left.IsByFirst(node.key_columns)) &&
                         (right.is_single() || right.IsByFirst(node.inputs[1]->key_columns));
    const bool foreign = join.sides == JoinSides::kForeignKey;
    if (by_keys && (foreign ? join.spread : left.IsAlike(right))) return OkStatus();
    return Broken("rows with equal join keys are in other partitions");
  }
  if (node.kind == NodeKind::kUnionAll) {
    for (const logical::NodePtr& input : node.inputs) {
      const EdgeTraits traits = TraitsOf(*input);
      if (!traits.ends || !traits.partitioning.is_single()) return Broken("the parts of a union");
    }
    return OkStatus();
  }
  const bool in_one_place =
      node.kind == NodeKind::kSort || node.kind == NodeKind::kLimit || node.kind == NodeKind::kSink;
  if (!in_one_place || left.is_single() || !TraitsOf(*node.inputs[0]).ends) return OkStatus();
  return Broken("the rows of a result that ends are in several partitions");
}

/// Whether the inputs' rows are of the kind that the node takes.
Status CheckModes(const logical::Node& node) {
  const EdgeTraits input = TraitsOf(*node.inputs[0]);
  const bool is_table = input.mode != physical::ChangeMode::kAppend;
  switch (node.kind) {
    case NodeKind::kAggregate: {
      const auto& aggregate = node.As<logical::Aggregate>();
      if (aggregate.bounded && !input.ends) return Broken("an aggregate waits for an end");
      if (!is_table) return OkStatus();
      for (const physical::AggregateCall& call : aggregate.calls) {
        if (!call.function->can_undo) return Broken(call.function->name + " over a table");
      }
      return OkStatus();
    }
    case NodeKind::kFlatMap: return is_table ? Broken("table functions over a table") : OkStatus();
    case NodeKind::kSort:
    case NodeKind::kLatestRows:
      return input.ends ? OkStatus() : Broken("a sort or a table waits for an end");
    default: return OkStatus();
  }
}

std::vector<DataType> ColumnTypesOf(const Schema& schema) {
  std::vector<DataType> types;
  for (const ColumnSchema& column : schema.columns) types.push_back(column.type);
  return types;
}

Status CheckNode(const logical::Node& plan) {
  switch (plan.kind) {
    case NodeKind::kSource:
      if (static_cast<int>(plan.As<logical::Source>().columns.size()) != plan.schema->size()) {
        return Broken("a source's columns");
      }
      return OkStatus();
    case NodeKind::kFilter:
      return CheckExpr(*plan.As<logical::Filter>().predicate, *plan.inputs[0]->schema);
    case NodeKind::kProject: return CheckProject(plan.As<logical::Project>());
    case NodeKind::kAggregate: return CheckAggregate(plan.As<logical::Aggregate>());
    case NodeKind::kJoin: return CheckJoin(plan.As<logical::Join>());
    case NodeKind::kUnionAll:
      for (const logical::NodePtr& input : plan.inputs) {
        if (ColumnTypesOf(*input->schema) != ColumnTypesOf(*plan.schema)) {
          return Broken("rows of other types in one result");
        }
      }
      return OkStatus();
    case NodeKind::kFlatMap:
    case NodeKind::kRepartition:
    case NodeKind::kLimit:
    case NodeKind::kSink:
    case NodeKind::kLatestRows: return OkStatus();
    case NodeKind::kSort:
      for (const physical::SortKey& key : plan.As<logical::Sort>().keys) {
        if (key.column >= plan.schema->size()) return Broken("a column to sort by");
      }
      return OkStatus();
  }
  return OkStatus();
}

}  // namespace

Status CheckPlan(const logical::Node& plan, bool placed) {
  for (const logical::NodePtr& input : plan.inputs) {
    WEIR_RETURN_IF_ERROR(CheckPlan(*input, placed));
  }
  WEIR_RETURN_IF_ERROR(CheckNode(plan));
  if (plan.inputs.empty()) return OkStatus();
  WEIR_RETURN_IF_ERROR(CheckModes(plan));
  return placed ? CheckPlaces(plan) : OkStatus();
}

}  // namespace weir
