#include "exec/formats/protobuf/protobuf_plan.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/letter_case.h"
#include "base/limits.h"
#include "base/status_macros.h"

namespace weir {
namespace {

using StepOp = ProtobufStep::Op;

/// Messages that are named once can be used many times, so a small schema may describe a huge
/// value.
constexpr int kProtobufStepsMax = 200'000;
/// Numbers that have a place in a table.
constexpr int32_t kLowNumbers = 1024;

bool IsIntegerKind(ProtobufKind kind) {
  return kind >= ProtobufKind::kInt32 && kind <= ProtobufKind::kSfixed64;
}

const ProtobufField* FindProtobufField(const ProtobufMessage& message, std::string_view name) {
  for (const ProtobufField& field : message.fields) {
    if (field.name == name) return &field;
  }
  for (const ProtobufField& field : message.fields) {
    if (EqualIgnoringCase(field.name, name)) return &field;
  }
  return nullptr;
}

class ProtobufPlanner {
 public:
  Result<ProtobufStep> Message(const ProtobufMessage& message, const DataType& type) {
    WEIR_RETURN_IF_ERROR(Count());
    ProtobufStep step;
    step.op = StepOp::kStruct;
    step.kind = ProtobufKind::kMessage;
    std::vector<const ProtobufField*> used;
    for (const DataType::Field& column : type.fields()) {
      WEIR_ASSIGN_OR_RETURN(ProtobufStep each, Column(message, column, used, step));
      step.steps.push_back(std::move(each));
    }
    NumberSlots(step);
    return step;
  }

 private:
  Status Count() {
    if (++steps_ <= kProtobufStepsMax) return OkStatus();
    return Status(
        ErrorCode::kFormatMismatch,
        fmt::format("a Protobuf schema describes values of more than {} parts", kProtobufStepsMax));
  }

  /// A field fills one column; a second one of the same letters gets nothing.
  Result<ProtobufStep> Column(const ProtobufMessage& message, const DataType::Field& column,
                              std::vector<const ProtobufField*>& used, ProtobufStep& around) {
    const ProtobufField* field = FindProtobufField(message, column.name);
    if (field != nullptr && std::ranges::find(used, field) == used.end()) {
      used.push_back(field);
      return Field(message, *field, column.type, around);
    }
    for (size_t i = 0; i < message.oneofs.size(); ++i) {
      const bool named = EqualIgnoringCase(column.name, fmt::format("{}_{}", message.oneofs[i], i));
      if (!named || !column.type.is(TypeKind::kStruct)) continue;
      ProtobufStep step;
      step.op = StepOp::kOneof;
      step.oneof = static_cast<int>(i);
      for (const DataType::Field& member : column.type.fields()) {
        const ProtobufField* of_member = FindProtobufField(message, member.name);
        ProtobufStep each;
        if (of_member != nullptr && of_member->oneof == step.oneof) {
          WEIR_ASSIGN_OR_RETURN(each, Field(message, *of_member, member.type, around));
        }
        step.steps.push_back(std::move(each));
      }
      return step;
    }
    return ProtobufStep();
  }

  Result<ProtobufStep> Field(const ProtobufMessage& message, const ProtobufField& field,
                             const DataType& type, ProtobufStep& around) {
    WEIR_RETURN_IF_ERROR(Count());
    ProtobufStep step;
    if (field.is_map) {
      if (type.is(TypeKind::kMap)) {
        WEIR_ASSIGN_OR_RETURN(step, Entry(*field.message, type));
      } else {
        step = Mismatch(field, type);
      }
    } else if (field.repeated) {
      if (type.is(TypeKind::kArray)) {
        WEIR_ASSIGN_OR_RETURN(step, Value(field, type.element()));
        if (step.op == StepOp::kMismatch) step = Mismatch(field, type);
        step.repeated = true;
      } else {
        step = Mismatch(field, type);
      }
    } else {
      WEIR_ASSIGN_OR_RETURN(step, Value(field, type));
    }
    step.optional = field.optional;
    step.oneof = field.oneof;
    step.slot = SlotOf(field, around);
    // Which of a oneof's fields came last can be told only by all of them.
    for (const ProtobufField& other : message.fields) {
      if (field.oneof >= 0 && other.oneof == field.oneof) SlotOf(other, around);
    }
    return step;
  }

  static int SlotOf(const ProtobufField& field, ProtobufStep& around) {
    for (size_t i = 0; i < around.slots.size(); ++i) {
      if (around.slots[i].number == field.number) return static_cast<int>(i);
    }
    const ProtobufWire wire = WireOf(field.kind);
    around.slots.push_back(
        {field.number, wire, field.repeated && wire != ProtobufWire::kLength, field.oneof});
    return static_cast<int>(around.slots.size()) - 1;
  }

  static void NumberSlots(ProtobufStep& step) {
    for (size_t i = 0; i < step.slots.size(); ++i) {
      const int32_t number = step.slots[i].number;
      const auto slot = static_cast<int32_t>(i);
      if (number >= kLowNumbers) {
        step.other_slots.emplace_back(number, slot);
        continue;
      }
      const auto at = static_cast<size_t>(number);
      if (at >= step.slot_of_number.size()) step.slot_of_number.resize(at + 1, -1);
      step.slot_of_number[at] = slot;
    }
    std::ranges::sort(step.other_slots);
  }

