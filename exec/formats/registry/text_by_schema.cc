#include "exec/formats/registry/text_by_schema.h"

#include "exec/formats/avro/avro_json.h"
#include "exec/formats/json/json_structure.h"
#include "exec/formats/protobuf/protobuf_format.h"
#include "exec/formats/protobuf/protobuf_json.h"
#include "exec/formats/registry/schema_texts.h"
#include "exec/formats/registry/wire_format.h"

namespace weir {

std::optional<std::string> TextBySchema(SchemaRegistry& registry, std::string_view bytes) {
  int32_t id = 0;
  if (!TakeSchemaId(bytes, id)) return std::nullopt;
  const Result<SchemaPointer> schema = registry.ById(id);
  if (!schema.ok() || *schema == nullptr) return std::nullopt;
  if ((*schema)->type == SchemaType::kJson) {
    if (!IsUtf8(bytes.data(), bytes.size())) return std::nullopt;
    return std::string(bytes);
  }
  std::string text;
  if ((*schema)->type == SchemaType::kProtobuf) {
    std::vector<int32_t> place;
    const Result<ProtobufSchemaPtr> parsed = ParseRegisteredProtobuf(registry, **schema);
    if (!parsed.ok() || !TakeProtobufPlace(bytes, place)) return std::nullopt;
    const ProtobufMessage* message = (*parsed)->At(place);
    if (message == nullptr || !AppendProtobufAsJson(*message, bytes, text).ok()) {
      return std::nullopt;
    }
    return text;
  }
  const Result<std::vector<std::string>> references = TextsOfReferences(registry, **schema);
  if (!references.ok()) return std::nullopt;
  const Result<AvroSchemaPtr> parsed = ParseAvroSchema((*schema)->text, *references);
  if (!parsed.ok()) return std::nullopt;
  AvroCursor from(bytes);
  if (!AppendAvroAsJson((*parsed)->root(), from, text).ok() || from.at != from.end) {
    return std::nullopt;
  }
  return text;
}

}  // namespace weir
