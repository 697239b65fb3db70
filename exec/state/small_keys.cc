#include "exec/state/small_keys.h"

#include <algorithm>
#include <bit>

namespace weir {
namespace {

bool IsWhole(TypeKind kind) {
  switch (kind) {
    case TypeKind::kBoolean:
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kBigint:
    case TypeKind::kTimestamp: return true;
    default: return false;
  }
}

int64_t ReadWhole(TypeKind kind, const Column& column, int32_t row) {
  switch (kind) {
    case TypeKind::kBoolean: return column.GetBool(row) ? 1 : 0;
    case TypeKind::kBigint:
    case TypeKind::kTimestamp: return reinterpret_cast<const int64_t*>(column.raw_values())[row];
    default: return reinterpret_cast<const int32_t*>(column.raw_values())[row];
  }
}

}  // namespace

bool SmallKeys::CanHold(std::span<const DataType> types) {
  return !types.empty() && types.size() <= kColumnsMax &&
         std::all_of(types.begin(), types.end(),
                     [](const DataType& type) { return IsWhole(type.kind()); });
}

SmallKeys::SmallKeys(std::span<const DataType> types, bool nulls_possible)
    : nulls_possible_(nulls_possible) {
  for (const DataType& type : types) parts_.push_back({type.kind()});
}

// Where nulls are possible they are 0, and each value stands one higher.
template <typename Get>
void SmallKeys::EncodeWith(Part& part, const Column& column, std::span<const int32_t> rows,
                           const Get& get) {
  const bool first = &part == &parts_.front();
  const int shift = part.shift;
  const uint64_t raise = nulls_possible_ ? 1 : 0;
  const bool nulls = nulls_possible_ && column.has_nulls();
  uint64_t seen = 0;
  uint32_t* codes = codes_.data();
  for (size_t i = 0; i < rows.size(); ++i) {
    auto value = static_cast<uint64_t>(static_cast<int64_t>(get(rows[i])));
    if (nulls && column.IsNull(rows[i])) {
      value = 0;
    } else {
      // The raised -1 would pass for a null.
      seen |= value | (value + raise);
      value += raise;
    }
    const auto code = static_cast<uint32_t>(value << shift);
    codes[i] = first ? code : codes[i] | code;
  }
  part.seen = seen;
}

void SmallKeys::EncodePart(Part& part, const Column& column, std::span<const int32_t> rows) {
  switch (part.kind) {
    case TypeKind::kBoolean:
      return EncodeWith(part, column, rows,
                        [&](int32_t row) { return column.GetBool(row) ? 1 : 0; });
    case TypeKind::kBigint:
    case TypeKind::kTimestamp: {
      const auto* values = reinterpret_cast<const int64_t*>(column.raw_values());
      return EncodeWith(part, column, rows, [=](int32_t row) { return values[row]; });
    }
    default: {
      const auto* values = reinterpret_cast<const int32_t*>(column.raw_values());
      return EncodeWith(part, column, rows, [=](int32_t row) { return values[row]; });
    }
  }
}

bool SmallKeys::Encode(std::span<const ColumnPtr> keys, std::span<const int32_t> rows) {
  codes_.resize(rows.size());
  bool fits = true;
  for (size_t i = 0; i < parts_.size(); ++i) {
    EncodePart(parts_[i], *keys[i], rows);
    fits &= parts_[i].seen >> parts_[i].bits == 0;
  }
  if (!fits) MarkOutside(keys, rows);
  return fits;
}

void SmallKeys::MarkOutside(std::span<const ColumnPtr> keys, std::span<const int32_t> rows) {
  for (size_t i = 0; i < rows.size(); ++i) {
    Values values;
    for (size_t part = 0; part < parts_.size(); ++part) {
      const bool null = nulls_possible_ && keys[part]->IsNull(rows[i]);
      values[part] = null ? kNull : ReadWhole(parts_[part].kind, *keys[part], rows[i]);
      // What is negative fits nowhere, and only a null is kNull.
      if (!null && values[part] < 0) values[part] = INT64_MAX;
    }
    codes_[i] = CodeOf(values);
  }
}

bool SmallKeys::Widen() {
  int total = 0;
  for (Part& part : parts_) {
    total += std::max<int>(part.bits, std::bit_width(part.seen));
  }
  if (total > kBitsMax) return false;
  bits_total_ = total;
  int shift = 0;
  for (auto part = parts_.rbegin(); part != parts_.rend(); ++part) {
    part->bits = std::max<int>(part->bits, std::bit_width(part->seen));
    part->shift = shift;
    shift += part->bits;
  }
  return true;
}

uint32_t SmallKeys::CodeOf(const Values& values) const {
  uint32_t code = 0;
  for (size_t i = 0; i < parts_.size(); ++i) {
    const auto value = static_cast<uint64_t>(values[i]) + (nulls_possible_ ? 1 : 0);
    if (value >> parts_[i].bits != 0) return kOutside;
    code |= static_cast<uint32_t>(value << parts_[i].shift);
  }
  return code;
}

SmallKeys::Values SmallKeys::ValuesOf(uint32_t code) const {
  Values values{};
  for (size_t i = 0; i < parts_.size(); ++i) {
    const uint32_t mask = (uint32_t{1} << parts_[i].bits) - 1;
    values[i] = static_cast<int64_t>((code >> parts_[i].shift) & mask) - (nulls_possible_ ? 1 : 0);
  }
  return values;
}

}  // namespace weir
