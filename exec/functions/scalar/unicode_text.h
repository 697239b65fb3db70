#pragma once

// UTF-8 text counted in UTF-16 units, as Java and so ksqlDB count, and its letters' cases. A
// position inside a surrogate pair means the start of its character.

#include <cstdint>
#include <string>
#include <string_view>

namespace weir {

/// Whether all bytes are below 128; then units, characters and bytes are the same.
bool IsAscii(std::string_view text);
/// Length in UTF-16 units.
int32_t Utf16Length(std::string_view text);
/// Byte at which unit number `unit` (from 0) starts; text.size() past the end.
size_t ByteOfUnit(std::string_view text, int64_t unit);
/// Units [begin, end) of `text`; both within its length.
std::string_view SliceUnits(std::string_view text, int64_t begin, int64_t end);
/// The first place of `wanted` at or behind `from`, and the last one at or before it, as
/// std::string_view's find and rfind; in linear time, and interruptible.
size_t FindText(std::string_view text, std::string_view wanted, size_t from = 0);
size_t FindTextBackwards(std::string_view text, std::string_view wanted, size_t from);
/// The first character (1 to 4 bytes); malformed bytes count as one each. Requires text not empty.
std::string_view FirstCharacter(std::string_view text);
/// Its code point, U+FFFD where malformed.
uint32_t CodePointOf(std::string_view character);
/// Appends a code point as UTF-8; lone surrogates and values past U+10FFFF become '?'.
void AppendCodePoint(uint32_t code_point, std::string& out);
/// Appends `text` with malformed bytes replaced by U+FFFD.
void AppendValidUtf8(std::string_view text, std::string& out);

void AppendUpper(std::string_view text, std::string& out);
void AppendLower(std::string_view text, std::string& out);
/// The first letter of each word (as parted by white space) upper, the others lower.
void AppendInitcap(std::string_view text, std::string& out);

enum class CharacterClass : uint8_t { kUpper, kLower, kDigit, kOther };
CharacterClass ClassOf(uint32_t code_point);

}  // namespace weir
