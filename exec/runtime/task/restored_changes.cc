#include "exec/runtime/task/restored_changes.h"

#include <algorithm>
#include <cstring>

namespace weir {
namespace {

constexpr size_t kRestoredPieceBytes = 1u << 20;

// The eight bytes of a key from `at` on; numbers are in the order of keys.
uint64_t OrderBytes(std::string_view key, size_t at) {
  uint64_t order = 0;
  for (size_t i = at; i < at + sizeof(order); ++i) {
    order = order << 8 | (i < key.size() ? static_cast<unsigned char>(key[i]) : 0);
  }
  return order;
}

}  // namespace

char* RestoredChanges::Allocate(size_t size) {
  if (size > left_) {
    left_ = std::max(size, kRestoredPieceBytes);
    pieces_.push_back(std::unique_ptr<char[]>(new char[left_]));
    free_ = pieces_.back().get();
  }
  char* at = free_;
  free_ += size;
  left_ -= size;
  return at;
}

void RestoredChanges::Add(std::string_view key, const std::optional<std::string_view>& value) {
  const size_t key_size = prefix_.size() + key.size();
  const size_t value_size = value ? value->size() : 0;
  char* at = Allocate(key_size + value_size);
  Entry entry{at, 0, static_cast<uint32_t>(key_size), value ? static_cast<int32_t>(value_size) : -1,
              static_cast<uint32_t>(entries_.size())};
  std::memcpy(at, prefix_.data(), prefix_.size());
  std::memcpy(at + prefix_.size(), key.data(), key.size());
  if (value_size > 0) std::memcpy(at + key_size, value->data(), value_size);
  entries_.push_back(entry);
  const size_t added = key_size + value_size + sizeof(Entry);
  bytes_ += added;
  open_bytes_ += added;
}

void RestoredChanges::DropOpen(const std::function<void(std::string_view)>& dropped) {
  for (size_t i = closed_; i < entries_.size(); ++i) {
    dropped(entries_[i].view().substr(prefix_.size()));
  }
  entries_.resize(closed_);
  bytes_ -= open_bytes_;  // The texts stay until the others go.
  open_bytes_ = 0;
}

void RestoredChanges::Clear() {
  entries_.clear();
  pieces_.clear();
  free_ = nullptr;
  left_ = closed_ = bytes_ = open_bytes_ = 0;
}

// How much all keys that count have in common.
size_t RestoredChanges::CommonPrefix() const {
  const std::string_view first = entries_.front().view();
  size_t common = first.size();
  for (size_t i = 1; i < closed_; ++i) {
    const std::string_view key = entries_[i].view();
    size_t same = std::min(common, key.size());
    if (std::memcmp(first.data(), key.data(), same) != 0) {
      same = static_cast<size_t>(std::mismatch(first.begin(),
                                               first.begin() + static_cast<std::ptrdiff_t>(same),
                                               key.begin())
                                     .first -
                                 first.begin());
    }
    common = same;
  }
  return common;
}

std::vector<StateEntry> RestoredChanges::SortClosed() {
  std::vector<StateEntry> sorted;
  if (closed_ == 0) return sorted;
  const size_t common = CommonPrefix();
  for (size_t i = 0; i < closed_; ++i) entries_[i].order = OrderBytes(entries_[i].view(), common);
  std::sort(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(closed_),
            [](const Entry& a, const Entry& b) {
              if (a.order != b.order) return a.order < b.order;
              const int order = a.view().compare(b.view());
              return order != 0 ? order < 0 : a.number < b.number;
            });
  sorted.reserve(closed_);
  for (size_t i = 0; i < closed_; ++i) {
    const Entry& entry = entries_[i];
    if (i + 1 < closed_ && entries_[i + 1].view() == entry.view()) continue;
    StateEntry& out = sorted.emplace_back();
    out.key = entry.view();
    if (entry.value_size >= 0) {
      out.value =
          std::string_view(entry.key + entry.key_size, static_cast<size_t>(entry.value_size));
    }
  }
  return sorted;
}

void RestoredChanges::ForgetClosed() {
  if (closed_ == entries_.size()) {
    Clear();
    return;
  }
  RestoredChanges rest(prefix_);
  for (size_t i = closed_; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    std::optional<std::string_view> value;
    if (entry.value_size >= 0) {
      value = std::string_view(entry.key + entry.key_size, static_cast<size_t>(entry.value_size));
    }
    rest.Add(entry.view().substr(prefix_.size()), value);
  }
  pieces_.swap(rest.pieces_);
  entries_.swap(rest.entries_);
  free_ = rest.free_;
  left_ = rest.left_;
  closed_ = 0;
  bytes_ = rest.bytes_;
  open_bytes_ = rest.open_bytes_;
}

}  // namespace weir
