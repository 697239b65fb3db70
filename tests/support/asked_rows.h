#pragma once

// What a SELECT or PRINT gives, as text.

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "weir/engine.h"

namespace weir::test {

/// All rows, columns apart by blanks; or the error alone.
inline std::vector<std::string> AskedRows(Engine& engine, std::string_view sql) {
  constexpr std::chrono::milliseconds kLong(60'000);
  auto cursor = engine.Query(sql);
  if (!cursor.ok()) return {cursor.status().ToString()};
  std::vector<std::string> rows;
  while (!(*cursor)->done()) {
    auto batch = (*cursor)->Next(kLong);
    if (!batch.ok()) return {batch.status().ToString()};
    if (!*batch) continue;
    for (int32_t row = 0; row < (*batch)->row_count(); ++row) {
      std::string line;
      for (int i = 0; i < (*batch)->column_count(); ++i) {
        line += (i > 0 ? " " : "") + (*batch)->column(i).ToText(row);
      }
      rows.push_back(std::move(line));
    }
  }
  return rows;
}

}  // namespace weir::test
