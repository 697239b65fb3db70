#include "parser/transform/transformer.h"

namespace weir::transform {

std::optional<ast::StatementBody> Transformer::TransformAssert(
    Grammar::PlainStatementContext* tree) {
  if (auto* topic = dynamic_cast<Grammar::AssertTopicContext*>(tree)) {
    ast::AssertTopic out{.exists = topic->notExists() == nullptr,
                         .topic = TransformTopicName(topic->topicName())};
    if (topic->withProperties() != nullptr) {
      out.properties = TransformProperties(topic->withProperties());
    }
    if (topic->timeout() != nullptr) {
      out.timeout_ms = TransformDuration(topic->timeout()->duration());
    }
    return out;
  }
  if (auto* schema = dynamic_cast<Grammar::AssertSchemaContext*>(tree)) {
    ast::AssertSchema out{.exists = schema->notExists() == nullptr};
    if (schema->subject != nullptr) out.subject = TransformTopicName(schema->subject);
    if (schema->id != nullptr) out.id = TransformInteger(schema->id);
    if (schema->timeout() != nullptr) {
      out.timeout_ms = TransformDuration(schema->timeout()->duration());
    }
    return out;
  }
  if (auto* values = dynamic_cast<Grammar::AssertValuesContext*>(tree)) {
    return ast::AssertValues{.source = TransformName(values->identifier()),
                             .columns = TransformNames(values->identifierList()),
                             .values = TransformRow(values->valueRow())};
  }
  if (auto* values = dynamic_cast<Grammar::AssertNullValuesContext*>(tree)) {
    return ast::AssertNullValues{.source = TransformName(values->identifier()),
                                 .columns = TransformNames(values->identifierList()),
                                 .values = TransformRow(values->valueRow())};
  }
  if (auto* source = dynamic_cast<Grammar::AssertSourceContext*>(tree)) {
    ast::AssertSource out{.kind = TransformSourceKind(source->sourceKind()),
                          .name = TransformName(source->identifier())};
    out.has_column_list = source->columnDefinitions() != nullptr;
    if (out.has_column_list) out.columns = TransformColumns(source->columnDefinitions());
    if (source->withProperties() != nullptr) {
      out.properties = TransformProperties(source->withProperties());
    }
    return out;
  }
  return std::nullopt;
}

}  // namespace weir::transform
