#include "shell/conformance/conformance_records.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "base/letter_case.h"
#include "base/number_text.h"
#include "base/schema_rules.h"
#include "base/status_macros.h"
#include "exec/connect/header_codec.h"
#include "exec/formats/avro/avro_json.h"
#include "exec/formats/base64.h"
#include "exec/formats/format.h"
#include "exec/formats/protobuf/protobuf_format.h"
#include "exec/formats/protobuf/protobuf_json.h"
#include "exec/formats/registry/schema_texts.h"
#include "exec/formats/registry/text_by_schema.h"
#include "exec/formats/registry/wire_format.h"

namespace weir::testing {
namespace {

void AppendBigEndian(uint64_t value, int bytes, std::string& out) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> shift));
  }
}

uint64_t BigEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

// Kafka's own serializers: integers and doubles big-endian, text as it stands.
std::string EncodeKafka(const RawJson& json, const DataType& type) {
  std::string out;
  const double number = std::strtod(json.text.c_str(), nullptr);
  int64_t integer = 0;
  std::from_chars(json.text.data(), json.text.data() + json.text.size(), integer);
  switch (type.kind()) {
    case TypeKind::kInt: AppendBigEndian(static_cast<uint64_t>(integer), 4, out); return out;
    case TypeKind::kBigint: AppendBigEndian(static_cast<uint64_t>(integer), 8, out); return out;
    case TypeKind::kDouble: {
      uint64_t bits = 0;
      std::memcpy(&bits, &number, sizeof(bits));
      AppendBigEndian(bits, 8, out);
      return out;
    }
    default: return json.text;
  }
}

std::string DecodeKafka(std::string_view bytes, const DataType& type) {
  switch (type.kind()) {
    case TypeKind::kInt: return fmt::format("{}", static_cast<int32_t>(BigEndian(bytes)));
    case TypeKind::kBigint: return fmt::format("{}", static_cast<int64_t>(BigEndian(bytes)));
    case TypeKind::kDouble: {
      const uint64_t bits = BigEndian(bytes);
      double number = 0;
      std::memcpy(&number, &bits, sizeof(number));
      char text[kDoubleTextMax];
      return std::string(text, FormatJavaDouble(number, text));
    }
    default: return QuoteJson(bytes);
  }
}

// Behind the id of the newest schema of the topic's subject, as its own producers would.
Status EncodeBySchema(const RawJson& json, const TopicShape& shape, bool is_key, std::string& out) {
  const std::string subject = SubjectOf(shape.topic, is_key);
  WEIR_ASSIGN_OR_RETURN(const SchemaPointer schema, shape.schemas->Latest(subject));
  if (schema == nullptr) {
    return Status(ErrorCode::kBadRecord, "an input's topic has no schema: " + subject);
  }
  BufferBuilder bytes;
  AppendSchemaId(schema->id, bytes);
  if (schema->type == SchemaType::kJson) {
    bytes.Append(json.raw.data(), json.raw.size());
  } else if (schema->type == SchemaType::kProtobuf) {
    WEIR_ASSIGN_OR_RETURN(const ProtobufSchemaPtr parsed,
                          ParseRegisteredProtobuf(*shape.schemas, *schema));
    WEIR_ASSIGN_OR_RETURN(
        const ProtobufMessage* message,
        MessageOf(*parsed, is_key ? shape.key_schema_name : shape.value_schema_name));
    AppendProtobufPlace(message->place, bytes);
    WEIR_RETURN_IF_ERROR(EncodeProtobufJson(*message, json, bytes));
  } else {
    WEIR_ASSIGN_OR_RETURN(const std::vector<std::string> references,
                          TextsOfReferences(*shape.schemas, *schema));
    WEIR_ASSIGN_OR_RETURN(const AvroSchemaPtr parsed, ParseAvroSchema(schema->text, references));
    WEIR_RETURN_IF_ERROR(EncodeAvroJson(parsed->root(), json, true, bytes));
  }
  out.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return OkStatus();
}

