#pragma once

// Short texts about everything that SQL has words for: statements, clauses, properties of WITH and
// types. One table, for `help` at the prompt; docs/sql.md tells the same at length. A test holds
// that the table misses no statement, property or type that the program knows.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace weir::shell {

enum class HelpKind : uint8_t { kStatement, kClause, kProperty, kType };

struct StatementHelp {
  std::string_view name;  ///< "CREATE STREAM", "GROUP BY", "KAFKA_TOPIC", "INT".
  std::string_view syntax;
  std::string_view text;  ///< One or two sentences.
  HelpKind kind = HelpKind::kStatement;
  /// Further names, between bars: "INTEGER" for INT, "LEFT JOIN|WITHIN" for JOIN.
  std::string_view also = {};
};

/// All entries: statements first, then clauses, properties, types.
std::span<const StatementHelp> HelpTexts();
/// The entries of one kind.
std::span<const StatementHelp> HelpTexts(HelpKind kind);
/// HelpTexts(HelpKind::kStatement).
std::span<const StatementHelp> StatementHelps();

/// What `help TOPIC` is about, in any case: the entries of this name, else those of which it is the
/// first words ("CREATE"), else those with a name that holds one of its words. Empty if there is
/// none.
std::vector<const StatementHelp*> FindHelp(std::string_view topic);

/// "statement", "clause", "property", "type".
std::string_view HelpKindName(HelpKind kind);

}  // namespace weir::shell
