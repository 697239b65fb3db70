// Joins: which columns are compared, what the result's key is, which kind of join it takes.
//
// Each side first becomes a projection [join keys][its columns][its system columns]; the join then
// gives [keys][left columns][right columns], named ALIAS_COLUMN. The pass prune_columns drops what
// nobody reads.

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "planner/binder/expr_binder.h"
#include "planner/binder/make_expr.h"
#include "planner/catalog/near_names.h"
#include "planner/queries/bounded_builder.h"
#include "planner/queries/join_plan.h"
#include "planner/queries/query_builder.h"
#include "planner/queries/source_builder.h"
#include "planner/queries/where_parts.h"

namespace weir {
namespace {

using logical::JoinSides;
using physical::JoinKind;

/// Without GRACE rows are kept for a day, of which the window takes its part: as Kafka Streams has
/// it, twice the time before, whatever the time after.
int64_t DefaultJoinGrace(int64_t before_ms) {
  constexpr int64_t kDayMs = 24LL * 3600 * 1000;
  return before_ms < kDayMs / 2 ? kDayMs - 2 * before_ms : 0;
}

/// What a tree of joins reads, from left to right.
struct NameInJoin {
  std::string source;  ///< Empty: a subquery.
  std::string alias;
  SourcePosition position;
};

Status CollectNames(const ast::Relation& relation, const PlannerContext& context,
                    std::vector<NameInJoin>& names) {
  if (relation.kind == ast::RelationKind::kTable) {
    const auto& table = relation.As<ast::AliasedTable>();
    names.push_back(
        {table.name.name, table.alias ? table.alias->name : table.name.name, table.position});
    return OkStatus();
  }
  if (relation.kind == ast::RelationKind::kSubquery) {
    const auto& subquery = relation.As<ast::Subquery>();
    if (!subquery.alias) {
      return Status(ErrorCode::kInvalidJoin, "a subquery in a join needs a name")
          .At(subquery.position)
          .WithHint("write it behind the bracket: (SELECT …) AS name");
    }
    names.push_back({"", subquery.alias->name, subquery.position});
    return OkStatus();
  }
  const auto& join = relation.As<ast::Join>();
  WEIR_RETURN_IF_ERROR(CollectNames(*join.left, context, names));
  if (join.right->kind == ast::RelationKind::kJoin && !context.sql_extensions) {
    return ExtensionError(context, "a join on the right side of a join is", join.right->position);
  }
  return CollectNames(*join.right, context, names);
}

Status CheckSources(const ast::Join& root, const PlannerContext& context) {
  std::vector<NameInJoin> names;
  WEIR_RETURN_IF_ERROR(CollectNames(root, context, names));
  for (size_t i = 0; i < names.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const std::string& name = names[i].source;
      const bool same = !name.empty() && name == names[j].source;
      if (same && !context.sql_extensions) {
        return ExtensionError(context, "a source joined with itself is", names[i].position)
            .WithHint("make a copy: CREATE STREAM copy AS SELECT * FROM " + name);
      }
      if (names[i].alias != names[j].alias) continue;
      Status status =
          Status(ErrorCode::kDuplicateName, "two sources have the same alias: " + names[i].alias)
              .At(names[i].position);
      if (!same) return status;
      return std::move(status).WithHint("give each an alias of its own: FROM " + name + " a JOIN " +
                                        name + " b …");
    }
  }
  return OkStatus();
}

/// A side of a join as a projection, and where the columns of its scope are in it.
struct KeyedSide {
  std::shared_ptr<logical::Project> node;
  std::vector<ScopeColumn> columns;
  std::vector<BoundExprPtr> placed;  ///< By place in the scope; null: a synthetic key.
};

KeyedSide MakeKeyedSide(const QueryInput& input, const std::vector<BoundExprPtr>& keys,
                        bool bounded) {
  KeyedSide side;
  side.node = std::make_shared<logical::Project>();
  auto schema = std::make_shared<Schema>();
  for (size_t i = 0; i < keys.size(); ++i) {
    side.node->exprs.push_back(keys[i]);
    schema->columns.push_back(
        {keys.size() == 1 ? "KEY" : "KEY" + std::to_string(i + 1), keys[i]->type, true});
  }
  for (const ScopeColumn& column : input.scope.columns()) {
    side.placed.push_back(nullptr);
    const bool is_made = column.source.empty();
    if (is_made && !bounded) continue;  // An earlier join's synthetic key.
    const int index = static_cast<int>(side.node->exprs.size());
    side.node->exprs.push_back(column.expr);
    schema->columns.push_back(
        {is_made ? column.name : JoinedName(column.source, column.name), column.expr->type, false});
    side.columns.push_back(column);
    side.columns.back().expr = MakeColumn(index, column.expr->type, column.name);
    side.placed.back() = side.columns.back().expr;
  }
  side.node->inputs = {input.node};
  side.node->schema = std::move(schema);
  side.node->key_columns = static_cast<int>(keys.size());
  side.node->is_table = input.node->is_table;
  side.node->windowed_key = input.node->windowed_key;
  side.node->window_size_ms = input.node->window_size_ms;
  return side;
}

class JoinBuilder {
 public:
  explicit JoinBuilder(const QueryUse& use) : use_(use) {}

