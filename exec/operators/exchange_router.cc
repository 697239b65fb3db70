// Which task a row goes to. Hashes are ours and stable, as state lies where they put it; where the
// rows must meet those of a topic that others write, the key is encoded and placed as Java does.

#include <algorithm>

#include "base/status_macros.h"
#include "exec/formats/format.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/operators.h"
#include "exec/operators/source_clocks.h"
#include "exec/state/row_codec.h"

namespace weir {
namespace {

uint64_t HashWord(uint64_t word) {
  word ^= word >> 30;
  word *= 0xbf58476d1ce4e5b9ULL;
  word ^= word >> 27;
  word *= 0x94d049bb133111ebULL;
  return word ^ (word >> 31);
}

class Router : public ExchangeRouter {
 public:
  Router(const physical::Exchange& node, int32_t partitions, std::unique_ptr<SideEncoder> encoder)
      : node_(node),
        partitions_(std::max(partitions, 1)),
        store_name_(node.StoreName(physical::StoreKind::kClocks)),
        encoder_(std::move(encoder)) {}

  Status Open(TaskContext& context) override { return clocks_.Load(context.Store(store_name_)); }

  Status OnBarrier(TaskContext& context) override {
    clocks_.Save(context.Store(store_name_));
    return OkStatus();
  }

  int64_t StreamTime() const override { return clocks_.Highest(); }

  Status Route(Chunk chunk, TaskContext& context, std::vector<Chunk>& parts) override {
    if (node_.drop_null_keys) DropNullKeys(chunk, context);
    if (chunk.active_rows() == 0) return OkStatus();
    StampStreamTime(chunk);
    chunk.source = -1;
    chunk.source_partition = -1;
    if (partitions_ == 1) {
      Put(std::move(chunk), parts[0]);
      return OkStatus();
    }
    WEIR_RETURN_IF_ERROR(PlaceRows(chunk, context));
    for (int32_t partition = 0; partition < partitions_; ++partition) {
      if (rows_by_part_[partition].empty()) continue;
      Put(GatherChunk(chunk, rows_by_part_[partition]), parts[partition]);
    }
    return OkStatus();
  }

 private:
  std::span<const ColumnPtr> Keys(const Chunk& chunk) const {
    return std::span(chunk.columns).first(static_cast<size_t>(node_.key_columns));
  }

  void DropNullKeys(Chunk& chunk, TaskContext& context) {
    bool any = false;
    for (const ColumnPtr& key : Keys(chunk)) any |= key->has_nulls();
    if (!any) return;
    auto kept = std::make_shared<Selection>();
    const int64_t dropped = SelectNonNull(Keys(chunk), numbers_.Of(chunk), *kept);
    if (dropped == 0) return;
    context.counters().Dropped("null_group_key", dropped);
    chunk.selection = std::move(kept);
  }

  void StampStreamTime(Chunk& chunk) {
    SourceClocks::Clock& clock = clocks_.Of(chunk);
    const auto times = chunk.row_time()->values<int64_t>();
    uint8_t* data = nullptr;
    BufferPtr buffer = MakeBuffer(static_cast<size_t>(chunk.rows) * sizeof(int64_t), &data);
    auto* stamps = reinterpret_cast<int64_t*>(data);
    int64_t highest = clock.highest;
    if (chunk.ops && node_.mode == physical::ChangeMode::kAppend) {
      // Rows of a stream without a value are dropped behind the exchange and move no time.
      std::fill(stamps, stamps + chunk.rows, int64_t{0});
      for (int32_t row : numbers_.Of(chunk)) {
        if (chunk.op(row) != RowOp::kDelete) highest = std::max(highest, times[row]);
        stamps[row] = highest;
      }
    } else if (chunk.selection) {
      std::fill(stamps, stamps + chunk.rows, int64_t{0});
      for (int32_t row : *chunk.selection) stamps[row] = highest = std::max(highest, times[row]);
    } else {
      for (int32_t row = 0; row < chunk.rows; ++row) {
        stamps[row] = highest = std::max(highest, times[row]);
      }
    }
    clock.Advance(highest);
    chunk.sys(SystemColumn::kStreamTime) = MakeColumn(
        Column::Parts{DataType::Bigint(), chunk.rows, nullptr, std::move(buffer), nullptr, {}});
  }

