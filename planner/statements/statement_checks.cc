#include "planner/statements/statement_checks.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "base/limits.h"
#include "planner/catalog/near_names.h"

namespace weir {

Status CheckTopicName(std::string_view topic, SourcePosition position) {
  const bool valid = !topic.empty() && topic.size() <= limits::kTopicNameBytesMax && topic != "." &&
                     topic != ".." && std::ranges::all_of(topic, [](unsigned char c) {
                       return std::isalnum(c) || c == '.' || c == '_' || c == '-';
                     });
  if (valid) return OkStatus();
  return InvalidProperty("not a topic's name: '" + std::string(topic) + "'", position)
      .WithHint("letters, digits, '.', '_' and '-', at most 249 of them");
}

Status CheckPartitions(const WithProperties& with) {
  for (std::string_view name : {"PARTITIONS", "REPLICAS"}) {
    const std::optional<int64_t> count = with.Integer(name);
    if (count && (*count < 1 || *count > 100'000)) {
      // ksqlDB takes -1 as the broker's default.
      if (name == "REPLICAS" && *count == -1) continue;
      return InvalidProperty(std::string(name) + " is at least 1, not " + std::to_string(*count),
                             with.PositionOf(name));
    }
  }
  return OkStatus();
}

int32_t ExistingPartitions(const PlannerContext& context, std::string_view topic) {
  if (!context.topic_partitions) return 0;
  return context.topic_partitions(topic).value_or(0);
}

Status CheckDeclaredPartitions(const PlannerContext& context, const WithProperties& with,
                               const std::string& topic, int32_t existing) {
  const int64_t wanted = with.Integer("PARTITIONS").value_or(existing);
  if (existing == 0 || wanted == existing || !context.sql_extensions) return OkStatus();
  return InvalidProperty("topic " + topic + " exists with " + std::to_string(existing) +
                             " partitions, not " + std::to_string(wanted),
                         with.PositionOf("PARTITIONS"));
}

Result<const SourceEntry*> FindSourceOrError(const Catalog& catalog, const ast::Identifier& name) {
  if (const SourceEntry* found = catalog.FindSource(name.name)) return found;
  if (const Status* cause = catalog.FindBroken(name.name)) {
    return Status(ErrorCode::kQueryFailed, name.name + " is in ERROR: " + cause->message())
        .At(name.position)
        .WithHint(cause->hint());
  }
  constexpr size_t kNamesShown = 10;
  std::vector<std::string> names;
  for (const auto& [known, entry] : catalog.sources()) names.push_back(known);
  std::string hint;
  for (const auto& [known, entry] : catalog.sources()) {
    const bool has = std::ranges::any_of(
        entry.columns, [&](const auto& column) { return column.name == name.name; });
    if (hint.empty() && has) hint = name.name + " is a column of " + known;
  }
  if (hint.empty()) hint = DidYouMean(name.name, names);
  if (hint.empty() && names.empty()) {
    hint = "there is none yet: CREATE STREAM name WITH (CONNECTOR='file', PATH='…') reads a file";
  } else if (hint.empty()) {
    const bool all = names.size() <= kNamesShown;
    names.resize(std::min(names.size(), kNamesShown));
    hint = "there are " + ListNames(names) + (all ? "" : " and others");
  }
  return Status(ErrorCode::kUnknownSource, "unknown stream or table: " + name.name)
      .At(name.position)
      .WithHint(std::move(hint));
}

Status CheckFreeName(const SourceEntry* existing, const SourceEntry& wanted, bool may_exist) {
  if (existing == nullptr || existing->sql == wanted.sql || existing->written == wanted.sql) {
    return OkStatus();
  }
  // Of a file's stream that an earlier version made nobody knows how it was written: the engine
  // compares what comes of both.
  if (!existing->connector.empty() && existing->created_by_query.empty() &&
      existing->written.empty()) {
    return OkStatus();
  }
  if (may_exist && existing->is_table == wanted.is_table) return OkStatus();
  const std::string kind = existing->is_table ? "table" : "stream";
  Status status(ErrorCode::kAlreadyExists,
                "a " + kind + " of this name exists and differs: " + wanted.name);
  if (existing->is_table != wanted.is_table) return status;
  return std::move(status).WithHint("CREATE OR REPLACE replaces it, IF NOT EXISTS keeps it");
}

}  // namespace weir
