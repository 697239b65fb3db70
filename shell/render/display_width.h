#pragma once

// How wide a text is on a terminal, texts cut to a width, and texts made safe to show: what data
// holds must not move the cursor, change the title or turn the order of the letters around it.

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::shell {

/// Columns of a terminal that `text` takes.
int DisplayWidth(std::string_view text);

/// How characters that do not belong on a terminal are written: control characters (C0, C1, DEL),
/// format characters (marks of direction, what has no width), separators of lines and paragraphs.
enum class Escape : uint8_t {
  kOneLine,  ///< \n, \t, \x1b, \u202e, \U000e0041: for a cell of a table.
  kLines,    ///< The same, but line breaks and tabs stay: for text of several lines.
  kJson,     ///< As in a JSON string (\u001b); line breaks between values stay.
};
/// `text` fit for a terminal. Bytes that are not UTF-8 become U+FFFD.
std::string SafeText(std::string_view text, Escape escape);
/// SafeText(text, Escape::kOneLine).
std::string Printable(std::string_view text);

/// The begin of `text`, at most `width` columns wide; a cut text ends in "…".
std::string CutToWidth(std::string_view text, int width);

}  // namespace weir::shell
