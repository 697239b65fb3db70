#include "exec/formats/protobuf/protobuf_writer.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "base/decimal.h"
#include "base/letter_case.h"
#include "base/status_macros.h"
#include "exec/formats/protobuf/protobuf_values.h"
#include "exec/formats/protobuf/protobuf_wire.h"

namespace weir {
namespace {

using MessageOp = ProtobufWriteStep::Op;

constexpr int kMessageDepthMax = 100;

int ColumnFor(std::span<const DataType::Field> columns, std::string_view name) {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == name) return static_cast<int>(i);
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    if (EqualIgnoringCase(columns[i].name, name)) return static_cast<int>(i);
  }
  return -1;
}

bool Takes64Bits(ProtobufKind kind) {
  switch (kind) {
    // Unsigned numbers of 32 bits are BIGINTs, as no smaller type holds them all.
    case ProtobufKind::kUint32:
    case ProtobufKind::kFixed32:
    case ProtobufKind::kInt64:
    case ProtobufKind::kUint64:
    case ProtobufKind::kSint64:
    case ProtobufKind::kFixed64:
    case ProtobufKind::kSfixed64: return true;
    default: return false;
  }
}

MessageOp MessageScalarOp(ProtobufKind kind, const DataType& from) {
  switch (from.kind()) {
    case TypeKind::kBoolean:
      return kind == ProtobufKind::kBool ? MessageOp::kBoolean : MessageOp::kNothing;
    case TypeKind::kInt:
      if (kind == ProtobufKind::kDouble) return MessageOp::kInt32AsDouble;
      if (kind == ProtobufKind::kFloat) return MessageOp::kInt32AsFloat;
      return Takes64Bits(kind) || kind == ProtobufKind::kInt32 || kind == ProtobufKind::kSint32 ||
                     kind == ProtobufKind::kSfixed32
                 ? MessageOp::kInt32
                 : MessageOp::kNothing;
    case TypeKind::kBigint: return Takes64Bits(kind) ? MessageOp::kInt64 : MessageOp::kNothing;
    case TypeKind::kDouble:
      if (kind == ProtobufKind::kDouble) return MessageOp::kDouble;
      return kind == ProtobufKind::kFloat ? MessageOp::kFloat : MessageOp::kNothing;
    case TypeKind::kString:
      if (kind == ProtobufKind::kString) return MessageOp::kBytes;
      return kind == ProtobufKind::kEnum ? MessageOp::kEnum : MessageOp::kNothing;
    case TypeKind::kBytes:
      return kind == ProtobufKind::kBytes ? MessageOp::kBytes : MessageOp::kNothing;
    default: return MessageOp::kNothing;
  }
}

class WritePlanner {
 public:
  Result<ProtobufWriteStep> Message(const ProtobufMessage& message,
                                    std::span<const DataType::Field> columns) {
    if (++depth_ > kMessageDepthMax) {
      return Status(ErrorCode::kFormatMismatch,
                    fmt::format("messages of more than {} levels", kMessageDepthMax));
    }
    ProtobufWriteStep step;
    step.op = MessageOp::kStruct;
    step.kind = ProtobufKind::kMessage;
    std::vector<bool> used(columns.size(), false);
    for (const ProtobufField& field : message.fields) {
      const int target = ColumnFor(columns, field.name);
      ProtobufWriteStep each;
      if (target >= 0 && !used[static_cast<size_t>(target)]) {
        WEIR_ASSIGN_OR_RETURN(each, Field(field, columns[static_cast<size_t>(target)].type));
        used[static_cast<size_t>(target)] = true;
        each.target = target;
      } else if (field.required) {
        return Status(
            ErrorCode::kFormatMismatch,
            fmt::format("the schema requires field {}, and no column has its name", field.name));
      }
      if (each.op != MessageOp::kNothing) step.steps.push_back(std::move(each));
    }
    for (size_t oneof = 0; oneof < message.oneofs.size(); ++oneof) {
      const int target = ColumnFor(columns, fmt::format("{}_{}", message.oneofs[oneof], oneof));
      if (target < 0 || used[static_cast<size_t>(target)]) continue;
      used[static_cast<size_t>(target)] = true;
      WEIR_ASSIGN_OR_RETURN(ProtobufWriteStep each, OneOf(message, static_cast<int>(oneof),
                                                          columns[static_cast<size_t>(target)]));
      for (const ProtobufWriteStep& member : each.steps) {
        const auto same = std::ranges::find(step.steps, member.number, &ProtobufWriteStep::number);
        if (same == step.steps.end()) continue;
        return Status(ErrorCode::kFormatMismatch,
                      fmt::format("{} has the member {} of the oneof {}, and so has a column of "
                                  "that name",
                                  each.name, member.name, message.oneofs[oneof]));
      }
      each.target = target;
      step.steps.push_back(std::move(each));
    }
    for (size_t i = 0; i < columns.size(); ++i) {
      if (used[i]) continue;
      return Status(ErrorCode::kFormatMismatch,
                    fmt::format("the schema's message {} has no field for {}", message.full_name,
                                columns[i].name));
    }
    --depth_;
    return step;
  }

