// Random expressions over random batches, against an evaluator that goes row by row and shares no
// code with the kernels.

#include <optional>
#include <random>

#include <gtest/gtest.h>

#include "tests/unit/exec_expr/expr_builder.h"

namespace weir {
namespace {

using testing::Call;
using testing::Col;
using testing::Lit;
using testing::Make;

const DataType kTypes[] = {DataType::Int(), DataType::Bigint(), DataType::Double(),
                           DataType::String(), DataType::Boolean()};
constexpr int kColumnsPerType = 2;

class Generator {
 public:
  explicit Generator(uint32_t seed) : random_(seed) {}

  Value MakeValue(const DataType& type) {
    if (Below(6) == 0) return Value();
    switch (type.kind()) {
      case TypeKind::kInt: return Value(static_cast<int32_t>(Below(7)) - 3);
      case TypeKind::kBigint: return Value(static_cast<int64_t>(Below(7)) - 3);
      case TypeKind::kDouble: return Value((static_cast<double>(Below(9)) - 4) / 2);
      case TypeKind::kString:
        return Value(std::string(Below(3), static_cast<char>('a' + Below(2))));
      default: return Value(Below(2) == 0);
    }
  }

  BoundExprPtr MakeExpr(const DataType& type, int depth) {
    if (depth == 0 || Below(8) == 0) return Leaf(type);
    if (Below(6) == 0) {
      return Make(BoundKind::kCase, type,
                  {MakeExpr(DataType::Boolean(), depth - 1), MakeExpr(type, depth - 1),
                   MakeExpr(DataType::Boolean(), depth - 1), MakeExpr(type, depth - 1),
                   MakeExpr(type, depth - 1)});
    }
    if (Below(8) == 0) {
      return Call("COALESCE", {MakeExpr(type, depth - 1), MakeExpr(type, depth - 1)});
    }
    if (type.is(TypeKind::kBoolean)) return Condition(depth);
    if (type.is(TypeKind::kString)) {
      return Call("||", {MakeExpr(type, depth - 1), MakeExpr(type, depth - 1)});
    }
    static constexpr const char* kOperators[] = {"+", "-", "*", "/", "%"};
    return Call(kOperators[Below(5)], {MakeExpr(type, depth - 1), MakeExpr(type, depth - 1)});
  }

  uint32_t Below(uint32_t bound) { return random_() % bound; }
  const DataType& AnyType() { return kTypes[Below(5)]; }

 private:
  BoundExprPtr Leaf(const DataType& type) {
    if (Below(3) == 0) return Lit(type, MakeValue(type));
    for (int i = 0; i < 5; ++i) {
      if (kTypes[i] == type) {
        return Col(i * kColumnsPerType + static_cast<int>(Below(kColumnsPerType)), type);
      }
    }
    return nullptr;
  }

  BoundExprPtr Condition(int depth) {
    const DataType boolean = DataType::Boolean();
    const auto sub = [&] { return MakeExpr(boolean, depth - 1); };
    const DataType& type = kTypes[Below(4)];
    switch (Below(6)) {
      case 0: return Make(BoundKind::kAnd, boolean, {sub(), sub(), sub()});
      case 1: return Make(BoundKind::kOr, boolean, {sub(), sub()});
      case 2: return Make(BoundKind::kNot, boolean, {sub()});
      case 3: return Make(BoundKind::kIsNull, boolean, {MakeExpr(type, depth - 1)});
      case 4:
        return Make(BoundKind::kIn, boolean,
                    {MakeExpr(type, depth - 1), Lit(type, MakeValue(type)),
                     Lit(type, MakeValue(type)), MakeExpr(type, depth - 1)});
      default: {
        static constexpr const char* kComparisons[] = {
            "=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"};
        return Call(kComparisons[Below(8)], {MakeExpr(type, depth - 1), MakeExpr(type, depth - 1)});
      }
    }
  }

  std::mt19937 random_;
};

/// One row at a time, the way the language page reads.
class NaiveRow {
 public:
  NaiveRow(const Chunk& chunk, int32_t row) : chunk_(chunk), row_(row) {}
  bool failed() const { return failed_; }

  Value Evaluate(const BoundExpr& expr) {
    switch (expr.kind) {
      case BoundKind::kLiteral: return expr.value;
      case BoundKind::kColumn:
        return GetValue(*chunk_.columns[static_cast<size_t>(expr.index)], row_);
      case BoundKind::kCase: return EvaluateCase(expr);
      case BoundKind::kAnd: return Junction(expr, false);
      case BoundKind::kOr: return Junction(expr, true);
      case BoundKind::kNot: {
        const Value value = Evaluate(*expr.children[0]);
        return value.is_null() ? value : Value(!value.as<bool>());
      }
      case BoundKind::kIsNull: return Value(Evaluate(*expr.children[0]).is_null());
      case BoundKind::kIn: return In(expr);
      default: return CallFunction(expr);
    }
  }

 private:
  Value EvaluateCase(const BoundExpr& expr) {
    for (size_t i = 0; i + 1 < expr.children.size(); i += 2) {
      const Value when = Evaluate(*expr.children[i]);
      if (!when.is_null() && when.as<bool>()) return Evaluate(*expr.children[i + 1]);
    }
    return expr.children.size() % 2 == 1 ? Evaluate(*expr.children.back()) : Value();
  }

