// What a grouped aggregation keeps in its store: groups by pages, and how far its windows are.

#include <cstring>
#include <numeric>

#include "base/interrupt.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/operators/stream_aggregate.h"
#include "exec/state/row_codec.h"

namespace weir {
namespace {

constexpr std::string_view kClosedKey = "closed";
constexpr std::string_view kNewestKey = "newest";

}  // namespace

void StreamAggregate::AppendState(uint32_t id, std::string& out) const {
  AppendOrdered64(row_times_[id], out);
  calls_.Save(id, out);
}

// Windows are stored one by one in order of time, as they go by time; other groups by pages.
void StreamAggregate::SaveGroups() {
  std::string key, value;
  for (uint32_t id : dirty_) {
    if ((flags_[id] & kDirty) == 0) continue;   // Closed since.
    flags_[id] &= static_cast<uint8_t>(~kDirty);
    if (!windowed_) {
      pages_.Mark(id);
      continue;
    }
    key.clear();
    value.clear();
    AppendOrdered64(groups_.time(id), key);
    groups_.AppendKeyBytes(id, key);
    AppendState(id, value);
    store_->Put(key, value);
  }
  dirty_.clear();
  if (windowed_) return;
  pages_.Save(*store_, groups_.id_limit(), [&](uint32_t id, std::string& out) {
    groups_.AppendKeyBytes(id, out);
    value.clear();
    AppendState(id, value);
    const auto length = static_cast<uint32_t>(value.size());
    out.append(reinterpret_cast<const char*>(&length), sizeof(length));
    out.append(value);
  });
}

// One entry of a page; false if it is malformed.
bool StreamAggregate::ReadFromPage(std::string_view& page, std::span<ColumnBuilder> keys,
                                   std::vector<std::string>& values) {
  uint32_t length = 0;
  if (!ReadRow(page, keys) || page.size() < sizeof(length)) return false;
  std::memcpy(&length, page.data(), sizeof(length));
  page.remove_prefix(sizeof(length));
  if (page.size() < length) return false;
  values.emplace_back(page.substr(0, length));
  page.remove_prefix(length);
  return true;
}

Status StreamAggregate::OnBarrier() {
  if (erase_dirty_) {
    std::string limit;
    AppendOrdered64(erased_below_, limit);
    store_->DeleteRange("", limit);
    erase_dirty_ = false;
  }
  SaveGroups();
  if (times_dirty_) {
    StateStore& times = context_->Store(store_name_ + "-times");
    std::string value;
    AppendOrdered64(closed_, value);
    times.Put(kClosedKey, value);
    value.clear();
    AppendOrdered64(newest_, value);
    times.Put(kNewestKey, value);
    times_dirty_ = false;
  }
  MeasureMemory();
  return OkStatus();
}

void StreamAggregate::MeasureMemory() {
  created_since_measured_ = 0;
  memory_.Update(*context_,
                 groups_.ByteSize() + calls_.ByteSize() + flags_.capacity() +
                     row_times_.capacity() * sizeof(int64_t) +
                     touched_in_.capacity() * sizeof(Touched) +
                     open_.capacity() * sizeof(OpenGroup));
}

Status StreamAggregate::LoadTimes() {
  StateStore& times = context_->Store(store_name_ + "-times");
  return times.Scan("", "", [&](std::string_view key, std::string_view value) {
    int64_t time = 0;
    if (!ReadOrdered64(value, time)) return true;
    if (key == kClosedKey) closed_ = time;
    if (key == kNewestKey) newest_ = std::max(newest_, time);
    return true;
  });
}

Status StreamAggregate::Load() {
  std::vector<ColumnBuilder> keys;
  for (int i = 0; i < key_columns_; ++i) keys.emplace_back(schema_->columns[i].type);
  std::vector<int64_t> starts;
  std::vector<std::string> values;
  bool malformed = false;
  Status status;
  size_t bytes = 0;
  auto load_full = [&](size_t read) {
    bytes += read;
    const bool full = values.size() >= static_cast<size_t>(limits::kBatchRowsMax) ||
                      bytes >= limits::kBatchBytesMax;
    if (!full) return;
    bytes = 0;
    status = LoadBatch(keys, starts, values);
  };
  WEIR_RETURN_IF_ERROR(store_->Scan("", "", [&](std::string_view key, std::string_view value) {
    int64_t start = 0;
    const size_t size = key.size() + value.size();
    malformed = !ReadOrdered64(key, start);
    if (windowed_) {
      malformed = malformed || !ReadRow(key, keys) || !key.empty();
      starts.push_back(start);
      values.emplace_back(value);
      if (!malformed) load_full(size);
    } else {
      malformed |= !key.empty();
      while (!malformed && status.ok() && !value.empty()) {
        const size_t before = value.size();
        malformed = !ReadFromPage(value, keys, values);
        if (!malformed) load_full(before - value.size());
      }
    }
    return !malformed && status.ok();
  }));
  if (malformed) {
    return Status(ErrorCode::kStoreCorrupt, "a group's key in a state store is malformed");
  }
  WEIR_RETURN_IF_ERROR(std::move(status));
  return LoadBatch(keys, starts, values);
}

Status StreamAggregate::LoadBatch(std::vector<ColumnBuilder>& keys, std::vector<int64_t>& starts,
                                  std::vector<std::string>& values) {
  if (values.empty()) return OkStatus();
  CheckInterrupt();
  Chunk chunk;
  chunk.rows = static_cast<int32_t>(values.size());
  for (ColumnBuilder& builder : keys) chunk.columns.push_back(builder.Finish());
  rows_.resize(values.size());
  std::iota(rows_.begin(), rows_.end(), 0);
  starts_.clear();
  if (windowed_) starts_ = starts;
  FindGroups(chunk);
  for (size_t i = 0; i < values.size(); ++i) {
    std::string_view bytes = values[i];
    if (!ReadOrdered64(bytes, row_times_[ids_[i]])) {
      return Status(ErrorCode::kStoreCorrupt, "a group's state in a state store is malformed");
    }
    WEIR_RETURN_IF_ERROR(calls_.Load(ids_[i], bytes));
    flags_[ids_[i]] = emit_final_ ? 0 : kEmitted;
  }
  starts.clear();
  values.clear();
  return OkStatus();
}

}  // namespace weir
