#include "exec/state/group_table.h"

#include <cstring>
#include <deque>
#include <string_view>

#include <absl/container/flat_hash_map.h>
#include <absl/hash/hash.h>
#include <absl/strings/string_view.h>

#include "exec/state/row_codec.h"

namespace weir {

class GroupTable::Impl {
 public:
  virtual ~Impl() = default;
  virtual void FindOrInsert(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
                            std::span<const int64_t> times, uint32_t* ids,
                            std::vector<uint32_t>& created) = 0;
  virtual void Find(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
                    std::span<const int64_t> times, uint32_t* ids) = 0;
  virtual void Erase(std::span<const uint32_t> ids) = 0;
  virtual size_t size() const = 0;
  virtual uint32_t id_limit() const = 0;
  virtual int64_t time(uint32_t id) const = 0;
  virtual void AppendKeys(std::span<const uint32_t> ids, std::span<ColumnBuilder> out) const = 0;
  virtual void AppendKeyBytes(uint32_t id, std::string& out) const = 0;
  virtual size_t ByteSize() const = 0;
};

namespace {

// How far ahead slots are fetched into the cache, and from which size on that pays.
constexpr size_t kPrefetchAhead = 16;
constexpr size_t kPrefetchSizeMin = 4096;

size_t WidthOf(TypeKind kind) {
  switch (kind) {
    case TypeKind::kBoolean:
      return 1;
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kTime:
      return 4;
    case TypeKind::kBigint:
    case TypeKind::kTimestamp:
    case TypeKind::kDouble:
      return 8;
    case TypeKind::kDecimal:
      return 16;
    default:
      return 0;
  }
}

// Ids that were given back are handed out again, latest first.
class IdPool {
 public:
  uint32_t Take() {
    if (free_.empty()) return limit_++;
    const uint32_t id = free_.back();
    free_.pop_back();
    return id;
  }
  void Give(uint32_t id) { free_.push_back(id); }
  uint32_t limit() const { return limit_; }
  size_t size() const { return limit_ - free_.size(); }

