#pragma once

// The registry inside Weir: schemas in memory, each kept by whoever asks for that (the local store
// keeps them as rows of its state, see exec/connect/registry/stored_registry.h).

#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "exec/formats/protobuf/protobuf_schema.h"
#include "exec/formats/registry/schema_registry.h"
#include "exec/formats/registry/schema_texts.h"

namespace weir {

class MemoryRegistry : public SchemaRegistry {
 public:
  /// Called with each new or changed version before it is known; an error refuses it.
  using Keeper = std::function<Status(const SubjectVersion&)>;
  /// Called before versions of a subject are removed for good; `last_id` is the largest id given.
  /// An error refuses it.
  using Remover = std::function<Status(std::string_view subject,
                                       const std::vector<int32_t>& versions, int32_t last_id)>;
  /// Called before a subject's rule changes, or that of all (""); an error refuses it.
  using RuleKeeper = std::function<Status(std::string_view subject, std::optional<Compatibility>)>;
  /// What new versions of subjects must keep to; asked at each one.
  using Rule = std::function<Compatibility()>;

  explicit MemoryRegistry(Keeper keeper = {}, Rule rule = {})
      : keeper_(std::move(keeper)), rule_(std::move(rule)) {}
  /// Before others use the registry.
  void KeepChanges(Remover remover, RuleKeeper rules) {
    remover_ = std::move(remover);
    rule_keeper_ = std::move(rules);
  }

  Result<SchemaPointer> ById(int32_t id) override;
  Result<SchemaPointer> Latest(std::string_view subject) override;
  Result<SchemaPointer> Version(std::string_view subject, int32_t version) override;
  Result<std::vector<int32_t>> Versions(std::string_view subject) override;
  Result<int32_t> Register(std::string_view subject, SchemaType type, std::string_view text,
                           const std::vector<SchemaReference>& references) override;
  Result<std::vector<SubjectVersion>> Subjects() override;

  /// A version as it was kept, without any check.
  void Restore(SubjectVersion version);
  /// Registers under a given id, for subjects that are copied from elsewhere. kAlreadyExists if
  /// another schema has it.
  Status RegisterAs(int32_t id, std::string_view subject, SchemaType type, std::string_view text,
                    const std::vector<SchemaReference>& references);

  // What only those ask for who serve the registry to others. Subjects and versions that are not
  // there give nothing; the only errors of changes are those of who keeps them.

  static constexpr int32_t kLatest = -1;
  enum class Seen : uint8_t { kLive, kAll };  ///< Without deleted ones, or with them.
  std::vector<std::string> SubjectNames(Seen seen);
  std::vector<SubjectVersion> VersionsOf(std::string_view subject, Seen seen);
  /// A version of a subject, or the newest one that is seen.
  std::optional<SubjectVersion> Find(std::string_view subject, int32_t version, Seen seen);
  /// The version of a subject that is this schema.
  std::optional<SubjectVersion> LookUp(std::string_view subject, const RegisteredSchema& schema,
                                       Seen seen);
  /// All versions of all subjects under an id.
  std::vector<SubjectVersion> VersionsWith(int32_t id, Seen seen);
  /// Ids of the schemas that refer to a version.
  std::vector<int32_t> ReferencesTo(std::string_view subject, int32_t version);
  /// Marks versions as deleted, or removes those that are for good.
  Status Delete(std::string_view subject, const std::vector<int32_t>& versions, bool for_good);
  /// kFormatMismatch or kUnsupported for what is no schema, kIncompatibleChange unless the schema
  /// may stand beside `version` of the subject by its rule; 0: beside those that the rule names.
  Status Check(std::string_view subject, const RegisteredSchema& schema, int32_t version);
  /// The rule of a subject, or of all (""); nothing: it has none of its own, and SetRule takes it.
  std::optional<Compatibility> RuleOf(std::string_view subject);
  Compatibility RuleFor(std::string_view subject);  ///< The one that counts.
  Status SetRule(std::string_view subject, std::optional<Compatibility> rule);
  /// What was kept, as it is read back: not kept again.
  void RestoreRule(std::string subject, Compatibility rule);
  void RestoreLastId(int32_t id);

 private:
  Status Add(SubjectVersion version);
  /// With `only`, against that version alone.
  Status CheckCompatible(std::string_view subject, const RegisteredSchema& schema,
                         int32_t only = 0);

  const Keeper keeper_;
  const Rule rule_;
  Remover remover_;
  RuleKeeper rule_keeper_;
  std::recursive_mutex mutex_;  // Checks look up what a schema refers to.
  std::map<int32_t, SchemaPointer> by_id_;
  std::map<std::string, std::vector<SubjectVersion>, std::less<>> subjects_;
  std::map<std::string, Compatibility, std::less<>> rules_;  // By subject; of all: "".
  int32_t last_id_ = 0;                                      // Ids are not given twice.
};

/// NONE, BACKWARD, … as the registry's own API says it, and back.
std::string_view CompatibilityName(Compatibility rule);
std::optional<Compatibility> CompatibilityOf(std::string_view name);

/// A version as text and back, as it is kept. kStoreCorrupt.
std::string EncodeSubjectVersion(const SubjectVersion& version);
Result<SubjectVersion> DecodeSubjectVersion(std::string_view text);

/// kIncompatibleChange unless a reader with schema `reader` can read what `writer` describes.
Status CheckAvroReads(const std::string& reader, const std::vector<std::string>& reader_references,
                      const std::string& writer, const std::vector<std::string>& writer_references);

/// kIncompatibleChange unless a reader with schema `reader` can read what `writer` describes: no
/// message is gone, no number has values of another kind, no member has left a oneof, nothing is
/// newly required.
Status CheckProtobufReads(const ProtobufSchema& reader, const ProtobufSchema& writer);

/// kIncompatibleChange unless all that is valid by `writer` is valid by `reader`, as far as
/// Confluent's registry looks: a property that is new must be one that objects could not have
/// before, one that is gone one that they still may have. kUnsupported where finding out takes too
/// long.
Status CheckJsonReads(const std::string& reader,
                      const std::vector<ReferencedText>& reader_references,
                      const std::string& writer,
                      const std::vector<ReferencedText>& writer_references);

}  // namespace weir
