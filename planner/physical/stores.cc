#include "planner/physical/stores.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/status_macros.h"
#include "planner/binder/make_expr.h"
#include "planner/explain_text.h"
#include "planner/physical/plan_fields.h"

namespace weir {
namespace {

using physical::NodeKind;
using physical::StoreKind;
using physical::StoreSpec;

struct StoreKindRow {
  StoreKind kind;
  int newest = 1;
  int oldest = 1;
};

// In the order of StoreKind.
constexpr StoreKindRow kStoreKinds[] = {
    {StoreKind::kGroups, 2},   {StoreKind::kSessions, 2},   {StoreKind::kTableGroups},
    {StoreKind::kWindowTimes}, {StoreKind::kResultKeys},    {StoreKind::kRows, 2},
    {StoreKind::kPointers, 2}, {StoreKind::kPointerIndex},  {StoreKind::kSubscriptions},
    {StoreKind::kAnswers},     {StoreKind::kJoinBuffer, 2}, {StoreKind::kJoinTimes},
    {StoreKind::kView, 2},     {StoreKind::kViewLayout},    {StoreKind::kClocks},
    {StoreKind::kStreamTime},  {StoreKind::kHeldRows},      {StoreKind::kUpstreams},
};

const StoreKindRow& RowOfKind(StoreKind kind) { return kStoreKinds[static_cast<size_t>(kind)]; }

class StoreDeclarer {
 public:
  explicit StoreDeclarer(physical::Node& node) : node_(node) {
    for (StoreSpec& store : node.stores) named_.push_back(std::move(store.name));
    node.stores.clear();
  }

  void Declare();

 private:
  std::string Number() const { return std::to_string(node_.id); }
  /// The name that the pass gave to the `nth` store, or `other`.
  std::string NameOr(size_t nth, std::string other) const {
    return nth < named_.size() ? named_[nth] : std::move(other);
  }

  StoreSpec& Add(StoreKind kind, std::string name) {
    StoreSpec& store = node_.stores.emplace_back();
    store.name = std::move(name);
    store.kind = kind;
    store.layout = NewestLayout(kind);
    return store;
  }

  static void AddKeys(const Schema& schema, int count, StoreSpec& store) {
    for (int i = 0; i < count; ++i) store.keys.push_back(schema.columns[i].type);
  }
  /// Columns of the schema as values, from `first` on.
  static void AddValues(const Schema& schema, int first, StoreSpec& store) {
    for (int i = first; i < schema.size(); ++i) {
      store.values.push_back(schema.columns[i].type.ToString());
    }
  }
  static int KeyColumnsOf(const Schema& schema) {
    return static_cast<int>(std::ranges::count_if(
        schema.columns, [](const ColumnSchema& column) { return column.is_key; }));
  }
  /// That of the node's keys, if they have one.
  physical::WindowSpec KeyWindow() const {
    physical::WindowSpec window;
    window.kind = node_.windowed_key;
    window.size_ms = node_.window_size_ms;
    return window;
  }

  template <typename T>
  StoreSpec& AddGroups(const T& node, StoreKind kind) {
    StoreSpec& store = Add(kind, NameOr(0, "aggregate-" + Number()));
    AddKeys(*node.schema, node.key_columns, store);
    for (const physical::AggregateCall& call : node.calls) {
      store.values.push_back(AggregateStateText(call));
    }
    return store;
  }
  static std::string AggregateStateText(const physical::AggregateCall& call);
  void AddRows(const Schema& schema, int keys, std::string name, StoreKind kind) {
    StoreSpec& store = Add(kind, std::move(name));
    AddKeys(schema, keys, store);
    AddValues(schema, keys, store);
    store.window = KeyWindow();
  }

  void DeclareAggregate(const physical::StreamAggregate& node);
  void DeclareStreamJoin(const physical::StreamStreamJoin& node);
  void DeclareView(const std::string& name, int64_t retention_ms);
  void DeclareExchange();
  /// Where no exchange feeds a windowed node, it has a stream time of its own for each input.
  void DeclareStreamTimes();