 private:
  std::vector<uint32_t> free_;
  uint32_t limit_ = 0;
};

struct Key16 {
  uint64_t low = 0;
  uint64_t high = 0;
  bool operator==(const Key16&) const = default;
};

inline uint64_t Mix(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

struct HashInt64 {
  size_t operator()(int64_t key) const {
    return Mix(static_cast<uint64_t>(key) ^ 0x9e3779b97f4a7c15ULL, 0xbf58476d1ce4e5b9ULL);
  }
};
struct HashKey16 {
  size_t operator()(const Key16& key) const {
    return Mix(key.low ^ 0x9e3779b97f4a7c15ULL, Mix(key.high ^ 0xd6e8feb86659fd93ULL,
                                                    0xbf58476d1ce4e5b9ULL) | 1);
  }
};
struct HashText {
  size_t operator()(std::string_view key) const {
    return absl::Hash<absl::string_view>()(absl::string_view(key.data(), key.size()));
  }
};

void AppendFixed(int64_t value, ColumnBuilder& out) {
  switch (out.type().kind()) {
    case TypeKind::kBoolean:
      return out.AppendBool(value != 0);
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kTime:
      return out.AppendInt32(static_cast<int32_t>(value));
    case TypeKind::kDouble: {
      double number;
      std::memcpy(&number, &value, sizeof(number));
      return out.AppendDouble(number);
    }
    default:
      return out.AppendInt64(value);
  }
}

// What all layouts share: the keys by id, and looking up or making ids over packed keys. `Key` is
// what the map holds; slots hold id + 1, so that a fresh slot (0) is known as such.
template <typename Key, typename Hash>
class FixedKeys {
 public:
  void FindOrInsert(std::span<const Key> keys, uint32_t* ids, std::vector<uint32_t>& created) {
    const bool prefetch = map_.size() > kPrefetchSizeMin;
    for (size_t i = 0; i < keys.size(); ++i) {
      if (prefetch && i + kPrefetchAhead < keys.size()) map_.prefetch(keys[i + kPrefetchAhead]);
      if (i > 0 && keys[i] == keys[i - 1]) {
        ids[i] = ids[i - 1];
        continue;
      }
      uint32_t& slot = map_[keys[i]];
      if (slot == 0) slot = Create(keys[i], created) + 1;
      ids[i] = slot - 1;
    }
  }

  void Find(std::span<const Key> keys, uint32_t* ids) const {
    const bool prefetch = map_.size() > kPrefetchSizeMin;
    for (size_t i = 0; i < keys.size(); ++i) {
      if (prefetch && i + kPrefetchAhead < keys.size()) map_.prefetch(keys[i + kPrefetchAhead]);
      const auto found = map_.find(keys[i]);
      ids[i] = found == map_.end() ? GroupTable::kNone : found->second - 1;
    }
  }

  uint32_t Create(const Key& key, std::vector<uint32_t>& created) {
    const uint32_t id = pool_.Take();
    if (id >= keys_.size()) keys_.resize(id + 1);
    keys_[id] = key;
    created.push_back(id);
    return id;
  }

  void Erase(std::span<const uint32_t> ids) {
    const bool prefetch = map_.size() > kPrefetchSizeMin;
    for (size_t i = 0; i < ids.size(); ++i) {
      if (prefetch && i + kPrefetchAhead < ids.size()) {
        map_.prefetch(keys_[ids[i + kPrefetchAhead]]);
      }
      map_.erase(keys_[ids[i]]);
      pool_.Give(ids[i]);
    }
  }

  // For keys that an array of the owner finds instead of the map.
  void GiveBack(uint32_t id) { pool_.Give(id); }
  void Adopt(const Key& key, uint32_t id) { map_[key] = id + 1; }
  const Key& key(uint32_t id) const { return keys_[id]; }
  size_t size() const { return pool_.size(); }
  uint32_t id_limit() const { return pool_.limit(); }
  size_t ByteSize() const {
    return map_.capacity() * (sizeof(std::pair<Key, uint32_t>) + 1) +
           keys_.capacity() * sizeof(Key);
  }

 private:
  absl::flat_hash_map<Key, uint32_t, Hash> map_;
  std::vector<Key> keys_;
  IdPool pool_;
};

/// One fixed-width column of at most 8 bytes. Small numbers, the most common keys, are found in an
/// array instead of the map.
class Int64Table final : public GroupTable::Impl {
 public:
  explicit Int64Table(const DataType& type)
      : width_(WidthOf(type.kind())), direct_(kDirectKeys, 0) {}

  void FindOrInsert(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
                    std::span<const int64_t>, uint32_t* ids,
                    std::vector<uint32_t>& created) override {
    if (!Pack(*keys[0], rows)) return keys_.FindOrInsert(packed_, ids, created);
    for (size_t i = 0; i < packed_.size(); ++i) {
      uint32_t& slot = direct_[packed_[i]];
      if (slot == 0) slot = keys_.Create(packed_[i], created) + 1;
      ids[i] = slot - 1;
    }
  }

  void Find(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
            std::span<const int64_t>, uint32_t* ids) override {
    if (!Pack(*keys[0], rows)) return keys_.Find(packed_, ids);
    // An empty slot gives 0 - 1, which is kNone.
    for (size_t i = 0; i < packed_.size(); ++i) ids[i] = direct_[packed_[i]] - 1;
  }

  void Erase(std::span<const uint32_t> ids) override {
    if (!all_direct_) return keys_.Erase(ids);
    for (uint32_t id : ids) {
      direct_[keys_.key(id)] = 0;
      keys_.GiveBack(id);
    }
  }

  size_t size() const override { return keys_.size(); }
  uint32_t id_limit() const override { return keys_.id_limit(); }
  int64_t time(uint32_t) const override { return 0; }

  void AppendKeys(std::span<const uint32_t> ids, std::span<ColumnBuilder> out) const override {
    for (uint32_t id : ids) AppendFixed(keys_.key(id), out[0]);
  }

  void AppendKeyBytes(uint32_t id, std::string& out) const override {
    out.push_back(1);
    const int64_t key = keys_.key(id);
    out.append(reinterpret_cast<const char*>(&key), width_);
  }

  size_t ByteSize() const override {
    return keys_.ByteSize() + direct_.capacity() * sizeof(uint32_t);
  }

 private:
  static constexpr uint64_t kDirectKeys = 4096;

  template <typename T>
  uint64_t PackFrom(const T* values, std::span<const int32_t> rows) {
    uint64_t all = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
      packed_[i] = values[rows[i]];
      all |= static_cast<uint64_t>(packed_[i]);
    }
    return all;
  }

  // Fills packed_. True if the array serves: no key so far was negative or large.
  bool Pack(const Column& column, std::span<const int32_t> rows) {
    packed_.resize(rows.size());
    uint64_t all = 0;
    if (width_ == 1) {
      for (size_t i = 0; i < rows.size(); ++i) packed_[i] = column.GetBool(rows[i]) ? 1 : 0;
    } else if (width_ == 4) {
      all = PackFrom(reinterpret_cast<const int32_t*>(column.raw_values()), rows);
    } else {
      all = PackFrom(reinterpret_cast<const int64_t*>(column.raw_values()), rows);
    }
    if (all_direct_ && all >= kDirectKeys) MoveToMap();
    return all_direct_;
  }

  // From the first other key on the map holds all of them.
  void MoveToMap() {
    all_direct_ = false;
    for (uint64_t key = 0; key < kDirectKeys; ++key) {
      if (direct_[key] != 0) keys_.Adopt(static_cast<int64_t>(key), direct_[key] - 1);
    }
    std::vector<uint32_t>().swap(direct_);
  }

  const size_t width_;
  bool all_direct_ = true;
  std::vector<uint32_t> direct_;   // Id + 1 of keys 0…; 0: none.
  FixedKeys<int64_t, HashInt64> keys_;
  std::vector<int64_t> packed_;
};

/// Several fixed-width columns, and perhaps a time, in 16 bytes.
class PackedTable final : public GroupTable::Impl {
 public:
  PackedTable(std::vector<DataType> types, bool has_time)
      : types_(std::move(types)), has_time_(has_time) {}

