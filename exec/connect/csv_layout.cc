#include "exec/connect/csv_layout.h"

#include <algorithm>

#include "exec/formats/delimited_format.h"
#include "exec/formats/infer_columns.h"

namespace weir {
namespace {

std::string Join(const std::vector<std::string>& names) {
  std::string joined;
  for (const std::string& name : names) joined += (joined.empty() ? "" : ", ") + name;
  return joined;
}

/// The field named like the column: exactly, or as the header's name becomes a column's.
int FindField(const std::vector<std::string>& names, const std::string& column) {
  const auto exact = std::find(names.begin(), names.end(), column);
  if (exact != names.end()) return static_cast<int>(exact - names.begin());
  const std::string wanted = ColumnNameOf(column);
  const auto folded = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
    return ColumnNameOf(name) == wanted;
  });
  return folded == names.end() ? -1 : static_cast<int>(folded - names.begin());
}

bool IsQuoted(std::string_view field) { return field.starts_with('"'); }

}  // namespace

bool SplitRawFields(std::string_view line, char delimiter, std::vector<std::string_view>& out) {
  out.clear();
  size_t at = 0;
  while (true) {
    const size_t begin = at;
    if (at < line.size() && line[at] == '"') {
      // Doubled quotes close and open again.
      do {
        at = line.find('"', at + 1);
        if (at == std::string_view::npos) return false;
        ++at;
      } while (at < line.size() && line[at] == '"');
    }
    at = std::min(line.find(delimiter, at), line.size());
    out.push_back(line.substr(begin, at - begin));
    if (at == line.size()) return true;
    ++at;
  }
}

Result<char> FileDelimiter(const ConnectorSpec& spec) {
  const FormatSpec format = ConnectorFormat(spec, false, "DELIMITED");
  const std::string path = ConnectorText(spec, "PATH", "");
  if (!format.properties.contains("DELIMITER") && path.ends_with(".tsv")) return '\t';
  return DelimiterOf(format);
}

std::vector<std::string> HeaderNames(std::string_view header, char delimiter) {
  std::vector<std::string> names;
  DelimitedLine fields(header, delimiter);
  std::string_view text;
  while (fields.Next(text)) names.emplace_back(text);
  return names;
}

Result<CsvLayout> CsvLayout::Make(const ConnectorSpec& spec, char file_delimiter,
                                  std::string_view header) {
  CsvLayout layout;
  layout.file_delimiter_ = file_delimiter;
  auto decoder_delimiter = DelimiterOf(ConnectorFormat(spec, false, "DELIMITED"));
  if (!decoder_delimiter.ok()) return decoder_delimiter.status();
  layout.decoder_delimiter_ = *decoder_delimiter;
  layout.null_text_ = ConnectorText(spec, "NULL", "");
  const std::vector<std::string> names = HeaderNames(header, file_delimiter);
  layout.field_count_ = static_cast<int>(header.empty() ? spec.columns.size() : names.size());
  std::string key_fields;
  for (size_t i = 0; i < spec.columns.size(); ++i) {
    const ColumnSchema& column = spec.columns[i];
    const int field = header.empty() ? static_cast<int>(i) : FindField(names, column.name);
    if (field < 0) {
      return Status(ErrorCode::kInvalidProperty,
                    "the file has no field for the column: " + column.name)
          .WithHint("its header names " + Join(names) + "; HEADER = 'false' takes fields in the " +
                    "order of the columns");
    }
    if (column.is_key) {
      key_fields += (key_fields.empty() ? "" : ",") + std::to_string(field);
    } else {
      layout.value_fields_.push_back(field);
    }
  }
  layout.rewrites_ = file_delimiter != layout.decoder_delimiter_ || !layout.null_text_.empty() ||
                     layout.value_fields_.size() != static_cast<size_t>(layout.field_count_);
  for (size_t i = 0; i < layout.value_fields_.size(); ++i) {
    layout.rewrites_ |= layout.value_fields_[i] != static_cast<int>(i);
  }
  layout.key_reader_.name = "DELIMITED";
  layout.key_reader_.properties = {
      {"DELIMITER", file_delimiter == '\t'  ? "TAB"
                    : file_delimiter == ' ' ? "SPACE"
                                            : std::string(1, file_delimiter)},
      {kDelimitedFields, key_fields},
      {kDelimitedFieldCount, std::to_string(layout.field_count_)},
      {kDelimitedNull, layout.null_text_}};
  return layout;
}

void CsvLayout::Rewrite(std::string_view line, BufferBuilder& out) {
  if (!SplitRawFields(line, file_delimiter_, fields_) ||
      fields_.size() != static_cast<size_t>(field_count_)) {
    out.Append(line.data(), line.size());
    // By chance it may have as many fields as there are value columns.
    if (file_delimiter_ != decoder_delimiter_ || fields_.size() == value_fields_.size()) {
      for (size_t i = 0; i <= value_fields_.size(); ++i) out.AppendValue(decoder_delimiter_);
    }
    return;
  }
  for (size_t i = 0; i < value_fields_.size(); ++i) {
    if (i != 0) out.AppendValue(decoder_delimiter_);
    const std::string_view field = fields_[static_cast<size_t>(value_fields_[i])];
    if (!null_text_.empty() && field == null_text_) continue;
    const bool quote = !IsQuoted(field) && field.find(decoder_delimiter_) != std::string_view::npos;
    if (quote) out.AppendValue('"');
    out.Append(field.data(), field.size());
    if (quote) out.AppendValue('"');
  }
}

}  // namespace weir