  /// `filters`: conditions of WHERE on rows of the relation may be asked of it at once, since no
  /// join above it makes rows without them.
  Result<QueryInput> Build(const ast::Relation& relation, bool filters);
  Result<JoinedInput> JoinTwo(const QueryInput& left, const QueryInput& right, JoinPlan plan,
                              const ast::Join* join);

 private:
  Result<QueryInput> BuildOne(const ast::Relation& relation, bool filters);
  Result<QueryInput> BuildProduct(const ast::Join& join, bool filters);
  static void AddUsing(const ast::Join& join, QueryInput& joined);
  Status Filter(QueryInput& input) const;
  std::vector<const ast::Expr*> TakeWhere(const QueryInput& left, const QueryInput& right) const;
  bool HasEquality(const QueryInput& left, const QueryInput& right) const;
  Result<BoundExprPtr> BindMovable(const WherePart& part, const Scope& scope) const;

  const QueryUse& use_;
};

/// Where the columns of the two sides are in the join's output.
struct JoinedColumns {
  const QueryInput& left;
  const QueryInput& right;
  std::vector<BoundExprPtr> left_placed, right_placed;
  const Scope& joined;

  std::vector<BoundExprPtr> OfLeft(const std::vector<BoundExprPtr>& exprs) const {
    return Placed(exprs, left.scope, left_placed);
  }
  std::vector<BoundExprPtr> OfRight(const std::vector<BoundExprPtr>& exprs) const {
    return Placed(exprs, right.scope, right_placed);
  }
  /// SELECT lists columns for a key, no other expressions.
  void SetViable(KeyColumn& key) const {
    for (const BoundExprPtr& expr : key.equal) {
      for (const ScopeColumn& column : joined.columns()) {
        if (!SameExpr(*column.expr, *expr)) continue;
        key.viable.push_back(column.expr);
        key.labels.push_back(column.source + "." + column.name);
      }
    }
  }

