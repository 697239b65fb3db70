// Joins: which columns are compared, what the result's key is, which kind of join it takes.
//
// Each side first becomes a projection [join key][its columns][its system columns]; the join then
// gives [key][left columns][right columns], named ALIAS_COLUMN. The pass prune_columns drops what
// nobody reads.

#include <algorithm>
#include <optional>
#include <utility>

#include "base/status_macros.h"
#include "parser/ast/printer.h"
#include "planner/binder/expr_binder.h"
#include "planner/binder/make_expr.h"
#include "planner/build/source_builder.h"
#include "planner/catalog/near_names.h"

namespace weir {
namespace {

using physical::JoinKind;

/// Without GRACE rows are kept for a day, of which the window takes its part: as Kafka Streams has
/// it, twice the time before, whatever the time after.
int64_t DefaultJoinGrace(int64_t before_ms) {
  constexpr int64_t kDayMs = 24LL * 3600 * 1000;
  return before_ms < kDayMs / 2 ? kDayMs - 2 * before_ms : 0;
}

/// The join tree as a list: the first source, then (join, source) from left to right.
struct JoinChain {
  const ast::AliasedTable* first = nullptr;
  std::vector<const ast::Join*> joins;
};

Status Flatten(const ast::Relation& relation, const PlannerContext& context, JoinChain& chain) {
  if (relation.kind == ast::RelationKind::kTable) {
    chain.first = &relation.As<ast::AliasedTable>();
    return OkStatus();
  }
  if (relation.kind != ast::RelationKind::kJoin) {
    return ExtensionError(context, "a subquery in FROM is", relation.position);
  }
  const auto& join = relation.As<ast::Join>();
  WEIR_RETURN_IF_ERROR(Flatten(*join.left, context, chain));
  if (join.right->kind != ast::RelationKind::kTable) {
    return ExtensionError(context, "a join on the right side of a join is",
                          join.right->position);
  }
  chain.joins.push_back(&join);
  return OkStatus();
}

Status InvalidJoin(std::string message, SourcePosition position) {
  return Status(ErrorCode::kInvalidJoin, std::move(message)).At(position);
}

Status CheckSources(const JoinChain& chain, const PlannerContext& context) {
  std::vector<const ast::AliasedTable*> tables = {chain.first};
  for (const ast::Join* join : chain.joins) {
    tables.push_back(&join->right->As<ast::AliasedTable>());
  }
  for (size_t i = 0; i < tables.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const auto alias = [](const ast::AliasedTable& table) {
        return table.alias ? table.alias->name : table.name.name;
      };
      if (tables[i]->name.name == tables[j]->name.name) {
        return ExtensionError(context, "a source joined with itself is", tables[i]->position)
            .WithHint("make a copy: CREATE STREAM copy AS SELECT * FROM " +
                      tables[i]->name.name);
      }
      if (alias(*tables[i]) == alias(*tables[j])) {
        return Status(ErrorCode::kDuplicateName,
                      "two sources have the same alias: " + alias(*tables[i]))
            .At(tables[i]->position);
      }
    }
  }
  return OkStatus();
}

JoinKind KindOf(ast::JoinType type) {
  switch (type) {
    case ast::JoinType::kInner: return JoinKind::kInner;
    case ast::JoinType::kLeft: return JoinKind::kLeft;
    case ast::JoinType::kRight: return JoinKind::kRight;
    case ast::JoinType::kFull: return JoinKind::kFull;
  }
  return JoinKind::kInner;
}

/// Aliases of the sources that an expression over `scope` reads.
std::vector<std::string> SourcesOf(const BoundExpr& expr, const Scope& scope) {
  std::vector<std::string> sources;
  VisitExpr(expr, [&](const BoundExpr& node) {
    if (node.kind != BoundKind::kColumn && node.kind != BoundKind::kSystem) return;
    for (const ScopeColumn& column : scope.columns()) {
      if (!SameExpr(*column.expr, node)) continue;
      if (std::ranges::find(sources, column.source) == sources.end()) {
        sources.push_back(column.source);
      }
      return;
    }
  });
  return sources;
}

/// Builds one join after the other.
class JoinBuilder {
 public:
  explicit JoinBuilder(const QueryUse& use) : use_(use) {}

  Result<QueryInput> Build(const ast::Join& root) {
    JoinChain chain;
    WEIR_RETURN_IF_ERROR(Flatten(root, *use_.context, chain));
    WEIR_RETURN_IF_ERROR(CheckSources(chain, *use_.context));
    WEIR_ASSIGN_OR_RETURN(QueryInput left, BuildSource(*chain.first, use_));
    for (const ast::Join* join : chain.joins) {
      WEIR_ASSIGN_OR_RETURN(QueryInput right,
                            BuildSource(join->right->As<ast::AliasedTable>(), use_));
      WEIR_ASSIGN_OR_RETURN(left, JoinTwo(std::move(left), std::move(right), *join));
    }
    return left;
  }

