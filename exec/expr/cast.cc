#include "exec/expr/cast.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "base/decimal.h"
#include "base/number_text.h"
#include "base/time_text.h"
#include "base/type_rules.h"
#include "exec/column/bits.h"
#include "exec/column/value_text.h"

namespace weir {
namespace {

/// What a loop over one pair of types gets.
struct CastLoop {
  const CastCall& call;
  const Column& in;
  const DataType& to;
  ColumnBuilder& out;

  /// The value of `row` in an error's message.
  void Fail(int32_t row) const {
    std::string text;
    AppendCastText(in, row, text);
    constexpr size_t kShown = 80;
    if (text.size() > kShown) text = text.substr(0, kShown) + "…";
    call.Error(
        row, fmt::format("cannot cast {} to {}: '{}'", in.type().ToString(), to.ToString(), text));
  }
};
using LoopFunction = void (*)(const CastLoop& loop);

template <typename T>
const T* Values(const CastLoop& loop) {
  return reinterpret_cast<const T*>(loop.in.raw_values());
}

/// Java's narrowing of a double: NaN is 0, what is too large becomes the largest.
template <typename T>
T NarrowDouble(double value) {
  if (std::isnan(value)) return 0;
  if (value >= static_cast<double>(std::numeric_limits<T>::max())) {
    return std::numeric_limits<T>::max();
  }
  if (value <= static_cast<double>(std::numeric_limits<T>::min())) {
    return std::numeric_limits<T>::min();
  }
  return static_cast<T>(value);
}

/// Every value of From has a T.
template <typename From, typename T>
void ConvertNumber(const CastLoop& loop) {
  T* __restrict result = loop.out.FillFixed<T>(loop.call.rows, loop.call.active);
  const From* in = Values<From>(loop);
  for (int32_t i = 0; i < loop.call.rows; ++i) {
    if constexpr (std::is_same_v<From, double>) {
      result[i] = NarrowDouble<T>(in[i]);
    } else {
      result[i] = static_cast<T>(in[i]);
    }
  }
}

/// Fills T by convert(row, T&) over the active rows; where that is false the row has failed.
template <typename T, typename Convert>
void ConvertRows(const CastLoop& loop, Convert&& convert) {
  const int32_t rows = loop.call.rows;
  std::vector<uint64_t> valid(static_cast<size_t>(WordCount(rows)));
  if (rows != 0) std::memcpy(valid.data(), loop.call.active, valid.size() * 8);
  BufferBuilder& values = loop.out.raw_values();
  values.Resize(static_cast<size_t>(rows) * sizeof(T));
  T* result = values.as<T>();
  ForEachSetBit(loop.call.active, rows, [&](int32_t row) {
    T value{};
    if (!convert(row, value)) {
      loop.Fail(row);
      valid[static_cast<size_t>(row >> 6)] &= ~(uint64_t{1} << (row & 63));
      value = T{};
    }
    result[row] = value;
  });
  loop.out.validity().AppendBits(reinterpret_cast<const uint8_t*>(valid.data()), rows);
}

Int128 DecimalAt(const CastLoop& loop, int32_t row) {
  return ToInt128(Values<Decimal128>(loop)[row]);
}

template <typename T>
void DecimalToInteger(const CastLoop& loop) {
  const Int128 divisor = PowerOfTen(loop.in.type().scale());
  ConvertRows<T>(loop, [&](int32_t row, T& value) {
    value = static_cast<T>(DecimalAt(loop, row) / divisor);
    return true;
  });
}

void DecimalToDoubleLoop(const CastLoop& loop) {
  const int scale = loop.in.type().scale();
  ConvertRows<double>(loop, [&](int32_t row, double& value) {
    value = DecimalToDouble(DecimalAt(loop, row), scale);
    return true;
  });
}

/// Anything to DECIMAL by read(row, unscaled&), false where it does not fit.
template <typename Read>
void ToDecimal(const CastLoop& loop, Read&& read) {
  const int precision = loop.to.precision();
  ConvertRows<Decimal128>(loop, [&](int32_t row, Decimal128& value) {
    Int128 unscaled;
    if (!read(row, unscaled) || !FitsPrecision(unscaled, precision)) return false;
    value = ToDecimal128(unscaled);
    return true;
  });
}

template <typename From>
void IntegerToDecimal(const CastLoop& loop) {
  const From* in = Values<From>(loop);
  ToDecimal(loop, [&](int32_t row, Int128& value) {
    return RescaleDecimal(in[row], 0, loop.to.scale(), value);
  });
}

void DoubleToDecimalLoop(const CastLoop& loop) {
  ToDecimal(loop, [&](int32_t row, Int128& value) {
    return DoubleToDecimal(Values<double>(loop)[row], loop.to.precision(), loop.to.scale(), value);
  });
}

void DecimalToDecimal(const CastLoop& loop) {
  ToDecimal(loop, [&](int32_t row, Int128& value) {
    return RescaleDecimal(DecimalAt(loop, row), loop.in.type().scale(), loop.to.scale(), value);
  });
}

void StringToDecimal(const CastLoop& loop) {
  ToDecimal(loop, [&](int32_t row, Int128& value) {
    return ParseDecimal(loop.in.GetString(row), loop.to.precision(), loop.to.scale(), value) ==
           DecimalParse::kOk;
  });
}

template <typename T, bool (*kParse)(std::string_view, T&)>
void StringToFixed(const CastLoop& loop) {
  ConvertRows<T>(loop,
                 [&](int32_t row, T& value) { return kParse(loop.in.GetString(row), value); });
}

bool IsTrueText(std::string_view text) {
  if (text.size() != 4) return false;
  for (size_t i = 0; i < 4; ++i) {
    if ((text[i] | 0x20) != "true"[i]) return false;
  }
  return true;
}

void StringToBoolean(const CastLoop& loop) {
  uint64_t* words = loop.out.FillBits(loop.call.rows, loop.call.active);
  std::memset(words, 0, static_cast<size_t>(WordCount(loop.call.rows)) * 8);
  ForEachSetBit(loop.call.active, loop.call.rows, [&](int32_t row) {
    if (IsTrueText(loop.in.GetString(row))) words[row >> 6] |= uint64_t{1} << (row & 63);
  });
}

void TimestampToDate(const CastLoop& loop) {
  ConvertRows<int32_t>(loop, [&](int32_t row, int32_t& value) {
    value = static_cast<int32_t>(FloorDay(Values<int64_t>(loop)[row]));
    return true;
  });
}

void TimestampToTime(const CastLoop& loop) {
  ConvertRows<int32_t>(loop, [&](int32_t row, int32_t& value) {
    value = static_cast<int32_t>(MillisOfDay(Values<int64_t>(loop)[row]));
    return true;
  });
}

void DateToTimestamp(const CastLoop& loop) {
  ConvertRows<int64_t>(loop, [&](int32_t row, int64_t& value) {
    value = Values<int32_t>(loop)[row] * kMillisPerDay;
    return true;
  });
}

void AnyToString(const CastLoop& loop) {
  std::string text;
  for (int32_t row = 0; row < loop.call.rows; ++row) {
    if (!GetBit(loop.call.active, row)) {
      loop.out.AppendNull();
      continue;
    }
    text.clear();
    AppendCastText(loop.in, row, text);
    loop.out.AppendBytes(text);
  }
}

/// Numbers to text without going through a string of their own.
template <typename T, size_t (*kFormat)(T, char*)>
void NumberToString(const CastLoop& loop) {
  char text[kTimeTextMax];
  const T* in = Values<T>(loop);
  for (int32_t row = 0; row < loop.call.rows; ++row) {
    if (!GetBit(loop.call.active, row)) {
      loop.out.AppendNull();
      continue;
    }
    loop.out.AppendBytes({text, kFormat(in[row], text)});
  }
}

struct LoopChoice {
  LoopFunction function = nullptr;
  bool never_fails = false;
};

LoopChoice ChooseToString(TypeKind from) {
  switch (from) {
    case TypeKind::kBigint: return {&NumberToString<int64_t, &FormatInt64>, true};
    case TypeKind::kDouble: return {&NumberToString<double, &FormatJavaDouble>, true};
    case TypeKind::kDate: return {&NumberToString<int32_t, &FormatDate>, true};
    case TypeKind::kTime: return {&NumberToString<int32_t, &FormatTime>, true};
    case TypeKind::kTimestamp: return {&NumberToString<int64_t, &FormatTimestamp>, true};
    default: return {&AnyToString, true};
  }
}

LoopChoice ChooseFromString(TypeKind to) {
  switch (to) {
    case TypeKind::kBoolean: return {&StringToBoolean, true};
    case TypeKind::kInt: return {&StringToFixed<int32_t, &ParseInt32>, false};
    case TypeKind::kBigint: return {&StringToFixed<int64_t, &ParseInt64>, false};
    case TypeKind::kDouble: return {&StringToFixed<double, &ParseDouble>, false};
    case TypeKind::kDecimal: return {&StringToDecimal, false};
    case TypeKind::kDate: return {&StringToFixed<int32_t, &ParseDate>, false};
    case TypeKind::kTime: return {&StringToFixed<int32_t, &ParseTime>, false};
    case TypeKind::kTimestamp: return {&StringToFixed<int64_t, &ParseTimestamp>, false};
    default: return {};
  }
}

template <typename T>
LoopChoice ChooseToNumber(TypeKind from) {
  switch (from) {
    case TypeKind::kInt: return {&ConvertNumber<int32_t, T>, true};
    case TypeKind::kBigint: return {&ConvertNumber<int64_t, T>, true};
    case TypeKind::kDouble:
      if constexpr (std::is_same_v<T, double>)
        return {};
      else
        return {&ConvertNumber<double, T>, true};
    case TypeKind::kDecimal:
      if constexpr (std::is_same_v<T, double>)
        return {&DecimalToDoubleLoop, true};
      else
        return {&DecimalToInteger<T>, true};
    default: return {};
  }
}

LoopChoice ChooseToDecimal(const DataType& from, const DataType& to) {
  switch (from.kind()) {
    case TypeKind::kInt: return {&IntegerToDecimal<int32_t>, ImplicitCost(from, to) >= 0};
    case TypeKind::kBigint: return {&IntegerToDecimal<int64_t>, ImplicitCost(from, to) >= 0};
    case TypeKind::kDouble: return {&DoubleToDecimalLoop, false};
    case TypeKind::kDecimal: return {&DecimalToDecimal, ImplicitCost(from, to) >= 0};
    default: return {};
  }
}

LoopChoice ChooseLoop(const DataType& from, const DataType& to) {
  if (to.is(TypeKind::kString)) return ChooseToString(from.kind());
  if (from.is(TypeKind::kString)) return ChooseFromString(to.kind());
  switch (to.kind()) {
    case TypeKind::kInt: return ChooseToNumber<int32_t>(from.kind());
    case TypeKind::kBigint: return ChooseToNumber<int64_t>(from.kind());
    case TypeKind::kDouble: return ChooseToNumber<double>(from.kind());
    case TypeKind::kDecimal: return ChooseToDecimal(from, to);
    case TypeKind::kDate: return {&TimestampToDate, true};
    case TypeKind::kTime: return {&TimestampToTime, true};
    case TypeKind::kTimestamp: return {&DateToTimestamp, true};
    default: return {};
  }
}

class FlatCast final : public Cast {
 public:
  FlatCast(const DataType& to, LoopChoice loop) : to_(to), loop_(loop), out_(to) {}
  bool never_fails() const override { return loop_.never_fails; }
  ColumnPtr Run(const CastCall& call, const ColumnPtr& column) override {
    try {
      loop_.function({call, *column, to_, out_});
    } catch (...) {
      out_ = ColumnBuilder(to_);  // Half a column is in it.
      throw;
    }
    return out_.Finish();
  }

