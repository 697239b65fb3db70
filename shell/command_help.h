#pragma once

// `help`, in the prompt and as `weir help`.

#include <ostream>
#include <string_view>

#include "weir/engine.h"

namespace weir::shell {

/// What `help TOPIC` says: of statements, clauses, properties, types, commands and functions. All
/// there is where `topic` is empty. kUsage with near names if there is nothing.
Status TellHelp(Engine& engine, std::string_view topic, std::ostream& out);

}  // namespace weir::shell
