#include "exec/state/rows/pointer_index.h"

#include "base/status_macros.h"
#include "exec/state/row_key.h"

namespace weir {
namespace {

// Behind a commit so many bytes of pairs come in, where there is room.
constexpr size_t kReadPairsBytes = 256u << 10;

// Of a pair in memory, roughly.
size_t PairBytes(std::string_view pair) {
  constexpr size_t kEntryBytes = 48;
  constexpr size_t kInPlaceMax = 15;
  return kEntryBytes + (pair.size() > kInPlaceMax ? pair.size() + 16 : 0);
}

}  // namespace

Status PointerIndex::Open(StateStore& store, bool is_new) {
  store_ = &store;
  clears_ = whole_ = is_new;
  return is_new ? OkStatus() : ReadMore();
}

void PointerIndex::Change(std::string_view pointer, std::string_view key, bool is_added) {
  scratch_.assign(pointer);
  scratch_.append(key);
  const auto [at, is_new] = changes_.try_emplace(scratch_);
  if (is_new) bytes_ += PairBytes(scratch_);
  at->second = {is_added, false};
}

Status PointerIndex::Find(std::string_view pointer,
                          const std::function<void(std::string_view)>& visit) const {
  const std::string begin(pointer);
  const std::string end = EndOfPrefix(pointer);
  auto change = changes_.lower_bound(begin);
  const auto visit_added = [&](std::string_view to) {
    for (; change != changes_.end() && change->first < to; ++change) {
      if (change->second.is_there) visit(std::string_view(change->first).substr(pointer.size()));
    }
  };
  const auto visit_committed = [&](std::string_view pair) {
    visit_added(pair);
    // A change says more.
    if (change != changes_.end() && change->first == pair) return;
    visit(pair.substr(pointer.size()));
  };
  if (whole_ || (!read_to_.empty() && end <= read_to_)) {
    for (auto pair = pairs_.lower_bound(begin); pair != pairs_.end() && *pair < end; ++pair) {
      visit_committed(*pair);
    }
  } else {
    WEIR_RETURN_IF_ERROR(store_->Scan(begin, end, [&](std::string_view pair, std::string_view) {
      visit_committed(pair);
      return true;
    }));
  }
  visit_added(end);
  return OkStatus();
}

Status PointerIndex::ReadMore() {
  bool ended = true;
  size_t bytes = 0;
  WEIR_RETURN_IF_ERROR(store_->Scan(read_to_, "", [&](std::string_view pair, std::string_view) {
    if (bytes >= kReadPairsBytes) {
      ended = false;
      read_to_.assign(pair);
      return false;
    }
    bytes += PairBytes(pair);
    if (pairs_.emplace(pair).second) bytes_ += PairBytes(pair);
    return true;
  }));
  whole_ = ended;
  return OkStatus();
}

void PointerIndex::Save() {
  if (clears_) store_->DeleteRange("", "");
  clears_ = false;
  for (auto& [pair, change] : changes_) {
    change.is_saved = true;
    if (change.is_there) {
      store_->Put(pair, "");
    } else {
      store_->Delete(pair);
    }
  }
}

Status PointerIndex::OnCommitted(int64_t share) {
  if (has_left_ || share < static_cast<int64_t>(bytes_)) {
    has_left_ = true;
    whole_ = false;
    read_to_.clear();
    pairs_.clear();
    bytes_ = 0;
    for (auto change = changes_.begin(); change != changes_.end();) {
      if (change->second.is_saved) {
        change = changes_.erase(change);
      } else {
        bytes_ += PairBytes(change->first);
        ++change;
      }
    }
    return OkStatus();
  }
  for (auto change = changes_.begin(); change != changes_.end();) {
    if (!change->second.is_saved) {
      ++change;
      continue;
    }
    const std::string& pair = change->first;
    const bool is_kept = change->second.is_there && (whole_ || pair < read_to_);
    const bool was_kept = is_kept ? !pairs_.insert(pair).second : pairs_.erase(pair) > 0;
    bytes_ -= PairBytes(pair) * ((is_kept ? 0 : 1) + (was_kept ? 1 : 0));
    change = changes_.erase(change);
  }
  return whole_ || share != INT64_MAX ? OkStatus() : ReadMore();
}

}  // namespace weir
