#pragma once

// How the values that one writer's schema describes become values of SQL types: worked out once for
// each schema, then followed record by record. What no column wants is passed over by its bytes.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exec/column/builder.h"
#include "exec/formats/avro/avro_cursor.h"
#include "exec/formats/avro/avro_schema.h"
#include "exec/formats/format.h"

namespace weir {

/// One step through a value. Those that read append one value to a builder.
struct AvroStep {
  enum class Op : uint8_t {
    // Passing over:
    kSkipNothing,
    kSkipLongs,   ///< `count` of them.
    kSkipBytes,   ///< With their length in front.
    kSkipFixed,   ///< `count` bytes.
    kSkipBlocks,  ///< Of an array or map: steps[0] passes one item over.
    kSkipUnion,
    kSkipAll,  ///< One after another.
    // Reading:
    kMissing,  ///< Nothing was written: null.
    kNull,
    kMismatch,  ///< The writer's type has no place in the column's: `fault` says so.
    kBoolean,
    kInt32,
    kInt64,
    kMillisAsTime,
    kMicrosAsTime,
    kMicrosAsTimestamp,
    kFloat,
    kDouble,
    kLongAsDouble,
    kString,
    kBytes,
    kFixed,
    kEnum,
    kBooleanAsText,
    kLongAsText,
    kDecimal,       ///< `count`: bytes of a fixed one, or -1.
    kArray,         ///< steps[0]: an item.
    kMap,           ///< steps[0]: a value.
    kMapEntries,    ///< steps[0], steps[1]: key and value.
    kStruct,        ///< Steps in the writer's order; `target` is the field, -1: passed over.
    kUnion,         ///< A step a branch.
    kBranchStruct,  ///< A union as a STRUCT with a field a branch, as Kafka Connect has it.
    kDefault,       ///< steps[0] reads `bytes`, which every record has in the place of its own.
  };
  Op op = Op::kSkipNothing;
  int target = -1;
  int64_t count = 0;
  int scale = 0, to_scale = 0, precision = 0;  ///< kDecimal.
  std::vector<AvroStep> steps;
  std::vector<int> missing;  ///< kStruct: fields that nothing was written for.
  std::vector<std::string> symbols;
  std::string bytes;
  std::string fault;

  bool reads() const { return op >= Op::kMissing; }
};

/// A column of the side that is read.
struct AvroTarget {
  std::string name;
  DataType type;
};

/// How `writer` fills the columns. Where `reader` is not null, it says under which other names
/// (aliases) the writer may have them, and what they are (defaults) where it has none.
/// kFormatMismatch for a schema that can fill none of them: a wrapped value that is no record.
Result<AvroStep> PlanAvroRecord(const AvroType& writer, const std::vector<AvroTarget>& columns,
                                const AvroType* reader);
/// The whole value is the column.
Result<AvroStep> PlanAvroValue(const AvroType& writer, const DataType& type,
                               const AvroType* reader);

/// Passes a whole value over.
Result<AvroStep> PlanAvroSkip(const AvroType& writer);

/// Follows plans. One thread at a time.
class AvroReader {
 public:
  /// Reads one value into `out`; false if the bytes are not the schema's, or the value does not fit
  /// the type: fault() says why, and `out` may hold a part of it.
  bool Read(const AvroStep& step, AvroCursor& from, ColumnBuilder& out);
  bool Skip(const AvroStep& step, AvroCursor& from);
  /// The value read, or the union passed over, last was null.
  bool was_null() const { return was_null_; }
  std::string_view fault() const { return fault_; }

 private:
  bool Fail(std::string_view fault) {
    fault_ = fault;
    return false;
  }
  bool ReadScalar(const AvroStep& step, AvroCursor& from, ColumnBuilder& out);
  bool ReadDecimal(const AvroStep& step, AvroCursor& from, ColumnBuilder& out);
  bool ReadAsText(const AvroStep& step, AvroCursor& from, ColumnBuilder& out);
  bool ReadBlocks(const AvroStep& step, AvroCursor& from, ColumnBuilder& out);
  bool ReadItem(const AvroStep& step, AvroCursor& from, ColumnBuilder& out);
  bool ReadStruct(const AvroStep& step, AvroCursor& from, ColumnBuilder& out);
  bool ReadUnion(const AvroStep& step, AvroCursor& from, ColumnBuilder& out);
  std::string_view fault_;
  bool was_null_ = false;
};

}  // namespace weir
