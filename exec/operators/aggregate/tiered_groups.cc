// Groups in memory: finding, saving, leaving.

#include "exec/operators/aggregate/tiered_groups.h"

#include <algorithm>
#include <cstring>

#include "base/status_macros.h"
#include "exec/state/row_codec.h"

namespace weir {
namespace {

// In front of the keys of groups that have left their pages; pages have numbers that sort behind.
constexpr char kLeftPage = 'k';

}  // namespace

TieredGroups::TieredGroups(Options options, AggregateCalls calls)
    : options_(std::move(options)),
      calls_(std::move(calls)),
      table_({options_.key_types, options_.windowed, false}) {}

Status TieredGroups::Find(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
                          std::span<const int64_t> starts, std::vector<uint32_t>& ids,
                          std::vector<uint32_t>& created) {
  created.clear();
  table_.FindOrInsert(keys, rows, starts, ids, created);
  if (created.empty()) return OkStatus();
  Admit(created);
  return some_stored_ ? ReadStored(created) : OkStatus();
}

// Makes room for what is kept of groups that are new in memory.
void TieredGroups::Admit(std::span<const uint32_t> ids) {
  calls_.Resize(table_.id_limit());
  if (flags_.size() < table_.id_limit()) {
    flags_.reserve(calls_.capacity());
    flags_.resize(calls_.capacity());
    row_times_.reserve(calls_.capacity());
    row_times_.resize(calls_.capacity());
  }
  // Groups that come by the thousand are not first counted at the barrier.
  created_since_measured_ += ids.size();
  if (created_since_measured_ > kMeasuredGroups) {
    Measure(besides_);
    if (!HasRoom() && !HasFreeIds()) context_->AskForCommit();
  }
  for (uint32_t id : ids) {
    flags_[id] = kLive;
    row_times_[id] = INT64_MIN;
    if (options_.windowed) WindowOf(table_.time(id)).ids.push_back(id);
  }
}

TieredGroups::Window& TieredGroups::WindowOf(int64_t start) {
  if (last_window_.second == nullptr || last_window_.first != start) {
    last_window_ = {start, &windows_[start]};
  }
  return *last_window_.second;
}

void TieredGroups::AppendStoreKey(uint32_t id, std::string& out) const {
  if (options_.windowed) AppendOrdered64(table_.time(id), out);
  if (options_.layout == Layout::kByPage) out.push_back(kLeftPage);
  table_.AppendKeyBytes(id, out);
}

void TieredGroups::AppendState(uint32_t id, std::string& out) const {
  AppendOrdered64(row_times_[id], out);
  calls_.Save(id, out);
}

Status TieredGroups::ReadState(uint32_t id, std::string_view bytes) {
  if (!ReadOrdered64(bytes, row_times_[id])) {
    return Status(ErrorCode::kStoreCorrupt, "a group's state in a state store is malformed");
  }
  WEIR_RETURN_IF_ERROR(calls_.Load(id, bytes));
  flags_[id] |= options_.stored_flags;
  return OkStatus();
}

// Of groups that are new in memory: the states of those that had left it.
Status TieredGroups::ReadStored(std::span<const uint32_t> ids) {
  wanted_.clear();
  for (uint32_t id : ids) {
    if (options_.windowed && WindowOf(table_.time(id)).stored == 0) continue;
    AppendStoreKey(id, wanted_.emplace_back("", id).first);
  }
  if (wanted_.empty()) return OkStatus();
  std::sort(wanted_.begin(), wanted_.end());
  std::vector<std::string> keys;
  keys.reserve(wanted_.size());
  for (auto& [key, id] : wanted_) keys.push_back(std::move(key));
  std::vector<std::optional<std::string>> values;
  WEIR_RETURN_IF_ERROR(store_->MultiGet(keys, values));
  for (size_t i = 0; i < keys.size(); ++i) {
    if (!values[i]) continue;
    const uint32_t id = wanted_[i].second;
    WEIR_RETURN_IF_ERROR(ReadState(id, *values[i]));
    if (!options_.windowed) continue;
    --WindowOf(table_.time(id)).stored;
    --stored_;
  }
  return OkStatus();
}

void TieredGroups::EraseGroup(uint32_t id) {
  calls_.Reset(id);
  flags_[id] = 0;
  table_.Erase(id);
}

void TieredGroups::DropFirstWindow() {
  const auto first = windows_.begin();
  for (uint32_t id : first->second.ids) EraseGroup(id);
  stored_ -= first->second.stored;
  last_window_ = {0, nullptr};
  windows_.erase(first);
}

void TieredGroups::Save() {
  if (options_.layout == Layout::kByKey) {
    SaveByKey();
  } else {
    SaveByPage();
  }
}

void TieredGroups::SaveByKey() {
  std::string key, value;
  for (uint32_t id : dirty_) {
    if ((flags_[id] & kDirty) == 0) continue;  // Closed since.
    flags_[id] = static_cast<uint8_t>((flags_[id] & ~kDirty) | kSaved);
    key.clear();
    value.clear();
    AppendStoreKey(id, key);
    AppendState(id, value);
    store_->Put(key, value);
  }
  saved_.swap(dirty_);
  dirty_.clear();
}

// Groups that leave are written by their keys in the same commit that takes them out of their
// pages.
void TieredGroups::SaveByPage() {
  for (uint32_t id : dirty_) {
    flags_[id] &= static_cast<uint8_t>(~kDirty);
    pages_.Mark(id);
  }
  dirty_.clear();
  Measure(besides_);
  ChoosePages(GroupsMax());
  std::string key, value;
  for (uint32_t id : leaving_) {
    key.clear();
    value.clear();
    AppendStoreKey(id, key);
    AppendState(id, value);
    store_->Put(key, value);
    pages_.Mark(id);
  }
  pages_.Save(*store_, table_.id_limit(), [&](uint32_t id, std::string& out) {
    if ((flags_[id] & (kLive | kLeaving)) != kLive) return;
    table_.AppendKeyBytes(id, out);
    value.clear();
    AppendState(id, value);
    const auto length = static_cast<uint32_t>(value.size());
    out.append(reinterpret_cast<const char*>(&length), sizeof(length));
    out.append(value);
  });
}

bool TieredGroups::HasRoom() const {
  const auto held = static_cast<int64_t>(ByteSize());
  return context_->MemoryShare(held) >= held;
}

// Groups that left make room for new ones, where the arrays are as they are.
bool TieredGroups::HasFreeIds() const {
  constexpr size_t kFreePart = 16;
  return table_.size() + table_.id_limit() / kFreePart < table_.id_limit();
}

// Groups in pages get other numbers only where too much is held: all pages are to be written anew
// then.
bool TieredGroups::NeedsShrinking() const {
  if (options_.layout == Layout::kByKey) return true;
  const auto held = static_cast<int64_t>(ByteSize());
  const int64_t share = context_->MemoryShare(held);
  return held - share > share / 8;
}

// How many groups may stay, as their arrays are now. A quarter leaves at least, so that it is worth
// making these anew.
size_t TieredGroups::GroupsMax() {
  const auto held = static_cast<int64_t>(ByteSize());
  const int64_t share = context_->MemoryShare(held);
  shrinks_ = share < held;
  if (!shrinks_) return SIZE_MAX;
  const double part = static_cast<double>(std::max<int64_t>(share, 0)) / static_cast<double>(held);
  return static_cast<size_t>(static_cast<double>(table_.id_limit()) * std::min(part, 0.75));
}

void TieredGroups::Leave(size_t id) {
  flags_[id] |= kLeaving;
  leaving_.push_back(static_cast<uint32_t>(id));
}

// Whole pages, so that what stays lies densely.
void TieredGroups::ChoosePages(size_t groups_max) {
  const size_t limit = table_.id_limit();
  const size_t pages = (limit + DirtyPages::kRows - 1) / DirtyPages::kRows;
  // The second time around nothing counts as used any more.
  for (size_t step = 0; step < 2 * pages; ++step) {
    if (table_.size() - leaving_.size() <= groups_max) return;
    if (hand_ >= pages) hand_ = 0;
    const size_t from = hand_++ * DirtyPages::kRows;
    const size_t to = std::min(from + DirtyPages::kRows, limit);
    uint8_t all = 0;
    for (size_t id = from; id < to; ++id) {
      all |= flags_[id];
      flags_[id] &= static_cast<uint8_t>(~kUsed);
    }
    if ((all & (kPending | kLeaving)) != 0 || (all & kUsed) != 0) continue;
    for (size_t id = from; id < to; ++id) {
      if ((flags_[id] & kLive) != 0) Leave(id);
    }
  }
}

void TieredGroups::ChooseGroups(size_t groups_max) {
  const size_t limit = table_.id_limit();
  for (size_t step = 0; step < 2 * limit; ++step) {
    if (table_.size() - leaving_.size() <= groups_max) return;
    if (hand_ >= limit) hand_ = 0;
    const size_t id = hand_++;
    const uint8_t flags = flags_[id];
    flags_[id] &= static_cast<uint8_t>(~kUsed);
    if ((flags & kLive) == 0 || (flags & (kDirty | kPending | kLeaving)) != 0) continue;
    if ((flags & kUsed) == 0) Leave(id);
  }
}

void TieredGroups::Evict(std::vector<uint32_t>& noted) {
  for (uint32_t id : saved_) flags_[id] &= static_cast<uint8_t>(~kSaved);
  saved_.clear();
  if (options_.layout == Layout::kByKey) ChooseGroups(GroupsMax());
  if (!shrinks_) return;
  some_stored_ |= !leaving_.empty();
  // What changed since it was saved stays, and goes into its page again.
  std::erase_if(leaving_, [this](uint32_t id) {
    const bool stays = (flags_[id] & (kDirty | kPending)) != 0;
    if (stays) flags_[id] &= static_cast<uint8_t>(~kLeaving);
    return stays;
  });
  for (uint32_t id : leaving_) calls_.Reset(id);
  std::vector<uint32_t> kept;
  for (size_t id = 0; id < table_.id_limit(); ++id) {
    if ((flags_[id] & (kLive | kLeaving)) == kLive) kept.push_back(static_cast<uint32_t>(id));
  }
  for (auto& [start, window] : windows_) {
    const auto left = static_cast<int64_t>(
        std::erase_if(window.ids, [this](uint32_t id) { return (flags_[id] & kLeaving) != 0; }));
    window.stored += left;
    stored_ += left;
  }
  if (NeedsShrinking()) {
    Shrink(kept, noted);
  } else {
    for (uint32_t id : leaving_) flags_[id] = 0;
    table_.Erase(leaving_);
  }
  leaving_.clear();
  shrinks_ = false;
}

// Numbers the groups anew, so that memory goes back to the system.
void TieredGroups::Shrink(std::span<const uint32_t> kept, std::vector<uint32_t>& noted) {
  std::vector<uint32_t> places(flags_.size(), GroupTable::kNone);
  const bool moves = !kept.empty() && kept.back() != kept.size() - 1;
  for (size_t i = 0; i < kept.size(); ++i) {
    flags_[i] = flags_[kept[i]];
    row_times_[i] = row_times_[kept[i]];
    places[kept[i]] = static_cast<uint32_t>(i);
  }
  flags_.resize(kept.size());
  flags_.shrink_to_fit();
  row_times_.resize(kept.size());
  row_times_.shrink_to_fit();
  for (auto& [start, window] : windows_) {
    for (uint32_t& id : window.ids) id = places[id];
    window.ids.shrink_to_fit();
  }
  table_.Keep(kept);
  calls_.Keep(kept);
  for (std::vector<uint32_t>* ids : {&dirty_, &noted}) {
    for (uint32_t& id : *ids) id = places[id];
    std::erase(*ids, GroupTable::kNone);
    ids->shrink_to_fit();
  }
  hand_ = 0;
  if (options_.layout != Layout::kByPage) return;
  pages_ = DirtyPages();
  if (moves) MarkMoved();
}

void TieredGroups::Measure(size_t besides) {
  besides_ = besides;
  created_since_measured_ = 0;
  memory_.Update(*context_, ByteSize() + besides);
}

size_t TieredGroups::ByteSize() const {
  constexpr size_t kWindowBytes = 96;  // With its place in the map.
  size_t bytes = table_.ByteSize() + calls_.ByteSize() + flags_.capacity() +
                 row_times_.capacity() * sizeof(int64_t) + windows_.size() * kWindowBytes +
                 dirty_.capacity() * sizeof(uint32_t) + dirty_.size() * kChangedBytes;
  if (options_.windowed) bytes += table_.size() * sizeof(uint32_t);
  return bytes;
}

}  // namespace weir
