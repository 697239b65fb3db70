// The WINDOW clause: what it may say, and the defaults of what it leaves out.

#include <algorithm>

#include "base/limits.h"
#include "base/status_macros.h"
#include "planner/queries/aggregate_builder.h"

namespace weir {
namespace {

constexpr int64_t kDayMs = 24LL * 3600 * 1000;

Status InvalidWindow(std::string message, SourcePosition position) {
  return Status(ErrorCode::kInvalidWindow, std::move(message)).At(position);
}

/// Each row goes into all windows that overlap at its time.
Status CheckOverlap(const ast::WindowClause& clause) {
  const int64_t windows = (clause.size_ms + clause.advance_ms - 1) / clause.advance_ms;
  if (windows <= limits::kWindowsOfRowMax) return OkStatus();
  const int64_t least = (clause.size_ms + limits::kWindowsOfRowMax - 1) / limits::kWindowsOfRowMax;
  return InvalidWindow("each row would be in " + std::to_string(windows) + " windows, " +
                           std::to_string(clause.size_ms) + " ms by " +
                           std::to_string(clause.advance_ms) + " ms; at most " +
                           std::to_string(limits::kWindowsOfRowMax) + " are allowed",
                       clause.position)
      .WithHint("with this size write ADVANCE BY " + std::to_string(least) +
                " MILLISECONDS or more");
}

}  // namespace

Result<physical::WindowSpec> ResolveWindow(const ast::WindowClause& clause, ast::EmitMode emit,
                                           const PlannerContext& context) {
  physical::WindowSpec window;
  switch (clause.kind) {
    case ast::WindowKind::kTumbling: window.kind = physical::WindowKind::kTumbling; break;
    case ast::WindowKind::kHopping: window.kind = physical::WindowKind::kHopping; break;
    case ast::WindowKind::kSession: window.kind = physical::WindowKind::kSession; break;
    case ast::WindowKind::kSliding:
      return ExtensionError(context, "a SLIDING window is", clause.position);
  }
  if (clause.size_ms <= 0) {
    return InvalidWindow("a window's size is more than nothing", clause.position);
  }
  window.size_ms = clause.size_ms;
  window.advance_ms = clause.size_ms;
  if (clause.kind == ast::WindowKind::kHopping) {
    if (clause.advance_ms <= 0 || clause.advance_ms > clause.size_ms) {
      return InvalidWindow("a hopping window advances by more than nothing and at most its size: " +
                               std::to_string(clause.advance_ms) + " ms of " +
                               std::to_string(clause.size_ms),
                           clause.position);
    }
    window.advance_ms = clause.advance_ms;
    WEIR_RETURN_IF_ERROR(CheckOverlap(clause));
  }
  const int64_t default_grace =
      emit == ast::EmitMode::kFinal ? 0 : std::max<int64_t>(kDayMs - clause.size_ms, 0);
  window.grace_ms = clause.grace_ms.value_or(default_grace);
  if (window.grace_ms < 0) {
    return InvalidWindow("a GRACE PERIOD is not negative", clause.position);
  }
  const int64_t least = window.size_ms + window.grace_ms;
  window.retention_ms = clause.retention_ms.value_or(std::max(kDayMs, least));
  if (window.retention_ms < least) {
    return InvalidWindow("RETENTION is at least the size and the grace period together, " +
                             std::to_string(least) + " ms, not " +
                             std::to_string(window.retention_ms),
                         clause.position)
        .WithHint("shorten GRACE PERIOD, which is 24 hours less the size unless given");
  }
  return window;
}

}  // namespace weir
