#pragma once

// `weir load`: records of a CSV or NDJSON file into a topic, in batches of thousands.

#include <cstdint>
#include <functional>
#include <istream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shell/prompt/interrupts.h"
#include "weir/engine.h"

namespace weir::shell {

enum class InputFormat { kByName, kCsv, kJson };
/// kText: the one column's text; kObject: a JSON object; kSchema: LoadOptions::key_schema_format;
/// the others Kafka's binary numbers.
enum class KeyFormat { kByColumns, kText, kObject, kInt, kBigint, kDouble, kSchema };

/// A column of the input and the name it gets: `C` or `C=NAME`.
struct ColumnChoice {
  std::string column;
  std::string name;
  bool operator==(const ColumnChoice&) const = default;
};
/// Reads "A=b,C". Fails with kUsage on an empty name.
Result<std::vector<ColumnChoice>> ParseColumnChoices(std::string_view text);
/// Reads "json", "kafka", "kafka:int|bigint|double|string", or "avro", "protobuf" and "json_sr",
/// which are kSchema.
Result<KeyFormat> ParseKeyFormat(std::string_view text);

struct LoadOptions {
  std::string topic;
  std::string file;  ///< For messages and to tell the format by its extension; "-": stdin.
  InputFormat input_format = InputFormat::kByName;
  std::vector<ColumnChoice> columns;  ///< Empty: all. CSV only.
  std::vector<ColumnChoice> key;      ///< Empty: no key.
  KeyFormat key_format = KeyFormat::kByColumns;
  std::string key_schema_format;  ///< AVRO, PROTOBUF or JSON_SR, with kSchema.
  std::string output_format;      ///< Of values: one of these; empty: JSON.
  std::string timestamp_column;   ///< Empty: the time of loading.
  int64_t rate = 0;               ///< Records a second; 0: as fast as it goes.
};

/// Makes records of an input, one by one. Not thread-safe.
class RecordSource {
 public:
  virtual ~RecordSource() = default;
  /// Fills `record`, whose memory is used again; false at the end. An error names the line.
  virtual Result<bool> Next(Record* record) = 0;
  /// The line that the last record began on.
  virtual int64_t line() const = 0;
  /// A side that gets a schema of the registry is given as fields with commas between them (of a
  /// CSV: their texts stay as they are), not as JSON; they are these. Empty: JSON.
  virtual std::vector<std::string> FieldNames(bool is_key) const = 0;
};
/// Reads `in`, which must outlive the source, or the file that `options` names if `in` is null.
/// Reads the header of a CSV; fails if a column is not there. While a pipe gives nothing, `stopped`
/// is looked at: kCancelled if it answers true.
Result<std::unique_ptr<RecordSource>> MakeRecordSource(const LoadOptions& options, std::istream* in,
                                                       const std::function<bool()>& stopped);

/// The records of `source` with the sides encoded that `options`, which outlive the result, want in
/// a format of the registry. Reads the first thousand, and registers their schemas.
Result<std::unique_ptr<RecordSource>> EncodeRecords(Engine& engine, const LoadOptions& options,
                                                    std::unique_ptr<RecordSource> source);

/// Called after each batch that the engine acknowledged, with the number of records so far.
using LoadProgress = std::function<void(int64_t acknowledged)>;

/// Called once at most, before the first records that it is about are appended: the topic will not
/// keep what is loaded. Several lines.
using LoadWarning = std::function<void(const std::string& text)>;

/// Makes the topic with one partition if it is missing, then appends all records of `in`, or of the
/// file that `options` names if that is null (weir/file_rows.h reads it). Returns how many;
/// on error, or when `interrupts` has a stop pending (kCancelled), what was reported to `progress`
/// stays loaded.
Result<int64_t> Load(Engine& engine, const LoadOptions& options, std::istream* in,
                     Interrupts& interrupts, const LoadProgress& progress,
                     const LoadWarning& warn = {});

}  // namespace weir::shell