 private:
  static Status Cannot(const ProtobufField& field, const DataType& type) {
    return Status(
        ErrorCode::kFormatMismatch,
        fmt::format("{} cannot be written as the schema's field {}", type.ToString(), field.name));
  }

  Result<ProtobufWriteStep> Field(const ProtobufField& field, const DataType& type) {
    ProtobufWriteStep step;
    if (field.is_map != type.is(TypeKind::kMap)) return Cannot(field, type);
    if (field.is_map) {
      step.op = MessageOp::kMap;
      step.kind = ProtobufKind::kMessage;
      for (const bool is_key : {true, false}) {
        const ProtobufField& part = field.message->fields[is_key ? 0 : 1];
        WEIR_ASSIGN_OR_RETURN(ProtobufWriteStep each,
                              Value(part, is_key ? type.key() : type.element()));
        each.number = part.number;
        each.keeps_zero = true;
        each.name = field.name;
        step.steps.push_back(std::move(each));
      }
    } else if (field.repeated != type.is(TypeKind::kArray)) {
      return Cannot(field, type);
    } else {
      WEIR_ASSIGN_OR_RETURN(step, Value(field, field.repeated ? type.element() : type));
    }
    step.number = field.number;
    step.name = field.name;
    step.repeated = field.repeated && !field.is_map;
    step.packed = field.packed;
    // Of proto2 fields it is known whether they are there.
    step.keeps_zero = field.repeated || field.optional || field.required || !IsPlainDefault(field);
    step.required = field.required;
    return step;
  }

  /// A STRUCT with a field for each member, as such columns are read.
  Result<ProtobufWriteStep> OneOf(const ProtobufMessage& message, int oneof,
                                  const DataType::Field& column) {
    const std::string& name = message.oneofs[static_cast<size_t>(oneof)];
    if (!column.type.is(TypeKind::kStruct)) {
      return Status(ErrorCode::kFormatMismatch,
                    fmt::format("{} cannot be written as the schema's oneof {}",
                                column.type.ToString(), name))
          .WithHint("a STRUCT with fields named after its members can");
    }
    const std::span<const DataType::Field> fields = column.type.fields();
    ProtobufWriteStep step;
    step.op = MessageOp::kOneOf;
    step.name = column.name;
    std::vector<bool> used(fields.size(), false);
    for (const ProtobufField& member : message.fields) {
      if (member.oneof != oneof) continue;
      const int target = ColumnFor(fields, member.name);
      if (target < 0) continue;
      const auto at = static_cast<size_t>(target);
      WEIR_ASSIGN_OR_RETURN(ProtobufWriteStep each, Field(member, fields[at].type));
      each.target = target;
      used[at] = true;
      step.steps.push_back(std::move(each));
    }
    for (size_t i = 0; i < fields.size(); ++i) {
      if (used[i]) continue;
      return Status(ErrorCode::kFormatMismatch,
                    fmt::format("the schema's oneof {} has no member for {}->{}", name, column.name,
                                fields[i].name));
    }
    return step;
  }

  static bool IsPlainDefault(const ProtobufField& field) {
    return field.default_bits == 0 && field.default_text.empty();
  }

  Result<ProtobufWriteStep> Value(const ProtobufField& field, const DataType& type) {
    ProtobufWriteStep step;
    step.kind = field.kind;
    if (field.kind != ProtobufKind::kMessage) {
      step.op = MessageScalarOp(field.kind, type);
      if (step.op == MessageOp::kNothing) return Cannot(field, type);
      if (field.enumeration != nullptr) step.symbols = field.enumeration->symbols;
      return step;
    }
    const auto is = [&](TypeKind kind, MessageOp op) -> Result<ProtobufWriteStep> {
      if (!type.is(kind)) return Cannot(field, type);
      step.op = op;
      return step;
    };
    switch (field.message->meaning) {
      case ProtobufMeaning::kWrapper: {
        WEIR_ASSIGN_OR_RETURN(step, Value(field.message->fields[0], type));
        step.wrapped = true;
        return step;
      }
      case ProtobufMeaning::kTimestamp: return is(TypeKind::kTimestamp, MessageOp::kTimestamp);
      case ProtobufMeaning::kDate: return is(TypeKind::kDate, MessageOp::kDate);
      case ProtobufMeaning::kTimeOfDay: return is(TypeKind::kTime, MessageOp::kTimeOfDay);
      case ProtobufMeaning::kDecimal:
        step.scale = type.scale();
        return is(TypeKind::kDecimal, MessageOp::kDecimal);
      case ProtobufMeaning::kNone: break;
    }
    if (!type.is(TypeKind::kStruct)) return Cannot(field, type);
    return Message(*field.message, type.fields());
  }

