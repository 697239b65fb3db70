#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "planner/physical/lower.h"
#include "planner/physical/state_signature.h"

namespace weir {
namespace {

/// Whether the state of one store can be another's. A result may get columns at its end.
bool CanTake(const StoreSignature& kept, const StoreSignature& made) {
  if (kept.kind != made.kind || kept.text != made.text) return false;
  if (made.kind != physical::StoreKind::kView) return kept.values == made.values;
  return kept.values.size() <= made.values.size() &&
         std::equal(kept.values.begin(), kept.values.end(), made.values.begin());
}

std::string Described(const StoreSignature& store) {
  std::string text = fmt::format("{} ({}", store.store, store.text);
  if (!store.values.empty()) text += fmt::format(": {}", fmt::join(store.values, ", "));
  return text + ")";
}

}  // namespace

StateMatch CompareSignatures(const StateSignature& kept, const StateSignature& made) {
  StateMatch match;
  if (kept.reads != made.reads) {
    match.differs.push_back(fmt::format("it reads {} in place of {}", fmt::join(made.reads, ", "),
                                        fmt::join(kept.reads, ", ")));
  }
  std::vector<bool> taken(kept.stores.size(), false);
  for (const StoreSignature& store : made.stores) {
    size_t found = 0;
    while (found < kept.stores.size() && (taken[found] || !CanTake(kept.stores[found], store))) {
      ++found;
    }
    if (found == kept.stores.size()) {
      match.differs.push_back("it would keep " + Described(store));
      continue;
    }
    taken[found] = true;
    match.names[store.store] = kept.stores[found].store;
  }
  for (size_t i = 0; i < kept.stores.size(); ++i) {
    if (!taken[i]) match.differs.push_back("it keeps " + Described(kept.stores[i]));
  }
  match.equal = match.differs.empty();
  return match;
}

uint64_t SignatureHash(const StateSignature& signature) {
  std::string text = fmt::format("reads {}\n", fmt::join(signature.reads, ", "));
  for (const StoreSignature& store : signature.stores) text += Described(store) + "\n";
  return StableHash(text);
}

}  // namespace weir
