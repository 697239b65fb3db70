// The end of a query with a topic: rows encoded into records, placed as Java's producer would place
// them.

#include <algorithm>

#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/connect/header_codec.h"
#include "exec/formats/delimited_format.h"
#include "exec/formats/format.h"
#include "exec/formats/registry/schema_registry.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/factories.h"
#include "exec/operators/row_clock.h"

namespace weir {
namespace {

class TopicSink : public Operator {
 public:
  explicit TopicSink(const physical::TopicSink& node)
      : node_(node), key_columns_(node.connector.empty() ? CountKeyColumns(*node.schema) : 0) {
    if (node.windowed_key == physical::WindowKind::kSession) {
      window_kind_ = WindowKeyKind::kSession;
    } else if (node.windowed_key != physical::WindowKind::kNone) {
      window_kind_ = WindowKeyKind::kTime;
    }
  }

  Status Init() {
    if (node_.time_column < 0) return OkStatus();
    WEIR_ASSIGN_OR_RETURN(
        clock_, RowClock::Make(node_.schema->columns[node_.time_column].type, node_.time_format));
    return OkStatus();
  }

  Status Open(TaskContext& context) override {
    context_ = &context;
    std::vector<FormatColumn> keys, values;
    for (int i = 0; i < node_.schema->size(); ++i) {
      const ColumnSchema& column = node_.schema->columns[i];
      // Outside of topics there are no keys: a row is a line of all columns.
      const bool is_key = column.is_key && node_.connector.empty();
      (is_key ? keys : values).push_back({column.name, column.type});
    }
    const FormatSpec key_spec = SpecOfSide(node_.key_format, true);
    FormatSpec value_spec = SpecOfSide(node_.value_format, false);
    if (!node_.connector.empty()) {
      value_spec.properties[kDelimitedFile] = "TRUE";
      const auto null_text = node_.connector.find(kDelimitedNull);
      if (null_text != node_.connector.end()) value_spec.properties.insert(*null_text);
    }
    if (!keys.empty()) {
      WEIR_ASSIGN_OR_RETURN(key_encoder_, MakeEncoder(key_spec, keys));
      WEIR_RETURN_IF_ERROR(key_encoder_->Prepare());
    }
    WEIR_ASSIGN_OR_RETURN(value_encoder_, MakeEncoder(value_spec, values));
    return value_encoder_->Prepare();
  }

  Status OnBatch(int, Chunk chunk) override {
    WEIR_RETURN_IF_ERROR(SelectRows(chunk));
    return InSteps(chunk);
  }

 private:
  FormatSpec SpecOfSide(const physical::SideFormat& format, bool is_key) {
    FormatSpec spec;
    spec.name = format.format;
    spec.is_key = is_key;
    spec.unwrapped = format.unwrapped;
    spec.properties = format.properties;
    spec.registry = context_->schemas();
    spec.subject = SubjectOf(node_.topic, is_key);
    spec.source_name = node_.sink_name;
    return spec;
  }

  // What many large rows become is not collected in one piece.
  Status InSteps(const Chunk& chunk) {
    const size_t bytes = ByteSize(chunk);
    if (bytes <= limits::kOutputBytesMax || rows_.size() < 2) return Write(chunk);
    const std::vector<int32_t> rows = rows_;
    const size_t bytes_of_one = bytes / static_cast<size_t>(chunk.rows) + 1;
    const size_t step = std::max<size_t>(limits::kOutputBytesMax / bytes_of_one, 1);
    for (size_t from = 0; from < rows.size(); from += step) {
      const auto part = std::span(rows).subspan(from, std::min(step, rows.size() - from));
      rows_.assign(part.begin(), part.end());
      WEIR_RETURN_IF_ERROR(Write(chunk));
    }
    return OkStatus();
  }

  Status Write(const Chunk& chunk) {
    if (rows_.empty()) return OkStatus();
    key_chunk_.assign(chunk.columns.begin(), chunk.columns.begin() + key_columns_);
    value_chunk_.assign(chunk.columns.begin() + key_columns_, chunk.columns.end());
    partitions_ = std::max(context_->outputs().PartitionCount(node_.topic), 1);
    context_->counters().RecordsOut(static_cast<int64_t>(rows_.size()));
    if (partitions_ == 1 && window_kind_ == WindowKeyKind::kNone) return WriteAll(chunk);
    WEIR_RETURN_IF_ERROR(EncodeKeys());
    Place();
    for (int32_t partition = 0; partition < partitions_; ++partition) {
      WEIR_RETURN_IF_ERROR(WritePartition(chunk, partition));
    }
    return OkStatus();
  }