  Value Junction(const BoundExpr& expr, bool decider) {
    bool unknown = false;
    for (const BoundExprPtr& child : expr.children) {
      const Value value = Evaluate(*child);
      if (value.is_null()) {
        unknown = true;
      } else if (value.as<bool>() == decider) {
        return Value(decider);
      }
    }
    return unknown ? Value() : Value(!decider);
  }

  Value In(const BoundExpr& expr) {
    const Value value = Evaluate(*expr.children[0]);
    if (value.is_null()) return Value(false);
    for (size_t i = 1; i < expr.children.size(); ++i) {
      if (Evaluate(*expr.children[i]) == value) return Value(true);
    }
    return Value(false);
  }

  Value CallFunction(const BoundExpr& expr) {
    const std::string& name = expr.function->name;
    const Value a = Evaluate(*expr.children[0]);
    if (name == "COALESCE") return a.is_null() ? Evaluate(*expr.children[1]) : a;
    const Value b = Evaluate(*expr.children[1]);
    if (name == "IS DISTINCT FROM") return Value(!(a == b));
    if (name == "IS NOT DISTINCT FROM") return Value(a == b);
    const bool null = a.is_null() || b.is_null();
    if (expr.type.is(TypeKind::kBoolean)) return Value(!null && Compare(name, a, b));
    if (null) return Value();
    if (name == "||") return Value(a.as<std::string>() + b.as<std::string>());
    switch (expr.type.kind()) {
      case TypeKind::kInt: return Compute(name, a.as<int32_t>(), b.as<int32_t>());
      case TypeKind::kBigint: return Compute(name, a.as<int64_t>(), b.as<int64_t>());
      default: return ComputeDouble(name, a.as<double>(), b.as<double>());
    }
  }

  static bool Compare(const std::string& name, const Value& a, const Value& b) {
    if (name == "=") return a.data == b.data;
    if (name == "<>") return a.data != b.data;
    const auto less = [](const Value& x, const Value& y) {
      return std::visit(
          [&](const auto& v) {
            using T = std::decay_t<decltype(v)>;
            if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
              return v < y.as<T>();
            } else {
              return false;
            }
          },
          x.data);
    };
    const auto equal = [&] { return a.data == b.data; };
    if (name == "<") return less(a, b);
    if (name == "<=") return less(a, b) || equal();
    if (name == ">") return less(b, a);
    return less(b, a) || equal();
  }

  template <typename T>
  Value Compute(const std::string& name, T a, T b) {
    if ((name == "/" || name == "%") && b == 0) {
      failed_ = true;
      return Value();
    }
    const Int128 x = a, y = b;
    const Int128 result = name == "+"   ? x + y
                          : name == "-" ? x - y
                          : name == "*" ? x * y
                          : name == "/" ? x / y
                                        : x % y;
    return Value(static_cast<T>(result));
  }

  static Value ComputeDouble(const std::string& name, double a, double b) {
    return Value(name == "+"   ? a + b
                 : name == "-" ? a - b
                 : name == "*" ? a * b
                 : name == "/" ? a / b
                               : std::fmod(a, b));
  }

  const Chunk& chunk_;
  int32_t row_;
  bool failed_ = false;
};

bool SameValue(const Value& a, const Value& b) {
  if (const auto* x = std::get_if<double>(&a.data); x != nullptr && !b.is_null()) {
    const double y = b.as<double>();
    return *x == y || (std::isnan(*x) && std::isnan(y));
  }
  return a == b;
}

TEST(ExprProperty, AgreesWithRowByRowEvaluation) {
  for (uint32_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(seed);
    Generator generator(seed);
    const int32_t rows = static_cast<int32_t>(generator.Below(200));
    std::vector<ColumnPtr> columns;
    for (const DataType& type : kTypes) {
      for (int c = 0; c < kColumnsPerType; ++c) {
        std::vector<Value> values;
        for (int32_t i = 0; i < rows; ++i) values.push_back(generator.MakeValue(type));
        columns.push_back(testing::MakeColumn(type, values));
      }
    }
    Chunk chunk = testing::MakeChunk(std::move(columns));
    Selection selected;
    for (int32_t i = 0; i < rows; ++i) {
      if (seed % 2 == 0 || generator.Below(3) != 0) selected.push_back(i);
    }
    if (seed % 2 != 0) chunk.selection = std::make_shared<Selection>(selected);
    std::vector<BoundExprPtr> exprs;
    for (int i = 0; i < 3; ++i) exprs.push_back(generator.MakeExpr(generator.AnyType(), 4));
    Result<std::unique_ptr<ExprProgram>> program = CompileExprs(exprs);
    ASSERT_TRUE(program.ok());
    for (int repeat = 0; repeat < 2; ++repeat) {
      EvalContext context;
      std::vector<ColumnPtr> results;
      ASSERT_TRUE((*program)->Evaluate(chunk, context, results).ok());
      bool any_failed = false;
      for (const int32_t row : selected) {
        for (size_t e = 0; e < exprs.size(); ++e) {
          NaiveRow naive(chunk, row);
          const Value expected = naive.Evaluate(*exprs[e]);
          any_failed |= naive.failed();
          ASSERT_TRUE(SameValue(expected, GetValue(*results[e], row)))
              << "row " << row << " expression " << e << ": " << results[e]->ToText(row);
        }
      }
      EXPECT_EQ(any_failed, context.errors.count() != 0);
    }
  }
}

}  // namespace
}  // namespace weir
