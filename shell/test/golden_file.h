#pragma once

// A golden test (.test) as text: statements, records that go in, what must come out. The format is
// told in docs/testing_your_queries.md.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/status.h"

namespace weir::shell {

/// One record as it is written in a block: `time | key | value`.
struct GoldenRow {
  std::optional<int64_t> time_ms;    ///< Nothing for `*`: any time.
  std::optional<std::string> key;    ///< Nothing for NULL. A windowed key as `a@[0,10000)`.
  std::optional<std::string> value;  ///< Nothing for NULL: a tombstone.
};

enum class BlockKind {
  kStatementOk,
  kStatementError,
  kStatementPlan,
  kInput,
  kOutput,
  kQuery,
  kSameAs,
  kMetric,
  kCloseWindows,
  kClock,
};
/// How an output is compared.
enum class OutputMode { kChanges, kFinal, kOrdered };

struct GoldenBlock {
  BlockKind kind = BlockKind::kStatementOk;
  int line = 0;           ///< From 1, of its first line.
  std::string sql;        ///< Statement or query.
  std::string other_sql;  ///< kSameAs: the second query.
  std::string subject;    ///< Topic or source, plan stage, metric's name.
  int64_t number = 0;     ///< Error code, metric's value, clock.
  OutputMode mode = OutputMode::kChanges;
  bool ordered = false;               ///< kQuery: rows must come in this order.
  std::vector<GoldenRow> rows;        ///< kInput, kOutput.
  std::vector<std::string> expected;  ///< Rows; lines of the plan; the error's message.
  /// The lines of the expected part, from 0, as [begin, end): what --update rewrites.
  size_t expected_begin = 0;
  size_t expected_end = 0;
};

struct GoldenFile {
  std::vector<std::string> lines;
  std::vector<GoldenBlock> blocks;
  /// A statement says `partitions=`: the file is not run in the way `spread`.
  bool pins_partitions = false;
};

/// Fails with kUsage, naming the line.
Result<GoldenFile> ParseGoldenFile(std::string_view text);

/// The tests of a page in Markdown, one for each heading `## …` that has any: what stands in fences
/// that begin with ```sql test, those below one heading together. Lines are counted in the page.
Result<std::vector<GoldenFile>> ParseGoldenPage(std::string_view text);

/// `line` without its comment, which is `#` in front or behind two blanks, and blanks at its end.
std::string_view WithoutComment(std::string_view line);

/// Rows as a block's lines, their bars below each other.
std::vector<std::string> FormatRows(const std::vector<GoldenRow>& rows);

}  // namespace weir::shell
