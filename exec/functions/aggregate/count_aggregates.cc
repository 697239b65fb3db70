// COUNT and COUNT_DISTINCT.

#include <algorithm>
#include <bit>

#include "exec/functions/aggregate/group_states_inl.h"
#include "exec/functions/builtin_functions.h"

namespace weir {
namespace {

using Types = std::span<const DataType>;
using Constants = std::span<const Value>;

/// Only whether the argument is null; COUNT(*) has no argument and counts every row.
class PresenceReader {
 public:
  explicit PresenceReader(std::span<const ColumnPtr> args)
      : column_(args.empty() ? nullptr : args[0].get()) {}
  bool has_nulls() const { return column_ != nullptr && column_->has_nulls(); }
  bool IsNull(int32_t row) const { return column_ != nullptr && column_->IsNull(row); }

 private:
  const Column* column_;
};

struct Count : NeverFails {
  using State = int64_t;
  using Reader = PresenceReader;
  static constexpr bool kSkipNulls = true;
  bool Add(State& state, const Reader&, int32_t) {
    ++state;
    return true;
  }
  void Undo(State& state, const Reader&, int32_t) { --state; }
  void Merge(State& into, const State& from) { into += from; }
  void Append(const State& state, ColumnBuilder& out) const { out.AppendInt64(state); }
  void Export(const State& state, std::span<ColumnBuilder> out) const { out[0].AppendInt64(state); }
  bool AddPartial(State& state, std::span<const ColumnPtr> partials, int32_t row) {
    state += ReadCell<int64_t>(*partials[0], row);
    return true;
  }
};

std::unique_ptr<AggregateStates> MakeCount(Types, Constants, const DataType&) {
  return MakeGroupStates<Count>();
}
std::vector<DataType> CountPartials(Types) { return {DataType::Bigint()}; }

constexpr size_t kExactMax = 128;
constexpr int kRegisterBits = 12;  // 4096 registers: about 1.6 % error.
constexpr size_t kRegisters = size_t{1} << kRegisterBits;

/// 2 to the power -rank.
double Weight(uint8_t rank) { return 1.0 / static_cast<double>(uint64_t{1} << rank); }

/// Distinct values of one group: their hashes while they are few, then a HyperLogLog sketch.
struct DistinctSketch {
  std::vector<uint64_t> hashes;    // Sorted; exact up to kExactMax.
  std::vector<uint8_t> registers;  // kRegisters of them once the sketch is in use, else empty.
  double weight_sum = kRegisters;  // Of all registers, kept up to date: results are asked often.
  int zeros = kRegisters;

  void Raise(size_t index, uint8_t rank) {
    uint8_t& current = registers[index];
    if (rank <= current) return;
    weight_sum += Weight(rank) - Weight(current);
    zeros -= current == 0 ? 1 : 0;
    current = rank;
  }
};

void AddToRegisters(DistinctSketch& sketch, uint64_t hash) {
  const size_t index = hash >> (64 - kRegisterBits);
  const uint64_t rest = hash << kRegisterBits;
  const auto rank =
      static_cast<uint8_t>(rest == 0 ? 64 - kRegisterBits + 1 : std::countl_zero(rest) + 1);
  sketch.Raise(index, rank);
}

int64_t EstimateDistinct(const DistinctSketch& sketch) {
  if (sketch.registers.empty()) return static_cast<int64_t>(sketch.hashes.size());
  constexpr double m = static_cast<double>(kRegisters);
  const double raw = 0.7213 / (1.0 + 1.079 / m) * m * m / sketch.weight_sum;
  // Linear counting is the better estimate while many registers are empty.
  const bool many_empty = raw <= 2.5 * m && sketch.zeros > 0;
  return std::llround(many_empty ? m * std::log(m / sketch.zeros) : raw);
}

template <typename T>
class CountDistinct : public NeverFails {
 public:
  using State = DistinctSketch;
  using Reader = CellReader<T>;
  static constexpr bool kSkipNulls = true;
  bool Add(State& state, const Reader& in, int32_t row) {
    AddHash(state, HashCell<T>(in.Get(row)));
    return true;
  }
  void Merge(State& into, const State& from) {
    for (const uint64_t hash : from.hashes) AddHash(into, hash);
    if (from.registers.empty()) return;
    UseRegisters(into);
    for (size_t i = 0; i < kRegisters; ++i) into.Raise(i, from.registers[i]);
  }
  void Append(const State& state, ColumnBuilder& out) const {
    out.AppendInt64(EstimateDistinct(state));
  }
  void Export(const State& state, std::span<ColumnBuilder> out) const {
    std::string bytes;
    Save(state, bytes);
    out[0].AppendBytes(bytes);
  }
  bool AddPartial(State& state, std::span<const ColumnPtr> partials, int32_t row) {
    State other;
    std::string_view bytes = partials[0]->GetString(row);
    WEIR_CHECK(Load(other, bytes), "a partial COUNT_DISTINCT is malformed");
    heap_bytes_ -= HeapBytes(other);
    Merge(state, other);
    return true;
  }
  void Forget(const State& state) { heap_bytes_ -= HeapBytes(state); }
  size_t heap_bytes() const { return heap_bytes_; }

