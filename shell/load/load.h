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
/// kText: the one column's text; kObject: a JSON object; the others Kafka's binary numbers.
enum class KeyFormat { kByColumns, kText, kObject, kInt, kBigint, kDouble };

/// A column of the input and the name it gets: `C` or `C=NAME`.
struct ColumnChoice {
  std::string column;
  std::string name;
  bool operator==(const ColumnChoice&) const = default;
};
/// Reads "A=b,C". Fails with kUsage on an empty name.
Result<std::vector<ColumnChoice>> ParseColumnChoices(std::string_view text);
/// Reads "json", "kafka" or "kafka:int|bigint|double|string".
Result<KeyFormat> ParseKeyFormat(std::string_view text);

struct LoadOptions {
  std::string topic;
  std::string file;  ///< For messages and to tell the format by its extension; "-": stdin.
  InputFormat input_format = InputFormat::kByName;
  std::vector<ColumnChoice> columns;  ///< Empty: all. CSV only.
  std::vector<ColumnChoice> key;      ///< Empty: no key.
  KeyFormat key_format = KeyFormat::kByColumns;
  std::string timestamp_column;  ///< Empty: the time of loading.
  int64_t rate = 0;              ///< Records a second; 0: as fast as it goes.
};

/// Makes records of an input, one by one. Not thread-safe.
class RecordSource {
 public:
  virtual ~RecordSource() = default;
  /// Fills `record`, whose memory is used again; false at the end. An error names the line.
  virtual Result<bool> Next(Record* record) = 0;
};
/// Reads `in`, which must outlive the source, or the file that `options` names if `in` is null.
/// Reads the header of a CSV; fails if a column is not there. While a pipe gives nothing, `stopped`
/// is looked at: kCancelled if it answers true.
Result<std::unique_ptr<RecordSource>> MakeRecordSource(const LoadOptions& options, std::istream* in,
                                                       const std::function<bool()>& stopped);

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
