#include "shell/http_listener.h"

#include <arpa/inet.h>
#include <civetweb.h>
#include <fmt/format.h>

#include <chrono>
#include <mutex>
#include <optional>
#include <utility>

namespace weir::shell {
namespace {

/// Connections that are answered at once. More of them wait, and a client that does not come to its
/// end holds a thread for kRequestTimeoutMs only: so a few that stall do not keep the others out.
constexpr const char* kThreads = "8";
constexpr const char* kRequestTimeoutMs = "2000";
/// Bytes of a request line with its headers: those of Prometheus and of browsers have 1 to 2 KB.
constexpr const char* kRequestBytesMax = "8192";
/// For all of a body. The library's time-out begins anew with each byte that comes, so the body is
/// taken in small pieces, with a look at the clock between two of them.
constexpr std::chrono::seconds kBodyTime(10);
constexpr size_t kBodyPiece = 32;
/// So many times what a body may have is read and forgotten: who still sends does not look for the
/// answer that says that it is too much.
constexpr size_t kPassedOver = 4;

/// `address` as civetweb wants it in front of a port; nothing where it is no address, so that no
/// option can hide in it.
std::optional<std::string> ListeningAddress(const std::string& address) {
  in6_addr parsed;
  if (address == "localhost") return "127.0.0.1";
  if (inet_pton(AF_INET, address.c_str(), &parsed) == 1) return address;
  if (inet_pton(AF_INET6, address.c_str(), &parsed) == 1) return fmt::format("[{}]", address);
  return std::nullopt;
}

/// Not mg_get_response_code_text: its words are older, and those of 422 misspelled.
std::string_view ReasonOf(int status) {
  switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 422: return "Unprocessable Entity";
    case 500: return "Internal Server Error";
    default: return "Status";
  }
}

class CivetListener final : public HttpListener {
 public:
  CivetListener(const HttpListenerOptions& options, Handler handler)
      : body_bytes_max_(options.body_bytes_max), handler_(std::move(handler)) {
    static std::once_flag initialized;
    std::call_once(initialized, [] { mg_init_library(MG_FEATURES_DEFAULT); });
  }
  // Waits for the answers under way.
  ~CivetListener() override { mg_stop(server_); }

  Status Listen(const HttpListenerOptions& given) {
    const std::optional<std::string> listening = ListeningAddress(given.address);
    if (!listening) {
      return Status(ErrorCode::kInvalidOption, fmt::format("{} takes an IP address, not: {}",
                                                           given.address_option, given.address))
          .WithHint("127.0.0.1 is this machine alone, 0.0.0.0 and :: are all of its networks");
    }
    const std::string where = fmt::format("{}:{}", *listening, given.port);
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
                             "decode_url",  // A subject may have a slash, as %2F.
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
      return Status(ErrorCode::kIoError, fmt::format("{} cannot be served at {} port {}",
                                                     given.what, given.address, given.port))
          .WithHint(fmt::format("choose a port that is free with {} (0 lets the system choose), "
                                "and an address of this machine with {}",
                                given.port_option, given.address_option));
    }
    url_ = fmt::format("http://{}:{}", *listening == "127.0.0.1" ? "localhost" : *listening,
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
    const auto* self =
        static_cast<const CivetListener*>(mg_get_user_data(mg_get_context(connection)));
    const auto text = [](const char* from) {
      return std::string_view(from == nullptr ? "" : from);
    };
    const std::string_view method = text(request.request_method);
    // Nothing, a failed check neither, may be thrown through a library that is written in C.
    try {
      std::string body;
      if (const int refused = self->ReadBody(connection, request, body); refused != 0) {
        return Send(
            connection, method,
            {refused, "text/plain; charset=utf-8",
             refused == 413 ? fmt::format("a body has at most {} bytes\n", self->body_bytes_max_)
                            : std::string("the body did not come in time\n")});
      }
      return Send(
          connection, method,
          self->handler_({method, text(request.request_uri), text(request.query_string), body}));
    } catch (...) {
      return Send(connection, method,
                  {500, "text/plain; charset=utf-8", "the request could not be answered\n"});
    }
  }

  /// 0, or the status that refuses the request.
  int ReadBody(mg_connection* connection, const mg_request_info& request, std::string& body) const {
    if (body_bytes_max_ == 0) return 0;
    // Without a length the library would take all that comes for the body, and wait for it.
    const char* coding = mg_get_header(connection, "Transfer-Encoding");
    const bool in_chunks = coding != nullptr && std::string_view(coding) == "chunked";
    if (request.content_length <= 0 && !in_chunks) return 0;
    bool too_large = request.content_length > static_cast<int64_t>(body_bytes_max_);
    size_t passed_over = 0;
    const auto deadline = std::chrono::steady_clock::now() + kBodyTime;
    char piece[kBodyPiece];
    for (int got = 0; (got = mg_read(connection, piece, sizeof piece)) > 0;) {
      if (std::chrono::steady_clock::now() > deadline) return too_large ? 413 : 408;
      too_large |= body.size() + static_cast<size_t>(got) > body_bytes_max_;
      if (!too_large) {
        body.append(piece, static_cast<size_t>(got));
      } else if ((passed_over += static_cast<size_t>(got)) > kPassedOver * body_bytes_max_) {
        break;
      }
    }
    if (too_large) return 413;
    return static_cast<int64_t>(body.size()) < request.content_length ? 408 : 0;
  }

  static int Send(mg_connection* connection, std::string_view method, const HttpAnswer& answer) {
    const std::string head = fmt::format(
        "HTTP/1.1 {} {}\r\nContent-Type: {}\r\n"
        "Content-Length: {}\r\nConnection: close\r\n\r\n",
        answer.status, ReasonOf(answer.status), answer.content_type, answer.body.size());
    mg_write(connection, head.data(), head.size());
    if (method != "HEAD") mg_write(connection, answer.body.data(), answer.body.size());
    return answer.status;
  }

  const size_t body_bytes_max_;
  const Handler handler_;
  mg_context* server_ = nullptr;
  int port_ = 0;
  std::string url_;
};

}  // namespace

Result<std::unique_ptr<HttpListener>> HttpListener::Start(const HttpListenerOptions& options,
                                                          Handler handler) {
  auto listener = std::make_unique<CivetListener>(options, std::move(handler));
  if (Status status = listener->Listen(options); !status.ok()) return status;
  return std::unique_ptr<HttpListener>(std::move(listener));
}

}  // namespace weir::shell
