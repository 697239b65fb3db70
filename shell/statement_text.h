#pragma once

// What the program wants to know of a statement's text, and errors of one statement told in terms
// of the whole text it was cut from (by the parser's StatementSplitter).

#include <string>
#include <string_view>

#include "parser/statement_splitter.h"
#include "weir/status.h"

namespace weir::shell {

/// `status`, whose place counts from the begin of the statement, with its place in the whole text.
/// `whole_text` gives the source line; where it is empty the statement's own line is used.
Status Relocate(Status status, const StatementText& statement, std::string_view whole_text);

/// The first word of a statement in capitals, past blanks and comments; may be empty.
std::string FirstWord(std::string_view statement);

/// True if the statement gives rows of data: SELECT, WITH, PRINT.
bool ReadsData(std::string_view statement);

/// True for a SELECT with EMIT or a PRINT that no LIMIT ends: it follows its source for ever.
bool FollowsForEver(std::string_view statement);

}  // namespace weir::shell
