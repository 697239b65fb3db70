#include "tests/fuzz/decoder_check.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <utility>

#include "exec/column/value_text.h"
#include "exec/formats/json/json_structure.h"
#include "tests/fuzz/fuzz_driver.h"

namespace weir::fuzz {
namespace {

[[noreturn]] void Broken(const char* what, const Records& records, const std::string& detail) {
  std::fprintf(stderr, "%s\n%s\n", what, detail.c_str());
  for (const auto& record : records) {
    std::fprintf(stderr, "record: %s\n", record ? record->c_str() : "(null)");
  }
  std::abort();
}

// As fetchers lay records out: packed, or with a line end behind each.
RecordBatch MakeBatch(std::span<const std::optional<std::string>> records, bool separated) {
  RecordBatch batch;
  BufferBuilder bytes;
  for (const auto& record : records) {
    Slice slice{static_cast<uint32_t>(bytes.size()), -1};
    if (record) {
      bytes.Append(record->data(), record->size());
      slice.length = static_cast<int32_t>(record->size());
      if (separated) bytes.Append("\n", 1);
    }
    batch.keys.push_back(slice);
    batch.values.push_back(slice);
    batch.timestamps.push_back(0);
    batch.offsets.push_back(static_cast<int64_t>(batch.offsets.size()));
  }
  batch.bytes = bytes.Finish();
  return batch;
}

// Offsets that go up, children as long as they say, texts in UTF-8.
bool IsWellFormed(const Column& column) {
  const int32_t rows = column.length();
  const TypeKind kind = column.type().kind();
  const bool has_offsets = kind == TypeKind::kString || kind == TypeKind::kBytes ||
                           kind == TypeKind::kArray || kind == TypeKind::kMap;
  if (has_offsets) {
    if (column.offsets()[0] != 0) return false;
    for (int32_t row = 0; row < rows; ++row) {
      if (column.offsets()[row] > column.offsets()[row + 1]) return false;
    }
  }
  if (kind == TypeKind::kString) {
    for (int32_t row = 0; row < rows; ++row) {
      const std::string_view text = column.GetString(row);
      if (!IsUtf8(text.data(), text.size())) return false;
    }
  }
  const int32_t below = has_offsets ? column.offsets()[rows] : rows;
  return std::all_of(
      column.parts().children.begin(), column.parts().children.end(),
      [&](const ColumnPtr& child) { return child->length() == below && IsWellFormed(*child); });
}

RowState StateOf(const DecodedSide& side, int32_t row) {
  return side.states.empty() ? RowState::kOk : side.states[static_cast<size_t>(row)];
}

std::string RowText(const DecodedSide& side, int32_t row) {
  std::string text;
  for (const ColumnPtr& column : side.columns) {
    if (column != nullptr) AppendJsonText(*column, row, text);
    text.push_back('|');
  }
  return text;
}

void CheckShape(const DecodedSide& side, const std::vector<FormatColumn>& columns,
                const Records& records) {
  const auto rows = static_cast<int32_t>(records.size());
  if (side.columns.size() != columns.size()) Broken("columns are missing", records, "");
  for (size_t i = 0; i < columns.size(); ++i) {
    const ColumnPtr& column = side.columns[i];
    if ((column != nullptr) != columns[i].needed) {
      Broken("a column is there or not against what is needed", records, columns[i].name);
    }
    if (column == nullptr) continue;
    if (column->length() != rows) Broken("a column of another length", records, columns[i].name);
    if (!(column->type() == columns[i].type)) Broken("another type", records, columns[i].name);
    if (!IsWellFormed(*column)) Broken("a malformed column", records, columns[i].name);
  }
  if (!side.states.empty() && side.states.size() != records.size()) {
    Broken("states of another length", records, "");
  }
  size_t bad = 0;
  for (int32_t row = 0; row < rows; ++row) {
    const RowState state = StateOf(side, row);
    if ((state == RowState::kBad) != (bad < side.bad.size() && side.bad[bad].row == row)) {
      Broken("states and bad rows differ", records, std::to_string(row));
    }
    if (state == RowState::kBad && side.bad[bad++].reason.empty()) {
      Broken("a bad row without a reason", records, std::to_string(row));
    }
    if (!records[row] && state != RowState::kNull) {
      Broken("a null record that is not null", records, std::to_string(row));
    }
    if (state == RowState::kOk) continue;
    for (const ColumnPtr& column : side.columns) {
      if (column != nullptr && !column->IsNull(row)) {
        Broken("a row without values has one", records, std::to_string(row));
      }
    }
  }
  if (bad != side.bad.size()) Broken("bad rows out of order", records, "");
}

// One decoder as a query has it: used again and again.
class Checked {
 public:
  Checked(const FormatSpec& spec, std::vector<FormatColumn> columns)
      : columns_(std::move(columns)) {
    Result<std::unique_ptr<SideDecoder>> made = MakeDecoder(spec, columns_);
    if (!made.ok()) Broken("no decoder", {}, made.status().ToString());
    decoder_ = std::move(*made);
  }
  DecodedSide Decode(const Records& records, bool separated) {
    DecodedSide side;
    const Status status = decoder_->Decode(MakeBatch(records, separated), side);
    if (!status.ok()) Broken("decoding fails as a whole", records, status.ToString());
    CheckShape(side, columns_, records);
    return side;
  }

