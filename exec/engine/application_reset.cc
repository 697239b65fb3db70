// PlanReset and Reset: what an application keeps on Kafka and on this machine.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/status_macros.h"
#include "exec/connect/application_state.h"
#include "exec/engine/internal_objects.h"
#include "exec/runtime/query/query_runtime.h"
#include "weir/reset.h"

namespace weir {
namespace {

// Without an application id: a broker that only asks joins no group and opens no state.
Result<std::unique_ptr<Broker>> OpenToLook(const EngineOptions& options) {
  if (options.brokers.empty() || options.application_id.empty()) {
    return Status(ErrorCode::kUsage, "a reset needs Kafka brokers and an application id")
        .WithHint("on a local store DROP what a query makes and create it again");
  }
  BrokerOptions broker;
  broker.brokers = options.brokers;
  broker.kafka = options.kafka;
  broker.log = [logger = options.logger](int level, std::string_view line) {
    if (logger) logger(static_cast<LogLevel>(level), line);
  };
  return OpenKafkaBroker(broker);
}

// [from, to) holds all state keys of a query.
std::pair<std::string, std::string> StateRange(std::string_view query_id) {
  std::pair<std::string, std::string> range;
  range.first = QueryRuntime::StatePrefix(query_id);
  range.second = range.first;
  range.second.back() = '\1';
  return range;
}

Status AddState(const EngineOptions& options, ResetPlan& plan) {
  const std::string folder = ApplicationStateFolder(options.state_dir, plan.application_id);
  WEIR_ASSIGN_OR_RETURN(const std::vector<ApplicationState> all, ListApplicationState(folder));
  for (const ApplicationState& one : all) {
    if (!one.owner.empty()) {
      plan.running.push_back(fmt::format("process {} has {} open", one.owner, one.path));
      continue;
    }
    if (plan.query_id.empty()) {
      plan.state.push_back({one.path, one.bytes, 0});
      continue;
    }
    const auto [from, to] = StateRange(plan.query_id);
    WEIR_ASSIGN_OR_RETURN(const int64_t keys, CountStateKeys(one.path, from, to));
    if (keys > 0) plan.state.push_back({one.path, 0, keys});
  }
  return OkStatus();
}

Result<ResetPlan> PlanWith(Broker& broker, const EngineOptions& options,
                           std::string_view query_id) {
  ResetPlan plan;
  plan.application_id = options.application_id;
  plan.query_id = query_id;
  WEIR_ASSIGN_OR_RETURN(InternalObjects objects,
                        FindInternalObjects(broker, plan.application_id, plan.query_id));
  WEIR_ASSIGN_OR_RETURN(plan.running, CopiesInGroups(broker, objects.groups));
  plan.topics = std::move(objects.topics);
  plan.groups = std::move(objects.groups);
  WEIR_RETURN_IF_ERROR(AddState(options, plan));
  return plan;
}

}  // namespace

Result<ResetPlan> PlanReset(const EngineOptions& options, std::string_view query_id) {
  WEIR_ASSIGN_OR_RETURN(const std::unique_ptr<Broker> broker, OpenToLook(options));
  return PlanWith(*broker, options, query_id);
}

Status Reset(const EngineOptions& options, const ResetPlan& plan) {
  WEIR_ASSIGN_OR_RETURN(const std::unique_ptr<Broker> broker, OpenToLook(options));
  WEIR_ASSIGN_OR_RETURN(const ResetPlan now, PlanWith(*broker, options, plan.query_id));
  if (!now.running.empty()) {
    return Status(ErrorCode::kCopiesRunning,
                  fmt::format("application {} is running: {}", plan.application_id,
                              fmt::join(now.running, "; ")))
        .WithHint(
            "stop all copies first; one that was killed stays in its groups until "
            "session.timeout.ms has passed");
  }
  WEIR_RETURN_IF_ERROR(DeleteInternalObjects(*broker, {plan.topics, plan.groups}));
  for (const ResetPlan::State& state : plan.state) {
    if (plan.query_id.empty()) {
      WEIR_RETURN_IF_ERROR(DeleteApplicationState(state.path));
    } else {
      const auto [from, to] = StateRange(plan.query_id);
      WEIR_RETURN_IF_ERROR(DeleteStateKeys(state.path, from, to));
    }
  }
  return broker->Close();
}

}  // namespace weir
