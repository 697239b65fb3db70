#pragma once

// One SQL value outside a column: literals, constants, keys of lookups. Not for hot paths.

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace weir {

using Int128 = __int128;

/// A value without its type; the DataType that goes with it says how to read it. BOOLEAN: bool;
/// INT, DATE, TIME: int32_t; BIGINT, TIMESTAMP: int64_t; DOUBLE: double; DECIMAL: Int128, unscaled;
/// STRING and BYTES: std::string; ARRAY and STRUCT: Items; MAP: Entries; null: std::monostate.
struct Value {
  using Items = std::vector<Value>;
  using Entries = std::vector<std::pair<Value, Value>>;
  std::variant<std::monostate, bool, int32_t, int64_t, double, Int128, std::string, Items, Entries>
      data;

  Value() = default;
  template <typename T>
  requires(!std::is_same_v<std::remove_cvref_t<T>, Value>) explicit Value(T v)
      : data(std::move(v)) {}
  bool is_null() const { return std::holds_alternative<std::monostate>(data); }
  template <typename T>
  const T& as() const {
    return std::get<T>(data);
  }
  bool operator==(const Value&) const = default;
};

}  // namespace weir
