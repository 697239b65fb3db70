#pragma once

// How rows become messages: worked out once for a message, then followed row by row.

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "exec/column/builder.h"
#include "exec/formats/protobuf/protobuf_schema.h"
#include "weir/types.h"

namespace weir {

/// How one SQL value becomes a field's.
struct ProtobufWriteStep {
  enum class Op : uint8_t {
    kNothing,  ///< No column has the field's name.
    kBoolean,
    kInt32,
    kInt64,
    kDouble,
    kFloat,
    kInt32AsDouble,
    kInt32AsFloat,
    kBytes,
    kEnum,
    kTimestamp,
    kDate,
    kTimeOfDay,
    kDecimal,
    kStruct,
    kMap,    ///< steps: key and value.
    kOneOf,  ///< steps: its members, of which a row has one at most.
  };
  Op op = Op::kNothing;
  ProtobufKind kind = ProtobufKind::kInt32;
  int32_t number = 0;
  int target = -1;  ///< Which column, or field of a STRUCT.
  bool repeated = false;
  bool packed = false;
  bool wrapped = false;     ///< Inside a message of its own.
  bool keeps_zero = false;  ///< Written also where it is the type's default.
  bool required = false;
  int scale = 0;
  std::vector<ProtobufWriteStep> steps;
  std::vector<std::pair<int32_t, std::string>> symbols;
  std::string name;  ///< Of the field, for messages.
};

/// How the fields of a STRUCT are written as `message`. kFormatMismatch if they cannot be: another
/// type, a required field without a column, a column without a field.
Result<ProtobufWriteStep> PlanProtobufWrite(const ProtobufMessage& message,
                                            std::span<const DataType::Field> columns);

/// Follows such steps. One thread at a time.
class ProtobufWriter {
 public:
  explicit ProtobufWriter(BufferBuilder& out) : out_(out) {}
  /// A message whose fields are these columns; false if the schema does not take a value: fault()
  /// says why.
  bool Write(const ProtobufWriteStep& message, std::span<const ColumnPtr> columns, int32_t row);
  const std::string& fault() const { return fault_; }

 private:
  bool WriteField(const ProtobufWriteStep& step, const Column& column, int32_t row);
  bool WriteMember(const ProtobufWriteStep& step, const Column& column, int32_t row);
  bool WriteItems(const ProtobufWriteStep& step, const Column& column, int32_t row);
  bool WriteEntries(const ProtobufWriteStep& step, const Column& column, int32_t row);
  bool WriteOne(const ProtobufWriteStep& step, const Column& column, int32_t row);
  bool WriteBody(const ProtobufWriteStep& step, const Column& column, int32_t row);
  bool BitsOf(const ProtobufWriteStep& step, const Column& column, int32_t row, uint64_t& bits);
  bool Fail(const ProtobufWriteStep& step, std::string_view why);

  BufferBuilder& out_;
  std::string fault_;
};

}  // namespace weir