 private:
  DataType to_;
  LoopChoice loop_;
  ColumnBuilder out_;
};

BufferPtr CopyBits(const uint8_t* bits, int32_t rows) {
  ValidityBuilder validity;
  validity.AppendBits(bits, rows);
  return validity.Finish();
}

ColumnPtr RunOrShare(Cast* cast, const CastCall& call, const ColumnPtr& column) {
  return cast == nullptr ? Prefix(column, call.rows) : cast->Run(call, column);
}

/// ARRAY and MAP: the children are cast as a whole, elements of rows that do not count left out.
class CollectionCast final : public Cast {
 public:
  CollectionCast(const DataType& to, std::vector<std::unique_ptr<Cast>> children)
      : to_(to), children_(std::move(children)) {}
  bool never_fails() const override {
    for (const auto& child : children_) {
      if (child && !child->never_fails()) return false;
    }
    return true;
  }
  ColumnPtr Run(const CastCall& call, const ColumnPtr& column) override {
    const int32_t* offsets = column->offsets();
    const int32_t elements = offsets[call.rows];
    std::vector<int32_t> origin(static_cast<size_t>(elements));
    std::vector<uint64_t> counts(static_cast<size_t>(WordCount(elements)));
    uint8_t* count_bits = reinterpret_cast<uint8_t*>(counts.data());
    ForEachSetBit(call.active, call.rows, [&](int32_t row) {
      for (int32_t i = offsets[row]; i < offsets[row + 1]; ++i) {
        origin[static_cast<size_t>(i)] = call.origin == nullptr ? row : call.origin[row];
        SetBit(count_bits, i, true);
      }
    });
    Column::Parts parts = column->parts();
    parts.type = to_;
    parts.length = call.rows;
    parts.validity = CopyBits(call.active, call.rows);
    for (size_t c = 0; c < children_.size(); ++c) {
      std::vector<uint64_t> valid = counts;
      if (const uint8_t* nulls = parts.children[c]->validity(); nulls != nullptr) {
        for (size_t w = 0; w < valid.size(); ++w) {
          valid[w] &= LoadWord(nulls, static_cast<int32_t>(w));
        }
      }
      CastCall inner{elements, reinterpret_cast<const uint8_t*>(valid.data()), call.context,
                     origin.data()};
      parts.children[c] = RunOrShare(children_[c].get(), inner, parts.children[c]);
    }
    return MakeColumn(std::move(parts));
  }

