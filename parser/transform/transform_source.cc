// Statements that make, fill, change and remove sources, types, connectors and pipelines.

#include "parser/source_text.h"
#include "parser/transform/transformer.h"

namespace weir::transform {

ast::SourceKind Transformer::TransformSourceKind(Grammar::SourceKindContext* tree) {
  return tree->K_TABLE() != nullptr ? ast::SourceKind::kTable : ast::SourceKind::kStream;
}

std::optional<ast::StatementBody> Transformer::TransformDefinition(
    Grammar::PlainStatementContext* tree) {
  if (auto* create = dynamic_cast<Grammar::CreateSourceContext*>(tree)) {
    return TransformCreate(create);
  }
  if (auto* insert = dynamic_cast<Grammar::InsertValuesContext*>(tree)) {
    return TransformInsertValues(insert);
  }
  if (auto* type = dynamic_cast<Grammar::CreateTypeContext*>(tree)) {
    return ast::CreateType{.if_not_exists = type->ifNotExists() != nullptr,
                           .name = TransformName(type->identifier()),
                           .type = TransformType(type->type())};
  }
  if (auto* connector = dynamic_cast<Grammar::CreateConnectorContext*>(tree)) {
    return ast::CreateConnector{.kind = connector->connectorKind()->K_SINK() != nullptr
                                            ? ast::ConnectorKind::kSink
                                            : ast::ConnectorKind::kSource,
                                .if_not_exists = connector->ifNotExists() != nullptr,
                                .name = TransformName(connector->identifier()),
                                .properties = TransformProperties(connector->withProperties())};
  }
  if (auto* alter = dynamic_cast<Grammar::AlterSourceContext*>(tree)) {
    ast::AlterSource out{.kind = TransformSourceKind(alter->sourceKind()),
                         .name = TransformName(alter->identifier())};
    for (Grammar::AddedColumnContext* column : alter->addedColumn()) {
      out.added.push_back({.name = TransformName(column->identifier()),
                           .type = TransformType(column->type()),
                           .position = Place(column)});
    }
    return out;
  }
  if (auto* alter = dynamic_cast<Grammar::AlterSystemContext*>(tree)) {
    return ast::AlterSystem{.name = TransformString(alter->STRING(0)),
                            .value = TransformString(alter->STRING(1))};
  }
  return std::nullopt;
}

std::optional<ast::StatementBody> Transformer::TransformRemoval(
    Grammar::PlainStatementContext* tree) {
  if (auto* drop = dynamic_cast<Grammar::DropSourceContext*>(tree)) {
    return ast::DropSource{.kind = TransformSourceKind(drop->sourceKind()),
                           .if_exists = drop->ifExists() != nullptr,
                           .name = TransformName(drop->identifier()),
                           .delete_topic = drop->K_DELETE() != nullptr};
  }
  if (auto* drop = dynamic_cast<Grammar::DropTypeContext*>(tree)) {
    return ast::DropType{.if_exists = drop->ifExists() != nullptr,
                         .name = TransformName(drop->identifier())};
  }
  if (auto* drop = dynamic_cast<Grammar::DropConnectorContext*>(tree)) {
    return ast::DropConnector{.if_exists = drop->ifExists() != nullptr,
                              .name = TransformName(drop->identifier())};
  }
  if (auto* drop = dynamic_cast<Grammar::DropPipelineContext*>(tree)) {
    return ast::DropPipeline{.if_exists = drop->ifExists() != nullptr,
                             .name = TransformName(drop->identifier())};
  }
  if (auto* erase = dynamic_cast<Grammar::DeleteFromContext*>(tree)) {
    ast::DeleteFrom out{.table = TransformName(erase->identifier())};
    if (erase->condition != nullptr) out.where = TransformExpression(erase->condition);
    return out;
  }
  return std::nullopt;
}

ast::StatementBody Transformer::TransformCreate(Grammar::CreateSourceContext* tree) {
  if (tree->query() == nullptr) {
    ast::CreateSource out{.kind = TransformSourceKind(tree->sourceKind()),
                          .or_replace = tree->orReplace() != nullptr,
                          .read_only = tree->K_SOURCE() != nullptr,
                          .if_not_exists = tree->ifNotExists() != nullptr,
                          .name = TransformName(tree->identifier())};
    out.has_column_list = tree->columnDefinitions() != nullptr;
    if (out.has_column_list) out.columns = TransformColumns(tree->columnDefinitions());
    if (tree->withProperties() != nullptr) {
      out.properties = TransformProperties(tree->withProperties());
    }
    return out;
  }
  if (tree->K_SOURCE() != nullptr) {
    Fail(Place(tree->K_SOURCE()->getSymbol()), ErrorCode::kSyntax,
         "SOURCE marks a read-only source, and a query cannot make one", "leave SOURCE out");
  }
  if (tree->columnDefinitions() != nullptr) {
    Fail(Place(tree->columnDefinitions()), ErrorCode::kSyntax,
         "the columns of a source made by a query are those of its SELECT",
         "leave the list out, and name columns by AS");
  }
  ast::CreateAsSelect out{.kind = TransformSourceKind(tree->sourceKind()),
                          .or_replace = tree->orReplace() != nullptr,
                          .if_not_exists = tree->ifNotExists() != nullptr,
                          .name = TransformName(tree->identifier())};
  if (tree->withProperties() != nullptr) {
    out.properties = TransformProperties(tree->withProperties());
  }
  out.query = TransformQuery(tree->query());
  return out;
}

ast::StatementBody Transformer::TransformInsertValues(Grammar::InsertValuesContext* tree) {
  ast::InsertValues out{.target = TransformName(tree->identifier()),
                        .columns = TransformNames(tree->identifierList())};
  for (Grammar::ValueRowContext* row : tree->valueRow()) out.rows.push_back(TransformRow(row));
  return out;
}

std::vector<ast::ColumnDefinition> Transformer::TransformColumns(
    Grammar::ColumnDefinitionsContext* tree) {
  std::vector<ast::ColumnDefinition> out;
  for (Grammar::ColumnDefinitionContext* column : tree->columnDefinition()) {
    out.push_back(TransformColumn(column));
  }
  return out;
}

ast::ColumnDefinition Transformer::TransformColumn(Grammar::ColumnDefinitionContext* tree) {
  ast::ColumnDefinition out{.name = TransformName(tree->identifier()),
                            .type = TransformType(tree->type()),
                            .position = Place(tree)};
  Grammar::ColumnRoleContext* role = tree->columnRole();
  if (role == nullptr) return out;
  if (role->K_KEY() != nullptr) {
    out.role = role->K_PRIMARY() != nullptr ? ast::ColumnRole::kPrimaryKey : ast::ColumnRole::kKey;
  } else if (role->K_HEADERS() != nullptr) {
    out.role = ast::ColumnRole::kHeaders;
  } else {
    out.role = ast::ColumnRole::kHeader;
    out.header = TransformString(role->STRING());
  }
  return out;
}

ast::Properties Transformer::TransformProperties(Grammar::WithPropertiesContext* tree) {
  ast::Properties out;
  for (Grammar::PropertyContext* each : tree->property()) {
    ast::Property property;
    Grammar::PropertyNameContext* name = each->propertyName();
    property.position = Place(name);
    if (name->STRING() != nullptr) property.spelling = TransformString(name->STRING());
    for (Grammar::PropertyPartContext* part : name->propertyPart()) {
      if (!property.spelling.empty()) property.spelling += '.';
      property.spelling += part->word != nullptr ? part->word->getText()
                                                 : TransformName(part->identifier()).spelling;
    }
    property.name = FoldName(property.spelling);
    Grammar::PropertyValueContext* value = each->propertyValue();
    property.value_position = Place(value);
    if (value->number() != nullptr) {
      const bool negative = value->sign != nullptr && value->sign->getType() == Grammar::MINUS;
      property.value = TransformNumber(value->number(), negative);
    } else {
      property.value = TransformLiteral(value->literal());
    }
    out.push_back(std::move(property));
  }
  return out;
}

}  // namespace weir::transform
