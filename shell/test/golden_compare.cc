#include "shell/test/golden_compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "shell/test/record_text.h"

namespace weir::shell {
namespace {

std::string KeyText(const GoldenRow& row) {
  std::string key = row.key ? WithoutJsonBlanks(*row.key) : "NULL";
  // A session's end is inclusive, a window's is not; both brackets are understood.
  if (key.find("@[") != std::string::npos && key.back() == ']') key.back() = ')';
  return key;
}

bool SameRow(const GoldenRow& expected, const GoldenRow& actual) {
  if (expected.time_ms && expected.time_ms != actual.time_ms) return false;
  if (KeyText(expected) != KeyText(actual)) return false;
  if (expected.value.has_value() != actual.value.has_value()) return false;
  return !expected.value || SameText(*expected.value, *actual.value);
}

bool SameRows(const std::vector<GoldenRow>& expected, const std::vector<GoldenRow>& actual) {
  return std::equal(expected.begin(), expected.end(), actual.begin(), actual.end(), &SameRow);
}

std::map<std::string, std::vector<GoldenRow>> ByKey(const std::vector<GoldenRow>& rows) {
  std::map<std::string, std::vector<GoldenRow>> by_key;
  for (const GoldenRow& row : rows) by_key[KeyText(row)].push_back(row);
  return by_key;
}

std::vector<GoldenRow> WithoutTombstones(const std::vector<GoldenRow>& rows) {
  std::vector<GoldenRow> kept;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(kept),
               [](const GoldenRow& row) { return row.value.has_value(); });
  return kept;
}

bool SameInAnyOrder(const std::vector<GoldenRow>& expected, std::vector<GoldenRow> actual) {
  if (expected.size() != actual.size()) return false;
  return std::all_of(expected.begin(), expected.end(), [&actual](const GoldenRow& row) {
    const auto found = std::find_if(actual.begin(), actual.end(),
                                    [&row](const GoldenRow& other) { return SameRow(row, other); });
    if (found == actual.end()) return false;
    actual.erase(found);
    return true;
  });
}

std::string CompareByKey(const std::vector<GoldenRow>& expected,
                         const std::vector<GoldenRow>& actual) {
  const auto wanted = ByKey(expected);
  const auto got = ByKey(actual);
  for (const auto& [key, rows] : wanted) {
    const auto found = got.find(key);
    if (found == got.end() || !SameRows(rows, found->second)) {
      return fmt::format("key {}: {}", key, Difference(FormatRows(expected), FormatRows(actual)));
    }
  }
  for (const auto& [key, rows] : got) {
    if (!wanted.contains(key)) {
      return fmt::format("key {} is not expected: {}", key,
                         Difference(FormatRows(expected), FormatRows(actual)));
    }
  }
  return {};
}

}  // namespace

std::vector<GoldenRow> LastOfEachKey(const std::vector<GoldenRow>& rows) {
  std::vector<GoldenRow> last;
  std::map<std::string, size_t> places;
  for (const GoldenRow& row : rows) {
    const auto [place, fresh] = places.emplace(KeyText(row), last.size());
    if (fresh) {
      last.push_back(row);
    } else {
      last[place->second] = row;
    }
  }
  return last;
}

std::string CompareRows(const std::vector<GoldenRow>& expected,
                        const std::vector<GoldenRow>& actual, RowsMatch match) {
  switch (match) {
    case RowsMatch::kLastOfKeys:
      return CompareRows(WithoutTombstones(LastOfEachKey(expected)),
                         WithoutTombstones(LastOfEachKey(actual)), RowsMatch::kByKey);
    case RowsMatch::kByKey: return CompareByKey(expected, actual);
    case RowsMatch::kOrdered:
      return SameRows(expected, actual) ? std::string()
                                        : Difference(FormatRows(expected), FormatRows(actual));
    case RowsMatch::kAnyOrder:
      return SameInAnyOrder(expected, actual)
                 ? std::string()
                 : Difference(FormatRows(expected), FormatRows(actual));
  }
  return {};
}

std::string Difference(const std::vector<std::string>& expected,
                       const std::vector<std::string>& actual) {
  std::string text = "\n  expected:\n";
  for (const std::string& line : expected) text += fmt::format("    {}\n", line);
  text += "  got:\n";
  for (const std::string& line : actual) text += fmt::format("    {}\n", line);
  text.pop_back();
  return text;
}

}  // namespace weir::shell
