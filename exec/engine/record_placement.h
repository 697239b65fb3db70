#pragma once

// Single rows to records: INSERT VALUES and Engine::Append.

#include <cstdint>

#include "exec/formats/format.h"
#include "exec/formats/record_batch.h"
#include "planner/planner.h"
#include "weir/engine.h"
#include "weir/status.h"

namespace weir {

/// How the records of a source's topic are written; `schemas` outlives what is made of it.
FormatSpec SpecOfSource(const SourceEntry& source, bool is_key, SchemaRegistry* schemas);
/// Encodes the row of an INSERT VALUES and chooses its partition by its key, as Java would.
Status EncodeInsert(const SourceEntry& source, const InsertValuesPlan& plan, int64_t now_ms,
                    int32_t partitions, SchemaRegistry* schemas, RecordBatchBuilder& out,
                    int32_t* partition);
/// Adds a program's record; `out` is that of the partition chosen by PlaceRecord.
void AddRecord(const Record& record, int64_t now_ms, RecordBatchBuilder& out);
/// The partition of a record: its own, or by its key, or `*round_robin` in turn.
int32_t PlaceRecord(const Record& record, int32_t partitions, int32_t* round_robin);

}  // namespace weir
