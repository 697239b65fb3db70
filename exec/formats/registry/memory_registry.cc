#include "exec/formats/registry/memory_registry.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "base/number_text.h"
#include "base/status_macros.h"
#include "exec/formats/avro/avro_schema.h"
#include "exec/formats/json/raw_json.h"
#include "exec/formats/protobuf/protobuf_format.h"
#include "exec/formats/registry/schema_texts.h"

namespace weir {
namespace {

/// Without blanks, so that the same schema is found again however it was written.
std::string Minified(std::string_view text) {
  std::string out(text.size() + simdjson::SIMDJSON_PADDING, '\0');
  const simdjson::padded_string padded(text);
  size_t size = 0;
  if (simdjson::minify(padded.data(), padded.size(), out.data(), size) != simdjson::SUCCESS) {
    return std::string(text);
  }
  out.resize(size);
  return out;
}

bool SameSchema(SchemaRegistry& registry, const RegisteredSchema& a, const RegisteredSchema& b) {
  if (a.type != b.type || a.references != b.references) return false;
  if (a.text == b.text) return true;
  if (a.type != SchemaType::kProtobuf) return Minified(a.text) == Minified(b.text);
  const Result<ProtobufSchemaPtr> one = ParseRegisteredProtobuf(registry, a);
  const Result<ProtobufSchemaPtr> other = ParseRegisteredProtobuf(registry, b);
  return one.ok() && other.ok() && (*one)->canonical() == (*other)->canonical();
}

Status CheckIsSchema(SchemaRegistry& registry, const RegisteredSchema& schema) {
  WEIR_ASSIGN_OR_RETURN(const std::vector<std::string> references,
                        TextsOfReferences(registry, schema));
  if (schema.type == SchemaType::kAvro) {
    return ParseAvroSchema(schema.text, references).status();
  }
  if (schema.type == SchemaType::kProtobuf) {
    return ParseRegisteredProtobuf(registry, schema).status();
  }
  return ParseRawJson(schema.text).status();
}

bool LooksForward(Compatibility rule) {
  return rule == Compatibility::kForward || rule == Compatibility::kForwardTransitive ||
         rule == Compatibility::kFull || rule == Compatibility::kFullTransitive;
}

bool LooksBackward(Compatibility rule) {
  return rule == Compatibility::kBackward || rule == Compatibility::kBackwardTransitive ||
         rule == Compatibility::kFull || rule == Compatibility::kFullTransitive;
}

bool LooksAtAll(Compatibility rule) {
  return rule == Compatibility::kBackwardTransitive || rule == Compatibility::kForwardTransitive ||
         rule == Compatibility::kFullTransitive;
}

}  // namespace

Result<SchemaPointer> MemoryRegistry::ById(int32_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? SchemaPointer() : found->second;
}

Result<SchemaPointer> MemoryRegistry::Latest(std::string_view subject) {
  const std::optional<SubjectVersion> found = Find(subject, kLatest, Seen::kLive);
  return found ? found->schema : SchemaPointer();
}

Result<SchemaPointer> MemoryRegistry::Version(std::string_view subject, int32_t version) {
  const std::optional<SubjectVersion> found = Find(subject, version, Seen::kLive);
  return found ? found->schema : SchemaPointer();
}

Result<std::vector<SubjectVersion>> MemoryRegistry::Subjects() {
  std::vector<SubjectVersion> newest;
  for (const std::string& subject : SubjectNames(Seen::kLive)) {
    if (auto found = Find(subject, kLatest, Seen::kLive)) newest.push_back(std::move(*found));
  }
  return newest;
}

Result<int32_t> MemoryRegistry::Register(std::string_view subject, SchemaType type,
                                         std::string_view text,
                                         const std::vector<SchemaReference>& references) {
  const std::lock_guard lock(mutex_);
  auto schema = std::make_shared<RegisteredSchema>();
  schema->type = type;
  schema->text = text;
  schema->references = references;
  const auto found = subjects_.find(subject);
  if (found != subjects_.end()) {
    for (const SubjectVersion& version : found->second) {
      if (version.deleted || !SameSchema(*this, *version.schema, *schema)) continue;
      return version.schema->id;
    }
  }
  WEIR_RETURN_IF_ERROR(CheckIsSchema(*this, *schema));
  WEIR_RETURN_IF_ERROR(CheckCompatible(subject, *schema));
  // The same schema has the same id in all subjects.
  for (const auto& [id, known] : by_id_) {
    if (SameSchema(*this, *known, *schema)) schema->id = id;
  }
  if (schema->id == 0) schema->id = last_id_ + 1;
  const int32_t id = schema->id;
  const int32_t version = found == subjects_.end() ? 1 : found->second.back().version + 1;
  WEIR_RETURN_IF_ERROR(Add({std::string(subject), version, std::move(schema)}));
  return id;
}

Status MemoryRegistry::RegisterAs(int32_t id, std::string_view subject, SchemaType type,
                                  std::string_view text,
                                  const std::vector<SchemaReference>& references) {
  const std::lock_guard lock(mutex_);
  auto schema =
      std::make_shared<RegisteredSchema>(RegisteredSchema{id, type, std::string(text), references});
  const auto known = by_id_.find(id);
  if (id < 1 || (known != by_id_.end() && !SameSchema(*this, *known->second, *schema))) {
    return Status(ErrorCode::kAlreadyExists,
                  fmt::format("schema id {} is taken by another schema", id));
  }
  WEIR_RETURN_IF_ERROR(CheckIsSchema(*this, *schema));
  const auto found = subjects_.find(subject);
  const int32_t version = found == subjects_.end() ? 1 : found->second.back().version + 1;
  return Add({std::string(subject), version, std::move(schema)});
}

Status MemoryRegistry::Add(SubjectVersion version) {
  if (keeper_) WEIR_RETURN_IF_ERROR(keeper_(version));
  Restore(std::move(version));
  return OkStatus();
}

void MemoryRegistry::Restore(SubjectVersion version) {
  const std::lock_guard lock(mutex_);
  by_id_.emplace(version.schema->id, version.schema);
  last_id_ = std::max(last_id_, version.schema->id);
  std::vector<SubjectVersion>& versions = subjects_[version.subject];
  versions.push_back(std::move(version));
  std::ranges::sort(versions, {}, &SubjectVersion::version);
}

Status MemoryRegistry::CheckCompatible(std::string_view subject, const RegisteredSchema& schema,
                                       int32_t only) {
  const Compatibility rule = RuleFor(subject);
  if (rule == Compatibility::kNone) return OkStatus();
  std::vector<SubjectVersion> versions = VersionsOf(subject, Seen::kLive);
  if (only != 0) std::erase_if(versions, [only](const auto& each) { return each.version != only; });
  const size_t first = versions.empty() || LooksAtAll(rule) ? 0 : versions.size() - 1;
  for (size_t i = first; i < versions.size(); ++i) {
    const RegisteredSchema& old = *versions[i].schema;
    Status status;
    if (old.type != schema.type) {
      status = Status(ErrorCode::kIncompatibleChange,
                      fmt::format("it is of type {}, not {}", SchemaTypeName(schema.type),
                                  SchemaTypeName(old.type)));
    } else if (schema.type == SchemaType::kAvro) {
      WEIR_ASSIGN_OR_RETURN(const auto references, TextsOfReferences(*this, schema));
      WEIR_ASSIGN_OR_RETURN(const auto old_references, TextsOfReferences(*this, old));
      if (LooksBackward(rule)) {
        status = CheckAvroReads(schema.text, references, old.text, old_references);
      }
      if (status.ok() && LooksForward(rule)) {
        status = CheckAvroReads(old.text, old_references, schema.text, references);
      }
    }
    if (status.ok() && schema.type == SchemaType::kJson) {
      WEIR_ASSIGN_OR_RETURN(const auto now, ReferencedTexts(*this, schema.references));
      WEIR_ASSIGN_OR_RETURN(const auto before, ReferencedTexts(*this, old.references));
      if (LooksBackward(rule)) status = CheckJsonReads(schema.text, now, old.text, before);
      if (status.ok() && LooksForward(rule)) {
        status = CheckJsonReads(old.text, before, schema.text, now);
      }
    }
    if (status.ok() && schema.type == SchemaType::kProtobuf) {
      WEIR_ASSIGN_OR_RETURN(const ProtobufSchemaPtr now, ParseRegisteredProtobuf(*this, schema));
      WEIR_ASSIGN_OR_RETURN(const ProtobufSchemaPtr before, ParseRegisteredProtobuf(*this, old));
      if (LooksBackward(rule)) status = CheckProtobufReads(*now, *before);
      if (status.ok() && LooksForward(rule)) status = CheckProtobufReads(*before, *now);
    }
    if (status.ok()) continue;
    return Status(ErrorCode::kIncompatibleChange,
                  fmt::format("the schema is not compatible with version {} of subject {}: {}",
                              versions[i].version, subject, status.message()))
        .WithHint(
            "SET 'schema.registry.compatibility' = 'none' lets it be registered all the same");
  }
  return OkStatus();
}

Status MemoryRegistry::Check(std::string_view subject, const RegisteredSchema& schema,
                             int32_t version) {
  const std::lock_guard lock(mutex_);
  WEIR_RETURN_IF_ERROR(CheckIsSchema(*this, schema));
  return CheckCompatible(subject, schema, version);
}

std::optional<SubjectVersion> MemoryRegistry::LookUp(std::string_view subject,
                                                     const RegisteredSchema& schema, Seen seen) {
  for (SubjectVersion& version : VersionsOf(subject, seen)) {
    if (SameSchema(*this, *version.schema, schema)) return std::move(version);
  }
  return std::nullopt;
}

std::string EncodeSubjectVersion(const SubjectVersion& version) {
  const RegisteredSchema& schema = *version.schema;
  return fmt::format(
      R"({{"subject":{},"version":{},"id":{},"schemaType":"{}","references":{},"schema":{}{}}})",
      QuoteJson(version.subject), version.version, schema.id, SchemaTypeName(schema.type),
      ReferencesJson(schema.references), QuoteJson(schema.text),
      version.deleted ? R"(,"deleted":true)" : "");
}

Result<SubjectVersion> DecodeSubjectVersion(std::string_view text) {
  const auto corrupt = [] {
    return Status(ErrorCode::kStoreCorrupt, "a schema of the store's registry does not read back");
  };
  Result<RawJson> json = ParseRawJson(text);
  if (!json.ok()) return corrupt();
  const auto text_of = [](const RawJson& object, std::string_view name) {
    const RawJson* found = object.Find(name);
    return found == nullptr ? std::string() : found->text;
  };
  SubjectVersion version;
  auto schema = std::make_shared<RegisteredSchema>();
  version.subject = text_of(*json, "subject");
  const std::optional<SchemaType> type = SchemaTypeOf(text_of(*json, "schemaType"));
  schema->text = text_of(*json, "schema");
  if (!type || !ParseInt32(text_of(*json, "version"), version.version) ||
      !ParseInt32(text_of(*json, "id"), schema->id) || !ReadReferences(*json, schema->references)) {
    return corrupt();
  }
  schema->type = *type;
  version.schema = std::move(schema);
  version.deleted = text_of(*json, "deleted") == "true";
  return version;
}

}  // namespace weir
