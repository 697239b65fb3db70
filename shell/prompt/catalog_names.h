#pragma once

// What completion may name, asked of the engine at the moment of the key.

#include "shell/prompt/completion.h"
#include "weir/engine.h"

namespace weir::shell {

/// `engine` must outlive what is returned.
CompletionNames NamesOf(Engine& engine);

}  // namespace weir::shell
