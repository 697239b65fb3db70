// Records out of CSV rows and NDJSON lines.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>

#include "base/status_macros.h"
#include "parser/source_text.h"
#include "shell/load/field_text.h"
#include "shell/load/json_fields.h"
#include "shell/load/load.h"
#include "shell/render/json_text.h"
#include "weir/file_rows.h"

namespace weir::shell {
namespace {

/// Kafka's serializers write numbers big-endian.
template <typename T>
std::string BigEndian(T value) {
  const auto bits = std::bit_cast<std::array<unsigned char, sizeof(T)>>(value);
  return {bits.rbegin(), bits.rend()};
}

template <typename T>
std::optional<std::string> NumberKey(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return BigEndian(value);
}

/// The bytes of a key of one column; nothing if the text is not a number of the format.
std::optional<std::string> KeyBytes(KeyFormat format, std::string_view text) {
  switch (format) {
    case KeyFormat::kInt: return NumberKey<int32_t>(text);
    case KeyFormat::kBigint: return NumberKey<int64_t>(text);
    case KeyFormat::kDouble: return NumberKey<double>(text);
    case KeyFormat::kByColumns:
    case KeyFormat::kText:
    case KeyFormat::kSchema:
    case KeyFormat::kObject: break;
  }
  return std::string(text);
}

KeyFormat ResolveKeyFormat(const LoadOptions& options) {
  if (options.key_format != KeyFormat::kByColumns) return options.key_format;
  return options.key.size() == 1 ? KeyFormat::kText : KeyFormat::kObject;
}

Status KeyError(const LoadOptions& options, int64_t line, std::string_view text) {
  return Status(ErrorCode::kBadRecord,
                fmt::format("a key is not a number of the key format, in {} line {}: {}",
                            options.file, line, text));
}

Status TimeError(const LoadOptions& options, int64_t line, std::string_view text) {
  return Status(ErrorCode::kBadRecord,
                fmt::format("a time cannot be read, in {} line {}: {}", options.file, line, text))
      .WithHint(
          "times are 2020-07-01 00:25:32 (UTC), 2020-07-01T00:25:32+02:00 or epoch "
          "milliseconds");
}

/// A field of a CSV as it stands in one; no data is a null.
void AppendCsvField(std::string_view text, std::string* out) {
  if (text.data() == nullptr) return;
  const bool plain = !text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos;
  if (plain) {
    out->append(text);
    return;
  }
  *out += '"';
  for (const char c : text) {
    if (c == '"') *out += '"';
    *out += c;
  }
  *out += '"';
}

std::vector<std::string> ChoiceNames(const std::vector<ColumnChoice>& choices) {
  std::vector<std::string> names;
  for (const ColumnChoice& choice : choices) names.push_back(choice.name);
  return names;
}

bool EqualsWithoutCase(std::string_view a, std::string_view b) {
  return FoldName(a) == FoldName(b);
}

class CsvRecords : public RecordSource {
 public:
  CsvRecords(const LoadOptions& options, std::unique_ptr<FileRows> rows)
      : options_(options),
        key_format_(ResolveKeyFormat(options)),
        rows_(std::move(rows)),
        header_(rows_->names()) {}

  Status Open() {
    columns_ = options_.columns;
    if (columns_.empty()) {
      for (const std::string& name : header_) columns_.push_back({name, name});
    }
    WEIR_ASSIGN_OR_RETURN(value_, Bind(columns_));
    WEIR_ASSIGN_OR_RETURN(key_, Bind(options_.key));
    if (!options_.timestamp_column.empty()) {
      WEIR_ASSIGN_OR_RETURN(timestamp_, Find(options_.timestamp_column));
    }
    return OkStatus();
  }

  Result<bool> Next(Record* record) override {
    WEIR_ASSIGN_OR_RETURN(const bool any, rows_->Next());
    if (!any) return false;
    const std::vector<std::string_view>& fields = rows_->fields();
    if (!record->value) record->value.emplace();
    if (options_.output_format.empty()) {
      WriteObject(value_, &*record->value);
    } else {
      WriteFields(value_, &*record->value);
    }
    WEIR_RETURN_IF_ERROR(SetKey(record));
    record->timestamp_ms.reset();
    if (timestamp_ >= 0) {
      const std::string_view text = fields[static_cast<size_t>(timestamp_)];
      record->timestamp_ms = ParseTimestampMs(text);
      if (!record->timestamp_ms) return TimeError(options_, rows_->line(), text);
    }
    return true;
  }

  int64_t line() const override { return rows_->line(); }
  std::vector<std::string> FieldNames(bool is_key) const override {
    return ChoiceNames(is_key ? options_.key : columns_);
  }

 private:
  struct BoundColumn {
    size_t field = 0;
    std::string prefix;  ///< `"name":`.
  };

  Result<int> Find(std::string_view name) const {
    for (size_t i = 0; i < header_.size(); ++i) {
      if (header_[i] == name) return static_cast<int>(i);
    }
    for (size_t i = 0; i < header_.size(); ++i) {
      if (EqualsWithoutCase(header_[i], name)) return static_cast<int>(i);
    }
    return Status(ErrorCode::kUnknownColumn,
                  fmt::format("{} has no such column: {}", options_.file, name))
        .WithHint(fmt::format("its columns are {}", fmt::join(header_, ", ")));
  }

  Result<std::vector<BoundColumn>> Bind(const std::vector<ColumnChoice>& choices) const {
    std::vector<BoundColumn> bound;
    for (const ColumnChoice& choice : choices) {
      WEIR_ASSIGN_OR_RETURN(const int field, Find(choice.column));
      bound.push_back({static_cast<size_t>(field), JsonString(choice.name) + ":"});
    }
    return bound;
  }