  void FindOrInsert(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
                    std::span<const int64_t> times, uint32_t* ids,
                    std::vector<uint32_t>& created) override {
    Pack(keys, rows, times);
    keys_.FindOrInsert(packed_, ids, created);
  }

  void Find(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
            std::span<const int64_t> times, uint32_t* ids) override {
    Pack(keys, rows, times);
    keys_.Find(packed_, ids);
  }

  void Erase(std::span<const uint32_t> ids) override { keys_.Erase(ids); }
  size_t size() const override { return keys_.size(); }
  uint32_t id_limit() const override { return keys_.id_limit(); }
  int64_t time(uint32_t id) const override {
    int64_t value;
    std::memcpy(&value, &keys_.key(id), sizeof(value));
    return value;
  }

  void AppendKeys(std::span<const uint32_t> ids, std::span<ColumnBuilder> out) const override {
    size_t offset = has_time_ ? 8 : 0;
    for (size_t column = 0; column < types_.size(); ++column) {
      const size_t width = WidthOf(types_[column].kind());
      for (uint32_t id : ids) AppendOne(id, offset, width, out[column]);
      offset += width;
    }
  }

  void AppendKeyBytes(uint32_t id, std::string& out) const override {
    size_t offset = has_time_ ? 8 : 0;
    for (const DataType& type : types_) {
      const size_t width = WidthOf(type.kind());
      out.push_back(1);
      out.append(Bytes(id) + offset, width);
      offset += width;
    }
  }

  size_t ByteSize() const override { return keys_.ByteSize(); }

 private:
  const char* Bytes(uint32_t id) const { return reinterpret_cast<const char*>(&keys_.key(id)); }

  void AppendOne(uint32_t id, size_t offset, size_t width, ColumnBuilder& out) const {
    if (width == 16) {
      Int128 value;
      std::memcpy(&value, Bytes(id) + offset, sizeof(value));
      return out.AppendDecimal(value);
    }
    int64_t value = 0;
    if (width == 4) {
      int32_t narrow;
      std::memcpy(&narrow, Bytes(id) + offset, sizeof(narrow));
      value = narrow;
    } else {
      std::memcpy(&value, Bytes(id) + offset, width);
    }
    AppendFixed(value, out);
  }

