#pragma once

// The fields of every part of a physical plan, once: what writes plans and what reads them both go
// through these lists. A node that gets a field gets a line here, and nothing else.
//
// io("name", field) writes a field unless it is empty (0, false, "", none), and reads one that is
// not there as empty: so a field that is added later must mean, when empty, what plans of before
// did. A name that a reader does not know is an error: such a plan needs a newer version.

#include <memory>
#include <string_view>

#include "planner/physical/nodes.h"

namespace weir::plan_fields {

/// Of the written form. 1: the first.
inline constexpr int64_t kVersion = 1;

template <class Io>
void Fields(Io& io, ColumnSchema& column) {
  io("name", column.name);
  io("type", column.type);
  io("key", column.is_key);
}

template <class Io>
void Fields(Io& io, BoundExpr& expr) {
  io("is", expr.kind);
  io("type", expr.type);
  io("value", expr.value);
  io("index", expr.index);
  io("parameters", expr.parameter_count);
  io("system", expr.system);
  io("function", expr.function, expr);
  io("of", expr.children);
}

template <class Io>
void Fields(Io& io, physical::WindowSpec& window) {
  io("kind", window.kind);
  io("size", window.size_ms);
  io("advance", window.advance_ms);
  io("grace", window.grace_ms);
  io("retention", window.retention_ms);
}

template <class Io>
void Fields(Io& io, physical::StoreSpec& store) {
  io("name", store.name);
  io("kind", store.kind);
  io("keys", store.keys);
  io("values", store.values);
  io("window", store.window);
  io("retention", store.retention_ms);
  io("layout", store.layout);
}

template <class Io>
void Fields(Io& io, physical::SideFormat& side) {
  io("format", side.format);
  io("unwrapped", side.unwrapped);
  io("properties", side.properties);
}

template <class Io>
void Fields(Io& io, physical::TopicSource::SourceColumn& column) {
  io("name", column.name);
  io("type", column.type);
  io("key", column.is_key);
  io("headers", column.is_headers);
  io("header", column.header_key);
  io("output", column.output_index);
}

template <class Io>
void Fields(Io& io, physical::AggregateCall& call) {
  io("function", call.function);
  io("args", call.args);
  io("constants", call.constants);
}

template <class Io>
void Fields(Io& io, physical::FlatMap::Call& call) {
  io("function", call.function);
  io("args", call.args);
}

template <class Io>
void Fields(Io& io, physical::SortKey& key) {
  io("column", key.column);
  io("descending", key.descending);
  io("nulls_first", key.nulls_first);
}

/// What all nodes have, but for their kind, number and inputs.
template <class Io>
void Fields(Io& io, physical::Node& node) {
  io("schema", node.schema);
  io("mode", node.mode);
  io("key_window", node.windowed_key);
  io("key_window_size", node.window_size_ms);
  io("stores", node.stores);
}

template <class Io>
void Fields(Io& io, physical::TopicSource& source) {
  io("origin", source.origin);
  io("kept_by", source.kept_by);
  io("lookups", source.lookups);
  io("source", source.source_name);
  io("topic", source.topic);
  io("connector", source.connector);
  io("key_format", source.key_format);
  io("value_format", source.value_format);
  io("columns", source.columns);
  io("table", source.is_table);
  io("needs_partition", source.needs_partition);
  io("needs_offset", source.needs_offset);
  io("needs_headers", source.needs_headers);
  io("time_source", source.time_source);
  io("time_column", source.time_column);
  io("time_format", source.time_format);
  io("on_error", source.on_error);
  io("dead_letters", source.dead_letter_topic);
  io("start", source.start);
  io("start_timestamp", source.start_timestamp_ms);
  io("start_offsets", source.start_offsets);
}

template <class Io>
void Fields(Io& io, physical::Filter& filter) {
  io("predicate", filter.predicate);
  io("having", filter.is_having);
}

template <class Io>
void Fields(Io& io, physical::Project& project) {
  io("exprs", project.exprs);
}

template <class Io>
void Fields(Io& io, physical::FlatMap& flat) {
  io("exprs", flat.exprs);
  io("calls", flat.calls);
}

template <class Io>
void Fields(Io& io, physical::Exchange& exchange) {
  io("keys", exchange.key_columns);
  io("name", exchange.name);
  io("partitions", exchange.partitions);
  io("placement", exchange.placement);
  io("ordered", exchange.ordered);
  io("drop_null_keys", exchange.drop_null_keys);
}

template <class Io>
void Fields(Io&, physical::Materialize&) {}

template <class Io>
void Fields(Io& io, physical::PartialAggregate& partial) {
  io("keys", partial.key_columns);
  io("calls", partial.calls);
  io("window", partial.window);
  io("bounded", partial.bounded);
}

template <class Io>
void Fields(Io& io, physical::StreamAggregate& aggregate) {
  io("keys", aggregate.key_columns);
  io("calls", aggregate.calls);
  io("window", aggregate.window);
  io("final", aggregate.emit_final);
  io("merges_partials", aggregate.merges_partials);
}

template <class Io>
void Fields(Io& io, physical::TableAggregate& aggregate) {
  io("keys", aggregate.key_columns);
  io("calls", aggregate.calls);
}

template <class Io>
void Fields(Io& io, physical::StreamStreamJoin& join) {
  io("join", join.join);
  io("before", join.before_ms);
  io("after", join.after_ms);
  io("grace", join.grace_ms);
  io("has_grace", join.has_grace);
  io("keys", join.key_columns);
  io("left", join.left_columns);
  io("right", join.right_columns);
  io("condition", join.condition);
}

template <class Io>
void Fields(Io& io, physical::StreamTableJoin& join) {
  io("join", join.join);
  io("keys", join.key_columns);
  io("left", join.left_columns);
  io("right", join.right_columns);
  io("condition", join.condition);
}

template <class Io>
void Fields(Io& io, physical::TableTableJoin& join) {
  io("join", join.join);
  io("keys", join.key_columns);
  io("left", join.left_columns);
  io("right", join.right_columns);
  io("condition", join.condition);
}

template <class Io>
void Fields(Io& io, physical::ForeignKeyJoin& join) {
  io("join", join.join);
  io("foreign_key", join.foreign_key);
  io("left_keys", join.left_key_columns);
  io("left", join.left_columns);
  io("right", join.right_columns);
  io("condition", join.condition);
  io("spread", join.spread);
}

template <class Io>
void Fields(Io& io, physical::ForeignKeySubscribe& subscribe) {
  io("foreign_key", subscribe.foreign_key);
  io("keys", subscribe.key_columns);
}

template <class Io>
void Fields(Io& io, physical::ForeignKeyAnswers& answers) {
  io("keys", answers.key_columns);
}

template <class Io>
void Fields(Io& io, physical::Limit& limit) {
  io("rows", limit.rows);
  io("offset", limit.offset);
  io("one_row", limit.one_row);
}

template <class Io>
void Fields(Io&, physical::LatestRows&) {}

template <class Io>
void Fields(Io& io, physical::BoundedJoin& join) {
  io("join", join.join);
  io("keys", join.key_columns);
  io("left", join.left_columns);
  io("right", join.right_columns);
  io("condition", join.condition);
}

template <class Io>
void Fields(Io&, physical::UnionAll&) {}

template <class Io>
void Fields(Io& io, physical::BoundedAggregate& aggregate) {
  io("keys", aggregate.key_columns);
  io("calls", aggregate.calls);
  io("window", aggregate.window);
  io("merges_partials", aggregate.merges_partials);
  io("global", aggregate.global);
}

template <class Io>
void Fields(Io& io, physical::Sort& sort) {
  io("keys", sort.keys);
  io("limit", sort.limit);
  io("offset", sort.offset);
}

template <class Io>
void Fields(Io& io, physical::TopicSink& sink) {
  io("sink", sink.sink_name);
  io("topic", sink.topic);
  io("partitions", sink.partitions);
  io("key_format", sink.key_format);
  io("value_format", sink.value_format);
  io("time_column", sink.time_column);
  io("time_format", sink.time_format);
  io("table", sink.is_table);
  io("passes_keys", sink.passes_keys);
  io("view_retention", sink.view_retention_ms);
  io("forward_headers", sink.forward_headers);
  io("connector", sink.connector);
}

template <class Io>
void Fields(Io& io, physical::ClientSink& sink) {
  io("keeps_table", sink.keeps_table);
}

/// The words for the values of an enum, in their order.
template <class E>
struct Words;
template <>
struct Words<physical::NodeKind> {
  static constexpr std::string_view kAll[] = {"source",
                                              "filter",
                                              "project",
                                              "flat-map",
                                              "exchange",
                                              "materialize",
                                              "partial-aggregate",
                                              "aggregate",
                                              "table-aggregate",
                                              "stream-join",
                                              "look-up",
                                              "table-join",
                                              "foreign-key-join",
                                              "limit",
                                              "topic-sink",
                                              "client-sink",
                                              "latest-rows",
                                              "bounded-aggregate",
                                              "sort",
                                              "foreign-key-subscribe",
                                              "foreign-key-answers",
                                              "bounded-join",
                                              "union-all"};
};
template <>
struct Words<physical::ChangeMode> {
  static constexpr std::string_view kAll[] = {"append", "upsert", "retract"};
};
template <>
struct Words<physical::WindowKind> {
  static constexpr std::string_view kAll[] = {"none", "tumbling", "hopping", "session"};
};
template <>
struct Words<physical::JoinKind> {
  static constexpr std::string_view kAll[] = {"inner", "left", "right", "full"};
};
template <>
struct Words<physical::OnError> {
  static constexpr std::string_view kAll[] = {"skip", "null", "fail", "dead-letter"};
};
template <>
struct Words<physical::TimeSource> {
  static constexpr std::string_view kAll[] = {"record", "column", "append", "processing"};
};
template <>
struct Words<physical::TopicSource::Origin> {
  static constexpr std::string_view kAll[] = {"topic", "kept-table", "one-row"};
};
template <>
struct Words<physical::TopicSource::Start> {
  static constexpr std::string_view kAll[] = {"default", "earliest", "latest", "timestamp",
                                              "offsets"};
};
template <>
struct Words<physical::StoreKind> {
  static constexpr std::string_view kAll[] = {
      "groups",   "sessions",      "table-groups",  "window-times", "result-keys", "rows",
      "pointers", "pointer-index", "subscriptions", "answers",      "join-buffer", "join-times",
      "view",     "view-layout",   "clocks",        "stream-time",  "held-rows",   "upstreams"};
};
template <>
struct Words<BoundKind> {
  static constexpr std::string_view kAll[] = {
      "literal", "column",  "system",          "call", "cast",      "case",  "and",   "or",
      "not",     "is-null", "is-not-null",     "in",   "subscript", "field", "array", "map",
      "struct",  "lambda",  "lambda-parameter"};
};
template <>
struct Words<SystemColumn> {
  static constexpr std::string_view kAll[] = {"time",   "window-start", "window-end", "partition",
                                              "offset", "headers",      "stream-time"};
};

/// The empty node of a kind, or null.
std::shared_ptr<physical::Node> MakeNode(physical::NodeKind kind);
/// Calls `visit` with the node as what it is.
template <class Visit>
void VisitNode(physical::Node& node, Visit&& visit) {
  using physical::NodeKind;
  switch (node.kind) {
    case NodeKind::kTopicSource: return visit(static_cast<physical::TopicSource&>(node));
    case NodeKind::kFilter: return visit(static_cast<physical::Filter&>(node));
    case NodeKind::kProject: return visit(static_cast<physical::Project&>(node));
    case NodeKind::kFlatMap: return visit(static_cast<physical::FlatMap&>(node));
    case NodeKind::kExchange: return visit(static_cast<physical::Exchange&>(node));
    case NodeKind::kMaterialize: return visit(static_cast<physical::Materialize&>(node));
    case NodeKind::kPartialAggregate: return visit(static_cast<physical::PartialAggregate&>(node));
    case NodeKind::kStreamAggregate: return visit(static_cast<physical::StreamAggregate&>(node));
    case NodeKind::kTableAggregate: return visit(static_cast<physical::TableAggregate&>(node));
    case NodeKind::kStreamStreamJoin: return visit(static_cast<physical::StreamStreamJoin&>(node));
    case NodeKind::kStreamTableJoin: return visit(static_cast<physical::StreamTableJoin&>(node));
    case NodeKind::kTableTableJoin: return visit(static_cast<physical::TableTableJoin&>(node));
    case NodeKind::kForeignKeyJoin: return visit(static_cast<physical::ForeignKeyJoin&>(node));
    case NodeKind::kLimit: return visit(static_cast<physical::Limit&>(node));
    case NodeKind::kTopicSink: return visit(static_cast<physical::TopicSink&>(node));
    case NodeKind::kClientSink: return visit(static_cast<physical::ClientSink&>(node));
    case NodeKind::kLatestRows: return visit(static_cast<physical::LatestRows&>(node));
    case NodeKind::kBoundedAggregate: return visit(static_cast<physical::BoundedAggregate&>(node));
    case NodeKind::kSort: return visit(static_cast<physical::Sort&>(node));
    case NodeKind::kForeignKeySubscribe:
      return visit(static_cast<physical::ForeignKeySubscribe&>(node));
    case NodeKind::kForeignKeyAnswers:
      return visit(static_cast<physical::ForeignKeyAnswers&>(node));
    case NodeKind::kBoundedJoin: return visit(static_cast<physical::BoundedJoin&>(node));
    case NodeKind::kUnionAll: return visit(static_cast<physical::UnionAll&>(node));
  }
}

}  // namespace weir::plan_fields
