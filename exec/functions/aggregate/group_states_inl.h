#pragma once

// The one implementation of AggregateStates: GroupStates<Op> keeps an Op::State a group in one
// array and runs Op over whole columns. An Op is a small class without virtual functions:
//
//   using State = …;                 // value-initialized is the initial state
//   using Reader = …;                // made from the argument columns; has_nulls(), IsNull(row)
//   static constexpr bool kSkipNulls // rows where the reader is null are not added
//   bool Add(State&, const Reader&, int32_t row);    // false: the row could not be added
//   void Append(const State&, ColumnBuilder&) const; // the result
// and as far as the function supports it:
//   void Undo(State&, const Reader&, int32_t row);
//   void Merge(State& into, const State& from);
//   void Export(const State&, std::span<ColumnBuilder>) const;
//   void AddPartial(State&, std::span<const ColumnPtr>, int32_t row);
// States that are not plain bytes also have
//   void Save(const State&, std::string&) const;  bool Load(State&, std::string_view&);
//   size_t heap_bytes() const;       // kept up to date by the Op

#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "base/status_macros.h"
#include "exec/functions/aggregate/aggregate.h"
#include "exec/functions/row_errors.h"
#include "exec/functions/scalar/cell.h"

namespace weir {

/// Reads one argument column of values that are stored as T.
template <typename T>
class CellReader {
 public:
  explicit CellReader(std::span<const ColumnPtr> args) : column_(args[0].get()) {}
  bool has_nulls() const { return column_->has_nulls(); }
  bool IsNull(int32_t row) const { return column_->IsNull(row); }
  CellView<T> Get(int32_t row) const { return ReadCell<T>(*column_, row); }

 private:
  const Column* column_;
};

/// Plain values: the pointer is kept, so a loop over them touches nothing else.
template <typename T>
requires(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) class CellReader<T> {
 public:
  explicit CellReader(std::span<const ColumnPtr> args)
      : column_(args[0].get()), values_(reinterpret_cast<const T*>(args[0]->raw_values())) {}
  bool has_nulls() const { return column_->has_nulls(); }
  bool IsNull(int32_t row) const { return column_->IsNull(row); }
  T Get(int32_t row) const { return values_[row]; }

 private:
  const Column* column_;
  const T* values_;
};

template <typename Op>
class GroupStates final : public AggregateStates {
  using State = typename Op::State;
  using Reader = typename Op::Reader;
  static constexpr bool kPlain = std::is_trivially_copyable_v<State>;
  static constexpr uint8_t kVersion = 1;

 public:
  explicit GroupStates(Op op = Op()) : op_(std::move(op)) {}

  // The owner asks for more than it needs, so that this need not.
  void Resize(uint32_t count) override {
    states_.reserve(count);
    states_.resize(count);
  }
  void Reset(uint32_t group) override {
    State& state = states_[group];
    if constexpr (kPlain) {
      state = State{};
    } else {
      op_.Forget(state);
      // Assigning an empty text to a long one would keep the memory.
      std::destroy_at(&state);
      std::construct_at(&state);
    }
  }

  void Keep(std::span<const uint32_t> groups) override {
    for (size_t i = 0; i < groups.size(); ++i) {
      if (groups[i] != i) states_[i] = std::move(states_[groups[i]]);
    }
    states_.resize(groups.size());
    states_.shrink_to_fit();
  }

  void Add(std::span<const ColumnPtr> args, std::span<const int32_t> rows,
           std::span<const uint32_t> groups) override {
    const Reader in(args);
    State* states = states_.data();
    if (!Op::kSkipNulls || !in.has_nulls()) {
      for (size_t i = 0; i < rows.size(); ++i) {
        if (!op_.Add(states[groups[i]], in, rows[i])) Fail(rows[i]);
      }
      return;
    }
    for (size_t i = 0; i < rows.size(); ++i) {
      if (in.IsNull(rows[i])) continue;
      if (!op_.Add(states[groups[i]], in, rows[i])) Fail(rows[i]);
    }
  }

