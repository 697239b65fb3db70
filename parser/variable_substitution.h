#pragma once

// DEFINE's variables: ${name} in a statement's text is replaced before the text is parsed.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/status.h"

namespace weir {

/// The value of a variable, or null when there is none. Names are compared as DEFINE folds them.
using VariableLookup = std::function<const std::string*(std::string_view name)>;

/// `text` with every `${name}` replaced by the variable's value, inside quotes too, and `$${name}`
/// by `${name}`. Comments are left alone; a value is not searched again. An unknown variable is
/// kUnknownVariable with its place in `text`; `known_names` serves the hint.
Result<std::string> SubstituteVariables(std::string_view text, const VariableLookup& lookup,
                                        const std::vector<std::string>& known_names = {});

}  // namespace weir
