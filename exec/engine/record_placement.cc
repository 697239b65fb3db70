#include "exec/engine/record_placement.h"

#include <fmt/format.h>

#include "base/status_macros.h"
#include "exec/column/builder.h"
#include "exec/connect/header_codec.h"
#include "exec/formats/registry/schema_registry.h"

namespace weir {
namespace {

// One side of the row, encoded onto `bytes`.
Status EncodeSide(const SourceEntry& source, bool key, const InsertValuesPlan& plan,
                  SchemaRegistry* schemas, BufferBuilder& bytes, Slice* slice) {
  const FormatSpec spec = SpecOfSource(source, key, schemas);
  std::vector<FormatColumn> columns;
  std::vector<ColumnPtr> values;
  for (size_t i = 0; i < source.columns.size(); ++i) {
    const SourceEntry::SourceColumnEntry& column = source.columns[i];
    if (column.is_key != key || column.is_headers) continue;
    columns.push_back({column.name, column.type, true});
    values.push_back(MakeConstantColumn(column.type, plan.values[i], 1));
  }
  if (columns.empty()) return OkStatus();
  if (key) {
    bool all_null = true;
    for (const ColumnPtr& value : values) all_null &= value->IsNull(0);
    if (all_null) return OkStatus();  // A key whose columns are all null is a null key.
  }
  WEIR_ASSIGN_OR_RETURN(std::unique_ptr<SideEncoder> encoder, MakeEncoder(spec, columns));
  const int32_t row = 0;
  std::vector<Slice> slices(1);
  WEIR_RETURN_IF_ERROR(encoder->Encode(values, std::span(&row, 1), bytes, slices));
  *slice = slices[0];
  return OkStatus();
}

}  // namespace

FormatSpec SpecOfSource(const SourceEntry& source, bool is_key, SchemaRegistry* schemas) {
  const physical::SideFormat& format = is_key ? source.key_format : source.value_format;
  FormatSpec spec;
  spec.name = format.format;
  spec.is_key = is_key;
  spec.unwrapped = format.unwrapped;
  spec.properties = format.properties;
  spec.registry = schemas;
  spec.subject = SubjectOf(source.topic, is_key);
  spec.source_name = source.name;
  return spec;
}

Status EncodeInsert(const SourceEntry& source, const InsertValuesPlan& plan, int64_t now_ms,
                    int32_t partitions, SchemaRegistry* schemas, RecordBatchBuilder& out,
                    int32_t* partition) {
  Slice key;
  Slice value;
  WEIR_RETURN_IF_ERROR(EncodeSide(source, true, plan, schemas, out.bytes(), &key));
  WEIR_RETURN_IF_ERROR(EncodeSide(source, false, plan, schemas, out.bytes(), &value));
  *partition = key.is_null() ? 0 : JavaPartition(out.View(key), partitions);
  out.Add(key, value, Slice(), plan.row_time_ms.value_or(now_ms));
  return OkStatus();
}

void AddRecord(const Record& record, int64_t now_ms, RecordBatchBuilder& out) {
  BufferBuilder headers;
  for (const Record::Header& header : record.headers) {
    std::optional<std::string_view> value;
    if (header.value) value = *header.value;
    AppendHeader(header.name, value, headers);
  }
  std::string_view key;
  std::string_view value;
  if (record.key) key = *record.key;
  if (record.value) value = *record.value;
  out.AddCopy(record.key ? &key : nullptr, record.value ? &value : nullptr,
              {reinterpret_cast<const char*>(headers.data()), headers.size()},
              record.timestamp_ms.value_or(now_ms));
}

int32_t PlaceRecord(const Record& record, int32_t partitions, int32_t* round_robin) {
  if (record.partition) return *record.partition;
  if (record.key) return JavaPartition(*record.key, partitions);
  *round_robin = (*round_robin + 1) % partitions;
  return *round_robin;
}

}  // namespace weir