  void AddEach(std::span<const ColumnPtr> args, std::span<const int32_t> rows,
               std::span<const uint32_t> groups, ColumnBuilder& out) override {
    const Reader in(args);
    for (size_t i = 0; i < rows.size(); ++i) {
      State& state = states_[groups[i]];
      if (!Op::kSkipNulls || !in.IsNull(rows[i])) {
        if (!op_.Add(state, in, rows[i])) Fail(rows[i]);
      }
      op_.Append(state, out);
    }
  }

  void Undo(std::span<const ColumnPtr> args, std::span<const int32_t> rows,
            std::span<const uint32_t> groups) override {
    if constexpr (requires(Op op, State s, const Reader& r) { op.Undo(s, r, 0); }) {
      const Reader in(args);
      for (size_t i = 0; i < rows.size(); ++i) {
        if (!Op::kSkipNulls || !in.IsNull(rows[i])) op_.Undo(states_[groups[i]], in, rows[i]);
      }
    } else {
      WEIR_CHECK(false, "this aggregate function cannot undo");
    }
  }

  void Merge(uint32_t into, uint32_t from) override {
    if constexpr (requires(Op op, State s) { op.Merge(s, s); }) {
      if (into != from) op_.Merge(states_[into], states_[from]);
    } else {
      WEIR_CHECK(false, "this aggregate function cannot merge");
    }
  }

  void Results(std::span<const uint32_t> groups, ColumnBuilder& out) const override {
    for (const uint32_t group : groups) op_.Append(states_[group], out);
  }

  void Save(uint32_t group, std::string& out) const override {
    out.push_back(static_cast<char>(kVersion));
    if constexpr (kPlain) {
      PutFixed(states_[group], out);
    } else {
      op_.Save(states_[group], out);
    }
  }

  Status Load(uint32_t group, std::string_view& bytes) override {
    uint8_t version;
    if (!TakeFixed(bytes, version) || version != kVersion) return Corrupt();
    State state{};
    if constexpr (kPlain) {
      if (!TakeFixed(bytes, state)) return Corrupt();
    } else {
      op_.Forget(states_[group]);
      if (!op_.Load(state, bytes)) return Corrupt();
    }
    states_[group] = std::move(state);
    return OkStatus();
  }

  void ExportPartial(std::span<const uint32_t> groups,
                     std::span<ColumnBuilder> out) const override {
    if constexpr (requires(const Op op, State s) { op.Export(s, out); }) {
      for (const uint32_t group : groups) op_.Export(states_[group], out);
    } else {
      WEIR_CHECK(false, "this aggregate function has no partial state");
    }
  }

  void AddPartial(std::span<const ColumnPtr> partials, std::span<const int32_t> rows,
                  std::span<const uint32_t> groups) override {
    if constexpr (requires(Op op, State s) { op.AddPartial(s, partials, 0); }) {
      for (size_t i = 0; i < rows.size(); ++i) {
        if (!op_.AddPartial(states_[groups[i]], partials, rows[i])) Fail(rows[i]);
      }
    } else {
      WEIR_CHECK(false, "this aggregate function has no partial state");
    }
  }

  size_t ByteSize() const override {
    size_t bytes = states_.capacity() * sizeof(State);
    if constexpr (!kPlain) bytes += op_.heap_bytes();
    return bytes;
  }

 private:
  void Fail(int32_t row) {
    if (errors_ != nullptr) errors_->Add(row, Op::kFailure);
  }
  static Status Corrupt() {
    return Status(ErrorCode::kStoreCorrupt, "a stored aggregate state is malformed");
  }

  Op op_;
  std::vector<State> states_;
};

/// What Ops that cannot fail answer.
struct NeverFails {
  static constexpr std::string_view kFailure = "";
};

template <typename Op>
std::unique_ptr<AggregateStates> MakeGroupStates(Op op = Op()) {
  return std::make_unique<GroupStates<Op>>(std::move(op));
}

}  // namespace weir
