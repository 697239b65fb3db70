#pragma once

// Values of columns against each other: equality, order and hash as SQL sees them, for kernels and
// operators that work row by row.

#include <cstdint>
#include <string_view>

#include "weir/batch.h"

namespace weir {

/// Order of two UTF-8 texts by UTF-16 code units, as Java compares strings: < 0, 0, > 0.
int CompareUtf16(std::string_view a, std::string_view b);

/// Whether a[i] equals b[j]. Both columns have one kind of type (decimals may differ in scale).
/// Null equals null here; maps are equal whatever the order of their entries.
bool EqualAt(const Column& a, int32_t i, const Column& b, int32_t j);

/// Three-way order; null comes last. Not for MAP and STRUCT, which compare equal or not at all.
int CompareAt(const Column& a, int32_t i, const Column& b, int32_t j);

/// A hash that agrees with EqualAt within one type. Not stable between versions: never store it.
uint64_t HashAt(const Column& column, int32_t row);

}  // namespace weir
