#pragma once

// The groups of an aggregate: those in use lie in memory, all of them in the operator's store, as
// of the last commit. What leaves memory is read back when a row asks for its key.
//
// In memory a group has a dense number (its id), under which its key, the states of the aggregate
// functions, its time and its flags lie. Rows that find their groups in memory touch nothing else.
// Only where a row made a group, and some have left memory, the store is asked: once a batch, by
// sorted keys.
//
// In the store a group lies in one of two ways:
//
//   by key    [start of the window] key → state    windows, as they go by time; groups of tables
//   by page   number of a page → 32 groups         groups without windows that are in memory: of
//                                                  many changed ones that is a thirtieth of the
//                                                  writes
//             'k' key → state                      the same once they have left memory
//
// A group that comes back goes into a page again; its entry under 'k' stays and counts no more, as
// a page wins over it. So opening reads pages and nothing else, and an old store needs no
// conversion.
//
// Rows may come between Save and Evict, while the commit is under way: what the store does not have
// yet stays in memory until Evict.
//
// Which groups leave: those that have not changed for longest, by a clock's hand with a second
// chance. A group counts as used once a commit, where it is marked dirty, never by the row.

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exec/operators/aggregate/aggregate_calls.h"
#include "exec/operators/chunk_rows.h"
#include "exec/operators/operator.h"
#include "exec/state/dirty_pages.h"
#include "exec/state/group_table.h"

namespace weir {

/// One thread at a time.
class TieredGroups {
 public:
  // Flags of a group that its owner sees; the others are this class's own.
  static constexpr uint8_t kEmitted = 1;
  static constexpr uint8_t kDirty = 2;    ///< Changed since the last commit.
  static constexpr uint8_t kPending = 4;  ///< The owner's: such a group stays in memory.

  enum class Layout { kByKey, kByPage };
  struct Options {
    std::string store;
    std::vector<DataType> key_types;
    bool windowed = false;  ///< Keys have a window's start; then Layout::kByKey.
    Layout layout = Layout::kByKey;
    uint8_t stored_flags = kEmitted;  ///< Of groups that come from the store.
    /// How many groups there are outside of memory must be known.
    bool counts = false;
  };
  TieredGroups(Options options, AggregateCalls calls);

  /// Binds the store, and reads the groups that belong into memory.
  Status Open(TaskContext& context);

  /// The group of each of `rows`, made where there was none. `created` are those that were not in
  /// memory; those of them that were in the store have their state back.
  Status Find(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
              std::span<const int64_t> starts, std::vector<uint32_t>& ids,
              std::vector<uint32_t>& created);

  GroupTable& table() { return table_; }
  const GroupTable& table() const { return table_; }
  AggregateCalls& calls() { return calls_; }
  const AggregateCalls& calls() const { return calls_; }
  /// By group: the latest time of its rows.
  int64_t* row_times() { return row_times_.data(); }
  const int64_t* row_times() const { return row_times_.data(); }
  uint8_t* flags() { return flags_.data(); }
  const uint8_t* flags() const { return flags_.data(); }
  /// All ids are below.
  size_t capacity() const { return flags_.size(); }
  /// In memory and outside of it; where `counts`.
  int64_t count() const { return static_cast<int64_t>(table_.size()) + stored_; }

  void MarkDirty(uint32_t id) {
    if ((flags_[id] & kDirty) != 0) return;
    flags_[id] |= kDirty | kUsed;
    dirty_.push_back(id);
  }

  // Windows, the first one first.
  bool has_window() const { return !windows_.empty(); }
  int64_t first_window() const { return windows_.begin()->first; }
  int64_t last_window() const { return windows_.rbegin()->first; }
  /// Its groups in memory.
  std::span<const uint32_t> first_window_ids() const { return windows_.begin()->second.ids; }
  /// Gives out all groups of the first window in the order of their keys, a piece at a time where
  /// they do not fit into memory together. Those given out are of no use afterwards.
  Status GiveFirstWindow(const std::function<Status(std::span<const uint32_t>)>& use);
  /// Forgets the first window's groups. The owner removes them from the store.
  void DropFirstWindow();