  template <typename T>
  void PackColumn(const T* values, std::span<const int32_t> rows, size_t offset) {
    char* target = reinterpret_cast<char*>(packed_.data()) + offset;
    for (size_t i = 0; i < rows.size(); ++i) {
      std::memcpy(target + i * sizeof(Key16), &values[rows[i]], sizeof(T));
    }
  }

  void Pack(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
            std::span<const int64_t> times) {
    packed_.assign(rows.size(), Key16());
    size_t offset = 0;
    if (has_time_) {
      for (size_t i = 0; i < rows.size(); ++i) packed_[i].low = static_cast<uint64_t>(times[i]);
      offset = 8;
    }
    for (size_t column = 0; column < types_.size(); ++column) {
      const size_t width = WidthOf(types_[column].kind());
      const uint8_t* values = keys[column]->raw_values();
      if (width == 1) {
        char* target = reinterpret_cast<char*>(packed_.data()) + offset;
        for (size_t i = 0; i < rows.size(); ++i) {
          target[i * sizeof(Key16)] = keys[column]->GetBool(rows[i]) ? 1 : 0;
        }
      } else if (width == 4) {
        PackColumn(reinterpret_cast<const uint32_t*>(values), rows, offset);
      } else if (width == 8) {
        PackColumn(reinterpret_cast<const uint64_t*>(values), rows, offset);
      } else {
        PackColumn(reinterpret_cast<const Key16*>(values), rows, offset);
      }
      offset += width;
    }
  }

  const std::vector<DataType> types_;
  const bool has_time_;
  FixedKeys<Key16, HashKey16> keys_;
  std::vector<Key16> packed_;
};

/// Any key, as bytes: a bare text as it is, everything else as row_codec.h writes it behind the time.
class BytesTable final : public GroupTable::Impl {
 public:
  BytesTable(std::vector<DataType> types, bool has_time, bool bare_text)
      : types_(std::move(types)), has_time_(has_time), bare_text_(bare_text) {}

  void FindOrInsert(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
                    std::span<const int64_t> times, uint32_t* ids,
                    std::vector<uint32_t>& created) override {
    Encode(keys, rows, times);
    const bool prefetch = map_.size() > kPrefetchSizeMin;
    for (size_t i = 0; i < views_.size(); ++i) {
      if (prefetch && i + kPrefetchAhead < views_.size()) map_.prefetch(views_[i + kPrefetchAhead]);
      const auto found = map_.find(views_[i]);
      ids[i] = found != map_.end() ? found->second : Create(views_[i], created);
    }
  }

  void Find(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
            std::span<const int64_t> times, uint32_t* ids) override {
    Encode(keys, rows, times);
    for (size_t i = 0; i < views_.size(); ++i) {
      const auto found = map_.find(views_[i]);
      ids[i] = found == map_.end() ? GroupTable::kNone : found->second;
    }
  }

  void Erase(std::span<const uint32_t> ids) override {
    for (uint32_t id : ids) {
      map_.erase(std::string_view(keys_[id]));
      key_bytes_ -= keys_[id].capacity();
      std::string().swap(keys_[id]);
      pool_.Give(id);
    }
  }

  size_t size() const override { return pool_.size(); }
  uint32_t id_limit() const override { return pool_.limit(); }
  int64_t time(uint32_t id) const override {
    int64_t value;
    std::memcpy(&value, keys_[id].data(), sizeof(value));
    return value;
  }

  void AppendKeys(std::span<const uint32_t> ids, std::span<ColumnBuilder> out) const override {
    for (uint32_t id : ids) {
      if (bare_text_) {
        out[0].AppendBytes(keys_[id]);
        continue;
      }
      std::string_view bytes = keys_[id];
      if (has_time_) bytes.remove_prefix(sizeof(int64_t));
      ReadRow(bytes, out);  // Cannot fail: Encode wrote it.
    }
  }

  void AppendKeyBytes(uint32_t id, std::string& out) const override {
    const std::string& key = keys_[id];
    if (!bare_text_) {
      out.append(key, has_time_ ? sizeof(int64_t) : 0);
      return;
    }
    const auto length = static_cast<uint32_t>(key.size());
    out.push_back(1);
    out.append(reinterpret_cast<const char*>(&length), sizeof(length));
    out.append(key);
  }

