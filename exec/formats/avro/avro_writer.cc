#include "exec/formats/avro/avro_writer.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "base/decimal.h"
#include "base/letter_case.h"
#include "base/status_macros.h"
#include "exec/formats/avro/avro_cursor.h"
#include "exec/formats/avro/avro_json.h"
#include "exec/formats/decimal_bytes.h"

namespace weir {
namespace {

using WriteOp = AvroWriteStep::Op;

int FindTarget(std::span<const DataType::Field> fields, std::string_view name) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == name) return static_cast<int>(i);
  }
  for (size_t i = 0; i < fields.size(); ++i) {
    if (EqualIgnoringCase(fields[i].name, name)) return static_cast<int>(i);
  }
  return -1;
}

Status CannotWrite(const AvroType& to, const DataType& from) {
  return Status(ErrorCode::kFormatMismatch, fmt::format("{} cannot be written as the schema's {}",
                                                        from.ToString(), to.BranchName()));
}

Result<AvroWriteStep> PlanUnion(const AvroType& to, const DataType& from) {
  int null_branch = -1;
  for (size_t i = 0; i < to.children.size(); ++i) {
    if (to.children[i]->kind == AvroKind::kNull) null_branch = static_cast<int>(i);
  }
  Status last = CannotWrite(to, from);
  for (size_t i = 0; i < to.children.size(); ++i) {
    if (static_cast<int>(i) == null_branch) continue;
    Result<AvroWriteStep> step = PlanAvroWrite(*to.children[i], from);
    if (!step.ok()) {
      last = step.status();
      continue;
    }
    step->null_branch = null_branch;
    step->value_branch = static_cast<int>(i);
    return step;
  }
  return last;
}

Result<AvroWriteStep> PlanRecordWrite(const AvroType& to, std::span<const DataType::Field> from) {
  AvroWriteStep step;
  step.op = WriteOp::kRecord;
  std::vector<bool> used(from.size(), false);
  for (const AvroType::Field& field : to.fields) {
    AvroWriteStep each;
    const int target = FindTarget(from, field.name);
    if (target >= 0) {
      Result<AvroWriteStep> planned =
          PlanAvroWrite(*field.type, from[static_cast<size_t>(target)].type);
      if (!planned.ok()) {
        return Status(planned.status().code(),
                      fmt::format("field {}: {}", field.name, planned.status().message()));
      }
      each = std::move(*planned);
      used[static_cast<size_t>(target)] = true;
    }
    each.target = target;
    each.name = field.name;
    BufferBuilder bytes;
    if (field.has_default) {
      WEIR_RETURN_IF_ERROR(EncodeAvroJson(*field.type, field.default_json, bytes));
      each.has_default = true;
    } else if (target < 0 && !EncodeAvroJson(*field.type, RawJson(), false, bytes).ok()) {
      return Status(ErrorCode::kFormatMismatch,
                    fmt::format("the schema's field {} takes no null and has no default, and no "
                                "column has its name",
                                field.name));
    }
    each.constant.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    step.steps.push_back(std::move(each));
  }
  for (size_t i = 0; i < from.size(); ++i) {
    if (used[i]) continue;
    return Status(ErrorCode::kFormatMismatch,
                  fmt::format("the schema has no field for {}", from[i].name));
  }
  return step;
}

