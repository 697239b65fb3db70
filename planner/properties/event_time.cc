#include "planner/properties/event_time.h"

#include <vector>

#include "parser/source_text.h"
#include "planner/catalog/near_names.h"

namespace weir {

std::string FoldPropertyName(std::string_view text) {
  if (text.size() >= 2 && (text.front() == '`' || text.front() == '"') &&
      text.back() == text.front()) {
    return std::string(text.substr(1, text.size() - 2));
  }
  return FoldName(text);
}

Result<std::optional<int>> ReadTimeColumn(const WithProperties& with, const Schema& schema) {
  const std::optional<std::string> text = with.Text("TIMESTAMP");
  const bool has_format = with.Has("TIMESTAMP_FORMAT");
  if (!text) {
    if (has_format) {
      return InvalidProperty("TIMESTAMP_FORMAT needs TIMESTAMP, the column that it describes",
                             with.PositionOf("TIMESTAMP_FORMAT"));
    }
    return std::optional<int>();
  }
  const std::string name = FoldPropertyName(*text);
  const int column = schema.Find(name);
  if (column < 0) {
    std::vector<std::string> names;
    for (const ColumnSchema& known : schema.columns) names.push_back(known.name);
    return InvalidProperty("the TIMESTAMP column does not exist: " + name,
                           with.PositionOf("TIMESTAMP"))
        .WithHint(DidYouMean(name, names));
  }
  const DataType& type = schema.columns[column].type;
  const bool fits = type.is(TypeKind::kString)
                        ? has_format
                        : (type.is(TypeKind::kBigint) || type.is(TypeKind::kTimestamp));
  if (!fits) {
    return InvalidProperty(
        "the TIMESTAMP column is BIGINT, TIMESTAMP, or STRING with a "
        "TIMESTAMP_FORMAT, and " +
            name + " is " + type.ToString(),
        with.PositionOf("TIMESTAMP"));
  }
  if (has_format && !type.is(TypeKind::kString)) {
    return InvalidProperty(
        "TIMESTAMP_FORMAT describes STRING columns, and " + name + " is " + type.ToString(),
        with.PositionOf("TIMESTAMP_FORMAT"));
  }
  return std::optional<int>(column);
}

}  // namespace weir
