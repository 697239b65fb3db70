weir_layer(exec_engine
  SOURCES
    engine/application_reset.cc
    engine/catalog_store.cc
    engine/copy_ownership.cc
    engine/engine_catalog.cc
    engine/engine_control.cc
    engine/engine_cursors.cc
    engine/engine_definitions.cc
    engine/engine_impl.cc
    engine/engine_listings.cc
    engine/engine_topics.cc
    engine/internal_objects.cc
    engine/metrics_list.cc
    engine/record_placement.cc
    engine/settings.cc
    engine/source_ddl.cc
    engine/topic_printer.cc
    engine/engine_recovery.cc
    engine/statement_notices.cc
    engine/bounded_cursor.cc
    engine/bounded_select.cc
    engine/key_lookup.cc
    engine/engine_plans.cc
    engine/engine_rebuild.cc
    engine/engine_drops.cc
  DEPENDS weir_exec_runtime weir_planner weir_parser
  PRIVATE_DEPENDS fmt::fmt)
