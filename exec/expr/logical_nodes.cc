// AND, OR, NOT, IS NULL, CASE, COALESCE and IN: they decide which rows their children run for.

#include <string_view>

#include <absl/container/flat_hash_set.h>

#include "base/decimal.h"
#include "exec/column/compare.h"
#include "exec/expr/node.h"

namespace weir {
namespace {

/// AND where kAnd, else OR. One child that decides (false for AND, true for OR) decides the row;
/// children behind it do not run for that row.
template <bool kAnd>
class JunctionNode final : public Node {
 public:
  explicit JunctionNode(std::vector<Node*> children)
      : Node(DataType::Boolean()), children_(std::move(children)), out_(DataType::Boolean()) {
    set_runs_whole(AllRunWhole(children_));
  }

 protected:
  ColumnPtr Compute(Frame& frame, const RowMask& mask) override {
    const size_t words = mask.words().size();
    decided_.assign(words, 0);
    undecided_.assign(words, ~uint64_t{0});
    RowMask open = mask;
    for (Node* child : children_) {
      const ColumnPtr& column = child->Evaluate(frame, open);
      for (size_t w = 0; w < words; ++w) {
        const uint64_t valid = ValidWord(*column, w);
        const uint64_t value = ValueWord(*column, w);
        // Rows outside `open` may hold anything, but are decided already.
        decided_[w] |= (kAnd ? valid & ~value : valid & value) & open.words()[w];
        undecided_[w] &= (kAnd ? valid & value : valid & ~value) | ~open.words()[w];
      }
      if (child == children_.back() || runs_whole()) continue;
      if (kAnd) {
        open.KeepNotFalse(*column);
      } else {
        open.KeepNotTrue(*column);
      }
    }
    const int32_t rows = frame.rows();
    valid_.resize(words);
    for (size_t w = 0; w < words; ++w) {
      undecided_[w] &= ~decided_[w];
      valid_[w] = decided_[w] | undecided_[w];
    }
    uint64_t* out = out_.FillBits(rows, reinterpret_cast<const uint8_t*>(valid_.data()));
    for (size_t w = 0; w < words; ++w) out[w] = kAnd ? undecided_[w] : decided_[w];
    return out_.Finish();
  }

 private:
  std::vector<Node*> children_;
  ColumnBuilder out_;
  std::vector<uint64_t> decided_;    // A child was false (AND) or true (OR).
  std::vector<uint64_t> undecided_;  // All children so far were true (AND) or false (OR).
  std::vector<uint64_t> valid_;
};

class NotNode final : public Node {
 public:
  explicit NotNode(Node* child) : Node(DataType::Boolean()), child_(child) {
    set_runs_whole(child->runs_whole());
  }

 protected:
  ColumnPtr Compute(Frame& frame, const RowMask& mask) override {
    const ColumnPtr& column = child_->Evaluate(frame, mask);
    const int32_t rows = frame.rows();
    uint8_t* data;
    Column::Parts parts;
    parts.type = type();
    parts.length = rows;
    parts.validity = column->parts().validity;
    parts.values = MakeBuffer(static_cast<size_t>(WordCount(rows)) * 8, &data);
    for (int32_t w = 0; w < WordCount(rows); ++w) {
      const uint64_t word = ~LoadWord(column->raw_values(), w);
      std::memcpy(data + static_cast<size_t>(w) * 8, &word, 8);
    }
    return MakeColumn(std::move(parts));
  }

 private:
  Node* child_;
};

class IsNullNode final : public Node {
 public:
  IsNullNode(Node* child, bool negated)
      : Node(DataType::Boolean()), child_(child), negated_(negated), out_(DataType::Boolean()) {
    set_runs_whole(child->runs_whole());
  }

