#pragma once

// A schema registry: subjects with versions of schemas, each schema under an id that the records of
// formats such as AVRO carry.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/status.h"

namespace weir {

enum class SchemaType : uint8_t { kAvro, kJson, kProtobuf };

/// AVRO, JSON or PROTOBUF, as the registry's own API says it.
std::string_view SchemaTypeName(SchemaType type);
/// The type of such a name; nothing: it is none.
std::optional<SchemaType> SchemaTypeOf(std::string_view name);

/// A schema of another subject that a schema uses by name.
struct SchemaReference {
  std::string name;
  std::string subject;
  int32_t version = 0;
  bool operator==(const SchemaReference&) const = default;
};

struct RegisteredSchema {
  int32_t id = 0;
  SchemaType type = SchemaType::kAvro;
  std::string text;
  std::vector<SchemaReference> references;
};
using SchemaPointer = std::shared_ptr<const RegisteredSchema>;

/// One version of a subject.
struct SubjectVersion {
  std::string subject;
  int32_t version = 0;
  SchemaPointer schema;
  bool deleted = false;  ///< Only its id is still known, until it is removed for good.
};

/// What a new version of a subject must be able to do with what other versions wrote.
enum class Compatibility : uint8_t {
  kNone,
  kBackward,            ///< Read what the version before it wrote.
  kBackwardTransitive,  ///< Read what any version before it wrote.
  kForward,             ///< Be read by the version before it.
  kForwardTransitive,
  kFull,  ///< Both.
  kFullTransitive,
};

/// Safe from any thread. A registry that is a service of its own may also give kRegistryUnavailable
/// and kRegistryError (IsOfRegistry): it was not to be asked, which says nothing about the schema.
class SchemaRegistry {
 public:
  virtual ~SchemaRegistry() = default;
  /// Null: there is no schema with this id (yet).
  virtual Result<SchemaPointer> ById(int32_t id) = 0;
  /// The newest version of a subject; null: the subject has none.
  virtual Result<SchemaPointer> Latest(std::string_view subject) = 0;
  /// Null: the subject has no such version.
  virtual Result<SchemaPointer> Version(std::string_view subject, int32_t version) = 0;
  /// The numbers of a subject's versions, ascending; none: there is no such subject.
  virtual Result<std::vector<int32_t>> Versions(std::string_view subject) = 0;
  /// The id of the schema, as a version of the subject: the one it has, or a new one's.
  /// kIncompatibleChange if the subject's compatibility forbids that, kFormatMismatch or
  /// kUnsupported for what is no schema.
  virtual Result<int32_t> Register(std::string_view subject, SchemaType type, std::string_view text,
                                   const std::vector<SchemaReference>& references) = 0;
  /// The newest version of each subject, by name.
  virtual Result<std::vector<SubjectVersion>> Subjects() = 0;
};

/// True where the registry could not be asked: what needs its answer is to fail with the status, so
/// that it is done again, and no record is taken for a bad one.
inline bool IsOfRegistry(const Status& status) {
  return status.code() == ErrorCode::kRegistryUnavailable ||
         status.code() == ErrorCode::kRegistryError;
}

/// `<topic>-key` or `<topic>-value`.
std::string SubjectOf(std::string_view topic, bool is_key);

}  // namespace weir
