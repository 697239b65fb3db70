// Sessions out of the store: at opening, by key, and by the time of their ends.

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/interrupt.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/operators/aggregate/kept_sessions.h"
#include "exec/state/row_codec.h"

namespace weir {
namespace {

// Behind all keys of 'k' and 't': pages, and the sessions of earlier versions.
constexpr std::string_view kSessionsFrom = "u";
constexpr size_t kPageKeyBytes = sizeof(int64_t);

Status MalformedSession() {
  return Status(ErrorCode::kStoreCorrupt, "a session in a state store is malformed");
}

// A length, and as many bytes.
bool TakeBytes(std::string_view& bytes, std::string_view& taken) {
  uint32_t length = 0;
  if (bytes.size() < sizeof(length)) return false;
  std::memcpy(&length, bytes.data(), sizeof(length));
  bytes.remove_prefix(sizeof(length));
  if (bytes.size() < length) return false;
  taken = bytes.substr(0, length);
  bytes.remove_prefix(length);
  return true;
}

std::string StepKey(int64_t step) {
  std::string key(1, 't');
  AppendOrdered64(step, key);
  return key;
}

}  // namespace

KeptSessions::Entries KeptSessions::MakeEntries() const {
  Entries entries;
  for (const DataType& type : options_.key_types) entries.keys.emplace_back(type);
  return entries;
}

Status KeptSessions::Open(TaskContext& context) {
  context_ = &context;
  calls_.Open(context);
  store_ = &context.Store(options_.store);
  Entries entries = MakeEntries();
  Status status;
  bool moved = false;
  WEIR_RETURN_IF_ERROR(
      store_->Scan(kSessionsFrom, "", [&](std::string_view key, std::string_view value) {
        const bool paged = key.size() == kPageKeyBytes;
        int64_t page = 0;
        if (paged) ReadOrdered64(key, page);
        // Ids are given in the order of reading: they name other pages where some had gaps.
        const size_t before = sessions_.size() + entries.states.size();
        moved |= !paged || before != static_cast<uint64_t>(page) * DirtyPages::kRows;
        status = paged ? ReadPage(value, entries) : ReadAlone(key, value, entries);
        const bool full = entries.states.size() >= static_cast<size_t>(limits::kBatchRowsMax) ||
                          entries.bytes >= limits::kBatchBytesMax;
        if (status.ok() && full) status = Load(entries);
        return status.ok();
      }));
  WEIR_RETURN_IF_ERROR(std::move(status));
  WEIR_RETURN_IF_ERROR(Load(entries));
  if (moved) pages_.MarkMoved(static_cast<uint32_t>(sessions_.size()), kSessionsFrom);
  return NoteLeft();
}

Status KeptSessions::ReadPage(std::string_view page, Entries& entries) {
  entries.bytes += page.size();
  while (!page.empty()) {
    SessionBounds bounds;
    std::string_view state;
    if (!ReadOrdered64(page, bounds.end) || !ReadOrdered64(page, bounds.start) ||
        !ReadRow(page, entries.keys) || !TakeBytes(page, state)) {
      return MalformedSession();
    }
    entries.bounds.push_back(bounds);
    entries.states.emplace_back(state);
  }
  return OkStatus();
}

Status KeptSessions::ReadAlone(std::string_view key, std::string_view value, Entries& entries) {
  entries.bytes += key.size() + value.size();
  SessionBounds bounds;
  if (!ReadOrdered64(key, bounds.end) || !ReadOrdered64(key, bounds.start) ||
      !ReadRow(key, entries.keys) || !key.empty()) {
    return Status(ErrorCode::kStoreCorrupt, "a session's key in a state store is malformed");
  }
  entries.bounds.push_back(bounds);
  entries.states.emplace_back(value);
  return OkStatus();
}

Status KeptSessions::Load(Entries& entries) {
  if (entries.states.empty()) return OkStatus();
  CheckInterrupt();
  std::vector<ColumnPtr> keys;
  for (ColumnBuilder& builder : entries.keys) keys.push_back(builder.Finish());
  std::vector<int32_t> rows(entries.states.size());
  std::iota(rows.begin(), rows.end(), 0);
  FindOrAddKeys(keys, rows, ids_);
  for (size_t i = 0; i < rows.size(); ++i) {
    WEIR_RETURN_IF_ERROR(AddStored(ids_[i], entries.bounds[i], entries.states[i]));
  }
  entries.bounds.clear();
  entries.states.clear();
  entries.bytes = 0;
  Measure();
  return OkStatus();
}

Status KeptSessions::AddStored(uint32_t key, SessionBounds bounds, std::string_view state) {
  const uint32_t id = Add(key, bounds);
  sessions_[id].emitted = bounds;
  sessions_[id].was_emitted = !options_.emit_final;
  WEIR_RETURN_IF_ERROR(calls_.Load(id, state));
  return state.empty() ? OkStatus() : MalformedSession();
}

void KeptSessions::FindOrAddKeys(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
                                 std::vector<uint32_t>& ids) {
  created_.clear();
  keys_.FindOrInsert(keys, rows, {}, ids, created_);
  if (of_key_.size() < keys_.id_limit()) {
    of_key_.resize(keys_.id_limit());
    key_used_.resize(keys_.id_limit(), 0);
    key_leaves_.resize(keys_.id_limit(), 0);
  }
}

Status KeptSessions::FindKeys(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
                              std::vector<uint32_t>& ids) {
  FindOrAddKeys(keys, rows, ids);
  return some_left_ && !created_.empty() ? ReadLeft(created_) : OkStatus();
}

// Of keys that are new in memory: the sessions of those that had left it.
Status KeptSessions::ReadLeft(std::span<const uint32_t> keys) {
  std::vector<std::pair<std::string, uint32_t>> wanted;
  for (uint32_t key : keys) {
    std::string bytes = LeftKey(key);
    if (come_back_.contains(bytes) || deleted_.contains(bytes)) continue;
    wanted.emplace_back(std::move(bytes), key);
  }
  if (wanted.empty()) return OkStatus();
  std::sort(wanted.begin(), wanted.end());
  std::vector<std::string> names;
  for (auto& [bytes, key] : wanted) names.push_back(std::move(bytes));
  std::vector<std::optional<std::string>> values;
  WEIR_RETURN_IF_ERROR(store_->MultiGet(names, values));
  for (size_t i = 0; i < names.size(); ++i) {
    if (!values[i]) continue;
    WEIR_RETURN_IF_ERROR(TakeLeft(wanted[i].second, *values[i]));
    come_back_.insert(std::move(names[i]));
  }
  return OkStatus();
}

Status KeptSessions::TakeLeft(uint32_t key, std::string_view bytes) {
  uint32_t count = 0;
  if (bytes.size() < sizeof(count)) return MalformedSession();
  std::memcpy(&count, bytes.data(), sizeof(count));
  bytes.remove_prefix(sizeof(count));
  for (; count > 0; --count) {
    SessionBounds bounds;
    std::string_view state;
    if (!ReadOrdered64(bytes, bounds.end) || !ReadOrdered64(bytes, bounds.start) ||
        !TakeBytes(bytes, state)) {
      return MalformedSession();
    }
    WEIR_RETURN_IF_ERROR(AddStored(key, bounds, state));
    MarkDirty(of_key_[key].back());
    --stored_;
  }
  return bytes.empty() ? OkStatus() : MalformedSession();
}

// Brings those keys back that have a session which ends in this step.
Status KeptSessions::LoadStep(int64_t step) {
  left_steps_.erase(step);
  Entries entries = MakeEntries();
  Status status;
  WEIR_RETURN_IF_ERROR(
      store_->Scan(StepKey(step), StepKey(step + 1), [&](std::string_view key, std::string_view) {
        key.remove_prefix(1 + sizeof(int64_t));
        if (!ReadRow(key, entries.keys) || !key.empty()) status = MalformedSession();
        entries.states.emplace_back();
        const bool full = entries.states.size() >= static_cast<size_t>(limits::kBatchRowsMax);
        if (status.ok() && full) status = LoadLeft(entries);
        return status.ok();
      }));
  WEIR_RETURN_IF_ERROR(std::move(status));
  return LoadLeft(entries);
}

Status KeptSessions::LoadLeft(Entries& entries) {
  if (entries.states.empty()) return OkStatus();
  CheckInterrupt();
  std::vector<ColumnPtr> keys;
  for (ColumnBuilder& builder : entries.keys) keys.push_back(builder.Finish());
  std::vector<int32_t> rows(entries.states.size());
  std::iota(rows.begin(), rows.end(), 0);
  entries.states.clear();
  WEIR_RETURN_IF_ERROR(FindKeys(keys, rows, ids_));
  DropEmptyKeys();
  return OkStatus();
}

// What there is outside of memory.
Status KeptSessions::NoteLeft() {
  Status status;
  int64_t step = 0;
  bool more = true;
  for (std::string from = "t"; more;) {
    more = false;
    WEIR_RETURN_IF_ERROR(
        store_->Scan(from, kSessionsFrom, [&](std::string_view key, std::string_view) {
          key.remove_prefix(1);
          more = ReadOrdered64(key, step);
          if (!more) status = MalformedSession();
          return false;
        }));
    if (!more) break;
    left_steps_.insert(step);
    from = StepKey(step + 1);
  }
  WEIR_RETURN_IF_ERROR(std::move(status));
  return store_->Scan("k", "l", [this](std::string_view, std::string_view value) {
    some_left_ = true;
    uint32_t count = 0;
    if (value.size() >= sizeof(count)) std::memcpy(&count, value.data(), sizeof(count));
    stored_ += count;
    return options_.emit_final;  // Else nobody asks how many there are.
  });
}

}  // namespace weir
