#include <fmt/format.h>

#include "base/limits.h"
#include "parser/transform/transformer.h"

namespace weir::transform {
namespace {

int64_t MillisecondsOf(Grammar::DurationUnitContext* unit) {
  constexpr int64_t kSecond = 1000;
  constexpr int64_t kMinute = 60 * kSecond;
  constexpr int64_t kHour = 60 * kMinute;
  constexpr int64_t kDay = 24 * kHour;
  switch (unit->getStart()->getType()) {
    case Grammar::K_DAY:
    case Grammar::K_DAYS: return kDay;
    case Grammar::K_HOUR:
    case Grammar::K_HOURS: return kHour;
    case Grammar::K_MINUTE:
    case Grammar::K_MINUTES: return kMinute;
    case Grammar::K_SECOND:
    case Grammar::K_SECONDS: return kSecond;
    default: return 1;
  }
}

}  // namespace

int64_t Transformer::TransformDuration(Grammar::DurationContext* tree) {
  const int64_t count = TransformInteger(tree->INTEGER_NUMBER()->getSymbol());
  const int64_t unit = MillisecondsOf(tree->durationUnit());
  if (count > limits::kDurationMsMax / unit) {
    Fail(Place(tree), ErrorCode::kInvalidLiteral,
         fmt::format("the duration is too long: {}; at most a thousand years are allowed, {} DAYS",
                     TextOf(tree), limits::kDurationMsMax / 86'400'000));
    return 0;
  }
  return count * unit;
}

std::optional<int64_t> Transformer::TransformGrace(Grammar::GracePeriodContext* tree) {
  if (tree == nullptr) return std::nullopt;
  return TransformDuration(tree->duration());
}

ast::WindowClause Transformer::TransformWindow(Grammar::WindowContext* tree) {
  ast::WindowClause out;
  out.position = Place(tree);
  Grammar::IdentifierContext* name = nullptr;
  Grammar::WindowKeepContext* keep = nullptr;
  if (auto* tumbling = dynamic_cast<Grammar::TumblingContext*>(tree)) {
    out.kind = ast::WindowKind::kTumbling;
    out.size_ms = TransformDuration(tumbling->size);
    name = tumbling->identifier();
    keep = tumbling->windowKeep();
  } else if (auto* hopping = dynamic_cast<Grammar::HoppingContext*>(tree)) {
    out.kind = ast::WindowKind::kHopping;
    out.size_ms = TransformDuration(hopping->size);
    out.advance_ms = TransformDuration(hopping->advance);
    name = hopping->identifier();
    keep = hopping->windowKeep();
  } else if (auto* session = dynamic_cast<Grammar::SessionContext*>(tree)) {
    out.kind = ast::WindowKind::kSession;
    out.size_ms = TransformDuration(session->gap);
    name = session->identifier();
    keep = session->windowKeep();
  } else if (auto* sliding = dynamic_cast<Grammar::SlidingContext*>(tree)) {
    out.kind = ast::WindowKind::kSliding;
    out.size_ms = TransformDuration(sliding->size);
    name = sliding->identifier();
    keep = sliding->windowKeep();
  }
  if (name != nullptr) out.name = TransformName(name);
  if (keep != nullptr) {
    if (keep->retention != nullptr) out.retention_ms = TransformDuration(keep->retention);
    out.grace_ms = TransformGrace(keep->gracePeriod());
  }
  return out;
}

}  // namespace weir::transform
