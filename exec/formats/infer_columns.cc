#include "exec/formats/infer_columns.h"

#include <algorithm>
#include <map>
#include <memory>
#include <unordered_map>
#include <unordered_set>

#include "base/limits.h"
#include "base/time_text.h"
#include "exec/formats/delimited_format.h"
#include "exec/formats/json/json_structure.h"
#include "exec/formats/json/json_value.h"
#include "exec/formats/json/number_scan.h"
#include "parser/source_text.h"

namespace weir {
namespace {

bool IsDateText(std::string_view text) {
  int32_t days = 0;
  return text.size() == 10 && text[4] == '-' && text[7] == '-' && ParseDate(text, days);
}

bool IsTimestampText(std::string_view text) {
  int64_t ms = 0;
  return text.size() >= 16 && text[4] == '-' && text[7] == '-' && text[13] == ':' &&
         ParseTimestamp(text, ms);
}

DataType TypeOfNumber(std::string_view text) {
  ScannedNumber number;
  if (!ScanNumber(text.data(), text.data() + text.size(), false, number)) return DataType::String();
  if (!number.integral) return DataType::Double();
  int64_t value = 0;
  if (ToInt64(number, text.data(), text.data() + text.size(), value)) return DataType::Bigint();
  // Ids of more than 64 bits: as a DOUBLE, different ones would be equal.
  const size_t digits = text.size() - (text.starts_with('-') ? 1 : 0);
  return digits <= limits::kDecimalPrecisionMax ? DataType::Decimal(limits::kDecimalPrecisionMax, 0)
                                                : DataType::String();
}

DataType TypeOfText(std::string_view text) {
  if (IsTimestampText(text)) return DataType::Timestamp();
  return IsDateText(text) ? DataType::Date() : DataType::String();
}

DataType TypeOfField(std::string_view text) {
  if (text == "true" || text == "false" || text == "TRUE" || text == "FALSE") {
    return DataType::Boolean();
  }
  // A point needs no digit before it in CSV; a superfluous zero in front makes a text (zip codes).
  if (text.starts_with('.') || text.starts_with("-.")) {
    ScannedNumber number;
    const char* end = text.data() + text.size();
    return ScanNumber(text.data(), end, true, number) ? DataType::Double() : DataType::String();
  }
  const DataType type = TypeOfNumber(text);
  return type.is(TypeKind::kString) ? TypeOfText(text) : type;
}

/// The scalar type that holds values of both; VARCHAR if nothing else does.
DataType Merge(const DataType& a, const DataType& b) {
  if (a == b || b.is(TypeKind::kNull)) return a;
  if (a.is(TypeKind::kNull)) return b;
  if (a.is_numeric() && b.is_numeric()) {
    if (a.is(TypeKind::kDouble) || b.is(TypeKind::kDouble)) return DataType::Double();
    return a.is(TypeKind::kDecimal) ? a : b;
  }
  const auto is_time = [](const DataType& type) {
    return type.is(TypeKind::kDate) || type.is(TypeKind::kTimestamp);
  };
  return is_time(a) && is_time(b) ? DataType::Timestamp() : DataType::String();
}

Status TooManyColumns() {
  return Status(ErrorCode::kUnsupported, "the file has more columns than can be found: at most " +
                                             std::to_string(kFoundColumnsMax))
      .WithHint(
          "list the columns that you need; an object whose names are data is a "
          "MAP<STRING, …>");
}

/// What the values seen so far at one place of JSON records have in common. Grows in place: the
/// fields of a struct are looked up by name, however many there are.
class SeenValues {
 public:
  /// Takes in the checked value at `at` and moves `at` behind it. `columns_left` counts down with
  /// each new field; below zero nothing more is kept.
  void Take(const JsonCursor& cursor, const uint32_t*& at, int& columns_left) {
    const char* begin = cursor.base + *at;
    if (*begin == '{') return TakeObject(cursor, at, columns_left);
    if (*begin == '[') return TakeArray(cursor, at, columns_left);
    const char* end = ScalarEnd(cursor, at);
    ++at;
    const std::string_view text(begin, static_cast<size_t>(end - begin));
    switch (text[0]) {
      case '"': return TakeScalar(TypeOfText(text.substr(1, text.size() - 2)));
      case 't':
      case 'f': return TakeScalar(DataType::Boolean());
      case 'n': return;
      default: return TakeScalar(TypeOfNumber(text));
    }
  }

  /// What nothing is known of becomes VARCHAR, the type that takes whatever comes.
  DataType Type() const {
    switch (shape_) {
      case Shape::kScalar: return scalar_;
      case Shape::kArray:
        return DataType::Array(element_ == nullptr ? DataType::String() : element_->Type());
      case Shape::kStruct: {
        if (fields_.empty()) return DataType::String();
        std::vector<DataType::Field> fields;
        for (const Field& field : fields_) fields.push_back({field.name, field.values->Type()});
        return DataType::Struct(std::move(fields));
      }
      case Shape::kNothing:
      case Shape::kMixed: break;
    }
    return DataType::String();
  }

  struct Field {
    std::string name;
    std::unique_ptr<SeenValues> values;
  };
  const std::vector<Field>& fields() const { return fields_; }

 private:
  enum class Shape : uint8_t { kNothing, kScalar, kArray, kStruct, kMixed };

  void TakeShape(Shape shape) {
    shape_ = shape_ == Shape::kNothing || shape_ == shape ? shape : Shape::kMixed;
  }

  void TakeScalar(const DataType& type) {
    TakeShape(Shape::kScalar);
    scalar_ = Merge(scalar_, type);
  }

