#include "planner/catalog/near_names.h"

#include <algorithm>

#include "parser/diagnostic.h"

namespace weir {
std::string DidYouMean(std::string_view name, std::span<const std::string> names) {
  const std::string* best = nullptr;
  int best_distance = static_cast<int>(std::max<size_t>(1, name.size() / 3)) + 1;
  for (const std::string& candidate : names) {
    const int distance = EditDistance(name, candidate);
    // A name of which every letter would change is not near.
    const bool shares = distance < static_cast<int>(std::max(name.size(), candidate.size()));
    if (shares && distance < best_distance) {
      best_distance = distance;
      best = &candidate;
    }
  }
  return best == nullptr ? std::string() : "did you mean " + *best + "?";
}

std::string DidYouMeanPart(std::string_view name, std::span<const std::string> names) {
  std::string hint = DidYouMean(name, names);
  if (!hint.empty()) return hint;
  const std::string part = "_" + std::string(name);
  for (const std::string& candidate : names) {
    if (candidate.ends_with(part)) hint = "did you mean " + candidate + "?";
  }
  return hint;
}

std::string ListNames(std::span<const std::string> names, size_t limit) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i == limit) return text + ", …";
    if (i > 0) text += ", ";
    text += names[i];
  }
  return text;
}

}  // namespace weir
