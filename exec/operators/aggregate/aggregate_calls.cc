#include "exec/operators/aggregate/aggregate_calls.h"

#include <algorithm>

#include "base/status_macros.h"

namespace weir {
namespace {

constexpr uint32_t kDoubledMax = 1 << 16;

}  // namespace

Result<AggregateCalls> AggregateCalls::Make(const std::vector<physical::AggregateCall>& calls) {
  AggregateCalls made;
  for (const physical::AggregateCall& call : calls) {
    const AggregateRow& row = RowOf(*call.function);
    Call one;
    one.states =
        row.make(call.function->parameter_types, call.constants, call.function->return_type);
    if (one.states == nullptr) {
      return Status(ErrorCode::kInternal,
                    "an aggregate function has no states for its types: " + call.function->name);
    }
    one.states->set_errors(made.errors_.get());
    one.arg_columns = call.args;
    one.type = call.function->return_type;
    one.partial_types = call.function->partial_types;
    made.order_sensitive_ |= call.function->order_sensitive;
    made.calls_.push_back(std::move(one));
  }
  return made;
}

void AggregateCalls::Resize(uint32_t count) {
  if (count <= count_) return;
  // So that new groups one at a time cost little. Large arrays grow by less, as memory may be
  // limited.
  count_ = std::max(count, count_ < kDoubledMax ? count_ * 2 : count_ + count_ / 4);
  for (Call& call : calls_) call.states->Resize(count_);
}

void AggregateCalls::Reset(uint32_t group) {
  for (Call& call : calls_) call.states->Reset(group);
}

void AggregateCalls::Keep(std::span<const uint32_t> groups) {
  for (Call& call : calls_) call.states->Keep(groups);
  count_ = static_cast<uint32_t>(groups.size());
}

void AggregateCalls::Bind(const std::vector<ColumnPtr>& columns) {
  for (Call& call : calls_) {
    call.args.clear();
    for (int column : call.arg_columns) call.args.push_back(columns[column]);
  }
}

void AggregateCalls::Report(const Chunk& chunk) {
  if (errors_->count() == 0 || context_ == nullptr) return;
  // Such a row is left out and counted, whatever the source says of records that do not decode.
  static_cast<void>(ReportRowErrors(*context_, chunk, *errors_));
}

void AggregateCalls::Add(const Chunk& chunk, std::span<const int32_t> rows,
                         std::span<const uint32_t> groups) {
  Bind(chunk.columns);
  for (Call& call : calls_) call.states->Add(call.args, rows, groups);
  Report(chunk);
}

void AggregateCalls::AddEach(const Chunk& chunk, std::span<const int32_t> rows,
                             std::span<const uint32_t> groups, std::span<ColumnBuilder> out) {
  Bind(chunk.columns);
  for (size_t i = 0; i < calls_.size(); ++i) {
    calls_[i].states->AddEach(calls_[i].args, rows, groups, out[i]);
  }
  Report(chunk);
}

void AggregateCalls::Undo(const Chunk& chunk, std::span<const int32_t> rows,
                          std::span<const uint32_t> groups) {
  Bind(chunk.columns);
  for (Call& call : calls_) call.states->Undo(call.args, rows, groups);
  Report(chunk);
}

void AggregateCalls::Merge(uint32_t into, uint32_t from) {
  for (Call& call : calls_) call.states->Merge(into, from);
}

void AggregateCalls::ExportPartials(std::span<const uint32_t> groups,
                                    std::span<ColumnBuilder> out) const {
  for (const Call& call : calls_) {
    call.states->ExportPartial(groups, out.first(call.partial_types.size()));
    out = out.subspan(call.partial_types.size());
  }
}

std::vector<ColumnBuilder> AggregateCalls::MakePartialBuilders() const {
  std::vector<ColumnBuilder> builders;
  for (const Call& call : calls_) {
    for (const DataType& type : call.partial_types) builders.emplace_back(type);
  }
  return builders;
}

void AggregateCalls::AddPartials(const Chunk& chunk, std::span<const int32_t> rows,
                                 std::span<const uint32_t> groups) {
  Bind(chunk.columns);
  for (Call& call : calls_) call.states->AddPartial(call.args, rows, groups);
  Report(chunk);
}

void AggregateCalls::Results(std::span<const uint32_t> groups, std::span<ColumnBuilder> out) const {
  for (size_t i = 0; i < calls_.size(); ++i) calls_[i].states->Results(groups, out[i]);
}

std::vector<ColumnBuilder> AggregateCalls::MakeResultBuilders() const {
  std::vector<ColumnBuilder> builders;
  builders.reserve(calls_.size());
  for (const Call& call : calls_) builders.emplace_back(call.type);
  return builders;
}

void AggregateCalls::Save(uint32_t group, std::string& out) const {
  for (const Call& call : calls_) call.states->Save(group, out);
}

Status AggregateCalls::Load(uint32_t group, std::string_view& bytes) {
  for (Call& call : calls_) WEIR_RETURN_IF_ERROR(call.states->Load(group, bytes));
  return OkStatus();
}

size_t AggregateCalls::ByteSize() const {
  size_t bytes = 0;
  for (const Call& call : calls_) bytes += call.states->ByteSize();
  return bytes;
}

}  // namespace weir
