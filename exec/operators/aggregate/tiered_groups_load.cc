// Groups out of the store: at opening, and for windows that close with more groups than memory has.

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/interrupt.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/operators/aggregate/tiered_groups.h"
#include "exec/operators/key_order.h"
#include "exec/state/row_codec.h"

namespace weir {
namespace {

// Stands for the number of a window's groups in the store where nobody needs it.
constexpr int64_t kUncounted = int64_t{1} << 40;
// Pieces of a window have at least as many groups.
constexpr size_t kPieceGroupsMin = 1024;
// Keys of pages lie within, keys of groups outside.
constexpr std::string_view kPagesFrom = "\x80";
constexpr std::string_view kPagesTo = "\x81";

Status MalformedGroup() {
  return Status(ErrorCode::kStoreCorrupt, "a group in a state store is malformed");
}

std::string StartKey(int64_t start) {
  std::string key;
  AppendOrdered64(start, key);
  return key;
}

// As KeyOrder, and keys that are different are never equal.
int CompareKeys(const KeyOrder& order, std::span<const ColumnPtr> columns, int32_t a, int32_t b) {
  const int compared = order.Compare(a, b);
  if (compared != 0 || a == b) return compared;
  std::string bytes[2];
  AppendRow(columns, a, bytes[0]);
  AppendRow(columns, b, bytes[1]);
  return bytes[0].compare(bytes[1]);
}

}  // namespace

bool TieredGroups::Entries::full() const {
  return states.size() >= static_cast<size_t>(limits::kBatchRowsMax) ||
         bytes >= limits::kBatchBytesMax;
}

TieredGroups::Entries TieredGroups::MakeEntries() const {
  Entries entries;
  for (const DataType& type : options_.key_types) entries.keys.emplace_back(type);
  return entries;
}

Status TieredGroups::Open(TaskContext& context) {
  context_ = &context;
  calls_.Open(context);
  store_ = &context.Store(options_.store);
  return options_.layout == Layout::kByKey ? OpenByKey() : OpenByPage();
}

// One entry of the layout by key.
Status TieredGroups::TakeEntry(std::string_view key, std::string_view value,
                               Entries& entries) const {
  entries.bytes += key.size() + value.size();
  int64_t start = 0;
  if (options_.windowed && !ReadOrdered64(key, start)) return MalformedGroup();
  if (!ReadRow(key, entries.keys) || !key.empty()) return MalformedGroup();
  if (options_.windowed) entries.starts.push_back(start);
  entries.states.emplace_back(value);
  return OkStatus();
}

// As much as there is room for. The rest comes when it is asked for.
Status TieredGroups::OpenByKey() {
  Entries entries = MakeEntries();
  std::string rest;
  Status status;
  WEIR_RETURN_IF_ERROR(store_->Scan("", "", [&](std::string_view key, std::string_view value) {
    if (entries.states.empty() && !HasRoom()) {
      rest = key;
      return false;
    }
    status = TakeEntry(key, value, entries);
    if (status.ok() && entries.full()) status = Load(entries);
    return status.ok();
  }));
  WEIR_RETURN_IF_ERROR(std::move(status));
  WEIR_RETURN_IF_ERROR(Load(entries));
  return rest.empty() ? OkStatus() : NoteStored(std::move(rest));
}

// From key `from` on groups are in the store only: finds their windows.
Status TieredGroups::NoteStored(std::string from) {
  some_stored_ = true;
  if (!options_.windowed) return OkStatus();
  bool more = true;
  Status status;
  while (more && status.ok()) {
    CheckInterrupt();
    more = false;
    WEIR_RETURN_IF_ERROR(store_->Scan(from, "", [&](std::string_view key, std::string_view) {
      int64_t start = 0;
      if (!ReadOrdered64(key, start)) {
        status = MalformedGroup();
        return false;
      }
      const int64_t groups = options_.counts ? 1 : kUncounted;
      WindowOf(start).stored += groups;
      stored_ += groups;
      if (options_.counts) return true;
      more = start < INT64_MAX;
      if (more) from = StartKey(start + 1);
      return false;
    }));
  }
  return status;
}

Status TieredGroups::ReadPage(std::string_view page, Entries& entries) {
  while (!page.empty()) {
    const size_t before = page.size();
    uint32_t length = 0;
    if (!ReadRow(page, entries.keys) || page.size() < sizeof(length)) return MalformedGroup();
    std::memcpy(&length, page.data(), sizeof(length));
    page.remove_prefix(sizeof(length));
    if (page.size() < length) return MalformedGroup();
    entries.states.emplace_back(page.substr(0, length));
    page.remove_prefix(length);
    entries.bytes += before - page.size();
    if (entries.full()) WEIR_RETURN_IF_ERROR(Load(entries));
  }
  return OkStatus();
}

// What lies in pages was in memory at the last commit.
Status TieredGroups::OpenByPage() {
  Entries entries = MakeEntries();
  Status status;
  bool moved = false;
  uint64_t groups = 0;
  auto read_page = [&](std::string_view key, std::string_view value) {
    int64_t page = 0;
    if (!ReadOrdered64(key, page) || !key.empty()) {
      status = MalformedGroup();
      return false;
    }
    // Ids are given in the order of reading: they name other pages where some had gaps.
    moved |= groups != static_cast<uint64_t>(page) * DirtyPages::kRows;
    const size_t before = table_.size() + entries.states.size();
    status = ReadPage(value, entries);
    groups += table_.size() + entries.states.size() - before;
    return status.ok();
  };
  WEIR_RETURN_IF_ERROR(store_->Scan(kPagesFrom, kPagesTo, read_page));
  WEIR_RETURN_IF_ERROR(std::move(status));
  WEIR_RETURN_IF_ERROR(Load(entries));
  if (moved) MarkMoved();
  return store_->Scan("", kPagesFrom, [this](std::string_view, std::string_view) {
    some_stored_ = true;
    return false;
  });
}

// Ids name other pages than the store has: at the next commit all are written anew.
void TieredGroups::MarkMoved() { pages_.MarkMoved(table_.id_limit(), kPagesFrom, kPagesTo); }

Status TieredGroups::Load(Entries& entries) {
  if (entries.states.empty()) return OkStatus();
  CheckInterrupt();
  std::vector<ColumnPtr> keys;
  for (ColumnBuilder& builder : entries.keys) keys.push_back(builder.Finish());
  std::vector<int32_t> rows(entries.states.size());
  std::iota(rows.begin(), rows.end(), 0);
  return LoadRows(keys, rows, entries);
}

// Puts `rows` of the entries into the table, and empties these.
Status TieredGroups::LoadRows(const std::vector<ColumnPtr>& keys, std::span<const int32_t> rows,
                              Entries& entries) {
  std::vector<int64_t> starts;
  if (options_.windowed) {
    for (int32_t row : rows) starts.push_back(entries.starts[row]);
  }
  created_.clear();
  table_.FindOrInsert(keys, rows, starts, ids_, created_);
  Admit(created_);
  for (size_t i = 0; i < rows.size(); ++i) {
    WEIR_RETURN_IF_ERROR(ReadState(ids_[i], entries.states[rows[i]]));
  }
  entries.starts.clear();
  entries.states.clear();
  entries.bytes = 0;
  Measure(besides_);
  return OkStatus();
}

// Of the groups of the first window that have not been given out: those behind `after`, up to
// `upto`, which is empty until some have been left out.
struct TieredGroups::Piece {
  std::string after, upto;
  uint32_t upto_id = GroupTable::kNone;
  size_t groups_max = 0;  // Of those that could also be read again; 0: no bound yet.
};

Status TieredGroups::GiveFirstWindow(const std::function<Status(std::span<const uint32_t>)>& use) {
  Window& window = windows_.begin()->second;
  if (window.stored == 0) {
    SortByKey(window.ids);
    return use(window.ids);
  }
  Piece piece;
  do {
    piece.upto.clear();
    WEIR_RETURN_IF_ERROR(LoadPiece(piece));
    SortByKey(window.ids);
    auto end = window.ids.end();
    if (!piece.upto.empty()) {
      end = std::find(window.ids.begin(), window.ids.end(), piece.upto_id) + 1;
    }
    const auto count = static_cast<size_t>(end - window.ids.begin());
    WEIR_RETURN_IF_ERROR(use(std::span(window.ids).first(count)));
    for (size_t i = 0; i < count; ++i) EraseGroup(window.ids[i]);
    window.ids.erase(window.ids.begin(), end);
    piece.after = piece.upto;
  } while (!piece.upto.empty());
  return OkStatus();
}

// Reads the whole window past what is in memory; where that is too much, the last ones are left out
// again, and read another time.
Status TieredGroups::LoadPiece(Piece& piece) {
  Window& window = windows_.begin()->second;
  const int64_t start = windows_.begin()->first;
  const size_t before = window.ids.size();
  Entries entries = MakeEntries();
  Status status;
  auto load = [&] {
    WEIR_RETURN_IF_ERROR(LoadWithin(piece, entries));
    if (piece.groups_max == 0 && window.ids.size() > 2 * kPieceGroupsMin && !HasRoom()) {
      piece.groups_max = std::max(kPieceGroupsMin, window.ids.size() / 2);
    }
    if (piece.groups_max != 0 && window.ids.size() > before + 2 * piece.groups_max) CutPiece(piece);
    return OkStatus();
  };
  const std::string to = start == INT64_MAX ? std::string() : StartKey(start + 1);
  WEIR_RETURN_IF_ERROR(
      store_->Scan(StartKey(start), to, [&](std::string_view key, std::string_view value) {
        status = TakeEntry(key, value, entries);
        if (status.ok() && entries.full()) status = load();
        return status.ok();
      }));
  WEIR_RETURN_IF_ERROR(std::move(status));
  return load();
}

Status TieredGroups::LoadWithin(const Piece& piece, Entries& entries) {
  const auto count = static_cast<int32_t>(entries.states.size());
  if (count == 0) return OkStatus();
  CheckInterrupt();
  // The bounds stand behind the entries, so that they can be compared.
  int32_t after = -1, upto = -1, rows_total = count;
  for (auto [bound, row] : {std::pair(&piece.after, &after), std::pair(&piece.upto, &upto)}) {
    if (bound->empty()) continue;
    std::string_view bytes = *bound;
    WEIR_CHECK(ReadRow(bytes, entries.keys), "the key of a group cannot be read");
    *row = rows_total++;
  }
  std::vector<ColumnPtr> keys;
  for (ColumnBuilder& builder : entries.keys) keys.push_back(builder.Finish());
  const KeyOrder order(keys);
  std::vector<int32_t> rows;
  std::vector<int64_t> starts;
  for (int32_t row = 0; row < count; ++row) {
    if (after >= 0 && CompareKeys(order, keys, row, after) <= 0) continue;
    if (upto >= 0 && CompareKeys(order, keys, row, upto) > 0) continue;
    rows.push_back(row);
    starts.push_back(entries.starts[row]);
  }
  // What is in memory may have changed since it was stored.
  table_.Find(keys, rows, starts, ids_);
  size_t kept = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (ids_[i] == GroupTable::kNone) rows[kept++] = rows[i];
  }
  rows.resize(kept);
  return LoadRows(keys, rows, entries);
}