  int depth_ = 0;
};

}  // namespace

Result<ProtobufWriteStep> PlanProtobufWrite(const ProtobufMessage& message,
                                            std::span<const DataType::Field> columns) {
  return WritePlanner().Message(message, columns);
}

bool ProtobufWriter::Fail(const ProtobufWriteStep& step, std::string_view why) {
  fault_ = fmt::format("field {}: {}", step.name, why);
  return false;
}

bool ProtobufWriter::Write(const ProtobufWriteStep& message, std::span<const ColumnPtr> columns,
                           int32_t row) {
  for (const ProtobufWriteStep& step : message.steps) {
    if (!WriteField(step, *columns[static_cast<size_t>(step.target)], row)) return false;
  }
  return true;
}

bool ProtobufWriter::WriteField(const ProtobufWriteStep& step, const Column& column, int32_t row) {
  if (column.IsNull(row)) {
    return !step.required || Fail(step, "a null, where the schema takes none");
  }
  if (step.op == MessageOp::kMap) return WriteEntries(step, column, row);
  if (step.op == MessageOp::kOneOf) return WriteMember(step, column, row);
  if (step.repeated) return WriteItems(step, column, row);
  return WriteOne(step, column, row);
}

bool ProtobufWriter::WriteMember(const ProtobufWriteStep& step, const Column& column, int32_t row) {
  const std::vector<ColumnPtr>& values = column.parts().children;
  const ProtobufWriteStep* there = nullptr;
  for (const ProtobufWriteStep& member : step.steps) {
    if (values[static_cast<size_t>(member.target)]->IsNull(row)) continue;
    if (there != nullptr) {
      return Fail(step, fmt::format("both {} and {} are there, and a oneof has one at most",
                                    there->name, member.name));
    }
    there = &member;
  }
  return there == nullptr || WriteField(*there, *values[static_cast<size_t>(there->target)], row);
}

bool ProtobufWriter::WriteItems(const ProtobufWriteStep& step, const Column& column, int32_t row) {
  const int32_t begin = column.offsets()[row];
  const int32_t end = column.offsets()[row + 1];
  const Column& items = *column.child(0);
  const bool packed = step.packed && end > begin;
  size_t length = 0;
  if (packed) {
    AppendTag(step.number, ProtobufWire::kLength, out_);
    length = BeginLength(out_);
  }
  for (int32_t i = begin; i < end; ++i) {
    if (packed) {
      uint64_t bits = 0;
      if (!items.IsNull(i) && !BitsOf(step, items, i, bits)) return false;
      AppendScalar(WireOf(step.kind), bits, out_);
    } else if (!items.IsNull(i)) {
      if (!WriteOne(step, items, i)) return false;
    } else if (step.op == MessageOp::kDate) {
      return Fail(step, "a null among its items, and a Date has no value for that");
    } else {
      // Protobuf has no nulls among items: the type's default, as of a field.
      const ProtobufWire wire = step.wrapped ? ProtobufWire::kLength : WireOf(step.kind);
      AppendTag(step.number, wire, out_);
      AppendScalar(wire == ProtobufWire::kLength ? ProtobufWire::kVarint : wire, 0, out_);
    }
  }
  if (packed) EndLength(length, out_);
  return true;
}

bool ProtobufWriter::WriteEntries(const ProtobufWriteStep& step, const Column& column,
                                  int32_t row) {
  for (int32_t i = column.offsets()[row]; i < column.offsets()[row + 1]; ++i) {
    AppendTag(step.number, ProtobufWire::kLength, out_);
    const size_t length = BeginLength(out_);
    for (int part = 0; part < 2; ++part) {
      const Column& values = *column.child(part);
      if (values.IsNull(i)) continue;
      if (!WriteOne(step.steps[static_cast<size_t>(part)], values, i)) return false;
    }
    EndLength(length, out_);
  }
  return true;
}

