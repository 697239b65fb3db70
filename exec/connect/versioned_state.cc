#include "exec/connect/versioned_state.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace weir {
namespace {

// Of a scan, copied at once: the lock is held so long.
constexpr size_t kEntriesAtOnce = 256;
constexpr size_t kReplacedMin = 1024;

}  // namespace

/// The state at one moment.
class VersionedState::At final : public StateReader {
 public:
  At(std::shared_ptr<const VersionedState> state, uint64_t moment)
      : state_(std::move(state)), moment_(moment) {}
  ~At() override {
    std::unique_lock lock(state_->mutex_);
    state_->readers_.erase(state_->readers_.find(moment_));
    if (state_->readers_.empty()) state_->DropUnseen();
  }
  At(const At&) = delete;
  At& operator=(const At&) = delete;

  Result<std::optional<std::string>> Get(std::string_view key) const override {
    std::shared_lock lock(state_->mutex_);
    const std::string* value = state_->ValueAt(key, moment_);
    return value == nullptr ? std::nullopt : std::optional<std::string>(*value);
  }

  Status MultiGet(const std::vector<std::string>& keys,
                  std::vector<std::optional<std::string>>& values) const override {
    values.assign(keys.size(), std::nullopt);
    std::shared_lock lock(state_->mutex_);
    for (size_t i = 0; i < keys.size(); ++i) {
      const std::string* value = state_->ValueAt(keys[i], moment_);
      if (value != nullptr) values[i] = *value;
    }
    return OkStatus();
  }

  Status Scan(std::string_view from, std::string_view to,
              const std::function<bool(std::string_view, std::string_view)>& visit) const override {
    std::vector<std::pair<std::string, std::string>> piece;
    std::string next(from);
    for (bool more = true; more;) {
      piece.clear();
      {
        std::shared_lock lock(state_->mutex_);
        auto at = state_->entries_.lower_bound(next);
        for (; at != state_->entries_.end() && (to.empty() || at->first < to); ++at) {
          if (piece.size() == kEntriesAtOnce) break;
          const Version* version = VersionAt(at->second, moment_);
          if (version != nullptr) piece.emplace_back(at->first, version->value);
        }
        more = piece.size() == kEntriesAtOnce;
      }
      for (const auto& [key, value] : piece) {
        if (!visit(key, value)) return OkStatus();
      }
      if (more) next = piece.back().first + '\0';
    }
    return OkStatus();
  }

 private:
  const std::shared_ptr<const VersionedState> state_;
  const uint64_t moment_;
};

Result<std::optional<std::string>> VersionedState::Get(std::string_view key) const {
  std::shared_lock lock(mutex_);
  const std::string* value = ValueAt(key, moment_);
  return value == nullptr ? std::nullopt : std::optional<std::string>(*value);
}

Status VersionedState::MultiGet(const std::vector<std::string>& keys,
                                std::vector<std::optional<std::string>>& values) const {
  values.assign(keys.size(), std::nullopt);
  std::shared_lock lock(mutex_);
  for (size_t i = 0; i < keys.size(); ++i) {
    const std::string* value = ValueAt(keys[i], moment_);
    if (value != nullptr) values[i] = *value;
  }
  return OkStatus();
}

Status VersionedState::Scan(
    std::string_view from, std::string_view to,
    const std::function<bool(std::string_view, std::string_view)>& visit) const {
  return Snapshot()->Scan(from, to, visit);
}

std::shared_ptr<const StateReader> VersionedState::Snapshot() const {
  std::unique_lock lock(mutex_);
  readers_.insert(moment_);
  return std::make_shared<At>(shared_from_this(), moment_);
}

const VersionedState::Version* VersionedState::VersionAt(const Version& latest, uint64_t moment) {
  const Version* version = &latest;
  while (version != nullptr && version->moment > moment) version = version->older.get();
  return version == nullptr || !version->is_there ? nullptr : version;
}

const std::string* VersionedState::ValueAt(std::string_view key, uint64_t moment) const {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return nullptr;
  const Version* version = VersionAt(found->second, moment);
  return version == nullptr ? nullptr : &version->value;
}

void VersionedState::Apply(std::initializer_list<std::span<const StateChange>> lists) {
  std::unique_lock lock(mutex_);
  ++moment_;
  for (const std::span<const StateChange> changes : lists) {
    for (const StateChange& change : changes) Apply(change);
  }
  if (replaced_.size() >= drop_at_) DropUnseen();
}

void VersionedState::Apply(const StateChange& change) {
  switch (change.kind) {
    case StateChange::Kind::kPut: Put(change.key, change.value); break;
    case StateChange::Kind::kDelete:
      if (const auto found = entries_.find(change.key); found != entries_.end()) Delete(found);
      break;
    case StateChange::Kind::kDeleteRange: {
      if (!change.value.empty() && change.value <= change.key) break;
      auto at = entries_.lower_bound(change.key);
      while (at != entries_.end() && (change.value.empty() || at->first < change.value)) {
        at = Delete(at);
      }
      break;
    }
  }
}

void VersionedState::Put(std::string_view key, std::string_view value) {
  auto found = entries_.find(key);
  if (found == entries_.end()) found = entries_.emplace(std::string(key), Version()).first;
  Version& latest = found->second;
  const bool is_new = !latest.is_there && latest.older == nullptr;
  if (!is_new && IsSeen(latest)) KeepOld(key, latest);
  latest.moment = moment_;
  latest.is_there = true;
  latest.value = value;
}

VersionedState::Entries::iterator VersionedState::Delete(Entries::iterator entry) {
  Version& latest = entry->second;
  if (!latest.is_there) return std::next(entry);
  if (IsSeen(latest)) {
    KeepOld(entry->first, latest);
  } else if (latest.older == nullptr) {
    return entries_.erase(entry);
  }
  latest.moment = moment_;
  latest.is_there = false;
  latest.value = std::string();
  return std::next(entry);
}

void VersionedState::KeepOld(std::string_view key, Version& latest) {
  auto older = std::make_unique<Version>(std::move(latest));
  latest = Version();
  latest.older = std::move(older);
  replaced_.emplace_back(key);
}

// Drops the versions that nobody can see any more.
void VersionedState::DropUnseen() const {
  const uint64_t earliest = readers_.empty() ? moment_ : *readers_.begin();
  std::sort(replaced_.begin(), replaced_.end());
  replaced_.erase(std::unique(replaced_.begin(), replaced_.end()), replaced_.end());
  std::erase_if(replaced_, [&](const std::string& key) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return true;
    Version* version = &found->second;
    while (version->moment > earliest && version->older != nullptr) version = version->older.get();
    version->older.reset();
    if (found->second.older != nullptr) return false;
    if (!found->second.is_there) entries_.erase(found);
    return true;
  });
  drop_at_ = 2 * replaced_.size() + kReplacedMin;
}

}  // namespace weir
