#pragma once

// Aggregate functions for tests: their states made through the catalog, rows added by value.

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "exec/expr/expr_program.h"
#include "exec/functions/aggregate/aggregate.h"
#include "planner/catalog/function_catalog.h"
#include "tests/unit/exec_expr/expr_builder.h"

namespace weir::testing {

/// One call of an aggregate function: the function found, and states of some groups.
class AggregateCall {
 public:
  AggregateCall(const std::string& name, std::vector<DataType> args,
                std::vector<Value> constants = {})
      : constants_(std::move(constants)) {
    std::vector<ArgumentType> types;
    for (const DataType& type : args) types.push_back({.type = type});
    for (const Value& constant : constants_) {
      types.push_back({.type = std::holds_alternative<bool>(constant.data) ? DataType::Boolean()
                                                                           : DataType::Int(),
                       .is_literal = true});
    }
    const auto found = BuiltinFunctions().ResolveAggregate(name, types);
    if (!found.ok()) {
      ADD_FAILURE() << found.status().ToString();
      return;
    }
    overload_ = *found;
    states_ = MakeStates();
    states_->Resize(16);
  }

  std::unique_ptr<AggregateStates> MakeStates() const {
    return RowOf(*overload_).make(overload_->parameter_types, constants_, overload_->return_type);
  }
  const AggregateOverload& overload() const { return *overload_; }
  AggregateStates& states() { return *states_; }

  std::vector<ColumnPtr> Columns(const std::vector<std::vector<Value>>& rows) const {
    std::vector<ColumnPtr> columns;
    for (size_t i = 0; i < overload_->parameter_types.size(); ++i) {
      std::vector<Value> values;
      for (const auto& row : rows) values.push_back(row[i]);
      columns.push_back(MakeColumn(overload_->parameter_types[i], values));
    }
    return columns;
  }

  /// Adds rows to a group; the result after each, a blank between two.
  std::string AddEach(uint32_t group, const std::vector<std::vector<Value>>& rows) {
    ColumnBuilder out(overload_->return_type);
    states_->AddEach(Columns(rows), Numbers(rows.size()), std::vector<uint32_t>(rows.size(), group),
                     out);
    return Text(out.Finish());
  }
  std::string AddEach(const std::vector<Value>& values) {
    std::vector<std::vector<Value>> rows;
    for (const Value& value : values) rows.push_back({value});
    return AddEach(0, rows);
  }
  void Undo(uint32_t group, const std::vector<std::vector<Value>>& rows) {
    states_->Undo(Columns(rows), Numbers(rows.size()), std::vector<uint32_t>(rows.size(), group));
  }
  std::string Result(uint32_t group = 0) { return ResultOf(*states_, group); }
  std::string ResultOf(const AggregateStates& states, uint32_t group) const {
    ColumnBuilder out(overload_->return_type);
    states.Results({&group, 1}, out);
    return Text(out.Finish());
  }

  static std::vector<int32_t> Numbers(size_t count) {
    std::vector<int32_t> numbers(count);
    for (size_t i = 0; i < count; ++i) numbers[i] = static_cast<int32_t>(i);
    return numbers;
  }
  static std::string Text(const ColumnPtr& column) {
    std::string text;
    for (int32_t row = 0; row < column->length(); ++row) {
      text += (row == 0 ? "" : " ") + column->ToText(row);
    }
    return text;
  }

 private:
  std::vector<Value> constants_;
  const AggregateOverload* overload_ = nullptr;
  std::unique_ptr<AggregateStates> states_;
};

}  // namespace weir::testing