  Result<ProtobufStep> Entry(const ProtobufMessage& entry, const DataType& type) {
    ProtobufStep step;
    step.op = StepOp::kMap;
    step.kind = ProtobufKind::kMessage;
    for (const bool is_key : {true, false}) {
      const ProtobufField* field = FindProtobufField(entry, is_key ? "key" : "value");
      if (field == nullptr) return Mismatch(is_key ? "a map without keys" : "a map", type);
      WEIR_ASSIGN_OR_RETURN(ProtobufStep each, Value(*field, is_key ? type.key() : type.element()));
      each.optional = false;
      each.slot = SlotOf(*field, step);
      step.steps.push_back(std::move(each));
    }
    NumberSlots(step);
    return step;
  }

  /// Of one value, be it the field's own or one of many.
  Result<ProtobufStep> Value(const ProtobufField& field, const DataType& type) {
    if (field.kind != ProtobufKind::kMessage) return Scalar(field, type);
    switch (field.message->meaning) {
      case ProtobufMeaning::kWrapper: {
        ProtobufStep step = Scalar(field.message->fields[0], type);
        step.wrapped = true;
        return step;
      }
      case ProtobufMeaning::kTimestamp:
        return type.is(TypeKind::kTimestamp) ? Plain(StepOp::kTimestamp) : Mismatch(field, type);
      case ProtobufMeaning::kDate:
        return type.is(TypeKind::kDate) ? Plain(StepOp::kDate) : Mismatch(field, type);
      case ProtobufMeaning::kTimeOfDay:
        return type.is(TypeKind::kTime) ? Plain(StepOp::kTimeOfDay) : Mismatch(field, type);
      case ProtobufMeaning::kDecimal: {
        if (!type.is(TypeKind::kDecimal)) return Mismatch(field, type);
        ProtobufStep step = Plain(StepOp::kDecimal);
        step.to_scale = type.scale();
        step.precision = type.precision();
        return step;
      }
      case ProtobufMeaning::kNone: break;
    }
    if (type.is(TypeKind::kStruct)) return Message(*field.message, type);
    return Mismatch(field, type);
  }

  static ProtobufStep Plain(StepOp op) {
    ProtobufStep step;
    step.op = op;
    step.kind = ProtobufKind::kMessage;
    return step;
  }

  static ProtobufStep Mismatch(std::string_view what, const DataType& type) {
    ProtobufStep step = Plain(StepOp::kMismatch);
    step.fault = fmt::format("the writer's {} is no {}", what, type.ToString());
    return step;
  }
  static ProtobufStep Mismatch(const ProtobufField& field, const DataType& type) {
    return Mismatch("field " + field.name, type);
  }

  static StepOp ScalarOp(ProtobufKind kind, const DataType& type) {
    switch (type.kind()) {
      case TypeKind::kBoolean:
        return kind == ProtobufKind::kBool ? StepOp::kBoolean : StepOp::kMismatch;
      case TypeKind::kInt: return IsIntegerKind(kind) ? StepOp::kInt32 : StepOp::kMismatch;
      case TypeKind::kBigint: return IsIntegerKind(kind) ? StepOp::kInt64 : StepOp::kMismatch;
      case TypeKind::kDouble:
        if (kind == ProtobufKind::kDouble) return StepOp::kDouble;
        if (kind == ProtobufKind::kFloat) return StepOp::kFloat;
        return IsIntegerKind(kind) ? StepOp::kIntegerAsDouble : StepOp::kMismatch;
      case TypeKind::kString:
        if (kind == ProtobufKind::kString) return StepOp::kString;
        if (kind == ProtobufKind::kEnum) return StepOp::kEnum;
        if (kind == ProtobufKind::kBool) return StepOp::kBooleanAsText;
        return IsIntegerKind(kind) ? StepOp::kIntegerAsText : StepOp::kMismatch;
      case TypeKind::kBytes:
        return kind == ProtobufKind::kBytes ? StepOp::kBytes : StepOp::kMismatch;
      default: return StepOp::kMismatch;
    }
  }

  static ProtobufStep Scalar(const ProtobufField& field, const DataType& type) {
    ProtobufStep step;
    step.op = ScalarOp(field.kind, type);
    if (step.op == StepOp::kMismatch) return Mismatch(field, type);
    step.kind = field.kind;
    step.default_bits = field.default_bits;
    step.default_text = field.default_text;
    if (step.op == StepOp::kEnum) {
      step.symbols = field.enumeration->symbols;
      // Of names for one number the first counts.
      std::ranges::stable_sort(step.symbols, {}, [](const auto& each) { return each.first; });
    }
    return step;
  }

  int steps_ = 0;
};

}  // namespace

Result<ProtobufStep> PlanProtobufMessage(const ProtobufMessage& message, const DataType& columns) {
  return ProtobufPlanner().Message(message, columns);
}

}  // namespace weir