// One side of an input as bytes; false if it is null.
Result<bool> EncodeSide(const RawJson* json, const TopicShape& shape, bool is_key,
                        std::string& out) {
  const std::string& format = is_key ? shape.key_format : shape.value_format;
  const DataType& type = is_key ? shape.key_type : shape.value_type;
  if (json == nullptr || json->is_null() || format == "NONE") return false;
  if (NeedsRegistry(format)) {
    WEIR_RETURN_IF_ERROR(EncodeBySchema(*json, shape, is_key, out));
    return true;
  }
  if (format == "PROTOBUF_NOSR") {
    WEIR_ASSIGN_OR_RETURN(const ProtobufSchemaPtr schema,
                          ParseProtobufSchema(is_key ? shape.key_schema : shape.value_schema));
    BufferBuilder bytes;
    WEIR_RETURN_IF_ERROR(EncodeProtobufJson(*schema->messages()[0], *json, bytes));
    out.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  } else if (format == "KAFKA") {
    if (type.is(TypeKind::kNull)) return false;
    out = EncodeKafka(*json, type);
  } else if (format == "DELIMITED") {
    out = json->text;
  } else {
    out = json->raw;
  }
  return true;
}

Result<std::string> DecodeSide(std::string_view bytes, const TopicShape& shape, bool is_key) {
  const std::string& format = is_key ? shape.key_format : shape.value_format;
  const DataType& type = is_key ? shape.key_type : shape.value_type;
  if (NeedsRegistry(format)) {
    if (std::optional<std::string> text = TextBySchema(*shape.schemas, bytes)) return *text;
    return Status(ErrorCode::kInternal, "an output is not what its schema says: " + shape.topic);
  }
  if (format == "PROTOBUF_NOSR") {
    WEIR_ASSIGN_OR_RETURN(const ProtobufSchemaPtr schema,
                          ParseProtobufSchema(is_key ? shape.key_schema : shape.value_schema));
    std::string text;
    WEIR_RETURN_IF_ERROR(AppendProtobufAsJson(*schema->messages()[0], bytes, text));
    return text;
  }
  if (format == "NONE") return "null";
  if (format == "KAFKA") return type.is(TypeKind::kNull) ? "null" : DecodeKafka(bytes, type);
  if (format == "DELIMITED") return QuoteJson(bytes);
  return std::string(bytes);
}

int64_t Integer(const RawJson* json, int64_t fallback) {
  if (json == nullptr || json->is_null()) return fallback;
  int64_t value = fallback;
  std::from_chars(json->text.data(), json->text.data() + json->text.size(), value);
  return value;
}

