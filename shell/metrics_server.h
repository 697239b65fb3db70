#pragma once

// The page that Prometheus reads: http://HOST:PORT/metrics, with the engine's numbers as they are
// at the moment. Knows, alone, the HTTP server's library (civetweb).

#include <cstdint>
#include <memory>
#include <string>

#include "weir/engine.h"

namespace weir::shell {

class MetricsServer {
 public:
  /// Listens on `port` of all addresses (0: a free one) and serves from threads of its own while it
  /// lives. `engine` must outlive it. kIoError where the port is taken.
  static Result<std::unique_ptr<MetricsServer>> Start(const Engine& engine, int port);
  virtual ~MetricsServer() = default;
  /// The port it listens on.
  virtual int port() const = 0;
};

}  // namespace weir::shell
