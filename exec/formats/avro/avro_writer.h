#pragma once

// How rows become values of an Avro schema: worked out once, then followed row by row.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exec/column/builder.h"
#include "exec/formats/avro/avro_schema.h"
#include "weir/types.h"

namespace weir {

/// How one SQL value becomes a value of the schema.
struct AvroWriteStep {
  enum class Op : uint8_t {
    kConstant,  ///< `constant`, whatever the row holds: there is no column for it.
    kBoolean,
    kInt32AsLong,
    kInt64,
    kMillisAsMicros32,
    kMillisAsMicros64,
    kDouble,
    kFloat,
    kInt32AsDouble,
    kInt32AsFloat,
    kBytes,
    kFixed,  ///< `size` bytes.
    kEnum,
    kDecimal,  ///< `size` bytes, or -1 with their length.
    kArray,
    kMap,
    kMapEntries,
    kRecord,
  };
  Op op = Op::kConstant;
  int target = -1;       ///< Which column, or field of a STRUCT.
  int null_branch = -1;  ///< Of the union around it; -1: no null is taken.
  int value_branch = -1;
  std::string constant;  ///< Also what a null becomes where has_default.
  bool has_default = false;
  int64_t size = -1;
  int scale = 0, to_scale = 0, precision = 0;
  std::vector<AvroWriteStep> steps;
  std::vector<std::string> symbols;
  std::string name;  ///< Of the field, for messages.
};
/// How values of a type are written as the schema's. kFormatMismatch if they cannot be: another
/// type, a field that takes no null and has neither a column nor a default, a column without a
/// field.
Result<AvroWriteStep> PlanAvroWrite(const AvroType& to, const DataType& from);

/// Follows such steps. One thread at a time.
class AvroWriter {
 public:
  explicit AvroWriter(BufferBuilder& out) : out_(out) {}
  /// False if the schema does not take the value: fault() says why.
  bool Write(const AvroWriteStep& step, const Column& column, int32_t row);
  /// A record whose fields are these columns.
  bool WriteFields(const AvroWriteStep& step, std::span<const ColumnPtr> columns, int32_t row);
  const std::string& fault() const { return fault_; }

 private:
  bool WriteValue(const AvroWriteStep& step, const Column& column, int32_t row);
  bool WriteSymbol(const AvroWriteStep& step, std::string_view text);
  bool WriteDecimal(const AvroWriteStep& step, Decimal128 given);
  bool WriteItems(const AvroWriteStep& step, const Column& column, int32_t row);
  BufferBuilder& out_;
  std::string fault_;
};

}  // namespace weir
