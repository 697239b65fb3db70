#pragma once

// What the front end must know about text: UTF-8, code points, lines, and how names fold.

#include <cstddef>
#include <string>
#include <string_view>

#include "weir/status.h"

namespace weir {

/// Byte offset of the first byte that is not part of well-formed UTF-8, or npos.
size_t FindInvalidUtf8(std::string_view text);

/// Number of code points of well-formed UTF-8.
int CodePointCount(std::string_view text);

/// Upper case of an unquoted name: simple Unicode mapping, code point by code point.
std::string FoldName(std::string_view name);

/// Line number `line` of `text`, from 1, without its line break; empty beyond the end. This is what
/// Status::WithSourceLine wants; a planner's error gets it from the text that was executed.
std::string SourceLineAt(std::string_view text, int line);

/// `status` with the source line of its position, found in `text`, unless it has one.
Status WithSourceLineOf(Status status, std::string_view text);

}  // namespace weir