WriteOp ScalarOp(const AvroType& to, const DataType& from) {
  const AvroKind kind = to.kind;
  switch (from.kind()) {
    case TypeKind::kBoolean:
      return kind == AvroKind::kBoolean ? WriteOp::kBoolean : WriteOp::kConstant;
    case TypeKind::kInt:
      if (kind == AvroKind::kInt || kind == AvroKind::kLong) return WriteOp::kInt32AsLong;
      if (kind == AvroKind::kDouble) return WriteOp::kInt32AsDouble;
      return kind == AvroKind::kFloat ? WriteOp::kInt32AsFloat : WriteOp::kConstant;
    case TypeKind::kBigint: return kind == AvroKind::kLong ? WriteOp::kInt64 : WriteOp::kConstant;
    case TypeKind::kDouble:
      if (kind == AvroKind::kDouble) return WriteOp::kDouble;
      return kind == AvroKind::kFloat ? WriteOp::kFloat : WriteOp::kConstant;
    case TypeKind::kString:
      if (kind == AvroKind::kString) return WriteOp::kBytes;
      return kind == AvroKind::kEnum ? WriteOp::kEnum : WriteOp::kConstant;
    case TypeKind::kBytes:
      if (kind == AvroKind::kBytes) return WriteOp::kBytes;
      return kind == AvroKind::kFixed ? WriteOp::kFixed : WriteOp::kConstant;
    case TypeKind::kDecimal:
      return to.logical == AvroLogical::kDecimal ? WriteOp::kDecimal : WriteOp::kConstant;
    case TypeKind::kDate:
      return to.logical == AvroLogical::kDate ? WriteOp::kInt32AsLong : WriteOp::kConstant;
    case TypeKind::kTime:
      if (to.logical == AvroLogical::kTimeMicros) return WriteOp::kMillisAsMicros32;
      return to.logical == AvroLogical::kTimeMillis ? WriteOp::kInt32AsLong : WriteOp::kConstant;
    case TypeKind::kTimestamp:
      if (to.logical == AvroLogical::kTimestampMicros) return WriteOp::kMillisAsMicros64;
      return to.logical == AvroLogical::kTimestampMillis ? WriteOp::kInt64 : WriteOp::kConstant;
    default: return WriteOp::kConstant;
  }
}

}  // namespace

Result<AvroWriteStep> PlanAvroWrite(const AvroType& to, const DataType& from) {
  if (to.kind == AvroKind::kUnion) return PlanUnion(to, from);
  AvroWriteStep step;
  if (!from.is_nested()) {
    step.op = ScalarOp(to, from);
    if (step.op == WriteOp::kConstant) return CannotWrite(to, from);
    if (to.kind == AvroKind::kFixed) step.size = to.fixed_size;
    step.symbols = to.symbols;
    step.scale = from.scale();
    step.to_scale = to.scale;
    step.precision = to.precision;
    return step;
  }
  if (from.is(TypeKind::kStruct)) {
    if (to.kind != AvroKind::kRecord) return CannotWrite(to, from);
    return PlanRecordWrite(to, from.fields());
  }
  const bool is_map = from.is(TypeKind::kMap);
  if (is_map ? to.kind != AvroKind::kMap && !to.is_map_entries
             : to.kind != AvroKind::kArray || to.is_map_entries) {
    return CannotWrite(to, from);
  }
  step.op = !is_map ? WriteOp::kArray : to.is_map_entries ? WriteOp::kMapEntries : WriteOp::kMap;
  const AvroType* value = to.children[0];
  if (to.is_map_entries) {
    WEIR_ASSIGN_OR_RETURN(AvroWriteStep key, PlanAvroWrite(*value->fields[0].type, from.key()));
    step.steps.push_back(std::move(key));
    value = value->fields[1].type;
  }
  WEIR_ASSIGN_OR_RETURN(AvroWriteStep item, PlanAvroWrite(*value, from.element()));
  step.steps.push_back(std::move(item));
  return step;
}

bool AvroWriter::Write(const AvroWriteStep& step, const Column& column, int32_t row) {
  if (column.IsNull(row)) {
    if (step.null_branch >= 0) {
      AppendAvroLong(step.null_branch, out_);
      return true;
    }
    if (!step.has_default) {
      fault_ = fmt::format("a null in {}, where the schema takes none",
                           step.name.empty() ? "a value" : "field " + step.name);
      return false;
    }
    out_.Append(step.constant.data(), step.constant.size());
    return true;
  }
  if (step.value_branch >= 0) AppendAvroLong(step.value_branch, out_);
  return WriteValue(step, column, row);
}

bool AvroWriter::WriteFields(const AvroWriteStep& step, std::span<const ColumnPtr> columns,
                             int32_t row) {
  for (const AvroWriteStep& each : step.steps) {
    if (each.op == WriteOp::kConstant) {
      out_.Append(each.constant.data(), each.constant.size());
    } else if (!Write(each, *columns[static_cast<size_t>(each.target)], row)) {
      return false;
    }
  }
  return true;
}

