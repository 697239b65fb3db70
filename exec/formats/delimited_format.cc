#include "exec/formats/delimited_format.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>

#include "base/decimal.h"
#include "base/number_text.h"
#include "base/time_text.h"
#include "exec/formats/base64.h"
#include "exec/formats/json/json_structure.h"
#include "exec/formats/json/number_scan.h"
#include "exec/formats/quoted_field.h"

namespace weir {
namespace {

bool EqualsIgnoreCase(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

/// A whole number, also written with a fraction of zeros as some files do (1.0).
bool ReadWhole(std::string_view text, int64_t& value) {
  if (ParseIntegerText(text, value)) return true;
  const size_t point = text.find('.');
  return point != std::string_view::npos && point + 1 < text.size() &&
         text.find_first_not_of('0', point + 1) == std::string_view::npos &&
         ParseIntegerText(text.substr(0, point), value);
}

bool AppendInteger(std::string_view text, TypeKind kind, ColumnBuilder& out) {
  int64_t value = 0;
  if (!ReadWhole(TrimBlanks(text), value)) return false;
  if (kind == TypeKind::kBigint || kind == TypeKind::kTimestamp) {
    out.AppendInt64(value);
    return true;
  }
  if (value < std::numeric_limits<int32_t>::min() || value > std::numeric_limits<int32_t>::max()) {
    return false;
  }
  if (kind == TypeKind::kTime && (value < 0 || value >= kMillisPerDay)) return false;
  out.AppendInt32(static_cast<int32_t>(value));
  return true;
}

/// A number as ksqlDB writes times, or ISO text as files hold them.
bool AppendTime(std::string_view text, TypeKind kind, ColumnBuilder& out) {
  if (AppendInteger(text, kind, out)) return true;
  text = TrimBlanks(text);
  if (kind == TypeKind::kTimestamp) {
    int64_t ms = 0;
    if (!ParseTimestamp(text, ms)) return false;
    out.AppendInt64(ms);
    return true;
  }
  int32_t value = 0;
  if (kind == TypeKind::kDate ? !ParseDate(text, value) : !ParseTime(text, value)) return false;
  out.AppendInt32(value);
  return true;
}

bool AppendField(std::string_view text, const DataType& type, ColumnBuilder& out) {
  switch (type.kind()) {
    case TypeKind::kBoolean:
      text = TrimBlanks(text);
      if (!EqualsIgnoreCase(text, "true") && !EqualsIgnoreCase(text, "false")) return false;
      out.AppendBool((text[0] | 0x20) == 't');
      return true;
    case TypeKind::kInt:
    case TypeKind::kBigint: return AppendInteger(text, type.kind(), out);
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp: return AppendTime(text, type.kind(), out);
    case TypeKind::kDouble: {
      double value = 0;
      if (!ParseDoubleText(text, value)) return false;
      out.AppendDouble(value);
      return true;
    }
    case TypeKind::kDecimal: {
      text = TrimBlanks(text);
      Int128 value = 0;
      if (!ToDecimal(text.data(), text.data() + text.size(), type.precision(), type.scale(),
                     value)) {
        return false;
      }
      out.AppendDecimal(value);
      return true;
    }
    case TypeKind::kString: out.AppendBytes(text); return true;
    case TypeKind::kBytes: {
      std::string bytes;
      if (!DecodeBase64(text, bytes)) return false;
      out.AppendBytes(bytes);
      return true;
    }
    default: return false;
  }
}

const std::string* FindProperty(const FormatSpec& spec, const char* name) {
  const auto found = spec.properties.find(name);
  return found == spec.properties.end() ? nullptr : &found->second;
}

int ParseNumber(std::string_view text, int otherwise) {
  int value = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

class DelimitedDecoder final : public SideDecoder {
 public:
  DelimitedDecoder(const FormatSpec& spec, char delimiter, const std::vector<FormatColumn>& columns)
      : is_key_(spec.is_key), delimiter_(delimiter), columns_(columns) {
    for (const FormatColumn& column : columns) builders_.emplace_back(column.type);
    field_count_ = static_cast<int>(columns.size());
    if (const std::string* count = FindProperty(spec, kDelimitedFieldCount)) {
      field_count_ = ParseNumber(*count, field_count_);
    }
    if (const std::string* text = FindProperty(spec, kDelimitedNull)) null_text_ = *text;
    file_ = FindProperty(spec, kDelimitedFile) != nullptr;
    MapFields(FindProperty(spec, kDelimitedFields));
  }

  Status Decode(const RecordBatch& records, DecodedSide& out) override {
    const std::vector<Slice>& slices = is_key_ ? records.keys : records.values;
    out.states.clear();
    out.bad.clear();
    for (int32_t row = 0; row < records.size(); ++row) {
      const Slice slice = slices[static_cast<size_t>(row)];
      RowState state = RowState::kNull;
      if (!slice.is_null()) {
        state = DecodeLine(records.View(slice)) ? RowState::kOk : RowState::kBad;
      }
      FillRow(row, state);
      if (state == RowState::kOk) continue;
      if (out.states.empty()) out.states.resize(slices.size(), RowState::kOk);
      out.states[static_cast<size_t>(row)] = state;
      if (state == RowState::kBad) out.bad.push_back({row, reason_});
    }
    out.columns.assign(columns_.size(), nullptr);
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].needed) out.columns[i] = builders_[i].Finish();
    }
    return OkStatus();
  }