  // Fills rows_by_part_.
  Status PlaceRows(Chunk& chunk, TaskContext& context) {
    rows_by_part_.resize(static_cast<size_t>(partitions_));
    for (auto& rows : rows_by_part_) rows.clear();
    const std::span<const int32_t> rows = numbers_.Of(chunk);
    // Null keys stay where they are; where they are a group, they meet.
    const int32_t home = node_.drop_null_keys ? std::max(context.partition(), 0) % partitions_ : 0;
    if (encoder_) return PlaceAsJava(chunk, rows, home);
    const std::span<const ColumnPtr> keys = Keys(chunk);
    if (keys.size() == 1 && IsInteger(keys[0]->type())) {
      PlaceIntegers(*keys[0], rows, home);
      return OkStatus();
    }
    for (int32_t row : rows) {
      scratch_.clear();
      bool all_null = true;
      for (const ColumnPtr& key : keys) {
        all_null &= key->IsNull(row);
        AppendRowValue(*key, row, scratch_);
      }
      const int32_t partition = all_null ? home : JavaPartition(scratch_, partitions_);
      rows_by_part_[partition].push_back(row);
    }
    return OkStatus();
  }

  static bool IsInteger(const DataType& type) {
    return type.is(TypeKind::kInt) || type.is(TypeKind::kBigint);
  }

  void PlaceIntegers(const Column& key, std::span<const int32_t> rows, int32_t home) {
    const bool narrow = key.type().is(TypeKind::kInt);
    for (int32_t row : rows) {
      int32_t partition = home;
      if (!key.IsNull(row)) {
        const int64_t value = narrow ? key.values<int32_t>()[row] : key.values<int64_t>()[row];
        partition = static_cast<int32_t>(HashWord(static_cast<uint64_t>(value)) %
                                         static_cast<uint64_t>(partitions_));
      }
      rows_by_part_[partition].push_back(row);
    }
  }

  Status PlaceAsJava(const Chunk& chunk, std::span<const int32_t> rows, int32_t home) {
    key_columns_.assign(chunk.columns.begin(), chunk.columns.begin() + node_.key_columns);
    key_bytes_.Clear();
    slices_.assign(rows.size(), Slice());
    WEIR_RETURN_IF_ERROR(encoder_->Encode(key_columns_, rows, key_bytes_, slices_));
    for (size_t i = 0; i < rows.size(); ++i) {
      int32_t partition = home;
      if (!slices_[i].is_null()) {
        partition =
            JavaPartition({reinterpret_cast<const char*>(key_bytes_.data()) + slices_[i].begin,
                           static_cast<size_t>(slices_[i].length)},
                          partitions_);
      }
      rows_by_part_[partition].push_back(rows[i]);
    }
    return OkStatus();
  }

  // A part that holds rows already gets these behind them.
  static void Put(Chunk rows, Chunk& part) {
    if (part.active_rows() == 0) {
      part = std::move(rows);
      return;
    }
    const Chunk first = Flatten(std::move(part));
    const Chunk second = Flatten(std::move(rows));
    auto join = [](const ColumnPtr& a, const ColumnPtr& b) {
      const ColumnPtr both[] = {a, b};
      return a && b ? Concat(both) : nullptr;
    };
    part = Chunk();
    part.rows = first.rows + second.rows;
    for (size_t i = 0; i < first.columns.size(); ++i) {
      part.columns.push_back(join(first.columns[i], second.columns[i]));
    }
    for (int i = 0; i < kSystemColumnCount; ++i) {
      part.system[i] = join(first.system[i], second.system[i]);
    }
    if (first.ops || second.ops) {
      std::vector<RowOp> ops;
      for (int32_t row = 0; row < first.rows; ++row) ops.push_back(first.op(row));
      for (int32_t row = 0; row < second.rows; ++row) ops.push_back(second.op(row));
      part.ops = MakeOps(ops);
    }
  }

  const physical::Exchange node_;
  const int32_t partitions_;
  const std::string store_name_;
  std::unique_ptr<SideEncoder> encoder_;
  SourceClocks clocks_;
  RowNumbers numbers_;
  std::vector<std::vector<int32_t>> rows_by_part_;
  std::string scratch_;
  std::vector<ColumnPtr> key_columns_;
  BufferBuilder key_bytes_;
  std::vector<Slice> slices_;
};

}  // namespace

Result<std::unique_ptr<ExchangeRouter>> MakeExchangeRouter(const physical::Exchange& node,
                                                           int32_t partitions) {
  std::unique_ptr<SideEncoder> encoder;
  if (node.placement) {
    std::vector<FormatColumn> columns;
    for (int i = 0; i < node.key_columns; ++i) {
      const ColumnSchema& column = node.schema->columns[i];
      columns.push_back({column.name, column.type, true});
    }
    const FormatSpec spec{node.placement->format, true, node.placement->unwrapped,
                          node.placement->properties};
    WEIR_ASSIGN_OR_RETURN(encoder, MakeEncoder(spec, columns));
  }
  return std::unique_ptr<ExchangeRouter>(
      std::make_unique<Router>(node, partitions, std::move(encoder)));
}

}  // namespace weir
