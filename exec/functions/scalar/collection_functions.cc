// Functions over ARRAY and MAP. Elements are compared where they lie, in the child column; results
// are built from positions in it.

#include <algorithm>
#include <optional>

#include "base/limits.h"
#include "exec/functions/builtin_functions.h"
#include "exec/functions/scalar/kernel_rows_inl.h"

namespace weir {
namespace {

constexpr std::string_view kCategory = "Collection";

/// The elements of one row: positions [begin, end) of the child.
struct Range {
  int32_t begin;
  int32_t end;
  int32_t size() const { return end - begin; }
};

Range RangeOf(const Column& lists, int32_t row) {
  return {lists.offsets()[row], lists.offsets()[row + 1]};
}

void AppendElements(const Column& elements, Range range, ColumnBuilder& out) {
  for (int32_t i = range.begin; i < range.end; ++i) out.AppendFrom(elements, i);
}

/// Whether two elements, of columns of one type, are equal; null equals null.
template <typename T>
bool SameElement(const Column& a, int32_t i, const Column& b, int32_t j) {
  if (a.IsNull(i) || b.IsNull(j)) return a.IsNull(i) && b.IsNull(j);
  return CellsEqual<T>(ReadCell<T>(a, i), ReadCell<T>(b, j));
}

template <typename T>
uint64_t HashElement(const Column& column, int32_t i) {
  return column.IsNull(i) ? 0x7f4a7c15 : HashCell<T>(ReadCell<T>(column, i));
}

/// Different elements, from one or two columns, in the order they came.
template <typename T>
class DistinctElements {
 public:
  void Clear() {
    found_.clear();
    index_.Clear();
  }
  bool Contains(const Column& column, int32_t i) {
    return index_.Find(
               HashElement<T>(column, i), static_cast<int32_t>(found_.size()),
               [&](int32_t at) {
                 return SameElement<T>(*found_[at].first, found_[at].second, column, i);
               },
               [&](int32_t at) { return HashElement<T>(*found_[at].first, found_[at].second); }) >=
           0;
  }
  /// False if it was there already.
  bool Insert(const Column& column, int32_t i) {
    if (Contains(column, i)) return false;
    found_.emplace_back(&column, i);
    index_.Added(HashElement<T>(column, i), static_cast<int32_t>(found_.size()) - 1);
    return true;
  }

