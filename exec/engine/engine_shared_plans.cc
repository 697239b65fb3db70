// The plan by which all copies of an application run a unit of queries, on Kafka. It is kept beside
// the changelogs (plan_log.h), and each copy that starts goes by what it finds there. Its own plan
// takes the place of that only where it goes on from the same state and no other copy runs.

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/status_macros.h"
#include "exec/engine/engine_impl.h"
#include "exec/engine/internal_objects.h"
#include "exec/engine/plan_log.h"
#include "exec/runtime/internal_topics.h"
#include "planner/physical/plan_text.h"
#include "planner/physical/state_signature.h"

namespace weir {
namespace {

Status CopyCannotGoOn(std::string_view unit, std::string_view why) {
  return Status(ErrorCode::kPlanChanged,
                fmt::format("query {} cannot go on from its state: {}", unit, why))
      .WithHint(fmt::format(
          "run the version of Weir that wrote the state, or stop all copies and run `weir reset "
          "--query {}`, which starts it from the beginning of its sources",
          unit));
}

void NameStores(const physical::Node& node, std::string& out) {
  for (const physical::StoreSpec& store : node.stores) out += " " + store.name;
  for (const physical::NodePtr& input : node.inputs) {
    if (input->kind != physical::NodeKind::kExchange) NameStores(*input, out);
  }
}

// How a unit is divided into tasks: what its groups, topics and the keys of its state go by.
std::string ShapeOf(const QueryStages& stages) {
  std::string shape;
  for (const StagePlan& stage : stages.stages) {
    shape += fmt::format("stage {}", stage.id);
    for (const int source : stage.sources) {
      shape += fmt::format(" reads {}", stages.sources[source].node->topic);
    }
    for (const int exchange : stage.exchange_inputs) shape += fmt::format(" from {}", exchange);
    for (const StageRoot& root : stage.roots) {
      shape += fmt::format(" keeps of {}", root.query_root);
      NameStores(*root.node, shape);
    }
  }
  return shape;
}

KeptPlans WrittenPlans(const std::vector<PersistentQueryPlan>& plans) {
  KeptPlans texts;
  for (const PersistentQueryPlan& plan : plans) texts[plan.query_id] = WritePlan(*plan.root);
  return texts;
}

// Plans as they were kept, and these with the stores of those.
struct PlanPair {
  std::vector<PersistentQueryPlan> kept;
  std::vector<PersistentQueryPlan> made;
  std::vector<std::string> differs;  // What of the state would be other by those that were made.
};

Status ComparePlan(const std::string& unit, const std::string& text, PersistentQueryPlan& kept,
                   PersistentQueryPlan& made, std::vector<std::string>& differs) {
  Result<physical::NodePtr> root = ReadPlan(text, BuiltinFunctions());
  if (!root.ok()) return CopyCannotGoOn(unit, root.status().message());
  kept.root = *root;
  const StateSignature before = SignatureOf(*kept.root);
  const StateSignature now = SignatureOf(*made.root);
  const StateMatch match = CompareSignatures(before, now);
  differs.insert(differs.end(), match.differs.begin(), match.differs.end());
  if (match.equal && before.sends != now.sends) {
    differs.push_back(fmt::format("it would hand on {} in place of {}",
                                  fmt::join(now.sends, " and "), fmt::join(before.sends, " and ")));
  }
  if (!match.equal) return OkStatus();
  WEIR_ASSIGN_OR_RETURN(made.root,
                        ReadPlan(WritePlan(*made.root), BuiltinFunctions(), match.names));
  return OkStatus();
}

}  // namespace

Result<QueryStages> EngineImpl::StagesOf(const std::vector<PersistentQueryPlan>& plans) const {
  std::vector<physical::NodePtr> roots;
  for (const PersistentQueryPlan& plan : plans) roots.push_back(plan.root);
  // How many partitions there are is of no matter here.
  return CutIntoStages(roots, [](const physical::TopicSource&) -> Result<int32_t> { return 1; });
}

Result<bool> EngineImpl::CopiesRun(const std::string& unit, size_t stages) const {
  for (size_t stage = 0; stage < stages; ++stage) {
    const std::string group =
        InternalPrefix(broker_->application_id(), unit) + std::to_string(stage);
    WEIR_ASSIGN_OR_RETURN(const std::vector<GroupMember> members, broker_->DescribeGroup(group));
    if (!members.empty()) return true;
  }
  return false;
}

Result<bool> EngineImpl::HasStateOnKafka(const std::string& unit, const QueryStages& stages) const {
  for (const StagePlan& stage : stages.stages) {
    if (!NeedsChangelog(stage)) continue;
    const std::string topic =
        fmt::format("{}{}-changelog", InternalPrefix(broker_->application_id(), unit), stage.id);
    const auto ends = broker_->EndOffsets(topic);
    if (ends.status().code() == ErrorCode::kUnknownTopic) continue;
    WEIR_RETURN_IF_ERROR(ends.status());
    if (std::ranges::any_of(*ends, [](int64_t end) { return end > 0; })) return true;
  }
  return false;
}

Result<std::optional<EngineImpl::AgreedPlans>> EngineImpl::AgreeOnPlans(
    const std::string& unit, std::vector<PersistentQueryPlan>& plans) {
  for (const PersistentQueryPlan& plan : plans) plan_notes_.erase(plan.query_id);
  WEIR_ASSIGN_OR_RETURN(const QueryStages stages, StagesOf(plans));
  if (!QueryRuntime::SharesWork(*broker_, stages)) return std::optional<AgreedPlans>();
  const bool travels = stages.stages.size() > 1 ||
                       std::ranges::any_of(stages.stages, NeedsChangelog) ||
                       broker_->DescribeTopic(PlanTopic(broker_->application_id(), unit)).ok();
  if (!travels) return std::optional<AgreedPlans>();
  const auto log = std::make_shared<PlanLog>(*broker_, unit);
  WEIR_RETURN_IF_ERROR(log->Open());
  const uint64_t fingerprint = OptionsOf(unit, plans).fingerprint;
  AgreedPlans agreed;
  const auto look = [log, broker = broker_]() -> Result<std::optional<int64_t>> {
    WEIR_ASSIGN_OR_RETURN(const bool same, log->IsStillInForce());
    return same ? std::optional<int64_t>(log->end()) : std::nullopt;
  };
  if (!log->in_force()) {
    WEIR_ASSIGN_OR_RETURN(const bool has_state, HasStateOnKafka(unit, stages));
    const auto keep = [log, fingerprint, plans = WrittenPlans(plans),
                       broker = broker_]() -> Result<int64_t> {
      WEIR_RETURN_IF_ERROR(log->Propose(fingerprint, plans));
      return log->end();
    };
    if (has_state) {
      const auto keep_own = [log, keep, unit, own = WrittenPlans(plans)]() -> Result<int64_t> {
        WEIR_ASSIGN_OR_RETURN(const int64_t end, keep());
        if (log->in_force()->plans == own) return end;
        return Status(ErrorCode::kPlanChanged,
                      fmt::format("another copy has begun to run query {} by another plan", unit))
            .WithHint("start this copy again: it then runs the plan that the others run");
      };
      agreed.fingerprint = fingerprint;
      agreed.watch = {log->topic(), log->end(), keep_own, look};
      return std::optional<AgreedPlans>(std::move(agreed));
    }
    WEIR_RETURN_IF_ERROR(keep().status());
  }
  WEIR_RETURN_IF_ERROR(FitToCopies(unit, *log, plans));
  agreed.fingerprint = log->in_force()->fingerprint;
  agreed.watch = {log->topic(), log->end(), nullptr, look};
  return std::optional<AgreedPlans>(std::move(agreed));
}

Status EngineImpl::FitToCopies(const std::string& unit, PlanLog& log,
                               std::vector<PersistentQueryPlan>& plans) {
  for (bool proposed = false; log.in_force()->plans != WrittenPlans(plans); proposed = true) {
    const PlansInForce in_force = *log.in_force();
    PlanPair pair{plans, plans, {}};
    for (size_t i = 0; i < plans.size(); ++i) {
      const auto kept = in_force.plans.find(plans[i].query_id);
      if (kept == in_force.plans.end() || in_force.plans.size() != plans.size()) {
        return CopyCannotGoOn(unit, "it was made of other queries");
      }
      WEIR_RETURN_IF_ERROR(
          ComparePlan(unit, kept->second, pair.kept[i], pair.made[i], pair.differs));
      const std::string unread = UnreadableStore(SignatureOf(*pair.kept[i].root));
      if (!unread.empty()) return CopyCannotGoOn(unit, unread);
    }
    WEIR_ASSIGN_OR_RETURN(const QueryStages before, StagesOf(pair.kept));
    WEIR_ASSIGN_OR_RETURN(const QueryStages now, StagesOf(pair.made));
    if (pair.differs.empty() && ShapeOf(before) != ShapeOf(now)) {
      pair.differs.push_back("it would be divided into other tasks");
    }
    if (!pair.differs.empty()) {
      RunByKept(pair.kept, plans,
                fmt::format("as its state would be other by this statement: {}; to make it anew "
                            "stop all copies and run `weir reset --query {}`",
                            fmt::join(pair.differs, "; "), unit));
      return OkStatus();
    }
    plans = std::move(pair.made);
    if (WrittenPlans(plans) == in_force.plans) return OkStatus();
    // Who was not first runs what the other put: it starts as well, if it is not to be seen yet.
    WEIR_ASSIGN_OR_RETURN(const bool others,
                          proposed ? Result<bool>(true) : CopiesRun(unit, before.stages.size()));
    if (others) {
      RunByKept(pair.kept, plans,
                "as other copies do; that of this statement takes its place when a copy starts "
                "while no other runs");
      return OkStatus();
    }
    WEIR_RETURN_IF_ERROR(log.Propose(in_force.fingerprint, WrittenPlans(plans)));
  }
  return OkStatus();
}

void EngineImpl::RunByKept(const std::vector<PersistentQueryPlan>& kept,
                           std::vector<PersistentQueryPlan>& plans, const std::string& why) {
  for (size_t i = 0; i < plans.size(); ++i) {
    const bool same = WritePlan(*plans[i].root) == WritePlan(*kept[i].root);
    GoOnBy(kept[i].root, plans[i]);
    if (same) continue;
    NotePlanText(
        plans[i].query_id,
        fmt::format("query {} runs by the plan that is kept on Kafka, {}", plans[i].query_id, why));
  }
}

}  // namespace weir