 private:
  /// Which column each field goes to: -1 where nobody needs it.
  void MapFields(const std::string* fields) {
    column_of_field_.assign(static_cast<size_t>(std::max(field_count_, 0)), -1);
    size_t at = 0;
    for (size_t i = 0; i < columns_.size(); ++i) {
      int field = static_cast<int>(i);
      if (fields != nullptr) {
        const size_t comma = std::min(fields->find(',', at), fields->size());
        field = ParseNumber(std::string_view(*fields).substr(at, comma - at), -1);
        at = std::min(comma + 1, fields->size());
      }
      if (columns_[i].needed && field >= 0 && field < field_count_) {
        column_of_field_[static_cast<size_t>(field)] = static_cast<int>(i);
      }
    }
  }

  bool DecodeLine(std::string_view line) {
    if (!IsUtf8(line.data(), line.size())) {
      reason_ = "not UTF-8";
      return false;
    }
    // A line of nothing is a null where there is but one field.
    if (line.empty() && field_count_ == 1) return true;
    DelimitedLine fields(line, delimiter_);
    std::string_view text;
    int count = 0;
    while (fields.Next(text)) {
      const int field = count++;
      if (field >= field_count_) continue;
      const int column = column_of_field_[static_cast<size_t>(field)];
      if (column < 0) continue;
      ColumnBuilder& builder = builders_[static_cast<size_t>(column)];
      const DataType& type = columns_[static_cast<size_t>(column)].type;
      if (IsNull(text, fields.quoted(), type)) {
        builder.AppendNull();
      } else if (!AppendField(text, type, builder)) {
        reason_ = "column " + columns_[static_cast<size_t>(column)].name + ": no " +
                  type.ToString() + ": " + std::string(text.substr(0, 40));
        return false;
      }
    }
    if (fields.error() != nullptr) {
      reason_ = fields.error();
      return false;
    }
    if (count == field_count_) return true;
    reason_ = "the line has " + std::to_string(count) + " fields where there should be " +
              std::to_string(field_count_);
    return false;
  }

  bool IsNull(std::string_view text, bool quoted, const DataType& type) const {
    if (text.empty()) return !quoted || !file_ || !HoldsEmptyText(type);
    return !quoted && !null_text_.empty() && text == null_text_;
  }
  static bool HoldsEmptyText(const DataType& type) {
    return type.is(TypeKind::kString) || type.is(TypeKind::kBytes);
  }

