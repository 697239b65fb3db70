#include "exec/state/row_codec.h"

#include <cstring>

#include "base/fixed_bytes.h"

namespace weir {
namespace {

// With the byte in front that says that the value is there.
template <size_t kWidth>
void PutPresent(const Column& column, int32_t row, std::string& out) {
  char bytes[1 + kWidth];
  bytes[0] = 1;
  std::memcpy(bytes + 1, column.raw_values() + static_cast<size_t>(row) * kWidth, kWidth);
  out.append(bytes, sizeof(bytes));
}

// Items [begin, end) of each child, child by child within an item.
void PutItems(const Column& column, int32_t begin, int32_t end, std::string& out) {
  PutFixed(static_cast<uint32_t>(end - begin), out);
  for (int32_t item = begin; item < end; ++item) {
    for (const ColumnPtr& child : column.parts().children) AppendRowValue(*child, item, out);
  }
}

void PutRest(const Column& column, int32_t row, std::string& out);

bool TakeItems(std::string_view& bytes, ColumnBuilder& out, int children) {
  uint32_t count;
  if (!TakeFixed(bytes, count) || count > bytes.size()) return false;
  for (uint32_t item = 0; item < count; ++item) {
    for (int child = 0; child < children; ++child) {
      if (!ReadRowValue(bytes, out.child(child))) return false;
    }
  }
  out.AppendNested();
  return true;
}

bool TakeBytes(std::string_view& bytes, ColumnBuilder& out) {
  uint32_t length;
  if (!TakeFixed(bytes, length) || bytes.size() < length) return false;
  out.AppendBytes(bytes.substr(0, length));
  bytes.remove_prefix(length);
  return true;
}

}  // namespace

void AppendRowValue(const Column& column, int32_t row, std::string& out) {
  if (column.IsNull(row) || column.type().is(TypeKind::kNull)) {
    out.push_back(0);
    return;
  }
  switch (column.type().kind()) {
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kTime: return PutPresent<4>(column, row, out);
    case TypeKind::kBigint:
    case TypeKind::kDouble:
    case TypeKind::kTimestamp: return PutPresent<8>(column, row, out);
    case TypeKind::kDecimal: return PutPresent<16>(column, row, out);
    default: out.push_back(1); return PutRest(column, row, out);
  }
}

namespace {

// A value that is there and of no fixed width in bytes, without the byte in front.
void PutRest(const Column& column, int32_t row, std::string& out) {
  switch (column.type().kind()) {
    case TypeKind::kBoolean: out.push_back(column.GetBool(row) ? 1 : 0); return;
    case TypeKind::kString:
    case TypeKind::kBytes: {
      const std::string_view text = column.GetString(row);
      PutFixed(static_cast<uint32_t>(text.size()), out);
      out.append(text);
      return;
    }
    case TypeKind::kArray:
    case TypeKind::kMap:
      return PutItems(column, column.offsets()[row], column.offsets()[row + 1], out);
    case TypeKind::kStruct:
      for (const ColumnPtr& child : column.parts().children) AppendRowValue(*child, row, out);
      return;
    default: return;
  }
}

}  // namespace

bool ReadRowValue(std::string_view& bytes, ColumnBuilder& out) {
  uint8_t present;
  if (!TakeFixed(bytes, present) || present > 1) return false;
  if (present == 0) {
    out.AppendNull();
    return true;
  }
  switch (out.type().kind()) {
    case TypeKind::kNull: return false;
    case TypeKind::kBoolean: {
      uint8_t value;
      if (!TakeFixed(bytes, value)) return false;
      out.AppendBool(value != 0);
      return true;
    }
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kTime: {
      int32_t value;
      if (!TakeFixed(bytes, value)) return false;
      out.AppendInt32(value);
      return true;
    }
    case TypeKind::kBigint:
    case TypeKind::kTimestamp: {
      int64_t value;
      if (!TakeFixed(bytes, value)) return false;
      out.AppendInt64(value);
      return true;
    }
    case TypeKind::kDouble: {
      double value;
      if (!TakeFixed(bytes, value)) return false;
      out.AppendDouble(value);
      return true;
    }
    case TypeKind::kDecimal: {
      Int128 value;
      if (!TakeFixed(bytes, value)) return false;
      out.AppendDecimal(value);
      return true;
    }
    case TypeKind::kString:
    case TypeKind::kBytes: return TakeBytes(bytes, out);
    case TypeKind::kArray: return TakeItems(bytes, out, 1);
    case TypeKind::kMap: return TakeItems(bytes, out, 2);
    case TypeKind::kStruct:
      for (size_t field = 0; field < out.type().fields().size(); ++field) {
        if (!ReadRowValue(bytes, out.child(static_cast<int>(field)))) return false;
      }
      out.AppendNested();
      return true;
  }
  return false;
}

void AppendRow(std::span<const ColumnPtr> columns, int32_t row, std::string& out) {
  for (const ColumnPtr& column : columns) AppendRowValue(*column, row, out);
}

bool ReadRow(std::string_view& bytes, std::span<ColumnBuilder> out) {
  for (ColumnBuilder& builder : out) {
    if (!ReadRowValue(bytes, builder)) return false;
  }
  return true;
}

void AppendOrdered64(int64_t value, std::string& out) {
  const uint64_t flipped = static_cast<uint64_t>(value) ^ (uint64_t{1} << 63);
  char bytes[8];
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(flipped >> (56 - 8 * i));
  out.append(bytes, sizeof(bytes));
}

bool ReadOrdered64(std::string_view& bytes, int64_t& value) {
  if (bytes.size() < 8) return false;
  uint64_t flipped = 0;
  for (int i = 0; i < 8; ++i) flipped = flipped << 8 | static_cast<uint8_t>(bytes[i]);
  value = static_cast<int64_t>(flipped ^ (uint64_t{1} << 63));
  bytes.remove_prefix(8);
  return true;
}

}  // namespace weir
