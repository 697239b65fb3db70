// The versions of the registry inside Weir, one by one: finding, deleting, and the rules that new
// ones must keep to.

#include <algorithm>

#include "base/status_macros.h"
#include "exec/formats/registry/memory_registry.h"

namespace weir {
namespace {

struct RuleName {
  std::string_view name;
  Compatibility rule;
};
constexpr RuleName kRuleNames[] = {{"NONE", Compatibility::kNone},
                                   {"BACKWARD", Compatibility::kBackward},
                                   {"BACKWARD_TRANSITIVE", Compatibility::kBackwardTransitive},
                                   {"FORWARD", Compatibility::kForward},
                                   {"FORWARD_TRANSITIVE", Compatibility::kForwardTransitive},
                                   {"FULL", Compatibility::kFull},
                                   {"FULL_TRANSITIVE", Compatibility::kFullTransitive}};

}  // namespace

std::string_view CompatibilityName(Compatibility rule) {
  for (const RuleName& row : kRuleNames) {
    if (row.rule == rule) return row.name;
  }
  return "";
}

std::optional<Compatibility> CompatibilityOf(std::string_view name) {
  for (const RuleName& row : kRuleNames) {
    if (row.name == name) return row.rule;
  }
  return std::nullopt;
}

std::vector<std::string> MemoryRegistry::SubjectNames(Seen seen) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [subject, versions] : subjects_) {
    const bool live = std::ranges::any_of(versions, [](const auto& each) { return !each.deleted; });
    if (live || (seen == Seen::kAll && !versions.empty())) names.push_back(subject);
  }
  return names;
}

std::vector<SubjectVersion> MemoryRegistry::VersionsOf(std::string_view subject, Seen seen) {
  const std::lock_guard lock(mutex_);
  const auto found = subjects_.find(subject);
  if (found == subjects_.end()) return {};
  std::vector<SubjectVersion> versions = found->second;
  if (seen == Seen::kLive) std::erase_if(versions, [](const auto& each) { return each.deleted; });
  return versions;
}

Result<std::vector<int32_t>> MemoryRegistry::Versions(std::string_view subject) {
  std::vector<int32_t> numbers;
  for (const SubjectVersion& each : VersionsOf(subject, Seen::kLive)) {
    numbers.push_back(each.version);
  }
  return numbers;
}

std::optional<SubjectVersion> MemoryRegistry::Find(std::string_view subject, int32_t version,
                                                   Seen seen) {
  const std::lock_guard lock(mutex_);
  const auto found = subjects_.find(subject);
  if (found == subjects_.end()) return std::nullopt;
  for (auto each = found->second.rbegin(); each != found->second.rend(); ++each) {
    const bool is_it = version == kLatest || each->version == version;
    if (is_it && (seen == Seen::kAll || !each->deleted)) return *each;
  }
  return std::nullopt;
}

std::vector<SubjectVersion> MemoryRegistry::VersionsWith(int32_t id, Seen seen) {
  const std::lock_guard lock(mutex_);
  std::vector<SubjectVersion> with;
  for (const auto& [subject, versions] : subjects_) {
    for (const SubjectVersion& each : versions) {
      if (each.schema->id == id && (seen == Seen::kAll || !each.deleted)) with.push_back(each);
    }
  }
  return with;
}

std::vector<int32_t> MemoryRegistry::ReferencesTo(std::string_view subject, int32_t version) {
  const std::lock_guard lock(mutex_);
  std::vector<int32_t> ids;
  for (const auto& [id, schema] : by_id_) {
    const bool refers = std::ranges::any_of(schema->references, [&](const auto& reference) {
      return reference.subject == subject && reference.version == version;
    });
    if (refers && !VersionsWith(id, Seen::kLive).empty()) ids.push_back(id);
  }
  return ids;
}

Status MemoryRegistry::Delete(std::string_view subject, const std::vector<int32_t>& versions,
                              bool for_good) {
  const std::lock_guard lock(mutex_);
  const auto found = subjects_.find(subject);
  if (found == subjects_.end()) return OkStatus();
  const auto is_one = [&](const SubjectVersion& each) {
    return std::ranges::find(versions, each.version) != versions.end();
  };
  if (!for_good) {
    for (SubjectVersion& each : found->second) {
      if (!is_one(each) || each.deleted) continue;
      SubjectVersion deleted = each;
      deleted.deleted = true;
      if (keeper_) WEIR_RETURN_IF_ERROR(keeper_(deleted));
      each = std::move(deleted);
    }
    return OkStatus();
  }
  if (remover_) WEIR_RETURN_IF_ERROR(remover_(subject, versions, last_id_));
  std::vector<int32_t> ids;
  for (const SubjectVersion& each : found->second) {
    if (is_one(each)) ids.push_back(each.schema->id);
  }
  std::erase_if(found->second, is_one);
  if (found->second.empty()) subjects_.erase(found);
  for (const int32_t id : ids) {
    if (VersionsWith(id, Seen::kAll).empty()) by_id_.erase(id);
  }
  return OkStatus();
}

std::optional<Compatibility> MemoryRegistry::RuleOf(std::string_view subject) {
  const std::lock_guard lock(mutex_);
  const auto found = rules_.find(subject);
  if (found == rules_.end()) return std::nullopt;
  return found->second;
}

Compatibility MemoryRegistry::RuleFor(std::string_view subject) {
  if (const auto own = RuleOf(subject)) return *own;
  if (const auto of_all = RuleOf("")) return *of_all;
  return rule_ ? rule_() : Compatibility::kBackward;
}

Status MemoryRegistry::SetRule(std::string_view subject, std::optional<Compatibility> rule) {
  const std::lock_guard lock(mutex_);
  if (rule_keeper_) WEIR_RETURN_IF_ERROR(rule_keeper_(subject, rule));
  if (rule) {
    rules_[std::string(subject)] = *rule;
  } else if (const auto found = rules_.find(subject); found != rules_.end()) {
    rules_.erase(found);
  }
  return OkStatus();
}

void MemoryRegistry::RestoreRule(std::string subject, Compatibility rule) {
  const std::lock_guard lock(mutex_);
  rules_[std::move(subject)] = rule;
}

void MemoryRegistry::RestoreLastId(int32_t id) {
  const std::lock_guard lock(mutex_);
  last_id_ = std::max(last_id_, id);
}

}  // namespace weir