 private:
  std::vector<FormatColumn> columns_;
  std::unique_ptr<SideDecoder> decoder_;
};

void CheckAlone(Checked& decoder, const DecodedSide& all, const Records& records) {
  size_t bad = 0;
  for (size_t i = 0; i < records.size(); ++i) {
    const auto row = static_cast<int32_t>(i);
    const DecodedSide one = decoder.Decode({records[i]}, false);
    const RowState state = StateOf(all, row);
    if (StateOf(one, 0) != state || RowText(one, 0) != RowText(all, row)) {
      Broken("a record decodes differently among others", records,
             std::to_string(i) + "\nalone: " + RowText(one, 0) + "\namong: " + RowText(all, row));
    }
    if (state == RowState::kBad && one.bad[0].reason != all.bad[bad++].reason) {
      Broken("a record is bad for another reason among others", records, one.bad[0].reason);
    }
  }
}

void CheckFewer(Checked& fewer, const DecodedSide& all, const Records& records) {
  const DecodedSide some = fewer.Decode(records, true);
  for (size_t i = 0; i < records.size(); ++i) {
    const auto row = static_cast<int32_t>(i);
    if (StateOf(all, row) == RowState::kBad) continue;
    if (StateOf(some, row) != StateOf(all, row)) {
      Broken("a row is bad where fewer columns are read", records, std::to_string(i));
    }
    for (size_t column = 0; column < some.columns.size(); ++column) {
      if (some.columns[column] == nullptr) continue;
      std::string a, b;
      AppendJsonText(*some.columns[column], row, a);
      AppendJsonText(*all.columns[column], row, b);
      if (a != b) Broken("a value differs where fewer columns are read", records, a + "\n" + b);
    }
  }
}

}  // namespace

Records CutRecords(std::string_view input) {
  Records records;
  if (input.empty()) return records;
  const char end = (input[0] & 1) != 0 ? '\x1e' : '\n';
  input.remove_prefix(1);
  while (!input.empty()) {
    const size_t length = std::min(input.find(end), input.size());
    const std::string_view record = input.substr(0, length);
    if (record == "~") {
      records.emplace_back();
    } else {
      records.emplace_back(std::string(record));
    }
    input.remove_prefix(std::min(length + 1, input.size()));
  }
  return records;
}

void PutIdsInFront(Records& records, std::string_view behind) {
  for (auto& record : records) {
    if (!record || record->empty() || (*record)[0] == 0) continue;
    const char id = static_cast<char>(1 + ((*record)[0] & 1));
    record->insert(0, std::string("\0\0\0\0", 4) + id + std::string(behind));
  }
}

void CheckDecoder(const FormatSpec& spec, const std::vector<FormatColumn>& columns,
                  const Records& records) {
  Checked decoder(spec, columns);
  const DecodedSide all = decoder.Decode(records, true);
  const DecodedSide packed = decoder.Decode(records, false);
  for (size_t i = 0; i < records.size(); ++i) {
    const auto row = static_cast<int32_t>(i);
    if (StateOf(all, row) != StateOf(packed, row) || RowText(all, row) != RowText(packed, row)) {
      Broken("a record decodes differently without a line end behind it", records,
             std::to_string(i) + "\n" + RowText(all, row) + "\n" + RowText(packed, row));
    }
  }
  CheckAlone(decoder, all, records);
  for (const size_t first : {size_t{0}, size_t{1}}) {
    std::vector<FormatColumn> some = columns;
    for (size_t i = 0; i < some.size(); ++i) some[i].needed = i % 2 == first;
    Checked fewer(spec, std::move(some));
    CheckFewer(fewer, all, records);
  }
}

std::vector<FormatColumn> AllColumns(bool nested) {
  std::vector<FormatColumn> columns = {
      {"A", DataType::Boolean()},   {"B", DataType::Int()},          {"C", DataType::Bigint()},
      {"D", DataType::Double()},    {"E", DataType::Decimal(10, 2)}, {"F", DataType::String()},
      {"G", DataType::Bytes()},     {"H", DataType::Date()},         {"I", DataType::Time()},
      {"J", DataType::Timestamp()}, {"N", DataType::Decimal(38, 10)}};
  if (!nested) return columns;
  const DataType inner =
      DataType::Struct({{"Z", DataType::Double()}, {"T", DataType::Timestamp()}});
  columns.push_back({"K", DataType::Array(DataType::String())});
  columns.push_back({"L", DataType::Map(DataType::String(), DataType::Bigint())});
  columns.push_back({"M", DataType::Struct({{"X", DataType::Int()},
                                            {"Y", DataType::Array(inner)},
                                            {"W", DataType::Map(DataType::String(), inner)}})});
  columns.push_back({"q", DataType::String(), true});
  columns.push_back({"O", DataType::Array(DataType::Array(DataType::Decimal(4, 1)))});
  return columns;
}

std::vector<std::string> Pieces() {
  return {"\n",
          "\n\n",
          "~\n",
          ",",
          "\"",
          "\"\"",
          "\\",
          "\\u",
          "\\ud83d",
          "\\u0000",
          "{",
          "}",
          "[",
          "]",
          "{}",
          "[]",
          "null",
          "true",
          "false",
          "-",
          "1e400",
          "1e-400",
          "9223372036854775808",
          "-9223372036854775809",
          "2147483648",
          "0.005",
          "-0",
          "NaN",
          "1.",
          ".5",
          "00",
          "\t",
          "\r\n",
          "\xff",
          "\xc0\x80",
          "\xed\xa0\x80",
          "\xf0\x9f\x98\x80",
          "\"A\":",
          "\"K\":[",
          "\"M\":{",
          " ",
          "99999999.99",
          "99999999.995",
          "2024-02-30",
          "23:59:59.999",
          "1970-01-01T00:00:00Z"};
}

std::vector<std::string> InputsOf(std::string_view file) { return {std::string(file)}; }

}  // namespace weir::fuzz
