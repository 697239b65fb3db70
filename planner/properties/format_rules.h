#pragma once

// Formats of keys and values as statements name them: which exist, which properties they take, and
// which columns they can hold.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planner/physical/nodes.h"
#include "planner/properties/with_properties.h"
#include "weir/status.h"
#include "weir/types.h"

namespace weir {

/// Formats named by WITH, before defaults. Upper case.
struct NamedFormats {
  std::optional<std::string> key;
  std::optional<std::string> value;
};

/// FORMAT, or KEY_FORMAT and VALUE_FORMAT. kInvalidProperty for unknown names and both together,
/// kUnsupported for the formats that Weir lacks.
Result<NamedFormats> ReadFormats(const WithProperties& with);

/// kUnsupported for the dialect's formats that are not built, kInvalidProperty for unknown ones.
Result<std::string> CheckFormatName(std::string_view name, SourcePosition position);

/// The value format of a connector's file by its PATH; JSON for anything but tables of text.
std::string ExtensionFormat(const std::map<std::string, std::string>& connector);

/// kInvalidStatement where a stream, a table or a result has more columns than limits::kColumnsMax.
Status CheckColumnCount(size_t count, SourcePosition position);

/// One side's format with its properties: delimiter, wrapping, STRICT.JSON. `columns` are those of
/// the side, `default_wrap` is ksql.persistence.wrap.single.values.
Result<physical::SideFormat> ResolveSide(bool is_key, const std::string& format,
                                         const WithProperties& with,
                                         const std::vector<ColumnSchema>& columns,
                                         std::optional<bool> default_wrap);

/// kFormatMismatch if the format cannot hold the columns; kInvalidKey for MAPs in keys.
Status CheckFormatColumns(bool is_key, const physical::SideFormat& format,
                          const std::vector<ColumnSchema>& columns);

}  // namespace weir
