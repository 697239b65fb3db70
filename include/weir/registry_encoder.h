#pragma once

// Records as a program has them, in JSON or as lines of a CSV, made records of a format whose
// schemas are in the engine's registry: AVRO, JSON_SR, PROTOBUF.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/engine.h"
#include "weir/status.h"

namespace weir {

/// Rewrites keys and values by columns that it finds in the first records. One thread at a time.
class RegistryEncoder {
 public:
  /// How many records columns are found in, as CONNECTOR='file' does.
  static constexpr size_t kSampleRecords = 1000;

  struct Side {
    std::string format;  ///< AVRO, JSON_SR or PROTOBUF; empty: the side stays as it is.
    /// Of lines of a CSV, what the fields are called.
    std::vector<std::string> names;
  };
  struct Options {
    std::string topic;  ///< Its subjects get the schemas.
    Side key;
    Side value;
    /// The sides to be encoded are fields with commas between them, else JSON objects.
    bool delimited = false;
  };

  /// Finds the columns of `sample`, by the rules of CONNECTOR='file', and registers their schemas
  /// under <topic>-key and <topic>-value as CREATE … AS SELECT does. A key of one column stands
  /// bare, but in PROTOBUF. `engine` must outlive the result. kIncompatibleChange where the
  /// registry refuses a schema, kUnsupported without a registry, kBadRecord if there is no column
  /// to be found.
  static Result<std::unique_ptr<RegistryEncoder>> Make(Engine& engine, Options options,
                                                       std::span<const Record> sample);

  virtual ~RegistryEncoder() = default;
  /// Encodes the sides in place, in order; `*encoded` counts the records that it is done with.
  /// kBadRecord for the one behind them: a value that does not fit its column, or a field that no
  /// column was found for, as the sample had none. After any other error the records are of no use.
  virtual Status Encode(std::span<Record> records, size_t* encoded) = 0;
};

}  // namespace weir
