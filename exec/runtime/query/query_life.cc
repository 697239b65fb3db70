// What ends the rounds of a query, for a while or for good: failures, pausing, stopping.

#include <algorithm>

#include <fmt/format.h>

#include "base/interrupt.h"
#include "exec/runtime/guarded.h"
#include "exec/runtime/query/query_runtime.h"

namespace weir {
namespace {

constexpr int kFailuresMax = 3;
constexpr int64_t kBackoffFirstMs = 1000;
constexpr int64_t kBackoffLastMs = 60'000;
constexpr int64_t kMigrationPauseMs = 100;  // The groups tell soon what is whose.

bool IsTransient(ErrorCode code) {
  return code == ErrorCode::kKafkaUnavailable || code == ErrorCode::kKafkaError ||
         code == ErrorCode::kRegistryUnavailable || code == ErrorCode::kRegistryError;
}

// What a copy that shares work meets in the ordinary course of things: it goes on at once from the
// last commit.
bool IsMigration(ErrorCode code) {
  return code == ErrorCode::kTaskMigrated || code == ErrorCode::kTransactionAborted;
}

// The round was given up because the query is to stop, or to pause.
bool IsGivenUp(ErrorCode code) { return code == ErrorCode::kCancelled; }

bool IsFinal(ErrorCode code) {
  return code == ErrorCode::kMemoryLimit || code == ErrorCode::kPlanChanged ||
         code == ErrorCode::kPartitionsChanged || code == ErrorCode::kStateLost ||
         code == ErrorCode::kRecordTooLarge || code == ErrorCode::kOffsetOutOfRange;
}

}  // namespace

// What was done since the last commit is forgotten; the query goes on from there after a while, or
// stops when that does not help.
int64_t QueryRuntime::Fail(Status status) {
  TearDown();
  const bool migrated = IsMigration(status.code()) || IsGivenUp(status.code());
  if (!migrated) ++failures_;
  const bool transient = IsTransient(status.code());
  const bool again = migrated || transient ||
                     (failures_ < kFailuresMax && !IsFinal(status.code()) && !options_.transient);
  // Who reads a transient query is told through its cursor, unless that goes on waiting.
  if (options_.log && (!options_.transient || (again && !migrated))) {
    options_.log(migrated ? LogLevel::kInfo
                 : again  ? LogLevel::kWarning
                          : LogLevel::kError,
                 fmt::format("query {}: {}", env_.id, status.ToString()));
  }
  // Other copies take over what this one cannot do.
  if (!again) LeaveGroups();
  std::lock_guard lock(status_mutex_);
  error_ = std::move(status);
  state_ = again ? State::kRestarting : State::kError;
  retry_at_ = {};
  if (!again) return -1;
  if (!transient && !migrated) return 0;
  const int64_t wait =
      migrated ? kMigrationPauseMs
               : std::min(kBackoffLastMs, kBackoffFirstMs << std::min(failures_ - 1, 6));
  retry_at_ = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait);
  return wait;
}

// Holds the query between two rounds; one that takes long is given up.
std::unique_lock<std::timed_mutex> QueryRuntime::EndRound() {
  FinishSoon();
  // By the wall clock: the thread sanitizer of GCC 12 does not see locks that wait by the other.
  std::unique_lock lock(mutex_, std::chrono::system_clock::now() + Scheduler::kPatience);
  if (!lock.owns_lock()) {
    GiveUp();
    lock.lock();
  }
  env_.finish_soon = env_.give_up = false;
  return lock;
}

void QueryRuntime::Pause() {
  const std::unique_lock lock = EndRound();
  const InterruptScope interruptible(env_.give_up);
  if (open_ && !options_.transient && (uncommitted_ || flow_.is_under_way())) {
    Status status = Guarded([&] { return uncommitted_ ? CommitAll() : TakeCommit(); });
    if (!status.ok()) Fail(std::move(status));
  }
  std::lock_guard status_lock(status_mutex_);
  if (state_ == State::kRunning || state_ == State::kRestarting) state_ = State::kPaused;
}

void QueryRuntime::Resume() {
  {
    std::lock_guard lock(mutex_);
    std::lock_guard status_lock(status_mutex_);
    failures_ = 0;
    retry_at_ = {};
    state_ = State::kRunning;
    error_ = OkStatus();
  }
  Wake();
}

void QueryRuntime::Stop() {
  stopped_ = true;
  const std::unique_lock lock = EndRound();
  TearDown();
  EndCommit();
  LeaveGroups();
}

void QueryRuntime::FailToOpen(Status cause) {
  if (!IsTransient(cause.code())) {
    if (options_.log) {
      options_.log(LogLevel::kError, fmt::format("query {}: {}", env_.id, cause.ToString()));
    }
    return StopWithError(std::move(cause));
  }
  const std::unique_lock lock = EndRound();
  Fail(std::move(cause));
}

void QueryRuntime::StopWithError(Status cause) {
  const std::unique_lock lock = EndRound();
  TearDown();
  EndCommit();
  LeaveGroups();
  std::lock_guard status_lock(status_mutex_);
  error_ = std::move(cause);
  state_ = State::kError;
}

}  // namespace weir
