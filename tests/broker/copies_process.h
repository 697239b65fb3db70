#pragma once
// One copy of an application: `weir run` as a child process that a test starts, kills, stops,
// pauses and lets go on. Its messages go to a file.

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace weir::testing {

struct CopyOptions {
  std::string script;  ///< The file of SQL.
  std::string brokers;
  std::string application_id;
  std::string state_dir;  ///< Shared by all copies.
  std::string log_path;
  std::string fault;              ///< Value of WEIR_FAULT; empty: not set.
  std::vector<std::string> more;  ///< Further arguments of the program.
};

/// A running copy. Destroying it kills it. If the test itself dies, so does the copy. One thread.
class CopyProcess {
 public:
  explicit CopyProcess(const CopyOptions& options);
  ~CopyProcess();
  CopyProcess(const CopyProcess&) = delete;
  CopyProcess& operator=(const CopyProcess&) = delete;

  pid_t pid() const { return pid_; }
  const std::string& fault() const { return fault_; }
  bool running();
  bool paused() const { return paused_; }
  void Kill();       ///< SIGKILL; returns when it is gone.
  void Terminate();  ///< SIGTERM; returns at once.
  void Pause();      ///< SIGSTOP.
  void Resume();     ///< SIGCONT.
  /// True if it ended in time.
  bool WaitForEnd(std::chrono::seconds timeout);
  /// After the end: whether SIGKILL ended it, or else its exit code (128 + n for another signal n).
  bool killed() const;
  int exit_code() const;
  /// The last lines of its messages, for a failure's report.
  std::string LogTail(size_t bytes = 4000) const;

 private:
  std::string log_path_;
  std::string fault_;
  pid_t pid_ = -1;
  bool paused_ = false;
  std::optional<int> status_;  ///< As waitpid gave it.
};

}  // namespace weir::testing
