#include "exec/formats/json/json_text.h"

#include <charconv>
#include <cmath>
#include <cstring>

#include "base/decimal.h"
#include "base/number_text.h"
#include "exec/formats/base64.h"
#include "exec/formats/format.h"

namespace weir {
namespace {

constexpr char kHexDigits[] = "0123456789ABCDEF";

/// Bytes of the word that need an escape (below 0x20, quote, backslash) have their top bit set.
uint64_t NeedsEscape(uint64_t word) {
  constexpr uint64_t kOnes = 0x0101010101010101u;
  constexpr uint64_t kTops = 0x8080808080808080u;
  auto has_zero = [](uint64_t w) { return (w - kOnes) & ~w & kTops; };
  const uint64_t control = (word - kOnes * 0x20) & ~word & kTops;
  return control | has_zero(word ^ (kOnes * '"')) | has_zero(word ^ (kOnes * '\\'));
}

char* WriteEscaped(char c, char* to) {
  *to++ = '\\';
  switch (c) {
    case '"':
    case '\\': *to++ = c; return to;
    case '\b': *to++ = 'b'; return to;
    case '\f': *to++ = 'f'; return to;
    case '\n': *to++ = 'n'; return to;
    case '\r': *to++ = 'r'; return to;
    case '\t': *to++ = 't'; return to;
    default:
      std::memcpy(to, "u00", 3);
      to[3] = kHexDigits[static_cast<uint8_t>(c) >> 4];
      to[4] = kHexDigits[c & 15];
      return to + 5;
  }
}

char* WriteByte(char c, char* to) {
  if (static_cast<uint8_t>(c) >= 0x20 && c != '"' && c != '\\') {
    *to++ = c;
    return to;
  }
  return WriteEscaped(c, to);
}

template <typename Write>
void AppendWritten(size_t room, BufferBuilder& out, Write write) {
  out.Reserve(room);
  char* begin = reinterpret_cast<char*>(out.data() + out.size());
  out.Resize(out.size() + static_cast<size_t>(write(begin) - begin));
}

void AppendRaw(std::string_view text, BufferBuilder& out) { out.Append(text.data(), text.size()); }

/// A MAP's key as the name of a field.
void AppendJsonKey(const Column& keys, int32_t row, BufferBuilder& out) {
  if (keys.type().is(TypeKind::kString)) {
    AppendJsonString(keys.GetString(row), out);
    return;
  }
  AppendJsonString(keys.ToText(row), out);
}

void AppendJsonNested(const Column& column, int32_t row, BufferBuilder& out) {
  const DataType& type = column.type();
  if (type.is(TypeKind::kStruct)) {
    const auto fields = type.fields();
    AppendRaw("{", out);
    for (size_t i = 0; i < fields.size(); ++i) {
      if (i != 0) AppendRaw(",", out);
      AppendJsonString(fields[i].name, out);
      AppendRaw(":", out);
      AppendJsonValue(*column.child(static_cast<int>(i)), row, out);
    }
    AppendRaw("}", out);
    return;
  }
  const bool map = type.is(TypeKind::kMap);
  const int32_t* offsets = column.offsets();
  AppendRaw(map ? "{" : "[", out);
  for (int32_t i = offsets[row]; i < offsets[row + 1]; ++i) {
    if (i != offsets[row]) AppendRaw(",", out);
    if (map) {
      AppendJsonKey(*column.child(0), i, out);
      AppendRaw(":", out);
    }
    AppendJsonValue(*column.child(map ? 1 : 0), i, out);
  }
  AppendRaw(map ? "}" : "]", out);
}

}  // namespace

void AppendJsonString(std::string_view text, BufferBuilder& out) {
  // Each byte takes six at most; words are stored whole and then partly written over.
  out.Reserve(text.size() * 6 + 2 + 8);
  char* const start = reinterpret_cast<char*>(out.data() + out.size());
  char* to = start;
  *to++ = '"';
  const char* from = text.data();
  const char* const end = from + text.size();
  while (end - from >= 8) {
    uint64_t word;
    std::memcpy(&word, from, 8);
    if (NeedsEscape(word) == 0) {
      std::memcpy(to, from, 8);
      to += 8;
      from += 8;
    } else {
      for (int i = 0; i < 8; ++i) to = WriteByte(*from++, to);
    }
  }
  if (const auto left = end - from; left > 0 && text.size() >= 8) {
    // The last word overlaps what is written, which stays as it was where it needs no escape.
    uint64_t word;
    std::memcpy(&word, end - 8, 8);
    if (NeedsEscape(word) == 0) {
      std::memcpy(to - (8 - left), end - 8, 8);
      to += left;
      from = end;
    }
  }
  while (from < end) to = WriteByte(*from++, to);
  *to++ = '"';
  out.Resize(out.size() + static_cast<size_t>(to - start));
}

char* WriteJsonInteger(int64_t value, char* to) { return std::to_chars(to, to + 20, value).ptr; }

char* WriteJsonDouble(double value, char* to) {
  const double size = std::fabs(value);
  if (size >= 1e-3 && size < 1e7) {
    // Most doubles in records are short decimals. If n / 1000 gives the double back and n has at
    // most 15 digits, n / 1000 is its shortest text: no two such decimals share a double.
    const auto thousandths = static_cast<uint64_t>(static_cast<int64_t>(size * 1000 + 0.5));
    if (static_cast<double>(static_cast<int64_t>(thousandths)) / 1000 == size) {
      if (value < 0) *to++ = '-';
      to = std::to_chars(to, to + 20, thousandths / 1000).ptr;
      const auto fraction = static_cast<int>(thousandths % 1000);
      to[0] = '.';
      to[1] = static_cast<char>('0' + fraction / 100);
      to[2] = static_cast<char>('0' + fraction / 10 % 10);
      to[3] = static_cast<char>('0' + fraction % 10);
      return to + (fraction % 10 != 0 ? 4 : fraction % 100 != 0 ? 3 : 2);
    }
  }
  if (!std::isfinite(value)) {
    *to++ = '"';
    to += FormatJavaDouble(value, to);
    *to++ = '"';
    return to;
  }
  return to + FormatJavaDouble(value, to);
}

void AppendJsonValue(const Column& column, int32_t row, BufferBuilder& out) {
  if (column.IsNull(row)) return AppendRaw("null", out);
  switch (column.type().kind()) {
    case TypeKind::kNull: return AppendRaw("null", out);
    case TypeKind::kBoolean: return AppendRaw(column.GetBool(row) ? "true" : "false", out);
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kTime: {
      const int32_t value = column.values<int32_t>()[static_cast<size_t>(row)];
      return AppendWritten(20, out, [&](char* to) { return WriteJsonInteger(value, to); });
    }
    case TypeKind::kBigint:
    case TypeKind::kTimestamp: {
      const int64_t value = column.values<int64_t>()[static_cast<size_t>(row)];
      return AppendWritten(20, out, [&](char* to) { return WriteJsonInteger(value, to); });
    }
    case TypeKind::kDouble: {
      const double value = column.values<double>()[static_cast<size_t>(row)];
      return AppendWritten(kDoubleTextMax + 2, out,
                           [&](char* to) { return WriteJsonDouble(value, to); });
    }
    case TypeKind::kDecimal: {
      const Int128 value = ToInt128(column.values<Decimal128>()[static_cast<size_t>(row)]);
      return AppendWritten(kDecimalTextMax, out, [&](char* to) {
        return to + FormatDecimal(value, column.type().scale(), to);
      });
    }
    case TypeKind::kString: return AppendJsonString(column.GetString(row), out);
    case TypeKind::kBytes:
      AppendRaw("\"", out);
      AppendBase64(column.GetString(row), out);
      return AppendRaw("\"", out);
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kStruct: return AppendJsonNested(column, row, out);
  }
}

}  // namespace weir
