#pragma once

// Records in JSON to columns: the engine's hottest code. Records are indexed many at a time
// (JsonStructure); fields are found at the place where the previous record had them, and only a
// record that differs is searched.
//
// Which records are bad: not UTF-8, an open string or bracket, anything after the value, or a
// needed column that does not decode. With STRICT.JSON the whole record is checked. If a name
// occurs several times in an object, the exact spelling counts before others, and the last of
// these. Only of the record's own names one that stands where the record before had it is taken
// unseen: looking at all other names of a record takes a third of the time of reading a column.

#include <memory>

#include "exec/formats/format.h"

namespace weir {

std::unique_ptr<SideDecoder> MakeJsonDecoder(const FormatSpec& spec,
                                             const std::vector<FormatColumn>& columns);

}  // namespace weir
