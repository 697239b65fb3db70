#pragma once

// What the kept state of a plan depends on: of each store what decides its bytes, and the path of
// exchanges by which rows come to it. Two plans with equal signatures may go on from each other's
// state. Names of columns that are not stored, columns that nobody reads, how the plan is put
// together, how records are decoded and written, filters and the grace of windows are no part of
// it: they say what will come, not what is there.

#include <cstdint>
#include <string>
#include <vector>

#include "planner/physical/plan_text.h"

namespace weir {

struct StoreSignature {
  std::string store;  ///< Its name, which is no part of the signature.
  physical::StoreKind kind;
  std::string text;                 ///< All but the values.
  std::vector<std::string> values;  ///< Each with its type and how it comes from the sources.
  int layout = 1;
};

struct StateSignature {
  std::vector<std::string> reads;  ///< Sources whose positions are kept, and their topics; sorted.
  std::vector<StoreSignature> stores;
  /// The rows that each exchange hands on. No part of what is compared: it counts only where they
  /// lie in a topic, which plans of several copies write and read.
  std::vector<std::string> sends;
};

StateSignature SignatureOf(const physical::Node& root);

/// How the state that `kept` describes fits a plan with `made`.
struct StateMatch {
  bool equal = true;
  StoreNames names;                  ///< Of the plan's stores, those that hold the kept state.
  std::vector<std::string> differs;  ///< In words, one a store or topic.
};
StateMatch CompareSignatures(const StateSignature& kept, const StateSignature& made);

/// A number that changes with the signature, names of stores included.
uint64_t SignatureHash(const StateSignature& signature);

}  // namespace weir
