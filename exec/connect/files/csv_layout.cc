#include "exec/connect/files/csv_layout.h"

#include <cstring>
#include <unordered_map>

#include "base/file_ending.h"
#include "base/status_macros.h"
#include "exec/formats/delimited_format.h"
#include "exec/formats/infer_columns.h"
#include "exec/formats/quoted_field.h"

namespace weir {
namespace {

std::string Join(const std::vector<std::string>& names) {
  std::string joined;
  for (const std::string& name : names) joined += (joined.empty() ? "" : ", ") + name;
  return joined;
}

/// The field of the column: by the name that is found for it, by the header's own, or by the
/// header's name as it would be a column's.
class FieldFinder {
 public:
  explicit FieldFinder(const std::vector<std::string>& names) {
    const std::vector<std::string> found = HeaderColumnNames(names);
    for (size_t i = 0; i < names.size(); ++i) by_found_name_.emplace(found[i], i);
    for (size_t i = 0; i < names.size(); ++i) by_name_.emplace(names[i], i);
    for (size_t i = 0; i < names.size(); ++i) by_folded_name_.emplace(ColumnNameOf(names[i]), i);
  }
  int Find(const std::string& column) const {
    for (const auto* fields : {&by_found_name_, &by_name_}) {
      if (const auto field = fields->find(column); field != fields->end()) {
        return static_cast<int>(field->second);
      }
    }
    const auto field = by_folded_name_.find(ColumnNameOf(column));
    return field == by_folded_name_.end() ? -1 : static_cast<int>(field->second);
  }

 private:
  std::unordered_map<std::string, size_t> by_found_name_, by_name_, by_folded_name_;
};

bool IsQuoted(std::string_view field) { return field.starts_with('"'); }

void AppendQuoted(std::string_view text, BufferBuilder& out) {
  out.AppendValue('"');
  for (char c : text) {
    if (c == '"') out.AppendValue(c);
    out.AppendValue(c);
  }
  out.AppendValue('"');
}

}  // namespace

const char* SplitRawFields(std::string_view row, char delimiter,
                           std::vector<std::string_view>& out) {
  out.clear();
  const char* at = row.data();
  const char* const end = at + row.size();
  while (true) {
    const char* const begin = at;
    if (at < end && *at == '"') {
      const QuotedField field = FindQuotedEnd(at, end, delimiter);
      if (const char* fault = QuoteFault(field.end)) return fault;
      // A line end behind a closed field would end the row.
      at = field.after;
    } else {
      const void* found =
          at < end ? std::memchr(at, delimiter, static_cast<size_t>(end - at)) : nullptr;
      at = found == nullptr ? end : static_cast<const char*>(found);
    }
    out.emplace_back(begin, static_cast<size_t>(at - begin));
    if (at == end) return nullptr;
    ++at;
  }
}

Result<char> FileDelimiter(const ConnectorSpec& spec) {
  const FormatSpec format = ConnectorFormat(spec, false, "DELIMITED");
  const std::string path = ConnectorText(spec, "PATH", "");
  if (!format.properties.contains("DELIMITER") && IsTabSeparated(path)) return '\t';
  return DelimiterOf(format);
}

Result<std::vector<std::string>> HeaderNames(std::string_view header, char delimiter) {
  std::vector<std::string> names;
  if (header.empty()) return names;
  DelimitedLine fields(header, delimiter);
  std::string_view text;
  while (fields.Next(text)) names.emplace_back(text);
  if (fields.error() != nullptr) {
    return Status(ErrorCode::kBadRecord,
                  std::string("the file's header line cannot be read: ") + fields.error());
  }
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
  WEIR_ASSIGN_OR_RETURN(const std::vector<std::string> names, HeaderNames(header, file_delimiter));
  const FieldFinder finder(names);
  layout.field_count_ = static_cast<int>(header.empty() ? spec.columns.size() : names.size());
  std::string key_fields;
  for (size_t i = 0; i < spec.columns.size(); ++i) {
    const ColumnSchema& column = spec.columns[i];
    const int field = header.empty() ? static_cast<int>(i) : finder.Find(column.name);
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
      {kDelimitedNull, layout.null_text_},
      {kDelimitedFile, "TRUE"}};
  return layout;
}

std::string CsvLayout::Rewrite(std::string_view line, BufferBuilder& out) {
  const char* fault = SplitRawFields(line, file_delimiter_, fields_);
  if (fault != nullptr || fields_.size() != static_cast<size_t>(field_count_)) {
    out.Append(line.data(), line.size());
    // By chance it may have as many fields as there are value columns.
    if (file_delimiter_ != decoder_delimiter_ || fields_.size() == value_fields_.size()) {
      for (size_t i = 0; i <= value_fields_.size(); ++i) out.AppendValue(decoder_delimiter_);
    }
    if (fault != nullptr) return fault;
    return "the line has " + std::to_string(fields_.size()) + " fields where there should be " +
           std::to_string(field_count_);
  }
  for (size_t i = 0; i < value_fields_.size(); ++i) {
    if (i != 0) out.AppendValue(decoder_delimiter_);
    const std::string_view field = fields_[static_cast<size_t>(value_fields_[i])];
    if (!null_text_.empty() && field == null_text_) continue;
    if (IsQuoted(field) || field.find(decoder_delimiter_) == std::string_view::npos) {
      out.Append(field.data(), field.size());
    } else {
      AppendQuoted(field, out);
    }
  }
  return {};
}

}  // namespace weir
