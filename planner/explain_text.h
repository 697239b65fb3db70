#pragma once

// Words that the texts of logical and physical plans share.

#include <string>
#include <string_view>
#include <vector>

#include "planner/physical/nodes.h"

namespace weir {

std::string_view WindowKindText(physical::WindowKind kind);
std::string_view JoinKindText(physical::JoinKind join);
/// "TUMBLING size 60000 ms grace 0 ms retention 3600000 ms".
std::string WindowText(const physical::WindowSpec& window);
/// "COUNT(), SUM(AMOUNT)" with arguments named by `schema`.
std::string CallsText(const std::vector<physical::AggregateCall>& calls, const Schema& schema);
/// "FlatMap EXPLODE(A) CUBE_EXPLODE(B)" with arguments named by `input`.
std::string FlatMapText(const std::vector<physical::FlatMap::Call>& calls, const Schema& input);
/// "A + 1 AS B, C": expressions over `input` with the names of `output`.
std::string ExprsText(const std::vector<BoundExprPtr>& exprs, const Schema& input,
                      const Schema& output);
/// "A, B DESC NULLS FIRST" with columns named by `schema`.
std::string SortKeysText(const std::vector<physical::SortKey>& keys, const Schema& schema);
/// " 5 offset 10", as far as there is a limit (not -1) and an offset.
std::string LimitText(int64_t limit, int64_t offset);
std::string FormatText(const physical::SideFormat& format);
/// Names of the schema's columns at these places.
std::string PickedText(const std::vector<int>& columns, const Schema& schema);
/// What a join's columns and expressions of its left side are over: the left input, or the left
/// table whose messages it gets.
template <typename T>
Schema LeftSchema(const T& join) {
  return *join.inputs[0]->schema;
}
template <>
Schema LeftSchema(const physical::ForeignKeyJoin& join);
/// "A, B + 1": expressions over `input`.
std::string ListText(const std::vector<BoundExprPtr>& exprs, const Schema& input);
/// " if A > B": the condition of a join over its inputs, or nothing.
std::string PairText(const BoundExprPtr& condition, const Schema& left, const Schema& right);

}  // namespace weir
