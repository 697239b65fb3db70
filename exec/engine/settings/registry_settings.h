#pragma once

// The settings schema.registry.… as what a client of a registry is made of.

#include <optional>
#include <string>
#include <string_view>

#include "exec/connect/registry/http_registry.h"
#include "exec/engine/settings/settings.h"

namespace weir {

/// Nothing without schema.registry.url. kInvalidOption, also for files that are not there.
Result<std::optional<HttpRegistryOptions>> RegistryOptionsOf(const Settings& settings);

/// URLs separated by commas, without names and passwords.
std::string UrlsWithoutSecrets(std::string_view urls);

}  // namespace weir
