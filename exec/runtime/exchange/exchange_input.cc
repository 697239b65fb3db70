#include "exec/runtime/exchange/exchange_input.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/runtime/exchange/rows_block.h"
#include "exec/runtime/task/task_context.h"

namespace weir {
namespace {

// What comes through an exchange would have to be stored at a commit; its round goes on for longer.
constexpr int64_t kCommitsOfExchanges = 16;

// Stands for the upstream of rows that are merged already and wait for the task's other inputs.
constexpr int32_t kReadyUpstream = 0xffff;

// What held rows are merged by.
using MergeKey = std::tuple<int64_t, int32_t, int32_t, int64_t>;

int64_t Int64At(const ColumnPtr& column, int32_t row) {
  return column == nullptr ? 0 : column->values<int64_t>()[row];
}

MergeKey KeyOf(const Chunk& chunk, int32_t upstream, int32_t row) {
  return {Int64At(chunk.sys(SystemColumn::kStreamTime), row), chunk.source, upstream,
          Int64At(chunk.sys(SystemColumn::kOffset), row)};
}

}  // namespace

ExchangeInput::ExchangeInput(ExchangeBuffer& buffer, int exchange, int32_t partition,
                             std::vector<EntryPoint>& entries)
    : TaskInput(entries, kCommitsOfExchanges),
      buffer_(buffer),
      exchange_(exchange),
      partition_(partition),
      merge_(buffer.plan().node->ordered && buffer.upstreams().size() > 1),
      held_(buffer.upstreams().size()) {}

ExchangeInput::ExchangeInput(std::unique_ptr<RepartitionInput> topic, int exchange,
                             int32_t partition, std::vector<EntryPoint>& entries)
    : TaskInput(entries, kCommitsOfExchanges),
      topic_(std::move(topic)),
      buffer_(topic_->inbox()),
      exchange_(exchange),
      partition_(partition),
      merge_(buffer_.plan().node->ordered && buffer_.upstreams().size() > 1),
      held_(buffer_.upstreams().size()) {}

Status ExchangeInput::Open(TaskContext& context) {
  store_ = &context.Store(buffer_.plan().node->StoreName(physical::StoreKind::kHeldRows));
  Status status;
  WEIR_RETURN_IF_ERROR(store_->Scan("", "", [&](std::string_view key, std::string_view value) {
    Result<Chunk> chunk = DecodeRows(*buffer_.plan().node->schema, value);
    status = chunk.ok() ? Restore(key, std::move(*chunk)) : std::move(chunk).status();
    return status.ok();
  }));
  return status;
}

Status ExchangeInput::Restore(std::string_view key, Chunk chunk) {
  if (key.size() < 2) {
    return Status(ErrorCode::kStoreCorrupt, "rows held in an exchange have a malformed key");
  }
  const int32_t upstream =
      static_cast<unsigned char>(key[0]) << 8 | static_cast<unsigned char>(key[1]);
  store_holds_ = true;
  if (upstream == kReadyUpstream) {
    ready_.push_back(std::move(chunk));
  } else if (upstream < static_cast<int32_t>(held_.size())) {
    held_[upstream].push_back({std::move(chunk), upstream, 0});
  } else {
    return Status(
        ErrorCode::kStoreCorrupt,
        fmt::format("rows held in an exchange come from task {}, of {}", upstream, held_.size()));
  }
  return OkStatus();
}

Status ExchangeInput::BeginRound(const Round& round, bool* any) {
  if (topic_ != nullptr) WEIR_RETURN_IF_ERROR(topic_->Poll(any));
  std::vector<ExchangeBuffer::Upstream>& upstreams = buffer_.upstreams();
  for (size_t i = 0; i < upstreams.size(); ++i) {
    std::vector<Chunk>& slot = upstreams[i].slots[partition_];
    store_dirty_ |= !slot.empty();
    for (Chunk& chunk : slot) {
      if (merge_) {
        held_[i].push_back({Flatten(std::move(chunk)), static_cast<int32_t>(i), 0});
      } else {
        ready_.push_back(std::move(chunk));
      }
    }
    slot.clear();
  }
  // Rows at the very stream time that an upstream has reached may still be joined by others of it.
  if (merge_) WEIR_RETURN_IF_ERROR(Release(buffer_.StreamTime(round.now_ms, round.max_idle_ms)));
  return OkStatus();
}

Status ExchangeInput::Release(int64_t up_to) {
  const bool all_drained = std::all_of(
      buffer_.upstreams().begin(), buffer_.upstreams().end(),
      [](const ExchangeBuffer::Upstream& upstream) { return upstream.drained_since_ms >= 0; });
  if (all_drained) up_to = INT64_MAX;
  // Rows that take turns come from several chunks, and are put together to few.
  std::vector<Chunk> from;
  std::vector<const Held*> held;
  std::vector<RowRef> rows;
  while (true) {
    Held* first = nullptr;
    MergeKey first_key;
    MergeKey second_key{INT64_MAX, 0, 0, 0};
    for (std::deque<Held>& queue : held_) {
      if (queue.empty()) continue;
      const MergeKey key = KeyOf(queue.front().chunk, queue.front().upstream, queue.front().next);
      if (first == nullptr || key < first_key) {
        if (first != nullptr) second_key = std::min(second_key, first_key);
        first = &queue.front();
        first_key = key;
      } else {
        second_key = std::min(second_key, key);
      }
    }
    if (first == nullptr || std::get<0>(first_key) > up_to) break;
    uint32_t block = 0;
    while (block < from.size() && held[block] != first) ++block;
    if (block == from.size()) {
      from.push_back(first->chunk);
      held.push_back(first);
    }
    int32_t row = first->next;
    do {
      rows.push_back({block, row++});
    } while (row < first->chunk.rows && KeyOf(first->chunk, first->upstream, row) <= second_key &&
             Int64At(first->chunk.sys(SystemColumn::kStreamTime), row) <= up_to);
    first->next = row;
    if (row == first->chunk.rows) {
      // Another may lie at its place from now on.
      held[block] = nullptr;
      held_[first->upstream].pop_front();
    }
    if (rows.size() < static_cast<size_t>(limits::kBatchRowsMax)) continue;
    WEIR_RETURN_IF_ERROR(AddReady(from, rows));
    held.clear();
  }
  return AddReady(from, rows);
}

// Adds rows of the chunks `from`, in order, to those that may be processed. Empties both.
Status ExchangeInput::AddReady(std::vector<Chunk>& from, std::vector<RowRef>& rows) {
  if (rows.empty()) return OkStatus();
  store_dirty_ = true;
  if (from.size() == 1) {
    Chunk part = std::move(from.front());
    if (static_cast<int32_t>(rows.size()) != part.rows) {
      Selection selection;
      for (const RowRef& ref : rows) selection.push_back(ref.row);
      part.selection = std::make_shared<const Selection>(std::move(selection));
    }
    ready_.push_back(std::move(part));
  } else {
    std::vector<const Column*> blocks(from.size());
    const bool has_ops =
        std::any_of(from.begin(), from.end(), [](const Chunk& c) { return c.ops != nullptr; });
    std::vector<RowOp> all_ops;
    for (const RowRef& ref : rows) {
      if (has_ops) all_ops.push_back(from[ref.block].op(ref.row));
    }
    auto make = [&](size_t first, size_t count) {
      const auto part = std::span(rows).subspan(first, count);
      auto gather = [&](auto column_of) -> ColumnPtr {
        for (size_t i = 0; i < from.size(); ++i) blocks[i] = column_of(from[i]).get();
        const bool missing = std::find(blocks.begin(), blocks.end(), nullptr) != blocks.end();
        return missing ? nullptr : GatherRefs(blocks.front()->type(), blocks, part);
      };
      Chunk merged;
      merged.rows = static_cast<int32_t>(count);
      merged.source = from.front().source;
      merged.source_partition = from.front().source_partition;
      for (size_t i = 0; i < from.front().columns.size(); ++i) {
        merged.columns.push_back(gather([i](const Chunk& chunk) { return chunk.columns[i]; }));
      }
      for (int i = 0; i < kSystemColumnCount; ++i) {
        merged.system[i] = gather([i](const Chunk& chunk) { return chunk.system[i]; });
      }
      if (has_ops) {
        uint8_t* ops = nullptr;
        merged.ops = MakeBuffer(count, &ops);
        for (size_t i = 0; i < count; ++i) ops[i] = static_cast<uint8_t>(all_ops[first + i]);
      }
      return merged;
    };
    WEIR_RETURN_IF_ERROR(
        InParts(rows.size(), has_ops ? all_ops.data() : nullptr, make, [this](Chunk merged) {
          ready_.push_back(std::move(merged));
          return OkStatus();
        }));
  }
  from.clear();
  rows.clear();
  return OkStatus();
}

TaskInput::Run ExchangeInput::run() const {
  const Chunk& front = ready_.front();
  const int64_t* times = front.row_time()->values<int64_t>().data();
  const int32_t length = front.active_rows() - ready_next_;
  if (front.selection) return {times, front.selection->data() + ready_next_, length};
  return {times + ready_next_, nullptr, length};
}

Chunk ExchangeInput::Take(int32_t count) {
  store_dirty_ = true;
  Chunk& front = ready_.front();
  const int32_t active = front.active_rows();
  const int32_t begin = ready_next_;
  const int32_t end = begin + count;
  if (begin == 0 && end == active) {
    Chunk whole = std::move(front);
    ready_.pop_front();
    return whole;
  }
  Selection rows;
  for (int32_t i = begin; i < end; ++i) {
    rows.push_back(front.selection ? (*front.selection)[i] : i);
  }
  Chunk part;
  if ((end - begin) * 8 < front.rows) {
    part = GatherChunk(front, rows);  // Few of many are better handled by themselves.
  } else {
    part = front;
    part.selection = std::make_shared<const Selection>(std::move(rows));
  }
  ready_next_ = end;
  if (end == active) {
    ready_.pop_front();
    ready_next_ = 0;
  }
  return part;
}

bool ExchangeInput::caught_up() const {
  for (const std::deque<Held>& queue : held_) {
    if (!queue.empty()) return false;
  }
  if (!ready_.empty()) return false;
  for (const ExchangeBuffer::Upstream& upstream : buffer_.upstreams()) {
    if (upstream.drained_since_ms < 0) return false;
  }
  return true;
}

bool ExchangeInput::drained() const {
  return (topic_ == nullptr || topic_->reader().caught_up()) && caught_up();
}

int64_t ExchangeInput::StreamTime(const Round& round) const {
  int64_t now = buffer_.StreamTime(round.now_ms, round.max_idle_ms);
  for (const std::deque<Held>& queue : held_) {
    if (queue.empty()) continue;
    now = std::min(now, std::get<0>(KeyOf(queue.front().chunk, 0, queue.front().next)) - 1);
  }
  // Nor has time passed rows that still wait for the task's other inputs: it would expire what they
  // are to meet.
  for (size_t i = 0; i < ready_.size(); ++i) {
    const ColumnPtr& clock = ready_[i].sys(SystemColumn::kStreamTime);
    const int32_t first = i == 0 ? ready_next_ : 0;
    const int32_t row = ready_[i].selection ? (*ready_[i].selection)[first] : first;
    if (clock != nullptr) now = std::min(now, clock->values<int64_t>()[row] - 1);
  }
  return now;
}

bool ExchangeInput::Advances(int64_t stream_time) {
  if (stream_time <= last_stream_time_) return false;
  last_stream_time_ = stream_time;
  return true;
}

std::vector<int32_t> ExchangeInput::ReadyRows(size_t i) const {
  const Chunk& chunk = ready_[i];
  Selection rows;
  for (int32_t n = i == 0 ? ready_next_ : 0; n < chunk.active_rows(); ++n) {
    rows.push_back(chunk.selection ? (*chunk.selection)[n] : n);
  }
  return rows;
}

Status ExchangeInput::OnBarrier() {
  if (!store_dirty_) return OkStatus();
  store_dirty_ = false;
  if (store_holds_) store_->DeleteRange("", "");
  store_holds_ = false;
  auto put = [&](int32_t upstream, size_t number, const Chunk& rows) {
    std::string key{static_cast<char>(upstream >> 8), static_cast<char>(upstream)};
    AppendBigEndian32(static_cast<uint32_t>(number), key);
    store_->Put(key, EncodeRows(rows));
    store_holds_ = true;
  };
  for (const std::deque<Held>& queue : held_) {
    for (size_t number = 0; number < queue.size(); ++number) {
      const Held& held = queue[number];
      Selection rows;
      for (int32_t row = held.next; row < held.chunk.rows; ++row) rows.push_back(row);
      put(held.upstream, number, GatherChunk(held.chunk, rows));
    }
  }
  for (size_t i = 0; i < ready_.size(); ++i) {
    put(kReadyUpstream, i, GatherChunk(ready_[i], ReadyRows(i)));
  }
  return OkStatus();
}

void ExchangeInput::NotePosition(TaskJournal& journal) {
  if (topic_ != nullptr) topic_->NotePosition(journal);
}

}  // namespace weir
