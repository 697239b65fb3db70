#pragma once

// Batches as text, for tests of operators. One row a line:
//
//   + 1000 | 1, abc, 2.5              inserted at time 1000
//   b 2000 @0-30000 | 1, abc, null    the row before an update, of the window [0, 30000)
//   u 2000 @0-30000 | 1, xyz, null    the row after it
//   - 3000 | 1                        deleted; columns left out are null

#include <string>
#include <string_view>
#include <vector>

#include "exec/column/chunk.h"
#include "weir/types.h"

namespace weir::test {

/// A schema out of "K INT KEY, NAME STRING, N BIGINT".
SchemaPtr SchemaFromText(std::string_view text);
/// Rows of scalar types; the operation may be left out. Window columns are there if any row has
/// one.
Chunk ChunkFromText(const Schema& schema, std::string_view text);
/// One line a row that counts.
std::vector<std::string> ChunkToLines(const Chunk& chunk);
/// The lines of a text without blanks around them and without empty ones.
std::vector<std::string> Lines(std::string_view text);

}  // namespace weir::test
