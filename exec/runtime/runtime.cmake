weir_layer(exec_runtime
  SOURCES
    runtime/exchange_input.cc
    runtime/exchange_output.cc
    runtime/operator_tree.cc
    runtime/query_environment.cc
    runtime/query_runtime.cc
    runtime/scheduler.cc
    runtime/stage_plan.cc
    runtime/task.cc
    runtime/task_context.cc
  DEPENDS weir_exec_operators weir_exec_connect
  PRIVATE_DEPENDS fmt::fmt)
