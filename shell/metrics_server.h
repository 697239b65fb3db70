#pragma once

// The page that Prometheus reads: http://HOST:PORT/metrics, with the engine's numbers as they are
// at the moment.

#include <memory>
#include <string>

#include "shell/http_listener.h"
#include "weir/engine.h"

namespace weir::shell {

class MetricsServer {
 public:
  /// Listens at `address` (an IP address, or localhost) on `port` (0: a free one), and serves from
  /// threads of its own while it lives. `engine` must outlive it. kIoError where the port is taken,
  /// kInvalidOption where the address is none.
  static Result<std::unique_ptr<MetricsServer>> Start(const Engine& engine,
                                                      const std::string& address, int port);
  /// The port it listens on.
  int port() const { return listener_->port(); }
  /// Where the page is.
  const std::string& url() const { return url_; }

 private:
  explicit MetricsServer(std::unique_ptr<HttpListener> listener);

  std::unique_ptr<HttpListener> listener_;
  std::string url_;
};

}  // namespace weir::shell
