#include "exec/formats/registry/schema_texts.h"

#include <algorithm>
#include <cctype>
#include <set>

#include <fmt/format.h>

#include "base/letter_case.h"
#include "base/number_text.h"
#include "base/status_macros.h"

namespace weir {
namespace {

constexpr int kReferenceDepthMax = 32;
constexpr size_t kReferencesMax = 1000;
constexpr std::string_view kNamespace = "io.confluent.ksql.avro_schemas.";

Status CollectReferences(SchemaRegistry& registry, const std::vector<SchemaReference>& references,
                         int depth, std::set<int32_t>& seen, std::vector<ReferencedText>& texts) {
  if (depth > kReferenceDepthMax) {
    return Status(ErrorCode::kFormatMismatch, "schemas refer to each other in a circle");
  }
  for (const SchemaReference& reference : references) {
    WEIR_ASSIGN_OR_RETURN(const SchemaPointer schema,
                          registry.Version(reference.subject, reference.version));
    if (schema == nullptr) {
      return Status(ErrorCode::kFormatMismatch,
                    fmt::format("a schema refers to version {} of subject {}, which does not exist",
                                reference.version, reference.subject));
    }
    if (!seen.insert(schema->id).second) continue;
    WEIR_RETURN_IF_ERROR(CollectReferences(registry, schema->references, depth + 1, seen, texts));
    texts.push_back({reference.name, schema->text});
    if (texts.size() > kReferencesMax) {
      return Status(ErrorCode::kFormatMismatch,
                    fmt::format("a schema uses more than {} others", kReferencesMax));
    }
  }
  return OkStatus();
}

/// SOME_NAME as SomeName.
std::string CamelCase(std::string_view name) {
  std::string out;
  bool upper = true;
  for (char c : name) {
    if (c == '_') {
      upper = true;
      continue;
    }
    out += upper ? ToUpper(c) : ToLower(c);
    upper = false;
  }
  return out;
}

}  // namespace

std::string_view SchemaTypeName(SchemaType type) {
  switch (type) {
    case SchemaType::kAvro: return "AVRO";
    case SchemaType::kJson: return "JSON";
    case SchemaType::kProtobuf: return "PROTOBUF";
  }
  return "";
}

std::optional<SchemaType> SchemaTypeOf(std::string_view name) {
  for (const SchemaType type : {SchemaType::kAvro, SchemaType::kJson, SchemaType::kProtobuf}) {
    if (SchemaTypeName(type) == name) return type;
  }
  return std::nullopt;
}

std::string ReferencesJson(const std::vector<SchemaReference>& references) {
  std::string out = "[";
  for (const SchemaReference& each : references) {
    if (out.size() > 1) out += ',';
    out += fmt::format(R"({{"name":{},"subject":{},"version":{}}})", QuoteJson(each.name),
                       QuoteJson(each.subject), each.version);
  }
  return out + "]";
}

bool ReadReferences(const RawJson& object, std::vector<SchemaReference>& references) {
  const RawJson* list = object.Find("references");
  if (list == nullptr) return true;
  const auto is_text = [](const RawJson* json) {
    return json != nullptr && json->kind == RawJson::Kind::kString;
  };
  for (const RawJson& each : list->items) {
    const RawJson* name = each.Find("name");
    const RawJson* subject = each.Find("subject");
    const RawJson* version = each.Find("version");
    int32_t number = 0;
    if (!is_text(name) || !is_text(subject) || version == nullptr ||
        !ParseInt32(version->text, number)) {
      return false;
    }
    references.push_back({name->text, subject->text, number});
  }
  return true;
}

std::string SubjectOf(std::string_view topic, bool is_key) {
  return std::string(topic) + (is_key ? "-key" : "-value");
}

Result<std::vector<ReferencedText>> ReferencedTexts(
    SchemaRegistry& registry, const std::vector<SchemaReference>& references) {
  std::vector<ReferencedText> texts;
  std::set<int32_t> seen;
  WEIR_RETURN_IF_ERROR(CollectReferences(registry, references, 0, seen, texts));
  return texts;
}

Result<std::vector<std::string>> TextsOfReferences(SchemaRegistry& registry,
                                                   const std::vector<SchemaReference>& references) {
  WEIR_ASSIGN_OR_RETURN(std::vector<ReferencedText> named, ReferencedTexts(registry, references));
  std::vector<std::string> texts;
  for (ReferencedText& each : named) texts.push_back(std::move(each.text));
  return texts;
}

Result<std::vector<std::string>> TextsOfReferences(SchemaRegistry& registry,
                                                   const RegisteredSchema& schema) {
  return TextsOfReferences(registry, schema.references);
}

Result<SchemaPointer> GivenSchema(const FormatSpec& spec) {
  const auto given = spec.properties.find("SCHEMA_ID");
  int32_t id = 0;
  if (given == spec.properties.end()) return SchemaPointer();
  if (!ParseInt32(given->second, id)) {
    return Status(ErrorCode::kInvalidProperty, "a schema id is a number, not " + given->second);
  }
  WEIR_ASSIGN_OR_RETURN(SchemaPointer schema, spec.registry->ById(id));
  if (schema != nullptr) return schema;
  return Status(ErrorCode::kInvalidProperty,
                fmt::format("{}_SCHEMA_ID: schema id {} is not in the registry",
                            spec.is_key ? "KEY" : "VALUE", id));
}

std::string RecordNameOf(const FormatSpec& spec) {
  const auto given = spec.properties.find("SCHEMA_FULL_NAME");
  if (given != spec.properties.end()) return given->second;
  if (!spec.is_key || spec.source_name.empty()) {
    return fmt::format("{}KsqlDataSourceSchema", kNamespace);
  }
  return fmt::format("{}{}Key", kNamespace, CamelCase(spec.source_name));
}

}  // namespace weir
