#include "exec/connect/registry/registry_api.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/number_text.h"
#include "base/status_macros.h"
#include "exec/formats/json/json_structure.h"
#include "exec/formats/json/raw_json.h"
#include "exec/formats/registry/schema_texts.h"

namespace weir {
namespace {

using Seen = MemoryRegistry::Seen;

/// Confluent's error codes; the status is their first three digits.
enum : int {
  kNoPath = 404,
  kNoMethod = 405,
  kIncompatible = 409,
  kTooLarge = 413,
  kNoSubject = 40401,
  kNoVersion = 40402,
  kNoSchema = 40403,
  kSubjectDeleted = 40404,
  kSubjectNotDeleted = 40405,
  kVersionDeleted = 40406,
  kVersionNotDeleted = 40407,
  kNoOwnRule = 40408,
  kMalformed = 400,
  kInvalidSchema = 42201,
  kInvalidVersion = 42202,
  kInvalidRule = 42203,
  kNotPermitted = 42205,
  kReferenced = 42206,
  kStoreFailed = 50001,
};

RegistryAnswer Error(int code, std::string_view message) {
  return {code < 1000 ? code : code / 100,
          fmt::format(R"({{"error_code":{},"message":{}}})", code, QuoteJson(message))};
}

RegistryAnswer SubjectMissing(std::string_view subject) {
  return Error(kNoSubject, fmt::format("Subject '{}' not found.", subject));
}

RegistryAnswer Json(std::string body) { return {200, std::move(body)}; }

std::string UrlDecode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char* at = text.data() + i;
    unsigned byte = 0;
    const bool escaped = *at == '%' && i + 2 < text.size() &&
                         std::from_chars(at + 1, at + 3, byte, 16).ptr == at + 3;
    out += escaped ? static_cast<char>(byte) : *at;
    if (escaped) i += 2;
  }
  return out;
}

std::vector<std::string> PartsOf(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const size_t length = std::min(path.find('/'), path.size());
    if (length > 0) parts.push_back(UrlDecode(path.substr(0, length)));
    path.remove_prefix(std::min(length + 1, path.size()));
  }
  return parts;
}

template <typename Items, typename Format>
std::string ListOf(const Items& items, const Format& format) {
  std::string out = "[";
  for (const auto& item : items) {
    if (out.size() > 1) out += ',';
    out += format(item);
  }
  return out + "]";
}

std::string Numbers(const std::vector<int32_t>& numbers) {
  return ListOf(numbers, [](int32_t number) { return fmt::format("{}", number); });
}

/// What describes a schema, without the braces. Confluent leaves AVRO and no references out.
std::string SchemaMembers(const RegisteredSchema& schema) {
  std::string out;
  if (schema.type != SchemaType::kAvro) {
    out += fmt::format(R"("schemaType":"{}",)", SchemaTypeName(schema.type));
  }
  if (!schema.references.empty()) {
    out += fmt::format(R"("references":{},)", ReferencesJson(schema.references));
  }
  return out + fmt::format(R"("schema":{})", QuoteJson(schema.text));
}

std::string VersionJson(const SubjectVersion& version) {
  return fmt::format(R"({{"subject":{},"version":{},"id":{},{}}})", QuoteJson(version.subject),
                     version.version, version.schema->id, SchemaMembers(*version.schema));
}

/// One request on its way to its answer.
class Exchange {
 public:
  Exchange(MemoryRegistry& registry, const RegistryRequest& request)
      : registry_(registry), request_(request), parts_(PartsOf(request.path)) {}

  RegistryAnswer Answer() {
    if (request_.body.size() > kRegistryBodyMax) {
      return Error(kTooLarge, fmt::format("a request has at most {} bytes", kRegistryBodyMax));
    }
    for (const std::string& part : parts_) {
      if (!IsUtf8(part.data(), part.size())) return Error(kMalformed, "the path is no UTF-8");
    }
    if (parts_.empty()) return Is("GET") ? Json("{}") : WrongMethod();
    if (parts_[0] == "subjects") return Subjects();
    if (parts_[0] == "schemas") return Schemas();
    if (parts_[0] == "config" && parts_.size() <= 2) return Config();
    if (parts_[0] == "compatibility") return Compatible();
    if (parts_[0] == "mode" && parts_.size() <= 2) {
      return Is("GET") ? Json(R"({"mode":"READWRITE"})")
                       : Error(kNotPermitted, "this registry has the mode READWRITE alone");
    }
    return NoSuchPath();
  }

 private:
  bool Is(std::string_view method) const {
    return request_.method == method || (method == "GET" && request_.method == "HEAD");
  }
  static RegistryAnswer WrongMethod() { return Error(kNoMethod, "HTTP 405 Method Not Allowed"); }
  static RegistryAnswer NoSuchPath() { return Error(kNoPath, "HTTP 404 Not Found"); }