  // The topic knows nothing of old rows. Rows whose time column holds no time are not written.
  Status SelectRows(const Chunk& chunk) {
    rows_.clear();
    for (int32_t row : numbers_.Of(chunk)) {
      if (chunk.op(row) != RowOp::kUpdateBefore) rows_.push_back(row);
    }
    if (node_.time_column < 0) return OkStatus();
    const Column& times = *chunk.columns[node_.time_column];
    const size_t before = rows_.size();
    std::erase_if(rows_, [&](int32_t row) {
      return chunk.op(row) != RowOp::kDelete && !clock_.At(times, row);
    });
    if (rows_.size() == before) return OkStatus();
    context_->counters().Dropped("bad_timestamp", static_cast<int64_t>(before - rows_.size()));
    if (context_->setting("timestamp.throw.on.invalid", 0) == 0) return OkStatus();
    return Status(ErrorCode::kBadRecord,
                  "a row's time is missing, unreadable, negative or too late; column " +
                      node_.schema->columns[node_.time_column].name);
  }

  // One partition: keys go where they belong at once.
  Status WriteAll(const Chunk& chunk) {
    RecordBatchBuilder& out = context_->outputs().Partition(node_.topic, 0);
    const size_t bytes_before = out.byte_size();
    key_slices_.assign(rows_.size(), Slice());
    if (key_encoder_) {
      WEIR_RETURN_IF_ERROR(key_encoder_->Encode(key_chunk_, rows_, out.bytes(), key_slices_));
      PassNullKeys();
    }
    WEIR_RETURN_IF_ERROR(EncodeValues(chunk, rows_, out));
    if (node_.time_column < 0 && !(node_.forward_headers && chunk.sys(SystemColumn::kHeaders))) {
      out.AddRows(key_slices_, value_slices_, rows_, chunk.row_time()->values<int64_t>().data());
    } else {
      for (size_t i = 0; i < rows_.size(); ++i) Add(chunk, rows_[i], key_slices_[i], i, out);
    }
    context_->counters().BytesOut(static_cast<int64_t>(out.byte_size() - bytes_before));
    return OkStatus();
  }

  Status EncodeKeys() {
    key_bytes_.Clear();
    key_slices_.assign(rows_.size(), Slice());
    if (!key_encoder_) return OkStatus();
    WEIR_RETURN_IF_ERROR(key_encoder_->Encode(key_chunk_, rows_, key_bytes_, key_slices_));
    PassNullKeys();
    return OkStatus();
  }

  // A record that came without a key goes without one. (One bare column that is null needs no such
  // care.)
  void PassNullKeys() {
    if (!node_.passes_keys || key_columns_ == 0 || node_.key_format.unwrapped) return;
    for (size_t i = 0; i < rows_.size(); ++i) {
      const bool all_null =
          std::all_of(key_chunk_.begin(), key_chunk_.end(),
                      [&](const auto& column) { return column->IsNull(rows_[i]); });
      if (all_null) key_slices_[i] = Slice();
    }
  }

  // By the key without its window; rows without a key stay in the partition they come from.
  void Place() {
    placed_.resize(static_cast<size_t>(partitions_));
    for (auto& list : placed_) list.clear();
    const int32_t own = std::max(context_->partition(), 0) % partitions_;
    for (size_t i = 0; i < rows_.size(); ++i) {
      const int32_t partition =
          key_slices_[i].is_null() ? own : JavaPartition(KeyBytes(i), partitions_);
      placed_[partition].push_back(static_cast<int32_t>(i));
    }
  }

  std::string_view KeyBytes(size_t i) const {
    return {reinterpret_cast<const char*>(key_bytes_.data()) + key_slices_[i].begin,
            static_cast<size_t>(key_slices_[i].length)};
  }

  Status WritePartition(const Chunk& chunk, int32_t partition) {
    const std::vector<int32_t>& entries = placed_[partition];
    if (entries.empty()) return OkStatus();
    RecordBatchBuilder& out = context_->outputs().Partition(node_.topic, partition);
    const size_t bytes_before = out.byte_size();
    part_rows_.clear();
    for (int32_t entry : entries) part_rows_.push_back(rows_[entry]);
    WEIR_RETURN_IF_ERROR(EncodeValues(chunk, part_rows_, out));
    for (size_t i = 0; i < entries.size(); ++i) {
      const Slice key = AppendKey(chunk, part_rows_[i], entries[i], out.bytes());
      Add(chunk, part_rows_[i], key, i, out);
    }
    context_->counters().BytesOut(static_cast<int64_t>(out.byte_size() - bytes_before));
    return OkStatus();
  }

