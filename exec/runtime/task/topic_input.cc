#include "exec/runtime/task/topic_input.h"

#include <algorithm>

#include "base/fault_points.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "exec/column/chunk_parts.h"
#include "exec/runtime/task/task_journal.h"

namespace weir {
namespace {

// What sources hold can wait as it is.
constexpr int64_t kCommitsOfSources = 4;

// Rows [from, to) of a flat chunk; many of them without copying.
Chunk RowsOf(const Chunk& chunk, int32_t from, int32_t to) {
  // What runs over whole columns should not do so for a few rows, again and again.
  if ((to - from) * 8 < chunk.rows) {
    return RowRange(chunk, static_cast<size_t>(from), static_cast<size_t>(to - from));
  }
  Chunk part = chunk;
  auto selection = std::make_shared<Selection>(to - from);
  for (int32_t row = from; row < to; ++row) (*selection)[row - from] = row;
  part.selection = std::move(selection);
  return part;
}

}  // namespace

TopicInput::TopicInput(Reading& reading, int source, std::vector<EntryPoint>& entries)
    : TaskInput(entries, kCommitsOfSources), reading_(reading), source_(source) {
  for (const EntryPoint& entry : entries) is_table_ |= entry.is_join_table;
}

const SourcePlan& TopicInput::plan() const { return reading_.env.stages.sources[source_]; }

Status TopicInput::Open() {
  const physical::TopicSource& node = *plan().node;
  if (node.origin != physical::TopicSource::Origin::kTopic) return OkStatus();
  WEIR_ASSIGN_OR_RETURN(decoder_, MakeSourceDecoder(node, reading_.env.schemas.get()));
  return OkStatus();
}

Result<StartPosition> TopicInput::FindStart(const TaskJournal& journal) {
  using Start = physical::TopicSource::Start;
  const physical::TopicSource& node = *plan().node;
  const InputPosition* noted = journal.Find(plan().input_name);
  StartPosition start;
  if (noted != nullptr && noted->next >= 0) {
    start = {StartPosition::Kind::kOffset, noted->next};
    decoder_->ReportBadFrom(noted->decoded >= 0 ? noted->decoded : noted->next);
  } else if (node.start == Start::kTimestamp) {
    start = {StartPosition::Kind::kTimestamp, node.start_timestamp_ms};
  } else if (node.start == Start::kOffsets &&
             reading_.partition < static_cast<int32_t>(node.start_offsets.size()) &&
             node.start_offsets[reading_.partition] >= 0) {
    start = {StartPosition::Kind::kOffset, node.start_offsets[reading_.partition]};
  } else if (node.start == Start::kLatest ||
             (node.start == Start::kDefault && reading_.env.settings.start_latest &&
              !node.is_table)) {
    start.kind = StartPosition::Kind::kLatest;
  }
  return start;
}

Status TopicInput::OpenReader(ReadSession* session, const TaskJournal& journal) {
  QueryEnvironment& env = reading_.env;
  if (session == nullptr) {
    supply_ = std::move(env.given_rows[source_]);
    return OkStatus();
  }
  WEIR_ASSIGN_OR_RETURN(const StartPosition start, FindStart(journal));
  WEIR_ASSIGN_OR_RETURN(reader_, session->Open(plan().node->topic, reading_.partition, start));
  if (env.bounded) {
    const std::vector<int64_t>& ends = env.source_ends[source_];
    if (reading_.partition < static_cast<int32_t>(ends.size())) {
      bounded_end_ = ends[reading_.partition];
    }
    return OkStatus();
  }
  if (!is_table_) return OkStatus();
  const InputPosition* noted = journal.Find(plan().input_name);
  if (noted != nullptr && noted->table_end >= 0) {
    noted_end_ = noted->table_end;
    if (reader_->position() < noted_end_) table_end_ = noted_end_;
    return OkStatus();
  }
  table_end_ = reader_->endless() ? -1 : reader_->end_offset();
  noted_end_ = std::max<int64_t>(table_end_, 0);
  return OkStatus();
}

void TopicInput::LookForTableEnd() {
  // The end of a stream of bytes is known once it has been reached.
  const bool read =
      table_end_ == INT64_MAX ? reader_->caught_up() : reader_->position() >= table_end_;
  if (read) table_end_ = -1;
}

Status TopicInput::BeginRound(const Round&, bool*) {
  const std::vector<std::vector<int64_t>>& ends = reading_.env.round_ends;
  if (!ends.empty() && !ends[source_].empty()) round_end_ = ends[source_][reading_.partition];
  return OkStatus();
}

int32_t TopicInput::RowsMax() const {
  const int64_t from = std::max<int64_t>(reader_->position(), 0);
  return static_cast<int32_t>(std::clamp<int64_t>(round_end_ - from, 0, limits::kBatchRowsMax));
}

Status TopicInput::Fill(bool* any) {
  if (supply_) return has_rows() ? OkStatus() : TakeGiven(any);
  if (reader_ == nullptr) return OkStatus();  // Records are injected.
  while (!has_rows() && !is_at_end() && RowsMax() > 0) {
    RecordBatch& fetched = reading_.fetched;
    WEIR_RETURN_IF_ERROR(reader_->Fetch(RowsMax(), limits::kBatchBytesMax, fetched));
    if (fetched.size() == 0) return OkStatus();
    PassFaultPoint("after_fetch");
    *any = true;
    next_ = 0;
    WEIR_RETURN_IF_ERROR(Decode(fetched, pending_));
    if (reading_.env.bounded) KeepBounded();
    // A batch of bad records leaves no rows; return so that others get their turn.
    if (!has_rows()) return OkStatus();
  }
  return OkStatus();
}

Status TopicInput::TakeGiven(bool* any) {
  WEIR_ASSIGN_OR_RETURN(std::optional<Chunk> rows, supply_());
  if (!rows) {
    supply_ = nullptr;
    return OkStatus();
  }
  pending_ = std::move(*rows);
  pending_.source = source_;
  pending_.source_partition = reading_.partition;
  next_ = 0;
  *any = true;
  return OkStatus();
}

// A bounded query sees the records there were when it began, and of a stream only those with a
// value.
void TopicInput::KeepBounded() {
  const bool drops_deletes = pending_.ops != nullptr && !plan().node->is_table;
  const bool cut = bounded_end_ >= 0 && reader_->position() > bounded_end_;
  if (pending_.rows == 0 || (!drops_deletes && !cut)) return;
  const ColumnPtr offsets = pending_.sys(SystemColumn::kOffset);
  auto kept = std::make_shared<Selection>();
  for (int32_t row = 0; row < pending_.rows; ++row) {
    if (cut && offsets->values<int64_t>()[row] >= bounded_end_) continue;
    if (drops_deletes && pending_.op(row) == RowOp::kDelete) continue;
    kept->push_back(row);
  }
  pending_.selection = std::move(kept);
  pending_ = Flatten(std::move(pending_));
  if (drops_deletes) pending_.ops = nullptr;
}

Status TopicInput::Decode(const RecordBatch& records, Chunk& out) {
  out = Chunk();
  int64_t bytes = 0;
  for (int32_t i = 0; i < records.size(); ++i) {
    bytes += std::max(records.keys[i].length, 0) + std::max(records.values[i].length, 0);
  }
  reading_.records_in += records.size();
  reading_.env.read_since_commit += bytes;
  // Pipelines read once; the reading is counted for each of their queries that reads the source.
  for (const std::unique_ptr<RootContext>& context : reading_.contexts) {
    reading_.env.counters[context->query_root()]->RecordsIn(records.size(), bytes);
  }
  WEIR_RETURN_IF_ERROR(decoder_->Decode(records, source_, *reading_.contexts.front(), out));
  if (out.selection) out = Flatten(std::move(out));
  out.source_partition = reading_.partition;
  return OkStatus();
}

TaskInput::Run TopicInput::run() const {
  return {pending_.row_time()->values<int64_t>().data() + next_, nullptr, pending_.rows - next_};
}

Chunk TopicInput::Take(int32_t count) {
  const int32_t from = next_;
  next_ += count;
  if (reading_.tracks_time) {
    const int64_t* times = pending_.row_time()->values<int64_t>().data();
    time_ = std::max(time_, *std::max_element(times + from, times + next_));
  }
  if (from == 0 && !has_rows()) {
    next_ = 0;
    return std::exchange(pending_, Chunk());
  }
  Chunk rows = RowsOf(pending_, from, next_);
  if (!has_rows()) {
    next_ = 0;
    pending_ = Chunk();
  }
  return rows;
}

bool TopicInput::caught_up() const {
  if (supply_ != nullptr) return false;
  return reader_ == nullptr || is_at_end() || reader_->position() >= round_end_ ||
         reader_->caught_up();
}

bool TopicInput::drained() const {
  if (has_rows() || supply_ != nullptr) return false;
  if (reader_ == nullptr || is_at_end()) return true;
  return bounded_end_ < 0 && caught_up();
}

int64_t TopicInput::StreamTime(const Round&) const { return time_; }

void TopicInput::NotePosition(TaskJournal& journal) {
  if (reader_ == nullptr) return;
  InputPosition noted;
  noted.next = position();
  if (has_rows()) noted.decoded = reader_->position();
  noted.table_end = noted_end_;
  journal.SetPosition(plan().input_name, plan().node->topic, noted);
}

int64_t TopicInput::position() const {
  if (reader_ == nullptr) return -1;
  if (!has_rows()) return reader_->position();
  return pending_.sys(SystemColumn::kOffset)->values<int64_t>()[next_];
}

int64_t TopicInput::lag() const {
  if (reader_ == nullptr) return 0;
  const int64_t end = reader_->end_offset();
  const int64_t unread = end == INT64_MAX ? (reader_->caught_up() ? 0 : 1)
                                          : std::max<int64_t>(0, end - reader_->position());
  return unread + (has_rows() ? pending_.rows - next_ : 0);
}

}  // namespace weir
