#pragma once

// A look-up by key that comes again and again, each time with another key: what planning made of it
// is kept by the statement's text without the key, and planning is left out.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exec/runtime/query/query_runtime.h"
#include "weir/engine.h"

namespace weir {

/// The text of a statement that ends in `= literal`, the only one in it, without the literal: a
/// whole number or a text.
struct StatementShape {
  std::string text;
  std::string literal;  ///< As a text says it: without quotes.
  bool is_text = false;
};
/// Nothing for all other statements.
std::optional<StatementShape> ShapeOf(std::string_view sql);

/// What is to be done for one shape; safe from any thread.
struct KeyLookup {
  SchemaPtr schema;   ///< Of the result.
  DataType key_type;  ///< INT, BIGINT or STRING.
  /// By column of the result: the table's column, or a system column (below 0: -1 - its number).
  std::vector<int> columns;
  std::shared_ptr<QueryRuntime> keeper;
  int root = 0;
  bool is_windowed = false;
  /// Queries that are waited for, as for every SELECT without EMIT.
  std::function<void(const std::atomic<bool>& cancelled)> catch_up;
  std::shared_ptr<const std::atomic<bool>> is_closed;  ///< The engine's.
};

/// What `root` reads, where it is a look-up of one key of one column by `KEY = literal` that gives
/// out columns as they are; null elsewhere. `catch_up` and what keeps the table are left to the
/// caller.
std::shared_ptr<KeyLookup> AsKeyLookup(const physical::Node& root, const SchemaPtr& schema);
/// The key that a literal names; nothing if it needs a conversion.
std::optional<Value> KeyOf(const StatementShape& shape, const DataType& type);

std::unique_ptr<Cursor> OpenKeyLookup(std::shared_ptr<const KeyLookup> lookup, Value key,
                                      std::shared_ptr<Broker> broker);

}  // namespace weir
