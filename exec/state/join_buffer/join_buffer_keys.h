#pragma once

// Keys of a join buffer in its store, of one letter and numbers that sort:
//   'h', a block's first ordinal: its header, once it is cold;  'r', an ordinal: rows from it on;
//   'w', time, ordinal: a row waits.

#include <cstdint>
#include <string>

#include "exec/state/row_codec.h"

namespace weir::join_keys {

inline constexpr char kHeaders = 'h';
inline constexpr char kRows = 'r';
inline constexpr char kWaiting = 'w';

/// The first key of a letter; that of the next one is behind all of them.
inline std::string First(char letter) { return std::string(1, letter); }
inline std::string End(char letter) { return std::string(1, static_cast<char>(letter + 1)); }

inline std::string Of(char letter, int64_t ordinal) {
  std::string key(1, letter);
  AppendOrdered64(ordinal, key);
  return key;
}

inline std::string Waiting(int64_t time, int64_t ordinal) {
  std::string key = Of(kWaiting, time);
  AppendOrdered64(ordinal, key);
  return key;
}

}  // namespace weir::join_keys