 private:
  std::vector<std::pair<const Column*, int32_t>> found_;
  DistinctIndex index_;
};

// --- Whole arrays.

void ArrayLengthKernel(const KernelCall& call, ColumnBuilder& out) {
  ForActiveRows(call, out,
                [&](int32_t row) { out.AppendInt32(RangeOf(*call.args[0], row).size()); });
}

void ArrayConcatKernel(const KernelCall& call, ColumnBuilder& out) {
  for (int32_t row = 0; row < call.rows; ++row) {
    if (call.args[0]->IsNull(row) && call.args[1]->IsNull(row)) {
      out.AppendNull();
      continue;
    }
    for (const ColumnPtr& arg : call.args) {
      if (!arg->IsNull(row)) AppendElements(*arg->child(0), RangeOf(*arg, row), out.child(0));
    }
    out.AppendNested();
  }
}

void ArrayContainsKernel(const KernelCall& call, ColumnBuilder& out) {
  const Column& lists = *call.args[0];
  const Column& values = *call.args[1];
  VisitCellType(values.type(), [&](auto cell) {
    using T = decltype(cell);
    for (int32_t row = 0; row < call.rows; ++row) {
      bool found = false;
      if (!lists.IsNull(row)) {
        const Range range = RangeOf(lists, row);
        for (int32_t i = range.begin; i < range.end && !found; ++i) {
          found = SameElement<T>(*lists.child(0), i, values, row);
        }
      }
      out.AppendBool(found);
    }
  });
}

void ArrayRemoveKernel(const KernelCall& call, ColumnBuilder& out) {
  const Column& lists = *call.args[0];
  const Column& values = *call.args[1];
  VisitCellType(values.type(), [&](auto cell) {
    using T = decltype(cell);
    for (int32_t row = 0; row < call.rows; ++row) {
      if (lists.IsNull(row)) {
        out.AppendNull();
        continue;
      }
      const Range range = RangeOf(lists, row);
      for (int32_t i = range.begin; i < range.end; ++i) {
        if (!SameElement<T>(*lists.child(0), i, values, row)) {
          out.child(0).AppendFrom(*lists.child(0), i);
        }
      }
      out.AppendNested();
    }
  });
}

/// Which elements of the left array stay.
enum class SetOperation : uint8_t { kDistinct, kExcept, kIntersect, kUnion };

template <SetOperation kOperation>
void SetKernel(const KernelCall& call, ColumnBuilder& out) {
  const Column& left = *call.args[0];
  const Column& left_elements = *left.child(0);
  VisitCellType(left_elements.type(), [&](auto cell) {
    using T = decltype(cell);
    DistinctElements<T> taken;
    DistinctElements<T> right_elements;
    ForActiveRows(call, out, [&](int32_t row) {
      taken.Clear();
      const Range range = RangeOf(left, row);
      if constexpr (kOperation == SetOperation::kExcept || kOperation == SetOperation::kIntersect) {
        right_elements.Clear();
        const Range right = RangeOf(*call.args[1], row);
        for (int32_t i = right.begin; i < right.end; ++i) {
          right_elements.Insert(*call.args[1]->child(0), i);
        }
      }
      for (int32_t i = range.begin; i < range.end; ++i) {
        if (kOperation == SetOperation::kExcept && right_elements.Contains(left_elements, i)) {
          continue;
        }
        if (kOperation == SetOperation::kIntersect && !right_elements.Contains(left_elements, i)) {
          continue;
        }
        if (taken.Insert(left_elements, i)) out.child(0).AppendFrom(left_elements, i);
      }
      if constexpr (kOperation == SetOperation::kUnion) {
        const Range right = RangeOf(*call.args[1], row);
        for (int32_t i = right.begin; i < right.end; ++i) {
          if (taken.Insert(*call.args[1]->child(0), i)) {
            out.child(0).AppendFrom(*call.args[1]->child(0), i);
          }
        }
      }
      out.AppendNested();
    });
  });
}

void ArrayJoinKernel(const KernelCall& call, ColumnBuilder& out) {
  const Column& lists = *call.args[0];
  const Column& elements = *lists.child(0);
  std::string scratch;
  for (int32_t row = 0; row < call.rows; ++row) {
    if (lists.IsNull(row)) {
      out.AppendNull();
      continue;
    }
    std::string_view delimiter = ",";
    if (call.args.size() > 1) {
      delimiter = call.args[1]->IsNull(row) ? "" : call.args[1]->GetString(row);
    }
    scratch.clear();
    const Range range = RangeOf(lists, row);
    for (int32_t i = range.begin; i < range.end; ++i) {
      if (i > range.begin) scratch.append(delimiter);
      scratch.append(elements.ToText(i));
      if (scratch.size() > limits::kMadeValueBytesMax) break;
    }
    if (scratch.size() <= limits::kMadeValueBytesMax) {
      out.AppendBytes(scratch);
      continue;
    }
    if (call.IsActive(row)) IsTooLong(call, row, scratch.size());
    out.AppendNull();
  }
}

/// ARRAY_MIN, ARRAY_MAX.
template <bool kMax>
void ArrayExtremeKernel(const KernelCall& call, ColumnBuilder& out) {
  const Column& lists = *call.args[0];
  const Column& elements = *lists.child(0);
  const bool text = elements.type().is(TypeKind::kString);
  VisitCellType(elements.type(), [&](auto cell) {
    using T = decltype(cell);
    ForActiveRows(call, out, [&](int32_t row) {
      const Range range = RangeOf(lists, row);
      int32_t best = -1;
      for (int32_t i = range.begin; i < range.end; ++i) {
        if (elements.IsNull(i)) continue;
        const bool better =
            best < 0 ||
            (kMax ? CellLess<T>(ReadCell<T>(elements, best), ReadCell<T>(elements, i), text)
                  : CellLess<T>(ReadCell<T>(elements, i), ReadCell<T>(elements, best), text));
        if (better) best = i;
      }
      if (best < 0) {
        out.AppendNull();
      } else {
        out.AppendFrom(elements, best);
      }
    });
  });
}

/// Whether a direction word means descending; nothing for other words.
std::optional<bool> IsDescending(std::string_view word) {
  std::string lower(word);
  for (char& c : lower) c = static_cast<char>(c | 0x20);
  if (lower == "asc" || lower == "ascending") return false;
  if (lower == "desc" || lower == "descending") return true;
  return std::nullopt;
}

void ArraySortKernel(const KernelCall& call, ColumnBuilder& out) {
  const Column& lists = *call.args[0];
  const Column& elements = *lists.child(0);
  const bool text = elements.type().is(TypeKind::kString);
  std::vector<int32_t> order;
  VisitCellType(elements.type(), [&](auto cell) {
    using T = decltype(cell);
    ForActiveRows(call, out, [&](int32_t row) {
      const auto descending =
          call.args.size() > 1 ? IsDescending(call.args[1]->GetString(row)) : false;
      if (!descending) return out.AppendNull();
      const Range range = RangeOf(lists, row);
      order.clear();
      for (int32_t i = range.begin; i < range.end; ++i) order.push_back(i);
      std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
        if (elements.IsNull(a) || elements.IsNull(b)) {
          return !elements.IsNull(a) && elements.IsNull(b);  // Nulls last, either way.
        }
        if (*descending) std::swap(a, b);
        return CellLess<T>(ReadCell<T>(elements, a), ReadCell<T>(elements, b), text);
      });
      for (const int32_t i : order) out.child(0).AppendFrom(elements, i);
      out.AppendNested();
    });
  });
}

