#pragma once

// Records whose schemas are in a registry as text, for people.

#include <optional>
#include <string>
#include <string_view>

#include "exec/formats/registry/schema_registry.h"

namespace weir {

/// The value as JSON, if `bytes` begin with the id of a schema and are what it describes.
std::optional<std::string> TextBySchema(SchemaRegistry& registry, std::string_view bytes);

}  // namespace weir
