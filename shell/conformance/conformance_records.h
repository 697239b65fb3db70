#pragma once

// Between the JSON in which a conformance case writes records and the bytes of a topic's formats.

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "exec/formats/json/raw_json.h"
#include "exec/formats/record_batch.h"
#include "exec/formats/registry/memory_registry.h"
#include "planner/catalog/catalog.h"
#include "weir/status.h"

namespace weir::testing {

/// What a case must know of a topic to write and read its records.
struct TopicShape {
  std::string key_format = "NONE";
  std::string value_format = "JSON";
  DataType key_type;  ///< KAFKA: of the one key column; kNull: none.
  DataType value_type;
  physical::WindowKind windowed_key = physical::WindowKind::kNone;
  int64_t window_size_ms = 0;
  std::string topic;
  SchemaRegistry* schemas = nullptr;  ///< Of AVRO, JSON_SR and PROTOBUF.
  /// PROTOBUF: the message's name where one is given.
  std::string key_schema_name, value_schema_name;
  std::string key_schema, value_schema;  ///< PROTOBUF_NOSR.
};

/// The shape that the catalog's sources give `topic`; for topics no source reads, JSON both sides.
TopicShape ShapeOf(const Catalog& catalog, std::string_view topic, SchemaRegistry& schemas);

/// Registers the schemas of a case's topics that `sql` names, or of all where it is empty, but for
/// those that are in `registered`. Before a statement names them, earlier ones take ids.
Status RegisterCaseSchemas(const RawJson& test, std::string_view sql,
                           std::set<std::string>& registered, MemoryRegistry& schemas);

/// Adds a case's input record ({"key", "value", "timestamp", "window", "headers"}).
Status AddInput(const RawJson& input, const TopicShape& shape, RecordBatchBuilder& out);

/// A record as one JSON object with "topic", "key", "value", "timestamp", "window", "headers".
Result<std::string> FormatOutput(std::string_view topic, const RecordBatch& batch, int32_t row,
                                 const TopicShape& shape);

}  // namespace weir::testing
