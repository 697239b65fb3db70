// SHOW, DESCRIBE, EXPLAIN's words, PRINT.

#include "parser/source_text.h"
#include "parser/transform/transformer.h"

namespace weir::transform {

ast::Show Transformer::TransformShow(Grammar::ShowableContext* tree) {
  ast::Show out;
  out.extended = tree->K_EXTENDED() != nullptr;
  if (tree->K_TOPICS() != nullptr) {
    out.kind = tree->K_ALL() != nullptr ? ast::ShowKind::kAllTopics : ast::ShowKind::kTopics;
  } else if (tree->K_STREAMS() != nullptr) {
    out.kind = ast::ShowKind::kStreams;
  } else if (tree->K_TABLES() != nullptr) {
    out.kind = ast::ShowKind::kTables;
  } else if (tree->K_QUERIES() != nullptr) {
    out.kind = ast::ShowKind::kQueries;
  } else if (tree->K_FUNCTIONS() != nullptr) {
    out.kind = ast::ShowKind::kFunctions;
  } else if (tree->K_TYPES() != nullptr) {
    out.kind = ast::ShowKind::kTypes;
  } else if (tree->K_VARIABLES() != nullptr) {
    out.kind = ast::ShowKind::kVariables;
  } else if (tree->K_PROPERTIES() != nullptr) {
    out.kind = ast::ShowKind::kProperties;
  } else if (tree->K_PLUGINS() != nullptr) {
    out.kind = ast::ShowKind::kConnectorPlugins;
  } else if (tree->K_PIPELINES() != nullptr) {
    out.kind = ast::ShowKind::kPipelines;
  } else if (tree->K_METRICS() != nullptr) {
    out.kind = ast::ShowKind::kMetrics;
  } else if (tree->K_SCHEMAS() != nullptr) {
    out.kind = ast::ShowKind::kSchemas;
  } else if (tree->K_SOURCE() != nullptr) {
    out.kind = ast::ShowKind::kSourceConnectors;
  } else if (tree->K_SINK() != nullptr) {
    out.kind = ast::ShowKind::kSinkConnectors;
  } else {
    out.kind = ast::ShowKind::kConnectors;
  }
  return out;
}

ast::ExplainMode Transformer::TransformExplainMode(Grammar::ExplainModeContext* tree) {
  if (tree == nullptr) return ast::ExplainMode::kPlain;
  switch (tree->getStart()->getType()) {
    case Grammar::K_VERBOSE: return ast::ExplainMode::kVerbose;
    case Grammar::K_LOGICAL: return ast::ExplainMode::kLogical;
    case Grammar::K_OPTIMIZED: return ast::ExplainMode::kOptimized;
    case Grammar::K_PHYSICAL: return ast::ExplainMode::kPhysical;
    default: return ast::ExplainMode::kAnalyze;
  }
}

std::optional<ast::StatementBody> Transformer::TransformInspection(
    Grammar::PlainStatementContext* tree) {
  if (auto* show = dynamic_cast<Grammar::ShowContext*>(tree)) {
    return TransformShow(show->showable());
  }
  if (auto* create = dynamic_cast<Grammar::ShowCreateContext*>(tree)) {
    ast::ShowCreate out{.name = TransformName(create->identifier())};
    if (create->object != nullptr) out.object = FoldName(TextOf(create->object));
    return out;
  }
  if (auto* all = dynamic_cast<Grammar::DescribeAllContext*>(tree)) {
    return ast::Describe{.kind = all->K_TABLES() != nullptr ? ast::DescribeKind::kTables
                                                            : ast::DescribeKind::kStreams,
                         .extended = all->K_EXTENDED() != nullptr};
  }
  if (auto* other = dynamic_cast<Grammar::DescribeOtherContext*>(tree)) {
    ast::Describe out{.kind = ast::DescribeKind::kQuery,
                      .name = TransformName(other->identifier())};
    if (other->K_FUNCTION() != nullptr) out.kind = ast::DescribeKind::kFunction;
    if (other->K_CONNECTOR() != nullptr) out.kind = ast::DescribeKind::kConnector;
    return out;
  }
  if (auto* source = dynamic_cast<Grammar::DescribeSourceContext*>(tree)) {
    return ast::Describe{.kind = ast::DescribeKind::kSource,
                         .name = TransformName(source->identifier()),
                         .extended = !source->K_EXTENDED().empty()};
  }
  if (auto* print = dynamic_cast<Grammar::PrintContext*>(tree)) {
    ast::Print out{.topic = TransformTopicName(print->topicName()),
                   .topic_position = Place(print->topicName()),
                   .from_beginning = print->K_FROM() != nullptr};
    if (print->interval != nullptr) out.interval = TransformInteger(print->interval);
    if (print->limit != nullptr) out.limit = TransformInteger(print->limit);
    return out;
  }
  return std::nullopt;
}

}  // namespace weir::transform
