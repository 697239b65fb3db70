#pragma once

// The open sessions of all keys: those of keys in use lie in memory, all of them in the operator's
// store, as of the last commit. A key leaves memory with all its sessions, and comes back with them
// when a row has it or when one of them is to close.
//
//   key ─▶ its sessions, by their ends ─▶ bounds, and the states of the aggregate functions
//
// In the store:
//
//   number of a page               32 sessions that are in memory: end, start, key, state
//   'k' key                        the sessions of a key that has left memory
//   't' step of an end, key        that such a key has a session that ends in this step of time
//
// What is under 't' only says where to look: it may name keys that have come back since. Versions
// before wrote each session by itself (end, start, key); such stores are read, and written anew at
// the first commit.
//
// Rows may come between Save and Evict, while the commit is under way and the store does not tell
// of it yet. So what was saved is forgotten in Evict only, and a key that is about to leave stays
// if it changes meanwhile.

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/inlined_vector.h>

#include "exec/operators/aggregate/aggregate_calls.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/operator.h"
#include "exec/state/dirty_pages.h"
#include "exec/state/group_table.h"

namespace weir {

/// From its first row to its last.
struct SessionBounds {
  int64_t start = 0;
  int64_t end = 0;
  bool operator==(const SessionBounds&) const = default;
};

struct Session {
  uint32_t key = 0;
  SessionBounds bounds;
  SessionBounds emitted;    ///< As handed on last, if was_emitted.
  int32_t old_result = -1;  ///< The owner's: row of its results before this batch.
  int32_t key_row = -1;     ///< The owner's: row of this batch with the key.
  bool live = false;
  bool was_emitted = false;
  bool dirty = false;    ///< Changed since the last Save.
  bool touched = false;  ///< The owner's: noted as one to be handed on.
};

/// What was handed on of a session that has become part of another one.
struct GoneSession {
  uint32_t key = 0;
  SessionBounds bounds;
};

/// One thread at a time. Keys and sessions have dense numbers, which stay until Evict.
class KeptSessions {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;
  /// Most keys have few sessions at once.
  using List = absl::InlinedVector<uint32_t, 4>;

  struct Options {
    std::string store;
    std::vector<DataType> key_types;
    int64_t end_step = 1;     ///< Sessions are found again by their ends in such steps.
    bool emit_final = false;  ///< They have not been emitted, and count() must be known.
  };
  KeptSessions(Options options, AggregateCalls calls);

  Status Open(TaskContext& context);

  /// The key of each of `rows`, made where there was none; those that had left come back.
  Status FindKeys(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
                  std::vector<uint32_t>& ids);
  /// Forgets the keys that the last FindKeys made and that still have no session.
  void DropEmptyKeys();
  /// In order of their ends.
  const List& of(uint32_t key) const { return of_key_[key]; }
  /// Has the memory of the keys and sessions that stand behind `keys[at]` brought near: a row
  /// touches little, but of one key among many.
  void FetchAhead(std::span<const uint32_t> keys, size_t at) const {
    constexpr size_t kStep = 8;
    if (at + 2 * kStep < keys.size()) __builtin_prefetch(&of_key_[keys[at + 2 * kStep]]);
    if (at + kStep < keys.size()) {
      const List& list = of_key_[keys[at + kStep]];
      if (!list.empty()) __builtin_prefetch(&sessions_[list.back()]);
    }
  }
  Session& at(uint32_t id) { return sessions_[id]; }
  const Session& at(uint32_t id) const { return sessions_[id]; }
  const GroupTable& keys() const { return keys_; }
  AggregateCalls& calls() { return calls_; }

  uint32_t Add(uint32_t key, SessionBounds bounds);
  void Remove(uint32_t id);
  /// Gives a session other bounds.
  void Move(uint32_t id, SessionBounds bounds);
  void MarkDirty(uint32_t id);

  /// Calls use(ids) with the sessions that ended before `limit`, by and by those that ended
  /// earlier first, and removes them.
  Status Close(int64_t limit, const std::function<Status(std::vector<uint32_t>&)>& use);
  /// The last end there is, INT64_MIN where there is no session.
  Status FindLastEnd(int64_t& end);
  /// In memory and outside of it; where `emit_final`.
  int64_t count() const { return live_ + stored_; }

  void Save();  ///< In OnBarrier.
  /// In OnCommitted. Sessions and keys may get other numbers: those that the owner has noted are
  /// renewed; sessions that are not there any more become kNone.
  void Evict(std::span<uint32_t> noted, std::span<GoneSession> gone);
  void Measure();

 private:
  // As the store has them, before they are put into memory.
  struct Entries {
    std::vector<ColumnBuilder> keys;
    std::vector<SessionBounds> bounds;
    std::vector<std::string> states;
    size_t bytes = 0;
  };

  int64_t StepOf(int64_t end) const { return end / options_.end_step; }
  void FileByEnd(uint32_t id);
  uint32_t NewId();
  void Place(uint32_t id);
  void Release(uint32_t id);
  void AppendSession(uint32_t id, std::string& out) const;
  void AppendState(uint32_t id, std::string& out) const;
  std::string LeftKey(uint32_t key) const;
  void Stay(uint32_t key);
  size_t ByteSize() const;

  void SaveLeaving();
  void ChooseKeys();
  void Shrink(std::span<uint32_t> noted, std::span<GoneSession> gone);

  Entries MakeEntries() const;
  Status ReadPage(std::string_view page, Entries& entries);
  Status ReadAlone(std::string_view key, std::string_view value, Entries& entries);
  Status Load(Entries& entries);
  void FindOrAddKeys(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
                     std::vector<uint32_t>& ids);
  Status ReadLeft(std::span<const uint32_t> keys);
  Status TakeLeft(uint32_t key, std::string_view bytes);
  Status AddStored(uint32_t key, SessionBounds bounds, std::string_view state);
  Status LoadStep(int64_t step);
  Status LoadLeft(Entries& entries);
  Status NoteLeft();

  const Options options_;
  AggregateCalls calls_;
  GroupTable keys_;
  std::vector<List> of_key_;
  std::vector<uint8_t> key_used_;  // Since the clock's hand came by.
  std::vector<Session> sessions_;
  std::vector<uint32_t> free_;
  std::map<int64_t, std::vector<uint32_t>> by_end_;  // By step of their end; some stale.
  std::pair<int64_t, std::vector<uint32_t>*> last_filed_{0, nullptr};
  std::set<int64_t> left_steps_;  // Steps in which sessions outside of memory end.
  int64_t live_ = 0;
  int64_t stored_ = 0;  // Outside of memory.
  bool some_left_ = false;
  TaskContext* context_ = nullptr;
  StateStore* store_ = nullptr;
  MemoryAccount memory_;
  size_t created_since_measured_ = 0;

  std::vector<uint32_t> dirty_;
  DirtyPages pages_;
  std::set<std::string> come_back_;  // Keys under 'k' that count no more…
  std::set<std::string> deleted_;    // …and those that the commit under way deletes.
  int64_t steps_done_ = INT64_MIN;   // Nothing under 't' counts up to there…
  bool steps_dirty_ = false;         // …which the store does not know yet.
  std::vector<uint32_t> leaving_;    // Keys, behind the commit under way.
  std::vector<uint8_t> key_leaves_;  // Is among them, and has not changed since.
  bool shrinks_ = false;
  size_t hand_ = 0;
  std::vector<uint32_t> created_, ids_;
};

}  // namespace weir
