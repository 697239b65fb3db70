// String functions, and those of them that also take BYTES. Regular expressions are in
// regexp_functions.cc.

#include <algorithm>
#include <random>

#include <openssl/evp.h>

#include "base/interrupt.h"
#include "base/limits.h"
#include "base/number_text.h"
#include "exec/functions/builtin_functions.h"
#include "exec/functions/scalar/encoded_text.h"
#include "exec/functions/scalar/kernel_rows_inl.h"
#include "exec/functions/scalar/unicode_text.h"

namespace weir {
namespace {

constexpr std::string_view kCategory = "String";

/// A kernel of one text from a function that appends its result to a scratch string.
template <void (*kFunction)(std::string_view, std::string&)>
void TextKernel(const KernelCall& call, ColumnBuilder& out) {
  std::string scratch;
  ForActiveRows(call, out, [&](int32_t row) {
    scratch.clear();
    kFunction(call.args[0]->GetString(row), scratch);
    out.AppendBytes(scratch);
  });
}

void TrimKernel(const KernelCall& call, ColumnBuilder& out) {
  ForActiveRows(call, out,
                [&](int32_t row) { out.AppendBytes(TrimBlanks(call.args[0]->GetString(row))); });
}

template <bool kText>
int64_t LengthOf(std::string_view text) {
  return kText && !IsAscii(text) ? Utf16Length(text) : static_cast<int64_t>(text.size());
}

template <bool kText>
std::string_view Slice(std::string_view text, int64_t begin, int64_t end) {
  if (kText) return SliceUnits(text, begin, end);
  return text.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
}

template <bool kText>
void LengthKernel(const KernelCall& call, ColumnBuilder& out) {
  ForActiveRows(call, out, [&](int32_t row) {
    out.AppendInt32(static_cast<int32_t>(LengthOf<kText>(call.args[0]->GetString(row))));
  });
}

/// Positions count from 1, or from -1 at the end; 0 is taken as 1.
template <bool kText>
void SubstringKernel(const KernelCall& call, ColumnBuilder& out) {
  ForActiveRows(call, out, [&](int32_t row) {
    const std::string_view text = call.args[0]->GetString(row);
    const int64_t length = LengthOf<kText>(text);
    const int64_t position = GetInt(*call.args[1], row);
    const int64_t begin = position < 0 ? std::max<int64_t>(length + position, 0)
                                       : std::clamp<int64_t>(position - 1, 0, length);
    int64_t end = length;
    if (call.args.size() > 2) {
      end = std::clamp<int64_t>(begin + GetInt(*call.args[2], row), begin, length);
    }
    out.AppendBytes(Slice<kText>(text, begin, end));
  });
}

void AppendRepeated(std::string_view text, size_t times, std::string& out) {
  const size_t begin = out.size();
  const size_t bytes = times * text.size();
  if (bytes == 0) return;
  out.reserve(begin + bytes);
  out.append(text);
  while (out.size() - begin < bytes) {
    const size_t done = out.size() - begin;
    out.append(out, begin, std::min(done, bytes - done));
  }
}

/// LPAD and RPAD: null for a negative length or an empty padding.
template <bool kText, bool kLeft>
void PadKernel(const KernelCall& call, ColumnBuilder& out) {
  std::string scratch;
  ForActiveRows(call, out, [&](int32_t row) {
    const std::string_view text = call.args[0]->GetString(row);
    const std::string_view padding = call.args[2]->GetString(row);
    const int64_t target = GetInt(*call.args[1], row);
    if (target < 0 || padding.empty()) return out.AppendNull();
    const int64_t length = LengthOf<kText>(text);
    if (length >= target) return out.AppendBytes(Slice<kText>(text, 0, target));
    const int64_t unit = LengthOf<kText>(padding);
    const int64_t missing = target - length;
    const std::string_view last = Slice<kText>(padding, 0, missing % unit);
    const auto repeats = static_cast<size_t>(missing / unit);
    const size_t bytes = text.size() + repeats * padding.size() + last.size();
    if (IsTooLong(call, row, bytes)) return out.AppendNull();
    out.raw_values().Reserve(bytes);  // Before anything is filled.
    scratch.clear();
    if (!kLeft) scratch.append(text);
    AppendRepeated(padding, repeats, scratch);
    scratch.append(last);
    if (kLeft) scratch.append(text);
    out.AppendBytes(scratch);
  });
}

/// Byte offset of the n-th `wanted` at or behind `from`, or before and at it when going backwards.
size_t FindOccurrence(std::string_view text, std::string_view wanted, size_t from, bool backwards,
                      int32_t occurrence) {
  size_t at = backwards ? FindTextBackwards(text, wanted, from) : FindText(text, wanted, from);
  while (at != std::string_view::npos && --occurrence > 0) {
    CheckInterrupt();
    if (backwards && at == 0) return std::string_view::npos;
    at = backwards ? FindTextBackwards(text, wanted, at - 1) : FindText(text, wanted, at + 1);
  }
  return at;
}

void InstrKernel(const KernelCall& call, ColumnBuilder& out) {
  ForActiveRows(call, out, [&](int32_t row) {
    const std::string_view text = call.args[0]->GetString(row);
    const std::string_view wanted = call.args[1]->GetString(row);
    const int64_t position = call.args.size() > 2 ? GetInt(*call.args[2], row) : 1;
    const int32_t occurrence = call.args.size() > 3 ? GetInt(*call.args[3], row) : 1;
    const bool ascii = IsAscii(text);
    const int64_t length = ascii ? static_cast<int64_t>(text.size()) : Utf16Length(text);
    const int64_t from = position < 0 ? length + position : position - 1;
    if (position == 0 || occurrence < 1 || from < 0 || from > length) return out.AppendInt32(0);
    const size_t from_byte = ascii ? static_cast<size_t>(from) : ByteOfUnit(text, from);
    const size_t at = FindOccurrence(text, wanted, from_byte, position < 0, occurrence);
    if (at == std::string_view::npos) return out.AppendInt32(0);
    out.AppendInt32((ascii ? static_cast<int32_t>(at) : Utf16Length(text.substr(0, at))) + 1);
  });
}

void ReplaceKernel(const KernelCall& call, ColumnBuilder& out) {
  std::string scratch;
  ForActiveRows(call, out, [&](int32_t row) {
    std::string_view text = call.args[0]->GetString(row);
    const std::string_view wanted = call.args[1]->GetString(row);
    const std::string_view replacement = call.args[2]->GetString(row);
    scratch.clear();
    if (wanted.empty()) {  // As in Java: around every character.
      scratch.append(replacement);
      while (!text.empty() && scratch.size() <= limits::kMadeValueBytesMax) {
        const std::string_view character = FirstCharacter(text);
        scratch.append(character).append(replacement);
        text.remove_prefix(character.size());
      }
    } else {
      for (size_t at = FindText(text, wanted);
           at != std::string_view::npos && scratch.size() <= limits::kMadeValueBytesMax;
           at = FindText(text, wanted)) {
        scratch.append(text.substr(0, at)).append(replacement);
        text.remove_prefix(at + wanted.size());
      }
      scratch.append(text);
    }
    if (IsTooLong(call, row, scratch.size())) return out.AppendNull();
    out.AppendBytes(scratch);
  });
}

// --- CHR.

void ChrOfNumberKernel(const KernelCall& call, ColumnBuilder& out) {
  std::string scratch;
  ForActiveRows(call, out, [&](int32_t row) {
    const int32_t code_point = GetInt(*call.args[0], row);
    if (code_point < 0 || code_point > 0x10FFFF) return out.AppendNull();
    scratch.clear();
    AppendCodePoint(static_cast<uint32_t>(code_point), scratch);
    out.AppendBytes(scratch);
  });
}

/// Reads \uXXXX at the start of `text` and moves past it; -1 if there is none.
int32_t TakeUnicodeEscape(std::string_view& text) {
  if (text.size() < 6 || !text.starts_with("\\u")) return -1;
  std::string bytes;
  if (!DecodeText(text.substr(2, 4), TextEncoding::kHex, bytes) || bytes.size() != 2) return -1;
  text.remove_prefix(6);
  return static_cast<uint8_t>(bytes[0]) * 256 + static_cast<uint8_t>(bytes[1]);
}

void ChrOfTextKernel(const KernelCall& call, ColumnBuilder& out) {
  std::string scratch;
  ForActiveRows(call, out, [&](int32_t row) {
    std::string_view text = call.args[0]->GetString(row);
    scratch.clear();
    while (true) {
      int32_t unit = TakeUnicodeEscape(text);
      if (unit < 0) break;
      if (unit >= 0xD800 && unit < 0xDC00) {
        std::string_view rest = text;
        const int32_t low = TakeUnicodeEscape(rest);
        if (low >= 0xDC00 && low < 0xE000) {
          unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
          text = rest;
        }
      }
      AppendCodePoint(static_cast<uint32_t>(unit), scratch);
    }
    if (scratch.empty()) return out.AppendNull();
    out.AppendBytes(scratch.append(text));
  });
}

// --- Joining and splitting.

/// Null, with an error for the row if it counts, where the text is longer than a record.
void AppendFittingText(const KernelCall& call, int32_t row, std::string_view text,
                       ColumnBuilder& out) {
  if (text.size() <= limits::kMadeValueBytesMax) return out.AppendBytes(text);
  if (call.IsActive(row)) IsTooLong(call, row, text.size());
  out.AppendNull();
}

void ConcatKernel(const KernelCall& call, ColumnBuilder& out) {
  std::string scratch;
  for (int32_t row = 0; row < call.rows; ++row) {
    scratch.clear();
    for (const ColumnPtr& arg : call.args) {
      if (arg->IsNull(row)) continue;
      scratch.append(arg->GetString(row));
      if (scratch.size() > limits::kMadeValueBytesMax) break;
    }
    AppendFittingText(call, row, scratch, out);
  }
}

void ConcatWithSeparatorKernel(const KernelCall& call, ColumnBuilder& out) {
  std::string scratch;
  const Column& separators = *call.args[0];
  for (int32_t row = 0; row < call.rows; ++row) {
    if (separators.IsNull(row)) {
      out.AppendNull();
      continue;
    }
    scratch.clear();
    bool first = true;
    for (const ColumnPtr& arg : call.args.subspan(1)) {
      if (arg->IsNull(row)) continue;
      if (!first) scratch.append(separators.GetString(row));
      scratch.append(arg->GetString(row));
      first = false;
      if (scratch.size() > limits::kMadeValueBytesMax) break;
    }
    AppendFittingText(call, row, scratch, out);
  }
}

/// Appends the parts of `text` as one ARRAY; an empty delimiter parts every character (or byte).
template <bool kText>
void AppendSplit(std::string_view text, std::string_view delimiter, ColumnBuilder& out) {
  ColumnBuilder& parts = out.child(0);
  if (delimiter.empty() && !text.empty()) {
    while (!text.empty()) {
      const std::string_view part = kText ? FirstCharacter(text) : text.substr(0, 1);
      parts.AppendBytes(part);
      text.remove_prefix(part.size());
    }
  } else {
    size_t at = delimiter.empty() ? std::string_view::npos : FindText(text, delimiter);
    for (; at != std::string_view::npos; at = FindText(text, delimiter)) {
      parts.AppendBytes(text.substr(0, at));
      text.remove_prefix(at + delimiter.size());
    }
    parts.AppendBytes(text);
  }
  out.AppendNested();
}

template <bool kText>
void SplitKernel(const KernelCall& call, ColumnBuilder& out) {
  ForActiveRows(call, out, [&](int32_t row) {
    AppendSplit<kText>(call.args[0]->GetString(row), call.args[1]->GetString(row), out);
  });
}

std::string_view TakePart(std::string_view& rest, std::string_view delimiter, bool& last) {
  const size_t at = FindText(rest, delimiter);
  last = at == std::string_view::npos;
  const std::string_view part = rest.substr(0, at);
  rest.remove_prefix(last ? rest.size() : at + delimiter.size());
  return part;
}

/// Entries without a delimiter between key and value are left out; of equal keys the last counts.
void SplitToMapKernel(const KernelCall& call, ColumnBuilder& out) {
  std::vector<std::pair<std::string_view, std::string_view>> entries;
  DistinctIndex index;
  ForActiveRows(call, out, [&](int32_t row) {
    std::string_view rest = call.args[0]->GetString(row);
    const std::string_view between_entries = call.args[1]->GetString(row);
    const std::string_view between_pair = call.args[2]->GetString(row);
    if (between_entries.empty() || between_pair.empty()) return out.AppendNull();
    entries.clear();
    index.Clear();
    for (bool last = false; !last;) {
      std::string_view entry = TakePart(rest, between_entries, last);
      bool alone = false;
      const std::string_view key = TakePart(entry, between_pair, alone);
      if (alone) continue;
      const std::string_view value = TakePart(entry, between_pair, alone);
      const uint64_t hash = HashBytes(key);
      const int32_t same = index.Find(
          hash, static_cast<int32_t>(entries.size()),
          [&](int32_t at) { return entries[at].first == key; },
          [&](int32_t at) { return HashBytes(entries[at].first); });
      if (same >= 0) {
        entries[same].second = value;
      } else {
        entries.emplace_back(key, value);
        index.Added(hash, static_cast<int32_t>(entries.size()) - 1);
      }
    }
    for (const auto& [key, value] : entries) {
      out.child(0).AppendBytes(key);
      out.child(1).AppendBytes(value);
    }
    out.AppendNested();
  });
}

// --- ENCODE, MD5, UUID.

void EncodeKernel(const KernelCall& call, ColumnBuilder& out) {
  std::string bytes;
  std::string text;
  ForActiveRows(call, out, [&](int32_t row) {
    const auto from = EncodingNamed(call.args[1]->GetString(row));
    const auto to = EncodingNamed(call.args[2]->GetString(row));
    bytes.clear();
    text.clear();
    if (!from || !to) {
      call.Error(row, "ENCODE knows the encodings hex, utf8, ascii and base64");
      return out.AppendNull();
    }
    if (!DecodeText(call.args[0]->GetString(row), *from, bytes)) {
      call.Error(row, "the text is not in the encoding that ENCODE was told");
      return out.AppendNull();
    }
    EncodeText(bytes, *to, text);
    out.AppendBytes(text);
  });
}

void AppendMd5(std::string_view text, std::string& out) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_md5(), nullptr);
  AppendHex({reinterpret_cast<const char*>(digest), size}, false, out);
}