  /// Brings all columns to row + 1 values.
  void FillRow(int32_t row, RowState state) {
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (!columns_[i].needed) continue;
      if (state != RowState::kOk) builders_[i].Truncate(row);
      if (builders_[i].length() == row) builders_[i].AppendNull();
    }
  }

  bool is_key_;
  char delimiter_;
  std::vector<FormatColumn> columns_;
  std::vector<ColumnBuilder> builders_;
  int field_count_ = 0;
  std::vector<int> column_of_field_;
  std::string null_text_;
  bool file_ = false;
  std::string reason_;
};

/// Whether Commons CSV 1.4 puts this field in quotes.
bool NeedsQuotes(std::string_view text, bool first, char delimiter) {
  if (text.empty()) return first;
  const char c = text[0];
  const bool alphanumeric =
      (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  if (first && !alphanumeric) return true;
  if (static_cast<unsigned char>(c) <= '#') return true;
  for (char each : text) {
    if (each == '\n' || each == '\r' || each == '"' || each == delimiter) return true;
  }
  return static_cast<unsigned char>(text.back()) <= ' ';
}

class DelimitedEncoder final : public SideEncoder {
 public:
  DelimitedEncoder(const FormatSpec& spec, char delimiter)
      : is_key_(spec.is_key),
        delimiter_(delimiter),
        file_(FindProperty(spec, kDelimitedFile) != nullptr) {
    if (const std::string* text = FindProperty(spec, kDelimitedNull)) null_text_ = *text;
  }

  Status Encode(const std::vector<ColumnPtr>& columns, std::span<const int32_t> rows,
                BufferBuilder& bytes, std::vector<Slice>& slices) override {
    slices.resize(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      slices[i] = {static_cast<uint32_t>(bytes.size()), -1};
      if (columns.empty()) continue;
      if (is_key_ && columns.size() == 1 && columns[0]->IsNull(rows[i])) continue;
      for (size_t column = 0; column < columns.size(); ++column) {
        if (column != 0) bytes.AppendValue(delimiter_);
        if (!columns[column]->IsNull(rows[i])) {
          AppendColumn(*columns[column], rows[i], column == 0, bytes);
        } else {
          bytes.Append(null_text_.data(), null_text_.size());
        }
      }
      slices[i].length = static_cast<int32_t>(bytes.size() - slices[i].begin);
    }
    return OkStatus();
  }

 private:
  void AppendColumn(const Column& column, int32_t row, bool first, BufferBuilder& bytes) {
    const auto at = static_cast<size_t>(row);
    char text[std::max(kDecimalTextMax, kTimeTextMax)];
    size_t length = 0;
    switch (column.type().kind()) {
      case TypeKind::kBoolean:
        return AppendText(column.GetBool(row) ? "true" : "false", first, bytes);
      case TypeKind::kDate:
      case TypeKind::kTime: {
        const int32_t value = column.values<int32_t>()[at];
        length = !file_                              ? FormatInt64(value, text)
                 : column.type().is(TypeKind::kDate) ? FormatDate(value, text)
                                                     : FormatTime(value, text);
        break;
      }
      case TypeKind::kTimestamp: {
        const int64_t value = column.values<int64_t>()[at];
        length = file_ ? FormatTimestamp(value, text) : FormatInt64(value, text);
        break;
      }
      case TypeKind::kInt: length = FormatInt64(column.values<int32_t>()[at], text); break;
      case TypeKind::kBigint: length = FormatInt64(column.values<int64_t>()[at], text); break;
      case TypeKind::kDouble: length = FormatJavaDouble(column.values<double>()[at], text); break;
      case TypeKind::kDecimal:
        length =
            FormatDecimal(ToInt128(column.values<Decimal128>()[at]), column.type().scale(), text);
        break;
      case TypeKind::kBytes: {
        BufferBuilder base64;
        AppendBase64(column.GetString(row), base64);
        return AppendText({reinterpret_cast<const char*>(base64.data()), base64.size()}, first,
                          bytes);
      }
      default: return AppendText(column.GetString(row), first, bytes);
    }
    AppendText({text, length}, first, bytes);
  }

  void AppendText(std::string_view text, bool first, BufferBuilder& bytes) {
    // In a file a text must not look like a null.
    const bool quote =
        NeedsQuotes(text, first, delimiter_) || (file_ && (text.empty() || text == null_text_));
    if (!quote) return bytes.Append(text.data(), text.size());
    bytes.AppendValue('"');
    for (char c : text) {
      if (c == '"') bytes.AppendValue(c);
      bytes.AppendValue(c);
    }
    bytes.AppendValue('"');
  }

  bool is_key_;
  char delimiter_;
  bool file_;
  std::string null_text_;
};

}  // namespace

