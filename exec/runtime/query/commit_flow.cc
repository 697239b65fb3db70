#include "exec/runtime/query/commit_flow.h"

#include <utility>

#include "exec/runtime/guarded.h"

namespace weir {

void CommitFlow::Handle::Wait() const {
  if (step_ == nullptr) return;
  std::unique_lock lock(step_->mutex);
  step_->changed.wait(lock, [this] { return step_->ended; });
}

void CommitFlow::Step::Run() {
  const auto begin = std::chrono::steady_clock::now();
  Outcome made;
  made.status = Guarded(commit);
  made.took = std::chrono::steady_clock::now() - begin;
  commit = nullptr;
  // Who waits for the end goes on behind this lock: what `on_end` calls is there until then.
  std::lock_guard lock(mutex);
  outcome = std::move(made);
  ended = true;
  changed.notify_all();
  if (on_end) on_end();
}

void CommitFlow::Start(CommitThreads* threads, std::function<Status()> commit,
                       std::function<void()> on_end) {
  const auto step = std::make_shared<Step>();
  step->commit = std::move(commit);
  step->on_end = std::move(on_end);
  handle_.step_ = step;
  if (threads != nullptr && threads->Run([step] { step->Run(); })) return;
  step->on_end = nullptr;
  step->Run();
}

bool CommitFlow::has_ended() const {
  if (handle_.step_ == nullptr) return false;
  std::lock_guard lock(handle_.step_->mutex);
  return handle_.step_->ended;
}

CommitFlow::Outcome CommitFlow::Take() {
  handle_.Wait();
  const std::shared_ptr<Step> step = std::exchange(handle_.step_, nullptr);
  std::lock_guard lock(step->mutex);
  return std::move(step->outcome);
}

}  // namespace weir