  std::string Parameter(std::string_view name) const {
    for (std::string_view rest = request_.query; !rest.empty();) {
      const size_t length = std::min(rest.find('&'), rest.size());
      const std::string_view pair = rest.substr(0, length);
      rest.remove_prefix(std::min(length + 1, rest.size()));
      const size_t equals = std::min(pair.find('='), pair.size());
      if (pair.substr(0, equals) == name) {
        return UrlDecode(pair.substr(std::min(equals + 1, pair.size())));
      }
    }
    return "";
  }
  bool Flag(std::string_view name) const { return Parameter(name) == "true"; }
  Seen Looks() const { return Flag("deleted") ? Seen::kAll : Seen::kLive; }

  RegistryAnswer Subjects() {
    if (parts_.size() == 1) {
      if (!Is("GET")) return WrongMethod();
      std::vector<std::string> names = registry_.SubjectNames(Looks());
      const std::string prefix = Parameter("subjectPrefix");
      std::erase_if(names, [&](const std::string& name) { return !name.starts_with(prefix); });
      return Json(ListOf(names, [](const std::string& name) { return QuoteJson(name); }));
    }
    subject_ = parts_[1];
    if (parts_.size() == 2) {
      if (Is("POST")) return LookUp();
      return Is("DELETE") ? DeleteSubject() : WrongMethod();
    }
    if (parts_[2] != "versions") return NoSuchPath();
    if (parts_.size() == 3) {
      if (Is("POST")) return Register();
      if (!Is("GET")) return WrongMethod();
      std::vector<int32_t> numbers;
      for (const SubjectVersion& each : registry_.VersionsOf(subject_, Looks())) {
        numbers.push_back(each.version);
      }
      return numbers.empty() ? SubjectMissing(subject_) : Json(Numbers(numbers));
    }
    return OneVersion();
  }

  /// The version that the path names; else the error is in `error`.
  std::optional<SubjectVersion> NamedVersion(std::string_view text, Seen seen,
                                             RegistryAnswer& error) {
    int32_t number = MemoryRegistry::kLatest;
    if (text != "latest" && text != "-1" && (!ParseInt32(text, number) || number < 1)) {
      error = Error(kInvalidVersion,
                    fmt::format("The specified version '{}' is not a valid version id. Allowed "
                                "values are between [1, 2^31-1] and the string \"latest\"",
                                text));
      return std::nullopt;
    }
    std::optional<SubjectVersion> found = registry_.Find(subject_, number, seen);
    if (!found) {
      error = registry_.VersionsOf(subject_, seen).empty()
                  ? SubjectMissing(subject_)
                  : Error(kNoVersion, fmt::format("Version {} not found.", text));
    }
    return found;
  }

  RegistryAnswer OneVersion() {
    RegistryAnswer error;
    const bool deletes = Is("DELETE");
    if (!Is("GET") && !(deletes && parts_.size() == 4)) return WrongMethod();
    const auto version = NamedVersion(parts_[3], deletes ? Seen::kAll : Looks(), error);
    if (!version) return error;
    if (deletes) return DeleteVersion(*version);
    if (parts_.size() == 4) return Json(VersionJson(*version));
    if (parts_.size() > 5) return NoSuchPath();
    if (parts_[4] == "schema") return Json(version->schema->text);
    if (parts_[4] == "referencedby") {
      return Json(Numbers(registry_.ReferencesTo(subject_, version->version)));
    }
    return NoSuchPath();
  }

  RegistryAnswer Failed(const Status& status) const {
    switch (status.code()) {
      case ErrorCode::kIncompatibleChange:
        return Error(kIncompatible,
                     fmt::format("Schema being registered is incompatible with an earlier schema "
                                 "for subject \"{}\": {}",
                                 subject_, status.message()));
      case ErrorCode::kStoreIo:
      case ErrorCode::kStoreCorrupt:
      case ErrorCode::kClosed: return Error(kStoreFailed, status.message());
      default: return Error(kInvalidSchema, fmt::format("Invalid schema: {}", status.message()));
    }
  }