// "keySchema" and "valueSchema" with their ids and references.
Status RegisterTopicSchemas(const RawJson& topic, MemoryRegistry& schemas) {
  const RawJson* name = topic.Find("name");
  for (const bool is_key : {true, false}) {
    const std::string side = is_key ? "key" : "value";
    const RawJson* schema = topic.Find(side + "Schema");
    const RawJson* format = topic.Find(side + "Format");
    const RawJson* references = topic.Find(side + "SchemaReferences");
    if (name == nullptr || schema == nullptr || schema->is_null()) continue;
    // A bare name is Avro's, and what has the keywords of JSON Schema is one.
    const bool json = format != nullptr ? format->text.starts_with("JSON")
                                        : schema->Find("properties") != nullptr ||
                                              schema->Find("oneOf") != nullptr;
    const bool protobuf =
        format != nullptr ? format->text == "PROTOBUF" : schema->text.starts_with("syntax");
    const SchemaType type = protobuf ? SchemaType::kProtobuf
                            : json   ? SchemaType::kJson
                                     : SchemaType::kAvro;
    // Of Protobuf the text stands in a JSON string.
    const auto text_of = [&](const RawJson& given) { return protobuf ? given.text : given.raw; };
    const std::string subject = SubjectOf(name->text, is_key);
    const RawJson* given = topic.Find(side + "SchemaId");
    // Statements count on the ids that the topics' schemas get; what these use comes behind.
    int32_t id = 1;
    WEIR_ASSIGN_OR_RETURN(const std::vector<SubjectVersion> known, schemas.Subjects());
    for (const SubjectVersion& each : known) id = std::max(id, each.schema->id + 1);
    int32_t used_id = id;
    std::vector<SchemaReference> uses;
    if (references != nullptr) {
      for (const RawJson& reference : references->items) {
        const RawJson* text = reference.Find("schema");
        const RawJson* called = reference.Find("name");
        if (text == nullptr || called == nullptr) continue;
        WEIR_RETURN_IF_ERROR(schemas.RegisterAs(++used_id, called->text, type, text_of(*text), {}));
        uses.push_back({called->text, called->text, 1});
      }
    }
    if (given != nullptr && !given->is_null()) {
      WEIR_RETURN_IF_ERROR(schemas.RegisterAs(static_cast<int32_t>(Integer(given, 0)), subject,
                                              type, text_of(*schema), uses));
    } else if (uses.empty()) {
      WEIR_RETURN_IF_ERROR(schemas.Register(subject, type, text_of(*schema), uses).status());
    } else {
      WEIR_RETURN_IF_ERROR(schemas.RegisterAs(id, subject, type, text_of(*schema), uses));
    }
  }
  return OkStatus();
}

}  // namespace

TopicShape ShapeOf(const Catalog& catalog, std::string_view topic, SchemaRegistry& schemas) {
  TopicShape shape;
  shape.topic = topic;
  shape.schemas = &schemas;
  for (const auto& [name, source] : catalog.sources()) {
    if (source.topic != topic) continue;
    shape.key_format = source.key_format.format.empty() ? "NONE" : source.key_format.format;
    shape.value_format = source.value_format.format;
    for (const bool is_key : {true, false}) {
      FormatSpec spec;
      const physical::SideFormat& side = is_key ? source.key_format : source.value_format;
      spec.name = side.format;
      spec.properties = side.properties;
      (is_key ? shape.key_schema_name : shape.value_schema_name) = MessageNameOf(spec);
      std::vector<FormatColumn> columns;
      for (const SourceEntry::SourceColumnEntry& column : source.columns) {
        if (column.is_headers || column.is_key != is_key) continue;
        columns.push_back({column.name, column.type, true});
      }
      if (spec.name != "PROTOBUF_NOSR") continue;
      (is_key ? shape.key_schema : shape.value_schema) = ProtobufSchemaOf(spec, columns);
    }
    shape.windowed_key = source.windowed_key;
    shape.window_size_ms = source.window_size_ms;
    for (const SourceEntry::SourceColumnEntry& column : source.columns) {
      if (column.is_headers) continue;
      (column.is_key ? shape.key_type : shape.value_type) = column.type;
    }
    return shape;
  }
  shape.key_format = "JSON";
  return shape;
}

Status RegisterCaseSchemas(const RawJson& test, std::string_view sql,
                           std::set<std::string>& registered, MemoryRegistry& schemas) {
  const RawJson* topics = test.Find("topics");
  if (topics == nullptr) return OkStatus();
  const std::string text = ToUpper(sql);
  for (const RawJson& topic : topics->items) {
    const RawJson* name = topic.Find("name");
    if (name == nullptr || registered.contains(name->text)) continue;
    if (!sql.empty() && text.find(ToUpper(name->text)) == std::string::npos) continue;
    registered.insert(name->text);
    WEIR_RETURN_IF_ERROR(RegisterTopicSchemas(topic, schemas));
  }
  return OkStatus();
}

