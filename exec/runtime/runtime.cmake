weir_layer(exec_runtime
  SOURCES
    runtime/changelog_journal.cc
    runtime/checkpoint.cc
    runtime/exchange_input.cc
    runtime/exchange_output.cc
    runtime/file_sinks.cc
    runtime/internal_topics.cc
    runtime/metadata_journal.cc
    runtime/operator_tree.cc
    runtime/query_environment.cc
    runtime/query_runtime.cc
    runtime/query_sharing.cc
    runtime/query_status.cc
    runtime/repartition_input.cc
    runtime/repartition_output.cc
    runtime/rows_block.cc
    runtime/scheduler.cc
    runtime/stage_plan.cc
    runtime/task.cc
    runtime/task_assignment.cc
    runtime/task_context.cc
    runtime/task_journal.cc
    runtime/query_bounded.cc
  DEPENDS weir_exec_operators weir_exec_connect
  PRIVATE_DEPENDS absl::flat_hash_map absl::strings fmt::fmt)