bool ProtobufWriter::WriteOne(const ProtobufWriteStep& step, const Column& column, int32_t row) {
  if (step.wrapped) {
    AppendTag(step.number, ProtobufWire::kLength, out_);
    const size_t length = BeginLength(out_);
    if (step.op == MessageOp::kBytes) {
      const std::string_view bytes = column.GetString(row);
      if (!bytes.empty()) {
        AppendTag(1, ProtobufWire::kLength, out_);
        AppendVarint(bytes.size(), out_);
        out_.Append(bytes.data(), bytes.size());
      }
    } else {
      uint64_t bits = 0;
      if (!BitsOf(step, column, row, bits)) return false;
      if (bits != 0) {
        AppendTag(1, WireOf(step.kind), out_);
        AppendScalar(WireOf(step.kind), bits, out_);
      }
    }
    EndLength(length, out_);
    return true;
  }
  if (step.op == MessageOp::kBytes) {
    const std::string_view bytes = column.GetString(row);
    if (bytes.empty() && !step.keeps_zero) return true;
    AppendTag(step.number, ProtobufWire::kLength, out_);
    AppendVarint(bytes.size(), out_);
    out_.Append(bytes.data(), bytes.size());
    return true;
  }
  if (step.kind == ProtobufKind::kMessage) {
    AppendTag(step.number, ProtobufWire::kLength, out_);
    const size_t length = BeginLength(out_);
    if (!WriteBody(step, column, row)) return false;
    EndLength(length, out_);
    return true;
  }
  uint64_t bits = 0;
  if (!BitsOf(step, column, row, bits)) return false;
  if (bits == 0 && !step.keeps_zero) return true;
  const ProtobufWire wire = WireOf(step.kind);
  AppendTag(step.number, wire, out_);
  AppendScalar(wire, bits, out_);
  return true;
}

bool ProtobufWriter::WriteBody(const ProtobufWriteStep& step, const Column& column, int32_t row) {
  const auto at = static_cast<size_t>(row);
  switch (step.op) {
    case MessageOp::kStruct: return Write(step, column.parts().children, row);
    case MessageOp::kTimestamp:
      AppendProtobufTimestamp(column.values<int64_t>()[at], out_);
      return true;
    case MessageOp::kDate:
      return AppendProtobufDate(column.values<int32_t>()[at], out_) ||
             Fail(step, "a date outside the years 1 to 9999, which are all that a Date takes");
    case MessageOp::kTimeOfDay: AppendProtobufTime(column.values<int32_t>()[at], out_); return true;
    default: break;
  }
  AppendProtobufDecimal(ToInt128(column.values<Decimal128>()[at]), step.scale, out_);
  return true;
}

bool ProtobufWriter::BitsOf(const ProtobufWriteStep& step, const Column& column, int32_t row,
                            uint64_t& bits) {
  const auto at = static_cast<size_t>(row);
  int64_t number = 0;
  switch (step.op) {
    case MessageOp::kBoolean: bits = column.GetBool(row) ? 1 : 0; return true;
    case MessageOp::kDouble:
      bits = std::bit_cast<uint64_t>(column.values<double>()[at]);
      return true;
    case MessageOp::kFloat:
      bits = std::bit_cast<uint32_t>(static_cast<float>(column.values<double>()[at]));
      return true;
    case MessageOp::kInt32AsDouble:
      bits = std::bit_cast<uint64_t>(static_cast<double>(column.values<int32_t>()[at]));
      return true;
    case MessageOp::kInt32AsFloat:
      bits = std::bit_cast<uint32_t>(static_cast<float>(column.values<int32_t>()[at]));
      return true;
    case MessageOp::kEnum: {
      const std::string_view text = column.GetString(row);
      const auto found = std::ranges::find_if(
          step.symbols, [&](const auto& symbol) { return symbol.second == text; });
      if (found == step.symbols.end()) {
        return Fail(step, fmt::format("'{}' is no name of the schema's enum", text));
      }
      bits = static_cast<uint64_t>(int64_t{found->first});
      return true;
    }
    case MessageOp::kInt32: number = column.values<int32_t>()[at]; break;
    default: number = column.values<int64_t>()[at]; break;
  }
  switch (step.kind) {
    case ProtobufKind::kUint32:
    case ProtobufKind::kFixed32:
      if (number < 0 || number > UINT32_MAX) {
        return Fail(step, fmt::format("{} is no unsigned number of 32 bits", number));
      }
      break;
    case ProtobufKind::kUint64:
    case ProtobufKind::kFixed64:
      if (number < 0) return Fail(step, fmt::format("{} is no unsigned number", number));
      break;
    case ProtobufKind::kSint32:
    case ProtobufKind::kSint64: bits = ToZigZag(number); return true;
    case ProtobufKind::kSfixed32: bits = static_cast<uint32_t>(number); return true;
    default: break;
  }
  bits = static_cast<uint64_t>(number);
  return true;
}

}  // namespace weir