bool AvroWriter::WriteValue(const AvroWriteStep& step, const Column& column, int32_t row) {
  const auto at = static_cast<size_t>(row);
  switch (step.op) {
    case WriteOp::kConstant: return true;
    case WriteOp::kBoolean: out_.AppendValue<uint8_t>(column.GetBool(row) ? 1 : 0); return true;
    case WriteOp::kInt32AsLong: AppendAvroLong(column.values<int32_t>()[at], out_); return true;
    case WriteOp::kInt64: AppendAvroLong(column.values<int64_t>()[at], out_); return true;
    case WriteOp::kMillisAsMicros32:
      AppendAvroLong(int64_t{column.values<int32_t>()[at]} * 1000, out_);
      return true;
    case WriteOp::kMillisAsMicros64: {
      int64_t micros = 0;
      if (__builtin_mul_overflow(column.values<int64_t>()[at], int64_t{1000}, &micros)) {
        fault_ = "a time is too far away for microseconds";
        return false;
      }
      AppendAvroLong(micros, out_);
      return true;
    }
    case WriteOp::kDouble: out_.AppendValue<double>(column.values<double>()[at]); return true;
    case WriteOp::kFloat:
      out_.AppendValue<float>(static_cast<float>(column.values<double>()[at]));
      return true;
    case WriteOp::kInt32AsDouble:
      out_.AppendValue<double>(column.values<int32_t>()[at]);
      return true;
    case WriteOp::kInt32AsFloat:
      out_.AppendValue<float>(static_cast<float>(column.values<int32_t>()[at]));
      return true;
    case WriteOp::kBytes: AppendAvroBytes(column.GetString(row), out_); return true;
    case WriteOp::kFixed: {
      const std::string_view bytes = column.GetString(row);
      if (static_cast<int64_t>(bytes.size()) != step.size) {
        fault_ = fmt::format("{} bytes, where the schema takes {}", bytes.size(), step.size);
        return false;
      }
      out_.Append(bytes.data(), bytes.size());
      return true;
    }
    case WriteOp::kEnum: return WriteSymbol(step, column.GetString(row));
    case WriteOp::kDecimal: return WriteDecimal(step, column.values<Decimal128>()[at]);
    case WriteOp::kArray:
    case WriteOp::kMap:
    case WriteOp::kMapEntries: return WriteItems(step, column, row);
    case WriteOp::kRecord: return WriteFields(step, column.parts().children, row);
  }
  return true;
}

bool AvroWriter::WriteSymbol(const AvroWriteStep& step, std::string_view text) {
  const auto found = std::ranges::find(step.symbols, text);
  if (found == step.symbols.end()) {
    fault_ = fmt::format("'{}' is no symbol of the schema's enum", text);
    return false;
  }
  AppendAvroLong(found - step.symbols.begin(), out_);
  return true;
}

bool AvroWriter::WriteDecimal(const AvroWriteStep& step, Decimal128 given) {
  Int128 value = ToInt128(given);
  char buffer[16];
  if ((step.scale != step.to_scale && !RescaleDecimal(value, step.scale, step.to_scale, value)) ||
      !FitsPrecision(value, step.precision)) {
    fault_ = "a decimal has more digits than the schema takes";
    return false;
  }
  const std::string_view bytes = WriteDecimalBytes(value, buffer);
  if (step.size < 0) {
    AppendAvroBytes(bytes, out_);
    return true;
  }
  const auto size = static_cast<size_t>(step.size);
  if (bytes.size() > size) {
    fault_ = "a decimal has more bytes than the schema takes";
    return false;
  }
  for (size_t i = bytes.size(); i < size; ++i) out_.AppendValue<char>(value < 0 ? '\xff' : '\0');
  out_.Append(bytes.data(), bytes.size());
  return true;
}

bool AvroWriter::WriteItems(const AvroWriteStep& step, const Column& column, int32_t row) {
  const int32_t begin = column.offsets()[row];
  const int32_t end = column.offsets()[row + 1];
  if (end > begin) AppendAvroLong(end - begin, out_);
  for (int32_t i = begin; i < end; ++i) {
    if (step.op == WriteOp::kArray) {
      if (!Write(step.steps[0], *column.child(0), i)) return false;
      continue;
    }
    if (step.op == WriteOp::kMap) {
      AppendAvroBytes(column.child(0)->GetString(i), out_);
    } else if (!Write(step.steps[0], *column.child(0), i)) {
      return false;
    }
    if (!Write(step.steps.back(), *column.child(1), i)) return false;
  }
  AppendAvroLong(0, out_);
  return true;
}

}  // namespace weir
