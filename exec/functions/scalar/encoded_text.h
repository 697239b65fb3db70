#pragma once

// Bytes as text and back: hex, utf8, ascii and base64.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir {

enum class TextEncoding : uint8_t { kHex, kUtf8, kAscii, kBase64 };

/// By name, in any case; nothing for other names.
std::optional<TextEncoding> EncodingNamed(std::string_view name);

/// The bytes that `text` stands for; false if it is not in this encoding. Hex may be written 0x… or
/// X'…'; characters that ASCII lacks become '?'.
bool DecodeText(std::string_view text, TextEncoding encoding, std::string& bytes);

/// `bytes` as text; what is not valid in the encoding becomes U+FFFD. Hex in lower case.
void EncodeText(std::string_view bytes, TextEncoding encoding, std::string& text);

/// Hex digits of `bytes`, appended.
void AppendHex(std::string_view bytes, bool upper, std::string& out);

}  // namespace weir
