#pragma once

// A .proto text as what the rest of the format needs of it. libprotobuf's compiler parses; nobody
// else sees its headers.

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weir/status.h"

namespace weir {

enum class ProtobufKind : uint8_t {
  kDouble,
  kFloat,
  kInt32,
  kInt64,
  kUint32,
  kUint64,
  kSint32,
  kSint64,
  kFixed32,
  kFixed64,
  kSfixed32,
  kSfixed64,
  kBool,
  kString,
  kBytes,
  kEnum,
  kMessage,
  kGroup,  ///< Of proto2; passed over.
};

/// How the bytes of a value are laid out, the lowest three bits of a tag.
enum class ProtobufWire : uint8_t { kVarint = 0, kFixed64 = 1, kLength = 2, kFixed32 = 5 };
ProtobufWire WireOf(ProtobufKind kind);

/// Messages that stand for one value of SQL.
enum class ProtobufMeaning : uint8_t {
  kNone,
  kWrapper,    ///< google.protobuf.Int32Value and its like: a value that may be null.
  kTimestamp,  ///< google.protobuf.Timestamp.
  kDate,       ///< google.type.Date.
  kTimeOfDay,  ///< google.type.TimeOfDay.
  kDecimal,    ///< confluent.type.Decimal.
};

struct ProtobufMessage;

struct ProtobufEnum {
  std::string full_name;
  std::vector<std::pair<int32_t, std::string>> symbols;
};

struct ProtobufField {
  std::string name;
  int32_t number = 0;
  ProtobufKind kind = ProtobufKind::kInt32;
  bool repeated = false;
  bool packed = false;
  bool is_map = false;        ///< Repeated messages of a key (1) and a value (2), one a key.
  bool optional = false;      ///< That it is not there is null, not its default.
  bool required = false;      ///< Of proto2.
  int oneof = -1;             ///< Among the message's oneofs.
  uint64_t default_bits = 0;  ///< As the wire has it.
  std::string default_text;   ///< kString, kBytes.
  const ProtobufMessage* message = nullptr;
  const ProtobufEnum* enumeration = nullptr;
  int precision = 0, scale = 0;  ///< kDecimal; 0: the schema does not say.
};

struct ProtobufMessage {
  std::string full_name;
  ProtobufMeaning meaning = ProtobufMeaning::kNone;
  std::vector<ProtobufField> fields;
  std::vector<std::string> oneofs;
  /// Where it stands among the messages of its file, outermost first, as records say it.
  std::vector<int32_t> place;
};

/// Text of a file that others import under `name`.
struct ProtobufFile {
  std::string name;
  std::string text;
};

class ProtobufSchema {
 public:
  /// All messages of the schema's own file, those inside others too, in their order.
  const std::vector<const ProtobufMessage*>& messages() const { return own_; }
  /// By its full name, or by its short one where only one has it; null: there is none.
  const ProtobufMessage* Find(std::string_view name) const;
  const ProtobufMessage* At(const std::vector<int32_t>& place) const;
  /// Equal for texts that say the same.
  const std::string& canonical() const { return canonical_; }

 private:
  friend class ProtobufSchemaBuilder;
  std::deque<ProtobufMessage> all_;
  std::deque<ProtobufEnum> enums_;
  std::vector<const ProtobufMessage*> own_;
  std::string canonical_;
};
using ProtobufSchemaPtr = std::shared_ptr<const ProtobufSchema>;

/// `files`: what it imports, and what these do. Well-known files need not be among them.
/// kFormatMismatch for what is no schema, with line and column.
Result<ProtobufSchemaPtr> ParseProtobufSchema(std::string_view text,
                                              const std::vector<ProtobufFile>& files = {});

}  // namespace weir
