// The formats by name: what each can hold, and how to make its decoder and encoder.

#include <algorithm>

#include "base/schema_rules.h"
#include "exec/formats/avro/avro_format.h"
#include "exec/formats/delimited_format.h"
#include "exec/formats/format.h"
#include "exec/formats/json/json_decoder.h"
#include "exec/formats/json/json_encoder.h"
#include "exec/formats/json/json_sr_format.h"
#include "exec/formats/kafka_format.h"
#include "exec/formats/protobuf/protobuf_format.h"

namespace weir {
namespace {

Status Misfit(const FormatSpec& spec, std::string_view what) {
  return Status(ErrorCode::kFormatMismatch, "the " + spec.name + " format " + std::string(what));
}

Status CannotHold(const FormatSpec& spec, const FormatColumn& column) {
  static constexpr const char* kNested[] = {"ARRAY", "MAP", "STRUCT"};
  const auto kind = column.type.kind();
  const std::string type =
      column.type.is_nested() ? kNested[static_cast<int>(kind) - static_cast<int>(TypeKind::kArray)]
                              : column.type.ToString();
  return Misfit(spec, "does not support type " + type + ", column: " + column.name);
}

/// MAPs anywhere in `type` have text keys.
bool HasTextKeys(const DataType& type) {
  switch (type.kind()) {
    case TypeKind::kArray: return HasTextKeys(type.element());
    case TypeKind::kMap: return type.key().is(TypeKind::kString) && HasTextKeys(type.element());
    case TypeKind::kStruct:
      return std::all_of(type.fields().begin(), type.fields().end(),
                         [](const DataType::Field& field) { return HasTextKeys(field.type); });
    default: return true;
  }
}

Status CheckJson(const FormatSpec& spec, const std::vector<FormatColumn>& columns) {
  for (const char* name : {"DELIMITER", "KEY_DELIMITER", "VALUE_DELIMITER"}) {
    if (spec.properties.contains(name)) {
      return Status(
          ErrorCode::kInvalidProperty,
          "the " + spec.name + " format does not support the property: " + std::string(name));
    }
  }
  for (const FormatColumn& column : columns) {
    if (!HasTextKeys(column.type)) {
      return Misfit(spec, "only supports MAPs with VARCHAR keys, column: " + column.name);
    }
  }
  return OkStatus();
}

Status CheckNames(const FormatSpec& spec, const std::vector<FormatColumn>& columns) {
  for (const FormatColumn& column : columns) {
    const std::string misname = SchemaMisname(column.name, column.type);
    if (misname.empty() && SchemaNameFault(column.name).empty()) continue;
    return Misfit(spec, "takes no field of the name '" + misname +
                            "': " + std::string(SchemaNameFault(misname)));
  }
  return OkStatus();
}

Status CheckAvro(const FormatSpec& spec, const std::vector<FormatColumn>& columns) {
  if (Status status = CheckJson(spec, columns); !status.ok()) return status;
  return CheckNames(spec, columns);
}

Status CheckProtobuf(const FormatSpec& spec, const std::vector<FormatColumn>& columns) {
  for (const FormatColumn& column : columns) {
    const std::string misfit = ProtobufMisfit(column.type);
    if (!misfit.empty())
      return Misfit(spec, "has no place for " + misfit + ", column: " + column.name);
  }
  return CheckNames(spec, columns);
}

Status CheckDelimited(const FormatSpec& spec, const std::vector<FormatColumn>& columns) {
  for (const FormatColumn& column : columns) {
    if (column.type.is_nested()) return CannotHold(spec, column);
  }
  return DelimiterOf(spec).status();
}

Status CheckKafka(const FormatSpec& spec, const std::vector<FormatColumn>& columns) {
  if (columns.size() > 1) {
    return Misfit(spec,
                  "only supports a single column, columns: " + std::to_string(columns.size()));
  }
  for (const FormatColumn& column : columns) {
    switch (column.type.kind()) {
      case TypeKind::kInt:
      case TypeKind::kBigint:
      case TypeKind::kDouble:
      case TypeKind::kString:
      case TypeKind::kBytes: break;
      default: return CannotHold(spec, column);
    }
  }
  return OkStatus();
}

Status CheckNone(const FormatSpec& spec, const std::vector<FormatColumn>& columns) {
  if (columns.empty()) return OkStatus();
  return Misfit(spec, "can only be used when no columns are defined, column: " + columns[0].name);
}

using Columns = std::vector<FormatColumn>;

struct FormatRow {
  const char* name;
  Status (*check)(const FormatSpec&, const Columns&);
  std::unique_ptr<SideDecoder> (*decoder)(const FormatSpec&, const Columns&);
  std::unique_ptr<SideEncoder> (*encoder)(const FormatSpec&, const Columns&);
};

constexpr FormatRow kFormats[] = {
    {"JSON", &CheckJson, &MakeJsonDecoder, &MakeJsonEncoder},
    {"AVRO", &CheckAvro, &MakeAvroDecoder, &MakeAvroEncoder},
    {"JSON_SR", &CheckJson, &MakeJsonSrDecoder, &MakeJsonSrEncoder},
    {"PROTOBUF", &CheckProtobuf, &MakeProtobufDecoder, &MakeProtobufEncoder},
    {"PROTOBUF_NOSR", &CheckProtobuf, &MakeProtobufDecoder, &MakeProtobufEncoder},
    {"DELIMITED", &CheckDelimited,
     [](const FormatSpec& spec, const Columns& columns) {
       return MakeDelimitedDecoder(spec, *DelimiterOf(spec), columns);
     },
     [](const FormatSpec& spec, const Columns&) {
       return MakeDelimitedEncoder(spec, *DelimiterOf(spec));
     }},
    {"KAFKA", &CheckKafka, &MakeKafkaDecoder, &MakeKafkaEncoder},
    {"NONE", &CheckNone,
     [](const FormatSpec& spec, const Columns& columns) {
       return MakeNoneDecoder(spec, columns.size());
     },
     [](const FormatSpec&, const Columns&) { return MakeNoneEncoder(); }},
};

Result<const FormatRow*> FindFormat(const FormatSpec& spec) {
  for (const FormatRow& row : kFormats) {
    if (spec.name == row.name) return &row;
  }
  return Status(ErrorCode::kInvalidProperty, "unknown format: " + spec.name)
      .WithHint(
          "the formats are JSON, DELIMITED, KAFKA, AVRO, JSON_SR, PROTOBUF, PROTOBUF_NOSR and "
          "NONE");
}

/// Schemas must be somewhere.
Status CheckHasRegistry(const FormatSpec& spec) {
  if (!NeedsRegistry(spec.name) || spec.registry != nullptr) return OkStatus();
  return Status(ErrorCode::kUnsupported,
                "the format " + spec.name + " needs a schema registry, and there is none here")
      .WithHint("topics of local stores and of memory have one; files and Kafka have not yet");
}

}  // namespace

Status CheckFormat(const FormatSpec& spec, const std::vector<FormatColumn>& columns) {
  auto row = FindFormat(spec);
  if (!row.ok()) return row.status();
  return (*row)->check(spec, columns);
}

Result<std::unique_ptr<SideDecoder>> MakeDecoder(const FormatSpec& spec,
                                                 const std::vector<FormatColumn>& columns) {
  auto row = FindFormat(spec);
  if (!row.ok()) return row.status();
  if (Status status = (*row)->check(spec, columns); !status.ok()) return status;
  if (Status status = CheckHasRegistry(spec); !status.ok()) return status;
  return (*row)->decoder(spec, columns);
}

Result<std::unique_ptr<SideEncoder>> MakeEncoder(const FormatSpec& spec,
                                                 const std::vector<FormatColumn>& columns) {
  auto row = FindFormat(spec);
  if (!row.ok()) return row.status();
  if (Status status = (*row)->check(spec, columns); !status.ok()) return status;
  if (Status status = CheckHasRegistry(spec); !status.ok()) return status;
  return (*row)->encoder(spec, columns);
}

}  // namespace weir