  /// The schema of the body; else the error is in `error`.
  std::optional<RegisteredSchema> GivenSchema(RegistryAnswer& error) const {
    const Result<RawJson> json = ParseRawJson(request_.body);
    const RawJson* text = json.ok() ? json->Find("schema") : nullptr;
    if (!json.ok() || json->kind != RawJson::Kind::kObject) {
      error = Error(kMalformed, "the body is not a JSON object");
      return std::nullopt;
    }
    if (text == nullptr || text->kind != RawJson::Kind::kString) {
      error = Error(kInvalidSchema, "the body has no member \"schema\" with a text");
      return std::nullopt;
    }
    RegisteredSchema schema;
    schema.text = text->text;
    if (const RawJson* name = json->Find("schemaType"); name != nullptr && !name->is_null()) {
      const std::optional<SchemaType> type = SchemaTypeOf(name->text);
      if (!type) {
        error = Error(kInvalidSchema,
                      fmt::format("schemaType is AVRO, JSON or PROTOBUF, not {}", name->raw));
        return std::nullopt;
      }
      schema.type = *type;
    }
    if (!ReadReferences(*json, schema.references)) {
      error = Error(kInvalidSchema, "a reference has name, subject and version");
      return std::nullopt;
    }
    const RawJson* id = json->Find("id");
    if (id != nullptr && !id->is_null() && id->text != "-1") {
      error = Error(kNotPermitted, "this registry gives the ids itself");
      return std::nullopt;
    }
    return schema;
  }

  RegistryAnswer Register() {
    RegistryAnswer error;
    const std::optional<RegisteredSchema> schema = GivenSchema(error);
    if (!schema) return error;
    const Result<int32_t> id =
        registry_.Register(subject_, schema->type, schema->text, schema->references);
    return id.ok() ? Json(fmt::format(R"({{"id":{}}})", *id)) : Failed(id.status());
  }

  RegistryAnswer LookUp() {
    RegistryAnswer error;
    const std::optional<RegisteredSchema> schema = GivenSchema(error);
    if (!schema) return error;
    if (registry_.VersionsOf(subject_, Looks()).empty()) return SubjectMissing(subject_);
    const auto found = registry_.LookUp(subject_, *schema, Looks());
    return found ? Json(VersionJson(*found)) : Error(kNoSchema, "Schema not found");
  }

  /// An error if a schema refers to the version.
  std::optional<RegistryAnswer> InUse(const SubjectVersion& version) {
    const std::vector<int32_t> ids = registry_.ReferencesTo(subject_, version.version);
    if (ids.empty()) return std::nullopt;
    return Error(kReferenced, fmt::format("One or more references exist to the schema of version "
                                          "{} of subject {}: of ids {}",
                                          version.version, subject_, Numbers(ids)));
  }

  RegistryAnswer DeleteVersion(const SubjectVersion& version) {
    const bool for_good = Flag("permanent");
    if (for_good && !version.deleted) {
      return Error(kVersionNotDeleted,
                   fmt::format("Subject '{}' Version {} was not deleted first before being "
                               "permanently deleted",
                               subject_, version.version));
    }
    if (!for_good && version.deleted) {
      return Error(kVersionDeleted,
                   fmt::format("Subject '{}' Version {} was soft deleted. Set permanent=true to "
                               "delete permanently",
                               subject_, version.version));
    }
    if (auto error = InUse(version)) return *error;
    if (Status done = registry_.Delete(subject_, {version.version}, for_good); !done.ok()) {
      return Failed(done);
    }
    return Json(fmt::format("{}", version.version));
  }

  RegistryAnswer DeleteSubject() {
    const bool for_good = Flag("permanent");
    const std::vector<SubjectVersion> all = registry_.VersionsOf(subject_, Seen::kAll);
    const std::vector<SubjectVersion> live = registry_.VersionsOf(subject_, Seen::kLive);
    if (all.empty()) return SubjectMissing(subject_);
    if (for_good && !live.empty()) {
      return Error(kSubjectNotDeleted,
                   fmt::format("Subject '{}' was not deleted first before being permanently "
                               "deleted",
                               subject_));
    }
    if (!for_good && live.empty()) {
      return Error(kSubjectDeleted, fmt::format("Subject '{}' was soft deleted. Set "
                                                "permanent=true to delete permanently",
                                                subject_));
    }
    std::vector<int32_t> numbers;
    for (const SubjectVersion& each : for_good ? all : live) {
      if (auto error = InUse(each)) return *error;
      numbers.push_back(each.version);
    }
    if (Status done = registry_.Delete(subject_, numbers, for_good); !done.ok()) {
      return Failed(done);
    }
    return Json(Numbers(numbers));
  }

