// Keys of fixed width: the columns' bytes side by side, behind the time if there is one, in 8, 16
// or 32 bytes. While all keys are small whole numbers an array finds them, afterwards a hash map.

#include <algorithm>
#include <cstring>

#include <absl/container/flat_hash_map.h>

#include "exec/state/group_layout.h"
#include "exec/state/small_keys.h"

namespace weir {
namespace {

size_t WidthOf(TypeKind kind) { return kind == TypeKind::kBoolean ? 1 : ValueWidth(kind); }

struct Key8 {
  uint64_t word = 0;
  bool operator==(const Key8&) const = default;
};
struct Key16 {
  uint64_t low = 0;
  uint64_t high = 0;
  bool operator==(const Key16&) const = default;
};

struct Key32 {
  Key16 front;
  Key16 back;
  bool operator==(const Key32&) const = default;
};

inline uint64_t Mix(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

struct HashKey {
  size_t operator()(const Key8& key) const {
    return Mix(key.word ^ 0x9e3779b97f4a7c15ULL, 0xbf58476d1ce4e5b9ULL);
  }
  size_t operator()(const Key16& key) const {
    return Mix(key.low ^ 0x9e3779b97f4a7c15ULL,
               Mix(key.high ^ 0xd6e8feb86659fd93ULL, 0xbf58476d1ce4e5b9ULL) | 1);
  }
  size_t operator()(const Key32& key) const {
    return Mix((*this)(key.front), (*this)(key.back) | 1);
  }
};

// Where the parts of a key lie in its bytes.
struct KeyParts {
  struct Part {
    TypeKind kind;
    size_t width;
    size_t offset;
  };
  std::vector<Part> parts;
  bool has_time = false;
  bool has_nulls = false;  // Then a byte behind the parts says which are null.
  size_t width = 0;        // Of all together; 0: not for this layout.
  size_t null_offset = 0;

  static KeyParts Of(const GroupTable::Options& options) {
    KeyParts made;
    made.has_time = options.has_time;
    made.has_nulls = options.nulls_possible;
    size_t offset = options.has_time ? sizeof(int64_t) : 0;
    for (const DataType& type : options.key_types) {
      const size_t width = WidthOf(type.kind());
      if (width == 0) return made;
      made.parts.push_back({type.kind(), width, offset});
      offset += width;
    }
    if (options.nulls_possible && made.parts.size() > 8) return made;
    made.null_offset = offset;
    if (!made.parts.empty()) made.width = offset + (options.nulls_possible ? 1 : 0);
    return made;
  }
};

template <typename T>
T ReadAs(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

int64_t ReadNumber(const char* from, size_t width) {
  if (width == 1) return *from;
  return width == 4 ? ReadAs<int32_t>(from) : ReadAs<int64_t>(from);
}

void AppendFixed(const char* from, ColumnBuilder& out) {
  switch (out.type().kind()) {
    case TypeKind::kBoolean: return out.AppendBool(*from != 0);
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kTime: return out.AppendInt32(ReadAs<int32_t>(from));
    case TypeKind::kDouble: return out.AppendDouble(ReadAs<double>(from));
    case TypeKind::kDecimal: return out.AppendDecimal(ReadAs<Int128>(from));
    default: return out.AppendInt64(ReadAs<int64_t>(from));
  }
}

template <typename Key>
class PackedGroups final : public GroupTable::Impl {
 public:
  PackedGroups(const GroupTable::Options& options, KeyParts parts)
      : parts_(std::move(parts)), small_(options.key_types, options.nulls_possible) {
    if (options.has_time || !SmallKeys::CanHold(options.key_types)) all_small_ = false;
    if (all_small_) direct_.resize(small_.code_limit(), 0);
  }

  void FindOrInsert(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
                    std::span<const int64_t> times, uint32_t* ids,
                    std::vector<uint32_t>& created) override {
    if (all_small_ && (small_.Encode(keys, rows) || Widen(keys, rows))) {
      return FindOrInsertSmall(ids, created);
    }
    Pack(keys, rows, times);
    const bool prefetch = map_.size() > kPrefetchSizeMin;
    for (size_t i = 0; i < packed_.size(); ++i) {
      if (prefetch && i + kSlotsPrefetched < packed_.size()) {
        map_.prefetch(packed_[i + kSlotsPrefetched]);
      }
      if (i > 0 && packed_[i] == packed_[i - 1]) {
        ids[i] = ids[i - 1];
        continue;
      }
      uint32_t& slot = map_[packed_[i]];
      if (slot == 0) slot = Create(packed_[i], created) + 1;
      ids[i] = slot - 1;
    }
  }

  void Find(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
            std::span<const int64_t> times, uint32_t* ids) override {
    if (all_small_) return FindSmall(keys, rows, ids);
    Pack(keys, rows, times);
    const bool prefetch = map_.size() > kPrefetchSizeMin;
    for (size_t i = 0; i < packed_.size(); ++i) {
      if (prefetch && i + kSlotsPrefetched < packed_.size()) {
        map_.prefetch(packed_[i + kSlotsPrefetched]);
      }
      const auto found = map_.find(packed_[i]);
      ids[i] = found == map_.end() ? GroupTable::kNone : found->second - 1;
    }
  }

  void Erase(std::span<const uint32_t> ids) override {
    const bool prefetch = !all_small_ && map_.size() > kPrefetchSizeMin;
    for (size_t i = 0; i < ids.size(); ++i) {
      if (prefetch && i + kSlotsPrefetched < ids.size()) {
        map_.prefetch(keys_[ids[i + kSlotsPrefetched]]);
      }
      if (all_small_) {
        direct_[small_.CodeOf(ValuesOf(ids[i]))] = 0;
      } else {
        map_.erase(keys_[ids[i]]);
      }
      pool_.Give(ids[i]);
    }
  }

  void Keep(std::span<const uint32_t> ids) override {
    if (all_small_) std::fill(direct_.begin(), direct_.end(), 0);
    Map().swap(map_);
    for (size_t i = 0; i < ids.size(); ++i) keys_[i] = keys_[ids[i]];
    keys_.resize(ids.size());
    keys_.shrink_to_fit();
    if (!all_small_) map_.reserve(ids.size());
    for (uint32_t id = 0; id < keys_.size(); ++id) {
      (all_small_ ? direct_[small_.CodeOf(ValuesOf(id))] : map_[keys_[id]]) = id + 1;
    }
    pool_.Restart(static_cast<uint32_t>(ids.size()));
  }

  size_t size() const override { return pool_.size(); }
  uint32_t id_limit() const override { return pool_.limit(); }
  int64_t time(uint32_t id) const override {
    return parts_.has_time ? ReadAs<int64_t>(Bytes(id)) : 0;
  }

  void AppendKeys(std::span<const uint32_t> ids, std::span<ColumnBuilder> out) const override {
    for (size_t part = 0; part < parts_.parts.size(); ++part) {
      const size_t offset = parts_.parts[part].offset;
      out[part].Reserve(static_cast<int32_t>(ids.size()));
      for (uint32_t id : ids) {
        if (IsNull(id, part)) {
          out[part].AppendNull();
        } else {
          AppendFixed(Bytes(id) + offset, out[part]);
        }
      }
    }
  }

  void AppendKeyBytes(uint32_t id, std::string& out) const override {
    char bytes[2 * sizeof(Key)];  // Each part of at least one byte has one in front.
    size_t size = 0;
    for (size_t i = 0; i < parts_.parts.size(); ++i) {
      const auto& part = parts_.parts[i];
      const bool null = IsNull(id, i);
      bytes[size++] = null ? 0 : 1;
      if (null) continue;
      std::memcpy(bytes + size, Bytes(id) + part.offset, part.width);
      size += part.width;
    }
    out.append(bytes, size);
  }

  size_t ByteSize() const override {
    return map_.capacity() * (sizeof(std::pair<Key, uint32_t>) + 1) +
           keys_.capacity() * sizeof(Key) + direct_.capacity() * sizeof(uint32_t);
  }

 private:
  const char* Bytes(uint32_t id) const { return reinterpret_cast<const char*>(&keys_[id]); }
  bool IsNull(uint32_t id, size_t part) const {
    return parts_.has_nulls && ((Bytes(id)[parts_.null_offset] >> part) & 1) != 0;
  }

  uint32_t Create(const Key& key, std::vector<uint32_t>& created) {
    const uint32_t id = pool_.Take();
    if (id >= keys_.size()) keys_.resize(id + 1);
    keys_[id] = key;
    created.push_back(id);
    return id;
  }

  void FindOrInsertSmall(uint32_t* ids, std::vector<uint32_t>& created) {
    const std::span<const uint32_t> codes = small_.codes();
    for (size_t i = 0; i < codes.size(); ++i) {
      uint32_t& slot = direct_[codes[i]];
      if (slot == 0) [[unlikely]]
        slot = Create(KeyOf(small_.ValuesOf(codes[i])), created) + 1;
      ids[i] = slot - 1;
    }
  }

  void FindSmall(std::span<const ColumnPtr> keys, std::span<const int32_t> rows, uint32_t* ids) {
    const bool all_inside = small_.Encode(keys, rows);
    const std::span<const uint32_t> codes = small_.codes();
    for (size_t i = 0; i < codes.size(); ++i) {
      const bool inside = all_inside || codes[i] != SmallKeys::kOutside;
      // An empty slot gives 0 - 1, which is kNone.
      ids[i] = inside ? direct_[codes[i]] - 1 : GroupTable::kNone;
    }
  }

  // For keys larger than any so far. False if the array does not serve any more.
  bool Widen(std::span<const ColumnPtr> keys, std::span<const int32_t> rows) {
    const SmallKeys before = small_;
    const std::vector<uint32_t> old = std::move(direct_);
    all_small_ = small_.Widen();
    direct_.assign(all_small_ ? small_.code_limit() : 0, 0);
    for (uint32_t code = 0; code < old.size(); ++code) {
      if (old[code] == 0) continue;
      if (all_small_) {
        direct_[small_.CodeOf(before.ValuesOf(code))] = old[code];
      } else {
        map_[keys_[old[code] - 1]] = old[code];
      }
    }
    return all_small_ && small_.Encode(keys, rows);
  }

  Key KeyOf(const SmallKeys::Values& values) const {
    Key key;
    char* bytes = reinterpret_cast<char*>(&key);
    for (size_t i = 0; i < parts_.parts.size(); ++i) {
      if (values[i] == SmallKeys::kNull) {
        bytes[parts_.null_offset] |= static_cast<char>(1 << i);
      } else {
        std::memcpy(bytes + parts_.parts[i].offset, &values[i], parts_.parts[i].width);
      }
    }
    return key;
  }

  SmallKeys::Values ValuesOf(uint32_t id) const {
    SmallKeys::Values values{};
    for (size_t i = 0; i < parts_.parts.size(); ++i) {
      const auto& part = parts_.parts[i];
      values[i] =
          IsNull(id, i) ? SmallKeys::kNull : ReadNumber(Bytes(id) + part.offset, part.width);
    }
    return values;
  }

  template <typename T>
  void PackPart(const Column& column, std::span<const int32_t> rows, size_t offset) {
    const T* values = reinterpret_cast<const T*>(column.raw_values());
    char* target = reinterpret_cast<char*>(packed_.data()) + offset;
    for (size_t i = 0; i < rows.size(); ++i) {
      std::memcpy(target + i * sizeof(Key), &values[rows[i]], sizeof(T));
    }
  }

  void PackTimes(std::span<const int64_t> times) {
    char* target = reinterpret_cast<char*>(packed_.data());
    for (size_t i = 0; i < packed_.size(); ++i) {
      std::memcpy(target + i * sizeof(Key), &times[i], sizeof(int64_t));
    }
  }

  void PackBools(const Column& column, std::span<const int32_t> rows, size_t offset) {
    char* target = reinterpret_cast<char*>(packed_.data()) + offset;
    for (size_t i = 0; i < rows.size(); ++i) {
      target[i * sizeof(Key)] = column.GetBool(rows[i]) ? 1 : 0;
    }
  }

  // What lies where a value is null must not tell keys apart.
  void PackNulls(const Column& column, std::span<const int32_t> rows, size_t part) {
    if (!parts_.has_nulls || !column.has_nulls()) return;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!column.IsNull(rows[i])) continue;
      char* bytes = reinterpret_cast<char*>(&packed_[i]);
      std::memset(bytes + parts_.parts[part].offset, 0, parts_.parts[part].width);
      bytes[parts_.null_offset] |= static_cast<char>(1 << part);
    }
  }

  void Pack(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
            std::span<const int64_t> times) {
    packed_.assign(rows.size(), Key());
    if (parts_.has_time) PackTimes(times);
    for (size_t i = 0; i < parts_.parts.size(); ++i) {
      const Column& column = *keys[i];
      const size_t offset = parts_.parts[i].offset;
      switch (parts_.parts[i].width) {
        case 1: PackBools(column, rows, offset); break;
        case 4: PackPart<uint32_t>(column, rows, offset); break;
        case 8: PackPart<uint64_t>(column, rows, offset); break;
        default: PackPart<Key16>(column, rows, offset);
      }
      PackNulls(column, rows, i);
    }
  }

  const KeyParts parts_;
  bool all_small_ = true;
  SmallKeys small_;
  std::vector<uint32_t> direct_;  // Id + 1 by code; 0: none. Only while all_small_.
  using Map = absl::flat_hash_map<Key, uint32_t, HashKey>;
  Map map_;                // Id + 1, so that a fresh slot is known.
  std::vector<Key> keys_;  // By id.
  IdPool pool_;
  std::vector<Key> packed_;
};

}  // namespace

std::unique_ptr<GroupTable::Impl> MakePackedGroups(const GroupTable::Options& options) {
  KeyParts parts = KeyParts::Of(options);
  if (parts.width == 0 || parts.width > sizeof(Key32)) return nullptr;
  if (parts.width <= sizeof(Key8)) {
    return std::make_unique<PackedGroups<Key8>>(options, std::move(parts));
  }
  if (parts.width <= sizeof(Key16)) {
    return std::make_unique<PackedGroups<Key16>>(options, std::move(parts));
  }
  return std::make_unique<PackedGroups<Key32>>(options, std::move(parts));
}

}  // namespace weir
