#pragma once

// Short ways to decode texts and to encode columns in the tests of the formats.

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "exec/formats/format.h"

namespace weir::test {

using Texts = std::vector<std::optional<std::string>>;

/// Records with these values (and as keys the same bytes), a line end between any two if asked.
inline RecordBatch MakeRecords(const Texts& texts, bool separated = true) {
  RecordBatch records;
  BufferBuilder bytes;
  for (const auto& text : texts) {
    Slice slice{static_cast<uint32_t>(bytes.size()), -1};
    if (text) {
      bytes.Append(text->data(), text->size());
      slice.length = static_cast<int32_t>(text->size());
      if (separated) bytes.Append("\n", 1);
    }
    records.keys.push_back(slice);
    records.values.push_back(slice);
    records.timestamps.push_back(0);
    records.offsets.push_back(static_cast<int64_t>(records.offsets.size()));
  }
  records.bytes = bytes.Finish();
  return records;
}

inline DecodedSide Decode(const FormatSpec& spec, const std::vector<FormatColumn>& columns,
                          const Texts& texts, bool separated = true) {
  auto decoder = MakeDecoder(spec, columns);
  EXPECT_TRUE(decoder.ok()) << decoder.status().ToString();
  DecodedSide out;
  EXPECT_TRUE((*decoder)->Decode(MakeRecords(texts, separated), out).ok());
  return out;
}

inline RowState StateOf(const DecodedSide& side, int32_t row) {
  return side.states.empty() ? RowState::kOk : side.states[static_cast<size_t>(row)];
}

/// "1 | null | bad" and so on: one column's values, one text a row.
inline std::vector<std::string> Shown(const DecodedSide& side, size_t column = 0) {
  std::vector<std::string> shown;
  const Column& values = *side.columns[column];
  for (int32_t row = 0; row < values.length(); ++row) {
    const RowState state = StateOf(side, row);
    if (state != RowState::kOk) {
      EXPECT_TRUE(values.IsNull(row)) << row;
    }
    shown.push_back(state == RowState::kBad    ? "BAD"
                    : state == RowState::kNull ? "NULL"
                                               : values.ToText(row));
  }
  return shown;
}

inline Texts Encode(const FormatSpec& spec, const std::vector<FormatColumn>& columns,
                    const std::vector<ColumnPtr>& values, const std::vector<int32_t>& rows) {
  auto encoder = MakeEncoder(spec, columns);
  EXPECT_TRUE(encoder.ok()) << encoder.status().ToString();
  BufferBuilder bytes;
  std::vector<Slice> slices;
  EXPECT_TRUE((*encoder)->Encode(values, rows, bytes, slices).ok());
  Texts texts;
  for (const Slice& slice : slices) {
    if (slice.is_null()) {
      texts.emplace_back();
    } else {
      texts.emplace_back(std::string(reinterpret_cast<const char*>(bytes.data()) + slice.begin,
                                     static_cast<size_t>(slice.length)));
    }
  }
  return texts;
}

inline const FormatSpec kJson{.name = "JSON"};
inline const FormatSpec kJsonBare{.name = "JSON", .unwrapped = true};
inline const FormatSpec kDelimited{.name = "DELIMITED"};

}  // namespace weir::test