 private:
  struct Condition {
    BoundExprPtr left;          ///< Over the left input.
    BoundExprPtr right;         ///< Over the right input.
    std::string left_label;
    std::string right_label;
    std::string text;
  };

  Result<Condition> BindCondition(const QueryInput& left, const QueryInput& right,
                                  const ast::Join& join);
  Result<logical::JoinSides> ChooseSides(const QueryInput& left, const QueryInput& right,
                                         const Condition& on, const ast::Join& join);
  Status CheckWithin(const QueryInput& left, const QueryInput& right, const ast::Join& join);
  Status CheckWindows(const QueryInput& left, const QueryInput& right, const Condition& on,
                      logical::JoinSides sides, const ast::Join& join);
  bool IsKeyOf(const BoundExpr& expr, const QueryInput& input) const;
  logical::NodePtr KeyedSide(const QueryInput& input, const std::vector<BoundExprPtr>& keys,
                             std::vector<ScopeColumn>& columns);
  Result<QueryInput> JoinTwo(QueryInput left, QueryInput right, const ast::Join& join);
  std::vector<KeyColumn> ResultKeys(const Condition& on, const ast::Join& join,
                                    const logical::Join& node, const QueryInput& joined);

  const QueryUse& use_;
  /// Labels of expressions that the joins so far set equal: any may stand for the key in SELECT.
  std::vector<std::string> equivalent_;
  /// Those of them that are the key in every row, also where an outer join found no match.
  std::vector<std::string> always_key_;
};

Status CheckOneEquality(const ast::Expr& on, const PlannerContext& context) {
  if (on.kind == ast::ExprKind::kBinary) {
    const auto& binary = on.As<ast::Binary>();
    if (binary.op == ast::BinaryOp::kEqual) return OkStatus();
    if (binary.op == ast::BinaryOp::kAnd) {
      return ExtensionError(context, "a join on several conditions is", on.position);
    }
  }
  return ExtensionError(context, "a join on anything but one equality (a = b) is", on.position);
}

/// The sources that an AST names, resolving unqualified columns.
Result<std::vector<std::string>> NamedSources(const ast::Expr& expr, const Scope& both,
                                              const PlannerContext& context) {
  ExprBinder binder(both, *context.catalog, *context.functions, "ON");
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr bound, binder.Bind(expr));
  return SourcesOf(*bound, both);
}

Scope Combine(const Scope& left, const Scope& right) {
  // Indexes are moved apart so that columns of the two sides differ.
  Scope both;
  int next = 0;
  for (const Scope* scope : {&left, &right}) {
    for (ScopeColumn column : scope->columns()) {
      column.expr = MakeColumn(next++, column.expr->type, column.name);
      both.Add(std::move(column));
    }
  }
  return both;
}

/// "ALIAS.COLUMN" for a plain column of `scope`, else the expression's SQL.
std::string LabelOf(const BoundExpr& expr, const Scope& scope) {
  for (const ScopeColumn& column : scope.columns()) {
    if (SameExpr(*column.expr, expr)) return column.source + "." + column.name;
  }
  return expr.text;
}

Result<JoinBuilder::Condition> JoinBuilder::BindCondition(const QueryInput& left,
                                                          const QueryInput& right,
                                                          const ast::Join& join) {
  const PlannerContext& context = *use_.context;
  WEIR_RETURN_IF_ERROR(CheckOneEquality(*join.on, context));
  const auto& equality = join.on->As<ast::Binary>();
  const Scope both = Combine(left.scope, right.scope);
  const std::string right_alias = right.scope.Sources()[0];
  WEIR_ASSIGN_OR_RETURN(std::vector<std::string> a, NamedSources(*equality.left, both, context));
  WEIR_ASSIGN_OR_RETURN(std::vector<std::string> b, NamedSources(*equality.right, both, context));
  for (const auto& [sources, side] : {std::pair{&a, equality.left.get()},
                                      std::pair{&b, equality.right.get()}}) {
    if (sources->size() == 1) continue;
    return InvalidJoin("each side of a join's = names columns of exactly one source: " +
                           ast::FormatExpr(*side),
                       side->position);
  }
  const bool swapped = a[0] == right_alias;
  if (swapped == (b[0] == right_alias)) {
    return InvalidJoin("the condition compares " + a[0] + " with " + b[0] +
                           "; one side has to be of the joined source " + right_alias,
                       join.on->position);
  }
  const ast::Expr& left_ast = swapped ? *equality.right : *equality.left;
  const ast::Expr& right_ast = swapped ? *equality.left : *equality.right;
  Condition on;
  ExprBinder left_binder(left.scope, *context.catalog, *context.functions, "ON");
  WEIR_ASSIGN_OR_RETURN(on.left, left_binder.Bind(left_ast));
  ExprBinder right_binder(right.scope, *context.catalog, *context.functions, "ON");
  WEIR_ASSIGN_OR_RETURN(on.right, right_binder.Bind(right_ast));
  on.left_label = LabelOf(*on.left, left.scope);
  on.right_label = LabelOf(*on.right, right.scope);
  on.text = ast::FormatExpr(*join.on);
  if (!(on.left->type == on.right->type)) {
    return InvalidJoin("the sides of a join's = have the same type, and here are " +
                           on.left->type.ToString() + " and " + on.right->type.ToString() + ": " +
                           on.text,
                       join.on->position)
        .WithHint("CAST one of them");
  }
  return on;
}

