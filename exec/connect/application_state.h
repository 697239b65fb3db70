#pragma once

// What the copies of an application keep on this machine: state_dir/<application id>/<n>, one
// directory a copy. Seen from outside, for resets: no copy has them open then.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weir/status.h"

namespace weir {

/// The folder of all local state of an application. An empty `state_dir` means the default one,
/// $XDG_STATE_HOME/weir or ~/.local/state/weir.
std::string ApplicationStateFolder(const std::string& state_dir, std::string_view application_id);

/// One copy's state.
struct ApplicationState {
  std::string path;
  int64_t bytes = 0;  ///< On disk.
  std::string owner;  ///< Pid of the process that has it open ("unknown" at worst); empty: none.
};

/// All of an application's, by number. None where the folder does not exist.
Result<std::vector<ApplicationState>> ListApplicationState(const std::string& folder);

/// Deletes one copy's state altogether. kStoreLocked while a process has it open.
Status DeleteApplicationState(const std::string& path);

/// Number of state keys in [from, to), as StateBackend has them. kStoreLocked.
Result<int64_t> CountStateKeys(const std::string& path, std::string_view from, std::string_view to);
/// Deletes them, durably.
Status DeleteStateKeys(const std::string& path, std::string_view from, std::string_view to);

}  // namespace weir
