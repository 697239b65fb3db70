#include "exec/connect/pending_state.h"

#include <algorithm>
#include <utility>

#include "base/status_macros.h"

namespace weir {

void PendingState::MakeIndex() const {
  std::call_once(indexed_, [this] {
    const std::vector<StateChange>& list = changes_->list;
    last_of_key_.reserve(list.size());
    for (uint32_t number = 0; number < list.size(); ++number) {
      const StateChange& change = list[number];
      if (change.kind == StateChange::Kind::kDeleteRange) {
        ranges_.push_back({change.key, change.value, number});
      } else {
        last_of_key_.insert_or_assign(change.key, number);
      }
    }
  });
}

// Whether a change from number `behind` on has deleted a range with the key.
bool PendingState::IsInRange(std::string_view key, uint32_t behind) const {
  return std::any_of(ranges_.begin(), ranges_.end(), [&](const Range& range) {
    return range.number >= behind && key >= range.from && (range.to.empty() || key < range.to);
  });
}

PendingState::Found PendingState::Find(std::string_view key, std::string_view& value) const {
  const auto found = last_of_key_.find(key);
  if (found == last_of_key_.end()) return IsInRange(key, 0) ? Found::kDeleted : Found::kUnknown;
  const StateChange& change = changes_->list[found->second];
  if (change.kind == StateChange::Kind::kDelete || IsInRange(key, found->second)) {
    return Found::kDeleted;
  }
  value = change.value;
  return Found::kValue;
}

Result<std::optional<std::string>> PendingState::Get(std::string_view key) const {
  MakeIndex();
  std::string_view value;
  switch (Find(key, value)) {
    case Found::kUnknown: break;
    case Found::kDeleted: return std::optional<std::string>();
    case Found::kValue: return std::optional<std::string>(value);
  }
  return below_.Get(key);
}

Status PendingState::MultiGet(const std::vector<std::string>& keys,
                              std::vector<std::optional<std::string>>& values) const {
  MakeIndex();
  values.assign(keys.size(), std::nullopt);
  std::vector<size_t> unknown;
  std::string_view value;
  for (size_t i = 0; i < keys.size(); ++i) {
    switch (Find(keys[i], value)) {
      case Found::kUnknown: unknown.push_back(i); break;
      case Found::kDeleted: break;
      case Found::kValue: values[i] = std::string(value); break;
    }
  }
  if (unknown.empty()) return OkStatus();
  if (unknown.size() == keys.size()) return below_.MultiGet(keys, values);
  std::vector<std::string> asked;
  asked.reserve(unknown.size());
  for (size_t i : unknown) asked.push_back(keys[i]);
  std::vector<std::optional<std::string>> answers;
  WEIR_RETURN_IF_ERROR(below_.MultiGet(asked, answers));
  for (size_t i = 0; i < unknown.size(); ++i) values[unknown[i]] = std::move(answers[i]);
  return OkStatus();
}

const std::vector<PendingState::Entry>& PendingState::Sorted() const {
  MakeIndex();
  std::call_once(sorted_once_, [this] {
    sorted_.reserve(last_of_key_.size());
    for (const auto& [key, number] : last_of_key_) {
      Entry& entry = sorted_.emplace_back();
      entry.key = key;
      std::string_view value;
      if (Find(key, value) == Found::kValue) entry.value = value;
    }
    std::sort(sorted_.begin(), sorted_.end(),
              [](const Entry& a, const Entry& b) { return a.key < b.key; });
  });
  return sorted_;
}

Status PendingState::Scan(
    std::string_view from, std::string_view to,
    const std::function<bool(std::string_view, std::string_view)>& visit) const {
  const auto is_before = [](const Entry& entry, std::string_view key) { return entry.key < key; };
  const std::vector<Entry>& sorted = Sorted();
  auto at = std::lower_bound(sorted.begin(), sorted.end(), from, is_before);
  const auto end =
      to.empty() ? sorted.end() : std::lower_bound(at, sorted.end(), std::max(from, to), is_before);
  bool goes_on = true;
  const auto visit_changed = [&](const std::string_view* before) {
    for (; goes_on && at != end && (before == nullptr || at->key < *before); ++at) {
      if (at->value) goes_on = visit(at->key, *at->value);
    }
  };
  WEIR_RETURN_IF_ERROR(below_.Scan(from, to, [&](std::string_view key, std::string_view value) {
    visit_changed(&key);
    if (!goes_on) return false;
    if (at != end && at->key == key) {
      // The change says more.
      if (at->value) goes_on = visit(key, *at->value);
      ++at;
    } else if (!IsInRange(key, 0)) {
      goes_on = visit(key, value);
    }
    return goes_on;
  }));
  visit_changed(nullptr);
  return OkStatus();
}

}  // namespace weir
