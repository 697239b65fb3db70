#pragma once

// The WITH clause: which properties exist, where, and of what type.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parser/ast/query.h"
#include "weir/status.h"

namespace weir {

/// Where a WITH clause stands.
enum class WithPlace : uint8_t { kSource, kSink, kInsert };

/// A checked WITH clause: every name is known and every value of the right type.
class WithProperties {
 public:
  /// kInvalidProperty for unknown names, wrong types and properties given twice. With a CONNECTOR
  /// the names are the connector's.
  static Result<WithProperties> Read(const ast::Properties& properties, WithPlace place);

  bool Has(std::string_view name) const { return Find(name) != nullptr; }
  std::optional<std::string> Text(std::string_view name) const;
  std::optional<int64_t> Integer(std::string_view name) const;
  std::optional<bool> Boolean(std::string_view name) const;
  /// Of the property's value, or of the whole clause.
  SourcePosition PositionOf(std::string_view name) const;
  /// Names and values as text, for connectors.
  std::map<std::string, std::string> ToMap() const;

 private:
  struct Entry {
    std::string text;
    SourcePosition position;
  };
  const Entry* Find(std::string_view name) const;
  std::map<std::string, Entry, std::less<>> entries_;
};

/// The names of all properties, those that connectors add not among them.
std::vector<std::string_view> WithPropertyNames();

/// "30 SECONDS" in milliseconds; kInvalidProperty naming what is wrong.
Result<int64_t> ParseDurationText(std::string_view text);

/// An error about one property's value.
Status InvalidProperty(std::string message, SourcePosition position);

}  // namespace weir