 private:
  static std::vector<BoundExprPtr> Placed(const std::vector<BoundExprPtr>& exprs,
                                          const Scope& scope,
                                          const std::vector<BoundExprPtr>& placed) {
    std::vector<BoundExprPtr> result;
    for (const BoundExprPtr& expr : exprs) result.push_back(PlaceExpr(expr, scope, placed));
    return result;
  }
};

void Append(std::vector<BoundExprPtr>& exprs, std::vector<BoundExprPtr> more) {
  for (BoundExprPtr& expr : more) exprs.push_back(std::move(expr));
}

/// What equals a key of the result, given what the compared expressions of the sides equal.
void SetEqual(KeyColumn& key, const JoinEquality& on, JoinKind kind, const JoinedColumns& columns) {
  const auto known = [](const QueryInput& input, const BoundExprPtr& expr,
                        std::vector<BoundExprPtr> KeyColumn::*set) {
    for (const KeyColumn& earlier : input.keys) {
      if (input.is_join && ContainsExpr(earlier.*set, *expr)) return earlier.*set;
    }
    return std::vector<BoundExprPtr>{expr};
  };
  if (kind == JoinKind::kFull) return;
  key.equal = columns.OfLeft(known(columns.left, on.left, &KeyColumn::equal));
  Append(key.equal, columns.OfRight(known(columns.right, on.right, &KeyColumn::equal)));
  if (kind != JoinKind::kRight) {
    key.always = columns.OfLeft(known(columns.left, on.left, &KeyColumn::always));
  }
  if (kind != JoinKind::kLeft) {
    Append(key.always, columns.OfRight(known(columns.right, on.right, &KeyColumn::always)));
  }
}

/// A key that no column of a source equals gets a name.
void NameKey(KeyColumn& key, const Scope& joined, const std::vector<KeyColumn>& others) {
  if (!key.viable.empty()) return;
  key.synthetic = true;
  const auto taken = [&](const std::string& name) {
    return !joined.Find(name).empty() ||
           std::ranges::any_of(others, [&](const KeyColumn& other) { return other.name == name; });
  };
  key.name = "ROWKEY";
  for (int n = 1; taken(key.name); ++n) key.name = "ROWKEY_" + std::to_string(n);
  key.viable = {key.expr};
  key.labels = {key.name};
}

/// The keys of the result, and what may stand for them in SELECT.
std::vector<KeyColumn> ResultKeys(const JoinPlan& plan, const logical::Join& node,
                                  const JoinedColumns& columns) {
  std::vector<KeyColumn> keys;
  const bool foreign = plan.sides == JoinSides::kForeignKey;
  for (int i = 0; i < node.key_columns; ++i) {
    KeyColumn key;
    key.expr = MakeColumn(i, node.schema->columns[i].type, "ROWKEY");
    if (foreign) {
      const KeyColumn& of_left = columns.left.keys[i];
      const bool is_join = columns.left.is_join;
      key.equal = columns.OfLeft(is_join ? of_left.equal : std::vector{of_left.expr});
      key.always = columns.OfLeft(is_join ? of_left.always : std::vector{of_left.expr});
    } else {
      SetEqual(key, plan.keys[i], node.join, columns);
    }
    columns.SetViable(key);
    if (foreign && !columns.left.is_join) {
      key.name = JoinedName(columns.left.scope.Sources()[0], columns.left.keys[i].name);
    }
    NameKey(key, columns.joined, keys);
    keys.push_back(std::move(key));
  }
  return keys;
}

/// The condition over the two sides' schemas, one behind the other; null if there is none.
BoundExprPtr PairCondition(const std::vector<BoundExprPtr>& others, const QueryInput& left,
                           const KeyedSide& left_side, const KeyedSide& right_side) {
  if (others.empty()) return nullptr;
  const int left_columns = left_side.node->schema->size();
  std::vector<BoundExprPtr> placed = left_side.placed;
  for (size_t i = 0; i < placed.size(); ++i) {
    if (placed[i] != nullptr) continue;
    for (int key = 0; key < left_side.node->key_columns; ++key) {
      const BoundExprPtr& expr = left_side.node->exprs[key];
      if (!SameExpr(*expr, *left.scope.columns()[i].expr)) continue;
      placed[i] = MakeColumn(key, expr->type, left.scope.columns()[i].name);
    }
  }
  for (const BoundExprPtr& column : right_side.placed) {
    placed.push_back(column == nullptr
                         ? nullptr
                         : MakeColumn(left_columns + column->index, column->type, column->text));
  }
  std::vector<BoundExprPtr> conditions;
  for (const BoundExprPtr& other : others) {
    conditions.push_back(ReplaceExpr(other, [&](const BoundExprPtr& part) -> BoundExprPtr {
      return part->kind == BoundKind::kColumn ? placed[part->index] : nullptr;
    }));
  }
  return conditions.size() == 1 ? conditions[0]
                                : MakeLogical(BoundKind::kAnd, std::move(conditions));
}

void SetWithin(const ast::Join& join, logical::Join& node) {
  if (!join.within) return;
  // A RIGHT join is ksqlDB's LEFT join from the other side: there WITHIN tells how the right rows
  // look at the left ones.
  const bool mirrored = join.type == ast::JoinType::kRight;
  node.before_ms = mirrored ? join.within->after_ms : join.within->before_ms;
  node.after_ms = mirrored ? join.within->before_ms : join.within->after_ms;
  node.has_grace = join.within->grace_ms.has_value();
  node.grace_ms = join.within->grace_ms.value_or(DefaultJoinGrace(join.within->before_ms));
}

Result<JoinedInput> JoinBuilder::JoinTwo(const QueryInput& left, const QueryInput& right,
                                         JoinPlan plan, const ast::Join* join) {
  auto node = std::make_shared<logical::Join>();
  node->sides = plan.sides;
  node->join = plan.join;
  if (join != nullptr) SetWithin(*join, *node);
  const bool foreign = plan.sides == JoinSides::kForeignKey;
  std::vector<BoundExprPtr> left_keys, right_keys;
  if (foreign) {
    for (const KeyColumn& key : left.keys) left_keys.push_back(key.expr);
  }
  for (size_t i = 0; i < plan.keys.size(); ++i) {
    // What equals the key of an earlier join stays where that join put it.
    const auto kept = [](const QueryInput& input, const BoundExprPtr& expr) {
      for (const KeyColumn& key : input.keys) {
        if (input.is_join && IsKeyOf(*expr, key, input)) return key.expr;
      }
      return expr;
    };
    if (!foreign) left_keys.push_back(kept(left, plan.keys[i].left));
    right_keys.push_back(kept(right, plan.keys[i].right));
  }
  const KeyedSide left_side = MakeKeyedSide(left, left_keys, use_.bounded);
  const KeyedSide right_side = MakeKeyedSide(right, right_keys, use_.bounded);
  for (size_t i = 0; foreign && i < plan.keys.size(); ++i) {
    // The foreign key reads source columns, which stand behind the keys in the keyed side.
    node->foreign_key.push_back(PlaceExpr(plan.keys[i].left, left.scope, left_side.placed));
  }
  node->condition = PairCondition(plan.others, left, left_side, right_side);
  JoinedInput result;
  QueryInput& joined = result.input;
  joined.is_join = true;
  auto schema = std::make_shared<Schema>();
  for (size_t i = 0; i < left_keys.size(); ++i) {
    schema->columns.push_back(left_side.node->schema->columns[i]);
  }
  JoinedColumns columns{left, right, left_side.placed, right_side.placed, joined.scope};
  const auto add = [&](const KeyedSide& side, std::vector<int>& picked,
                       std::vector<BoundExprPtr>& placed) {
    auto place = placed.begin();
    for (ScopeColumn column : side.columns) {
      picked.push_back(column.expr->index);
      schema->columns.push_back(side.node->schema->columns[column.expr->index]);
      column.expr = MakeColumn(schema->size() - 1, column.expr->type, column.name);
      while (*place == nullptr) ++place;
      *place++ = column.expr;
      joined.scope.Add(std::move(column));
    }
  };
  add(left_side, node->left_columns, columns.left_placed);
  add(right_side, node->right_columns, columns.right_placed);
  node->schema = std::move(schema);
  node->key_columns = static_cast<int>(left_keys.size());
  node->is_table = left_side.node->is_table;
  if (!use_.bounded) {  // Else the bounds are columns like others.
    node->windowed_key = left_side.node->windowed_key;
    node->window_size_ms = left_side.node->window_size_ms;
  }
  node->inputs = {left_side.node, right_side.node};
  joined.keys = ResultKeys(plan, *node, columns);
  std::vector<ScopeColumn> synthetic;
  for (const KeyColumn& key : joined.keys) {
    if (!key.synthetic || plan.sides == JoinSides::kBounded) continue;  // SQL shows none.
    synthetic.push_back(ScopeColumn{.source = "",
                                    .name = key.name,
                                    .expr = key.expr,
                                    .is_key = true,
                                    .is_system = false,
                                    .is_window_bound = false});
  }
  if (!synthetic.empty()) joined.scope.AddInFront(std::move(synthetic));
  joined.sources = left.sources;
  joined.relations = left.relations + right.relations;
  joined.sources.insert(joined.sources.end(), right.sources.begin(), right.sources.end());
  joined.node = std::move(node);
  result.left = std::move(columns.left_placed);
  result.right = std::move(columns.right_placed);
  return result;
}

/// A condition over `scope` alone that gives the same each time; null where it is none.
Result<BoundExprPtr> JoinBuilder::BindMovable(const WherePart& part, const Scope& scope) const {
  if (part.is_taken || !part.is_movable || !IsCovered(part, scope)) return BoundExprPtr();
  ExprBinder binder(scope, *use_.context->catalog, *use_.context->functions, "WHERE");
  Result<BoundExprPtr> bound = binder.BindPredicate(*part.expr);
  // What is wrong with it is told where all names are there.
  if (!bound.ok() || !IsDeterministic(**bound)) return BoundExprPtr();
  return bound;
}

/// Drops rows of `input` as early as WHERE can.
Status JoinBuilder::Filter(QueryInput& input) const {
  if (use_.where == nullptr) return OkStatus();
  std::vector<BoundExprPtr> conditions;
  for (WherePart& part : *use_.where) {
    WEIR_ASSIGN_OR_RETURN(BoundExprPtr condition, BindMovable(part, input.scope));
    if (condition == nullptr) continue;
    part.is_taken = true;
    conditions.push_back(std::move(condition));
  }
  if (!conditions.empty()) AddFilter(input, std::move(conditions));
  return OkStatus();
}

/// The names of two inputs.
Scope NamesOf(const QueryInput& left, const QueryInput& right) {
  Scope both = left.scope;
  for (const ScopeColumn& column : right.scope.columns()) both.Add(column);
  return both;
}

/// The conditions of WHERE over both inputs: an inner join may ask them of its pairs.
std::vector<const ast::Expr*> JoinBuilder::TakeWhere(const QueryInput& left,
                                                     const QueryInput& right) const {
  std::vector<const ast::Expr*> taken;
  if (use_.where == nullptr) return taken;
  const Scope both = NamesOf(left, right);
  for (WherePart& part : *use_.where) {
    Result<BoundExprPtr> condition = BindMovable(part, both);
    if (!condition.ok() || *condition == nullptr) continue;
    part.is_taken = true;
    taken.push_back(part.expr);
  }
  return taken;
}

/// Whether WHERE says that something of one is equal to something of the other.
bool JoinBuilder::HasEquality(const QueryInput& left, const QueryInput& right) const {
  if (use_.where == nullptr) return false;
  const Scope both = NamesOf(left, right);
  return std::ranges::any_of(*use_.where, [&](const WherePart& part) {
    return !part.is_taken && part.is_movable && IsEquality(*part.expr) && IsCovered(part, both);
  });
}

Result<QueryInput> JoinBuilder::BuildOne(const ast::Relation& relation, bool filters) {
  QueryUse side = use_;
  side.in_join = true;
  WEIR_ASSIGN_OR_RETURN(QueryInput input, BuildRelation(relation, side));
  const bool is_kept =
      use_.bounded && !input.is_subquery && input.node->kind == logical::NodeKind::kSource &&
      input.node->As<logical::Source>().origin == physical::TopicSource::Origin::kKeptTable;
  if (is_kept) WEIR_RETURN_IF_ERROR(CheckScan({}, *use_.context, relation.position));
  if (filters) WEIR_RETURN_IF_ERROR(Filter(input));
  return input;
}

/// The relations between which there are commas and CROSS JOINs.
void CollectFactors(const ast::Relation& relation, std::vector<const ast::Relation*>& factors) {
  if (relation.kind == ast::RelationKind::kJoin) {
    const auto& join = relation.As<ast::Join>();
    if (join.form == ast::JoinForm::kComma || join.form == ast::JoinForm::kCross) {
      CollectFactors(*join.left, factors);
      return CollectFactors(*join.right, factors);
    }
  }
  factors.push_back(&relation);
}

/// Names in the order in which FROM has the sources, whatever the order of the joins.
Scope InOrder(const QueryInput& joined, const std::vector<QueryInput>& inputs,
              const std::vector<size_t>& order) {
  std::vector<size_t> begin(inputs.size());
  size_t next = 0;
  for (size_t input : order) {
    begin[input] = next;
    next += inputs[input].scope.columns().size();
  }
  Scope scope;
  for (size_t input = 0; input < inputs.size(); ++input) {
    for (size_t i = 0; i < inputs[input].scope.columns().size(); ++i) {
      scope.Add(joined.scope.columns()[begin[input] + i]);
    }
  }
  return scope;
}

/// Each with each; where WHERE has equalities, the relations are joined by these, those first that
/// one connects with what is there.
Result<QueryInput> JoinBuilder::BuildProduct(const ast::Join& join, bool filters) {
  std::vector<const ast::Relation*> factors;
  CollectFactors(join, factors);
  std::vector<QueryInput> inputs;
  for (const ast::Relation* factor : factors) {
    WEIR_ASSIGN_OR_RETURN(QueryInput input, Build(*factor, filters));
    inputs.push_back(std::move(input));
  }
  std::vector<size_t> order = {0}, left;
  for (size_t i = 1; i < inputs.size(); ++i) left.push_back(i);
  QueryInput joined = inputs[0];
  while (!left.empty()) {
    auto next = left.begin();
    if (filters) {
      next = std::ranges::find_if(left,
                                  [&](size_t input) { return HasEquality(joined, inputs[input]); });
      if (next == left.end()) next = left.begin();
    }
    const QueryInput& right = inputs[*next];
    std::vector<const ast::Expr*> parts;
    if (filters) parts = TakeWhere(joined, right);
    WEIR_ASSIGN_OR_RETURN(JoinCondition on, BindBoundedCondition(joined, right, parts, {}, use_));
    WEIR_ASSIGN_OR_RETURN(JoinPlan plan, PlanJoin(joined, right, std::move(on), join, use_));
    WEIR_ASSIGN_OR_RETURN(JoinedInput made, JoinTwo(joined, right, std::move(plan), &join));
    joined = std::move(made.input);
    order.push_back(*next);
    left.erase(next);
  }
  joined.scope = InOrder(joined, inputs, order);
  return joined;
}

/// USING makes one column of those that it compares, in front of the others.
void JoinBuilder::AddUsing(const ast::Join& join, QueryInput& joined) {
  std::vector<ScopeColumn> merged;
  for (size_t i = 0; i < join.using_names.size(); ++i) {
    const int key = static_cast<int>(i);
    merged.push_back(
        {.source = "",
         .name = join.using_names[i].name,
         .expr = MakeColumn(key, joined.node->schema->columns[i].type, join.using_names[i].name)});
  }
  Scope scope;
  for (const ScopeColumn& column : merged) scope.Add(column);
  for (ScopeColumn column : joined.scope.columns()) {
    const bool is_named = std::ranges::any_of(
        merged, [&](const ScopeColumn& other) { return other.name == column.name; });
    column.is_merged |= is_named;
    scope.Add(std::move(column));
  }
  joined.scope = std::move(scope);
}

/// What only joins of inputs that end can be.
Status CheckForm(const ast::Join& join, const QueryUse& use) {
  if (join.form == ast::JoinForm::kNatural) {
    return ExtensionError(*use.context, "NATURAL JOIN is", join.position)
        .WithHint("USING names the columns: a JOIN b USING (x)");
  }
  if (join.form == ast::JoinForm::kOn || (use.bounded && use.context->sql_extensions)) {
    return OkStatus();
  }
  const std::string form = join.form == ast::JoinForm::kUsing   ? "USING"
                           : join.form == ast::JoinForm::kCross ? "CROSS JOIN"
                                                                : "a comma in FROM";
  Status status = ExtensionError(
      *use.context, form + (use.bounded ? " is" : " over rows that keep coming is"), join.position);
  return std::move(status).WithHint(join.form == ast::JoinForm::kUsing
                                        ? "write ON a.x = b.x"
                                        : "write FROM a JOIN b ON a.x = b.y");
}

Result<QueryInput> JoinBuilder::Build(const ast::Relation& relation, bool filters) {
  if (relation.kind != ast::RelationKind::kJoin) return BuildOne(relation, filters);
  const auto& join = relation.As<ast::Join>();
  WEIR_RETURN_IF_ERROR(CheckForm(join, use_));
  if (join.form == ast::JoinForm::kComma || join.form == ast::JoinForm::kCross) {
    return BuildProduct(join, filters);
  }
  using ast::JoinType;
  const bool inner = join.type == JoinType::kInner;
  const bool left_filters = filters && (inner || join.type == JoinType::kLeft);
  const bool right_filters = filters && (inner || join.type == JoinType::kRight);
  WEIR_ASSIGN_OR_RETURN(QueryInput left, Build(*join.left, left_filters));
  WEIR_ASSIGN_OR_RETURN(QueryInput right, Build(*join.right, right_filters));
  JoinCondition on;
  if (use_.bounded) {
    std::vector<const ast::Expr*> parts;
    if (join.on != nullptr) SplitConjuncts(*join.on, parts);
    if (inner && filters) {
      for (const ast::Expr* part : TakeWhere(left, right)) parts.push_back(part);
    }
    WEIR_ASSIGN_OR_RETURN(on, BindBoundedCondition(left, right, parts, join.using_names, use_));
  } else {
    WEIR_ASSIGN_OR_RETURN(on, BindJoinCondition(left, right, *join.on, use_));
  }
  WEIR_ASSIGN_OR_RETURN(JoinPlan plan, PlanJoin(left, right, std::move(on), join, use_));
  WEIR_ASSIGN_OR_RETURN(JoinedInput made, JoinTwo(left, right, std::move(plan), &join));
  if (!join.using_names.empty()) AddUsing(join, made.input);
  if (filters && !inner) WEIR_RETURN_IF_ERROR(Filter(made.input));
  return std::move(made.input);
}

}  // namespace

Result<QueryInput> BuildJoins(const ast::Join& join, const QueryUse& use) {
  WEIR_RETURN_IF_ERROR(CheckSources(join, *use.context));
  return JoinBuilder(use).Build(join, use.where != nullptr);
}

Result<JoinedInput> JoinBounded(const QueryInput& left, const QueryInput& right, JoinPlan plan,
                                const QueryUse& use) {
  return JoinBuilder(use).JoinTwo(left, right, std::move(plan), nullptr);
}

BoundExprPtr PlaceExpr(const BoundExprPtr& expr, const Scope& scope,
                       const std::vector<BoundExprPtr>& placed) {
  return ReplaceExpr(expr, [&](const BoundExprPtr& part) -> BoundExprPtr {
    if (part->kind != BoundKind::kColumn && part->kind != BoundKind::kSystem) return nullptr;
    for (size_t i = 0; i < placed.size(); ++i) {
      if (placed[i] != nullptr && SameExpr(*scope.columns()[i].expr, *part)) return placed[i];
    }
    return nullptr;
  });
}

}  // namespace weir
