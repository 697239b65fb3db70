#include "shell/test/record_text.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/status_macros.h"

namespace weir::shell {
namespace {

template <typename T>
std::string BigEndian(T value) {
  const auto bytes = std::bit_cast<std::array<char, sizeof(T)>>(value);
  return {bytes.rbegin(), bytes.rend()};
}

template <typename T>
T FromBigEndian(std::string_view text) {
  std::array<char, sizeof(T)> bytes;
  for (size_t i = 0; i < sizeof(T); ++i) bytes[i] = text[sizeof(T) - 1 - i];
  return std::bit_cast<T>(bytes);
}

template <typename T>
Result<std::string> NumberBytes(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return BigEndian(value);
  return Status(ErrorCode::kUsage, fmt::format("not a number of its column's type: {}", text));
}

template <typename T>
std::string NumberText(std::string_view bytes) {
  if (bytes.size() != sizeof(T)) return fmt::format("<{} bytes>", bytes.size());
  return fmt::format("{}", FromBigEndian<T>(bytes));
}

/// The type of the one column of the key or the value under format KAFKA; null: plain text.
TypeKind KafkaType(const SourceInfo* source, bool key) {
  if (source == nullptr || source->schema == nullptr) return TypeKind::kString;
  if ((key ? source->key_format : source->value_format) != "KAFKA") return TypeKind::kString;
  for (const ColumnSchema& column : source->schema->columns) {
    if (column.is_key == key) return column.type.kind();
  }
  return TypeKind::kString;
}

Result<std::string> Encode(std::string_view text, TypeKind type) {
  switch (type) {
    case TypeKind::kInt: return NumberBytes<int32_t>(text);
    case TypeKind::kBigint: return NumberBytes<int64_t>(text);
    case TypeKind::kDouble: return NumberBytes<double>(text);
    default: return std::string(text);
  }
}

std::string Decode(std::string_view bytes, TypeKind type) {
  switch (type) {
    case TypeKind::kInt: return NumberText<int32_t>(bytes);
    case TypeKind::kBigint: return NumberText<int64_t>(bytes);
    case TypeKind::kDouble: return NumberText<double>(bytes);
    default: return WithoutJsonBlanks(bytes);
  }
}

/// Kafka Streams' windowed keys: key, start (8 bytes); for sessions key, end, start.
constexpr size_t kTimeWindowBytes = 8;
constexpr size_t kSessionWindowBytes = 16;

Result<std::string> EncodeKey(std::string_view text, const SourceInfo* source) {
  const TypeKind type = KafkaType(source, true);
  if (source == nullptr || source->window_type.empty()) return Encode(text, type);
  const size_t at = text.rfind("@[");
  const size_t comma = at == text.npos ? text.npos : text.find(',', at);
  int64_t start = 0;
  int64_t end = 0;
  const bool valid =
      comma != text.npos &&
      std::from_chars(text.data() + at + 2, text.data() + comma, start).ec == std::errc() &&
      std::from_chars(text.data() + comma + 1, text.data() + text.size(), end).ec == std::errc();
  if (!valid) {
    return Status(ErrorCode::kUsage, fmt::format("a key without its window: {}", text))
        .WithHint("windowed keys are written key@[start,end)");
  }
  WEIR_ASSIGN_OR_RETURN(const std::string key, Encode(text.substr(0, at), type));
  if (source->window_type == "SESSION") return key + BigEndian(end) + BigEndian(start);
  return key + BigEndian(start);
}

std::string DecodeKey(std::string_view bytes, const SourceInfo* source) {
  const TypeKind type = KafkaType(source, true);
  if (source == nullptr || source->window_type.empty()) return Decode(bytes, type);
  const bool session = source->window_type == "SESSION";
  const size_t window_bytes = session ? kSessionWindowBytes : kTimeWindowBytes;
  if (bytes.size() < window_bytes) return fmt::format("<{} bytes>", bytes.size());
  const std::string_view window = bytes.substr(bytes.size() - window_bytes);
  const std::string key = Decode(bytes.substr(0, bytes.size() - window_bytes), type);
  if (session) {
    return fmt::format("{}@[{},{}]", key, FromBigEndian<int64_t>(window.substr(8)),
                       FromBigEndian<int64_t>(window));
  }
  const int64_t start = FromBigEndian<int64_t>(window);
  return fmt::format("{}@[{},{})", key, start, start + source->window_size_ms);
}

bool IsNumberByte(char c) {
  return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

/// Two texts from the same place in both; true if both are numbers that are nearly the same.
bool NearlySame(const std::string& a, const std::string& b) {
  if (a.find_first_of(".eE") == a.npos || b.find_first_of(".eE") == b.npos) return false;
  char* end_a = nullptr;
  char* end_b = nullptr;
  const double x = std::strtod(a.c_str(), &end_a);
  const double y = std::strtod(b.c_str(), &end_b);
  if (*end_a != 0 || *end_b != 0) return false;
  return std::abs(x - y) <= 1e-9 * std::max(std::abs(x), std::abs(y));
}

}  // namespace

Result<Record> MakeRecord(const GoldenRow& row, const SourceInfo* source) {
  Record record;
  record.timestamp_ms = row.time_ms;
  if (row.key) {
    WEIR_ASSIGN_OR_RETURN(record.key, EncodeKey(*row.key, source));
  }
  if (row.value) {
    WEIR_ASSIGN_OR_RETURN(record.value, Encode(*row.value, KafkaType(source, false)));
  }
  return record;
}

GoldenRow MakeRow(const Record& record, const SourceInfo* source) {
  GoldenRow row;
  row.time_ms = record.timestamp_ms;
  if (record.key) row.key = DecodeKey(*record.key, source);
  if (record.value) row.value = Decode(*record.value, KafkaType(source, false));
  return row;
}

std::string WithoutJsonBlanks(std::string_view text) {
  if (!text.starts_with('{') && !text.starts_with('[')) return std::string(text);
  std::string out;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\' && i + 1 < text.size()) {
      out.push_back(c);
      out.push_back(text[++i]);
      continue;
    }
    if (c == '"') quoted = !quoted;
    if (quoted || (c != ' ' && c != '\t')) out.push_back(c);
  }
  return out;
}

bool SameText(std::string_view a_text, std::string_view b_text) {
  const std::string a = WithoutJsonBlanks(a_text);
  const std::string b = WithoutJsonBlanks(b_text);
  size_t i = 0;
  size_t j = 0;
  while (i < a.size() && j < b.size()) {
    size_t number_a = i;
    size_t number_b = j;
    while (number_a < a.size() && IsNumberByte(a[number_a])) ++number_a;
    while (number_b < b.size() && IsNumberByte(b[number_b])) ++number_b;
    if (number_a > i && number_b > j) {
      const std::string x = a.substr(i, number_a - i);
      const std::string y = b.substr(j, number_b - j);
      if (x != y && !NearlySame(x, y)) return false;
      i = number_a;
      j = number_b;
    } else if (a[i++] != b[j++]) {
      return false;
    }
  }
  return i == a.size() && j == b.size();
}

}  // namespace weir::shell
