#include "planner/catalog/catalog.h"

#include <algorithm>
#include <utility>

namespace weir {
namespace {

template <typename T>
const T* FindIn(const std::map<std::string, T, std::less<>>& map, std::string_view name) {
  const auto it = map.find(name);
  return it == map.end() ? nullptr : &it->second;
}

template <typename T>
void EraseFrom(std::map<std::string, T, std::less<>>& map, std::string_view name) {
  const auto it = map.find(name);
  if (it != map.end()) map.erase(it);
}

}  // namespace

Schema SourceEntry::ToSchema() const {
  Schema schema;
  for (const SourceColumnEntry& column : columns) {
    schema.columns.push_back({column.name, column.type, column.is_key});
  }
  return schema;
}

const SourceEntry* Catalog::FindSource(std::string_view name) const {
  return FindIn(sources_, name);
}
const QueryEntry* Catalog::FindQuery(std::string_view id) const { return FindIn(queries_, id); }
const DataType* Catalog::FindType(std::string_view name) const { return FindIn(types_, name); }

void Catalog::PutSource(SourceEntry entry) {
  std::string name = entry.name;
  sources_.insert_or_assign(std::move(name), std::move(entry));
}
void Catalog::PutQuery(QueryEntry entry) {
  std::string id = entry.id;
  queries_.insert_or_assign(std::move(id), std::move(entry));
}
void Catalog::PutType(std::string name, DataType type) {
  types_.insert_or_assign(std::move(name), std::move(type));
}
void Catalog::RemoveSource(std::string_view name) { EraseFrom(sources_, name); }
void Catalog::RemoveQuery(std::string_view id) { EraseFrom(queries_, id); }
void Catalog::RemoveType(std::string_view name) { EraseFrom(types_, name); }

const Status* Catalog::FindBroken(std::string_view name) const { return FindIn(broken_, name); }
void Catalog::PutBroken(std::string name, Status cause) {
  broken_.insert_or_assign(std::move(name), std::move(cause));
}
void Catalog::RemoveBroken(std::string_view name) { EraseFrom(broken_, name); }

std::vector<const QueryEntry*> Catalog::QueriesReading(std::string_view source) const {
  std::vector<const QueryEntry*> found;
  for (const auto& [id, query] : queries_) {
    if (std::ranges::find(query.reads, source) != query.reads.end()) found.push_back(&query);
  }
  return found;
}

std::vector<const QueryEntry*> Catalog::QueriesWriting(std::string_view source) const {
  std::vector<const QueryEntry*> found;
  for (const auto& [id, query] : queries_) {
    if (query.sink == source) found.push_back(&query);
  }
  return found;
}

}  // namespace weir
