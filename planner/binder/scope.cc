#include "planner/binder/scope.h"

#include <algorithm>

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

std::vector<std::string> Scope::Sources() const {
  std::vector<std::string> sources;
  for (const ScopeColumn& column : columns_) {
    if (!column.source.empty() && std::ranges::find(sources, column.source) == sources.end()) {
      sources.push_back(column.source);
    }
  }
  return sources;
}

bool Scope::HasSource(std::string_view alias) const {
  return std::ranges::any_of(columns_,
                             [&](const ScopeColumn& column) { return column.source == alias; });
}

std::vector<const ScopeColumn*> Scope::Find(std::string_view name) const {
  std::vector<const ScopeColumn*> found;
  for (const ScopeColumn& column : columns_) {
    if (column.name == name) found.push_back(&column);
  }
  return found;
}

Status Scope::Unknown(const ast::ColumnRef& ref, std::string_view clause) const {
  std::vector<std::string> names;
  for (const ScopeColumn& column : columns_) {
    if (ref.qualifier && column.source != ref.qualifier->name) continue;
    if (std::ranges::find(names, column.name) == names.end()) names.push_back(column.name);
  }
  std::string hint = DidYouMean(ref.column.name, names);
  if (hint.empty() && ref.column.quoted) hint = QuotedHint(ref.column, names);
  const std::vector<std::string> sources = Sources();
  const std::string of = ref.qualifier ? ref.qualifier->name : ListNames(sources);
  if (!names.empty()) {
    if (!hint.empty()) hint += hint.ends_with('?') ? " " : "; ";
    hint += of + (ref.qualifier || sources.size() == 1 ? " has " : " have ") + ListNames(names);
  } else if (hint.empty()) {
    hint = "no source is read here; text stands in single quotes: '" + ref.column.spelling + "'";
  }
  std::string name = ref.column.name;
  if (ref.qualifier) name = ref.qualifier->name + "." + name;
  return Status(ErrorCode::kUnknownColumn,
                "unknown column in " + std::string(clause) + ": " + name)
      .At(ref.column.position)
      .WithHint(std::move(hint));
}

Result<const ScopeColumn*> Scope::Resolve(const ast::ColumnRef& ref,
                                          std::string_view clause) const {
  if (ref.qualifier && !HasSource(ref.qualifier->name)) {
    return Status(ErrorCode::kUnknownSource,
                  "no source in FROM has this name or alias: " + ref.qualifier->name)
        .At(ref.qualifier->position)
        .WithHint("FROM has " + ListNames(Sources()));
  }
  const ScopeColumn* found = nullptr;
  for (const ScopeColumn& column : columns_) {
    if (column.name != ref.column.name) continue;
    if (ref.qualifier && column.source != ref.qualifier->name) continue;
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