  size_t ByteSize() const override {
    return map_.capacity() * (sizeof(std::string_view) + 9) + keys_.size() * sizeof(std::string) +
           key_bytes_;
  }

 private:
  uint32_t Create(std::string_view key, std::vector<uint32_t>& created) {
    const uint32_t id = pool_.Take();
    if (id >= keys_.size()) keys_.resize(id + 1);
    keys_[id].assign(key);
    key_bytes_ += keys_[id].capacity();
    map_.emplace(std::string_view(keys_[id]), id);
    created.push_back(id);
    return id;
  }

  void Encode(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
              std::span<const int64_t> times) {
    views_.clear();
    if (bare_text_) {
      for (int32_t row : rows) views_.push_back(keys[0]->GetString(row));
      return;
    }
    scratch_.clear();
    ends_.clear();
    for (size_t i = 0; i < rows.size(); ++i) {
      if (has_time_) {
        scratch_.append(reinterpret_cast<const char*>(&times[i]), sizeof(int64_t));
      }
      AppendRow(keys.first(types_.size()), rows[i], scratch_);
      ends_.push_back(scratch_.size());
    }
    size_t begin = 0;
    for (size_t end : ends_) {
      views_.push_back(std::string_view(scratch_).substr(begin, end - begin));
      begin = end;
    }
  }

  const std::vector<DataType> types_;
  const bool has_time_;
  const bool bare_text_;
  absl::flat_hash_map<std::string_view, uint32_t, HashText> map_;  // Views of keys_.
  std::deque<std::string> keys_;                                   // Does not move its strings.
  size_t key_bytes_ = 0;
  IdPool pool_;
  std::string scratch_;
  std::vector<size_t> ends_;
  std::vector<std::string_view> views_;
};

std::unique_ptr<GroupTable::Impl> MakeImpl(GroupTable::Options options) {
  size_t width = options.has_time ? 8 : 0;
  bool fixed = !options.nulls_possible && !options.key_types.empty();
  for (const DataType& type : options.key_types) {
    fixed &= WidthOf(type.kind()) > 0;
    width += WidthOf(type.kind());
  }
  const bool single = options.key_types.size() == 1 && !options.has_time;
  if (fixed && single && width <= 8) return std::make_unique<Int64Table>(options.key_types[0]);
  if (fixed && width <= 16) {
    return std::make_unique<PackedTable>(std::move(options.key_types), options.has_time);
  }
  const bool text = single && !options.nulls_possible &&
                    (options.key_types[0].is(TypeKind::kString) ||
                     options.key_types[0].is(TypeKind::kBytes));
  return std::make_unique<BytesTable>(std::move(options.key_types), options.has_time, text);
}

}  // namespace

GroupTable::GroupTable(Options options) : impl_(MakeImpl(std::move(options))) {}
GroupTable::~GroupTable() = default;
GroupTable::GroupTable(GroupTable&&) noexcept = default;
GroupTable& GroupTable::operator=(GroupTable&&) noexcept = default;

void GroupTable::FindOrInsert(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
                              std::span<const int64_t> times, std::vector<uint32_t>& ids,
                              std::vector<uint32_t>& created) {
  ids.resize(rows.size());
  impl_->FindOrInsert(keys, rows, times, ids.data(), created);
}

void GroupTable::Find(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
                      std::span<const int64_t> times, std::vector<uint32_t>& ids) {
  ids.resize(rows.size());
  impl_->Find(keys, rows, times, ids.data());
}

void GroupTable::Erase(std::span<const uint32_t> ids) { impl_->Erase(ids); }
size_t GroupTable::size() const { return impl_->size(); }
uint32_t GroupTable::id_limit() const { return impl_->id_limit(); }
int64_t GroupTable::time(uint32_t id) const { return impl_->time(id); }
void GroupTable::AppendKeys(std::span<const uint32_t> ids, std::span<ColumnBuilder> out) const {
  impl_->AppendKeys(ids, out);
}
void GroupTable::AppendKeyBytes(uint32_t id, std::string& out) const {
  impl_->AppendKeyBytes(id, out);
}
size_t GroupTable::ByteSize() const { return impl_->ByteSize(); }

}  // namespace weir
