#pragma once

// Avro schemas as a tree of types, from their JSON.

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weir/status.h"

namespace weir {

enum class AvroKind : uint8_t {
  kNull,
  kBoolean,
  kInt,
  kLong,
  kFloat,
  kDouble,
  kBytes,
  kString,
  kRecord,
  kEnum,
  kArray,
  kMap,
  kUnion,
  kFixed,
};

/// What a type means beyond its bytes. Logical types that Weir does not know, or that do not fit
/// their type, mean nothing, as Avro's specification says.
enum class AvroLogical : uint8_t {
  kNone,
  kDecimal,
  kDate,
  kTimeMillis,
  kTimeMicros,
  kTimestampMillis,
  kTimestampMicros,
};

struct AvroType {
  struct Field {
    std::string name;
    std::vector<std::string> aliases;
    const AvroType* type = nullptr;
    bool has_default = false;
    std::string default_json;  ///< The default's text.
  };
  AvroKind kind = AvroKind::kNull;
  AvroLogical logical = AvroLogical::kNone;
  int precision = 0, scale = 0;      ///< Of a decimal.
  int64_t fixed_size = 0;            ///< kFixed.
  int height = 0;                    ///< Levels of types inside it, those behind names counted.
  std::string full_name;             ///< kRecord, kEnum, kFixed: with the namespace.
  std::vector<Field> fields;         ///< kRecord.
  std::vector<std::string> symbols;  ///< kEnum.
  std::string default_symbol;        ///< kEnum: of a symbol that the reader does not know.
  /// kArray: its items; kMap: its values; kUnion: its branches.
  std::vector<const AvroType*> children;
  /// kArray: its records, of a "key" and a "value", are the entries of a map. Kafka Connect writes
  /// maps so whose keys may be null, and with it ksqlDB all maps.
  bool is_map_entries = false;

  bool is_named() const {
    return kind == AvroKind::kRecord || kind == AvroKind::kEnum || kind == AvroKind::kFixed;
  }
  /// As unions name their branches: "int", or a full name.
  std::string_view BranchName() const;
};

/// A parsed schema: the tree's root, and what holds the tree.
class AvroSchema {
 public:
  const AvroType& root() const { return *root_; }

 private:
  friend class AvroSchemaParser;
  std::deque<AvroType> types_;
  const AvroType* root_ = nullptr;
};
using AvroSchemaPtr = std::shared_ptr<const AvroSchema>;

/// `references` are texts of schemas whose named types `text` uses, those that they use first.
/// kFormatMismatch for what is no schema, kUnsupported for records that contain themselves.
Result<AvroSchemaPtr> ParseAvroSchema(std::string_view text,
                                      const std::vector<std::string>& references = {});

}  // namespace weir
