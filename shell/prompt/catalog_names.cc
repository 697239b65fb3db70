#include "shell/prompt/catalog_names.h"

#include <utility>

namespace weir::shell {
namespace {

/// The first column of what a SHOW gives; nothing where it fails.
std::vector<std::string> FirstColumn(Engine& engine, std::string_view statement) {
  std::vector<std::string> names;
  const auto shown = engine.Execute(statement);
  if (!shown.ok() || shown->empty() || shown->front().rows == nullptr) return names;
  const Batch& rows = *shown->front().rows;
  for (int32_t row = 0; row < rows.row_count(); ++row) {
    names.push_back(rows.column(0).ToText(row));
  }
  return names;
}

std::vector<std::string> ListOf(Engine& engine, NameList list) {
  switch (list) {
    case NameList::kTopics: return FirstColumn(engine, "SHOW TOPICS");
    case NameList::kFunctions: return FirstColumn(engine, "SHOW FUNCTIONS");
    case NameList::kSettings: return FirstColumn(engine, "SHOW PROPERTIES");
    case NameList::kQueries: break;
  }
  std::vector<std::string> ids;
  for (QueryMetrics& query : engine.Metrics().queries) ids.push_back(std::move(query.query_id));
  return ids;
}

}  // namespace

CompletionNames NamesOf(Engine& engine) {
  CompletionNames names;
  for (const SourceInfo& source : engine.Sources()) {
    SourceNames& added = names.sources.emplace_back(SourceNames{source.name, {}});
    if (source.schema == nullptr) continue;
    for (const ColumnSchema& column : source.schema->columns) added.columns.push_back(column.name);
  }
  names.list = [&engine](NameList list) { return ListOf(engine, list); };
  names.files = &FilesThatBegin;
  return names;
}

}  // namespace weir::shell
