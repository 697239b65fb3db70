#pragma once

// A record's headers as one run of bytes: for each, in order, the name's length and bytes, then the
// value's length (-1: null) and bytes. Lengths are little-endian 32-bit integers.

#include <optional>
#include <string_view>
#include <vector>

#include "exec/column/builder.h"

namespace weir {

/// A header of a record; the views point into the encoded bytes.
struct HeaderView {
  std::string_view name;
  std::optional<std::string_view> value;
  bool operator==(const HeaderView&) const = default;
};

/// Appends one header to `out`.
void AppendHeader(std::string_view name, const std::optional<std::string_view>& value,
                  BufferBuilder& out);
/// Headers of `encoded` in order; false if the bytes are malformed.
bool DecodeHeaders(std::string_view encoded, std::vector<HeaderView>& out);

}  // namespace weir
