#pragma once

// Key columns as bytes that sort as the values do, nulls first: keys of stores whose entries are
// read in order, or by the first of their columns. Two values of one type are equal exactly when
// their bytes are, and no key is the beginning of another. Texts sort by their bytes; arrays, maps
// and structs only keep apart.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "exec/column/builder.h"

namespace weir {

void AppendKeyValue(const Column& column, int32_t row, std::string& out);
/// Reads what AppendKeyValue wrote into `out` and moves `bytes` past it. False if malformed; `out`
/// is then of no use.
bool ReadKeyValue(std::string_view& bytes, ColumnBuilder& out);

/// All of `columns`, in order.
void AppendKey(std::span<const ColumnPtr> columns, int32_t row, std::string& out);
bool ReadKey(std::string_view& bytes, std::span<ColumnBuilder> out);

/// The first key behind all that begin with `prefix`; "": there is none.
std::string EndOfPrefix(std::string_view prefix);

}  // namespace weir
