#pragma once

// Sinks of a query that are files: CONNECTOR='file'.

#include "exec/runtime/query/query_runtime.h"

namespace weir {

/// Lets the query's commits write what its file sinks are given, as exec/connect/files/file_sink.h
/// tells. kUnsupported where copies share the query's work: each would have a file of its own.
Status OpenFileSinks(const QueryRuntimeOptions& options, QueryEnvironment& env);

}  // namespace weir
