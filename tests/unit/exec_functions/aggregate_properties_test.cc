// What must hold for every row of every aggregate table, on random rows: batches cut anywhere,
// saved and loaded, merged, undone and combined from partial states give the same results.

#include <cmath>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "exec/functions/builtin_functions.h"
#include "exec/functions/signature.h"
#include "tests/unit/exec_functions/aggregate_calls.h"

namespace weir {
namespace {

using testing::AggregateCall;
using Rows = std::vector<std::vector<Value>>;

DataType Concrete(const TypePattern& pattern) {
  switch (pattern.kind) {
    case TypePattern::Kind::kExact: return pattern.exact;
    case TypePattern::Kind::kAnyDecimal: return DataType::Decimal(10, 2);
    case TypePattern::Kind::kArray: return DataType::Array(Concrete(pattern.children[0]));
    default: return DataType::String();
  }
}

class RandomValues {
 public:
  explicit RandomValues(uint32_t seed) : engine_(seed) {}
  int32_t Below(int32_t bound) {
    return std::uniform_int_distribution<int32_t>(0, bound - 1)(engine_);
  }
  /// Small values, so that they repeat; one in eight null. `base` keeps sets of rows apart.
  Value Of(const DataType& type, int32_t base = 0) {
    if (Below(8) == 0) return Value();
    const int32_t n = base + Below(20);
    switch (type.kind()) {
      case TypeKind::kBoolean: return Value(n % 2 == 0);
      case TypeKind::kInt:
      case TypeKind::kDate:
      case TypeKind::kTime: return Value(n);
      case TypeKind::kBigint:
      case TypeKind::kTimestamp: return Value(int64_t{n});
      case TypeKind::kDouble: return Value(n * 0.5);
      case TypeKind::kDecimal: return Value(Int128{n});
      case TypeKind::kArray: {
        Value::Items items;
        for (int32_t i = Below(3); i >= 0; --i) items.push_back(Of(type.element(), base));
        return Value(std::move(items));
      }
      default: return Value("some text, number " + std::to_string(n));
    }
  }
  Rows Some(const std::vector<DataType>& types, int32_t count, int32_t base = 0) {
    Rows rows(static_cast<size_t>(count));
    for (auto& row : rows) {
      for (const DataType& type : types) row.push_back(Of(type, base));
    }
    return rows;
  }

