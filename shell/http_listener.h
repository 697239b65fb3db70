#pragma once

// Listens for HTTP and hands requests to whoever answers them: the page of metrics, the schema
// registry. Knows, alone, the library that does it (civetweb).

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "weir/status.h"

namespace weir::shell {

struct HttpRequest {
  std::string_view method;
  std::string_view path;   ///< As it came, with its percent signs.
  std::string_view query;  ///< Behind the question mark.
  std::string_view body;
};

struct HttpAnswer {
  int status = 200;
  std::string content_type;
  std::string body;
};

struct HttpListenerOptions {
  std::string address;  ///< An IP address, or localhost.
  int port = 0;         ///< 0: a free one.
  /// Bodies of requests are read up to so many bytes, and larger ones refused; 0: none is read.
  size_t body_bytes_max = 0;
  /// For messages of Start, which alone looks at them: what is served, and the options that say
  /// where.
  std::string_view what;
  std::string_view address_option;
  std::string_view port_option;
};

class HttpListener {
 public:
  /// Called on the listener's threads, several at once.
  using Handler = std::function<HttpAnswer(const HttpRequest&)>;

  /// Listens while it lives; its end waits for the answers under way. kIoError where the port is
  /// taken, kInvalidOption where the address is none.
  static Result<std::unique_ptr<HttpListener>> Start(const HttpListenerOptions& options,
                                                     Handler handler);
  virtual ~HttpListener() = default;
  /// The port it listens on.
  virtual int port() const = 0;
  /// http://HOST:PORT.
  virtual const std::string& url() const = 0;
};

}  // namespace weir::shell
