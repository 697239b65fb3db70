// Raw records to rows: both sides decoded, bad records handled as the source says, row times, and
// the system columns that the plan asks for.

#include <algorithm>

#include <fmt/format.h>

#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/connect/header_codec.h"
#include "exec/formats/delimited_format.h"
#include "exec/formats/format.h"
#include "exec/formats/registry/schema_registry.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/operators.h"
#include "exec/operators/row_clock.h"

namespace weir {
namespace {

using physical::OnError;
using physical::TimeSource;
using physical::TopicSource;

constexpr std::string_view kBadKey = "bad_key";
constexpr std::string_view kBadValue = "bad_value";

FormatSpec SpecOf(const physical::SideFormat& format, bool is_key) {
  FormatSpec spec;
  spec.name = format.format;
  spec.is_key = is_key;
  spec.unwrapped = format.unwrapped;
  spec.properties = format.properties;
  return spec;
}

WindowKeyKind KeyKindOf(physical::WindowKind kind) {
  switch (kind) {
    case physical::WindowKind::kNone: return WindowKeyKind::kNone;
    case physical::WindowKind::kTumbling:
    case physical::WindowKind::kHopping: return WindowKeyKind::kTime;
    case physical::WindowKind::kSession: return WindowKeyKind::kSession;
  }
  return WindowKeyKind::kNone;
}

// A window's end may lie behind the last time of a row.
bool IsWindowTime(int64_t time) {
  return time >= 0 && time <= limits::kRowTimeMax + limits::kDurationMsMax;
}

DataType HeadersType() {
  return DataType::Array(
      DataType::Struct({{"KEY", DataType::String()}, {"VALUE", DataType::Bytes()}}));
}

/// One side's columns: where each comes from, and where it goes.
struct Side {
  std::unique_ptr<SideDecoder> decoder;  // Null: not decoded at all.
  std::vector<int> source_columns;       // Index into TopicSource::columns, by decoder column.
  DecodedSide decoded;
  bool Has(int32_t row, RowState state) const {
    return !decoded.states.empty() && decoded.states[row] == state;
  }
};

class Decoder : public SourceDecoder {
 public:
  Decoder(const TopicSource& node, SchemaRegistry* schemas)
      : node_(node), schemas_(schemas), window_kind_(KeyKindOf(node.windowed_key)) {}

  Status Init() {
    WEIR_RETURN_IF_ERROR(MakeSide(node_.key_format, true, key_));
    WEIR_RETURN_IF_ERROR(MakeSide(node_.value_format, false, value_));
    if (node_.time_source == TimeSource::kColumn) {
      WEIR_ASSIGN_OR_RETURN(
          clock_, RowClock::Make(node_.columns[node_.time_column].type, node_.time_format));
    }
    return OkStatus();
  }

  Status Decode(const RecordBatch& records, int32_t source, TaskContext& context,
                Chunk& out) override;
  void ReportBadFrom(int64_t offset) override { report_from_ = offset; }

 private:
  Status MakeSide(const physical::SideFormat& format, bool is_key, Side& side);
  bool IsRead(int column) const {
    return node_.columns[column].output_index >= 0 ||
           (node_.time_source == TimeSource::kColumn && node_.time_column == column);
  }
  void SplitWindows(const RecordBatch& records);
  Status HandleBad(const RecordBatch& records, TaskContext& context);
  std::string PlaceOf(const RecordBatch& records, int32_t row) const;
  void LogBad(const RecordBatch& records, int32_t row, std::string_view reason,
              std::string_view cause, TaskContext& context) const;
  Status HandleOneBad(const RecordBatch& records, int32_t row, std::string_view reason,
                      std::string_view cause, TaskContext& context);
  Status SendToDeadLetters(const RecordBatch& records, int32_t row, std::string_view reason,
                           std::string_view cause, TaskContext& context);
  void DropNullKeys(const RecordBatch& records, TaskContext& context);
  Status SetTimes(const RecordBatch& records, TaskContext& context, Chunk& out);
  void SetOps(const RecordBatch& records, Chunk& out);
  void SetColumns(const RecordBatch& records, Chunk& out);
  void SetSystemColumns(const RecordBatch& records, Chunk& out);
  ColumnPtr HeadersColumn(const RecordBatch& records) const;
  ColumnPtr HeaderColumn(const RecordBatch& records, std::string_view name) const;
  void Drop(int32_t row) {
    dropped_[row] = 1;
    any_dropped_ = true;
  }