 private:
  DataType to_;
  std::vector<std::unique_ptr<Cast>> children_;
};

/// STRUCT: field by field by name; a field that the source lacks is null.
class StructCast final : public Cast {
 public:
  struct FieldCast {
    int source = -1;
    std::unique_ptr<Cast> cast;  // Null where the types are equal.
  };
  StructCast(const DataType& to, std::vector<FieldCast> fields)
      : to_(to), fields_(std::move(fields)) {}
  bool never_fails() const override {
    for (const FieldCast& field : fields_) {
      if (field.cast && !field.cast->never_fails()) return false;
    }
    return true;
  }
  ColumnPtr Run(const CastCall& call, const ColumnPtr& column) override {
    Column::Parts parts;
    parts.type = to_;
    parts.length = call.rows;
    parts.validity = CopyBits(call.active, call.rows);
    for (size_t f = 0; f < fields_.size(); ++f) {
      if (fields_[f].source < 0) {
        parts.children.push_back(MakeNullColumn(to_.fields()[f].type, call.rows));
        continue;
      }
      const ColumnPtr& child = column->child(fields_[f].source);
      std::vector<uint64_t> valid(static_cast<size_t>(WordCount(call.rows)));
      for (size_t w = 0; w < valid.size(); ++w) {
        const int32_t word = static_cast<int32_t>(w);
        valid[w] = LoadWord(call.active, word);
        if (child->validity() != nullptr) valid[w] &= LoadWord(child->validity(), word);
      }
      CastCall inner = call;
      inner.active = reinterpret_cast<const uint8_t*>(valid.data());
      parts.children.push_back(RunOrShare(fields_[f].cast.get(), inner, child));
    }
    return MakeColumn(std::move(parts));
  }

