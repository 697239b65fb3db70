#include "planner/queries/aggregate_builder.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/limits.h"
#include "base/status_macros.h"
#include "parser/ast/printer.h"
#include "planner/binder/expr_binder.h"
#include "planner/binder/make_expr.h"
#include "planner/catalog/near_names.h"
#include "planner/properties/session_settings.h"
#include "planner/queries/projection.h"
#include "planner/queries/select_list.h"

namespace weir {
namespace {

Status InvalidAggregate(std::string message, SourcePosition position) {
  return Status(ErrorCode::kInvalidAggregate, std::move(message)).At(position);
}

bool IsWindowBound(const BoundExpr& expr) {
  return expr.kind == BoundKind::kSystem &&
         (expr.system == SystemColumn::kWindowStart || expr.system == SystemColumn::kWindowEnd);
}

/// Builds one aggregation: binds everything over the input, then gives the expressions of SELECT
/// and HAVING places in the aggregate's output.
class AggregationBuilder {
 public:
  AggregationBuilder(QueryInput input, const QueryUse& use)
      : input_(std::move(input)), use_(use), query_(*use.query), select_scope_(input_.scope) {
    grouping_.calls.argument_scope = &input_.scope;
    grouping_.emit_final = query_.emit == ast::EmitMode::kFinal;
  }

  Result<logical::NodePtr> Build();

 private:
  Status CheckInput();
  Status BindGroupBy();
  Status BindWindow();
  Status BindSelectAndHaving();
  Status CheckCalls();