Status AddInput(const RawJson& input, const TopicShape& shape, RecordBatchBuilder& out) {
  std::string key;
  std::string value;
  WEIR_ASSIGN_OR_RETURN(const bool has_key, EncodeSide(input.Find("key"), shape, true, key));
  WEIR_ASSIGN_OR_RETURN(const bool has_value, EncodeSide(input.Find("value"), shape, false, value));
  if (const RawJson* window = input.Find("window"); window != nullptr && !window->is_null()) {
    const RawJson* type = window->Find("type");
    const bool session = type != nullptr && (type->text == "session" || type->text == "SESSION");
    BufferBuilder suffix;
    AppendWindowToKey(session ? WindowKeyKind::kSession : WindowKeyKind::kTime,
                      Integer(window->Find("start"), 0), Integer(window->Find("end"), 0), suffix);
    key.append(reinterpret_cast<const char*>(suffix.data()), suffix.size());
  }
  BufferBuilder headers;
  if (const RawJson* list = input.Find("headers"); list != nullptr) {
    for (const RawJson& header : list->items) {
      const RawJson* name = header.Find("KEY");
      const RawJson* content = header.Find("VALUE");
      std::string bytes;
      const bool has_content = content != nullptr && !content->is_null();
      if (has_content && !DecodeBase64(content->text, bytes)) {
        return Status(ErrorCode::kBadRecord, "a header's value is not base64");
      }
      std::optional<std::string_view> view;
      if (has_content) view = bytes;
      AppendHeader(name == nullptr ? "" : name->text, view, headers);
    }
  }
  const std::string_view key_view = key;
  const std::string_view value_view = value;
  out.AddCopy(has_key ? &key_view : nullptr, has_value ? &value_view : nullptr,
              {reinterpret_cast<const char*>(headers.data()), headers.size()},
              Integer(input.Find("timestamp"), 0));
  return OkStatus();
}

Result<std::string> FormatOutput(std::string_view topic, const RecordBatch& batch, int32_t row,
                                 const TopicShape& shape) {
  std::string out = fmt::format("{{\"topic\": {}, ", QuoteJson(topic));
  std::string_view key = batch.View(batch.keys[row]);
  std::string window;
  if (!batch.keys[row].is_null() && shape.windowed_key != physical::WindowKind::kNone) {
    const bool session = shape.windowed_key == physical::WindowKind::kSession;
    int64_t start = 0;
    int64_t end = 0;
    SplitWindowedKey(session ? WindowKeyKind::kSession : WindowKeyKind::kTime, shape.window_size_ms,
                     key, start, end);
    window = fmt::format(", \"window\": {{\"start\": {}, \"end\": {}, \"type\": \"{}\"}}", start,
                         end, session ? "session" : "time");
  }
  std::string key_text = "null";
  std::string value_text = "null";
  if (!batch.keys[row].is_null()) {
    WEIR_ASSIGN_OR_RETURN(key_text, DecodeSide(key, shape, true));
  }
  if (!batch.values[row].is_null()) {
    WEIR_ASSIGN_OR_RETURN(value_text, DecodeSide(batch.View(batch.values[row]), shape, false));
  }
  out += fmt::format("\"key\": {}, \"value\": {}, \"timestamp\": {}{}", key_text, value_text,
                     batch.timestamps[row], window);
  std::vector<HeaderView> headers;
  if (!batch.headers.empty()) DecodeHeaders(batch.View(batch.headers[row]), headers);
  if (!headers.empty()) {
    out += ", \"headers\": [";
    for (size_t i = 0; i < headers.size(); ++i) {
      std::string value = "null";
      if (headers[i].value) {
        BufferBuilder encoded;
        AppendBase64(*headers[i].value, encoded);
        value = QuoteJson({reinterpret_cast<const char*>(encoded.data()), encoded.size()});
      }
      out += fmt::format("{}{{\"KEY\": {}, \"VALUE\": {}}}", i == 0 ? "" : ", ",
                         QuoteJson(headers[i].name), value);
    }
    out += "]";
  }
  return out + "}";
}

}  // namespace weir::testing
