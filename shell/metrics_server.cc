#include "shell/metrics_server.h"

#include <utility>

#include "base/status_macros.h"
#include "weir/metrics.h"

namespace weir::shell {
namespace {

constexpr const char* kPageType = "text/plain; version=0.0.4; charset=utf-8";

HttpAnswer AnswerFor(const Engine& engine, const HttpRequest& request) {
  if (request.path != "/metrics") return {404, kPageType, "only /metrics is here\n"};
  if (request.method != "GET" && request.method != "HEAD") {
    return {405, kPageType, "GET reads the metrics\n"};
  }
  return {200, kPageType, FormatPrometheus(engine.Metrics())};
}

}  // namespace

MetricsServer::MetricsServer(std::unique_ptr<HttpListener> listener)
    : listener_(std::move(listener)), url_(listener_->url() + "/metrics") {}

Result<std::unique_ptr<MetricsServer>> MetricsServer::Start(const Engine& engine,
                                                            const std::string& address, int port) {
  HttpListenerOptions options;
  options.address = address;
  options.port = port;
  options.what = "metrics";
  options.address_option = "--metrics-address";
  options.port_option = "--metrics-port";
  WEIR_ASSIGN_OR_RETURN(auto listener,
                        HttpListener::Start(options, [&engine](const HttpRequest& request) {
                          return AnswerFor(engine, request);
                        }));
  return std::unique_ptr<MetricsServer>(new MetricsServer(std::move(listener)));
}

}  // namespace weir::shell
