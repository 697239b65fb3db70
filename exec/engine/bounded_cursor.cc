#include "exec/engine/bounded_cursor.h"

#include <algorithm>
#include <numeric>

#include "base/status_macros.h"
#include "exec/column/builder.h"

namespace weir {
namespace {

constexpr std::chrono::milliseconds kLookAgain(20);

}  // namespace

BoundedCursor::BoundedCursor(SchemaPtr schema, std::optional<int64_t> limit)
    : schema_(std::move(schema)), left_(limit.value_or(-1)) {
  if (left_ == 0) limit_reached_ = ended_ = true;
}

BoundedCursor::~BoundedCursor() {
  if (query_ != nullptr) query_->Stop();
}

void BoundedCursor::Run(std::shared_ptr<QueryRuntime> query, Opener open) {
  query_ = std::move(query);
  open_ = std::move(open);
}

void BoundedCursor::Wake() {
  std::lock_guard lock(mutex_);
  wake_ = true;
  woken_.notify_all();
}

Status BoundedCursor::OnRows(const Chunk& rows) {
  std::lock_guard lock(mutex_);
  if (ended_) return OkStatus();
  Chunk taken = Flatten(rows);
  if (left_ >= 0 && taken.rows > left_) {
    Selection first(static_cast<size_t>(left_));
    std::iota(first.begin(), first.end(), 0);
    taken = GatherChunk(taken, first);
  }
  if (taken.rows == 0) return OkStatus();
  if (left_ >= 0) left_ -= taken.rows;
  // Of values that share memory with longer columns only the rows count.
  for (ColumnPtr& column : taken.columns) column = Prefix(column, taken.rows);
  batches_.emplace_back(schema_, std::move(taken.columns), taken.rows);
  if (left_ == 0) limit_reached_ = ended_ = true;
  return OkStatus();
}

std::optional<Batch> BoundedCursor::TakeBatch() {
  std::lock_guard lock(mutex_);
  if (batches_.empty()) return std::nullopt;
  Batch batch = std::move(batches_.front());
  batches_.pop_front();
  return batch;
}

Result<std::optional<Batch>> BoundedCursor::Next(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    if (cancelled_) return Status(ErrorCode::kCancelled, "the query was cancelled");
    if (std::optional<Batch> batch = TakeBatch()) return batch;
    if (done()) return std::optional<Batch>();
    Result<bool> worked = Work(deadline);
    if (!worked.ok()) {
      std::lock_guard lock(mutex_);
      ended_ = true;
      return cancelled_ ? Status(ErrorCode::kCancelled, "the query was cancelled")
                        : std::move(worked).status();
    }
    if (!*worked) return std::optional<Batch>();
  }
}

// False if there was nothing to do until `deadline`.
Result<bool> BoundedCursor::Work(std::chrono::steady_clock::time_point deadline) {
  if (open_) {
    const Opener open = std::move(open_);
    open_ = nullptr;
    WEIR_RETURN_IF_ERROR(open(cancelled_));
  }
  {
    std::lock_guard lock(mutex_);
    wake_ = false;
  }
  WEIR_ASSIGN_OR_RETURN(const QueryRuntime::Step step, query_->RunBounded());
  std::unique_lock lock(mutex_);
  if (step == QueryRuntime::Step::kEnded) ended_ = true;
  if (step != QueryRuntime::Step::kWaiting) return true;
  // Positions may move past records that are never given out, which wakes nobody.
  const auto look_again = std::chrono::steady_clock::now() + kLookAgain;
  woken_.wait_until(lock, std::min(deadline, look_again), [&] { return wake_ || cancelled_; });
  return wake_ || cancelled_ || std::chrono::steady_clock::now() < deadline;
}

bool BoundedCursor::done() const {
  std::lock_guard lock(mutex_);
  return cancelled_ || (ended_ && batches_.empty());
}

bool BoundedCursor::limit_reached() const {
  std::lock_guard lock(mutex_);
  return limit_reached_;
}

void BoundedCursor::Cancel() {
  if (query_ != nullptr) query_->GiveUp();
  std::lock_guard lock(mutex_);
  cancelled_ = true;
  woken_.notify_all();
}

}  // namespace weir
