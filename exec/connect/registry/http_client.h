#pragma once

// Requests over HTTP, by libcurl, which only this part knows. It asks once and waits; who calls it
// decides what an answer means and whether to ask again.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "weir/status.h"

namespace weir {

struct HttpClientOptions {
  std::string user_info;         ///< "name:password"; empty: what the URL has, if any.
  std::string bearer_token;      ///< Goes before user_info.
  std::string ca_file;           ///< PEM; empty: the authorities that the system trusts.
  std::string certificate_file;  ///< PEM, of this client, with its key unless key_file has that.
  std::string key_file;
  std::string key_password;
  bool check_host = true;  ///< The server's certificate must be of the host that is asked.
  int64_t connect_timeout_ms = 5000;
  int64_t answer_timeout_ms = 10'000;  ///< From the request to the end of the answer.
  size_t body_bytes_max = 16 << 20;
};

struct HttpResponse {
  int status = 0;
  std::string content_type;
  std::string body;
};

/// Safe from any thread; keeps connections open for the requests to come.
class HttpClient {
 public:
  static std::unique_ptr<HttpClient> Make(HttpClientOptions options);
  virtual ~HttpClient() = default;
  /// Whatever the server answers, redirections too: they are not followed. kRegistryUnavailable
  /// where no whole answer came, kRegistryError for one that is larger than the bound. Work that
  /// was given up (CheckInterrupt) is left while it waits.
  virtual Result<HttpResponse> Send(std::string_view method, const std::string& url,
                                    std::string_view body) = 0;
};

/// `text` as one part of a URL's path.
std::string UrlEncode(std::string_view text);
/// A URL without the name and password that it may hold.
std::string UrlWithoutSecrets(std::string_view url);

}  // namespace weir