  Slice AppendKey(const Chunk& chunk, int32_t row, int32_t entry, BufferBuilder& bytes) {
    if (key_slices_[entry].is_null()) return Slice();
    const auto begin = static_cast<uint32_t>(bytes.size());
    const std::string_view key = KeyBytes(static_cast<size_t>(entry));
    bytes.Append(key.data(), key.size());
    if (window_kind_ != WindowKeyKind::kNone) {
      AppendWindowToKey(window_kind_, chunk.sys(SystemColumn::kWindowStart)->values<int64_t>()[row],
                        chunk.sys(SystemColumn::kWindowEnd)->values<int64_t>()[row], bytes);
    }
    return {begin, static_cast<int32_t>(bytes.size() - begin)};
  }

  // Slices of the values of `rows`, by place in it; deleted rows have none.
  Status EncodeValues(const Chunk& chunk, std::span<const int32_t> rows, RecordBatchBuilder& out) {
    if (!chunk.ops) return value_encoder_->Encode(value_chunk_, rows, out.bytes(), value_slices_);
    live_rows_.clear();
    for (int32_t row : rows) {
      if (chunk.op(row) != RowOp::kDelete) live_rows_.push_back(row);
    }
    WEIR_RETURN_IF_ERROR(
        value_encoder_->Encode(value_chunk_, live_rows_, out.bytes(), live_slices_));
    value_slices_.assign(rows.size(), Slice());
    size_t next = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (chunk.op(rows[i]) != RowOp::kDelete) value_slices_[i] = live_slices_[next++];
    }
    return OkStatus();
  }

  void Add(const Chunk& chunk, int32_t row, Slice key, size_t value_index,
           RecordBatchBuilder& out) {
    int64_t time = chunk.row_time()->values<int64_t>()[row];
    if (node_.time_column >= 0 && chunk.op(row) != RowOp::kDelete) {
      time = clock_.At(*chunk.columns[node_.time_column], row).value_or(time);
    }
    Slice headers;
    const ColumnPtr& column = chunk.sys(SystemColumn::kHeaders);
    if (node_.forward_headers && column) headers = AppendHeaders(*column, row, out.bytes());
    out.Add(key, value_slices_[value_index], headers, time);
  }

  static Slice AppendHeaders(const Column& column, int32_t row, BufferBuilder& bytes) {
    if (column.IsNull(row)) return Slice();
    const int32_t begin = column.offsets()[row];
    const int32_t end = column.offsets()[row + 1];
    if (begin == end) return Slice();
    const Column& item = *column.child(0);
    const Column& names = *item.child(0);
    const Column& values = *item.child(1);
    const auto at = static_cast<uint32_t>(bytes.size());
    for (int32_t i = begin; i < end; ++i) {
      std::optional<std::string_view> value;
      if (!values.IsNull(i)) value = values.GetString(i);
      AppendHeader(names.GetString(i), value, bytes);
    }
    return {at, static_cast<int32_t>(bytes.size() - at)};
  }

  const physical::TopicSink node_;
  const int key_columns_;
  WindowKeyKind window_kind_ = WindowKeyKind::kNone;
  std::unique_ptr<SideEncoder> key_encoder_, value_encoder_;
  RowClock clock_;
  TaskContext* context_ = nullptr;
  int32_t partitions_ = 1;
  RowNumbers numbers_;
  std::vector<int32_t> rows_, part_rows_, live_rows_;
  std::vector<ColumnPtr> key_chunk_, value_chunk_;
  BufferBuilder key_bytes_;
  std::vector<Slice> key_slices_, value_slices_, live_slices_;
  std::vector<std::vector<int32_t>> placed_;  // Places in rows_, by partition.
};

}  // namespace

OperatorResult MakeTopicSink(const physical::TopicSink& node) {
  auto sink = std::make_unique<TopicSink>(node);
  WEIR_RETURN_IF_ERROR(sink->Init());
  return std::unique_ptr<Operator>(std::move(sink));
}

}  // namespace weir
