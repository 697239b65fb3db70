#include "shell/conformance/conformance_judge.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <map>

#include <fmt/format.h>

#include "base/letter_case.h"

namespace weir::testing {
namespace {

bool IsInteger(std::string_view text) {
  return text.find_first_of(".eE") == std::string_view::npos;
}

int Scale(std::string_view text) {
  const size_t point = text.find('.');
  return point == std::string_view::npos ? 0 : static_cast<int>(text.size() - point - 1);
}

// Two or more digits behind the point and a zero at the end: a DECIMAL, whose scale is part of it.
bool KeepsScale(std::string_view text) {
  return text.find_first_of("eE") == std::string_view::npos && Scale(text) >= 2 &&
         text.back() == '0';
}

bool SameNumber(std::string_view wanted, std::string_view got) {
  if (wanted == got) return true;
  if (IsInteger(wanted) && !IsInteger(got) && got.find_first_of("eE") == std::string_view::npos) {
    return false;
  }
  if ((KeepsScale(wanted) || KeepsScale(got)) && Scale(wanted) != Scale(got)) return false;
  const double a = std::strtod(std::string(wanted).c_str(), nullptr);
  const double b = std::strtod(std::string(got).c_str(), nullptr);
  return a == b || std::abs(a - b) <= 1e-12 * std::max(std::abs(a), std::abs(b));
}

const RawJson* FindField(const RawJson& object, std::string_view name) {
  if (const RawJson* exact = object.Find(name)) return exact;
  return object.Find(ToUpper(name));
}

bool SameValue(const RawJson* wanted, const RawJson* got);

bool SameObject(const RawJson& wanted, const RawJson& got) {
  if (wanted.members.size() != got.members.size()) return false;
  return std::all_of(wanted.members.begin(), wanted.members.end(), [&](const auto& member) {
    return SameValue(&member.second, FindField(got, member.first));
  });
}

bool SameValue(const RawJson* wanted, const RawJson* got) {
  const bool no_wanted = wanted == nullptr || wanted->is_null();
  const bool no_got = got == nullptr || got->is_null();
  if (no_wanted || no_got) return no_wanted == no_got;
  if (wanted->kind == RawJson::Kind::kString && got->kind == RawJson::Kind::kNumber) {
    return wanted->text == got->text;
  }
  if (wanted->kind != got->kind) return false;
  switch (wanted->kind) {
    case RawJson::Kind::kNull: return true;
    case RawJson::Kind::kBoolean:
    case RawJson::Kind::kString: return wanted->text == got->text;
    case RawJson::Kind::kNumber: return SameNumber(wanted->text, got->text);
    case RawJson::Kind::kArray:
      return wanted->items.size() == got->items.size() &&
             std::equal(wanted->items.begin(), wanted->items.end(), got->items.begin(),
                        [](const RawJson& a, const RawJson& b) { return SameValue(&a, &b); });
    case RawJson::Kind::kObject: return SameObject(*wanted, *got);
  }
  return false;
}

bool SameRecord(const RawJson& wanted, const RawJson& got) {
  for (std::string_view part : {"window", "key", "value", "headers"}) {
    if (!SameValue(wanted.Find(part), got.Find(part))) return false;
  }
  const RawJson* timestamp = wanted.Find("timestamp");
  return timestamp == nullptr || SameValue(timestamp, got.Find("timestamp"));
}

using ByTopic = std::map<std::string, std::vector<RawJson>>;

std::string JudgeOutputs(const RawJson& test, const CaseOutcome& outcome) {
  ByTopic wanted;
  ByTopic got;
  if (const RawJson* outputs = test.Find("outputs")) {
    for (const RawJson& output : outputs->items)
      wanted[output.Find("topic")->text].push_back(output);
  }
  for (const std::string& text : outcome.outputs) {
    Result<RawJson> output = ParseRawJson(text);
    if (!output.ok()) return fmt::format("an output is not JSON: {}", text);
    got[output->Find("topic")->text].push_back(std::move(*output));
  }
  for (const auto& [topic, records] : wanted) {
    const std::vector<RawJson>& actual = got[topic];
    for (size_t i = 0; i < std::max(records.size(), actual.size()); ++i) {
      const std::string want = i < records.size() ? records[i].raw : "nothing";
      const std::string have = i < actual.size() ? actual[i].raw : "nothing";
      if (i >= records.size() || i >= actual.size() || !SameRecord(records[i], actual[i])) {
        return fmt::format("record {} of {}: expected {}, got {}", i, topic, want, have);
      }
    }
  }
  return "";
}

std::string JudgeResponse(const RawJson& test, const RawJson& wanted, const RawJson& got) {
  const RawJson* wanted_rows = wanted.Find("rows");
  const RawJson* got_rows = got.Find("rows");
  if (wanted_rows == nullptr || got_rows == nullptr) return "a response without rows";
  if (wanted_rows->items.size() != got_rows->items.size()) {
    return fmt::format("expected {}, got {}", wanted_rows->raw, got_rows->raw);
  }
  const RawJson* ordered = test.Find("verifyOrder");
  std::vector<RawJson> left = got_rows->items;
  for (const RawJson& row : wanted_rows->items) {
    const bool in_order = ordered != nullptr && ordered->text == "true";
    auto match =
        in_order ? left.begin() : std::find_if(left.begin(), left.end(), [&](const RawJson& each) {
          return SameValue(&row, &each);
        });
    if (match == left.end() || !SameValue(&row, &*match)) {
      return fmt::format("no row like {} in {}", row.raw, got_rows->raw);
    }
    left.erase(match);
  }
  return "";
}

}  // namespace

bool IsSelect(std::string_view sql) {
  size_t i = 0;
  while (i < sql.size() && std::isspace(static_cast<unsigned char>(sql[i]))) ++i;
  std::string word;
  while (i < sql.size() && std::isalpha(static_cast<unsigned char>(sql[i])) && word.size() < 7) {
    word.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(sql[i++]))));
  }
  return word == "SELECT";
}

std::string JudgeCase(const RawJson& test, const CaseOutcome& outcome) {
  if (test.Find("expectedException") != nullptr) {
    return outcome.status == "rejected" ? ""
                                        : fmt::format("should be rejected, but {}", outcome.status);
  }
  if (outcome.status != "ran") return fmt::format("{}: {}", outcome.status, outcome.error);
  if (std::string difference = JudgeOutputs(test, outcome); !difference.empty()) return difference;
  const RawJson* responses = test.Find("responses");
  if (responses == nullptr) return "";
  for (const RawJson& wanted : responses->items) {
    const RawJson* statement = wanted.Find("statement");
    bool found = false;
    for (const std::string& text : outcome.responses) {
      Result<RawJson> got = ParseRawJson(text);
      if (!got.ok() || !SameValue(statement, got->Find("statement"))) continue;
      found = true;
      if (std::string difference = JudgeResponse(test, wanted, *got); !difference.empty()) {
        return fmt::format("statement {}: {}", statement->text, difference);
      }
    }
    if (!found) return fmt::format("no response to statement {}", statement->text);
  }
  return "";
}

}  // namespace weir::testing