  physical::Node& node_;
  std::vector<std::string> named_;
};

std::string StoreDeclarer::AggregateStateText(const physical::AggregateCall& call) {
  std::string text = call.function->name + "(";
  for (const DataType& type : call.function->parameter_types) {
    if (text.back() != '(') text += ", ";
    text += type.ToString();
  }
  return text + ") " + std::to_string(call.function->state_version);
}

void StoreDeclarer::DeclareStreamTimes() {
  for (size_t i = 0; i < node_.inputs.size(); ++i) {
    if (node_.inputs[i]->kind == NodeKind::kExchange) continue;
    Add(StoreKind::kStreamTime, "stream-time-" + Number() + "-" + std::to_string(i));
  }
}

void StoreDeclarer::DeclareAggregate(const physical::StreamAggregate& node) {
  const physical::WindowKind kind = node.window.kind;
  const bool sessions = kind == physical::WindowKind::kSession;
  StoreSpec& store = AddGroups(node, sessions ? StoreKind::kSessions : StoreKind::kGroups);
  store.window = node.window;
  if (kind != physical::WindowKind::kNone) store.retention_ms = node.window.retention_ms;
  Add(StoreKind::kWindowTimes, std::string(node_.stores.front().name) + "-times");
  if (kind != physical::WindowKind::kNone) DeclareStreamTimes();
}

void StoreDeclarer::DeclareStreamJoin(const physical::StreamStreamJoin& node) {
  for (int input = 0; input < 2; ++input) {
    const Schema& schema = *node.inputs[input]->schema;
    StoreSpec& store = Add(StoreKind::kJoinBuffer,
                           NameOr(input, "join-" + Number() + "-" + std::to_string(input)));
    AddKeys(schema, node.key_columns, store);
    for (int column : KeptColumns(node, input)) {
      store.values.push_back(schema.columns[column].type.ToString());
    }
    store.window = KeyWindow();
    store.retention_ms = node.before_ms + node.after_ms + node.grace_ms;
  }
  Add(StoreKind::kJoinTimes, std::string(node_.stores.front().name) + "-times");
  DeclareStreamTimes();
}

void StoreDeclarer::DeclareView(const std::string& name, int64_t retention_ms) {
  AddRows(*node_.schema, KeyColumnsOf(*node_.schema), name, StoreKind::kView);
  node_.stores.back().retention_ms = retention_ms;
  Add(StoreKind::kViewLayout, name + "-layout");
}

void StoreDeclarer::DeclareExchange() {
  const std::string name = "exchange-" + Number();
  Add(StoreKind::kClocks, name);
  AddValues(*node_.schema, 0, Add(StoreKind::kHeldRows, name + "-held"));
  Add(StoreKind::kUpstreams, name + "-upstreams");
}

void StoreDeclarer::Declare() {
  switch (node_.kind) {
    case NodeKind::kFilter: {
      const physical::ChangeMode mode = node_.inputs.empty() ? node_.mode : node_.inputs[0]->mode;
      if (mode != physical::ChangeMode::kUpsert) break;
      StoreSpec& store = Add(StoreKind::kResultKeys, NameOr(0, "filter-" + Number()));
      AddKeys(*node_.schema, KeyColumnsOf(*node_.schema), store);
      store.window = KeyWindow();
      break;
    }
    case NodeKind::kExchange: return DeclareExchange();
    case NodeKind::kMaterialize:
      return AddRows(*node_.schema, KeyColumnsOf(*node_.schema), NameOr(0, "table-" + Number()),
                     StoreKind::kRows);
    case NodeKind::kPartialAggregate:
      if (static_cast<physical::PartialAggregate&>(node_).window.kind ==
          physical::WindowKind::kNone) {
        break;
      }
      Add(StoreKind::kClocks, "partial-aggregate-" + Number());
      break;
    case NodeKind::kStreamAggregate:
      return DeclareAggregate(static_cast<physical::StreamAggregate&>(node_));
    case NodeKind::kTableAggregate:
      AddGroups(static_cast<physical::TableAggregate&>(node_), StoreKind::kTableGroups);
      break;
    case NodeKind::kStreamStreamJoin:
      return DeclareStreamJoin(static_cast<physical::StreamStreamJoin&>(node_));
    case NodeKind::kStreamTableJoin:
      return AddRows(*node_.inputs[1]->schema,
                     static_cast<physical::StreamTableJoin&>(node_).key_columns,
                     NameOr(0, "table-" + Number()), StoreKind::kRows);
    case NodeKind::kTableTableJoin:
      for (size_t i = 0; i < 2; ++i) {
        AddRows(*node_.inputs[i]->schema, static_cast<physical::TableTableJoin&>(node_).key_columns,
                NameOr(i, "table-" + Number() + "-" + std::to_string(i)), StoreKind::kRows);
      }
      break;
    case NodeKind::kForeignKeyJoin: {
      const auto& join = static_cast<const physical::ForeignKeyJoin&>(node_);
      const auto right_keys = static_cast<int>(join.foreign_key.size());
      AddRows(LeftSchema(join), join.left_key_columns, NameOr(0, "table-" + Number() + "-0"),
              StoreKind::kPointers);
      for (int key = 0; key < right_keys; ++key) {
        node_.stores.back().values.push_back(join.inputs[1]->schema->columns[key].type.ToString());
      }
      if (join.spread) node_.stores.back().values.push_back(DataType::Bigint().ToString());
      AddRows(*join.inputs[1]->schema, right_keys, NameOr(1, "table-" + Number() + "-1"),
              StoreKind::kRows);
      Add(StoreKind::kPointerIndex, node_.stores.front().name + "-pointers");
      break;
    }
    case NodeKind::kForeignKeySubscribe: {
      const auto& subscribe = static_cast<const physical::ForeignKeySubscribe&>(node_);
      StoreSpec& store = Add(StoreKind::kSubscriptions, NameOr(0, "subscriptions-" + Number()));
      AddKeys(*subscribe.inputs[0]->schema, subscribe.key_columns, store);
      for (const BoundExprPtr& key : subscribe.foreign_key) {
        store.values.push_back(key->type.ToString());
      }
      break;
    }
    case NodeKind::kForeignKeyAnswers:
      AddKeys(*node_.schema, static_cast<const physical::ForeignKeyAnswers&>(node_).key_columns,
              Add(StoreKind::kAnswers, NameOr(0, "answers-" + Number())));
      break;
    case NodeKind::kTopicSink: {
      const auto& sink = static_cast<physical::TopicSink&>(node_);
      if (sink.is_table) DeclareView("view", sink.view_retention_ms);
      break;
    }
    case NodeKind::kClientSink:
      if (static_cast<physical::ClientSink&>(node_).keeps_table) DeclareView("view", -1);
      break;
    case NodeKind::kLatestRows:
    case NodeKind::kTopicSource:
    case NodeKind::kProject:
    case NodeKind::kFlatMap:
    case NodeKind::kLimit:
    case NodeKind::kBoundedAggregate:
    case NodeKind::kBoundedJoin:
    case NodeKind::kUnionAll:
    case NodeKind::kSort: break;
  }
}

}  // namespace

std::vector<int> KeptColumns(const physical::StreamStreamJoin& join, int side) {
  std::vector<int> kept;
  const auto keep = [&](int column) {
    if (column < join.key_columns || std::ranges::find(kept, column) != kept.end()) return;
    kept.push_back(column);
  };
  for (int column : side == 0 ? join.left_columns : join.right_columns) keep(column);
  if (join.condition == nullptr) return kept;
  const int left = join.inputs[0]->schema->size();
  std::set<int> read;
  VisitExpr(*join.condition, [&](const BoundExpr& expr) {
    if (expr.kind == BoundKind::kColumn) read.insert(expr.index);
  });
  for (int column : read) {
    if ((column >= left) == (side == 1)) keep(side == 1 ? column - left : column);
  }
  return kept;
}

void DeclareStores(physical::Node& node) { StoreDeclarer(node).Declare(); }

int NewestLayout(StoreKind kind) { return RowOfKind(kind).newest; }
int OldestLayout(StoreKind kind) { return RowOfKind(kind).oldest; }
bool HoldsRows(StoreKind kind) {
  switch (kind) {
    case StoreKind::kGroups:
    case StoreKind::kSessions:
    case StoreKind::kTableGroups:
    case StoreKind::kRows:
    case StoreKind::kPointers:
    case StoreKind::kSubscriptions:
    case StoreKind::kAnswers:
    case StoreKind::kJoinBuffer: return true;
    default: return false;
  }
}
std::string_view StoreKindText(StoreKind kind) {
  return plan_fields::Words<StoreKind>::kAll[static_cast<size_t>(kind)];
}

namespace physical {

const std::string& Node::StoreName(StoreKind store_kind, size_t nth) const {
  for (const StoreSpec& store : stores) {
    if (store.kind == store_kind && nth-- == 0) return store.name;
  }
  CheckFailed(__FILE__, __LINE__, "declared", "an operator needs a store that its node lacks");
}

}  // namespace physical
}  // namespace weir
