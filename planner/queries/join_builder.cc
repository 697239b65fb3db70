// Joins: which columns are compared, what the result's key is, which kind of join it takes.
//
// Each side first becomes a projection [join keys][its columns][its system columns]; the join then
// gives [keys][left columns][right columns], named ALIAS_COLUMN. The pass prune_columns drops what
// nobody reads.

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "planner/binder/make_expr.h"
#include "planner/catalog/near_names.h"
#include "planner/queries/bounded_builder.h"
#include "planner/queries/join_plan.h"
#include "planner/queries/source_builder.h"

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

KeyedSide MakeKeyedSide(const QueryInput& input, const std::vector<BoundExprPtr>& keys) {
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
    if (column.source.empty()) continue;  // An earlier join's synthetic key.
    const int index = static_cast<int>(side.node->exprs.size());
    side.node->exprs.push_back(column.expr);
    schema->columns.push_back({JoinedName(column.source, column.name), column.expr->type, false});
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

/// `expr`, which is over `scope`, with each column as `placed` has it.
BoundExprPtr Place(const BoundExprPtr& expr, const Scope& scope,
                   const std::vector<BoundExprPtr>& placed) {
  return ReplaceExpr(expr, [&](const BoundExprPtr& part) -> BoundExprPtr {
    if (part->kind != BoundKind::kColumn && part->kind != BoundKind::kSystem) return nullptr;
    for (size_t i = 0; i < placed.size(); ++i) {
      if (placed[i] != nullptr && SameExpr(*scope.columns()[i].expr, *part)) return placed[i];
    }
    return nullptr;
  });
}

class JoinBuilder {
 public:
  explicit JoinBuilder(const QueryUse& use) : use_(use) {}

  Result<QueryInput> Build(const ast::Relation& relation) {
    if (relation.kind != ast::RelationKind::kJoin) {
      QueryUse side = use_;
      side.in_join = true;
      WEIR_ASSIGN_OR_RETURN(QueryInput input, BuildRelation(relation, side));
      const bool is_kept =
          use_.bounded && !input.is_subquery && input.node->kind == logical::NodeKind::kSource &&
          input.node->As<logical::Source>().origin == physical::TopicSource::Origin::kKeptTable;
      if (is_kept) WEIR_RETURN_IF_ERROR(CheckScan({}, *use_.context, relation.position));
      return input;
    }
    const auto& join = relation.As<ast::Join>();
    WEIR_ASSIGN_OR_RETURN(QueryInput left, Build(*join.left));
    WEIR_ASSIGN_OR_RETURN(QueryInput right, Build(*join.right));
    return JoinTwo(std::move(left), std::move(right), join);
  }

 private:
  Result<QueryInput> JoinTwo(QueryInput left, QueryInput right, const ast::Join& join);

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
    for (const BoundExprPtr& expr : exprs) result.push_back(Place(expr, scope, placed));
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

Result<QueryInput> JoinBuilder::JoinTwo(QueryInput left, QueryInput right, const ast::Join& join) {
  WEIR_ASSIGN_OR_RETURN(JoinCondition on, BindJoinCondition(left, right, *join.on, use_));
  WEIR_ASSIGN_OR_RETURN(JoinPlan plan, PlanJoin(left, right, std::move(on), join, use_));
  auto node = std::make_shared<logical::Join>();
  node->sides = plan.sides;
  node->join = plan.join;
  SetWithin(join, *node);
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
  const KeyedSide left_side = MakeKeyedSide(left, left_keys);
  const KeyedSide right_side = MakeKeyedSide(right, right_keys);
  for (size_t i = 0; foreign && i < plan.keys.size(); ++i) {
    // The foreign key reads source columns, which stand behind the keys in the keyed side.
    node->foreign_key.push_back(Place(plan.keys[i].left, left.scope, left_side.placed));
  }
  node->condition = PairCondition(plan.others, left, left_side, right_side);
  QueryInput joined;
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
  node->windowed_key = left_side.node->windowed_key;
  node->window_size_ms = left_side.node->window_size_ms;
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
  return joined;
}

}  // namespace

Result<QueryInput> BuildJoins(const ast::Join& join, const QueryUse& use) {
  WEIR_RETURN_IF_ERROR(CheckSources(join, *use.context));
  return JoinBuilder(use).Build(join);
}

}  // namespace weir
