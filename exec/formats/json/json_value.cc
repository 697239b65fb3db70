#include "exec/formats/json/json_value.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/limits.h"
#include "base/time_text.h"
#include "exec/formats/base64.h"
#include "exec/formats/json/number_scan.h"
#include "exec/functions/scalar/unicode_text.h"
#include "parser/source_text.h"

namespace weir {
namespace {

constexpr size_t kShownBytesMax = 40;

bool IsBlank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

bool IsLiteral(const char* begin, const char* end, std::string_view literal) {
  return static_cast<size_t>(end - begin) == literal.size() &&
         std::memcmp(begin, literal.data(), literal.size()) == 0;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool TakeHex4(std::string_view raw, size_t at, uint32_t& unit) {
  if (at + 4 > raw.size()) return false;
  unit = 0;
  for (size_t i = at; i < at + 4; ++i) {
    const int digit = HexDigit(raw[i]);
    if (digit < 0) return false;
    unit = unit * 16 + static_cast<uint32_t>(digit);
  }
  return true;
}

/// Takes the \u escape whose digits begin at `at`, with its second half if it is a pair; returns
/// the position after it, or npos.
size_t TakeUnicodeEscape(std::string_view raw, size_t at, std::string& out) {
  uint32_t code = 0;
  if (!TakeHex4(raw, at, code)) return std::string_view::npos;
  at += 4;
  if (code >= 0xD800 && code < 0xDC00) {
    uint32_t low = 0;
    if (at + 6 <= raw.size() && raw[at] == '\\' && raw[at + 1] == 'u' &&
        TakeHex4(raw, at + 2, low) && low >= 0xDC00 && low < 0xE000) {
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
      at += 6;
    } else {
      code = 0xFFFD;
    }
  } else if (code >= 0xDC00 && code < 0xE000) {
    code = 0xFFFD;
  }
  AppendCodePoint(code, out);
  return at;
}

char SimpleEscape(char c) {
  switch (c) {
    case '"':
    case '\\':
    case '/': return c;
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return 0;
  }
}

/// The inside of the key whose quote is at *at; the colon follows. False if it is no such key.
bool KeyText(const JsonCursor& cursor, const uint32_t* at, std::string_view& key) {
  if (at + 1 >= cursor.stop || cursor.base[*at] != '"' || cursor.base[at[1]] != ':') return false;
  const char* begin = cursor.base + *at + 1;
  const char* end = ScalarEnd(cursor, at);
  if (end <= begin || end[-1] != '"') return false;
  key = {begin, static_cast<size_t>(end - 1 - begin)};
  return true;
}

bool FitsInt32(int64_t value) {
  return value >= std::numeric_limits<int32_t>::min() &&
         value <= std::numeric_limits<int32_t>::max();
}

/// Whether two of the texts from row `first` on are equal.
bool HasEqualTexts(ColumnBuilder& texts, int32_t first) {
  const int32_t count = texts.length() - first;
  if (count < 2) return false;
  const char* bytes = reinterpret_cast<const char*>(texts.raw_values().data());
  const int32_t* offsets = texts.raw_offsets().as<int32_t>() + first;
  const auto text = [&](int32_t i) {
    return std::string_view(bytes + offsets[i], static_cast<size_t>(offsets[i + 1] - offsets[i]));
  };
  constexpr int32_t kComparedOneByOne = 8;
  if (count <= kComparedOneByOne) {
    for (int32_t i = 1; i < count; ++i) {
      for (int32_t j = 0; j < i; ++j) {
        if (text(i) == text(j)) return true;
      }
    }
    return false;
  }
  std::unordered_set<std::string_view> seen;
  for (int32_t i = 0; i < count; ++i) {
    if (!seen.insert(text(i)).second) return true;
  }
  return false;
}

}  // namespace

JsonPlan::JsonPlan(DataType column_type) : kind(column_type.kind()), type(column_type) {
  switch (kind) {
    case TypeKind::kArray: children.emplace_back(type.element()); break;
    case TypeKind::kMap:
      children.emplace_back(type.key());
      children.emplace_back(type.element());
      break;
    case TypeKind::kStruct:
      for (const auto& field : type.fields()) {
        children.emplace_back(field.type);
        names.push_back(field.name);
      }
      break;
    default: break;
  }
}

bool EqualsUpperCased(std::string_view name, std::string_view wanted) {
  const auto is_ascii = [](char c) { return static_cast<signed char>(c) >= 0; };
  if (!std::all_of(wanted.begin(), wanted.end(), is_ascii)) return FoldName(name) == wanted;
  if (name.size() != wanted.size()) return false;
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if ((c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c) != wanted[i]) return false;
  }
  return true;
}

bool UnescapeJson(std::string_view raw, std::string& out) {
  out.clear();
  size_t at = 0;
  while (at < raw.size()) {
    const size_t next = raw.find('\\', at);
    if (next == std::string_view::npos) break;
    out.append(raw, at, next - at);
    if (next + 1 >= raw.size()) return false;
    if (raw[next + 1] == 'u') {
      at = TakeUnicodeEscape(raw, next + 2, out);
      if (at == std::string_view::npos) return false;
    } else {
      const char c = SimpleEscape(raw[next + 1]);
      if (c == 0) return false;
      out.push_back(c);
      at = next + 2;
    }
  }
  out.append(raw.substr(at));
  return true;
}

const char* ScalarEnd(const JsonCursor& cursor, const uint32_t* at) {
  const char* begin = cursor.base + *at;
  const char* end = cursor.base + (at + 1 < cursor.stop ? at[1] : cursor.end);
  while (end > begin && IsBlank(end[-1])) --end;
  return end;
}

const uint32_t* SkipJsonValue(const JsonCursor& cursor, const uint32_t* at) {
  if (at >= cursor.stop) return nullptr;
  int depth = 0;
  do {
    const char c = cursor.base[*at];
    if (c == '{' || c == '[') {
      if (++depth > limits::kValueDepthMax) return nullptr;
    } else if (c == '}' || c == ']') {
      if (--depth < 0) return nullptr;
    } else if (depth == 0 && (c == ',' || c == ':')) {
      return nullptr;
    }
    ++at;
  } while (depth > 0 && at < cursor.stop);
  return depth == 0 ? at : nullptr;
}

const uint32_t* CheckJsonValue(const JsonCursor& cursor, const uint32_t* at, int depth) {
  if (at >= cursor.stop || depth > limits::kValueDepthMax) return nullptr;
  const char* begin = cursor.base + *at;
  const char* end = ScalarEnd(cursor, at);
  const bool object = *begin == '{';
  if (!object && *begin != '[') {
    ScannedNumber number;
    std::string text;
    const bool fits =
        *begin == '"' ? end - begin >= 2 && end[-1] == '"' &&
                            UnescapeJson({begin + 1, static_cast<size_t>(end - begin - 2)}, text)
                      : IsLiteral(begin, end, "true") || IsLiteral(begin, end, "false") ||
                            IsLiteral(begin, end, "null") || ScanNumber(begin, end, false, number);
    return fits ? at + 1 : nullptr;
  }
  const char close = object ? '}' : ']';
  if (++at < cursor.stop && cursor.base[*at] == close) return at + 1;
  while (at < cursor.stop) {
    if (object) {
      std::string_view key;
      std::string text;
      if (!KeyText(cursor, at, key) || !UnescapeJson(key, text)) return nullptr;
      at += 2;
    }
    at = CheckJsonValue(cursor, at, depth + 1);
    if (at == nullptr || at >= cursor.stop) return nullptr;
    const char c = cursor.base[*at++];
    if (c == close) return at;
    if (c != ',') return nullptr;
  }
  return nullptr;
}

bool JsonValueReader::Misfit(const JsonPlan& plan, const char* begin, const char* end) {
  const auto length = static_cast<size_t>(end > begin ? end - begin : 0);
  error_ = "no " + plan.type.ToString() + ": ";
  error_.append(begin, std::min(length, kShownBytesMax));
  if (length > kShownBytesMax) error_ += "…";
  return false;
}

const uint32_t* JsonValueReader::Read(const JsonPlan& plan, const JsonCursor& cursor,
                                      const uint32_t* at, ColumnBuilder& out) {
  if (at >= cursor.stop) {
    error_ = "a value is missing";
    return nullptr;
  }
  const char first = cursor.base[*at];
  if (first == '{' || first == '[') {
    switch (plan.kind) {
      case TypeKind::kString: return ReadAsText(cursor, at, out);
      case TypeKind::kArray:
        if (first == '[') return ReadArray(plan, cursor, at, out);
        break;
      case TypeKind::kMap:
        if (first == '{') return ReadMap(plan, cursor, at, out);
        break;
      case TypeKind::kStruct:
        if (first == '{') return ReadStruct(plan, cursor, at, out);
        break;
      default: break;
    }
    Misfit(plan, cursor.base + *at, cursor.base + cursor.end);
    return nullptr;
  }
  return ReadScalar(plan, cursor.base + *at, ScalarEnd(cursor, at), out) ? at + 1 : nullptr;
}

bool JsonValueReader::ReadScalar(const JsonPlan& plan, const char* begin, const char* end,
                                 ColumnBuilder& out) {
  if (begin >= end) return Misfit(plan, begin, end);
  switch (*begin) {
    case '"': return ReadString(plan, begin, end, out);
    case 't':
    case 'f': {
      const bool value = *begin == 't';
      if (!IsLiteral(begin, end, value ? "true" : "false")) break;
      if (plan.kind == TypeKind::kBoolean) {
        out.AppendBool(value);
        return true;
      }
      if (plan.kind != TypeKind::kString) break;
      out.AppendBytes({begin, static_cast<size_t>(end - begin)});
      return true;
    }
    case 'n':
      if (!IsLiteral(begin, end, "null")) break;
      out.AppendNull();
      return true;
    default: return ReadNumber(plan, begin, end, false, out);
  }
  return Misfit(plan, begin, end);
}

bool JsonValueReader::ReadNumber(const JsonPlan& plan, const char* begin, const char* end,
                                 bool quoted, ColumnBuilder& out) {
  ScannedNumber number;
  if (!ScanNumber(begin, end, quoted, number)) return Misfit(plan, begin, end);
  int64_t integer = 0;
  switch (plan.kind) {
    case TypeKind::kDouble: out.AppendDouble(ToDouble(number, begin, end)); return true;
    case TypeKind::kInt:
      if (quoted && !number.integral) break;
      if (!ToInt64(number, begin, end, integer) || !FitsInt32(integer)) break;
      out.AppendInt32(static_cast<int32_t>(integer));
      return true;
    case TypeKind::kBigint:
    case TypeKind::kTimestamp:
      if (quoted && !number.integral) break;
      if (!ToInt64(number, begin, end, integer)) break;
      out.AppendInt64(integer);
      return true;
    case TypeKind::kDate:
      if (!ToInt64(number, begin, end, integer) || !FitsInt32(integer)) break;
      out.AppendInt32(static_cast<int32_t>(integer));
      return true;
    case TypeKind::kTime:
      if (!ToInt64(number, begin, end, integer) || integer < 0 || integer >= kMillisPerDay) break;
      out.AppendInt32(static_cast<int32_t>(integer));
      return true;
    case TypeKind::kDecimal: {
      Int128 decimal = 0;
      if (!ToDecimal(begin, end, plan.type.precision(), plan.type.scale(), decimal)) break;
      out.AppendDecimal(decimal);
      return true;
    }
    case TypeKind::kString: out.AppendBytes({begin, static_cast<size_t>(end - begin)}); return true;
    default: break;
  }
  return Misfit(plan, begin, end);
}

bool JsonValueReader::ReadString(const JsonPlan& plan, const char* begin, const char* end,
                                 ColumnBuilder& out) {
  if (end - begin < 2 || end[-1] != '"') return Misfit(plan, begin, end);
  std::string_view text(begin + 1, static_cast<size_t>(end - begin - 2));
  if (std::memchr(text.data(), '\\', text.size()) != nullptr) {
    if (!UnescapeJson(text, scratch_)) return Misfit(plan, begin, end);
    text = scratch_;
  }
  if (plan.kind == TypeKind::kString) {
    out.AppendBytes(text);
    return true;
  }
  return ReadText(plan, text, out) || Misfit(plan, begin, end);
}

/// A value that is no VARCHAR but stands in a string.
bool JsonValueReader::ReadText(const JsonPlan& plan, std::string_view text, ColumnBuilder& out) {
  const char* begin = text.data();
  const char* end = begin + text.size();
  ScannedNumber number;
  switch (plan.kind) {
    case TypeKind::kBytes: {
      std::string bytes;
      if (!DecodeBase64(text, bytes)) return false;
      out.AppendBytes(bytes);
      return true;
    }
    case TypeKind::kDouble: {
      double value = 0;
      if (!ParseDoubleText(text, value)) return false;
      out.AppendDouble(value);
      return true;
    }
    case TypeKind::kInt:
    case TypeKind::kBigint:
    case TypeKind::kDecimal: return ReadNumber(plan, begin, end, true, out);
    case TypeKind::kDate:
    case TypeKind::kTime: {
      if (ScanNumber(begin, end, true, number)) return ReadNumber(plan, begin, end, true, out);
      int32_t value = 0;
      if (plan.kind == TypeKind::kDate ? !ParseDate(text, value) : !ParseTime(text, value)) {
        return false;
      }
      out.AppendInt32(value);
      return true;
    }
    case TypeKind::kTimestamp: {
      if (ScanNumber(begin, end, true, number)) return ReadNumber(plan, begin, end, true, out);
      int64_t value = 0;
      if (!ParseTimestamp(text, value)) return false;
      out.AppendInt64(value);
      return true;
    }
    default: return false;
  }
}

const uint32_t* JsonValueReader::ReadAsText(const JsonCursor& cursor, const uint32_t* at,
                                            ColumnBuilder& out) {
  const uint32_t* stop = CheckJsonValue(cursor, at);
  if (stop == nullptr) {
    error_ = "an object or array is malformed or nested too deep";
    return nullptr;
  }
  scratch_.clear();
  for (const uint32_t* token = at; token < stop; ++token) {
    const char* begin = cursor.base + *token;
    scratch_.append(begin, static_cast<size_t>(ScalarEnd(cursor, token) - begin));
  }
  out.AppendBytes(scratch_);
  return stop;
}

const uint32_t* JsonValueReader::ReadArray(const JsonPlan& plan, const JsonCursor& cursor,
                                           const uint32_t* at, ColumnBuilder& out) {
  if (++at < cursor.stop && cursor.base[*at] == ']') {
    out.AppendNested();
    return at + 1;
  }
  while (true) {
    at = Read(plan.children[0], cursor, at, out.child(0));
    if (at == nullptr) return nullptr;
    if (at >= cursor.stop || (cursor.base[*at] != ',' && cursor.base[*at] != ']')) break;
    if (cursor.base[*at++] == ']') {
      out.AppendNested();
      return at;
    }
  }
  error_ = "an array is not closed";
  return nullptr;
}

const uint32_t* JsonValueReader::ReadMap(const JsonPlan& plan, const JsonCursor& cursor,
                                         const uint32_t* at, ColumnBuilder& out) {
  const uint32_t* const open = at;
  const int32_t first = out.child(0).length();
  if (++at < cursor.stop && cursor.base[*at] == '}') {
    out.AppendNested();
    return at + 1;
  }
  while (true) {
    std::string_view key;
    if (at >= cursor.stop || !KeyText(cursor, at, key)) break;
    if (!ReadString(plan.children[0], key.data() - 1, key.data() + key.size() + 1, out.child(0))) {
      return nullptr;
    }
    at = Read(plan.children[1], cursor, at + 2, out.child(1));
    if (at == nullptr) return nullptr;
    if (at >= cursor.stop || (cursor.base[*at] != ',' && cursor.base[*at] != '}')) break;
    if (cursor.base[*at++] == '}') {
      if (HasEqualTexts(out.child(0), first)) {
        out.child(0).Truncate(first);
        out.child(1).Truncate(first);
        return ReadRepeatingMap(plan, cursor, open, out);
      }
      out.AppendNested();
      return at;
    }
  }
  error_ = "an object is malformed";
  return nullptr;
}

/// A map some of whose keys stand in the object more than once, which is known to be one: each key
/// where it came first, with its last value.
const uint32_t* JsonValueReader::ReadRepeatingMap(const JsonPlan& plan, const JsonCursor& cursor,
                                                  const uint32_t* open, ColumnBuilder& out) {
  std::vector<std::string> names;
  std::unordered_map<std::string, const uint32_t*> last;
  const uint32_t* at = open;
  do {
    std::string_view key;
    KeyText(cursor, ++at, key);
    std::string name;
    UnescapeJson(key, name);
    if (last.insert_or_assign(name, at + 2).second) names.push_back(std::move(name));
    at = SkipJsonValue(cursor, at + 2);
  } while (cursor.base[*at] == ',');
  for (const std::string& name : names) {
    out.child(0).AppendBytes(name);
    Read(plan.children[1], cursor, last[name], out.child(1));
  }
  out.AppendNested();
  return at + 1;
}

const uint32_t* JsonValueReader::ReadStruct(const JsonPlan& plan, const JsonCursor& cursor,
                                            const uint32_t* at, ColumnBuilder& out) {
  const uint32_t* open = at;
  const uint32_t* stop = SkipJsonValue(cursor, at);
  if (stop == nullptr) {
    error_ = "an object is not closed or nested too deep";
    return nullptr;
  }
  for (size_t field = 0; field < plan.children.size(); ++field) {
    const std::string& name = plan.names[field];
    const uint32_t* exact = nullptr;
    const uint32_t* folded = nullptr;
    for (at = open + 1; at + 1 < stop;) {
      std::string_view key;
      if (!KeyText(cursor, at, key)) {
        error_ = "an object is malformed";
        return nullptr;
      }
      if (key.find('\\') != std::string_view::npos) {
        if (!UnescapeJson(key, scratch_)) {
          error_ = "a key has a malformed escape";
          return nullptr;
        }
        key = scratch_;
      }
      if (key == name) {
        exact = at + 2;
      } else if (EqualsUpperCased(key, name)) {
        folded = at + 2;
      }
      at = SkipJsonValue(cursor, at + 2);
      if (at == nullptr || at >= stop || (cursor.base[*at] != ',' && at + 1 != stop)) {
        error_ = "an object is malformed";
        return nullptr;
      }
      ++at;
    }
    const uint32_t* value = exact != nullptr ? exact : folded;
    if (value == nullptr) {
      out.child(static_cast<int>(field)).AppendNull();
    } else if (Read(plan.children[field], cursor, value, out.child(static_cast<int>(field))) ==
               nullptr) {
      return nullptr;
    }
  }
  out.AppendNested();
  return stop;
}

}  // namespace weir
