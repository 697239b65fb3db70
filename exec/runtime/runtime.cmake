weir_layer(exec_runtime
  SOURCES
    runtime/task/changelog_journal.cc
    runtime/task/checkpoint.cc
    runtime/exchange/exchange_input.cc
    runtime/exchange/exchange_output.cc
    runtime/task/file_sinks.cc
    runtime/internal_topics.cc
    runtime/task/metadata_journal.cc
    runtime/task/operator_tree.cc
    runtime/query/query_environment.cc
    runtime/query/query_runtime.cc
    runtime/query/query_sharing.cc
    runtime/query/query_status.cc
    runtime/exchange/repartition_input.cc
    runtime/exchange/repartition_output.cc
    runtime/exchange/rows_block.cc
    runtime/scheduler.cc
    runtime/stage_plan.cc
    runtime/task/task.cc
    runtime/query/task_assignment.cc
    runtime/task/task_context.cc
    runtime/task/task_journal.cc
    runtime/query/query_bounded.cc
    runtime/task/task_merge.cc
    runtime/query/query_commit.cc
  DEPENDS weir_exec_operators weir_exec_connect
  PRIVATE_DEPENDS absl::flat_hash_map absl::strings fmt::fmt)