  void Save(const State& state, std::string& out) const {
    PutFixed(static_cast<uint32_t>(state.hashes.size()), out);
    for (const uint64_t hash : state.hashes) PutFixed(hash, out);
    PutBytes({reinterpret_cast<const char*>(state.registers.data()), state.registers.size()}, out);
  }
  bool Load(State& state, std::string_view& bytes) {
    uint32_t count;
    if (!TakeFixed(bytes, count) || count > kExactMax) return false;
    state.hashes.resize(count);
    for (uint64_t& hash : state.hashes) {
      if (!TakeFixed(bytes, hash)) return false;
    }
    std::string registers;
    if (!TakeBytes(bytes, registers)) return false;
    if (!registers.empty() && registers.size() != kRegisters) return false;
    if (!registers.empty()) state.registers.resize(kRegisters);
    for (size_t i = 0; i < registers.size(); ++i) {
      const auto rank = static_cast<uint8_t>(registers[i]);
      if (rank > 64 - kRegisterBits + 1) return false;
      state.Raise(i, rank);
    }
    heap_bytes_ += HeapBytes(state);
    return true;
  }

 private:
  static size_t HeapBytes(const State& state) {
    return state.hashes.size() * sizeof(uint64_t) + state.registers.size();
  }
  void UseRegisters(State& state) {
    if (!state.registers.empty()) return;
    heap_bytes_ -= HeapBytes(state);
    state.registers.resize(kRegisters);
    for (const uint64_t hash : state.hashes) AddToRegisters(state, hash);
    state.hashes = {};
    heap_bytes_ += HeapBytes(state);
  }
  void AddHash(State& state, uint64_t hash) {
    if (!state.registers.empty()) return AddToRegisters(state, hash);
    const auto at = std::lower_bound(state.hashes.begin(), state.hashes.end(), hash);
    if (at != state.hashes.end() && *at == hash) return;
    if (state.hashes.size() == kExactMax) {
      UseRegisters(state);
      return AddToRegisters(state, hash);
    }
    state.hashes.insert(at, hash);
    heap_bytes_ += sizeof(uint64_t);
  }
  size_t heap_bytes_ = 0;
};

std::unique_ptr<AggregateStates> MakeCountDistinct(Types args, Constants, const DataType&) {
  return VisitCellType(args[0], [](auto cell) -> std::unique_ptr<AggregateStates> {
    return MakeGroupStates<CountDistinct<decltype(cell)>>();
  });
}
std::vector<DataType> CountDistinctPartials(Types) { return {DataType::Bytes()}; }

constexpr AggregateRow kCountAggregates[] = {
    {.name = "COUNT",
     .signature = "() -> BIGINT",
     .make = &MakeCount,
     .partial_types = &CountPartials,
     .can_undo = true,
     .can_merge = true,
     .text = "Counts rows.",
     .example = "SELECT k, COUNT(*) FROM s GROUP BY k"},
    {.name = "COUNT",
     .signature = "(T) -> BIGINT",
     .make = &MakeCount,
     .partial_types = &CountPartials,
     .can_undo = true,
     .can_merge = true,
     .text = "Counts rows whose argument is not null.",
     .example = "SELECT k, COUNT(v) FROM s GROUP BY k"},
    {.name = "COUNT_DISTINCT",
     .signature = "(T) -> BIGINT",
     .make = &MakeCountDistinct,
     .partial_types = &CountDistinctPartials,
     .can_merge = true,
     .text = "Estimates how many different values there are; exact up to 128, then within about "
             "2 %.",
     .example = "SELECT k, COUNT_DISTINCT(v) FROM s GROUP BY k"},
};

}  // namespace

std::span<const AggregateRow> CountAggregates() { return kCountAggregates; }

}  // namespace weir