void SliceKernel(const KernelCall& call, ColumnBuilder& out) {
  const Column& lists = *call.args[0];
  for (int32_t row = 0; row < call.rows; ++row) {
    if (lists.IsNull(row)) {
      out.AppendNull();
      continue;
    }
    const Range range = RangeOf(lists, row);
    // Both ends count from 1 and belong to the slice; a null end is that of the array.
    const int64_t from = call.args[1]->IsNull(row) ? 0 : int64_t{GetInt(*call.args[1], row)} - 1;
    const int64_t to = call.args[2]->IsNull(row) ? range.size() : GetInt(*call.args[2], row);
    if (from < 0 || to > range.size() || from > to) {
      out.AppendNull();
      continue;
    }
    AppendElements(
        *lists.child(0),
        {range.begin + static_cast<int32_t>(from), range.begin + static_cast<int32_t>(to)},
        out.child(0));
    out.AppendNested();
  }
}

template <typename T>
void GenerateSeriesKernel(const KernelCall& call, ColumnBuilder& out) {
  constexpr int64_t kElementsMax = limits::kRecordBytesMax / sizeof(T);
  ForActiveRows(call, out, [&](int32_t row) {
    const Int128 start = ReadCell<T>(*call.args[0], row);
    const Int128 end = ReadCell<T>(*call.args[1], row);
    Int128 step = end >= start ? 1 : -1;
    if (call.args.size() > 2) step = GetInt(*call.args[2], row);
    if (step == 0 || (end > start && step < 0) || (end < start && step > 0)) {
      call.Error(row, "the step of GENERATE_SERIES does not lead from its start to its end");
      return out.AppendNull();
    }
    if ((end - start) / step >= kElementsMax) {
      call.Error(row, "GENERATE_SERIES would be larger than a record may be");
      return out.AppendNull();
    }
    for (Int128 value = start; step > 0 ? value <= end : value >= end; value += step) {
      AppendCell<T>(static_cast<T>(value), out.child(0));
    }
    out.AppendNested();
  });
}

void EltKernel(const KernelCall& call, ColumnBuilder& out) {
  for (int32_t row = 0; row < call.rows; ++row) {
    const int64_t n = call.args[0]->IsNull(row) ? 0 : GetInt(*call.args[0], row);
    if (n < 1 || n >= static_cast<int64_t>(call.args.size()) ||
        call.args[static_cast<size_t>(n)]->IsNull(row)) {
      out.AppendNull();
    } else {
      out.AppendBytes(call.args[static_cast<size_t>(n)]->GetString(row));
    }
  }
}

void FieldKernel(const KernelCall& call, ColumnBuilder& out) {
  for (int32_t row = 0; row < call.rows; ++row) {
    int32_t found = 0;
    for (size_t i = 1; i < call.args.size() && found == 0 && !call.args[0]->IsNull(row); ++i) {
      if (!call.args[i]->IsNull(row) &&
          call.args[i]->GetString(row) == call.args[0]->GetString(row)) {
        found = static_cast<int32_t>(i);
      }
    }
    out.AppendInt32(found);
  }
}

