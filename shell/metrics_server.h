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
  /// Listens at `address` (an IP address, or localhost) on `port` (0: a free one), and serves from
  /// threads of its own while it lives. `engine` must outlive it. kIoError where the port is taken,
  /// kInvalidOption where the address is none.
  static Result<std::unique_ptr<MetricsServer>> Start(const Engine& engine,
                                                      const std::string& address, int port);
  virtual ~MetricsServer() = default;
  /// The port it listens on.
  virtual int port() const = 0;
  /// Where the page is.
  virtual const std::string& url() const = 0;
};

}  // namespace weir::shell
