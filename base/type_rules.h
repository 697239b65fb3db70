#pragma once

// Which SQL types turn into which: what happens unasked, and what CAST can do. Pure rules over
// DataType, for the planner and for the resolution of functions alike.

#include <cstdint>
#include <optional>

#include "weir/types.h"

namespace weir {

/// Cost of converting `from` to `to` without being asked (INT → BIGINT → DECIMAL → DOUBLE, also
/// inside ARRAY, MAP and STRUCT; NULL to anything): 0 if there is nothing to do, -1 if it cannot.
int ImplicitCost(const DataType& from, const DataType& to);

/// What a DECIMAL that would need more than 38 digits goes without: digits after the point (see
/// CappedDecimal), or those in front of it.
enum class DecimalExcess : uint8_t { kDropsFraction, kDropsWhole };

/// The narrowest type both convert to unasked, if there is one. For CASE, IN, ARRAY[…], comparisons
/// and the type variables of functions. STRUCTs get the fields of both, those of `a` first.
std::optional<DataType> CommonType(const DataType& a, const DataType& b,
                                   DecimalExcess excess = DecimalExcess::kDropsFraction);

/// The DECIMAL that holds all values of a type: INT (10, 0), BIGINT (19, 0), a DECIMAL itself.
/// Requires one of these.
DataType DecimalOf(const DataType& type);

/// DECIMAL(precision, scale), at most 38 digits: digits after the point go first, down to 6.
DataType CappedDecimal(int precision, int scale);

/// Whether CAST(from AS to) exists.
bool CanCast(const DataType& from, const DataType& to);

}  // namespace weir
