#include "exec/state/row_key.h"

#include <bit>

#include "base/decimal.h"
#include "exec/state/row_codec.h"

namespace weir {
namespace {

constexpr char kKeyThere = 1;
// A zero byte of a text is followed by kTextZero, and its end by kTextEnd, so that a text stands
// before all that it begins.
constexpr char kTextEnd = 0;
constexpr char kTextZero = 1;

template <typename T>
void PutKeyNumber(T value, std::string& out) {
  char bytes[sizeof(T)];
  for (size_t i = 0; i < sizeof(T); ++i) {
    bytes[i] = static_cast<char>(value >> (8 * (sizeof(T) - 1 - i)));
  }
  out.append(bytes, sizeof(bytes));
}

template <typename T>
bool TakeKeyNumber(std::string_view& bytes, T& value) {
  if (bytes.size() < sizeof(T)) return false;
  value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(value << 8 | static_cast<uint8_t>(bytes[i]));
  }
  bytes.remove_prefix(sizeof(T));
  return true;
}

constexpr uint32_t kKeySign32 = uint32_t{1} << 31;
constexpr uint64_t kKeySign64 = uint64_t{1} << 63;

// Of negative numbers all bits are turned, of others the sign.
uint64_t OrderedBits(double value) {
  const auto bits = std::bit_cast<uint64_t>(value);
  return (bits & kKeySign64) != 0 ? ~bits : bits | kKeySign64;
}

double FromOrderedBits(uint64_t bits) {
  return std::bit_cast<double>((bits & kKeySign64) != 0 ? bits & ~kKeySign64 : ~bits);
}

void PutKeyText(std::string_view text, std::string& out) {
  for (size_t zero = text.find('\0'); zero != std::string_view::npos; zero = text.find('\0')) {
    out.append(text.substr(0, zero + 1));
    out.push_back(kTextZero);
    text.remove_prefix(zero + 1);
  }
  out.append(text);
  out.push_back('\0');
  out.push_back(kTextEnd);
}

// Without zero bytes in it the text is a part of `bytes`; else `scratch` takes it.
bool TakeKeyText(std::string_view& bytes, std::string& scratch, std::string_view& text) {
  scratch.clear();
  while (true) {
    const size_t zero = bytes.find('\0');
    if (zero == std::string_view::npos || zero + 1 == bytes.size()) return false;
    const std::string_view piece = bytes.substr(0, zero);
    const char what = bytes[zero + 1];
    bytes.remove_prefix(zero + 2);
    if (what == kTextEnd) {
      if (scratch.empty()) {
        text = piece;
        return true;
      }
      scratch.append(piece);
      text = scratch;
      return true;
    }
    if (what != kTextZero) return false;
    scratch.append(piece);
    scratch.push_back('\0');
  }
}

}  // namespace

void AppendKeyValue(const Column& column, int32_t row, std::string& out) {
  if (column.IsNull(row) || column.type().is(TypeKind::kNull)) {
    out.push_back(0);
    return;
  }
  out.push_back(kKeyThere);
  switch (column.type().kind()) {
    case TypeKind::kBoolean: out.push_back(column.GetBool(row) ? 1 : 0); return;
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kTime:
      return PutKeyNumber(static_cast<uint32_t>(column.values<int32_t>()[row]) ^ kKeySign32, out);
    case TypeKind::kBigint:
    case TypeKind::kTimestamp:
      return PutKeyNumber(static_cast<uint64_t>(column.values<int64_t>()[row]) ^ kKeySign64, out);
    case TypeKind::kDouble: return PutKeyNumber(OrderedBits(column.values<double>()[row]), out);
    case TypeKind::kDecimal: {
      const Decimal128& value = column.values<Decimal128>()[row];
      PutKeyNumber(static_cast<uint64_t>(value.high) ^ kKeySign64, out);
      return PutKeyNumber(value.low, out);
    }
    case TypeKind::kString:
    case TypeKind::kBytes: return PutKeyText(column.GetString(row), out);
    default: {
      std::string bytes;
      AppendRowValue(column, row, bytes);
      return PutKeyText(bytes, out);
    }
  }
}

bool ReadKeyValue(std::string_view& bytes, ColumnBuilder& out) {
  if (bytes.empty()) return false;
  const char there = bytes.front();
  bytes.remove_prefix(1);
  if (there == 0) {
    out.AppendNull();
    return true;
  }
  if (there != kKeyThere) return false;
  uint32_t small = 0;
  uint64_t large = 0;
  std::string scratch;
  std::string_view text;
  switch (out.type().kind()) {
    case TypeKind::kNull: return false;
    case TypeKind::kBoolean:
      if (bytes.empty()) return false;
      out.AppendBool(bytes.front() != 0);
      bytes.remove_prefix(1);
      return true;
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kTime:
      if (!TakeKeyNumber(bytes, small)) return false;
      out.AppendInt32(static_cast<int32_t>(small ^ kKeySign32));
      return true;
    case TypeKind::kBigint:
    case TypeKind::kTimestamp:
      if (!TakeKeyNumber(bytes, large)) return false;
      out.AppendInt64(static_cast<int64_t>(large ^ kKeySign64));
      return true;
    case TypeKind::kDouble:
      if (!TakeKeyNumber(bytes, large)) return false;
      out.AppendDouble(FromOrderedBits(large));
      return true;
    case TypeKind::kDecimal: {
      uint64_t low = 0;
      if (!TakeKeyNumber(bytes, large) || !TakeKeyNumber(bytes, low)) return false;
      out.AppendDecimal(ToInt128({low, static_cast<int64_t>(large ^ kKeySign64)}));
      return true;
    }
    case TypeKind::kString:
    case TypeKind::kBytes:
      if (!TakeKeyText(bytes, scratch, text)) return false;
      out.AppendBytes(text);
      return true;
    default: return TakeKeyText(bytes, scratch, text) && ReadRowValue(text, out) && text.empty();
  }
}

void AppendKey(std::span<const ColumnPtr> columns, int32_t row, std::string& out) {
  for (const ColumnPtr& column : columns) AppendKeyValue(*column, row, out);
}

bool ReadKey(std::string_view& bytes, std::span<ColumnBuilder> out) {
  for (ColumnBuilder& builder : out) {
    if (!ReadKeyValue(bytes, builder)) return false;
  }
  return true;
}

std::string EndOfPrefix(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty()) {
    if (static_cast<unsigned char>(end.back()) != 0xff) {
      ++reinterpret_cast<unsigned char&>(end.back());
      return end;
    }
    end.pop_back();
  }
  return end;
}

}  // namespace weir
