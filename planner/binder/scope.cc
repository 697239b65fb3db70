#include "planner/binder/scope.h"

#include <algorithm>
#include <numeric>
#include <unordered_set>
#include <utility>

#include "planner/catalog/near_names.h"

namespace weir {

namespace {

/// What a quoted name that nobody has was probably meant as.
std::string QuotedHint(const ast::Identifier& name, const std::vector<std::string>& names) {
  std::string upper = name.name;
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  if (std::ranges::find(names, upper) != names.end()) {
    return "a name in quotes keeps its case; without them it is " + upper;
  }
  return "double quotes make a name; text stands in single quotes: '" + name.spelling + "'";
}

}  // namespace

bool IsSystemColumnName(std::string_view name) {
  return name == "ROWTIME" || name == "ROWPARTITION" || name == "ROWOFFSET" ||
         name == "WINDOWSTART" || name == "WINDOWEND";
}

void Scope::Add(ScopeColumn column) {
  if (!column.source.empty() && std::ranges::find(sources_, column.source) == sources_.end()) {
    sources_.push_back(column.source);
  }
  columns_.push_back(std::move(column));
}

void Scope::AddInFront(std::vector<ScopeColumn> columns) {
  std::vector<ScopeColumn> behind = std::exchange(columns_, {});
  sources_.clear();
  by_name_.clear();
  for (ScopeColumn& column : columns) Add(std::move(column));
  for (ScopeColumn& column : behind) Add(std::move(column));
}

bool Scope::HasSource(std::string_view alias) const {
  return std::ranges::find(sources_, alias) != sources_.end();
}

std::span<const int32_t> Scope::Positions(std::string_view name) const {
  const auto name_at = [this](int32_t position) -> std::string_view {
    return columns_[static_cast<size_t>(position)].name;
  };
  if (by_name_.size() != columns_.size()) {
    by_name_.resize(columns_.size());
    std::iota(by_name_.begin(), by_name_.end(), 0);
    std::ranges::stable_sort(by_name_, {}, name_at);
  }
  const auto range = std::ranges::equal_range(by_name_, name, {}, name_at);
  return {range.begin(), range.end()};
}

std::vector<const ScopeColumn*> Scope::Find(std::string_view name) const {
  std::vector<const ScopeColumn*> found;
  for (int32_t position : Positions(name)) {
    found.push_back(&columns_[static_cast<size_t>(position)]);
  }
  return found;
}

Status Scope::Unknown(const ast::ColumnRef& ref, std::string_view clause) const {
  std::vector<std::string> names;
  std::unordered_set<std::string_view> seen;
  for (const ScopeColumn& column : columns_) {
    if (ref.qualifier && column.source != ref.qualifier->name) continue;
    if (seen.insert(column.name).second) names.push_back(column.name);
  }
  std::string hint = DidYouMean(ref.column.name, names);
  if (ref.column.quoted) hint += (hint.empty() ? "" : " ") + QuotedHint(ref.column, names);
  const std::vector<std::string>& sources = Sources();
  const std::string of = ref.qualifier ? ref.qualifier->name : ListNames(sources);
  if (!names.empty()) {
    if (!hint.empty()) hint += hint.ends_with('?') ? " " : "; ";
    hint += of + (ref.qualifier || sources.size() == 1 ? " has " : " have ") + ListNames(names);
  } else if (hint.empty()) {
    hint = "no source is read here; text stands in single quotes: '" + ref.column.spelling + "'";
  }
  std::string name = ref.column.name;
  if (ref.qualifier) name = ref.qualifier->name + "." + name;
  return Status(ErrorCode::kUnknownColumn, "unknown column in " + std::string(clause) + ": " + name)
      .At(ref.column.position)
      .WithHint(std::move(hint));
}

Result<const ScopeColumn*> Scope::Resolve(const ast::ColumnRef& ref,
                                          std::string_view clause) const {
  if (ref.qualifier && !HasSource(ref.qualifier->name)) {
    const std::string& name = ref.qualifier->name;
    const bool column = !Positions(name).empty();
    return Status(ErrorCode::kUnknownSource, "no source in FROM has this name or alias: " + name)
        .At(ref.qualifier->position)
        .WithHint(column ? name + " is a column: a field of a STRUCT is written " + name + "->" +
                               ref.column.name
                         : "FROM has " + ListNames(Sources()));
  }
  const ScopeColumn* found = nullptr;
  for (int32_t position : Positions(ref.column.name)) {
    const ScopeColumn& column = columns_[static_cast<size_t>(position)];
    if (ref.qualifier ? column.source != ref.qualifier->name : column.is_merged) continue;
    if (found != nullptr) {
      return Status(ErrorCode::kAmbiguousColumn, "ambiguous column: " + ref.column.name)
          .At(ref.column.position)
          .WithHint("write " + found->source + "." + found->name + " or " + column.source + "." +
                    column.name);
    }
    found = &column;
  }
  if (found == nullptr) return Unknown(ref, clause);
  return found;
}

}  // namespace weir
