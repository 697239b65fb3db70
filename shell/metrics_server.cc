#include "shell/metrics_server.h"

#include <arpa/inet.h>
#include <civetweb.h>
#include <fmt/format.h>

#include <mutex>
#include <optional>
#include <string_view>

#include "weir/metrics.h"

namespace weir::shell {
namespace {

/// Connections that are answered at once. More of them wait, and a client that does not come to its
/// end holds a thread for kRequestTimeoutMs only: so a few that stall do not keep Prometheus out.
constexpr const char* kThreads = "8";
constexpr const char* kRequestTimeoutMs = "2000";
/// Bytes of a request line with its headers: those of Prometheus and of browsers have 1 to 2 KB.
constexpr const char* kRequestBytesMax = "8192";

/// `address` as civetweb wants it in front of a port; nothing where it is no address, so that no
/// option can hide in it.
std::optional<std::string> ListeningAddress(const std::string& address) {
  in6_addr parsed;
  if (address == "localhost") return "127.0.0.1";
  if (inet_pton(AF_INET, address.c_str(), &parsed) == 1) return address;
  if (inet_pton(AF_INET6, address.c_str(), &parsed) == 1) return fmt::format("[{}]", address);
  return std::nullopt;
}

class CivetServerOfMetrics final : public MetricsServer {
 public:
  explicit CivetServerOfMetrics(const Engine& engine) : engine_(engine) {
    static std::once_flag initialized;
    std::call_once(initialized, [] { mg_init_library(MG_FEATURES_DEFAULT); });
  }
  // Waits for the answers under way.
  ~CivetServerOfMetrics() override { mg_stop(server_); }

  Status Listen(const std::string& address, int port) {
    const std::optional<std::string> listening = ListeningAddress(address);
    if (!listening) {
      return Status(ErrorCode::kInvalidOption,
                    fmt::format("--metrics-address takes an IP address, not: {}", address))
          .WithHint("127.0.0.1 is this machine alone, 0.0.0.0 and :: are all of its networks");
    }
    const std::string where = fmt::format("{}:{}", *listening, port);
    const char* options[] = {"listening_ports",
                             where.c_str(),
                             "num_threads",
                             kThreads,
                             "request_timeout_ms",
                             kRequestTimeoutMs,
                             "linger_timeout_ms",
                             kRequestTimeoutMs,
                             "max_request_size",
                             kRequestBytesMax,
                             "enable_keep_alive",
                             "no",
                             "enable_directory_listing",
                             "no",
                             nullptr};
    mg_callbacks callbacks{};
    callbacks.log_message = [](const mg_connection*, const char*) { return 1; };
    // Comes before everything the library does with a path: none of its other services, above all
    // no files, can be reached.
    callbacks.begin_request = &Answer;
    server_ = mg_start(&callbacks, this, options);
    mg_server_port bound{};
    if (server_ == nullptr || mg_get_server_ports(server_, 1, &bound) != 1) {
      return Status(ErrorCode::kIoError,
                    fmt::format("metrics cannot be served at {} port {}", address, port))
          .WithHint(
              "choose a port that is free with --metrics-port (0 lets the system choose), "
              "and an address of this machine with --metrics-address");
    }
    url_ = fmt::format("http://{}:{}/metrics", *listening == "127.0.0.1" ? "localhost" : *listening,
                       bound.port);
    port_ = bound.port;
    return OkStatus();
  }
  int port() const override { return port_; }
  const std::string& url() const override { return url_; }

 private:
  // Runs on the server's threads; what it gives back only says that the request is answered.
  static int Answer(mg_connection* connection) {
    // Without it the library would read on for as long as a client sends a body.
    mg_disable_connection_keep_alive(connection);
    const mg_request_info& request = *mg_get_request_info(connection);
    const std::string_view path = request.local_uri == nullptr ? "" : request.local_uri;
    const std::string_view method = request.request_method;
    if (path != "/metrics") {
      return Send(connection, method, "404 Not Found", "only /metrics is here\n");
    }
    if (method != "GET" && method != "HEAD") {
      return Send(connection, method, "405 Method Not Allowed", "GET reads the metrics\n");
    }
    const auto* self =
        static_cast<const CivetServerOfMetrics*>(mg_get_user_data(mg_get_context(connection)));
    return Send(connection, method, "200 OK", FormatPrometheus(self->engine_.Metrics()));
  }

  static int Send(mg_connection* connection, std::string_view method, std::string_view status,
                  std::string_view page) {
    const std::string head = fmt::format(
        "HTTP/1.1 {}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
        "Content-Length: {}\r\nConnection: close\r\n\r\n",
        status, page.size());
    mg_write(connection, head.data(), head.size());
    if (method != "HEAD") mg_write(connection, page.data(), page.size());
    return 200;
  }

  const Engine& engine_;
  mg_context* server_ = nullptr;
  int port_ = 0;
  std::string url_;
};

}  // namespace

Result<std::unique_ptr<MetricsServer>> MetricsServer::Start(const Engine& engine,
                                                            const std::string& address, int port) {
  auto server = std::make_unique<CivetServerOfMetrics>(engine);
  if (Status status = server->Listen(address, port); !status.ok()) return status;
  return std::unique_ptr<MetricsServer>(std::move(server));
}

}  // namespace weir::shell
