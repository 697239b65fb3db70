#pragma once

// What the registry inside Weir answers over HTTP: the API of Confluent's, with its error codes.
// Knows no connections; who listens hands requests in.

#include <string>
#include <string_view>

#include "exec/formats/registry/memory_registry.h"

namespace weir {

struct RegistryRequest {
  std::string_view method;
  std::string_view path;   ///< As it came, with its percent signs.
  std::string_view query;  ///< Behind the question mark.
  std::string_view body;
};

struct RegistryAnswer {
  int status = 200;
  std::string body;  ///< JSON; or a schema's text, where that is asked for.
};

/// The largest body that is of use: a schema of 2 MB with its escapes has room.
inline constexpr size_t kRegistryBodyMax = 8 << 20;
inline constexpr std::string_view kRegistryContentType = "application/vnd.schemaregistry.v1+json";

/// Safe from any thread.
RegistryAnswer AnswerRegistryRequest(MemoryRegistry& registry, const RegistryRequest& request);

}  // namespace weir