 protected:
  ColumnPtr Compute(Frame& frame, const RowMask& mask) override {
    const ColumnPtr& column = child_->Evaluate(frame, mask);
    uint64_t* words = out_.FillBits(frame.rows(), nullptr);
    for (int32_t w = 0; w < WordCount(frame.rows()); ++w) {
      const uint64_t valid = ValidWord(*column, static_cast<size_t>(w));
      words[w] = negated_ ? valid : ~valid;
    }
    return out_.Finish();
  }

 private:
  Node* child_;
  bool negated_;
  ColumnBuilder out_;
};

/// CASE: for each row the first THEN whose WHEN is true.
class CaseNode final : public Node {
 public:
  CaseNode(const DataType& type, std::vector<Node*> children)
      : Node(type), children_(std::move(children)) {
    set_runs_whole(AllRunWhole(children_));
  }

 protected:
  ColumnPtr Compute(Frame& frame, const RowMask& mask) override {
    std::vector<uint8_t> choice(static_cast<size_t>(frame.rows()), kChooseNull);
    std::vector<ColumnPtr> branches;
    RowMask open = mask;
    for (size_t i = 0; i < children_.size() && !open.Empty(); i += 2) {
      const bool is_else = i + 1 == children_.size();
      RowMask taken = open;
      if (!is_else) taken.KeepTrue(*children_[i]->Evaluate(frame, open));
      if (taken.Empty()) continue;
      // More branches than a byte can number: fold those so far into one.
      if (branches.size() == kChooseNull - 1) Collapse(branches, choice);
      branches.push_back(children_[is_else ? i : i + 1]->Evaluate(frame, taken));
      const uint8_t number = static_cast<uint8_t>(branches.size() - 1);
      ForEachSetBit(taken.bits(), taken.rows(),
                    [&](int32_t row) { choice[static_cast<size_t>(row)] = number; });
      open.Remove(taken);
    }
    if (branches.empty()) return MakeNullColumn(type(), frame.rows());
    return ChooseRows(type(), branches, choice);
  }

 private:
  void Collapse(std::vector<ColumnPtr>& branches, std::vector<uint8_t>& choice) const {
    const ColumnPtr folded = ChooseRows(type(), branches, choice);
    for (uint8_t& one : choice) {
      if (one != kChooseNull) one = 0;
    }
    branches = {folded};
  }

  std::vector<Node*> children_;
};

/// COALESCE and IFNULL: a later argument runs only for rows where all before it are null.
class CoalesceNode final : public Node {
 public:
  CoalesceNode(const DataType& type, std::vector<Node*> children)
      : Node(type), children_(std::move(children)) {
    set_runs_whole(AllRunWhole(children_));
  }

 protected:
  ColumnPtr Compute(Frame& frame, const RowMask& mask) override {
    ColumnPtr value = children_[0]->Evaluate(frame, mask);
    for (size_t i = 1; i < children_.size() && value->has_nulls(); ++i) {
      RowMask missing = mask;
      RowMask present = mask;
      present.KeepValid(*value);
      missing.Remove(present);
      if (missing.Empty()) break;
      const ColumnPtr columns[] = {value, children_[i]->Evaluate(frame, missing)};
      std::vector<uint8_t> choice(static_cast<size_t>(frame.rows()), 0);
      ForEachSetBit(missing.bits(), missing.rows(),
                    [&](int32_t row) { choice[static_cast<size_t>(row)] = 1; });
      value = ChooseRows(type(), columns, choice);
    }
    return value;
  }

