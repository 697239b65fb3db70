#pragma once

// The one table of Weir's settings: names, defaults, units, scopes. SHOW PROPERTIES prints it, SET
// and EngineOptions::settings go through it.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "exec/runtime/query/query_environment.h"
#include "weir/status.h"

namespace weir {

/// Where a setting may be given: at Open only, or by SET for the queries created afterwards.
enum class SettingScope : uint8_t { kEngine, kQuery };

enum class SettingKind : uint8_t {
  kText,
  kSecret,  ///< Text that is never shown or kept with a statement.
  kHostPort,
  kNumber,
  kBytes,
  kMilliseconds,
  kBoolean,
  kChoice
};

struct SettingRow {
  std::string_view name;
  std::string_view default_value;
  SettingKind kind;
  SettingScope scope;
  std::string_view choices;  ///< kChoice: words separated by blanks.
  std::string_view text;
};

std::span<const SettingRow> SettingRows();

/// Values in force: what was set, over the defaults. Names are as in the table.
class Settings {
 public:
  /// `ksql.`, `ksql.streams.` and `weir.` before a name are dropped; names that ksqlDB or Kafka
  /// Streams know and Weir has no use for are accepted, with `*notice` saying so. Fails with
  /// kUnknownOption (with near names) or kInvalidOption.
  Status Set(std::string_view name, std::string_view value, bool at_open, std::string* notice);
  Status Unset(std::string_view name);
  std::string_view Get(std::string_view name) const;
  int64_t Number(std::string_view name) const;
  bool Flag(std::string_view name) const;
  bool IsSet(std::string_view name) const { return values_.contains(name); }
  /// Everything that was set, under the names it was set by, for the planner.
  const std::map<std::string, std::string, std::less<>>& given() const { return given_; }
  /// What a query created now keeps for life.
  QuerySettings ForQuery() const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
  std::map<std::string, std::string, std::less<>> given_;
};

}  // namespace weir