  /// Writes what changed; to be called in OnBarrier.
  void Save();
  /// Lets go of what may not stay in memory; to be called in OnCommitted. Groups may get other ids:
  /// those that the owner has noted are renewed, and left out where their groups are gone.
  void Evict(std::vector<uint32_t>& noted);

  StateStore& store() { return *store_; }
  /// Counts what is held in memory, and `besides` by the owner, against the engine's limit.
  void Measure(size_t besides);

 private:
  // New groups after which memory is measured again.
  static constexpr size_t kMeasuredGroups = 1 << 14;
  // What the commit needs of a changed group, roughly: its entry, and what it is handed on with.
  static constexpr size_t kChangedBytes = 128;

  static constexpr uint8_t kLive = 8;
  static constexpr uint8_t kUsed = 16;     // Since the clock's hand came by.
  static constexpr uint8_t kLeaving = 32;  // Leaves memory behind the commit under way.
  static constexpr uint8_t kSaved = 64;    // The commit under way has it.

  struct Window {
    std::vector<uint32_t> ids;
    int64_t stored = 0;  // Groups that are in the store only.
  };
  // Groups as the store has them, before they are put into the table.
  struct Entries {
    std::vector<ColumnBuilder> keys;
    std::vector<int64_t> starts;
    std::vector<std::string> states;
    size_t bytes = 0;
    bool full() const;
  };

  void Admit(std::span<const uint32_t> ids);
  Window& WindowOf(int64_t start);
  Status ReadStored(std::span<const uint32_t> ids);
  Status ReadState(uint32_t id, std::string_view bytes);
  void AppendState(uint32_t id, std::string& out) const;
  void AppendStoreKey(uint32_t id, std::string& out) const;
  void EraseGroup(uint32_t id);

  size_t GroupsMax();
  void Leave(size_t id);
  void SaveByKey();
  void SaveByPage();
  void ChoosePages(size_t groups_max);
  void ChooseGroups(size_t groups_max);
  void Shrink(std::span<const uint32_t> kept, std::vector<uint32_t>& noted);
  void MarkMoved();
  size_t ByteSize() const;
  bool HasRoom() const;
  bool HasFreeIds() const;
  bool NeedsShrinking() const;

  Entries MakeEntries() const;
  Status TakeEntry(std::string_view key, std::string_view value, Entries& entries) const;
  Status Load(Entries& entries);
  Status LoadRows(const std::vector<ColumnPtr>& keys, std::span<const int32_t> rows,
                  Entries& entries);
  Status OpenByKey();
  Status OpenByPage();
  Status ReadPage(std::string_view page, Entries& entries);
  Status NoteStored(std::string from);

  struct Piece;
  void SortByKey(std::vector<uint32_t>& ids) const;
  Status LoadPiece(Piece& piece);
  Status LoadWithin(const Piece& piece, Entries& entries);
  void CutPiece(Piece& piece);

  const Options options_;
  AggregateCalls calls_;
  GroupTable table_;
  std::vector<int64_t> row_times_;
  std::vector<uint8_t> flags_;
  std::map<int64_t, Window> windows_;
  std::pair<int64_t, Window*> last_window_{0, nullptr};  // Of the last WindowOf.
  TaskContext* context_ = nullptr;
  StateStore* store_ = nullptr;
  int64_t stored_ = 0;        // Sum of all windows.
  bool some_stored_ = false;  // Some groups are in the store only.
  MemoryAccount memory_;
  size_t besides_ = 0;  // Bytes that the owner holds.
  size_t created_since_measured_ = 0;
  size_t hand_ = 0;  // The clock's: a group, or a page.
  std::vector<uint32_t> dirty_;
  std::vector<uint32_t> saved_;  // Groups by key with kSaved; some that are gone.
  std::vector<uint32_t> leaving_;
  bool shrinks_ = false;  // More is held than may be, so something leaves.
  DirtyPages pages_;
  std::vector<uint32_t> ids_, created_;
  std::vector<std::pair<std::string, uint32_t>> wanted_;
};

}  // namespace weir
