#include "shell/prompt/interrupts.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <system_error>
#include <utility>

#include "base/status_macros.h"

namespace weir::shell {
namespace {

constexpr int kExitInterrupted = 130;
/// Ends the listener; sent to its thread only.
constexpr int kStopListening = SIGUSR1;

sigset_t ListenedSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, kStopListening);
  return set;
}

}  // namespace

Interrupts::Interrupts() {
  if (pipe2(pipe_, O_CLOEXEC | O_NONBLOCK) != 0) pipe_[0] = pipe_[1] = -1;
}

Interrupts::~Interrupts() {
  if (listener_.joinable()) {
    pthread_kill(listener_.native_handle(), kStopListening);
    listener_.join();
  }
  if (pipe_[0] >= 0) close(pipe_[0]);
  if (pipe_[1] >= 0) close(pipe_[1]);
}

Status Interrupts::Listen() {
  const sigset_t set = ListenedSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  try {
    listener_ = std::thread([this, set] {
      int signal_number = 0;
      while (sigwait(&set, &signal_number) == 0 && signal_number != kStopListening) {
        Deliver(signal_number == SIGINT ? StopKind::kInterrupt : StopKind::kTerminate);
      }
    });
  } catch (const std::system_error& error) {
    return Status(ErrorCode::kIoError,
                  "the system gives this program no thread: " + error.code().message())
        .WithHint("allow more processes (ulimit -u)");
  }
  return OkStatus();
}

void Interrupts::Deliver(StopKind kind) {
  std::lock_guard lock(mutex_);
  if (kind == StopKind::kInterrupt && held_) return;
  if (kind == StopKind::kInterrupt && pending_ == StopKind::kInterrupt) _exit(kExitInterrupted);
  if (pending_ != StopKind::kTerminate) pending_ = kind;
  if (kind == StopKind::kTerminate && pipe_[1] >= 0) {
    // A full pipe is as good: it is readable already.
    [[maybe_unused]] const ssize_t written = write(pipe_[1], "t", 1);
  }
  if (action_) action_();
  changed_.notify_all();
}

void Interrupts::set_held(bool held) {
  std::lock_guard lock(mutex_);
  held_ = held;
}

StopKind Interrupts::pending() const {
  std::lock_guard lock(mutex_);
  return pending_;
}

void Interrupts::ClearInterrupt() {
  std::lock_guard lock(mutex_);
  if (pending_ == StopKind::kInterrupt) pending_ = StopKind::kNone;
}

bool Interrupts::WaitFor(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [this] { return pending_ != StopKind::kNone; });
}

Interrupts::Scope::Scope(Interrupts& interrupts, std::function<void()> action)
    : interrupts_(interrupts) {
  std::lock_guard lock(interrupts_.mutex_);
  previous_ = std::exchange(interrupts_.action_, std::move(action));
  // A stop that came just before must not be lost.
  if (interrupts_.pending_ != StopKind::kNone) interrupts_.action_();
}

Interrupts::Scope::~Scope() {
  std::lock_guard lock(interrupts_.mutex_);
  interrupts_.action_ = std::move(previous_);
}

}  // namespace weir::shell
