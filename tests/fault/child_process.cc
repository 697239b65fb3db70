#include "tests/fault/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

namespace weir::fault {
namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
  int read = -1;
  int write = -1;
  Pipe() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) std::abort();
    read = ends[0];
    write = ends[1];
  }
};

[[noreturn]] void Exec(const ChildOptions& options, const Pipe& in, const Pipe& out,
                       const Pipe& err) {
  dup2(in.read, STDIN_FILENO);
  dup2(out.write, STDOUT_FILENO);
  dup2(err.write, STDERR_FILENO);
  if (options.fault.empty()) {
    unsetenv("WEIR_FAULT");
  } else {
    setenv("WEIR_FAULT", options.fault.c_str(), 1);
  }
  if (options.spills) setenv("WEIR_FAULT_SPILL", "1", 1);
  if (options.file_bytes_max) {
    const rlimit limit{*options.file_bytes_max, *options.file_bytes_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    std::signal(SIGXFSZ, SIG_IGN);  // The write gives EFBIG instead.
  }
  std::vector<char*> arguments;
  for (const std::string& each : options.arguments) {
    arguments.push_back(const_cast<char*>(each.c_str()));
  }
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  _exit(127);
}

// Reads both outputs and feeds the input until all are closed, or the child is killed in time.
void Exchange(const ChildOptions& options, pid_t pid, int in, int out, int err,
              ChildResult& result) {
  const auto start = Clock::now();
  const auto timeout = start + options.timeout;
  auto kill_at = options.kill_after ? start + *options.kill_after : Clock::time_point::max();
  size_t written = 0;
  if (options.input.empty()) {
    close(in);
    in = -1;
  }
  while (out >= 0 || err >= 0) {
    const auto now = Clock::now();
    if (now >= kill_at || now >= timeout) {
      result.timed_out = now < kill_at;
      kill(pid, SIGKILL);
      kill_at = Clock::time_point::max();
    }
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(
        std::min({kill_at, timeout, now + std::chrono::seconds(1)}) - now);
    const long micros = std::max<long>(left.count(), 0);
    const timespec wait{micros / 1'000'000, micros % 1'000'000 * 1000};
    pollfd files[3] = {{out, POLLIN, 0}, {err, POLLIN, 0}, {in, POLLOUT, 0}};
    ppoll(files, 3, &wait, nullptr);
    char buffer[1 << 16];
    auto take = [&](pollfd& file, int& end, std::string& text) {
      if (file.revents == 0 || end < 0) return;
      const ssize_t count = read(end, buffer, sizeof(buffer));
      if (count > 0) {
        text.append(buffer, static_cast<size_t>(count));
      } else {
        close(end);
        end = -1;
      }
    };
    take(files[0], out, result.out);
    take(files[1], err, result.err);
    if (in >= 0 && files[2].revents != 0) {
      const ssize_t count = write(in, options.input.data() + written,
                                  std::min<size_t>(options.input.size() - written, 4096));
      if (count > 0) written += static_cast<size_t>(count);
      if (count < 0 || written == options.input.size()) {
        close(in);
        in = -1;
      }
    }
  }
  if (in >= 0) close(in);
}

}  // namespace

ChildResult RunChild(const ChildOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);
  Pipe in, out, err;
  const pid_t pid = fork();
  if (pid == 0) Exec(options, in, out, err);
  close(in.read);
  close(out.write);
  close(err.write);
  ChildResult result;
  Exchange(options, pid, in.write, out.read, err.read, result);
  int status = 0;
  waitpid(pid, &status, 0);
  result.killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status) && !result.killed) result.exit_code = 128 + WTERMSIG(status);
  return result;
}

}  // namespace weir::fault
