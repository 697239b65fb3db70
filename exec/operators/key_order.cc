#include "exec/operators/key_order.h"

#include <bit>

#include "exec/state/row_codec.h"

namespace weir {
namespace {

void AppendBigEndian(uint64_t value, int bytes, std::string& out) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> shift));
  }
}

void AppendKeyPart(const Column& column, int32_t row, std::string& out) {
  switch (column.type().kind()) {
    case TypeKind::kInt:
      return AppendBigEndian(static_cast<uint32_t>(column.values<int32_t>()[row]), 4, out);
    case TypeKind::kBigint:
      return AppendBigEndian(static_cast<uint64_t>(column.values<int64_t>()[row]), 8, out);
    case TypeKind::kDouble:
      return AppendBigEndian(std::bit_cast<uint64_t>(column.values<double>()[row]), 8, out);
    case TypeKind::kString:
      out.append(column.GetString(row));
      out.push_back('\0');
      return;
    default: return AppendRowValue(column, row, out);
  }
}

}  // namespace

KeyOrder::KeyOrder(std::vector<ColumnPtr> columns) : columns_(std::move(columns)) {
  const TypeKind kind = columns_.size() == 1 ? columns_[0]->type().kind() : TypeKind::kStruct;
  if (kind == TypeKind::kString) kind_ = Kind::kText;
  if (kind == TypeKind::kInt) kind_ = Kind::kInt;
  if (kind == TypeKind::kBigint) kind_ = Kind::kBigint;
  if (kind_ != Kind::kBytes || columns_.empty()) return;
  bytes_.resize(static_cast<size_t>(columns_[0]->length()));
  for (size_t row = 0; row < bytes_.size(); ++row) {
    for (const ColumnPtr& column : columns_) {
      AppendKeyPart(*column, static_cast<int32_t>(row), bytes_[row]);
    }
  }
}

int KeyOrder::Compare(int32_t a, int32_t b) const {
  auto compare = [](auto x, auto y) { return x < y ? -1 : x > y ? 1 : 0; };
  switch (kind_) {
    case Kind::kText: return columns_[0]->GetString(a).compare(columns_[0]->GetString(b));
    case Kind::kInt: {
      const auto values = columns_[0]->values<int32_t>();
      return compare(static_cast<uint32_t>(values[a]), static_cast<uint32_t>(values[b]));
    }
    case Kind::kBigint: {
      const auto values = columns_[0]->values<int64_t>();
      return compare(static_cast<uint64_t>(values[a]), static_cast<uint64_t>(values[b]));
    }
    case Kind::kBytes: return bytes_[a].compare(bytes_[b]);
  }
  return 0;
}

}  // namespace weir