/// 16 bytes as 8-4-4-4-12 hex digits.
void AppendUuid(std::string_view bytes, std::string& out) {
  size_t at = 0;
  for (const size_t group : {4, 2, 2, 2, 6}) {
    if (at != 0) out.push_back('-');
    AppendHex(bytes.substr(at, group), false, out);
    at += group;
  }
}

void RandomUuidKernel(const KernelCall& call, ColumnBuilder& out) {
  thread_local std::mt19937_64 engine{std::random_device{}()};
  std::string scratch;
  for (int32_t row = 0; row < call.rows; ++row) {
    uint64_t words[2] = {engine(), engine()};
    auto* bytes = reinterpret_cast<uint8_t*>(words);
    bytes[6] = static_cast<uint8_t>((bytes[6] & 0x0F) | 0x40);  // Version 4,
    bytes[8] = static_cast<uint8_t>((bytes[8] & 0x3F) | 0x80);  // variant 1.
    scratch.clear();
    AppendUuid({reinterpret_cast<const char*>(bytes), 16}, scratch);
    out.AppendBytes(scratch);
  }
}

void UuidOfBytesKernel(const KernelCall& call, ColumnBuilder& out) {
  std::string scratch;
  ForActiveRows(call, out, [&](int32_t row) {
    const std::string_view bytes = call.args[0]->GetString(row);
    if (bytes.size() != 16) return out.AppendNull();
    scratch.clear();
    AppendUuid(bytes, scratch);
    out.AppendBytes(scratch);
  });
}

