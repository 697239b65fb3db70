#include "tests/support/batch_text.h"

#include <charconv>
#include <cstdlib>

#include "exec/column/builder.h"

namespace weir::test {
namespace {

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t at = text.find(separator);
    parts.push_back(Trim(text.substr(0, at)));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

int64_t Number(std::string_view text) {
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

DataType TypeFromText(std::string_view name) {
  if (name == "INT") return DataType::Int();
  if (name == "BIGINT") return DataType::Bigint();
  if (name == "DOUBLE") return DataType::Double();
  if (name == "BOOLEAN") return DataType::Boolean();
  if (name == "TIMESTAMP") return DataType::Timestamp();
  if (name == "DECIMAL") return DataType::Decimal(10, 2);
  return DataType::String();
}

void AppendText(std::string_view text, ColumnBuilder& out) {
  if (text == "null") return out.AppendNull();
  switch (out.type().kind()) {
    case TypeKind::kInt: return out.AppendInt32(static_cast<int32_t>(Number(text)));
    case TypeKind::kBigint:
    case TypeKind::kTimestamp: return out.AppendInt64(Number(text));
    case TypeKind::kDouble:
      return out.AppendDouble(std::strtod(std::string(text).c_str(), nullptr));
    case TypeKind::kBoolean: return out.AppendBool(text == "true");
    case TypeKind::kDecimal: return out.AppendDecimal(Number(text));
    default: return out.AppendBytes(text);
  }
}

RowOp OpFromText(char c) {
  switch (c) {
    case 'b': return RowOp::kUpdateBefore;
    case 'u': return RowOp::kUpdateAfter;
    case '-': return RowOp::kDelete;
    default: return RowOp::kInsert;
  }
}

}  // namespace

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  for (std::string_view line : Split(text, '\n')) {
    if (!line.empty()) lines.emplace_back(line);
  }
  return lines;
}

SchemaPtr SchemaFromText(std::string_view text) {
  auto schema = std::make_shared<Schema>();
  for (std::string_view column : Split(text, ',')) {
    const auto words = Split(column, ' ');
    schema->columns.push_back({std::string(words[0]), TypeFromText(words[1]), words.size() > 2});
  }
  return schema;
}

Chunk ChunkFromText(const Schema& schema, std::string_view text) {
  std::vector<ColumnBuilder> columns;
  for (const ColumnSchema& column : schema.columns) columns.emplace_back(column.type);
  ColumnBuilder times(DataType::Bigint()), starts(DataType::Bigint()), ends(DataType::Bigint());
  std::vector<uint8_t> ops;
  bool windowed = false;
  for (const std::string& line : Lines(text)) {
    const size_t bar = line.find('|');
    std::string_view head = Trim(std::string_view(line).substr(0, bar));
    RowOp op = RowOp::kInsert;
    if (!head.empty() && (head[0] < '0' || head[0] > '9')) {
      op = OpFromText(head[0]);
      head = Trim(head.substr(1));
    }
    ops.push_back(static_cast<uint8_t>(op));
    const auto words = Split(head, ' ');
    times.AppendInt64(Number(words[0]));
    int64_t start = 0, end = 0;
    if (words.size() > 1) {
      windowed = true;
      const auto bounds = Split(words[1].substr(1), '-');
      start = Number(bounds[0]);
      end = Number(bounds[1]);
    }
    starts.AppendInt64(start);
    ends.AppendInt64(end);
    const auto values = Split(std::string_view(line).substr(bar + 1), ',');
    for (size_t i = 0; i < columns.size(); ++i) {
      AppendText(i < values.size() ? values[i] : "null", columns[i]);
    }
  }
  Chunk chunk;
  chunk.rows = static_cast<int32_t>(ops.size());
  for (ColumnBuilder& column : columns) chunk.columns.push_back(column.Finish());
  chunk.sys(SystemColumn::kRowTime) = times.Finish();
  if (windowed) {
    chunk.sys(SystemColumn::kWindowStart) = starts.Finish();
    chunk.sys(SystemColumn::kWindowEnd) = ends.Finish();
  }
  bool any = false;
  for (uint8_t op : ops) any |= op != 0;
  if (any) {
    uint8_t* data = nullptr;
    chunk.ops = MakeBuffer(ops.size(), &data);
    std::copy(ops.begin(), ops.end(), data);
  }
  chunk.source = 0;
  chunk.source_partition = 0;
  return chunk;
}

std::vector<std::string> ChunkToLines(const Chunk& chunk) {
  const Chunk flat = Flatten(chunk);
  std::vector<std::string> lines;
  for (int32_t row = 0; row < flat.rows; ++row) {
    std::string line(1, "+bu-"[static_cast<int>(flat.op(row))]);
    line += " " + flat.row_time()->ToText(row);
    if (const ColumnPtr& start = flat.sys(SystemColumn::kWindowStart)) {
      line += " @" + start->ToText(row) + "-" + flat.sys(SystemColumn::kWindowEnd)->ToText(row);
    }
    line += " |";
    for (size_t i = 0; i < flat.columns.size(); ++i) {
      line += (i == 0 ? " " : ", ") +
              (flat.columns[i] ? flat.columns[i]->ToText(row) : std::string("-"));
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace weir::test
