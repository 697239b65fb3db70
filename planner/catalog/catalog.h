#pragma once

// What the engine knows of streams, tables and types. The planner reads it; the engine changes it
// when a statement has been carried out.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planner/physical/nodes.h"
#include "weir/status.h"
#include "weir/types.h"

namespace weir {

/// A stream or table.
struct SourceEntry {
  std::string name;
  bool is_table = false;
  bool read_only = false;  ///< CREATE SOURCE …
  std::string topic;
  std::map<std::string, std::string> connector;  ///< Properties of CONNECTOR='file'|'datagen'.
  physical::SideFormat key_format, value_format;
  struct SourceColumnEntry {
    std::string name;
    DataType type;
    bool is_key = false;
    bool is_headers = false;
    std::optional<std::string> header_key;
  };
  std::vector<SourceColumnEntry> columns;  ///< Key columns first.
  physical::WindowKind windowed_key = physical::WindowKind::kNone;
  int64_t window_size_ms = 0;
  physical::TimeSource time_source = physical::TimeSource::kRecord;
  std::string time_column;  ///< Name; for TimeSource::kColumn.
  std::string time_format;
  physical::OnError on_error = physical::OnError::kSkip;
  std::string dead_letter_topic;
  int32_t partitions = 0;           ///< Of the topic, when the source was made.
  int32_t declared_partitions = 0;  ///< PARTITIONS of its WITH clause; 0: none given.
  std::string sql;                  ///< Canonical statement that makes it anew.
  /// Canonical statement as it was given, where `sql` says more (columns found in a file); else
  /// empty.
  std::string written;
  std::string created_by_query;  ///< CTAS/CSAS query that writes it, or empty.
  bool is_materialized = false;  ///< Has a table that pull queries read.

  /// The columns as a schema (headers columns included as value columns).
  Schema ToSchema() const;
};

/// A persistent query as the catalog keeps it.
struct QueryEntry {
  std::string id;
  std::string sql;                 ///< Canonical text.
  std::string sink;                ///< Source name it writes to.
  std::vector<std::string> reads;  ///< Source names.
  std::string pipeline;            ///< Pipeline's name, or empty.
};

/// Immutable snapshots are not needed: one statement runs at a time, under the engine's lock.
class Catalog {
 public:
  const SourceEntry* FindSource(std::string_view name) const;
  const QueryEntry* FindQuery(std::string_view id) const;
  const DataType* FindType(std::string_view name) const;
  const std::map<std::string, SourceEntry, std::less<>>& sources() const { return sources_; }
  const std::map<std::string, QueryEntry, std::less<>>& queries() const { return queries_; }
  const std::map<std::string, DataType, std::less<>>& types() const { return types_; }
  void PutSource(SourceEntry entry);
  void PutQuery(QueryEntry entry);
  void PutType(std::string name, DataType type);
  void RemoveSource(std::string_view name);
  void RemoveQuery(std::string_view id);
  void RemoveType(std::string_view name);
  /// Why the stream or table that is kept under `name` could not be made again, or null. Such a
  /// name is taken, and nothing can be read from it.
  const Status* FindBroken(std::string_view name) const;
  void PutBroken(std::string name, Status cause);
  void RemoveBroken(std::string_view name);
  /// Queries that read from or write to a source.
  std::vector<const QueryEntry*> QueriesReading(std::string_view source) const;
  std::vector<const QueryEntry*> QueriesWriting(std::string_view source) const;

 private:
  std::map<std::string, SourceEntry, std::less<>> sources_;
  std::map<std::string, QueryEntry, std::less<>> queries_;
  std::map<std::string, DataType, std::less<>> types_;
  std::map<std::string, Status, std::less<>> broken_;
};

}  // namespace weir
