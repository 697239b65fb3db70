#pragma once

// Records of a topic as the text of golden tests, and back: windowed keys, Kafka's binary numbers.

#include <string_view>

#include "shell/test/golden_file.h"
#include "weir/engine.h"

namespace weir::shell {

/// The record that `row` stands for in the topic of `source`; null: a topic nobody has declared.
Result<Record> MakeRecord(const GoldenRow& row, const SourceInfo* source);

/// The text of a record read from the topic of `source`. JSON is written without blanks.
GoldenRow MakeRow(const Record& record, const SourceInfo* source);

/// True if two texts of values say the same: blanks outside JSON strings do not count, and numbers
/// with a fraction may differ by 1e-9 of their size (the order of a DOUBLE sum is not fixed).
bool SameText(std::string_view a, std::string_view b);

/// JSON objects and arrays without blanks between their parts; other text as it is.
std::string WithoutJsonBlanks(std::string_view text);

}  // namespace weir::shell
