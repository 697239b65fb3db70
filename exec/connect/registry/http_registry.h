#pragma once

// A schema registry that is asked over HTTP, by the API of Confluent's. What it answers is kept:
// schemas by their ids for as long as there is room, since ids never change; newest versions and
// ids that it does not know for a moment only.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "exec/connect/registry/http_client.h"
#include "exec/formats/registry/schema_registry.h"

namespace weir {

struct HttpRegistryOptions {
  std::vector<std::string> urls;  ///< Tried in turn, the one that answered last first.
  HttpClientOptions http;
  int retries = 2;               ///< Times that all URLs are tried again where none answers.
  int64_t retry_first_ms = 200;  ///< Before the first retry; each further one waits twice as long.
  int64_t retry_last_ms = 5000;  ///< No further pause is longer.
  size_t schemas_max = 10'000;   ///< Kept by their ids, and
  size_t schema_bytes_max = 64 << 20;  ///< of so many bytes; the least used ones go.
  int64_t latest_ms = 1000;            ///< For how long a newest version is taken for that.
  int64_t unknown_ms = 1000;           ///< For how long an unknown id is not asked for again.
  std::function<int64_t()> now_ms;     ///< Called from any thread; null: the steady clock.
};

/// "http://a:8081, https://b/path" as URLs. kInvalidOption.
Result<std::vector<std::string>> ParseRegistryUrls(std::string_view text);

/// kRegistryUnavailable: no URL gives an answer that a registry would, after all retries;
/// kRegistryError: it refuses. Both name the URL and what came. Whoever asks may try again later.
std::shared_ptr<SchemaRegistry> MakeHttpRegistry(HttpRegistryOptions options);

}  // namespace weir
