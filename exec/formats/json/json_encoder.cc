#include "exec/formats/json/json_encoder.h"

#include <cstring>

#include "base/number_text.h"
#include "exec/formats/json/json_text.h"

namespace weir {
namespace {

/// Room for any value that AppendFixed writes: a quoted double.
constexpr size_t kFixedValueMax = kDoubleTextMax + 2;
constexpr size_t kNameStep = 16;

class JsonEncoder final : public SideEncoder {
 public:
  JsonEncoder(const FormatSpec& spec, const std::vector<FormatColumn>& columns, JsonFrame frame)
      : unwrapped_(spec.unwrapped && columns.size() == 1), frame_(std::move(frame)) {
    for (const FormatColumn& column : columns) {
      BufferBuilder text;
      AppendJsonString(column.name, text);
      std::string fragment(names_.empty() ? "{" : ",");
      fragment.append(reinterpret_cast<const char*>(text.data()), text.size());
      fragment += ':';
      const size_t size = fragment.size();
      fragment.resize((size + kNameStep - 1) / kNameStep * kNameStep);
      row_room_ += fragment.size() + kFixedValueMax;
      names_.push_back({std::move(fragment), size});
    }
  }

  Status Encode(const std::vector<ColumnPtr>& columns, std::span<const int32_t> rows,
                BufferBuilder& bytes, std::vector<Slice>& slices) override {
    slices.resize(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      Slice& slice = slices[i];
      slice = {static_cast<uint32_t>(bytes.size()), -1};
      if (columns.empty()) continue;
      if (unwrapped_ && columns[0]->IsNull(rows[i])) continue;
      bytes.Append(frame_.prefix.data(), frame_.prefix.size());
      if (unwrapped_) {
        AppendJsonValue(*columns[0], rows[i], bytes);
      } else {
        EncodeRow(columns, rows[i], bytes);
      }
      slice.length = static_cast<int32_t>(bytes.size() - slice.begin);
    }
    return OkStatus();
  }

 private:
  void EncodeRow(const std::vector<ColumnPtr>& columns, int32_t row, BufferBuilder& bytes) {
    bytes.Reserve(row_room_ + 1);
    char* to = reinterpret_cast<char*>(bytes.data() + bytes.size());
    for (size_t i = 0; i < columns.size(); ++i) {
      const Name& name = names_[i];
      for (size_t at = 0; at < name.size; at += kNameStep) {
        std::memcpy(to + at, name.padded.data() + at, kNameStep);
      }
      to += name.size;
      const Column& column = *columns[i];
      if (column.IsNull(row)) {
        std::memcpy(to, "null", 4);
        to += 4;
        continue;
      }
      switch (column.type().kind()) {
        case TypeKind::kInt:
        case TypeKind::kDate:
        case TypeKind::kTime:
          to = WriteJsonInteger(column.values<int32_t>()[static_cast<size_t>(row)], to);
          break;
        case TypeKind::kBigint:
        case TypeKind::kTimestamp:
          to = WriteJsonInteger(column.values<int64_t>()[static_cast<size_t>(row)], to);
          break;
        case TypeKind::kDouble:
          to = WriteJsonDouble(column.values<double>()[static_cast<size_t>(row)], to);
          break;
        default: {
          bytes.Resize(static_cast<size_t>(to - reinterpret_cast<char*>(bytes.data())));
          AppendJsonValue(column, row, bytes);
          bytes.Reserve(row_room_ + 1);
          to = reinterpret_cast<char*>(bytes.data() + bytes.size());
        }
      }
    }
    if (!frame_.more_members.empty()) {
      bytes.Resize(static_cast<size_t>(to - reinterpret_cast<char*>(bytes.data())));
      bytes.Append(frame_.more_members.data(), frame_.more_members.size());
      return bytes.Append("}", 1);
    }
    *to++ = '}';
    bytes.Resize(static_cast<size_t>(to - reinterpret_cast<char*>(bytes.data())));
  }

  /// `{"NAME":` for the first column, `,"NAME":` for the others, copied in steps of fixed size:
  /// what is too much is written over.
  struct Name {
    std::string padded;
    size_t size;
  };

  bool unwrapped_;
  const JsonFrame frame_;
  std::vector<Name> names_;
  size_t row_room_ = 0;
};

}  // namespace

std::unique_ptr<SideEncoder> MakeJsonEncoder(const FormatSpec& spec,
                                             const std::vector<FormatColumn>& columns) {
  return std::make_unique<JsonEncoder>(spec, columns, JsonFrame());
}

std::unique_ptr<SideEncoder> MakeFramedJsonEncoder(const FormatSpec& spec,
                                                   const std::vector<FormatColumn>& columns,
                                                   JsonFrame frame) {
  return std::make_unique<JsonEncoder>(spec, columns, std::move(frame));
}

}  // namespace weir