  RegistryAnswer Schemas() {
    if (!Is("GET")) return WrongMethod();
    if (parts_.size() == 2 && parts_[1] == "types") return Json(R"(["JSON","PROTOBUF","AVRO"])");
    if (parts_.size() == 1) return AllSchemas();
    if (parts_.size() > 4 || parts_.size() < 3 || parts_[1] != "ids") return NoSuchPath();
    int32_t id = 0;
    if (!ParseInt32(parts_[2], id)) return NoSuchPath();
    const Result<SchemaPointer> schema = registry_.ById(id);
    if (!schema.ok()) return Failed(schema.status());
    if (*schema == nullptr) return Error(kNoSchema, fmt::format("Schema {} not found", id));
    if (parts_.size() == 3) return Json("{" + SchemaMembers(**schema) + "}");
    if (parts_[3] == "schema") return Json((*schema)->text);
    const std::vector<SubjectVersion> with = registry_.VersionsWith(id, Looks());
    if (parts_[3] == "subjects") {
      return Json(ListOf(with, [](const SubjectVersion& each) { return QuoteJson(each.subject); }));
    }
    if (parts_[3] != "versions") return NoSuchPath();
    return Json(ListOf(with, [](const SubjectVersion& each) {
      return fmt::format(R"({{"subject":{},"version":{}}})", QuoteJson(each.subject), each.version);
    }));
  }

  RegistryAnswer AllSchemas() {
    std::vector<SubjectVersion> all;
    const std::string prefix = Parameter("subjectPrefix");
    for (const std::string& subject : registry_.SubjectNames(Looks())) {
      if (!subject.starts_with(prefix)) continue;
      std::vector<SubjectVersion> versions = registry_.VersionsOf(subject, Looks());
      if (versions.empty()) continue;  // Deleted meanwhile.
      if (Flag("latestOnly")) versions.erase(versions.begin(), versions.end() - 1);
      all.insert(all.end(), versions.begin(), versions.end());
    }
    return Json(ListOf(all, &VersionJson));
  }

  RegistryAnswer Config() {
    subject_ = parts_.size() == 2 ? parts_[1] : "";
    if (Is("PUT")) return SetRule();
    const std::optional<Compatibility> own = registry_.RuleOf(subject_);
    const bool of_all = subject_.empty();
    if (Is("DELETE")) {
      if (!own && !of_all) return SubjectMissing(subject_);
      const Compatibility before = registry_.RuleFor(subject_);
      if (Status done = registry_.SetRule(subject_, std::nullopt); !done.ok()) return Failed(done);
      return Json(fmt::format(R"({{"compatibilityLevel":"{}"}})", CompatibilityName(before)));
    }
    if (!Is("GET")) return WrongMethod();
    if (!own && !of_all && !Flag("defaultToGlobal")) {
      return Error(kNoOwnRule, fmt::format("Subject '{}' does not have subject-level compatibility "
                                           "configured",
                                           subject_));
    }
    return Json(fmt::format(R"({{"compatibilityLevel":"{}"}})",
                            CompatibilityName(registry_.RuleFor(subject_))));
  }

  RegistryAnswer SetRule() {
    const Result<RawJson> json = ParseRawJson(request_.body);
    const RawJson* name = json.ok() ? json->Find("compatibility") : nullptr;
    if (!json.ok()) return Error(kMalformed, "the body is not a JSON object");
    const std::optional<Compatibility> rule =
        CompatibilityOf(name == nullptr ? std::string_view() : name->text);
    if (!rule) {
      return Error(kInvalidRule,
                   "Invalid compatibility level. Valid values are none, backward, forward, full, "
                   "backward_transitive, forward_transitive, and full_transitive, in upper case");
    }
    if (Status done = registry_.SetRule(subject_, *rule); !done.ok()) return Failed(done);
    return Json(fmt::format(R"({{"compatibility":"{}"}})", CompatibilityName(*rule)));
  }

  RegistryAnswer Compatible() {
    if (parts_.size() < 4 || parts_.size() > 5 || parts_[1] != "subjects" ||
        parts_[3] != "versions") {
      return NoSuchPath();
    }
    if (!Is("POST")) return WrongMethod();
    subject_ = parts_[2];
    RegistryAnswer error;
    const std::optional<RegisteredSchema> schema = GivenSchema(error);
    if (!schema) return error;
    int32_t number = 0;
    if (parts_.size() == 5) {
      const auto version = NamedVersion(parts_[4], Seen::kLive, error);
      if (!version) return error;
      number = version->version;
    }
    const Status fits = registry_.Check(subject_, *schema, number);
    if (!fits.ok() && fits.code() != ErrorCode::kIncompatibleChange) return Failed(fits);
    const std::string messages = fits.ok() ? "[]" : fmt::format("[{}]", QuoteJson(fits.message()));
    return Json(fmt::format(R"({{"is_compatible":{}{}}})", fits.ok(),
                            Flag("verbose") ? R"(,"messages":)" + messages : ""));
  }

  MemoryRegistry& registry_;
  const RegistryRequest& request_;
  const std::vector<std::string> parts_;
  std::string subject_;
};

}  // namespace

RegistryAnswer AnswerRegistryRequest(MemoryRegistry& registry, const RegistryRequest& request) {
  return Exchange(registry, request).Answer();
}

}  // namespace weir
