// Sessions in memory: adding, moving, closing; saving and leaving.

#include "exec/operators/aggregate/kept_sessions.h"

#include <algorithm>
#include <utility>

#include "base/interrupt.h"
#include "base/status_macros.h"
#include "exec/state/row_codec.h"

namespace weir {
namespace {

// New sessions after which memory is measured again.
constexpr size_t kMeasuredSessions = 1 << 14;
// What the commit needs of a changed session, roughly: its entry, and what it is handed on with.
constexpr size_t kChangedSessionBytes = 128;

}  // namespace

KeptSessions::KeptSessions(Options options, AggregateCalls calls)
    : options_(std::move(options)),
      calls_(std::move(calls)),
      keys_({options_.key_types, false, false}) {}

uint32_t KeptSessions::NewId() {
  ++live_;
  if (!free_.empty()) {
    const uint32_t id = free_.back();
    free_.pop_back();
    return id;
  }
  if (++created_since_measured_ > kMeasuredSessions) {
    Measure();
    const auto held = static_cast<int64_t>(ByteSize());
    if (context_->MemoryShare(held) < held) context_->AskForCommit();
  }
  const auto id = static_cast<uint32_t>(sessions_.size());
  sessions_.emplace_back();
  calls_.Resize(id + 1);
  return id;
}

// Rows that come in order have their ends in one step for a while.
void KeptSessions::FileByEnd(uint32_t id) {
  const int64_t step = StepOf(sessions_[id].bounds.end);
  if (last_filed_.second == nullptr || last_filed_.first != step) {
    last_filed_ = {step, &by_end_[step]};
  }
  last_filed_.second->push_back(id);
}

// Into the list of its key.
void KeptSessions::Place(uint32_t id) {
  List& list = of_key_[sessions_[id].key];
  const int64_t end = sessions_[id].bounds.end;
  if (list.empty() || sessions_[list.back()].bounds.end <= end) {
    list.push_back(id);
    return;
  }
  const auto place = std::upper_bound(
      list.begin(), list.end(), end,
      [this](int64_t time, uint32_t other) { return time < sessions_[other].bounds.end; });
  list.insert(place, id);
}

uint32_t KeptSessions::Add(uint32_t key, SessionBounds bounds) {
  const uint32_t id = NewId();
  Session& session = sessions_[id];
  session = Session();
  session.key = key;
  session.bounds = bounds;
  session.live = true;
  Place(id);
  FileByEnd(id);
  return id;
}

void KeptSessions::Release(uint32_t id) {
  sessions_[id] = Session();
  calls_.Reset(id);
  free_.push_back(id);
  --live_;
}

void KeptSessions::Remove(uint32_t id) {
  const uint32_t key = sessions_[id].key;
  if (key_leaves_[key] != 0) Stay(key);
  List& list = of_key_[key];
  list.erase(std::find(list.begin(), list.end(), id));
  pages_.Mark(id);
  Release(id);
}

// A key that was to leave has changed: what was saved of it counts no more.
void KeptSessions::Stay(uint32_t key) {
  key_leaves_[key] = 0;
  come_back_.insert(LeftKey(key));
  for (uint32_t id : of_key_[key]) pages_.Mark(id);
}

void KeptSessions::Move(uint32_t id, SessionBounds bounds) {
  Session& session = sessions_[id];
  const bool passes = session.bounds.end != bounds.end;
  const bool steps = passes && StepOf(session.bounds.end) != StepOf(bounds.end);
  session.bounds = bounds;
  if (steps) FileByEnd(id);
  List& list = of_key_[session.key];
  // Ends only grow: the last one stays the last.
  if (!passes || list.back() == id) return;
  list.erase(std::find(list.begin(), list.end(), id));
  Place(id);
}

void KeptSessions::MarkDirty(uint32_t id) {
  Session& session = sessions_[id];
  if (session.dirty) return;
  session.dirty = true;
  key_used_[session.key] = 1;
  if (key_leaves_[session.key] != 0) Stay(session.key);
  dirty_.push_back(id);
}

void KeptSessions::DropEmptyKeys() {
  for (uint32_t key : created_) {
    if (of_key_[key].empty()) keys_.Erase(key);
  }
  created_.clear();
}

Status KeptSessions::Close(int64_t limit,
                           const std::function<Status(std::vector<uint32_t>&)>& use) {
  std::vector<uint32_t> closing, later, emptied;
  while (true) {
    CheckInterrupt();
    int64_t step = by_end_.empty() ? INT64_MAX : by_end_.begin()->first;
    if (!left_steps_.empty()) step = std::min(step, *left_steps_.begin());
    if (step == INT64_MAX || step * options_.end_step >= limit) return OkStatus();
    if (left_steps_.contains(step)) {
      WEIR_RETURN_IF_ERROR(LoadStep(step));
      steps_done_ = step;
      steps_dirty_ = true;
    }
    closing.clear();
    later.clear();
    if (const auto filed = by_end_.find(step); filed != by_end_.end()) {
      for (uint32_t id : filed->second) {
        const Session& session = sessions_[id];
        if (!session.live || StepOf(session.bounds.end) != step) continue;
        (session.bounds.end < limit ? closing : later).push_back(id);
      }
      std::swap(filed->second, later);
      later.clear();
      if (filed->second.empty()) {
        by_end_.erase(filed);
        last_filed_ = {0, nullptr};
      }
    }
    // A session may be filed more than once.
    std::sort(closing.begin(), closing.end());
    closing.erase(std::unique(closing.begin(), closing.end()), closing.end());
    if (!closing.empty()) {
      std::vector<uint32_t> given = closing;
      WEIR_RETURN_IF_ERROR(use(given));
    }
    emptied.clear();
    for (uint32_t id : closing) {
      const uint32_t key = sessions_[id].key;
      Remove(id);
      if (of_key_[key].empty()) emptied.push_back(key);
    }
    keys_.Erase(emptied);
    if (by_end_.contains(step)) return OkStatus();  // The limit lies within.
  }
}

Status KeptSessions::FindLastEnd(int64_t& end) {
  end = INT64_MIN;
  for (const Session& session : sessions_) {
    if (session.live) end = std::max(end, session.bounds.end);
  }
  while (!left_steps_.empty() && (end == INT64_MIN || *left_steps_.rbegin() >= StepOf(end))) {
    WEIR_RETURN_IF_ERROR(LoadStep(*left_steps_.rbegin()));
    for (const Session& session : sessions_) {
      if (session.live) end = std::max(end, session.bounds.end);
    }
  }
  return OkStatus();
}

void KeptSessions::AppendState(uint32_t id, std::string& out) const {
  const size_t at = out.size();
  out.append(sizeof(uint32_t), '\0');
  calls_.Save(id, out);
  const auto length = static_cast<uint32_t>(out.size() - at - sizeof(uint32_t));
  out.replace(at, sizeof(length), reinterpret_cast<const char*>(&length), sizeof(length));
}

void KeptSessions::AppendSession(uint32_t id, std::string& out) const {
  const Session& session = sessions_[id];
  AppendOrdered64(session.bounds.end, out);
  AppendOrdered64(session.bounds.start, out);
  keys_.AppendKeyBytes(session.key, out);
  AppendState(id, out);
}

void KeptSessions::Save() {
  Measure();
  for (const std::string& key : come_back_) store_->Delete(key);
  deleted_.merge(come_back_);
  come_back_.clear();
  if (steps_dirty_) {
    std::string to(1, 't');
    AppendOrdered64(steps_done_ + 1, to);
    store_->DeleteRange("t", to);
    steps_dirty_ = false;
  }
  for (uint32_t id : dirty_) {
    if (!sessions_[id].dirty) continue;  // Gone since.
    sessions_[id].dirty = false;
    pages_.Mark(id);
  }
  dirty_.clear();
  ChooseKeys();
  SaveLeaving();
  pages_.Save(*store_, static_cast<uint32_t>(sessions_.size()), [&](uint32_t id, std::string& out) {
    if (sessions_[id].live && key_leaves_[sessions_[id].key] == 0) AppendSession(id, out);
  });
}

// A key goes with all its sessions. A quarter of them leaves at least, so that it is worth making
// the arrays anew.
void KeptSessions::ChooseKeys() {
  const auto held = static_cast<int64_t>(ByteSize());
  const int64_t share = context_->MemoryShare(held);
  shrinks_ = share < held;
  if (!shrinks_) return;
  const double part = static_cast<double>(std::max<int64_t>(share, 0)) / static_cast<double>(held);
  const auto stay =
      static_cast<int64_t>(static_cast<double>(sessions_.size()) * std::min(part, 0.75));
  int64_t left = live_;
  // The second time around nothing counts as used any more.
  for (size_t step = 0; step < 2 * of_key_.size() && left > stay; ++step) {
    if (hand_ >= of_key_.size()) hand_ = 0;
    const auto key = static_cast<uint32_t>(hand_++);
    const bool used = key_used_[key] != 0;
    key_used_[key] = 0;
    if (used || of_key_[key].empty() || key_leaves_[key] != 0) continue;
    key_leaves_[key] = 1;
    leaving_.push_back(key);
    left -= static_cast<int64_t>(of_key_[key].size());
  }
}

std::string KeptSessions::LeftKey(uint32_t key) const {
  std::string bytes(1, 'k');
  keys_.AppendKeyBytes(key, bytes);
  return bytes;
}

void KeptSessions::SaveLeaving() {
  std::string value, index;
  for (uint32_t key : leaving_) {
    const std::string bytes = LeftKey(key);
    const auto count = static_cast<uint32_t>(of_key_[key].size());
    value.assign(reinterpret_cast<const char*>(&count), sizeof(count));
    for (uint32_t id : of_key_[key]) {
      AppendOrdered64(sessions_[id].bounds.end, value);
      AppendOrdered64(sessions_[id].bounds.start, value);
      AppendState(id, value);
      pages_.Mark(id);
      index.assign(1, 't');
      AppendOrdered64(StepOf(sessions_[id].bounds.end), index);
      index.append(bytes, 1);
      store_->Put(index, "");
    }
    store_->Put(bytes, value);
  }
}

void KeptSessions::Evict(std::span<uint32_t> noted, std::span<GoneSession> gone) {
  deleted_.clear();
  if (!shrinks_) return;
  std::vector<uint32_t> left;
  for (uint32_t key : leaving_) {
    if (std::exchange(key_leaves_[key], 0) == 0) continue;
    some_left_ = true;
    stored_ += static_cast<int64_t>(of_key_[key].size());
    for (uint32_t id : of_key_[key]) {
      left_steps_.insert(StepOf(sessions_[id].bounds.end));
      Release(id);
    }
    of_key_[key].clear();
    left.push_back(key);
  }
  keys_.Erase(left);
  leaving_.clear();
  shrinks_ = false;
  Shrink(noted, gone);
}

// Numbers keys and sessions anew, so that memory goes back to the system.
void KeptSessions::Shrink(std::span<uint32_t> noted, std::span<GoneSession> gone) {
  std::vector<uint32_t> kept, kept_keys, key_places(of_key_.size(), kNone);
  for (uint32_t key = 0; key < of_key_.size(); ++key) {
    if (of_key_[key].empty()) continue;
    key_places[key] = static_cast<uint32_t>(kept_keys.size());
    kept_keys.push_back(key);
  }
  std::vector<uint32_t> places(sessions_.size(), kNone);
  for (uint32_t id = 0; id < sessions_.size(); ++id) {
    if (!sessions_[id].live) continue;
    places[id] = static_cast<uint32_t>(kept.size());
    kept.push_back(id);
  }
  const bool moves = !kept.empty() && kept.back() != kept.size() - 1;
  by_end_.clear();
  last_filed_ = {0, nullptr};
  for (size_t i = 0; i < kept.size(); ++i) {
    sessions_[i] = sessions_[kept[i]];
    sessions_[i].key = key_places[sessions_[i].key];
  }
  sessions_.resize(kept.size());
  sessions_.shrink_to_fit();
  for (uint32_t id = 0; id < sessions_.size(); ++id) FileByEnd(id);
  for (size_t i = 0; i < kept_keys.size(); ++i) {
    List& list = of_key_[kept_keys[i]];
    for (uint32_t& id : list) id = places[id];
    if (kept_keys[i] != i) of_key_[i] = std::move(list);
    key_used_[i] = key_used_[kept_keys[i]];
  }
  of_key_.resize(kept_keys.size());
  of_key_.shrink_to_fit();
  key_used_.resize(kept_keys.size());
  key_leaves_.assign(kept_keys.size(), 0);
  std::vector<uint32_t>().swap(free_);
  keys_.Keep(kept_keys);
  calls_.Keep(kept);
  hand_ = 0;
  for (uint32_t& id : noted) id = id == kNone ? kNone : places[id];
  for (GoneSession& each : gone) each.key = key_places[each.key];
  for (uint32_t& id : dirty_) id = places[id];
  std::erase(dirty_, kNone);
  // Ids name other pages than the store has. Those of free ids are gone already.
  const bool pages_changed = !pages_.empty();
  pages_ = DirtyPages();
  if (moves || pages_changed) pages_.MarkMoved(static_cast<uint32_t>(sessions_.size()), "u");
}

void KeptSessions::Measure() {
  created_since_measured_ = 0;
  memory_.Update(*context_, ByteSize());
}

size_t KeptSessions::ByteSize() const {
  return keys_.ByteSize() + calls_.ByteSize() + sessions_.capacity() * sizeof(Session) +
         of_key_.capacity() * sizeof(List) + key_used_.capacity() * 2 +
         static_cast<size_t>(live_) * 2 * sizeof(uint32_t) + dirty_.size() * kChangedSessionBytes;
}

}  // namespace weir
