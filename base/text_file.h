#pragma once

// Files of text that are read whole, such as scripts of SQL. Pipes may be read too: no read waits
// without looking whether it has been asked to stop.

#include <cstddef>
#include <functional>
#include <string>

#include "weir/status.h"

namespace weir {

/// Bytes of one script. It is held in memory as one text; what is larger is data, not a script.
inline constexpr size_t kScriptBytesMax = 64u << 20;

/// The whole text of `path`, which may be a pipe. Fails with kIoError for what cannot be read, for
/// a directory and for more than `bytes_max` bytes, and with kCancelled once `stopped` says so; it
/// is asked between reads and ten times a second while a pipe gives nothing.
Result<std::string> ReadTextFile(const std::string& path, size_t bytes_max = kScriptBytesMax,
                                 const std::function<bool()>& stopped = {});

}  // namespace weir
