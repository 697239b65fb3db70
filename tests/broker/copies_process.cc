#include "tests/broker/copies_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace weir::testing {
namespace {

[[noreturn]] void Exec(const CopyOptions& options, std::vector<char*> arguments) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int log = open(options.log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  const int none = open("/dev/null", O_RDONLY);
  dup2(none, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  if (options.fault.empty()) {
    unsetenv("WEIR_FAULT");
  } else {
    setenv("WEIR_FAULT", options.fault.c_str(), 1);
  }
  execv(arguments[0], arguments.data());
  _exit(127);
}

}  // namespace

CopyProcess::CopyProcess(const CopyOptions& options)
    : log_path_(options.log_path), fault_(options.fault) {
  std::vector<std::string> texts = {WEIR_PROGRAM,           "run",
                                    options.script,         "-b",
                                    options.brokers,        "--application-id",
                                    options.application_id, "--state-dir",
                                    options.state_dir};
  texts.insert(texts.end(), options.more.begin(), options.more.end());
  std::vector<char*> arguments;
  for (std::string& text : texts) arguments.push_back(text.data());
  arguments.push_back(nullptr);
  pid_ = fork();
  if (pid_ == 0) Exec(options, arguments);
}

CopyProcess::~CopyProcess() { Kill(); }

bool CopyProcess::running() {
  if (status_) return false;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
  return !status_;
}

void CopyProcess::Kill() {
  if (status_) return;
  kill(pid_, SIGKILL);
  int status = 0;
  waitpid(pid_, &status, 0);
  status_ = status;
}

void CopyProcess::Terminate() {
  if (!status_) kill(pid_, SIGTERM);
}

void CopyProcess::Pause() {
  if (status_) return;
  kill(pid_, SIGSTOP);
  paused_ = true;
}

void CopyProcess::Resume() {
  if (!status_) kill(pid_, SIGCONT);
  paused_ = false;
}

bool CopyProcess::WaitForEnd(std::chrono::seconds timeout) {
  if (!running()) return true;
  // Readable once the process has ended.
  pollfd end{static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)), POLLIN, 0};
  if (end.fd < 0) return false;
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(timeout);
  poll(&end, 1, static_cast<int>(milliseconds.count()));
  close(end.fd);
  return !running();
}

bool CopyProcess::killed() const {
  return status_ && WIFSIGNALED(*status_) && WTERMSIG(*status_) == SIGKILL;
}

int CopyProcess::exit_code() const {
  if (!status_) return -1;
  return WIFEXITED(*status_) ? WEXITSTATUS(*status_) : 128 + WTERMSIG(*status_);
}

std::string CopyProcess::LogTail(size_t bytes) const {
  std::ifstream file(log_path_, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return text.substr(text.size() - std::min(bytes, text.size()));
}

}  // namespace weir::testing