DelimitedLine::DelimitedLine(std::string_view line, char delimiter)
    : at_(line.data()), end_(line.data() + line.size()), delimiter_(delimiter) {
  // The line's own end does not belong to its last field.
  if (end_ > at_ && end_[-1] == '\n') --end_;
  if (end_ > at_ && end_[-1] == '\r') --end_;
  if (at_ == end_) {
    done_ = true;
    error_ = "the line is empty";
  }
}

bool DelimitedLine::Next(std::string_view& field) {
  if (done_) return false;
  quoted_ = at_ < end_ && *at_ == '"';
  if (quoted_) return NextQuoted(field);
  const void* found = std::memchr(at_, delimiter_, static_cast<size_t>(end_ - at_));
  const char* stop = found == nullptr ? end_ : static_cast<const char*>(found);
  field = {at_, static_cast<size_t>(stop - at_)};
  done_ = stop == end_;
  at_ = stop + 1;
  return true;
}

bool DelimitedLine::NextQuoted(std::string_view& field) {
  const QuotedField quoted = FindQuotedEnd(at_, end_, delimiter_);
  error_ = QuoteFault(quoted.end);
  // A line's own end inside of it: what follows would be another line.
  if (error_ == nullptr && quoted.after < end_ && *quoted.after != delimiter_) {
    error_ = QuoteFault(QuotedEnd::kTextFollows);
  }
  if (error_ != nullptr) {
    done_ = true;
    return false;
  }
  const char* begin = at_ + 1;
  field = {begin, static_cast<size_t>(quoted.close - begin)};
  if (quoted.escaped) field = Unescaped(field);
  done_ = quoted.after == end_;
  at_ = quoted.after + 1;
  return true;
}

/// Each doubled quote once.
std::string_view DelimitedLine::Unescaped(std::string_view text) {
  scratch_.clear();
  for (size_t quote = text.find('"'); quote != std::string_view::npos; quote = text.find('"')) {
    scratch_.append(text.substr(0, quote + 1));
    text.remove_prefix(quote + 2);
  }
  return scratch_.append(text);
}

Result<char> DelimiterOf(const FormatSpec& spec) {
  const std::string* text = FindProperty(spec, "DELIMITER");
  if (text == nullptr) text = FindProperty(spec, spec.is_key ? "KEY_DELIMITER" : "VALUE_DELIMITER");
  if (text == nullptr) return ',';
  if (*text == "TAB") return '\t';
  if (*text == "SPACE") return ' ';
  if (TrimBlanks(*text).empty()) {
    return Status(ErrorCode::kInvalidProperty, "the delimiter is empty")
        .WithHint("a blank is written SPACE, a tab TAB");
  }
  if (text->size() != 1) {
    return Status(ErrorCode::kInvalidProperty, "the delimiter is not one character: " + *text)
        .WithHint("for example ';', or TAB or SPACE");
  }
  return (*text)[0];
}

std::unique_ptr<SideDecoder> MakeDelimitedDecoder(const FormatSpec& spec, char delimiter,
                                                  const std::vector<FormatColumn>& columns) {
  return std::make_unique<DelimitedDecoder>(spec, delimiter, columns);
}

std::unique_ptr<SideEncoder> MakeDelimitedEncoder(const FormatSpec& spec, char delimiter) {
  return std::make_unique<DelimitedEncoder>(spec, delimiter);
}

}  // namespace weir