constexpr FunctionRowOf Row{kCategory};

constexpr std::string_view kConcatText = "Joins its arguments; nulls count as empty.";
constexpr std::string_view kConcatWsText =
    "Joins the arguments behind the first, which stands between them; nulls are left out.";
constexpr std::string_view kInstrText =
    "Finds a text in another: its position from 1, or 0; from a start (negative: backwards), the "
    "n-th.";
constexpr std::string_view kLenText = "Gives the length in characters (UTF-16 units), or in bytes.";
constexpr std::string_view kLpadText = "Fills up at the left to a length, or cuts to it.";
constexpr std::string_view kRpadText = "Fills up at the right to a length, or cuts to it.";
constexpr std::string_view kSplitText =
    "Splits at a delimiter; an empty one splits every character or byte.";
constexpr std::string_view kSubstringText =
    "Cuts out a part, from a position (1 is the first, -1 the last), with a length if given.";

constexpr FunctionRow kStringFunctions[] = {
    Row("CHR", "(INT) -> STRING", &ChrOfNumberKernel,
        "Gives the character of a code point, or of \\uXXXX text.", "CHR(75) = 'K'"),
    Row("CHR", "(STRING) -> STRING", &ChrOfTextKernel,
        "Gives the character of a code point, or of \\uXXXX text.", "CHR('\\u004b') = 'K'"),
    Row("CONCAT", "(STRING...) -> STRING", &ConcatKernel, kConcatText, "CONCAT('a', 'b') = 'ab'",
        Nulls::kHandle),
    Row("CONCAT", "(BYTES...) -> BYTES", &ConcatKernel, kConcatText,
        "CONCAT(TO_BYTES('a', 'utf8'), TO_BYTES('b', 'utf8')) = TO_BYTES('ab', 'utf8')",
        Nulls::kHandle),
    Row("CONCAT_WS", "(STRING, STRING...) -> STRING", &ConcatWithSeparatorKernel, kConcatWsText,
        "CONCAT_WS('-', 'a', 'b') = 'a-b'", Nulls::kHandle),
    Row("CONCAT_WS", "(BYTES, BYTES...) -> BYTES", &ConcatWithSeparatorKernel, kConcatWsText,
        "CONCAT_WS(TO_BYTES('-', 'utf8'), TO_BYTES('a', 'utf8')) = TO_BYTES('a', 'utf8')",
        Nulls::kHandle),
    Row("ENCODE", "(STRING, STRING, STRING) -> STRING", &EncodeKernel,
        "Turns a text from one encoding (hex, utf8, ascii, base64) into another.",
        "ENCODE('21', 'hex', 'utf8') = '!'"),
    Row("INITCAP", "(STRING) -> STRING", &TextKernel<&AppendInitcap>,
        "Puts the first letter of each word in upper case, the others in lower.",
        "INITCAP('the END') = 'The End'"),
    Row("INSTR", "(STRING, STRING) -> INT", &InstrKernel, kInstrText, "INSTR('floor', 'o') = 3"),
    Row("INSTR", "(STRING, STRING, INT) -> INT", &InstrKernel, kInstrText,
        "INSTR('floor', 'o', -1) = 4"),
    Row("INSTR", "(STRING, STRING, INT, INT) -> INT", &InstrKernel, kInstrText,
        "INSTR('floor', 'o', 1, 2) = 4"),
    Row("LCASE", "(STRING) -> STRING", &TextKernel<&AppendLower>, "Gives a text in lower case.",
        "LCASE('AbC') = 'abc'"),
    Row("LEN", "(STRING) -> INT", &LengthKernel<true>, kLenText, "LEN('abc') = 3"),
    Row("LEN", "(BYTES) -> INT", &LengthKernel<false>, kLenText, "LEN(TO_BYTES('21', 'hex')) = 1"),
    Row("LPAD", "(STRING, INT, STRING) -> STRING", &PadKernel<true, true>, kLpadText,
        "LPAD('foo', 5, 'Bar') = 'Bafoo'"),
    Row("LPAD", "(BYTES, INT, BYTES) -> BYTES", &PadKernel<false, true>, kLpadText,
        "LPAD(TO_BYTES('a', 'utf8'), 2, TO_BYTES('b', 'utf8')) = TO_BYTES('ba', 'utf8')"),
    Row("MD5", "(STRING) -> STRING", &TextKernel<&AppendMd5>, "Gives the MD5 digest in hex.",
        "MD5('r1') = '7c92cf1eee8d99cc85f8355a3d6e4b86'"),
    Row("REPLACE", "(STRING, STRING, STRING) -> STRING", &ReplaceKernel,
        "Replaces each occurrence of a text.", "REPLACE('anaconda', 'a', 'o') = 'onocondo'"),
    Row("RPAD", "(STRING, INT, STRING) -> STRING", &PadKernel<true, false>, kRpadText,
        "RPAD('foo', 5, 'Bar') = 'fooBa'"),
    Row("RPAD", "(BYTES, INT, BYTES) -> BYTES", &PadKernel<false, false>, kRpadText,
        "RPAD(TO_BYTES('a', 'utf8'), 2, TO_BYTES('b', 'utf8')) = TO_BYTES('ab', 'utf8')"),
    Row("SPLIT", "(STRING, STRING) -> ARRAY<STRING>", &SplitKernel<true>, kSplitText,
        "SPLIT('a.b', '.') = ARRAY['a', 'b']"),
    Row("SPLIT", "(BYTES, BYTES) -> ARRAY<BYTES>", &SplitKernel<false>, kSplitText,
        "ARRAY_LENGTH(SPLIT(TO_BYTES('a.b', 'utf8'), TO_BYTES('.', 'utf8'))) = 2"),
    Row("SPLIT_TO_MAP", "(STRING, STRING, STRING) -> MAP<STRING, STRING>", &SplitToMapKernel,
        "Splits a text into entries and these into key and value; the last of equal keys counts.",
        "SPLIT_TO_MAP('a:1/b:2', '/', ':')['b'] = '2'"),
    Row("SUBSTRING", "(STRING, INT) -> STRING", &SubstringKernel<true>, kSubstringText,
        "SUBSTRING('stream', 4) = 'eam'"),
    Row("SUBSTRING", "(STRING, INT, INT) -> STRING", &SubstringKernel<true>, kSubstringText,
        "SUBSTRING('stream', -3, 2) = 'ea'"),
    Row("SUBSTRING", "(BYTES, INT) -> BYTES", &SubstringKernel<false>, kSubstringText,
        "SUBSTRING(TO_BYTES('ab', 'utf8'), 2) = TO_BYTES('b', 'utf8')"),
    Row("SUBSTRING", "(BYTES, INT, INT) -> BYTES", &SubstringKernel<false>, kSubstringText,
        "SUBSTRING(TO_BYTES('abc', 'utf8'), 2, 1) = TO_BYTES('b', 'utf8')"),
    Row("TRIM", "(STRING) -> STRING", &TrimKernel, "Takes the blanks off both ends.",
        "TRIM('  a ') = 'a'"),
    Row("UCASE", "(STRING) -> STRING", &TextKernel<&AppendUpper>, "Gives a text in upper case.",
        "UCASE('AbC') = 'ABC'"),
    {.name = "UUID",
     .signature = "() -> STRING",
     .kernel = &RandomUuidKernel,
     .deterministic = false,
     .category = kCategory,
     .text = "Makes a random UUID, or writes 16 bytes as one.",
     .example = "LEN(UUID()) = 36"},
    Row("UUID", "(BYTES) -> STRING", &UuidOfBytesKernel,
        "Makes a random UUID, or writes 16 bytes as one.",
        "UUID(TO_BYTES('00112233445566778899aabbccddeeff', 'hex')) = "
        "'00112233-4455-6677-8899-aabbccddeeff'"),
};

}  // namespace

std::span<const FunctionRow> StringFunctions() { return kStringFunctions; }

}  // namespace weir