 private:
  std::vector<Node*> children_;
};

/// Debian's Abseil hashes its own string_view only; this pair looks up a standard one.
struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
struct TextEqual {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const { return a == b; }
};

/// x IN (a, b, …). Null x gives false, as its equality with anything does. Constants of the
/// frequent types are looked up in a set; everything else is compared one by one.
class InNode final : public Node {
 public:
  explicit InNode(std::vector<Node*> children)
      : Node(DataType::Boolean()), children_(std::move(children)) {
    set_runs_whole(AllRunWhole(children_));
    const TypeKind kind = children_[0]->type().kind();
    uses_integers_ = kind == TypeKind::kInt || kind == TypeKind::kDate || kind == TypeKind::kTime;
    uses_bigints_ = kind == TypeKind::kBigint || kind == TypeKind::kTimestamp;
    uses_texts_ = kind == TypeKind::kString || kind == TypeKind::kBytes;
    for (size_t i = 1; i < children_.size(); ++i) {
      const Value* value = children_[i]->constant();
      if (value != nullptr && value->is_null()) continue;
      if (value != nullptr && uses_integers_) {
        integers_.insert(value->as<int32_t>());
      } else if (value != nullptr && uses_bigints_) {
        integers_.insert(value->as<int64_t>());
      } else if (value != nullptr && uses_texts_) {
        texts_.insert(value->as<std::string>());
      } else {
        others_.push_back(children_[i]);
      }
    }
  }

 protected:
  ColumnPtr Compute(Frame& frame, const RowMask& mask) override {
    const int32_t rows = frame.rows();
    const ColumnPtr column = children_[0]->Evaluate(frame, mask);
    ColumnBuilder out(DataType::Boolean());
    uint64_t* words = out.FillBits(rows, nullptr);
    std::fill_n(words, WordCount(rows), 0);
    RowMask open = mask;
    open.KeepValid(*column);
    ForEachSetBit(open.bits(), rows, [&](int32_t row) {
      if (InConstants(*column, row)) words[row >> 6] |= uint64_t{1} << (row & 63);
    });
    for (Node* other : others_) {
      for (size_t w = 0; w < open.words().size(); ++w) open.words()[w] &= ~words[w];
      if (open.Empty()) break;
      const ColumnPtr candidate = other->Evaluate(frame, open);
      ForEachSetBit(open.bits(), rows, [&](int32_t row) {
        if (Equals(*column, *candidate, row)) words[row >> 6] |= uint64_t{1} << (row & 63);
      });
    }
    return out.Finish();
  }

 private:
  bool InConstants(const Column& column, int32_t row) const {
    if (uses_integers_) {
      return integers_.contains(column.values<int32_t>()[static_cast<size_t>(row)]);
    }
    if (uses_bigints_) {
      return integers_.contains(column.values<int64_t>()[static_cast<size_t>(row)]);
    }
    if (uses_texts_ && !texts_.empty()) return texts_.contains(column.GetString(row));
    return false;
  }

  /// As = does: NaN equals nothing, unlike in EqualAt.
  static bool Equals(const Column& a, const Column& b, int32_t row) {
    if (!a.type().is(TypeKind::kDouble)) return EqualAt(a, row, b, row);
    const size_t at = static_cast<size_t>(row);
    return !b.IsNull(row) && a.values<double>()[at] == b.values<double>()[at];
  }

  std::vector<Node*> children_;
  std::vector<Node*> others_;
  absl::flat_hash_set<int64_t> integers_;
  absl::flat_hash_set<std::string, TextHash, TextEqual> texts_;
  bool uses_integers_ = false;
  bool uses_bigints_ = false;
  bool uses_texts_ = false;
};

}  // namespace

NodePtr MakeCaseNode(const DataType& type, std::vector<Node*> children) {
  return std::make_unique<CaseNode>(type, std::move(children));
}
NodePtr MakeCoalesceNode(const DataType& type, std::vector<Node*> children) {
  return std::make_unique<CoalesceNode>(type, std::move(children));
}
NodePtr MakeAndNode(std::vector<Node*> children) {
  return std::make_unique<JunctionNode<true>>(std::move(children));
}
NodePtr MakeOrNode(std::vector<Node*> children) {
  return std::make_unique<JunctionNode<false>>(std::move(children));
}
NodePtr MakeNotNode(Node* child) { return std::make_unique<NotNode>(child); }
NodePtr MakeIsNullNode(Node* child, bool negated) {
  return std::make_unique<IsNullNode>(child, negated);
}
NodePtr MakeInNode(std::vector<Node*> children) {
  return std::make_unique<InNode>(std::move(children));
}

}  // namespace weir