// --- Maps.

/// Entries of a map being built: the last of equal keys counts, at the place of the first.
class MapEntries {
 public:
  struct Entry {
    std::string_view key;
    const Column* values;
    int32_t position;
  };
  void Clear() {
    entries_.clear();
    index_.Clear();
  }
  void Put(std::string_view key, const Column& values, int32_t position) {
    const uint64_t hash = HashBytes(key);
    const int32_t same = index_.Find(
        hash, static_cast<int32_t>(entries_.size()),
        [&](int32_t at) { return entries_[at].key == key; },
        [&](int32_t at) { return HashBytes(entries_[at].key); });
    if (same >= 0) {
      entries_[same] = {key, &values, position};
      return;
    }
    entries_.push_back({key, &values, position});
    index_.Added(hash, static_cast<int32_t>(entries_.size()) - 1);
  }
  void AppendTo(ColumnBuilder& out) const {
    for (const Entry& entry : entries_) {
      out.child(0).AppendBytes(entry.key);
      out.child(1).AppendFrom(*entry.values, entry.position);
    }
    out.AppendNested();
  }

 private:
  std::vector<Entry> entries_;
  DistinctIndex index_;
};

void AsMapKernel(const KernelCall& call, ColumnBuilder& out) {
  const Column& keys = *call.args[0];
  const Column& values = *call.args[1];
  MapEntries entries;
  ForActiveRows(call, out, [&](int32_t row) {
    const Range key_range = RangeOf(keys, row);
    const Range value_range = RangeOf(values, row);
    entries.Clear();
    for (int32_t i = 0; i < std::min(key_range.size(), value_range.size()); ++i) {
      if (keys.child(0)->IsNull(key_range.begin + i)) continue;
      entries.Put(keys.child(0)->GetString(key_range.begin + i), *values.child(0),
                  value_range.begin + i);
    }
    entries.AppendTo(out);
  });
}

void MapUnionKernel(const KernelCall& call, ColumnBuilder& out) {
  MapEntries entries;
  for (int32_t row = 0; row < call.rows; ++row) {
    if (call.args[0]->IsNull(row) && call.args[1]->IsNull(row)) {
      out.AppendNull();
      continue;
    }
    entries.Clear();
    for (const ColumnPtr& arg : call.args) {
      if (arg->IsNull(row)) continue;
      const Range range = RangeOf(*arg, row);
      for (int32_t i = range.begin; i < range.end; ++i) {
        entries.Put(arg->child(0)->GetString(i), *arg->child(1), i);
      }
    }
    entries.AppendTo(out);
  }
}

/// MAP_KEYS (0) and MAP_VALUES (1).
template <int kChild>
void MapPartKernel(const KernelCall& call, ColumnBuilder& out) {
  const Column& maps = *call.args[0];
  ForActiveRows(call, out, [&](int32_t row) {
    AppendElements(*maps.child(kChild), RangeOf(maps, row), out.child(0));
    out.AppendNested();
  });
}

void EntriesKernel(const KernelCall& call, ColumnBuilder& out) {
  const Column& maps = *call.args[0];
  const Column& keys = *maps.child(0);
  std::vector<int32_t> order;
  ForActiveRows(call, out, [&](int32_t row) {
    const Range range = RangeOf(maps, row);
    order.clear();
    for (int32_t i = range.begin; i < range.end; ++i) order.push_back(i);
    if (call.args[1]->GetBool(row)) {
      std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
        return CompareUtf16(keys.GetString(a), keys.GetString(b)) < 0;
      });
    }
    ColumnBuilder& structs = out.child(0);
    for (const int32_t i : order) {
      structs.child(0).AppendFrom(keys, i);
      structs.child(1).AppendFrom(*maps.child(1), i);
      structs.AppendNested();
    }
    out.AppendNested();
  });
}

constexpr FunctionRowOf Row{kCategory};

constexpr std::string_view kJoinText =
    "Joins the elements as text, with a delimiter between them (a comma unless given).";
constexpr std::string_view kSortText =
    "Sorts the elements, ascending or as ASC or DESC says; nulls come last.";
constexpr std::string_view kSeriesText =
    "Makes the array of all numbers from the first to the second, by a step.";