  void WriteObject(const std::vector<BoundColumn>& columns, std::string* out) const {
    *out = "{";
    for (const BoundColumn& column : columns) {
      if (out->size() > 1) *out += ',';
      *out += column.prefix;
      AppendFieldAsJson(rows_->fields()[column.field], out);
    }
    *out += '}';
  }

  void WriteFields(const std::vector<BoundColumn>& columns, std::string* out) const {
    out->clear();
    for (const BoundColumn& column : columns) {
      if (&column != columns.data()) *out += ',';
      AppendCsvField(rows_->fields()[column.field], out);
    }
  }

  Status SetKey(Record* record) const {
    if (key_.empty()) {
      record->key.reset();
      return OkStatus();
    }
    if (key_format_ == KeyFormat::kSchema) {
      if (!record->key) record->key.emplace();
      WriteFields(key_, &*record->key);
      return OkStatus();
    }
    if (key_format_ == KeyFormat::kObject) {
      if (!record->key) record->key.emplace();
      WriteObject(key_, &*record->key);
      return OkStatus();
    }
    const std::string_view text = rows_->fields()[key_[0].field];
    record->key.reset();
    if (text.data() == nullptr) return OkStatus();
    record->key = KeyBytes(key_format_, text);
    return record->key ? OkStatus() : KeyError(options_, rows_->line(), text);
  }

  const LoadOptions& options_;
  const KeyFormat key_format_;
  const std::unique_ptr<FileRows> rows_;
  const std::vector<std::string>& header_;
  std::vector<ColumnChoice> columns_;
  std::vector<BoundColumn> value_;
  std::vector<BoundColumn> key_;
  int timestamp_ = -1;
};

class JsonRecords : public RecordSource {
 public:
  JsonRecords(const LoadOptions& options, std::unique_ptr<FileRows> rows)
      : options_(options), key_format_(ResolveKeyFormat(options)), rows_(std::move(rows)) {}

  Result<bool> Next(Record* record) override {
    do {
      WEIR_ASSIGN_OR_RETURN(const bool any, rows_->Next());
      if (!any) return false;
      line_ = rows_->text();
    } while (line_.find_first_not_of(" \t") == std::string_view::npos);
    record->value = std::string(line_);
    WEIR_RETURN_IF_ERROR(SetKey(record));
    record->timestamp_ms.reset();
    if (!options_.timestamp_column.empty()) {
      const auto raw = FindJsonField(line_, options_.timestamp_column);
      const auto text = raw ? JsonValueText(*raw) : std::nullopt;
      if (text) record->timestamp_ms = ParseTimestampMs(*text);
      if (!record->timestamp_ms) {
        return TimeError(options_, rows_->line(), text ? *text : options_.timestamp_column);
      }
    }
    return true;
  }

  int64_t line() const override { return rows_->line(); }
  std::vector<std::string> FieldNames(bool) const override { return {}; }

 private:
  Status SetKey(Record* record) const {
    record->key.reset();
    if (options_.key.empty()) return OkStatus();
    if (key_format_ == KeyFormat::kObject || key_format_ == KeyFormat::kSchema) {
      std::string key = "{";
      for (const ColumnChoice& choice : options_.key) {
        if (key.size() > 1) key += ',';
        AppendJsonString(choice.name, &key);
        key += ':';
        key += FindJsonField(line_, choice.column).value_or("null");
      }
      record->key = key + "}";
      return OkStatus();
    }
    const auto raw = FindJsonField(line_, options_.key[0].column);
    const auto text = raw ? JsonValueText(*raw) : std::nullopt;
    if (!text) return OkStatus();
    record->key = KeyBytes(key_format_, *text);
    return record->key ? OkStatus() : KeyError(options_, rows_->line(), *text);
  }

  const LoadOptions& options_;
  const KeyFormat key_format_;
  const std::unique_ptr<FileRows> rows_;
  std::string_view line_;
};

FileRows::Format RowsFormat(InputFormat format) {
  switch (format) {
    case InputFormat::kCsv: return FileRows::Format::kDelimited;
    case InputFormat::kJson: return FileRows::Format::kJson;
    case InputFormat::kByName: break;
  }
  return FileRows::Format::kByName;
}

}  // namespace

Result<std::unique_ptr<RecordSource>> MakeRecordSource(const LoadOptions& options, std::istream* in,
                                                       const std::function<bool()>& stopped) {
  const KeyFormat key_format = ResolveKeyFormat(options);
  if (options.key.size() > 1 && key_format != KeyFormat::kObject &&
      key_format != KeyFormat::kSchema) {
    return Status(ErrorCode::kUsage,
                  "a key of several columns can only be a JSON object or have a schema")
        .WithHint("leave --key-format out, or say --key-format json, or avro, protobuf or json_sr");
  }
  if (options.key.empty() && key_format == KeyFormat::kSchema) {
    return Status(ErrorCode::kUsage, "a key format with a schema is given, but no key")
        .WithHint("--key C names the column that makes the key");
  }
  WEIR_ASSIGN_OR_RETURN(std::unique_ptr<FileRows> rows,
                        FileRows::Open({.path = options.file,
                                        .format = RowsFormat(options.input_format),
                                        .input = in,
                                        .stopped = stopped}));
  if (rows->format() == FileRows::Format::kJson) {
    if (!options.columns.empty()) {
      return Status(ErrorCode::kUsage,
                    "--columns is for CSV; lines of JSON are loaded as they are");
    }
    return std::unique_ptr<RecordSource>(std::make_unique<JsonRecords>(options, std::move(rows)));
  }
  auto records = std::make_unique<CsvRecords>(options, std::move(rows));
  WEIR_RETURN_IF_ERROR(records->Open());
  return std::unique_ptr<RecordSource>(std::move(records));
}

}  // namespace weir::shell
