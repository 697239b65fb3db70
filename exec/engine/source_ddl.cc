#include "exec/engine/source_ddl.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "base/letter_case.h"
#include "parser/ast/identifier.h"
#include "parser/ast/printer.h"
#include "planner/catalog/near_names.h"

namespace weir {
namespace {

std::string FormatColumns(const SourceEntry& source) {
  std::string out;
  for (const SourceEntry::SourceColumnEntry& column : source.columns) {
    if (!out.empty()) out += ", ";
    out += fmt::format("{} {}", QuoteIdentifier(column.name), column.type.ToString());
    if (column.is_key) out += source.is_table ? " PRIMARY KEY" : " KEY";
    if (column.header_key) {
      out += fmt::format(" HEADER({})", ast::FormatText(*column.header_key));
    } else if (column.is_headers) {
      out += " HEADERS";
    }
  }
  return out;
}

using Properties = std::vector<std::pair<std::string, std::string>>;

// Each property once: a connector's own say the same as what is resolved from them.
void Add(Properties& with, std::string_view name, std::string_view value) {
  const auto given = [&](std::string_view property) {
    return std::ranges::find(with, property, &Properties::value_type::first) != with.end();
  };
  if (value.empty() || given(name) ||
      ((name == "KEY_FORMAT" || name == "VALUE_FORMAT") && given("FORMAT")))
    return;
  with.emplace_back(name, value);
}

void AddWindow(const SourceEntry& source, Properties& with) {
  switch (source.windowed_key) {
    case physical::WindowKind::kNone: return;
    case physical::WindowKind::kSession: return Add(with, "WINDOW_TYPE", "SESSION");
    case physical::WindowKind::kTumbling:
    case physical::WindowKind::kHopping:
      Add(with, "WINDOW_TYPE",
          source.windowed_key == physical::WindowKind::kTumbling ? "TUMBLING" : "HOPPING");
      Add(with, "WINDOW_SIZE", fmt::format("{} MILLISECONDS", source.window_size_ms));
  }
}

}  // namespace

std::string QuoteIdentifier(std::string_view name) {
  ast::Identifier identifier;
  identifier.name = name;
  return ast::FormatIdentifier(identifier);
}

std::string FormatSourceDdl(const SourceEntry& source) {
  Properties with(source.connector.begin(), source.connector.end());
  if (source.connector.empty()) Add(with, "KAFKA_TOPIC", source.topic);
  Add(with, "KEY_FORMAT", source.key_format.format);
  for (const auto& [name, value] : source.key_format.properties) Add(with, "KEY_" + name, value);
  Add(with, "VALUE_FORMAT", source.value_format.format);
  for (const auto& [name, value] : source.value_format.properties) {
    const bool of_side = name == "DELIMITER" || name.starts_with("SCHEMA_");
    Add(with, of_side ? "VALUE_" + name : name, value);
  }
  if (source.value_format.unwrapped) Add(with, "WRAP_SINGLE_VALUE", "false");
  AddWindow(source, with);
  Add(with, "TIMESTAMP", source.time_column);
  Add(with, "TIMESTAMP_FORMAT", source.time_format);
  if (source.time_source == physical::TimeSource::kAppend) Add(with, "TIMESTAMP_SOURCE", "append");
  if (source.time_source == physical::TimeSource::kProcessing) {
    Add(with, "TIMESTAMP_SOURCE", "processing");
  }
  if (source.on_error == physical::OnError::kNull) Add(with, "ON_ERROR", "NULL");
  if (source.on_error == physical::OnError::kFail) Add(with, "ON_ERROR", "FAIL");
  if (source.on_error == physical::OnError::kDeadLetter) {
    Add(with, "ON_ERROR", source.dead_letter_topic);
  }
  // A connector has all of them as its own when the text has been read back.
  if (!source.connector.empty()) std::ranges::sort(with);
  std::vector<std::string> texts;
  for (const auto& [name, value] : with) {
    texts.push_back(fmt::format("{}={}", ast::FormatPropertyName(name), ast::FormatText(value)));
  }
  return fmt::format("CREATE {}{} {} ({}) WITH ({})", source.read_only ? "SOURCE " : "",
                     source.is_table ? "TABLE" : "STREAM", QuoteIdentifier(source.name),
                     FormatColumns(source), fmt::join(texts, ", "));
}

Status CheckSchemaGrows(const SourceEntry& before, const SourceEntry& after) {
  const std::string hint =
      "a replacement keeps all columns in order and may add value columns at the end; else DROP it "
      "and create it anew";
  auto refuse = [&](std::string what) {
    return Status(ErrorCode::kIncompatibleChange,
                  fmt::format("{} cannot be replaced: {}", before.name, what))
        .WithHint(hint);
  };
  if (before.is_table != after.is_table) return refuse("a stream is not a table");
  if (before.topic != after.topic) return refuse("its topic would change");
  if (before.key_format.format != after.key_format.format) return refuse("its key format differs");
  if (before.value_format.format != after.value_format.format) {
    return refuse("its value format differs");
  }
  for (size_t i = 0; i < before.columns.size(); ++i) {
    const auto& old = before.columns[i];
    const bool kept = i < after.columns.size() && after.columns[i].name == old.name &&
                      after.columns[i].type == old.type && after.columns[i].is_key == old.is_key;
    if (!kept) return refuse(fmt::format("column {} is missing or differs", old.name));
  }
  for (size_t i = before.columns.size(); i < after.columns.size(); ++i) {
    if (after.columns[i].is_key) {
      return refuse(fmt::format("key column {} would be added", after.columns[i].name));
    }
  }
  return OkStatus();
}

Status UnknownSource(std::string_view name, const std::vector<std::string>& names) {
  std::string hint = DidYouMean(name, names);
  if (hint.empty())
    hint = names.empty() ? "nothing has been created yet"
                         : fmt::format("there are: {}", ListNames(names));
  return Status(ErrorCode::kUnknownSource, fmt::format("unknown stream or table: {}", name))
      .WithHint(std::move(hint));
}

bool FoldsTo(std::string_view text, std::string_view wanted) {
  return EqualIgnoringCase(text, wanted);
}

}  // namespace weir
