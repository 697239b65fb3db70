#pragma once

// `weir registry`: the schema registry inside Weir, over HTTP.

#include <memory>
#include <string>

#include "exec/connect/topic.h"
#include "exec/formats/registry/memory_registry.h"
#include "shell/http_listener.h"

namespace weir::shell {

struct RegistryServerOptions {
  std::string address = "127.0.0.1";
  int port = 8081;        ///< 0: a free one.
  std::string directory;  ///< A local store that keeps the schemas; empty: they lie in memory.
};

/// Its calls are safe from any thread.
class RegistryServer {
 public:
  /// Serves from threads of its own while it lives. What a local store's directory gives as errors,
  /// kIoError where the port is taken, kInvalidOption where the address is none.
  static Result<std::unique_ptr<RegistryServer>> Start(const RegistryServerOptions& options);
  ~RegistryServer();
  int port() const { return listener_->port(); }
  const std::string& url() const { return listener_->url(); }
  MemoryRegistry& registry() { return *registry_; }

 private:
  RegistryServer() = default;

  std::unique_ptr<Broker> broker_;
  std::shared_ptr<MemoryRegistry> registry_;
  std::unique_ptr<HttpListener> listener_;
};

}  // namespace weir::shell
