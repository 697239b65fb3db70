# The operators of physical plans; each class is hidden in its file.
weir_layer(exec_operators
  SOURCES
    operators/aggregate_calls.cc
    operators/chunk_rows.cc
    operators/client_sink.cc
    operators/exchange_router.cc
    operators/filter.cc
    operators/flat_map.cc
    operators/foreign_key_join.cc
    operators/grouped_rows.cc
    operators/limit.cc
    operators/make_operator.cc
    operators/materialize.cc
    operators/materialized_view.cc
    operators/partial_aggregate.cc
    operators/project.cc
    operators/row_clock.cc
    operators/session_aggregate.cc
    operators/source_clocks.cc
    operators/source_decoder.cc
    operators/stream_aggregate.cc
    operators/tiered_groups.cc
    operators/stream_stream_join.cc
    operators/stream_table_join.cc
    operators/table_aggregate.cc
    operators/table_table_join.cc
    operators/topic_sink.cc
    operators/bounded_aggregate.cc
    operators/sort.cc
    operators/key_order.cc
    operators/edge_check.cc
    operators/tiered_groups_load.cc
    operators/kept_sessions.cc
    operators/kept_sessions_store.cc
  DEPENDS weir_exec_core weir_exec_formats weir_exec_connect weir_exec_state
  PRIVATE_DEPENDS fmt::fmt)
