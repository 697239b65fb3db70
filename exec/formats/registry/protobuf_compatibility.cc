// Which messages of Protobuf a schema can read that another one wrote, by the rules of Confluent's
// registry.

#include <fmt/format.h>

#include "base/status_macros.h"
#include "exec/formats/registry/memory_registry.h"

namespace weir {
namespace {

/// Kinds whose values have the same bytes.
int GroupOf(ProtobufKind kind) {
  switch (kind) {
    case ProtobufKind::kInt32:
    case ProtobufKind::kInt64:
    case ProtobufKind::kUint32:
    case ProtobufKind::kUint64:
    case ProtobufKind::kBool:
    case ProtobufKind::kEnum: return 0;
    case ProtobufKind::kSint32:
    case ProtobufKind::kSint64: return 1;
    case ProtobufKind::kString:
    case ProtobufKind::kBytes: return 2;
    case ProtobufKind::kFixed32:
    case ProtobufKind::kSfixed32: return 3;
    case ProtobufKind::kFixed64:
    case ProtobufKind::kSfixed64: return 4;
    default: return 100 + static_cast<int>(kind);
  }
}

const ProtobufField* ByNumber(const ProtobufMessage& message, int32_t number) {
  for (const ProtobufField& field : message.fields) {
    if (field.number == number) return &field;
  }
  return nullptr;
}

Status Breaks(const ProtobufMessage& message, const ProtobufField& field, std::string_view what) {
  return Status(ErrorCode::kIncompatibleChange,
                fmt::format("field {} (number {}) of message {} {}", field.name, field.number,
                            message.full_name, what));
}

Status CheckField(const ProtobufMessage& message, const ProtobufField& reader,
                  const ProtobufField& writer) {
  if (reader.is_map != writer.is_map || GroupOf(reader.kind) != GroupOf(writer.kind)) {
    return Breaks(message, reader, "is of another type");
  }
  const bool text = GroupOf(reader.kind) == GroupOf(ProtobufKind::kString) ||
                    reader.kind == ProtobufKind::kMessage;
  // Of numbers one value and a list of them are not the same bytes.
  if (reader.repeated != writer.repeated && !text) {
    return Breaks(message, reader, reader.repeated ? "is repeated now" : "is repeated no longer");
  }
  if (reader.kind == ProtobufKind::kMessage && !reader.is_map &&
      reader.message->full_name != writer.message->full_name) {
    return Breaks(message, reader,
                  fmt::format("is a {} in place of a {}", reader.message->full_name,
                              writer.message->full_name));
  }
  if (reader.required && !writer.required) return Breaks(message, reader, "is required now");
  return OkStatus();
}

}  // namespace

Status CheckProtobufReads(const ProtobufSchema& reader, const ProtobufSchema& writer) {
  for (const ProtobufMessage* old : writer.messages()) {
    const ProtobufMessage* message = reader.Find(old->full_name);
    if (message == nullptr || message->full_name != old->full_name) {
      return Status(ErrorCode::kIncompatibleChange,
                    fmt::format("message {} is gone", old->full_name));
    }
    for (const ProtobufField& before : old->fields) {
      const ProtobufField* now = ByNumber(*message, before.number);
      if (now == nullptr) {
        if (before.oneof >= 0) return Breaks(*message, before, "has left its oneof");
        if (before.required) return Breaks(*message, before, "was required, and is gone");
        continue;
      }
      WEIR_RETURN_IF_ERROR(CheckField(*message, *now, before));
    }
    for (const ProtobufField& now : message->fields) {
      if (now.required && ByNumber(*old, now.number) == nullptr) {
        return Breaks(*message, now, "is new and required");
      }
    }
  }
  return OkStatus();
}

}  // namespace weir
