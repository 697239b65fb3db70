#include "exec/runtime/task/file_sinks.h"

#include "base/status_macros.h"
#include "exec/connect/files/file_sink.h"

namespace weir {

Status OpenFileSinks(const QueryRuntimeOptions& options, QueryEnvironment& env) {
  FileSinkOptions files;
  for (const physical::NodePtr& root : options.roots) {
    if (root->kind != physical::NodeKind::kTopicSink) continue;
    const auto& sink = static_cast<const physical::TopicSink&>(*root);
    if (sink.connector.empty()) continue;
    ConnectorSpec spec{sink.topic, sink.connector, sink.schema->columns};
    for (ColumnSchema& column : spec.columns) column.is_key = false;
    files.sinks.push_back(std::move(spec));
  }
  if (files.sinks.empty()) return OkStatus();
  if (env.broker->shares_work()) {
    return Status(ErrorCode::kUnsupported,
                  "a file cannot be written by an application whose copies share the work: " +
                      files.sinks[0].source_name)
        .WithHint("write to a topic, or leave the application id out");
  }
  files.state_prefix = env.state_prefix;
  if (options.log) {
    files.warn = [&](std::string_view line) { options.log(LogLevel::kWarning, line); };
  }
  WEIR_ASSIGN_OR_RETURN(env.file_sinks, FileSinks::Open(files, env.broker->state(), *env.commit));
  env.commit = env.file_sinks.Add(std::move(env.commit));
  return OkStatus();
}

}  // namespace weir
