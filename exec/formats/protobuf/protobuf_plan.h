#pragma once

// How the records that one writer's schema describes become values of SQL types: worked out once
// for each message, then followed record by record. Fields come in any order and any number, so a
// message is first scanned for where its fields are, then each column takes its own.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exec/column/builder.h"
#include "exec/formats/protobuf/protobuf_schema.h"

namespace weir {

/// One value that is read; appends it to a builder.
struct ProtobufStep {
  enum class Op : uint8_t {
    kNull,      ///< The writer has no such field.
    kMismatch,  ///< The writer's type has no place in the column's: `fault` says so.
    kBoolean,
    kInt32,
    kInt64,
    kIntegerAsDouble,
    kFloat,
    kDouble,
    kString,
    kBytes,
    kEnum,
    kBooleanAsText,
    kIntegerAsText,
    kTimestamp,
    kDate,
    kTimeOfDay,
    kDecimal,
    kStruct,  ///< steps: one a field of the STRUCT; slots: what the message is scanned for.
    kMap,     ///< steps: key and value; slots: those of an entry.
    kOneof,   ///< steps: one a field of the STRUCT, in the slots of the message around it.
  };
  /// A field of a message that is looked for.
  struct Slot {
    int32_t number = 0;
    ProtobufWire wire = ProtobufWire::kVarint;
    bool packable = false;  ///< Many values may come in one.
    int oneof = -1;         ///< Of fields of one oneof the last that came is there.
  };
  Op op = Op::kNull;
  ProtobufKind kind = ProtobufKind::kInt32;
  int slot = -1;
  bool repeated = false;  ///< An ARRAY of such values.
  bool wrapped = false;   ///< Inside a message of its own, which may be missing.
  bool optional = false;  ///< Missing is null, else the default.
  int oneof = -1;
  uint64_t default_bits = 0;
  std::string default_text;
  int to_scale = 0, precision = 0;                       ///< kDecimal.
  std::vector<std::pair<int32_t, std::string>> symbols;  ///< By number.
  std::vector<ProtobufStep> steps;
  std::vector<Slot> slots;
  std::vector<int32_t> slot_of_number;                   ///< Of low numbers; -1: none.
  std::vector<std::pair<int32_t, int32_t>> other_slots;  ///< By number.
  std::string fault;

  /// The value stands in the message itself.
  bool is_scalar() const { return !wrapped && kind != ProtobufKind::kMessage; }
};

/// How `message` fills the fields of a STRUCT: by name, else by name in other letters; a oneof has
/// a STRUCT of its members under its name and number, as Kafka Connect has it. kFormatMismatch for
/// a value of too many parts.
Result<ProtobufStep> PlanProtobufMessage(const ProtobufMessage& message, const DataType& columns);

/// Follows plans. One thread at a time.
class ProtobufReader {
 public:
  /// Reads one message into the STRUCT `out`; false if the bytes are no message, or a value does
  /// not fit: fault() says why, and `out` may hold a part of it.
  bool Read(const ProtobufStep& message, std::string_view bytes, ColumnBuilder& out);
  std::string_view fault() const { return fault_; }

 private:
  struct Occurrence {
    uint64_t bits = 0;
    std::string_view bytes;
    int32_t next = -1;
    bool packed = false;
    bool replaced = false;  ///< Of a map: by a later entry.
  };
  struct Key {
    std::string_view bytes;
    uint64_t bits;
    int32_t at;
  };
  struct Chain {
    int32_t first = -1, last = -1;
  };
  /// Fields of the little messages that stand for one value.
  struct Small {
    static constexpr int kNumbersMax = 4;
    uint64_t bits[kNumbersMax + 1] = {};
    std::string_view bytes[kNumbersMax + 1] = {};
  };

  bool Fail(std::string_view fault) {
    fault_ = fault;
    return false;
  }
  bool Scan(const ProtobufStep& message, std::string_view bytes, size_t base);
  bool ReadParts(const ProtobufStep& message, int32_t first, bool only_first, ColumnBuilder& out);
  bool ReadFields(const ProtobufStep& message, const std::vector<ProtobufStep>& steps, size_t base,
                  ColumnBuilder& out);
  bool ReadField(const ProtobufStep& message, const ProtobufStep& step, size_t base,
                 ColumnBuilder& out);
  bool ReadArray(const ProtobufStep& step, int32_t first, ColumnBuilder& out);
  bool MarkReplaced(int32_t first);
  bool ReadMap(const ProtobufStep& step, int32_t first, ColumnBuilder& out);
  bool ReadOneof(const ProtobufStep& message, const ProtobufStep& step, size_t base,
                 ColumnBuilder& out);
  /// Of a value that is a message of its own, in one part or several.
  bool ReadOne(const ProtobufStep& step, int32_t first, bool only_first, ColumnBuilder& out);
  bool ReadScalar(const ProtobufStep& step, uint64_t bits, std::string_view bytes,
                  ColumnBuilder& out);
  bool ReadMessage(const ProtobufStep& step, const Small& small, ColumnBuilder& out);
  bool ScanSmall(std::string_view bytes, Small& small);
  int ActiveSlot(const ProtobufStep& message, int oneof, size_t base) const;

  std::vector<Occurrence> occurrences_;
  std::vector<Chain> chains_;
  std::vector<Key> keys_;
  size_t values_ = 0;  // Of the record.
  std::string_view fault_;
};

}  // namespace weir
