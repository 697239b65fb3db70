#include "exec/state/group_table.h"

#include <cstring>
#include <deque>
#include <string_view>

#include <absl/container/flat_hash_map.h>
#include <absl/hash/hash.h>
#include <absl/strings/string_view.h>

#include "exec/state/group_layout.h"
#include "exec/state/row_codec.h"

namespace weir {
namespace {

struct HashText {
  size_t operator()(std::string_view key) const {
    return absl::Hash<absl::string_view>()(absl::string_view(key.data(), key.size()));
  }
};

/// Any key, as bytes: a bare text as it is, all else as row_codec.h writes it behind the time.
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
      if (prefetch && i + kSlotsPrefetched < views_.size()) {
        map_.prefetch(views_[i + kSlotsPrefetched]);
      }
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

  void Keep(std::span<const uint32_t> ids) override {
    Map().swap(map_);  // Its views go with the strings.
    key_bytes_ = 0;
    for (size_t i = 0; i < ids.size(); ++i) {
      if (ids[i] != i) keys_[i] = std::move(keys_[ids[i]]);
      key_bytes_ += keys_[i].capacity();
    }
    keys_.resize(ids.size());
    keys_.shrink_to_fit();
    map_.reserve(ids.size());
    for (size_t i = 0; i < ids.size(); ++i) {
      map_.emplace(std::string_view(keys_[i]), static_cast<uint32_t>(i));
    }
    pool_.Restart(static_cast<uint32_t>(ids.size()));
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
  using Map = absl::flat_hash_map<std::string_view, uint32_t, HashText>;
  Map map_;                       // Views of keys_.
  std::deque<std::string> keys_;  // Does not move its strings.
  size_t key_bytes_ = 0;
  IdPool pool_;
  std::string scratch_;
  std::vector<size_t> ends_;
  std::vector<std::string_view> views_;
};

std::unique_ptr<GroupTable::Impl> MakeImpl(GroupTable::Options options) {
  if (auto packed = MakePackedGroups(options)) return packed;
  const bool text =
      options.key_types.size() == 1 && !options.has_time && !options.nulls_possible &&
      (options.key_types[0].is(TypeKind::kString) || options.key_types[0].is(TypeKind::kBytes));
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
void GroupTable::Keep(std::span<const uint32_t> ids) { impl_->Keep(ids); }
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