  const TopicSource node_;
  SchemaRegistry* const schemas_;
  const WindowKeyKind window_kind_;
  Side key_, value_;
  RowClock clock_;
  RecordBatch split_;  // Keys without their windows.
  std::vector<int64_t> window_starts_, window_ends_;
  std::vector<uint8_t> bad_window_;
  std::vector<uint8_t> dropped_;  // By row.
  bool any_dropped_ = false;
  int64_t report_from_ = INT64_MIN;
};

Status Decoder::MakeSide(const physical::SideFormat& format, bool is_key, Side& side) {
  std::vector<FormatColumn> columns;
  bool any_read = false;
  for (size_t i = 0; i < node_.columns.size(); ++i) {
    const TopicSource::SourceColumn& column = node_.columns[i];
    if (column.is_key != is_key || column.is_headers) continue;
    const bool read = IsRead(static_cast<int>(i));
    columns.push_back({column.name, column.type, read});
    side.source_columns.push_back(static_cast<int>(i));
    any_read |= read;
  }
  // A key of which nothing is read is not looked at; of a value at least the structure is checked.
  if (is_key && !any_read) return OkStatus();
  if (columns.empty()) return OkStatus();
  FormatSpec spec = SpecOf(format, is_key);
  if (!is_key && !node_.connector.empty()) spec.properties[kDelimitedFile] = "TRUE";
  spec.registry = schemas_;
  spec.subject = SubjectOf(node_.topic, is_key);
  WEIR_ASSIGN_OR_RETURN(side.decoder, MakeDecoder(spec, columns));
  return OkStatus();
}

Status Decoder::Decode(const RecordBatch& records, int32_t source, TaskContext& context,
                       Chunk& out) {
  out = Chunk();
  if (records.size() == 0) return OkStatus();
  out.rows = records.size();
  out.source = source;
  out.source_partition = records.partition;
  dropped_.assign(records.size(), 0);
  any_dropped_ = false;
  if (window_kind_ != WindowKeyKind::kNone) SplitWindows(records);
  if (key_.decoder) {
    const bool split = window_kind_ != WindowKeyKind::kNone;
    WEIR_RETURN_IF_ERROR(key_.decoder->Decode(split ? split_ : records, key_.decoded));
  }
  if (value_.decoder) WEIR_RETURN_IF_ERROR(value_.decoder->Decode(records, value_.decoded));
  WEIR_RETURN_IF_ERROR(HandleBad(records, context));
  if (node_.is_table) DropNullKeys(records, context);
  SetColumns(records, out);
  SetOps(records, out);
  WEIR_RETURN_IF_ERROR(SetTimes(records, context, out));
  SetSystemColumns(records, out);
  if (any_dropped_) {
    auto kept = std::make_shared<Selection>();
    for (int32_t row = 0; row < out.rows; ++row) {
      if (dropped_[row] == 0) kept->push_back(row);
    }
    if (kept->empty()) {
      out = Chunk();
    } else {
      out.selection = std::move(kept);
    }
  }
  return OkStatus();
}

void Decoder::SplitWindows(const RecordBatch& records) {
  split_.bytes = records.bytes;
  split_.keys = records.keys;
  split_.values = records.values;
  split_.timestamps = records.timestamps;
  split_.offsets = records.offsets;
  split_.partition = records.partition;
  window_starts_.assign(records.size(), 0);
  window_ends_.assign(records.size(), 0);
  bad_window_.assign(records.size(), 0);
  for (int32_t row = 0; row < records.size(); ++row) {
    Slice& slice = split_.keys[row];
    if (slice.is_null()) continue;
    std::string_view key = records.View(slice);
    if (SplitWindowedKey(window_kind_, node_.window_size_ms, key, window_starts_[row],
                         window_ends_[row]) &&
        IsWindowTime(window_starts_[row]) && IsWindowTime(window_ends_[row])) {
      slice.length = static_cast<int32_t>(key.size());
    } else {
      bad_window_[row] = 1;
    }
  }
}

Status Decoder::HandleBad(const RecordBatch& records, TaskContext& context) {
  if (window_kind_ != WindowKeyKind::kNone) {
    for (int32_t row = 0; row < records.size(); ++row) {
      if (bad_window_[row] == 0) continue;
      WEIR_RETURN_IF_ERROR(
          HandleOneBad(records, row, kBadKey, "the key does not end in a window", context));
      Drop(row);
    }
  }
  if (key_.decoder) {
    for (const DecodedSide::Bad& bad : key_.decoded.bad) {
      if (dropped_[bad.row] != 0) continue;
      WEIR_RETURN_IF_ERROR(HandleOneBad(records, bad.row, kBadKey, bad.reason, context));
    }
  }
  if (value_.decoder) {
    for (const DecodedSide::Bad& bad : value_.decoded.bad) {
      if (dropped_[bad.row] != 0) continue;
      WEIR_RETURN_IF_ERROR(HandleOneBad(records, bad.row, kBadValue, bad.reason, context));
    }
  }
  return OkStatus();
}

std::string Decoder::PlaceOf(const RecordBatch& records, int32_t row) const {
  if (records.places != nullptr) return records.places->PlaceOf(row);
  return fmt::format("topic {}, partition {}, offset {}", node_.topic, records.partition,
                     records.offsets[row]);
}

void Decoder::LogBad(const RecordBatch& records, int32_t row, std::string_view reason,
                     std::string_view cause, TaskContext& context) const {
  QueryCounters& counters = context.counters();
  if (records.places != nullptr) {
    return counters.LogErrorAt(reason, records.places->PlaceOf(row), cause);
  }
  counters.LogError(reason, node_.topic, records.partition, records.offsets[row], cause);
}

Status Decoder::HandleOneBad(const RecordBatch& records, int32_t row, std::string_view reason,
                             std::string_view cause, TaskContext& context) {
  if (records.places != nullptr && !records.places->FaultOf(row).empty()) {
    cause = records.places->FaultOf(row);
  }
  if (node_.on_error == OnError::kFail) {
    return Status(ErrorCode::kBadRecord,
                  fmt::format("a record does not decode: {}; {}", cause, PlaceOf(records, row)));
  }
  const bool reported = records.offsets[row] < report_from_;
  if (!reported) {
    context.counters().Dropped(reason, 1);
    LogBad(records, row, reason, cause, context);
  }
  if (node_.on_error == OnError::kNull) return OkStatus();
  Drop(row);
  if (node_.on_error == OnError::kDeadLetter && !reported) {
    return SendToDeadLetters(records, row, reason, cause, context);
  }
  return OkStatus();
}

// The raw record, with its own headers and then where it comes from.
Status Decoder::SendToDeadLetters(const RecordBatch& records, int32_t row, std::string_view reason,
                                  std::string_view cause, TaskContext& context) {
  const std::string_view topic = node_.dead_letter_topic;
  const int32_t partitions = std::max(context.outputs().PartitionCount(topic), 1);
  BufferBuilder headers;
  if (!records.headers.empty() && !records.headers[row].is_null()) {
    const std::string_view own = records.View(records.headers[row]);
    headers.Append(own.data(), own.size());
  }
  AppendHeader("weir.error.reason", reason, headers);
  AppendHeader("weir.error.cause", cause, headers);
  AppendHeader("weir.source.topic", std::string_view(node_.topic), headers);
  AppendHeader("weir.source.partition", std::string_view(std::to_string(records.partition)),
               headers);
  AppendHeader("weir.source.offset", std::string_view(std::to_string(records.offsets[row])),
               headers);
  const Slice key_slice = records.keys.empty() ? Slice() : records.keys[row];
  const Slice value_slice = records.values[row];
  const std::string_view key = records.View(key_slice);
  const std::string_view value = records.View(value_slice);
  const std::string_view encoded(reinterpret_cast<const char*>(headers.data()), headers.size());
  context.outputs()
      .Partition(topic, records.partition % partitions)
      .AddCopy(key_slice.is_null() ? nullptr : &key, value_slice.is_null() ? nullptr : &value,
               encoded, records.timestamps[row]);
  return OkStatus();
}

void Decoder::DropNullKeys(const RecordBatch& records, TaskContext& context) {
  int64_t dropped = 0;
  for (int32_t row = 0; row < records.size(); ++row) {
    if (dropped_[row] != 0) continue;
    const bool null = records.keys[row].is_null() || key_.Has(row, RowState::kNull) ||
                      key_.Has(row, RowState::kBad);
    if (!null) continue;
    Drop(row);
    ++dropped;
    if (dropped == 1) {
      LogBad(records, row, "null_key", "a table's record has no key", context);
    }
  }
  if (dropped > 0) context.counters().Dropped("null_key", dropped);
}

void Decoder::SetColumns(const RecordBatch& records, Chunk& out) {
  out.columns.resize(node_.schema->columns.size());
  for (Side* side : {&key_, &value_}) {
    for (size_t i = 0; i < side->source_columns.size(); ++i) {
      const TopicSource::SourceColumn& column = node_.columns[side->source_columns[i]];
      if (column.output_index < 0) continue;
      out.columns[column.output_index] =
          side->decoder ? side->decoded.columns[i] : MakeNullColumn(column.type, out.rows);
    }
  }
  for (const TopicSource::SourceColumn& column : node_.columns) {
    if (!column.is_headers || column.output_index < 0) continue;
    out.columns[column.output_index] =
        column.header_key ? HeaderColumn(records, *column.header_key) : HeadersColumn(records);
  }
}

// A record whose value is null deletes, in a table, or is a row without a value, in a stream.
void Decoder::SetOps(const RecordBatch& records, Chunk& out) {
  bool any = false;
  for (const Slice& value : records.values) any |= value.is_null();
  any |= value_.decoder && !value_.decoded.states.empty();
  if (!any) return;
  std::vector<RowOp> ops(out.rows, RowOp::kInsert);
  for (int32_t row = 0; row < out.rows; ++row) {
    if (records.values[row].is_null() || value_.Has(row, RowState::kNull))
      ops[row] = RowOp::kDelete;
  }
  out.ops = MakeOps(ops);
}

Status Decoder::SetTimes(const RecordBatch& records, TaskContext& context, Chunk& out) {
  std::vector<int64_t> times;
  const Column* column = nullptr;
  switch (node_.time_source) {
    case TimeSource::kProcessing: times.assign(records.size(), context.now_ms()); break;
    case TimeSource::kColumn:
      for (Side* side : {&key_, &value_}) {
        for (size_t i = 0; i < side->source_columns.size(); ++i) {
          if (side->decoder && side->source_columns[i] == node_.time_column) {
            column = side->decoded.columns[i].get();
          }
        }
      }
      [[fallthrough]];
    case TimeSource::kRecord: times = records.timestamps; break;
    case TimeSource::kAppend:
      times = records.append_times.empty() ? records.timestamps : records.append_times;
      break;
  }
  int64_t bad = 0;
  int32_t first_bad = 0;
  for (int32_t row = 0; row < out.rows; ++row) {
    if (dropped_[row] != 0) continue;
    // Records without a value have only their own time.
    if (column != nullptr && out.op(row) != RowOp::kDelete) {
      times[row] = clock_.At(*column, row).value_or(-1);
    }
    if (times[row] >= 0 && times[row] <= limits::kRowTimeMax) continue;
    Drop(row);
    if (++bad == 1) {
      first_bad = row;
      LogBad(records, row, "bad_timestamp", "the row's time is missing, negative or too late",
             context);
    }
  }
  if (bad > 0) context.counters().Dropped("bad_timestamp", bad);
  out.sys(SystemColumn::kRowTime) = MakeTimes(times);
  if (bad == 0 || context.setting("timestamp.throw.on.invalid", 0) == 0) return OkStatus();
  return Status(ErrorCode::kBadRecord,
                fmt::format("a record's time is missing, unreadable, negative or too late; {}",
                            PlaceOf(records, first_bad)));
}

void Decoder::SetSystemColumns(const RecordBatch& records, Chunk& out) {
  if (window_kind_ != WindowKeyKind::kNone) {
    out.sys(SystemColumn::kWindowStart) = MakeTimes(window_starts_);
    out.sys(SystemColumn::kWindowEnd) = MakeTimes(window_ends_);
  }
  if (node_.needs_partition) {
    out.sys(SystemColumn::kPartition) = MakeConstantColumn(
        DataType::Int(), Value(static_cast<int32_t>(records.partition)), out.rows);
  }
  if (node_.needs_offset) out.sys(SystemColumn::kOffset) = MakeTimes(records.offsets);
  if (node_.needs_headers && !records.headers.empty()) {
    out.sys(SystemColumn::kHeaders) = HeadersColumn(records);
  }
}

ColumnPtr Decoder::HeadersColumn(const RecordBatch& records) const {
  ColumnBuilder builder(HeadersType());
  std::vector<HeaderView> headers;
  for (int32_t row = 0; row < records.size(); ++row) {
    headers.clear();
    if (!records.headers.empty() && !records.headers[row].is_null()) {
      if (!DecodeHeaders(records.View(records.headers[row]), headers)) headers.clear();
    }
    ColumnBuilder& item = builder.child(0);
    for (const HeaderView& header : headers) {
      item.child(0).AppendBytes(header.name);
      if (header.value) {
        item.child(1).AppendBytes(*header.value);
      } else {
        item.child(1).AppendNull();
      }
      item.AppendNested();
    }
    builder.AppendNested();
  }
  return builder.Finish();
}

// HEADER('k'): the last of that name.
ColumnPtr Decoder::HeaderColumn(const RecordBatch& records, std::string_view name) const {
  ColumnBuilder builder(DataType::Bytes());
  std::vector<HeaderView> headers;
  for (int32_t row = 0; row < records.size(); ++row) {
    headers.clear();
    if (!records.headers.empty() && !records.headers[row].is_null()) {
      if (!DecodeHeaders(records.View(records.headers[row]), headers)) headers.clear();
    }
    const auto found = std::find_if(headers.rbegin(), headers.rend(),
                                    [&](const HeaderView& header) { return header.name == name; });
    if (found == headers.rend() || !found->value) {
      builder.AppendNull();
    } else {
      builder.AppendBytes(*found->value);
    }
  }
  return builder.Finish();
}

}  // namespace

Result<std::unique_ptr<SourceDecoder>> MakeSourceDecoder(const physical::TopicSource& node,
                                                         SchemaRegistry* schemas) {
  auto decoder = std::make_unique<Decoder>(node, schemas);
  WEIR_RETURN_IF_ERROR(decoder->Init());
  return std::unique_ptr<SourceDecoder>(std::move(decoder));
}

}  // namespace weir
