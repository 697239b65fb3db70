#include "shell/metrics_server.h"

#include <civetweb.h>
#include <fmt/format.h>

#include <mutex>

#include "weir/metrics.h"

namespace weir::shell {
namespace {

/// Scrapes come one by one; a second thread answers a person's browser meanwhile.
constexpr const char* kThreads = "2";

class CivetServerOfMetrics final : public MetricsServer {
 public:
  explicit CivetServerOfMetrics(const Engine& engine) : engine_(engine) {
    static std::once_flag initialized;
    std::call_once(initialized, [] { mg_init_library(MG_FEATURES_DEFAULT); });
  }
  // Waits for the answers under way.
  ~CivetServerOfMetrics() override { mg_stop(server_); }

  Status Listen(int port) {
    const std::string ports = fmt::format("{}", port);
    const char* options[] = {"listening_ports",    ports.c_str(), "num_threads", kThreads,
                             "request_timeout_ms", "10000",       nullptr};
    mg_callbacks callbacks{};
    callbacks.log_message = [](const mg_connection*, const char*) { return 1; };
    server_ = mg_start(&callbacks, this, options);
    mg_server_port bound{};
    if (server_ == nullptr || mg_get_server_ports(server_, 1, &bound) != 1) {
      return Status(ErrorCode::kIoError, fmt::format("metrics cannot be served on port {}", port))
          .WithHint("choose a port that is free with --metrics-port; 0 lets the system choose");
    }
    port_ = bound.port;
    mg_set_request_handler(server_, "/metrics$", &Answer, this);
    return OkStatus();
  }
  int port() const override { return port_; }

 private:
  // Runs on the server's threads.
  static int Answer(mg_connection* connection, void* self) {
    const std::string page =
        FormatPrometheus(static_cast<CivetServerOfMetrics*>(self)->engine_.Metrics());
    mg_printf(connection,
              "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
              "Content-Length: %zu\r\nConnection: close\r\n\r\n",
              page.size());
    mg_write(connection, page.data(), page.size());
    return 200;
  }

  const Engine& engine_;
  mg_context* server_ = nullptr;
  int port_ = 0;
};

}  // namespace

Result<std::unique_ptr<MetricsServer>> MetricsServer::Start(const Engine& engine, int port) {
  auto server = std::make_unique<CivetServerOfMetrics>(engine);
  if (Status status = server->Listen(port); !status.ok()) return status;
  return std::unique_ptr<MetricsServer>(std::move(server));
}

}  // namespace weir::shell
