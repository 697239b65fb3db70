// CREATE SOURCE TABLE: a query without a sink that keeps the table for pull queries.

#include <utility>

#include "base/status_macros.h"
#include "parser/parser.h"
#include "planner/physical/lower.h"
#include "planner/physical/plan_text.h"
#include "planner/physical/state_signature.h"
#include "planner/physical/stores.h"
#include "planner/planner.h"

namespace weir {
namespace {

const physical::TopicSource* FirstTopicSource(const physical::Node& node) {
  if (node.kind == physical::NodeKind::kTopicSource) {
    return static_cast<const physical::TopicSource*>(&node);
  }
  return node.inputs.empty() ? nullptr : FirstTopicSource(*node.inputs[0]);
}

}  // namespace

Result<PersistentQueryPlan> PlanKeptTable(const SourceEntry& source,
                                          const PlannerContext& context) {
  std::string name;
  for (const char c : source.name) name += c == '`' ? std::string(2, c) : std::string(1, c);
  WEIR_ASSIGN_OR_RETURN(const ast::Statement parsed,
                        ParseStatement("SELECT * FROM `" + name + "` EMIT CHANGES"));
  WEIR_ASSIGN_OR_RETURN(const PushQueryPlan push, PlanPushQuery(parsed, context));
  const physical::TopicSource* scan = FirstTopicSource(*push.root);
  WEIR_CHECK(scan != nullptr, "a SELECT reads a topic");
  auto node = std::make_shared<physical::TopicSource>(*scan);
  auto root = std::make_shared<physical::ClientSink>();
  root->id = node->id + 1;
  root->schema = node->schema;
  root->mode = node->mode;
  root->windowed_key = node->windowed_key;
  root->window_size_ms = node->window_size_ms;
  root->keeps_table = true;
  root->inputs.push_back(std::move(node));
  DeclareStores(*root);
  PersistentQueryPlan plan;
  plan.query_id = "CST_" + source.name;
  WEIR_ASSIGN_OR_RETURN(plan.root, WrittenAndRead(root, *context.functions));
  plan.fingerprint = SignatureHash(SignatureOf(*plan.root));
  plan.legacy_fingerprint = 1;
  return plan;
}

}  // namespace weir