constexpr std::string_view kEntriesText =
    "Turns a map into an array of structs (K, V), sorted by key where TRUE.";
constexpr std::string_view kEntriesExample = "ENTRIES(MAP('b' := 1, 'a' := 2), TRUE)[1]->K = 'a'";

constexpr FunctionRow kCollectionFunctions[] = {
    Row("ARRAY_CONCAT", "(ARRAY<T>, ARRAY<T>) -> ARRAY<T>", &ArrayConcatKernel,
        "Joins two arrays; a null one counts as absent.",
        "ARRAY_CONCAT(ARRAY[1], ARRAY[2]) = ARRAY[1, 2]", Nulls::kHandle),
    Row("ARRAY_CONTAINS", "(ARRAY<T>, T) -> BOOLEAN", &ArrayContainsKernel,
        "Says whether a value is in an array.", "ARRAY_CONTAINS(ARRAY[1, 2], 2) = TRUE",
        Nulls::kHandle),
    Row("ARRAY_DISTINCT", "(ARRAY<T>) -> ARRAY<T>", &SetKernel<SetOperation::kDistinct>,
        "Keeps the first of equal elements; null counts as a value.",
        "ARRAY_DISTINCT(ARRAY[1, 2, 1]) = ARRAY[1, 2]"),
    Row("ARRAY_EXCEPT", "(ARRAY<T>, ARRAY<T>) -> ARRAY<T>", &SetKernel<SetOperation::kExcept>,
        "Gives the different elements of the left array that are not in the right one.",
        "ARRAY_EXCEPT(ARRAY[1, 2, 1], ARRAY[2]) = ARRAY[1]"),
    Row("ARRAY_INTERSECT", "(ARRAY<T>, ARRAY<T>) -> ARRAY<T>", &SetKernel<SetOperation::kIntersect>,
        "Gives the different elements that are in both arrays, in the order of the left one.",
        "ARRAY_INTERSECT(ARRAY[1, 2], ARRAY[2, 3]) = ARRAY[2]"),
    Row("ARRAY_JOIN", "(ARRAY<T>) -> STRING", &ArrayJoinKernel, kJoinText,
        "ARRAY_JOIN(ARRAY[1, 2]) = '1,2'", Nulls::kHandle),
    Row("ARRAY_JOIN", "(ARRAY<T>, STRING) -> STRING", &ArrayJoinKernel, kJoinText,
        "ARRAY_JOIN(ARRAY[1, 2], '-') = '1-2'", Nulls::kHandle),
    Row("ARRAY_LENGTH", "(ARRAY<T>) -> INT", &ArrayLengthKernel, "Counts the elements.",
        "ARRAY_LENGTH(ARRAY[1, 2]) = 2"),
    Row("ARRAY_MAX", "(ARRAY<T>) -> T", &ArrayExtremeKernel<true>,
        "Gives the largest element that is not null.", "ARRAY_MAX(ARRAY[1, 3, 2]) = 3"),
    Row("ARRAY_MIN", "(ARRAY<T>) -> T", &ArrayExtremeKernel<false>,
        "Gives the smallest element that is not null.", "ARRAY_MIN(ARRAY[2, 1, 3]) = 1"),
    Row("ARRAY_REMOVE", "(ARRAY<T>, T) -> ARRAY<T>", &ArrayRemoveKernel,
        "Drops each element that equals a value.", "ARRAY_REMOVE(ARRAY[1, 2, 1], 1) = ARRAY[2]",
        Nulls::kHandle),
    Row("ARRAY_SORT", "(ARRAY<T>) -> ARRAY<T>", &ArraySortKernel, kSortText,
        "ARRAY_SORT(ARRAY[2, 1]) = ARRAY[1, 2]"),
    Row("ARRAY_SORT", "(ARRAY<T>, STRING) -> ARRAY<T>", &ArraySortKernel, kSortText,
        "ARRAY_SORT(ARRAY[1, 2], 'DESC') = ARRAY[2, 1]"),
    Row("ARRAY_UNION", "(ARRAY<T>, ARRAY<T>) -> ARRAY<T>", &SetKernel<SetOperation::kUnion>,
        "Gives the different elements of both arrays.",
        "ARRAY_UNION(ARRAY[1, 2], ARRAY[2, 3]) = ARRAY[1, 2, 3]"),
    Row("SLICE", "(ARRAY<T>, INT, INT) -> ARRAY<T>", &SliceKernel,
        "Gives a part of an array; both positions count from 1 and belong to it.",
        "SLICE(ARRAY[1, 2, 3], 2, 3) = ARRAY[2, 3]", Nulls::kHandle),
    Row("GENERATE_SERIES", "(INT, INT) -> ARRAY<INT>", &GenerateSeriesKernel<int32_t>, kSeriesText,
        "GENERATE_SERIES(1, 3) = ARRAY[1, 2, 3]"),
    Row("GENERATE_SERIES", "(INT, INT, INT) -> ARRAY<INT>", &GenerateSeriesKernel<int32_t>,
        kSeriesText, "GENERATE_SERIES(1, 5, 2) = ARRAY[1, 3, 5]"),
    Row("GENERATE_SERIES", "(BIGINT, BIGINT) -> ARRAY<BIGINT>", &GenerateSeriesKernel<int64_t>,
        kSeriesText, "ARRAY_LENGTH(GENERATE_SERIES(3000000000, 3000000001)) = 2"),
    Row("GENERATE_SERIES", "(BIGINT, BIGINT, INT) -> ARRAY<BIGINT>", &GenerateSeriesKernel<int64_t>,
        kSeriesText, "ARRAY_LENGTH(GENERATE_SERIES(3000000000, 3000000004, 2)) = 3"),
    Row("ELT", "(INT, STRING...) -> STRING", &EltKernel, "Gives the n-th of the following strings.",
        "ELT(2, 'a', 'b') = 'b'", Nulls::kHandle),
    Row("FIELD", "(STRING, STRING...) -> INT", &FieldKernel,
        "Finds a string among the following ones: its position from 1, or 0.",
        "FIELD('b', 'a', 'b') = 2", Nulls::kHandle),
    Row("AS_MAP", "(ARRAY<STRING>, ARRAY<T>) -> MAP<STRING, T>", &AsMapKernel,
        "Makes a map from an array of keys and one of values.",
        "AS_MAP(ARRAY['a', 'b'], ARRAY[1, 2])['b'] = 2"),
    Row("ENTRIES", "(MAP<STRING, INT>, BOOLEAN) -> ARRAY<STRUCT<K STRING, V INT>>", &EntriesKernel,
        kEntriesText, kEntriesExample),
    Row("ENTRIES", "(MAP<STRING, BIGINT>, BOOLEAN) -> ARRAY<STRUCT<K STRING, V BIGINT>>",
        &EntriesKernel, kEntriesText, kEntriesExample),
    Row("ENTRIES", "(MAP<STRING, DOUBLE>, BOOLEAN) -> ARRAY<STRUCT<K STRING, V DOUBLE>>",
        &EntriesKernel, kEntriesText, kEntriesExample),
    Row("ENTRIES", "(MAP<STRING, BOOLEAN>, BOOLEAN) -> ARRAY<STRUCT<K STRING, V BOOLEAN>>",
        &EntriesKernel, kEntriesText, kEntriesExample),
    Row("ENTRIES", "(MAP<STRING, STRING>, BOOLEAN) -> ARRAY<STRUCT<K STRING, V STRING>>",
        &EntriesKernel, kEntriesText, kEntriesExample),
    Row("MAP_KEYS", "(MAP<STRING, T>) -> ARRAY<STRING>", &MapPartKernel<0>,
        "Gives the keys of a map.", "MAP_KEYS(MAP('a' := 1)) = ARRAY['a']"),
    Row("MAP_VALUES", "(MAP<STRING, T>) -> ARRAY<T>", &MapPartKernel<1>,
        "Gives the values of a map.", "MAP_VALUES(MAP('a' := 1)) = ARRAY[1]"),
    Row("MAP_UNION", "(MAP<STRING, T>, MAP<STRING, T>) -> MAP<STRING, T>", &MapUnionKernel,
        "Merges two maps; of equal keys the right one counts.",
        "MAP_UNION(MAP('a' := 1), MAP('a' := 2))['a'] = 2", Nulls::kHandle),
};

}  // namespace

std::span<const FunctionRow> CollectionFunctions() { return kCollectionFunctions; }

}  // namespace weir