  void TakeArray(const JsonCursor& cursor, const uint32_t*& at, int& columns_left) {
    TakeShape(Shape::kArray);
    ++at;
    while (cursor.base[*at] != ']') {
      if (cursor.base[*at] == ',') ++at;
      if (element_ == nullptr) element_ = std::make_unique<SeenValues>();
      element_->Take(cursor, at, columns_left);
    }
    ++at;
  }

  void TakeObject(const JsonCursor& cursor, const uint32_t*& at, int& columns_left) {
    TakeShape(Shape::kStruct);
    ++at;
    while (cursor.base[*at] != '}') {
      if (cursor.base[*at] == ',') ++at;
      const char* name = cursor.base + *at + 1;
      const std::string_view raw(name, static_cast<size_t>(ScalarEnd(cursor, at) - 1 - name));
      at += 2;
      SeenValues* field = columns_left < 0 ? nullptr : FieldNamed(raw, columns_left);
      if (field == nullptr) {
        at = SkipJsonValue(cursor, at);
      } else {
        field->Take(cursor, at, columns_left);
      }
    }
    ++at;
  }

  /// Null for a name that no column can have, and where there is no room for another one.
  SeenValues* FieldNamed(std::string_view raw, int& columns_left) {
    std::string name;
    if (raw.find('\\') == std::string_view::npos) {
      name = FoldName(raw);
    } else if (std::string plain; UnescapeJson(raw, plain)) {
      name = FoldName(plain);
    }
    if (name.empty()) return nullptr;
    if (const auto known = places_.find(name); known != places_.end()) {
      return fields_[known->second].values.get();
    }
    if (--columns_left < 0) return nullptr;
    places_.emplace(name, fields_.size());
    fields_.push_back({std::move(name), std::make_unique<SeenValues>()});
    return fields_.back().values.get();
  }

  Shape shape_ = Shape::kNothing;
  DataType scalar_;
  std::unique_ptr<SeenValues> element_;
  std::vector<Field> fields_;
  std::unordered_map<std::string, size_t> places_;  ///< In fields_.
};

/// Number of fields of a line; -1 if it cannot be taken apart.
int CountFields(std::string_view line, char delimiter) {
  DelimitedLine fields(line, delimiter);
  std::string_view text;
  int count = 0;
  while (fields.Next(text)) ++count;
  return fields.error() == nullptr ? count : -1;
}

/// How many fields most lines have; of equals, what comes first.
int UsualFieldCount(const std::vector<std::string_view>& lines, char delimiter) {
  std::map<int, int> lines_with;
  int usual = 0;
  for (std::string_view line : lines) {
    const int count = CountFields(line, delimiter);
    if (count > 0) ++lines_with[count];
  }
  for (std::string_view line : lines) {
    const int count = CountFields(line, delimiter);
    if (count > 0 && (usual == 0 || lines_with[count] > lines_with[usual])) usual = count;
  }
  return usual;
}

}  // namespace

std::string ColumnNameOf(std::string_view header) {
  std::string name = FoldName(header);
  for (char& c : name) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                       static_cast<unsigned char>(c) >= 0x80;
    if (!plain) c = '_';
  }
  return name;
}

std::vector<std::string> HeaderColumnNames(const std::vector<std::string>& names) {
  std::vector<std::string> columns;
  std::unordered_set<std::string> taken;
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string number = std::to_string(i + 1);
    std::string name = ColumnNameOf(names[i]);
    if (name.empty()) name = "C" + number;
    while (!taken.insert(name).second) name += "_" + number;
    columns.push_back(std::move(name));
  }
  return columns;
}

Result<std::vector<ColumnSchema>> InferJsonColumns(const std::vector<std::string_view>& lines) {
  SeenValues all;
  int columns_left = kFoundColumnsMax;
  JsonStructure structure;
  for (std::string_view line : lines) {
    const std::string padded = std::string(line) + std::string(64, ' ');
    if (!structure.Index(padded.data(), line.size())) continue;
    const uint32_t* at = structure.positions();
    const JsonCursor cursor{padded.data(), at + structure.count(),
                            static_cast<uint32_t>(line.size())};
    if (padded[*at] != '{' || CheckJsonValue(cursor, at) != cursor.stop) continue;
    all.Take(cursor, at, columns_left);
    if (columns_left < 0) return TooManyColumns();
  }
  std::vector<ColumnSchema> columns;
  for (const SeenValues::Field& field : all.fields()) {
    columns.push_back({.name = field.name, .type = field.values->Type()});
  }
  return columns;
}

Result<std::vector<ColumnSchema>> InferDelimitedColumns(const std::vector<std::string>& names,
                                                        const std::vector<std::string_view>& lines,
                                                        char delimiter,
                                                        std::string_view null_text) {
  const int usual = names.empty() ? UsualFieldCount(lines, delimiter) : 0;
  const size_t count = names.empty() ? static_cast<size_t>(usual) : names.size();
  if (count > kFoundColumnsMax) return TooManyColumns();
  std::vector<DataType> types(count);
  for (std::string_view line : lines) {
    if (CountFields(line, delimiter) != static_cast<int>(count)) continue;
    DelimitedLine fields(line, delimiter);
    std::string_view text;
    for (size_t i = 0; fields.Next(text); ++i) {
      if (text.empty() || (!null_text.empty() && text == null_text)) continue;
      types[i] = Merge(types[i], TypeOfField(text));
    }
  }
  const std::vector<std::string> found =
      HeaderColumnNames(names.empty() ? std::vector<std::string>(count) : names);
  std::vector<ColumnSchema> columns;
  for (size_t i = 0; i < count; ++i) {
    const bool known = !types[i].is(TypeKind::kNull);
    columns.push_back({.name = found[i], .type = known ? types[i] : DataType::String()});
  }
  return columns;
}

}  // namespace weir
