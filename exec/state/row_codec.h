#pragma once

// One row of columns as bytes, and back: keys and rows of state stores. Two values of one type are
// equal exactly when their bytes are (NaNs and signed zeros by their bits), so the bytes of key
// columns also serve as keys of hash tables. Integers are little-endian; nothing sorts by them.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exec/column/builder.h"

namespace weir {

/// Appends one value: a byte that says whether it is there, then the value.
void AppendRowValue(const Column& column, int32_t row, std::string& out);
/// Reads what AppendRowValue wrote into `out` and moves `bytes` past it. False if malformed; `out`
/// is then of no use.
bool ReadRowValue(std::string_view& bytes, ColumnBuilder& out);

/// All of `columns`, in order.
void AppendRow(std::span<const ColumnPtr> columns, int32_t row, std::string& out);
bool ReadRow(std::string_view& bytes, std::span<ColumnBuilder> out);

/// Eight bytes that sort as the number does, for keys that are ordered by time; and back.
void AppendOrdered64(int64_t value, std::string& out);
bool ReadOrdered64(std::string_view& bytes, int64_t& value);

}  // namespace weir