  QueryInput input_;
  const QueryUse& use_;
  const ast::Query& query_;
  Scope select_scope_;  ///< The input's names and the window's bounds.
  Grouping grouping_;
  std::vector<SelectedColumn> columns_;
  BoundExprPtr having_;
};

Status AggregationBuilder::CheckInput() {
  if (!query_.partition_by.empty()) {
    return InvalidAggregate("PARTITION BY and GROUP BY do not go together",
                            query_.partition_by_position);
  }
  std::vector<std::string> names;
  for (const auto& source : input_.sources) {
    if (source->value_format.format == "KAFKA" && source->connector.empty()) {
      names.push_back(source->name);
    }
  }
  if (!names.empty()) {
    return InvalidAggregate("GROUP BY does not work on values of format KAFKA: " + ListNames(names),
                            query_.group_by_position);
  }
  if (input_.is_table() && query_.window) {
    return Status(ErrorCode::kInvalidWindow, "WINDOW works on streams only")
        .At(query_.window->position);
  }
  return OkStatus();
}

Status AggregationBuilder::BindWindow() {
  if (!query_.window) {
    if (query_.emit == ast::EmitMode::kFinal) {
      return Status(ErrorCode::kInvalidWindow, "EMIT FINAL needs a window that can close")
          .WithHint("write WINDOW TUMBLING (SIZE 1 MINUTE) before GROUP BY, or EMIT CHANGES")
          .At(query_.emit_position);
    }
    return OkStatus();
  }
  WEIR_ASSIGN_OR_RETURN(grouping_.window,
                        ResolveWindow(*query_.window, query_.emit, *use_.context));
  // In ksqlDB the bounds have no name where the input is a join.
  if (input_.is_join && !use_.context->sql_extensions) return OkStatus();
  AddWindowBounds(input_, select_scope_);
  return OkStatus();
}

Status AggregationBuilder::BindGroupBy() {
  if (query_.group_by.empty()) {
    GroupAll(grouping_);
    if (!use_.persistent) return OkStatus();
    return InvalidAggregate("a table needs a key, and an aggregate without GROUP BY has none",
                            query_.position)
        .WithHint("group by a constant: SELECT 'all' AS k, COUNT(*) AS n FROM … GROUP BY 'all'");
  }
  ExprBinder binder(input_.scope, *use_.context->catalog, *use_.context->functions, "GROUP BY");
  if (query_.group_by.size() > limits::kColumnsMax) {
    return InvalidAggregate("GROUP BY takes at most " + std::to_string(limits::kColumnsMax) +
                                " expressions, not " + std::to_string(query_.group_by.size()),
                            query_.group_by_position);
  }
  for (const ast::ExprPtr& expr : query_.group_by) {
    WEIR_ASSIGN_OR_RETURN(BoundExprPtr bound, binder.Bind(*expr));
    for (const BoundExprPtr& other : grouping_.keys) {
      if (SameExpr(*other, *bound)) {
        return InvalidAggregate("GROUP BY names an expression twice: " + bound->text,
                                bound->position);
      }
    }
    if (bound->type.is(TypeKind::kNull)) {
      return InvalidAggregate("GROUP BY takes no bare NULL", bound->position);
    }
    grouping_.labels.push_back(bound->text);
    grouping_.keys.push_back(std::move(bound));
  }
  return OkStatus();
}

Status AggregationBuilder::BindSelectAndHaving() {
  NameGenerator names(input_.scope);
  const PlannerContext& context = *use_.context;
  ExprBinder binder(select_scope_, *context.catalog, *context.functions, "SELECT");
  binder.AllowAggregates(&grouping_.calls);
  Result<std::vector<SelectedColumn>> bound =
      BindSelectList(input_, use_, binder, names, std::nullopt);
  if (!bound.ok()) {
    return std::move(bound).status();
  }
  columns_ = std::move(*bound);
  if (query_.having != nullptr) {
    ExprBinder having(input_.scope, *context.catalog, *context.functions, "HAVING");
    having.AllowAggregates(&grouping_.calls);
    WEIR_ASSIGN_OR_RETURN(having_, having.BindPredicate(*query_.having));
  }
  return OkStatus();
}

/// Aggregates whose state is a list, a map or several numbers: ksqlDB keeps it in the source's
/// value format, and DELIMITED cannot hold it.
bool HasNestedState(std::string_view name) {
  static const std::set<std::string_view> names = {"CORRELATION",
                                                   "STDDEV_SAMP",
                                                   "STDDEV_SAMPLE",
                                                   "TOPK",
                                                   "TOPKDISTINCT",
                                                   "COLLECT_LIST",
                                                   "COLLECT_SET",
                                                   "HISTOGRAM",
                                                   "SUM_LIST",
                                                   "ATTR",
                                                   "AVG",
                                                   "COUNT_DISTINCT",
                                                   "LATEST_BY_OFFSET",
                                                   "EARLIEST_BY_OFFSET"};
  return names.contains(name);
}

Status AggregationBuilder::CheckCalls() {
  if (grouping_.calls.calls.empty()) {
    if (!query_.group_by.empty()) {
      return InvalidAggregate("GROUP BY needs an aggregate function in SELECT or HAVING",
                              query_.group_by_position);
    }
    if (!query_.window) {
      return InvalidAggregate("HAVING needs an aggregate function", query_.having->position);
    }
    return Status(ErrorCode::kInvalidWindow,
                  "WINDOW needs GROUP BY, or an aggregate function in SELECT")
        .At(query_.window->position);
  }
  const bool session = grouping_.window.kind == physical::WindowKind::kSession;
  std::vector<std::string> refused;
  for (const CollectedAggregates::Call& call : grouping_.calls.calls) {
    const std::string& name = call.function->name;
    if (input_.is_table() && !call.function->can_undo) refused.push_back(name);
    if (session && !call.function->can_merge) {
      return Status(ErrorCode::kUnsupported,
                    "this aggregate cannot merge sessions, so it has no SESSION window: " + name)
          .At(query_.window->position);
    }
    const bool delimited = input_.sources[0]->value_format.format == "DELIMITED" &&
                           input_.sources[0]->connector.empty();
    if (delimited && HasNestedState(name) && !use_.context->sql_extensions) {
      return InvalidAggregate("the source's format DELIMITED cannot keep the state of " + name,
                              query_.group_by_position);
    }
  }
  if (refused.empty()) return OkStatus();
  return InvalidAggregate("these aggregates cannot undo a row, so they work on streams only: " +
                              ListNames(refused),
                          query_.group_by_position)
      .WithHint(
          "over a table, whose rows change, COUNT, SUM, AVG, COLLECT_LIST and COLLECT_SET "
          "work");
}

/// What COLLECT_LIST and COLLECT_SET keep without being told.
constexpr int64_t kElementsLimitDefault = 1000;

/// COLLECT_LIST and COLLECT_SET take the most elements they keep as a constant.
void AddElementsLimit(const PlannerContext& context, physical::AggregateCall& call) {
  const std::string& name = call.function->name;
  if (name != "COLLECT_LIST" && name != "COLLECT_SET") return;
  const std::string setting = (name == "COLLECT_LIST" ? "collect_list" : "collect_set");
  const std::optional<std::string> text = SessionText(context, setting + ".limit");
  int64_t limit = 0;
  if (!text ||
      std::from_chars(text->data(), text->data() + text->size(), limit).ec != std::errc()) {
    return;
  }
  if (limit != kElementsLimitDefault) call.constants.push_back(Value(limit));
}

Result<logical::NodePtr> AggregationBuilder::Build() {
  WEIR_RETURN_IF_ERROR(CheckInput());
  WEIR_RETURN_IF_ERROR(BindWindow());
  WEIR_RETURN_IF_ERROR(BindGroupBy());
  WEIR_RETURN_IF_ERROR(BindSelectAndHaving());
  WEIR_RETURN_IF_ERROR(CheckCalls());
  WEIR_RETURN_IF_ERROR(CheckSelectedNames(columns_, use_));
  std::vector<KeyColumn> keys;
  for (size_t i = 0; i < grouping_.keys.size() && !grouping_.global; ++i) {
    const std::string& label = grouping_.labels[i];
    BoundExprPtr column = MakeColumn(static_cast<int>(i), grouping_.keys[i]->type, label);
    keys.push_back({column, {column}, {label}, label, false});
  }
  for (SelectedColumn& column : columns_) {
    WEIR_ASSIGN_OR_RETURN(column.expr, PlaceInGroups(column.expr, grouping_, column.position));
  }
  logical::NodePtr node = MakeAggregate(input_, grouping_, *use_.context);
  if (having_ != nullptr) {
    WEIR_ASSIGN_OR_RETURN(BoundExprPtr having,
                          PlaceInGroups(having_, grouping_, query_.having->position));
    node = AddHaving(node, std::move(having));
  }
  return BuildProjection(std::move(node), keys, std::move(columns_), {"grouping expression"}, use_);
}

}  // namespace

Result<logical::NodePtr> BuildAggregation(QueryInput input, const QueryUse& use) {
  return AggregationBuilder(std::move(input), use).Build();
}

void GroupAll(Grouping& grouping) {
  grouping.global = true;
  grouping.labels = {"0"};
  grouping.keys = {MakeLiteral(Value(int32_t{0}), DataType::Int(), grouping.labels[0])};
}

void AddWindowBounds(const QueryInput& input, Scope& scope) {
  for (SystemColumn bound : {SystemColumn::kWindowStart, SystemColumn::kWindowEnd}) {
    const std::string name(SystemColumnName(bound));
    if (!scope.Find(name).empty()) continue;
    scope.Add({.source = input.is_join ? "" : input.scope.Sources()[0],
               .name = name,
               .expr = MakeSystem(bound),
               .is_key = false,
               .is_system = true,
               .is_window_bound = true});
  }
}

// [group keys][arguments] → aggregate → [group keys][results].
logical::NodePtr MakeAggregate(const QueryInput& input, const Grouping& grouping,
                               const PlannerContext& context) {
  auto project = std::make_shared<logical::Project>();
  auto inner = std::make_shared<Schema>();
  auto outer = std::make_shared<Schema>();
  auto aggregate = std::make_shared<logical::Aggregate>();
  std::unordered_multimap<size_t, size_t> places;  // Of the projected expressions, by hash.
  for (size_t i = 0; i < grouping.keys.size(); ++i) {
    places.emplace(HashExpr(*grouping.keys[i]), i);
    project->exprs.push_back(grouping.keys[i]);
    inner->columns.push_back({grouping.labels[i], grouping.keys[i]->type, true});
    outer->columns.push_back({grouping.labels[i], grouping.keys[i]->type, true});
  }
  for (const CollectedAggregates::Call& call : grouping.calls.calls) {
    physical::AggregateCall made{call.function, {}, call.constants};
    AddElementsLimit(context, made);
    for (const BoundExprPtr& arg : call.args) {
      const size_t hash = HashExpr(*arg);
      size_t place = project->exprs.size();
      const auto [begin, end] = places.equal_range(hash);
      for (auto known = begin; known != end; ++known) {
        if (SameExpr(*project->exprs[known->second], *arg)) place = std::min(place, known->second);
      }
      if (place == project->exprs.size()) {
        places.emplace(hash, place);
        project->exprs.push_back(arg);
        inner->columns.push_back({arg->text, arg->type, false});
      }
      made.args.push_back(static_cast<int>(place));
    }
    outer->columns.push_back({call.text, call.function->return_type, false});
    aggregate->calls.push_back(std::move(made));
  }
  project->inputs = {input.node};
  project->schema = std::move(inner);
  project->key_columns = static_cast<int>(grouping.keys.size());
  project->is_table = input.is_table();
  aggregate->inputs = {project};
  aggregate->schema = std::move(outer);
  aggregate->key_columns = project->key_columns;
  aggregate->is_table = !grouping.bounded;
  aggregate->window = grouping.window;
  aggregate->windowed_key = grouping.window.kind;
  aggregate->window_size_ms =
      grouping.window.kind == physical::WindowKind::kSession ? 0 : grouping.window.size_ms;
  aggregate->emit_final = grouping.emit_final;
  aggregate->bounded = grouping.bounded;
  aggregate->global = grouping.global;
  return aggregate;
}

logical::NodePtr AddHaving(const logical::NodePtr& aggregate, BoundExprPtr having) {
  auto filter = std::make_shared<logical::Filter>();
  filter->predicate = std::move(having);
  filter->is_having = true;
  filter->inputs = {aggregate};
  filter->schema = aggregate->schema;
  filter->key_columns = aggregate->key_columns;
  filter->is_table = aggregate->is_table;
  filter->windowed_key = aggregate->windowed_key;
  filter->window_size_ms = aggregate->window_size_ms;
  return filter;
}

Result<BoundExprPtr> PlaceInGroups(const BoundExprPtr& expr, const Grouping& grouping,
                                   SourcePosition position) {
  const int keys = static_cast<int>(grouping.keys.size());
  const BoundExpr* outside = nullptr;
  BoundExprPtr placed = ReplaceExpr(expr, [&](const BoundExprPtr& node) -> BoundExprPtr {
    for (int i = 0; i < keys && !grouping.global; ++i) {
      if (SameExpr(*grouping.keys[i], *node)) return MakeColumn(i, node->type, node->text);
    }
    if (IsSubqueryColumn(*node)) return nullptr;
    if (IsCallColumn(*node)) {
      return MakeColumn(keys + node->index - kCallColumnBase, node->type, node->text);
    }
    const bool bound = IsWindowBound(*node) && grouping.has_window();
    if ((node->kind == BoundKind::kColumn || node->kind == BoundKind::kSystem) && !bound &&
        outside == nullptr) {
      outside = node.get();
    }
    return nullptr;
  });
  if (outside != nullptr) {
    return InvalidAggregate("neither aggregated nor in GROUP BY: " + outside->text, position)
        .WithHint("add it to GROUP BY, or aggregate it");
  }
  return placed;
}

}  // namespace weir
