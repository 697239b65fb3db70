#pragma once

// How wide a text is on a terminal, and texts cut to a width.

#include <string>
#include <string_view>

namespace weir::shell {

/// Columns of a terminal that `text` takes.
int DisplayWidth(std::string_view text);

/// `text` fit for one line of a terminal: control characters as escapes (\n, \t, \x1b), bytes that
/// are not UTF-8 as U+FFFD.
std::string Printable(std::string_view text);

/// The begin of `text`, at most `width` columns wide; a cut text ends in "…".
std::string CutToWidth(std::string_view text, int width);

}  // namespace weir::shell
