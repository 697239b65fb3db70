// Statements about the session and about running queries: SET, DEFINE, RUN SCRIPT, TERMINATE, ….

#include "parser/transform/transformer.h"

namespace weir::transform {
namespace {

ast::ControlKind ControlOf(size_t token_type) {
  switch (token_type) {
    case Grammar::K_PAUSE: return ast::ControlKind::kPause;
    case Grammar::K_RESUME: return ast::ControlKind::kResume;
    default: return ast::ControlKind::kTerminate;
  }
}

}  // namespace

std::optional<ast::StatementBody> Transformer::TransformSession(
    Grammar::PlainStatementContext* tree) {
  if (auto* control = dynamic_cast<Grammar::ControlQueryContext*>(tree)) {
    ast::ControlQuery out{.kind = ControlOf(control->action->getType()),
                          .all = control->K_ALL() != nullptr};
    if (!out.all) out.query_id = TransformName(control->identifier());
    return out;
  }
  if (auto* set = dynamic_cast<Grammar::SetPropertyContext*>(tree)) {
    return ast::SetProperty{.name = TransformString(set->STRING(0)),
                            .value = TransformString(set->STRING(1)),
                            .name_position = Place(set->STRING(0)->getSymbol()),
                            .value_position = Place(set->STRING(1)->getSymbol())};
  }
  if (auto* unset = dynamic_cast<Grammar::UnsetPropertyContext*>(tree)) {
    return ast::UnsetProperty{.name = TransformString(unset->STRING()),
                              .name_position = Place(unset->STRING()->getSymbol())};
  }
  if (auto* define = dynamic_cast<Grammar::DefineVariableContext*>(tree)) {
    return ast::DefineVariable{.name = TransformName(define->identifier()),
                               .value = TransformString(define->STRING())};
  }
  if (auto* undefine = dynamic_cast<Grammar::UndefineVariableContext*>(tree)) {
    return ast::UndefineVariable{.name = TransformName(undefine->identifier())};
  }
  if (auto* run = dynamic_cast<Grammar::RunScriptContext*>(tree)) {
    return ast::RunScript{.path = TransformString(run->STRING()),
                          .path_position = Place(run->STRING()->getSymbol())};
  }
  return std::nullopt;
}

}  // namespace weir::transform