bool JoinBuilder::IsKeyOf(const BoundExpr& expr, const QueryInput& input) const {
  if (!input.is_join) return input.keys.size() == 1 && SameExpr(*input.keys[0].expr, expr);
  const std::vector<std::string>& known = input.is_table() ? equivalent_ : always_key_;
  return std::ranges::find(known, LabelOf(expr, input.scope)) != known.end();
}

Result<logical::JoinSides> JoinBuilder::ChooseSides(const QueryInput& left,
                                                    const QueryInput& right, const Condition& on,
                                                    const ast::Join& join) {
  using logical::JoinSides;
  const JoinKind kind = KindOf(join.type);
  if (!left.is_table() && !right.is_table()) return JoinSides::kStreamStream;
  if (left.is_table() && !right.is_table()) {
    return InvalidJoin("a table cannot be joined with a stream on its right", join.position)
        .WithHint("name the stream first: FROM stream JOIN table");
  }
  if (!left.is_table()) {
    if (kind == JoinKind::kFull || kind == JoinKind::kRight) {
      return InvalidJoin("a stream joins a table by JOIN or LEFT JOIN only", join.position);
    }
    if (!IsKeyOf(*on.right, right)) {
      std::vector<std::string> keys;
      const std::string table = right.scope.Sources()[0];
      for (const KeyColumn& key : right.keys) keys.push_back(table + "." + key.name);
      return InvalidJoin("a stream joins a table on the table's primary key, and this is not it: " +
                             on.right_label,
                         join.on->position)
          .WithHint("the primary key is " + ListNames(keys));
    }
    return JoinSides::kStreamTable;
  }
  if (!IsKeyOf(*on.right, right)) {
    return InvalidJoin(
        "tables are joined on the primary key of the right one, and this is not it: " +
            on.right_label,
        join.on->position);
  }
  if (IsKeyOf(*on.left, left)) return JoinSides::kTableTable;
  if (left.is_join) {
    return InvalidJoin("a foreign-key join has to be the first of several joins: " + on.text,
                       join.on->position);
  }
  if (kind == JoinKind::kFull || kind == JoinKind::kRight) {
    return InvalidJoin("a foreign key joins tables by JOIN or LEFT JOIN only", join.position);
  }
  if (left.node->windowed_key != physical::WindowKind::kNone ||
      right.node->windowed_key != physical::WindowKind::kNone) {
    return InvalidJoin("windowed tables cannot be joined by a foreign key", join.position);
  }
  return JoinSides::kForeignKey;
}

Status JoinBuilder::CheckWithin(const QueryInput& left, const QueryInput& right,
                                const ast::Join& join) {
  const bool streams = !left.is_table() && !right.is_table();
  if (streams && !join.within) {
    return InvalidJoin("a join of two streams needs WITHIN", join.position)
        .WithHint("write JOIN … WITHIN 10 MINUTES ON …");
  }
  if (!streams && join.within) {
    return InvalidJoin("WITHIN belongs to joins of two streams only", join.within->position);
  }
  if (join.within && (join.within->before_ms < 0 || join.within->after_ms < 0 ||
                      join.within->grace_ms.value_or(0) < 0)) {
    return InvalidJoin("the times of WITHIN are not negative", join.within->position);
  }
  return OkStatus();
}

