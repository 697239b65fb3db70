#pragma once

// What the decoders of whole records have in common (AVRO, PROTOBUF): the columns that are read are
// the fields of one STRUCT, so that a record is read as any value is.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "exec/column/builder.h"
#include "exec/formats/format.h"

namespace weir {

/// One thread at a time.
class RecordColumns {
 public:
  explicit RecordColumns(const std::vector<FormatColumn>& columns)
      : count_(columns.size()), struct_(StructOf(columns)) {
    for (size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].needed) needed_.push_back(i);
    }
  }

  /// The STRUCT that each record is appended to.
  ColumnBuilder& builder() { return struct_; }
  const DataType& type() const { return struct_.type(); }
  bool reads_none() const { return needed_.empty(); }

  /// Decodes one side of all records. `decode_one(bytes, state)` appends a record that is kOk to
  /// builder(); of others what it has appended is undone, and `reason` says why one is kBad. An
  /// error of it ends all.
  template <typename DecodeOne>
  Status Decode(const RecordBatch& records, bool is_key, DecodedSide& out,
                const std::string& reason, const DecodeOne& decode_one) {
    const std::vector<Slice>& slices = is_key ? records.keys : records.values;
    out.states.clear();
    out.bad.clear();
    struct_.Reserve(records.size());
    for (int32_t row = 0; row < records.size(); ++row) {
      const Slice slice = slices[static_cast<size_t>(row)];
      RowState state = RowState::kNull;
      if (!slice.is_null()) {
        state = RowState::kBad;
        WEIR_RETURN_IF_ERROR(decode_one(records.View(slice), state));
      }
      if (state == RowState::kOk) continue;
      struct_.Truncate(row);
      struct_.AppendNull();
      if (out.states.empty()) out.states.resize(slices.size(), RowState::kOk);
      out.states[static_cast<size_t>(row)] = state;
      if (state == RowState::kBad) out.bad.push_back({row, reason});
    }
    out.columns.assign(count_, nullptr);
    const ColumnPtr all = struct_.Finish();
    for (size_t i = 0; i < needed_.size(); ++i) {
      out.columns[needed_[i]] = all->child(static_cast<int>(i));
    }
    return OkStatus();
  }

 private:
  static DataType StructOf(const std::vector<FormatColumn>& columns) {
    std::vector<DataType::Field> fields;
    for (const FormatColumn& column : columns) {
      if (column.needed) fields.push_back({column.name, column.type});
    }
    return DataType::Struct(std::move(fields));
  }

  const size_t count_;
  std::vector<size_t> needed_;  // Places in the column list.
  ColumnBuilder struct_;
};

/// A row that the schema it is written by does not take: kBadRecord.
inline Status RowRefused(const FormatSpec& spec, std::string_view written_as,
                         std::string_view fault) {
  return Status(ErrorCode::kBadRecord, "a row cannot be written to " + spec.subject + " as " +
                                           std::string(written_as) + ": " + std::string(fault))
      .WithHint("leave such rows out with WHERE, or give them a value with COALESCE");
}

}  // namespace weir
