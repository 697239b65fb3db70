// Functions that choose among their arguments: COALESCE, IFNULL, NULLIF, AS_VALUE, GREATEST, LEAST.

#include "base/decimal.h"
#include "exec/functions/builtin_functions.h"
#include "exec/functions/scalar/kernel_rows_inl.h"

namespace weir {
namespace {

constexpr std::string_view kCategory = "Conditional";

void CoalesceKernel(const KernelCall& call, ColumnBuilder& out) {
  VisitCellType(*call.return_type, [&](auto cell) {
    using T = decltype(cell);
    for (int32_t row = 0; row < call.rows; ++row) {
      const Column* found = nullptr;
      for (const ColumnPtr& arg : call.args) {
        if (arg->IsNull(row)) continue;
        found = arg.get();
        break;
      }
      if (found == nullptr) {
        out.AppendNull();
      } else if constexpr (kIsNested<T>) {
        out.AppendFrom(*found, row);
      } else {
        AppendCell<T>(ReadCell<T>(*found, row), out);
      }
    }
  });
}

void NullIfKernel(const KernelCall& call, ColumnBuilder& out) {
  const Column& value = *call.args[0];
  const Column& other = *call.args[1];
  VisitCellType(value.type(), [&](auto cell) {
    using T = decltype(cell);
    for (int32_t row = 0; row < call.rows; ++row) {
      const bool equal = !value.IsNull(row) && !other.IsNull(row) &&
                         CellsEqual<T>(ReadCell<T>(value, row), ReadCell<T>(other, row));
      if (equal || value.IsNull(row)) {
        out.AppendNull();
      } else if constexpr (kIsNested<T>) {
        out.AppendFrom(value, row);
      } else {
        AppendCell<T>(ReadCell<T>(value, row), out);
      }
    }
  });
}

/// GREATEST and LEAST of one type; nulls do not take part.
template <typename T, bool kGreatest, bool kText = false>
void ExtremeKernel(const KernelCall& call, ColumnBuilder& out) {
  for (int32_t row = 0; row < call.rows; ++row) {
    const Column* best = nullptr;
    for (const ColumnPtr& arg : call.args) {
      if (arg->IsNull(row)) continue;
      if (best == nullptr) {
        best = arg.get();
        continue;
      }
      const CellView<T> candidate = ReadCell<T>(*arg, row);
      const CellView<T> current = ReadCell<T>(*best, row);
      if (kGreatest ? CellLess<T>(current, candidate, kText)
                    : CellLess<T>(candidate, current, kText)) {
        best = arg.get();
      }
    }
    if (best == nullptr) {
      out.AppendNull();
    } else {
      AppendCell<T>(ReadCell<T>(*best, row), out);
    }
  }
}

template <bool kGreatest>
void ExtremeDecimalKernel(const KernelCall& call, ColumnBuilder& out) {
  const int scale = call.return_type->scale();
  for (int32_t row = 0; row < call.rows; ++row) {
    bool found = false;
    Int128 best = 0;
    for (const ColumnPtr& arg : call.args) {
      Int128 value;
      if (arg->IsNull(row) || !arg->type().is(TypeKind::kDecimal) ||
          !RescaleDecimal(ReadCell<Int128>(*arg, row), arg->type().scale(), scale, value)) {
        continue;
      }
      if (!found || (kGreatest ? value > best : value < best)) best = value;
      found = true;
    }
    if (found) {
      out.AppendDecimal(best);
    } else {
      out.AppendNull();
    }
  }
}

/// The DECIMAL that holds every argument.
Result<DataType> WidestDecimal(std::span<const DataType> args) {
  int whole = 0;
  int scale = 0;
  for (const DataType& type : args) {
    if (!type.is(TypeKind::kDecimal)) continue;
    whole = std::max(whole, type.precision() - type.scale());
    scale = std::max(scale, type.scale());
  }
  const int precision = std::max(whole + scale, 1);
  if (precision > 38) {
    return Status(ErrorCode::kTypeMismatch,
                  "these DECIMAL arguments have no common type of at most 38 digits");
  }
  return DataType::Decimal(precision, scale);
}

template <bool kGreatest>
constexpr FunctionRow ExtremeRow(std::string_view signature, Kernel kernel,
                                 ResultType result_type = nullptr) {
  return {.name = kGreatest ? "GREATEST" : "LEAST",
          .signature = signature,
          .nulls = Nulls::kHandle,
          .kernel = kernel,
          .result_type = result_type,
          .category = kCategory,
          .text = kGreatest ? "Gives the largest argument that is not null."
                            : "Gives the smallest argument that is not null.",
          .example = kGreatest ? "GREATEST(3, 1, 2) = 3" : "LEAST(3, 1, 2) = 1"};
}

#define WEIR_EXTREME_ROWS(g)                                                                       \
  ExtremeRow<g>("(INT, INT...) -> INT", &ExtremeKernel<int32_t, g>),                               \
      ExtremeRow<g>("(BIGINT, BIGINT...) -> BIGINT", &ExtremeKernel<int64_t, g>),                  \
      ExtremeRow<g>("(DECIMAL, DECIMAL...) -> DECIMAL", &ExtremeDecimalKernel<g>, &WidestDecimal), \
      ExtremeRow<g>("(DOUBLE, DOUBLE...) -> DOUBLE", &ExtremeKernel<double, g>),                   \
      ExtremeRow<g>("(STRING, STRING...) -> STRING", &ExtremeKernel<std::string, g, true>),        \
      ExtremeRow<g>("(BYTES, BYTES...) -> BYTES", &ExtremeKernel<std::string, g>),                 \
      ExtremeRow<g>("(DATE, DATE...) -> DATE", &ExtremeKernel<int32_t, g>),                        \
      ExtremeRow<g>("(TIME, TIME...) -> TIME", &ExtremeKernel<int32_t, g>),                        \
      ExtremeRow<g>("(TIMESTAMP, TIMESTAMP...) -> TIMESTAMP", &ExtremeKernel<int64_t, g>)

constexpr FunctionRow kConditionalFunctions[] = {
    {.name = "COALESCE",
     .signature = "(T, T...) -> T",
     .nulls = Nulls::kHandle,
     .kernel = &CoalesceKernel,
     .category = kCategory,
     .text = "Gives the first argument that is not null.",
     .example = "COALESCE(CAST(NULL AS STRING), 'a', 'b') = 'a'"},
    {.name = "IFNULL",
     .signature = "(T, T) -> T",
     .nulls = Nulls::kHandle,
     .kernel = &CoalesceKernel,
     .category = kCategory,
     .text = "Gives the first argument, or the second where the first is null.",
     .example = "IFNULL(CAST(NULL AS INT), 7) = 7"},
    {.name = "NULLIF",
     .signature = "(T, T) -> T",
     .nulls = Nulls::kHandle,
     .kernel = &NullIfKernel,
     .category = kCategory,
     .text = "Gives null where both arguments are equal, else the first.",
     .example = "NULLIF('a', 'b') = 'a'"},
    {.name = "AS_VALUE",
     .signature = "(T) -> T",
     .nulls = Nulls::kHandle,
     .kernel = &CoalesceKernel,
     .category = kCategory,
     .text = "Copies a key column into the record's value.",
     .example = "AS_VALUE(5) = 5"},
    WEIR_EXTREME_ROWS(true),
    WEIR_EXTREME_ROWS(false),
};
#undef WEIR_EXTREME_ROWS

}  // namespace

std::span<const FunctionRow> ConditionalFunctions() { return kConditionalFunctions; }

}  // namespace weir
