#pragma once

// The registry inside Weir: schemas in memory, each kept by whoever asks for that (the local store
// keeps them as rows of its state).

#include <functional>
#include <map>
#include <mutex>

#include "exec/formats/protobuf/protobuf_schema.h"
#include "exec/formats/registry/schema_registry.h"

namespace weir {

class MemoryRegistry : public SchemaRegistry {
 public:
  /// Called with each new version before it is known; an error refuses it.
  using Keeper = std::function<Status(const SubjectVersion&)>;
  /// What new versions of subjects must keep to; asked at each one.
  using Rule = std::function<Compatibility()>;

  explicit MemoryRegistry(Keeper keeper = {}, Rule rule = {})
      : keeper_(std::move(keeper)), rule_(std::move(rule)) {}

  Result<SchemaPointer> ById(int32_t id) override;
  Result<SchemaPointer> Latest(std::string_view subject) override;
  Result<SchemaPointer> Version(std::string_view subject, int32_t version) override;
  Result<int32_t> Register(std::string_view subject, SchemaType type, std::string_view text,
                           const std::vector<SchemaReference>& references) override;
  Result<std::vector<SubjectVersion>> Subjects() override;

  /// A version as it was kept, without any check.
  void Restore(SubjectVersion version);
  /// Registers under a given id, for subjects that are copied from elsewhere. kAlreadyExists if
  /// another schema has it.
  Status RegisterAs(int32_t id, std::string_view subject, SchemaType type, std::string_view text,
                    const std::vector<SchemaReference>& references);

 private:
  Status Add(SubjectVersion version);
  Status CheckCompatible(std::string_view subject, const RegisteredSchema& schema);

  const Keeper keeper_;
  const Rule rule_;
  std::recursive_mutex mutex_;  // Checks look up what a schema refers to.
  std::map<int32_t, SchemaPointer> by_id_;
  std::map<std::string, std::vector<SubjectVersion>, std::less<>> subjects_;
};

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

}  // namespace weir
