#include "exec/formats/kafka_format.h"

#include <bit>
#include <cstring>

#include "exec/formats/json/json_structure.h"

namespace weir {
namespace {

uint64_t LoadBigEndian(const char* from, int width) {
  uint64_t value = 0;
  for (int i = 0; i < width; ++i) value = value << 8 | static_cast<uint8_t>(from[i]);
  return value;
}

void AppendBigEndian(uint64_t value, int width, BufferBuilder& out) {
  char text[8];
  for (int i = width - 1; i >= 0; --i, value >>= 8) text[i] = static_cast<char>(value);
  out.Append(text, static_cast<size_t>(width));
}

class KafkaDecoder final : public SideDecoder {
 public:
  KafkaDecoder(const FormatSpec& spec, const std::vector<FormatColumn>& columns)
      : is_key_(spec.is_key), columns_(columns) {
    if (!columns_.empty()) builder_ = std::make_unique<ColumnBuilder>(columns_[0].type);
  }

  Status Decode(const RecordBatch& records, DecodedSide& out) override {
    const std::vector<Slice>& slices = is_key_ ? records.keys : records.values;
    const bool needed = !columns_.empty() && columns_[0].needed;
    out.states.clear();
    out.bad.clear();
    out.columns.assign(columns_.size(), nullptr);
    if (needed) builder_->Reserve(records.size());
    for (int32_t row = 0; row < records.size(); ++row) {
      const Slice slice = slices[static_cast<size_t>(row)];
      RowState state = RowState::kOk;
      if (slice.is_null()) {
        state = RowState::kNull;
      } else if (needed && !Append(records.View(slice))) {
        state = RowState::kBad;
        out.bad.push_back({row, Reason(slice.length)});
      }
      if (state == RowState::kOk) continue;
      if (out.states.empty()) out.states.resize(slices.size(), RowState::kOk);
      out.states[static_cast<size_t>(row)] = state;
      if (needed) builder_->AppendNull();
    }
    if (needed) out.columns[0] = builder_->Finish();
    return OkStatus();
  }

 private:
  bool Append(std::string_view bytes) {
    switch (columns_[0].type.kind()) {
      case TypeKind::kInt:
        if (bytes.size() != 4) return false;
        builder_->AppendInt32(static_cast<int32_t>(LoadBigEndian(bytes.data(), 4)));
        return true;
      case TypeKind::kBigint:
        if (bytes.size() != 8) return false;
        builder_->AppendInt64(static_cast<int64_t>(LoadBigEndian(bytes.data(), 8)));
        return true;
      case TypeKind::kDouble:
        if (bytes.size() != 8) return false;
        builder_->AppendDouble(std::bit_cast<double>(LoadBigEndian(bytes.data(), 8)));
        return true;
      case TypeKind::kString:
        if (!IsUtf8(bytes.data(), bytes.size())) return false;
        [[fallthrough]];
      default: builder_->AppendBytes(bytes); return true;
    }
  }

  std::string Reason(int32_t length) const {
    const FormatColumn& column = columns_[0];
    if (column.type.is(TypeKind::kString)) return "column " + column.name + ": not UTF-8";
    return "column " + column.name + ": no " + column.type.ToString() +
           " has this many bytes: " + std::to_string(length);
  }

  bool is_key_;
  std::vector<FormatColumn> columns_;
  std::unique_ptr<ColumnBuilder> builder_;
};

class KafkaEncoder final : public SideEncoder {
 public:
  Status Encode(const std::vector<ColumnPtr>& columns, std::span<const int32_t> rows,
                BufferBuilder& bytes, std::vector<Slice>& slices) override {
    slices.resize(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      slices[i] = {static_cast<uint32_t>(bytes.size()), -1};
      if (columns.empty() || columns[0]->IsNull(rows[i])) continue;
      Append(*columns[0], rows[i], bytes);
      slices[i].length = static_cast<int32_t>(bytes.size() - slices[i].begin);
    }
    return OkStatus();
  }

 private:
  static void Append(const Column& column, int32_t row, BufferBuilder& bytes) {
    const auto at = static_cast<size_t>(row);
    switch (column.type().kind()) {
      case TypeKind::kInt:
        return AppendBigEndian(static_cast<uint32_t>(column.values<int32_t>()[at]), 4, bytes);
      case TypeKind::kBigint:
        return AppendBigEndian(static_cast<uint64_t>(column.values<int64_t>()[at]), 8, bytes);
      case TypeKind::kDouble:
        return AppendBigEndian(std::bit_cast<uint64_t>(column.values<double>()[at]), 8, bytes);
      default: {
        const std::string_view text = column.GetString(row);
        return bytes.Append(text.data(), text.size());
      }
    }
  }
};

class NoneDecoder final : public SideDecoder {
 public:
  NoneDecoder(bool is_key, size_t column_count) : is_key_(is_key), column_count_(column_count) {}

  Status Decode(const RecordBatch& records, DecodedSide& out) override {
    const std::vector<Slice>& slices = is_key_ ? records.keys : records.values;
    out.states.clear();
    out.bad.clear();
    out.columns.assign(column_count_, nullptr);
    for (size_t row = 0; row < slices.size(); ++row) {
      if (!slices[row].is_null()) continue;
      if (out.states.empty()) out.states.resize(slices.size(), RowState::kOk);
      out.states[row] = RowState::kNull;
    }
    return OkStatus();
  }

 private:
  bool is_key_;
  size_t column_count_;
};

class NoneEncoder final : public SideEncoder {
 public:
  Status Encode(const std::vector<ColumnPtr>&, std::span<const int32_t> rows, BufferBuilder&,
                std::vector<Slice>& slices) override {
    slices.assign(rows.size(), Slice{});
    return OkStatus();
  }
};

}  // namespace

std::unique_ptr<SideDecoder> MakeKafkaDecoder(const FormatSpec& spec,
                                              const std::vector<FormatColumn>& columns) {
  return std::make_unique<KafkaDecoder>(spec, columns);
}

std::unique_ptr<SideEncoder> MakeKafkaEncoder(const FormatSpec&, const std::vector<FormatColumn>&) {
  return std::make_unique<KafkaEncoder>();
}

std::unique_ptr<SideDecoder> MakeNoneDecoder(const FormatSpec& spec, size_t column_count) {
  return std::make_unique<NoneDecoder>(spec.is_key, column_count);
}

std::unique_ptr<SideEncoder> MakeNoneEncoder() { return std::make_unique<NoneEncoder>(); }

}  // namespace weir