 private:
  std::mt19937 engine_;
};

/// Equal, or doubles that differ by rounding.
void ExpectSame(const std::string& a, const std::string& b, const std::string& what) {
  if (a == b) return;
  char* end = nullptr;
  const double x = std::strtod(a.c_str(), &end);
  const bool number = end != nullptr && *end == '\0' && !a.empty();
  if (number && std::isfinite(x)) {
    EXPECT_NEAR(x, std::strtod(b.c_str(), nullptr), 1e-6) << what;
  } else {
    EXPECT_EQ(a, b) << what;
  }
}

struct Case {
  const AggregateRow* row;
  std::vector<DataType> types;
  std::vector<Value> constants;
};

std::vector<Case> EveryRow() {
  std::vector<Case> cases;
  for (const auto table : {&CountAggregates, &SumAggregates, &MinMaxAggregates, &OffsetAggregates,
                           &CollectAggregates, &TopkAggregates, &StatisticsAggregates}) {
    for (const AggregateRow& row : table()) {
      const Result<Signature> signature = ParseSignature(row.signature);
      EXPECT_TRUE(signature.ok()) << row.signature;
      Case one{&row, {}, {}};
      for (const TypePattern& parameter : signature->parameters) {
        one.types.push_back(Concrete(parameter));
      }
      for (const TypePattern& constant : signature->constants) {
        one.constants.push_back(Concrete(constant).is(TypeKind::kBoolean) ? Value(false)
                                                                          : Value(3));
      }
      cases.push_back(std::move(one));
    }
  }
  return cases;
}

class EveryAggregate : public ::testing::TestWithParam<size_t> {
 protected:
  void SetUp() override {
    one_ = EveryRow()[GetParam()];
    call_ =
        std::make_unique<AggregateCall>(std::string(one_.row->name), one_.types, one_.constants);
    ASSERT_EQ(&RowOf(call_->overload()), one_.row) << one_.row->signature;
  }
  std::string Name() const {
    return std::string(one_.row->name) + std::string(one_.row->signature);
  }
  void Add(AggregateStates& states, uint32_t group, const Rows& rows) {
    states.Add(call_->Columns(rows), AggregateCall::Numbers(rows.size()),
               std::vector<uint32_t>(rows.size(), group));
  }
  Case one_;
  std::unique_ptr<AggregateCall> call_;
  RandomValues random_{7};
};

TEST_P(EveryAggregate, AddingAtOnceOrOneByOneIsTheSame) {
  const Rows rows = random_.Some(one_.types, 200);
  Add(call_->states(), 0, rows);
  const std::string each = call_->AddEach(1, rows);
  EXPECT_TRUE(each.ends_with(call_->Result(0))) << Name();
  Add(call_->states(), 2, {});
  ExpectSame(call_->Result(2), call_->Result(3), Name());
  call_->states().Reset(0);
  ExpectSame(call_->Result(0), call_->Result(3), Name());
}

TEST_P(EveryAggregate, NullsOnly) {
  Add(call_->states(), 0, Rows(5, std::vector<Value>(one_.types.size())));
  EXPECT_FALSE(call_->Result(0).empty());
}

TEST_P(EveryAggregate, SavedAndLoaded) {
  const Rows rows = random_.Some(one_.types, 100);
  Add(call_->states(), 0, rows);
  std::string bytes;
  call_->states().Save(0, bytes);
  const auto copy = call_->MakeStates();
  copy->Resize(2);
  std::string_view rest = bytes;
  ASSERT_TRUE(copy->Load(1, rest).ok()) << Name();
  EXPECT_TRUE(rest.empty());
  const Rows more = random_.Some(one_.types, 20);
  Add(call_->states(), 0, more);
  Add(*copy, 1, more);
  EXPECT_EQ(call_->Result(0), call_->ResultOf(*copy, 1)) << Name();
  for (size_t size = 0; size < bytes.size(); ++size) {
    std::string_view cut(bytes.data(), size);
    EXPECT_FALSE(copy->Load(0, cut).ok()) << Name() << " cut at " << size;
  }
}

TEST_P(EveryAggregate, MergedIsAsAddedToOne) {
  if (!one_.row->can_merge) GTEST_SKIP();
  const Rows first = random_.Some(one_.types, 60);
  const Rows second = random_.Some(one_.types, 60);
  Add(call_->states(), 0, first);
  Add(call_->states(), 1, second);
  Add(call_->states(), 2, first);
  Add(call_->states(), 2, second);
  call_->states().Merge(0, 1);
  ExpectSame(call_->Result(0), call_->Result(2), Name());
}

TEST_P(EveryAggregate, UndoneIsAsNeverAdded) {
  if (!one_.row->can_undo) GTEST_SKIP();
  Add(call_->states(), 0, random_.Some(one_.types, 60));
  const std::string before = call_->Result(0);
  // Other values than before: of equal ones COLLECT_LIST takes out the last.
  Rows other = random_.Some(one_.types, 30, 1000);
  std::erase_if(other, [](const auto& row) {
    return std::any_of(row.begin(), row.end(), [](const Value& value) { return value.is_null(); });
  });
  Add(call_->states(), 0, other);
  call_->Undo(0, other);
  ExpectSame(call_->Result(0), before, Name());
}

TEST_P(EveryAggregate, CombinedFromPartialStates) {
  if (one_.row->partial_types == nullptr) GTEST_SKIP();
  const Rows first = random_.Some(one_.types, 60);
  const Rows second = random_.Some(one_.types, 60);
  Add(call_->states(), 0, first);
  Add(call_->states(), 1, second);
  Add(call_->states(), 3, first);
  Add(call_->states(), 3, second);
  std::vector<ColumnBuilder> builders;
  for (DataType& type : one_.row->partial_types(one_.types)) builders.emplace_back(std::move(type));
  call_->states().ExportPartial(std::vector<uint32_t>{0, 1, 2}, builders);
  std::vector<ColumnPtr> partials;
  for (ColumnBuilder& builder : builders) partials.push_back(builder.Finish());
  const auto combined = call_->MakeStates();
  combined->Resize(1);
  combined->AddPartial(partials, std::vector<int32_t>{0, 1, 2}, std::vector<uint32_t>{0, 0, 0});
  ExpectSame(call_->ResultOf(*combined, 0), call_->Result(3), Name());
}

INSTANTIATE_TEST_SUITE_P(Rows, EveryAggregate, ::testing::Range(size_t{0}, EveryRow().size()));

}  // namespace
}  // namespace weir
