// FILTER, TRANSFORM, REDUCE. The body of a lambda runs over the elements of all rows at once;
// REDUCE runs it once a step, over the rows that have that many elements.

#include <algorithm>

#include "base/interrupt.h"
#include "exec/functions/builtin_functions.h"
#include "exec/functions/scalar/kernel_rows_inl.h"

namespace weir {
namespace {

constexpr std::string_view kCategory = "Lambda";

/// The elements (or entries) of all active rows of a collection, one below the other.
struct Flattened {
  std::vector<ColumnPtr> columns;   // Elements; or keys and values.
  std::vector<int32_t> outer_rows;  // By element.
  std::vector<int32_t> begins;      // By row: its first element.
  std::vector<int32_t> ends;
};

Flattened Flatten(const KernelCall& call) {
  const Column& collection = *call.args[0];
  Flattened flat;
  flat.begins.resize(static_cast<size_t>(call.rows));
  flat.ends.resize(static_cast<size_t>(call.rows));
  std::vector<int32_t> positions;
  for (int32_t row = 0; row < call.rows; ++row) {
    flat.begins[row] = static_cast<int32_t>(positions.size());
    if (call.IsActive(row)) {
      for (int32_t i = collection.offsets()[row]; i < collection.offsets()[row + 1]; ++i) {
        positions.push_back(i);
        flat.outer_rows.push_back(row);
      }
    }
    flat.ends[row] = static_cast<int32_t>(positions.size());
  }
  for (const ColumnPtr& child : collection.parts().children) {
    const bool all = static_cast<int32_t>(positions.size()) == child->length();
    flat.columns.push_back(all ? child : Gather(*child, positions));
  }
  return flat;
}

/// Marks the outer rows for which a lambda failed.
void MarkFailed(const LambdaProgram& lambda, std::span<const int32_t> outer_rows,
                std::vector<bool>& failed) {
  for (const int32_t row : lambda.failed_rows()) failed[outer_rows[row]] = true;
}

void FilterKernel(const KernelCall& call, ColumnBuilder& out) {
  const Flattened flat = Flatten(call);
  LambdaProgram& lambda = *call.lambdas[1];
  const ColumnPtr keep = lambda.Run(flat.columns, flat.outer_rows);
  std::vector<bool> failed(static_cast<size_t>(call.rows));
  MarkFailed(lambda, flat.outer_rows, failed);
  ForActiveRows(call, out, [&](int32_t row) {
    if (failed[row]) return out.AppendNull();
    for (int32_t i = flat.begins[row]; i < flat.ends[row]; ++i) {
      if (keep->IsNull(i) || !keep->GetBool(i)) continue;
      for (size_t c = 0; c < flat.columns.size(); ++c) {
        out.child(static_cast<int>(c)).AppendFrom(*flat.columns[c], i);
      }
    }
    out.AppendNested();
  });
}

void TransformArrayKernel(const KernelCall& call, ColumnBuilder& out) {
  const Flattened flat = Flatten(call);
  LambdaProgram& lambda = *call.lambdas[1];
  const ColumnPtr results = lambda.Run(flat.columns, flat.outer_rows);
  std::vector<bool> failed(static_cast<size_t>(call.rows));
  MarkFailed(lambda, flat.outer_rows, failed);
  ForActiveRows(call, out, [&](int32_t row) {
    if (failed[row]) return out.AppendNull();
    for (int32_t i = flat.begins[row]; i < flat.ends[row]; ++i) {
      out.child(0).AppendFrom(*results, i);
    }
    out.AppendNested();
  });
}

/// Whether the keys of [begin, end) can be those of a map: none null, no two equal.
template <typename T>
bool AreMapKeys(const Column& keys, int32_t begin, int32_t end, DistinctIndex& index) {
  index.Clear();
  for (int32_t i = begin; i < end; ++i) {
    if (keys.IsNull(i)) return false;
    const uint64_t hash = HashCell<T>(ReadCell<T>(keys, i));
    const int32_t found = index.Find(
        hash, i - begin,
        [&](int32_t at) {
          return CellsEqual<T>(ReadCell<T>(keys, begin + at), ReadCell<T>(keys, i));
        },
        [&](int32_t at) { return HashCell<T>(ReadCell<T>(keys, begin + at)); });
    if (found >= 0) return false;
    index.Added(hash, i - begin);
  }
  return true;
}

void TransformMapKernel(const KernelCall& call, ColumnBuilder& out) {
  const Flattened flat = Flatten(call);
  std::vector<bool> failed(static_cast<size_t>(call.rows));
  const ColumnPtr keys = call.lambdas[1]->Run(flat.columns, flat.outer_rows);
  MarkFailed(*call.lambdas[1], flat.outer_rows, failed);
  const ColumnPtr values = call.lambdas[2]->Run(flat.columns, flat.outer_rows);
  MarkFailed(*call.lambdas[2], flat.outer_rows, failed);
  DistinctIndex index;
  VisitCellType(keys->type(), [&](auto cell) {
    using T = decltype(cell);
    ForActiveRows(call, out, [&](int32_t row) {
      if (failed[row]) return out.AppendNull();
      if (!AreMapKeys<T>(*keys, flat.begins[row], flat.ends[row], index)) {
        call.Error(row, "the keys that TRANSFORM makes are null or not different");
        return out.AppendNull();
      }
      for (int32_t i = flat.begins[row]; i < flat.ends[row]; ++i) {
        out.child(0).AppendFrom(*keys, i);
        out.child(1).AppendFrom(*values, i);
      }
      out.AppendNested();
    });
  });
}

/// Where the state of a row is: position in a column.
struct StatePlace {
  const Column* column = nullptr;
  int32_t position = 0;
};

/// A null collection leaves the initial state; a null initial state gives null.
void ReduceKernel(const KernelCall& call, ColumnBuilder& out) {
  const Column& collection = *call.args[0];
  const Column& initial = *call.args[1];
  LambdaProgram& lambda = *call.lambdas[2];
  const auto rows = static_cast<size_t>(call.rows);
  std::vector<StatePlace> states(rows);
  std::vector<bool> failed(rows);
  std::vector<int32_t> alive;  // Rows that have a further element.
  for (int32_t row = 0; row < call.rows; ++row) {
    states[row] = {&initial, row};
    if (call.IsActive(row) && !initial.IsNull(row) && !collection.IsNull(row) &&
        collection.offsets()[row + 1] > collection.offsets()[row]) {
      alive.push_back(row);
    }
  }
  ColumnPtr last;                   // Of the latest step…
  std::vector<ColumnPtr> finished;  // …and the states of rows that have no further element.
  std::vector<int32_t> positions;
  for (int32_t step = 0; !alive.empty(); ++step) {
    CheckInterrupt();
    std::vector<ColumnPtr> parameters;
    positions.clear();
    for (const int32_t row : alive) positions.push_back(states[row].position);
    // All rows alive have their state in one column: the initial one, or the last step's.
    parameters.push_back(Gather(*states[alive[0]].column, positions));
    positions.clear();
    for (const int32_t row : alive) positions.push_back(collection.offsets()[row] + step);
    for (const ColumnPtr& child : collection.parts().children) {
      parameters.push_back(Gather(*child, positions));
    }
    last = lambda.Run(parameters, alive);
    MarkFailed(lambda, alive, failed);
    size_t kept = 0;
    std::vector<int32_t> done;
    positions.clear();
    for (size_t i = 0; i < alive.size(); ++i) {
      const int32_t row = alive[i];
      states[row] = {last.get(), static_cast<int32_t>(i)};
      if (!failed[row] && collection.offsets()[row] + step + 1 < collection.offsets()[row + 1]) {
        alive[kept++] = row;
      } else {
        done.push_back(row);
        positions.push_back(static_cast<int32_t>(i));
      }
    }
    alive.resize(kept);
    if (done.empty()) continue;
    finished.push_back(alive.empty() ? last : Gather(*last, positions));
    for (size_t i = 0; i < done.size(); ++i) {
      states[done[i]] = {finished.back().get(),
                         alive.empty() ? positions[i] : static_cast<int32_t>(i)};
    }
  }
  for (int32_t row = 0; row < call.rows; ++row) {
    if (!call.IsActive(row) || failed[row] || states[row].column->IsNull(states[row].position)) {
      out.AppendNull();
    } else {
      out.AppendFrom(*states[row].column, states[row].position);
    }
  }
}

constexpr FunctionRowOf Row{kCategory};

constexpr std::string_view kFilterText =
    "Keeps the elements, or entries, for which a lambda is true.";
constexpr std::string_view kTransformText =
    "Turns each element by a lambda; of a map the keys by one and the values by another.";
constexpr std::string_view kReduceText =
    "Folds a collection from an initial state: the lambda gives the next state.";

constexpr FunctionRow kLambdaFunctions[] = {
    Row("FILTER", "(ARRAY<T>, (T) => BOOLEAN) -> ARRAY<T>", &FilterKernel, kFilterText,
        "FILTER(ARRAY[1, 2, 3], x => x > 1) = ARRAY[2, 3]"),
    Row("FILTER", "(MAP<K, V>, (K, V) => BOOLEAN) -> MAP<K, V>", &FilterKernel, kFilterText,
        "FILTER(MAP('a' := 1, 'b' := 2), (k, v) => v > 1)['b'] = 2"),
    Row("TRANSFORM", "(ARRAY<T>, (T) => R) -> ARRAY<R>", &TransformArrayKernel, kTransformText,
        "TRANSFORM(ARRAY[1, 2], x => x + 5) = ARRAY[6, 7]"),
    Row("TRANSFORM", "(MAP<K, V>, (K, V) => R, (K, V) => T) -> MAP<R, T>", &TransformMapKernel,
        kTransformText, "TRANSFORM(MAP('a' := 1), (k, v) => UCASE(k), (k, v) => v + 1)['A'] = 2"),
    Row("REDUCE", "(ARRAY<T>, S, (S, T) => S) -> S", &ReduceKernel, kReduceText,
        "REDUCE(ARRAY[1, 2, 3], 10, (s, x) => s + x) = 16", Nulls::kHandle),
    Row("REDUCE", "(MAP<K, V>, S, (S, K, V) => S) -> S", &ReduceKernel, kReduceText,
        "REDUCE(MAP('a' := 1, 'b' := 2), 10, (s, k, v) => s + v) = 13", Nulls::kHandle),
};

}  // namespace

std::span<const FunctionRow> LambdaFunctions() { return kLambdaFunctions; }

}  // namespace weir