Status JoinBuilder::CheckWindows(const QueryInput& left, const QueryInput& right,
                                 const Condition& on, logical::JoinSides sides,
                                 const ast::Join& join) {
  using physical::WindowKind;
  const WindowKind a = left.node->windowed_key;
  const WindowKind b = right.node->windowed_key;
  if (a == WindowKind::kNone && b == WindowKind::kNone) return OkStatus();
  if ((a == WindowKind::kNone) != (b == WindowKind::kNone) ||
      (a == WindowKind::kSession) != (b == WindowKind::kSession)) {
    return InvalidJoin("sources join only if both have windows of one kind, or none",
                       join.position);
  }
  const bool rekeyed = !IsKeyOf(*on.left, left) || !IsKeyOf(*on.right, right) ||
                       sides == logical::JoinSides::kForeignKey;
  if (rekeyed) {
    return InvalidJoin("windowed sources join on their keys only: " + on.text,
                       join.on->position);
  }
  // A key carries its window's start only: windows of other sizes would look equal.
  const bool time = a != WindowKind::kSession;
  if (time && left.node->window_size_ms != right.node->window_size_ms) {
    return InvalidJoin("windows of different sizes cannot be joined: " +
                           std::to_string(left.node->window_size_ms) + " and " +
                           std::to_string(right.node->window_size_ms) + " ms",
                       join.position);
  }
  if (sides != logical::JoinSides::kStreamStream) {
    return Status(ErrorCode::kUnsupported,
                  "joins with a table whose key has a window are not supported: " + on.text)
        .WithHint("join the streams before they are aggregated")
        .At(join.position);
  }
  return OkStatus();
}

logical::NodePtr JoinBuilder::KeyedSide(const QueryInput& input,
                                        const std::vector<BoundExprPtr>& keys,
                                        std::vector<ScopeColumn>& columns) {
  auto project = std::make_shared<logical::Project>();
  auto schema = std::make_shared<Schema>();
  for (size_t i = 0; i < keys.size(); ++i) {
    project->exprs.push_back(keys[i]);
    schema->columns.push_back(
        {keys.size() == 1 ? "KEY" : "KEY" + std::to_string(i + 1), keys[i]->type, true});
  }
  for (const ScopeColumn& column : input.scope.columns()) {
    if (column.source.empty()) continue;  // An earlier join's synthetic key.
    const int index = static_cast<int>(project->exprs.size());
    project->exprs.push_back(column.expr);
    const std::string name =
        column.source.empty() ? column.name : JoinedName(column.source, column.name);
    schema->columns.push_back({name, column.expr->type, false});
    ScopeColumn placed = column;
    placed.expr = MakeColumn(index, column.expr->type, column.name);
    columns.push_back(std::move(placed));
  }
  project->inputs = {input.node};
  project->schema = std::move(schema);
  project->key_columns = static_cast<int>(keys.size());
  project->is_table = input.node->is_table;
  project->windowed_key = input.node->windowed_key;
  project->window_size_ms = input.node->window_size_ms;
  return project;
}

/// The key of the result, and what may stand for it in SELECT.
std::vector<KeyColumn> JoinBuilder::ResultKeys(const Condition& on, const ast::Join& join,
                                               const logical::Join& node,
                                               const QueryInput& joined) {
  KeyColumn key;
  key.expr = MakeColumn(0, node.schema->columns[0].type, "ROWKEY");
  if (join.type == ast::JoinType::kFull) {
    equivalent_.clear();
  } else {
    if (std::ranges::find(equivalent_, on.left_label) == equivalent_.end()) {
      equivalent_ = {on.left_label};
    }
    equivalent_.push_back(on.right_label);
  }
  const bool left_known =
      std::ranges::find(always_key_, on.left_label) != always_key_.end();
  if (!left_known) always_key_ = {on.left_label};
  if (join.type == ast::JoinType::kInner) always_key_.push_back(on.right_label);
  if (join.type == ast::JoinType::kRight) always_key_ = {on.right_label};
  if (join.type == ast::JoinType::kFull) always_key_.clear();
  for (const std::string& label : equivalent_) {
    for (const ScopeColumn& column : joined.scope.columns()) {
      if (column.source + "." + column.name != label) continue;
      key.viable.push_back(column.expr);
      key.labels.push_back(label);
    }
  }
  if (key.viable.empty()) {
    key.synthetic = true;
    key.name = "ROWKEY";
    for (int n = 1; !joined.scope.Find(key.name).empty(); ++n) {
      key.name = "ROWKEY_" + std::to_string(n);
    }
    key.viable = {key.expr};
    key.labels = {key.name};
  }
  return {key};
}