 private:
  DataType to_;
  std::vector<FieldCast> fields_;
};

class NullCast final : public Cast {
 public:
  explicit NullCast(const DataType& to) : to_(to) {}
  bool never_fails() const override { return true; }
  ColumnPtr Run(const CastCall& call, const ColumnPtr&) override {
    return MakeNullColumn(to_, call.rows);
  }

 private:
  DataType to_;
};

/// A cast, or nothing where the types are equal. `from` can be cast to `to`.
std::unique_ptr<Cast> Build(const DataType& from, const DataType& to) {
  if (from == to) return nullptr;
  if (from.is(TypeKind::kNull)) return std::make_unique<NullCast>(to);
  if (to.is(TypeKind::kArray) || to.is(TypeKind::kMap)) {
    std::vector<std::unique_ptr<Cast>> children;
    if (to.is(TypeKind::kMap)) children.push_back(Build(from.key(), to.key()));
    children.push_back(Build(from.element(), to.element()));
    return std::make_unique<CollectionCast>(to, std::move(children));
  }
  if (to.is(TypeKind::kStruct)) {
    std::vector<StructCast::FieldCast> fields;
    for (const DataType::Field& field : to.fields()) {
      const int source = from.FieldIndex(field.name);
      fields.push_back({source, source < 0 ? nullptr
                                           : Build(from.fields()[static_cast<size_t>(source)].type,
                                                   field.type)});
    }
    return std::make_unique<StructCast>(to, std::move(fields));
  }
  return std::make_unique<FlatCast>(to, ChooseLoop(from, to));
}

}  // namespace

Result<std::unique_ptr<Cast>> CompileCast(const DataType& from, const DataType& to) {
  if (!CanCast(from, to)) {
    return Status(ErrorCode::kInvalidCast,
                  fmt::format("cast of {} to {} is not supported", from.ToString(), to.ToString()));
  }
  return Build(from, to);
}

}  // namespace weir
