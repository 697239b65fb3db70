#include "exec/functions/scalar/cell.h"

#include <algorithm>

#include "base/limits.h"

namespace weir {
namespace {

enum class ValueTag : uint8_t {
  kNull,
  kBool,
  kInt32,
  kInt64,
  kDouble,
  kDecimal,
  kText,
  kItems,
  kEntries
};

bool ItemsEqual(const Value::Items& a, const Value::Items& b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), ValuesEqual);
}

bool EntriesEqual(const Value::Entries& a, const Value::Entries& b) {
  if (a.size() != b.size()) return false;
  return std::all_of(a.begin(), a.end(), [&](const auto& entry) {
    return std::any_of(b.begin(), b.end(), [&](const auto& other) {
      return ValuesEqual(entry.first, other.first) && ValuesEqual(entry.second, other.second);
    });
  });
}

bool TakeCount(std::string_view& bytes, uint32_t& count) {
  // Each value takes at least one byte, so a larger count is damage.
  return TakeFixed(bytes, count) && count <= bytes.size();
}

bool TakeNested(std::string_view& bytes, Value& value, int depth);

bool TakeItems(std::string_view& bytes, Value& value, int depth) {
  uint32_t count;
  if (!TakeCount(bytes, count)) return false;
  Value::Items items(count);
  for (Value& item : items) {
    if (!TakeNested(bytes, item, depth + 1)) return false;
  }
  value = Value(std::move(items));
  return true;
}

bool TakeEntries(std::string_view& bytes, Value& value, int depth) {
  uint32_t count;
  if (!TakeCount(bytes, count)) return false;
  Value::Entries entries(count);
  for (auto& [key, item] : entries) {
    if (!TakeNested(bytes, key, depth + 1) || !TakeNested(bytes, item, depth + 1)) return false;
  }
  value = Value(std::move(entries));
  return true;
}

template <typename T>
bool TakeScalar(std::string_view& bytes, Value& value) {
  T scalar;
  if (!TakeFixed(bytes, scalar)) return false;
  value = Value(scalar);
  return true;
}

bool TakeNested(std::string_view& bytes, Value& value, int depth) {
  uint8_t tag;
  // Values are as deep as their SQL type, which is bounded.
  if (depth > limits::kNestingDepthMax || !TakeFixed(bytes, tag)) return false;
  switch (static_cast<ValueTag>(tag)) {
    case ValueTag::kNull: value = Value(); return true;
    case ValueTag::kBool: return TakeScalar<bool>(bytes, value);
    case ValueTag::kInt32: return TakeScalar<int32_t>(bytes, value);
    case ValueTag::kInt64: return TakeScalar<int64_t>(bytes, value);
    case ValueTag::kDouble: return TakeScalar<double>(bytes, value);
    case ValueTag::kDecimal: return TakeScalar<Int128>(bytes, value);
    case ValueTag::kText: {
      std::string text;
      if (!TakeBytes(bytes, text)) return false;
      value = Value(std::move(text));
      return true;
    }
    case ValueTag::kItems: return TakeItems(bytes, value, depth);
    case ValueTag::kEntries: return TakeEntries(bytes, value, depth);
  }
  return false;
}

}  // namespace

bool ValuesEqual(const Value& a, const Value& b) {
  if (a.data.index() != b.data.index()) return false;
  if (const auto* items = std::get_if<Value::Items>(&a.data)) {
    return ItemsEqual(*items, b.as<Value::Items>());
  }
  if (const auto* entries = std::get_if<Value::Entries>(&a.data)) {
    return EntriesEqual(*entries, b.as<Value::Entries>());
  }
  if (const auto* number = std::get_if<double>(&a.data)) {
    return CellsEqual<double>(*number, b.as<double>());
  }
  return a == b;
}

uint64_t HashBytes(std::string_view bytes) {
  uint64_t hash = bytes.size() * 0x9e3779b97f4a7c15ULL;
  while (bytes.size() >= 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data(), 8);
    hash = HashWord(hash ^ word);
    bytes.remove_prefix(8);
  }
  uint64_t rest = 0;
  if (!bytes.empty()) std::memcpy(&rest, bytes.data(), bytes.size());
  return HashWord(hash ^ rest);
}

uint64_t HashValue(const Value& value) {
  return std::visit(
      [](const auto& v) -> uint64_t {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, std::monostate>) {
          return 0x51ed270b;
        } else if constexpr (std::is_same_v<T, Value::Items>) {
          uint64_t hash = v.size();
          for (const Value& item : v) hash = HashWord(hash * 31 + HashValue(item));
          return hash;
        } else if constexpr (std::is_same_v<T, Value::Entries>) {
          uint64_t hash = v.size();  // A sum, so the order of entries does not matter.
          for (const auto& [key, item] : v) {
            hash += HashWord(HashValue(key) * 31 + HashValue(item));
          }
          return hash;
        } else {
          return HashCell<T>(v);
        }
      },
      value.data);
}

void PutBytes(std::string_view value, std::string& out) {
  PutFixed(static_cast<uint32_t>(value.size()), out);
  out.append(value);
}

bool TakeBytes(std::string_view& bytes, std::string& value) {
  uint32_t size;
  if (!TakeFixed(bytes, size) || size > bytes.size()) return false;
  value.assign(bytes.substr(0, size));
  bytes.remove_prefix(size);
  return true;
}

void PutValue(const Value& value, std::string& out) {
  out.push_back(static_cast<char>(value.data.index()));
  std::visit(
      [&](const auto& v) {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, Value::Items>) {
          PutFixed(static_cast<uint32_t>(v.size()), out);
          for (const Value& item : v) PutValue(item, out);
        } else if constexpr (std::is_same_v<T, Value::Entries>) {
          PutFixed(static_cast<uint32_t>(v.size()), out);
          for (const auto& [key, item] : v) {
            PutValue(key, out);
            PutValue(item, out);
          }
        } else if constexpr (std::is_same_v<T, std::string>) {
          PutBytes(v, out);
        } else if constexpr (!std::is_same_v<T, std::monostate>) {
          PutFixed(v, out);
        }
      },
      value.data);
}

bool TakeValue(std::string_view& bytes, Value& value) { return TakeNested(bytes, value, 0); }

}  // namespace weir
