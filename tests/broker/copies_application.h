#pragma once
// An application of several copies that share one state directory and one application id, as a test
// drives it. What a copy does that it should not do (a crash, a wrong exit code) is a test failure.
// Messages of the copies go away with the test, unless WEIR_COPIES_LOGS names a directory for them.

#include <memory>
#include <string>
#include <vector>

#include "tests/broker/copies_process.h"
#include "tests/fault/temporary_directory.h"

namespace weir::testing {

struct ApplicationOptions {
  std::string brokers;
  std::string application_id;
  std::string sql;
  std::vector<std::string> more;  ///< Further arguments of each copy.
};

/// One thread at a time.
class CopiesApplication {
 public:
  explicit CopiesApplication(const ApplicationOptions& options);

  /// The copy stays valid until Reap finds that it ended. `fault` is a value of WEIR_FAULT.
  CopyProcess& Start(const std::string& fault = "");
  const std::vector<std::unique_ptr<CopyProcess>>& copies() const { return copies_; }
  /// Forgets copies that have ended. Those with a fault point may have killed themselves, which is
  /// counted; any other end that the test did not ask for fails it.
  void Reap();
  /// SIGKILL, and forgotten.
  void Kill(size_t copy);
  /// SIGTERM; it commits, leaves its groups and ends with exit code 0, or 143 while it starts.
  void Stop(size_t copy);
  void StopAll();
  /// Runs one copy with --until-end: true when it has ended by itself with exit code 0.
  bool RunUntilEnd(std::chrono::seconds timeout);

  int faults_struck() const { return faults_struck_; }
  int started() const { return started_; }
  const std::string& directory() const { return directory_.path(); }
  /// All messages of all copies that contain `text`, one line each.
  std::vector<std::string> LogLines(const std::string& text) const;

 private:
  std::string LogDirectory() const;
  std::unique_ptr<CopyProcess> Make(const std::string& fault, bool until_end);

  ApplicationOptions options_;
  fault::TemporaryDirectory directory_;
  std::vector<std::unique_ptr<CopyProcess>> copies_;
  int started_ = 0;
  int faults_struck_ = 0;
};

}  // namespace weir::testing
