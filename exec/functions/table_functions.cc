// Table functions: EXPLODE and CUBE_EXPLODE.

#include "exec/functions/builtin_functions.h"
#include "exec/functions/scalar/kernel_rows_inl.h"

namespace weir {
namespace {

void ExplodeKernel(const KernelCall& call, std::vector<int32_t>& counts, ColumnBuilder& out) {
  const Column& lists = *call.args[0];
  for (int32_t row = 0; row < call.rows; ++row) {
    const bool empty = !call.IsActive(row) || lists.IsNull(row);
    const int32_t begin = empty ? 0 : lists.offsets()[row];
    const int32_t end = empty ? 0 : lists.offsets()[row + 1];
    for (int32_t i = begin; i < end; ++i) out.AppendFrom(*lists.child(0), i);
    counts.push_back(end - begin);
  }
}

/// 2^16 rows from one are more than anyone can have meant.
constexpr size_t kCubeColumnsMax = 16;

/// One row a subset of the elements, the others null: the first element changes slowest, null
/// before the value. An element that is null has no row of its own.
void CubeKernel(const KernelCall& call, std::vector<int32_t>& counts, ColumnBuilder& out) {
  const Column& lists = *call.args[0];
  const Column& elements = *lists.child(0);
  std::vector<int32_t> present;
  for (int32_t row = 0; row < call.rows; ++row) {
    if (!call.IsActive(row) || lists.IsNull(row)) {
      counts.push_back(0);
      continue;
    }
    const int32_t begin = lists.offsets()[row];
    const int32_t end = lists.offsets()[row + 1];
    present.clear();
    for (int32_t i = begin; i < end; ++i) {
      if (!elements.IsNull(i)) present.push_back(i);
    }
    if (present.size() > kCubeColumnsMax) {
      call.Error(row, "CUBE_EXPLODE takes at most 16 values that are not null");
      counts.push_back(0);
      continue;
    }
    const uint32_t subsets = 1u << present.size();
    for (uint32_t subset = 0; subset < subsets; ++subset) {
      size_t bit = present.size();
      for (int32_t i = begin; i < end; ++i) {
        const bool taken = !elements.IsNull(i) && ((subset >> --bit) & 1) != 0;
        if (taken) {
          out.child(0).AppendFrom(elements, i);
        } else {
          out.child(0).AppendNull();
        }
      }
      out.AppendNested();
    }
    counts.push_back(static_cast<int32_t>(subsets));
  }
}

constexpr TableFunctionRow kTableFunctions[] = {
    {.name = "EXPLODE",
     .signature = "(ARRAY<T>) -> T",
     .kernel = &ExplodeKernel,
     .text = "Makes one row of each element of an array.",
     .example = "SELECT EXPLODE(ARRAY[1, 2]) FROM s EMIT CHANGES"},
    {.name = "CUBE_EXPLODE",
     .signature = "(ARRAY<T>) -> ARRAY<T>",
     .kernel = &CubeKernel,
     .text = "Makes one row of each subset of the values in an array, the others being null.",
     .example = "SELECT CUBE_EXPLODE(ARRAY[a, b]) FROM s EMIT CHANGES"},
};

}  // namespace

std::span<const TableFunctionRow> TableFunctions() { return kTableFunctions; }

}  // namespace weir
