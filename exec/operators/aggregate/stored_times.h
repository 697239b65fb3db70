#pragma once

// How far the windows of an aggregate are: a few named times in a store of their own.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "exec/state/row_codec.h"
#include "exec/state/state_store.h"

namespace weir {

inline void SaveTimes(StateStore& store,
                      std::initializer_list<std::pair<std::string_view, int64_t>> times) {
  std::string value;
  for (const auto& [name, time] : times) {
    value.clear();
    AppendOrdered64(time, value);
    store.Put(name, value);
  }
}

/// Those that are not stored keep what they are.
inline Status LoadTimes(const StateStore& store,
                        std::initializer_list<std::pair<std::string_view, int64_t*>> times) {
  return store.Scan("", "", [&](std::string_view key, std::string_view value) {
    int64_t stored = 0;
    if (!ReadOrdered64(value, stored)) return true;
    for (const auto& [name, time] : times) {
      if (key == name) *time = stored;
    }
    return true;
  });
}

}  // namespace weir