// Leaves out all but the first groups of those that can be read again.
void TieredGroups::CutPiece(Piece& piece) {
  std::vector<uint32_t>& ids = windows_.begin()->second.ids;
  SortByKey(ids);
  size_t clean = 0, kept = 0;
  for (uint32_t id : ids) {
    const bool stored = (flags_[id] & (kDirty | kPending | kSaved)) == 0;
    if (stored && clean == piece.groups_max) {
      EraseGroup(id);
      continue;
    }
    ids[kept++] = id;
    if (stored && ++clean == piece.groups_max) {
      piece.upto.clear();
      table_.AppendKeyBytes(id, piece.upto);
      piece.upto_id = id;
    }
  }
  ids.resize(kept);
}

void TieredGroups::SortByKey(std::vector<uint32_t>& ids) const {
  if (ids.size() < 2) return;
  std::vector<ColumnBuilder> builders;
  for (const DataType& type : options_.key_types) builders.emplace_back(type);
  table_.AppendKeys(ids, builders);
  std::vector<ColumnPtr> keys;
  for (ColumnBuilder& builder : builders) keys.push_back(builder.Finish());
  const KeyOrder order(keys);
  std::vector<int32_t> places(ids.size());
  std::iota(places.begin(), places.end(), 0);
  std::sort(places.begin(), places.end(),
            [&](int32_t a, int32_t b) { return CompareKeys(order, keys, a, b) < 0; });
  const std::vector<uint32_t> unordered = ids;
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = unordered[places[i]];
}

}  // namespace weir