Result<QueryInput> JoinBuilder::JoinTwo(QueryInput left, QueryInput right,
                                        const ast::Join& join) {
  WEIR_ASSIGN_OR_RETURN(Condition on, BindCondition(left, right, join));
  WEIR_ASSIGN_OR_RETURN(logical::JoinSides sides, ChooseSides(left, right, on, join));
  WEIR_RETURN_IF_ERROR(CheckWithin(left, right, join));
  WEIR_RETURN_IF_ERROR(CheckWindows(left, right, on, sides, join));
  auto node = std::make_shared<logical::Join>();
  node->sides = sides;
  node->join = KindOf(join.type);
  if (join.within) {
    // A RIGHT join is ksqlDB's LEFT join from the other side: there WITHIN tells how the right rows
    // look at the left ones.
    const bool mirrored = join.type == ast::JoinType::kRight;
    node->before_ms = mirrored ? join.within->after_ms : join.within->before_ms;
    node->after_ms = mirrored ? join.within->before_ms : join.within->after_ms;
    node->has_grace = join.within->grace_ms.has_value();
    node->grace_ms =
        join.within->grace_ms.value_or(DefaultJoinGrace(join.within->before_ms));
  }
  const bool foreign = sides == logical::JoinSides::kForeignKey;
  std::vector<BoundExprPtr> left_keys;
  if (foreign) {
    for (const KeyColumn& key : left.keys) left_keys.push_back(key.expr);
  } else {
    // What equals the key of an earlier join stays where that join put it.
    const bool kept = left.is_join && IsKeyOf(*on.left, left);
    left_keys.push_back(kept ? left.keys[0].expr : on.left);
  }
  std::vector<ScopeColumn> left_columns;
  std::vector<ScopeColumn> right_columns;
  logical::NodePtr left_side = KeyedSide(left, left_keys, left_columns);
  logical::NodePtr right_side = KeyedSide(right, {on.right}, right_columns);
  if (foreign) {
    // The foreign key reads source columns, which stand behind the keys in the keyed side.
    node->foreign_key = ReplaceExpr(on.left, [&](const BoundExprPtr& part) -> BoundExprPtr {
      for (size_t i = 0; i < left.scope.columns().size(); ++i) {
        if (SameExpr(*left.scope.columns()[i].expr, *part)) return left_columns[i].expr;
      }
      return nullptr;
    });
  }
  QueryInput joined;
  joined.is_join = true;
  auto schema = std::make_shared<Schema>();
  for (size_t i = 0; i < left_keys.size(); ++i) {
    schema->columns.push_back(left_side->schema->columns[i]);
  }
  const auto add = [&](const std::vector<ScopeColumn>& columns, const Schema& side,
                       std::vector<int>& picked) {
    for (ScopeColumn column : columns) {
      picked.push_back(column.expr->index);
      schema->columns.push_back(side.columns[column.expr->index]);
      column.expr = MakeColumn(schema->size() - 1, column.expr->type, column.name);
      joined.scope.Add(std::move(column));
    }
  };
  add(left_columns, *left_side->schema, node->left_columns);
  add(right_columns, *right_side->schema, node->right_columns);
  node->schema = std::move(schema);
  node->key_columns = static_cast<int>(left_keys.size());
  node->is_table = left_side->is_table;
  node->windowed_key = left_side->windowed_key;
  node->window_size_ms = left_side->window_size_ms;
  node->inputs = {left_side, right_side};
  if (foreign) {
    equivalent_.clear();
    for (size_t i = 0; i < left.keys.size(); ++i) {
      const std::string alias = left.scope.Sources()[0];
      KeyColumn key{MakeColumn(static_cast<int>(i), left_keys[i]->type, left.keys[i].name), {},
                    {alias + "." + left.keys[i].name}, JoinedName(alias, left.keys[i].name),
                    false};
      for (const ScopeColumn& column : joined.scope.columns()) {
        if (column.source == alias && column.name == left.keys[i].name) {
          key.viable.push_back(column.expr);
        }
      }
      if (left.keys.size() == 1) equivalent_.push_back(key.labels[0]);
      always_key_ = equivalent_;
      joined.keys.push_back(std::move(key));
    }
  } else {
    joined.keys = ResultKeys(on, join, *node, joined);
  }
  if (joined.keys[0].synthetic) {
    joined.scope.AddInFront(
        {ScopeColumn{.source = "", .name = joined.keys[0].name, .expr = joined.keys[0].expr,
                     .is_key = true, .is_system = false, .is_window_bound = false}});
  }
  joined.sources = left.sources;
  joined.sources.insert(joined.sources.end(), right.sources.begin(), right.sources.end());
  joined.node = std::move(node);
  return joined;
}

}  // namespace

Result<QueryInput> BuildJoins(const ast::Join& join, const QueryUse& use) {
  return JoinBuilder(use).Build(join);
}

}  // namespace weir
