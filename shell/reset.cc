#include "shell/reset.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/status_macros.h"
#include "shell/render/progress.h"

namespace weir::shell {
namespace {

constexpr int kExitInterrupted = 130;

std::string Whose(const ResetPlan& plan) {
  return plan.query_id.empty()
             ? fmt::format("application {}", plan.application_id)
             : fmt::format("query {} of application {}", plan.query_id, plan.application_id);
}

Status CheckNoneRuns(const ResetPlan& plan) {
  if (plan.running.empty()) return OkStatus();
  return Status(ErrorCode::kCopiesRunning,
                fmt::format("{} is running: {}", Whose(plan), fmt::join(plan.running, "; ")))
      .WithHint(
          "stop all copies first; one that was killed stays in its groups until "
          "session.timeout.ms has passed");
}

bool Confirmed(ProgramStreams& streams, Interrupts& interrupts) {
  // Nothing has been done yet that would have to be ended in order.
  const Interrupts::Scope scope(interrupts, [] { std::_Exit(kExitInterrupted); });
  streams.err << "Delete all of this? [y/N] " << std::flush;
  std::string answer;
  std::getline(streams.in, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace

std::string DescribeReset(const ResetPlan& plan) {
  std::string out;
  for (const ResetPlan::State& state : plan.state) {
    out += plan.query_id.empty()
               ? fmt::format("state   {} ({} bytes)\n", state.path, WithThousands(state.bytes))
               : fmt::format("state   {} keys in {}\n", WithThousands(state.keys), state.path);
  }
  for (const std::string& topic : plan.topics) out += fmt::format("topic   {}\n", topic);
  for (const std::string& group : plan.groups) {
    out += fmt::format("offsets of group {}\n", group);
  }
  return out;
}

Status RunReset(const ProgramOptions& options, const EngineOptions& engine, ProgramStreams& streams,
                Interrupts& interrupts) {
  WEIR_ASSIGN_OR_RETURN(const ResetPlan plan, PlanReset(engine, options.reset.query_id));
  WEIR_RETURN_IF_ERROR(CheckNoneRuns(plan));
  if (plan.empty()) {
    if (!options.quiet) streams.err << fmt::format("{} keeps nothing here\n", Whose(plan));
    return OkStatus();
  }
  if (!options.quiet || !options.reset.yes) {
    streams.err << fmt::format("To be deleted of {}:\n{}", Whose(plan), DescribeReset(plan))
                << std::flush;
  }
  if (!options.reset.yes) {
    if (!streams.in_is_terminal || !streams.err_is_terminal) {
      return Status(ErrorCode::kUsage, "reset asks before it deletes, and here is no terminal")
          .WithHint("--yes deletes without asking");
    }
    if (!Confirmed(streams, interrupts)) {
      return Status(ErrorCode::kCancelled, "nothing was deleted");
    }
  }
  WEIR_RETURN_IF_ERROR(Reset(engine, plan));
  if (!options.quiet) {
    streams.err << fmt::format(
                       "{} begins anew: its sources are read from where "
                       "auto.offset.reset says; its output topics were left as they are\n",
                       Whose(plan))
                << std::flush;
  }
  return OkStatus();
}

}  // namespace weir::shell
