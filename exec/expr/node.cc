#include "exec/expr/node.h"

#include <algorithm>

namespace weir {
namespace {

template <typename T>
ColumnPtr ChooseFixed(const DataType& type, std::span<const ColumnPtr> columns,
                      std::span<const uint8_t> choice, const uint8_t* valid) {
  std::vector<const T*> sources;
  for (const ColumnPtr& column : columns) {
    sources.push_back(reinterpret_cast<const T*>(column->raw_values()));
  }
  ColumnBuilder out(type);
  const int32_t rows = static_cast<int32_t>(choice.size());
  T* result = out.FillFixed<T>(rows, valid);
  for (int32_t i = 0; i < rows; ++i) {
    const uint8_t from = choice[static_cast<size_t>(i)];
    result[i] = from == kChooseNull ? T{} : sources[from][i];
  }
  return out.Finish();
}

ColumnPtr ChooseBits(const DataType& type, std::span<const ColumnPtr> columns,
                     std::span<const uint8_t> choice, const uint8_t* valid) {
  ColumnBuilder out(type);
  const int32_t rows = static_cast<int32_t>(choice.size());
  uint64_t* words = out.FillBits(rows, valid);
  std::fill_n(words, WordCount(rows), 0);
  for (int32_t i = 0; i < rows; ++i) {
    const uint8_t from = choice[static_cast<size_t>(i)];
    const bool value = from != kChooseNull && columns[from]->GetBool(i);
    words[i >> 6] |= static_cast<uint64_t>(value) << (i & 63);
  }
  return out.Finish();
}

}  // namespace

RowMask RowMask::All(int32_t rows) {
  RowMask mask;
  mask.rows_ = rows;
  mask.words_.assign(static_cast<size_t>(WordCount(rows)), ~uint64_t{0});
  if (!mask.words_.empty()) mask.words_.back() = TailMask(rows);
  return mask;
}

RowMask RowMask::Of(int32_t rows, const Selection& selection) {
  RowMask mask;
  mask.rows_ = rows;
  mask.words_.assign(static_cast<size_t>(WordCount(rows)), 0);
  for (const int32_t row : selection) {
    mask.words_[static_cast<size_t>(row >> 6)] |= uint64_t{1} << (row & 63);
  }
  return mask;
}

bool RowMask::Empty() const {
  return std::all_of(words_.begin(), words_.end(), [](uint64_t word) { return word == 0; });
}

bool RowMask::Contains(const RowMask& other) const {
  for (size_t w = 0; w < words_.size(); ++w) {
    if ((other.words_[w] & ~words_[w]) != 0) return false;
  }
  return true;
}

void RowMask::Remove(const RowMask& other) {
  for (size_t w = 0; w < words_.size(); ++w) words_[w] &= ~other.words_[w];
}

void RowMask::Add(const RowMask& other) {
  for (size_t w = 0; w < words_.size(); ++w) words_[w] |= other.words_[w];
}

void RowMask::KeepValid(const Column& column) {
  if (column.validity() == nullptr) return;
  for (size_t w = 0; w < words_.size(); ++w) words_[w] &= ValidWord(column, w);
}

void RowMask::KeepTrue(const Column& column) {
  for (size_t w = 0; w < words_.size(); ++w) {
    words_[w] &= ValidWord(column, w) & ValueWord(column, w);
  }
}

void RowMask::KeepNotTrue(const Column& column) {
  for (size_t w = 0; w < words_.size(); ++w) {
    words_[w] &= ~(ValidWord(column, w) & ValueWord(column, w));
  }
}

void RowMask::KeepNotFalse(const Column& column) {
  for (size_t w = 0; w < words_.size(); ++w) {
    words_[w] &= ~ValidWord(column, w) | ValueWord(column, w);
  }
}

bool AllRunWhole(std::span<Node* const> nodes) {
  return std::ranges::all_of(nodes, &Node::runs_whole);
}

const ColumnPtr& Node::Evaluate(Frame& frame, const RowMask& mask) {
  if (epoch_ != frame.epoch()) {
    computed_ = runs_whole_ ? frame.base() : mask;
    value_ = Compute(frame, computed_);
    epoch_ = frame.epoch();
    return value_;
  }
  if (runs_whole_ || computed_.Contains(mask)) return value_;
  // Asked for more rows than before: compute those, keep the others.
  RowMask missing = mask;
  missing.Remove(computed_);
  const ColumnPtr columns[] = {value_, Compute(frame, missing)};
  std::vector<uint8_t> choice(static_cast<size_t>(frame.rows()), 0);
  ForEachSetBit(missing.bits(), missing.rows(),
                [&](int32_t row) { choice[static_cast<size_t>(row)] = 1; });
  value_ = ChooseRows(type_, columns, choice);
  computed_.Add(missing);
  return value_;
}

ColumnPtr ChooseRows(const DataType& type, std::span<const ColumnPtr> columns,
                     std::span<const uint8_t> choice) {
  const int32_t rows = static_cast<int32_t>(choice.size());
  ValidityBuilder validity;
  const auto is_valid = [&](int32_t row) {
    const uint8_t from = choice[static_cast<size_t>(row)];
    return from != kChooseNull && !columns[from]->IsNull(row);
  };
  switch (type.kind()) {
    case TypeKind::kString:
    case TypeKind::kBytes:
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kStruct:
    case TypeKind::kNull: {
      ColumnBuilder out(type);
      for (int32_t row = 0; row < rows; ++row) {
        if (is_valid(row)) {
          out.AppendFrom(*columns[choice[static_cast<size_t>(row)]], row);
        } else {
          out.AppendNull();
        }
      }
      return out.Finish();
    }
    default: break;
  }
  for (int32_t row = 0; row < rows; ++row) validity.Append(is_valid(row));
  const BufferPtr bits = validity.Finish();
  const uint8_t* valid = bits == nullptr ? nullptr : bits->data();
  switch (type.kind()) {
    case TypeKind::kBoolean: return ChooseBits(type, columns, choice, valid);
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kTime: return ChooseFixed<int32_t>(type, columns, choice, valid);
    case TypeKind::kDecimal: return ChooseFixed<Decimal128>(type, columns, choice, valid);
    default: return ChooseFixed<int64_t>(type, columns, choice, valid);
  }
}

}  // namespace weir
