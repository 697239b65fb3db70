#include "exec/connect/registry/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "base/interrupt.h"

namespace weir {
namespace {

constexpr size_t kIdleConnectionsMax = 8;

struct FreeHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, FreeHandle>;

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

/// What comes in, up to the bound.
struct Arriving {
  std::string body;
  size_t bytes_max = 0;
  bool too_large = false;
};

size_t TakeBody(char* data, size_t size, size_t count, void* user) {
  auto& arriving = *static_cast<Arriving*>(user);
  const size_t bytes = size * count;
  if (bytes > arriving.bytes_max - arriving.body.size()) {
    arriving.too_large = true;
    return 0;
  }
  // No exception may go through a library that is written in C.
  try {
    arriving.body.append(data, bytes);
  } catch (const std::bad_alloc&) {
    arriving.too_large = true;
    return 0;
  }
  return bytes;
}

int LookForInterrupt(void*, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return IsInterrupted() ? 1 : 0;
}

bool IsOfCertificates(CURLcode code) {
  return code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CERTPROBLEM ||
         code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR;
}

class CurlClient final : public HttpClient {
 public:
  explicit CurlClient(HttpClientOptions options) : options_(std::move(options)) {
    static std::once_flag initialized;
    std::call_once(initialized, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  }

  Result<HttpResponse> Send(std::string_view method, const std::string& url,
                            std::string_view body) override {
    CheckInterrupt();
    Arriving arriving;
    arriving.bytes_max = options_.body_bytes_max;
    char reason[CURL_ERROR_SIZE] = "";
    Handle handle = Take();  // Ends before what it points to.
    if (handle == nullptr) {
      return Status(ErrorCode::kRegistryUnavailable, "the HTTP library gives no connection");
    }
    std::unique_ptr<curl_slist, FreeList> headers = Prepare(handle.get(), method, url, body);
    curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, &TakeBody);
    curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &arriving);
    curl_easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, reason);
    const CURLcode code = curl_easy_perform(handle.get());
    if (code == CURLE_ABORTED_BY_CALLBACK) CheckInterrupt();
    if (code != CURLE_OK) return Fault(code, reason, method, url, arriving);
    HttpResponse response;
    long status = 0;  // NOLINT(google-runtime-int): libcurl's type.
    const char* type = nullptr;
    curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(handle.get(), CURLINFO_CONTENT_TYPE, &type);
    response.status = static_cast<int>(status);
    if (type != nullptr) response.content_type = type;
    response.body = std::move(arriving.body);
    Keep(std::move(handle));
    return response;
  }

 private:
  std::unique_ptr<curl_slist, FreeList> Prepare(CURL* handle, std::string_view method,
                                                const std::string& url, std::string_view body) {
    curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    // Who is asked is what the setting says, and no variable of the environment.
    curl_easy_setopt(handle, CURLOPT_PROXY, "");
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(options_.connect_timeout_ms));  // NOLINT
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS,
                     static_cast<long>(options_.connect_timeout_ms +  // NOLINT
                                       options_.answer_timeout_ms));
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, &LookForInterrupt);
    curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, std::string(method).c_str());
    if (!body.empty()) {
      curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
      curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body.data());
    }
    SetSecurity(handle);
    curl_slist* headers = nullptr;
    for (const char* header :
         {"Accept: application/vnd.schemaregistry.v1+json, application/json",
          "Content-Type: application/vnd.schemaregistry.v1+json", "Expect:", "User-Agent: weir"}) {
      headers = curl_slist_append(headers, header);
    }
    return std::unique_ptr<curl_slist, FreeList>(headers);
  }

  void SetSecurity(CURL* handle) {
    if (!options_.bearer_token.empty()) {
      curl_easy_setopt(handle, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
      curl_easy_setopt(handle, CURLOPT_XOAUTH2_BEARER, options_.bearer_token.c_str());
    } else {
      curl_easy_setopt(handle, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
      if (!options_.user_info.empty()) {
        curl_easy_setopt(handle, CURLOPT_USERPWD, options_.user_info.c_str());
      }
    }
    const auto set = [handle](CURLoption option, const std::string& value) {
      if (!value.empty()) curl_easy_setopt(handle, option, value.c_str());
    };
    set(CURLOPT_CAINFO, options_.ca_file);
    set(CURLOPT_SSLCERT, options_.certificate_file);
    set(CURLOPT_SSLKEY, options_.key_file.empty() ? options_.certificate_file : options_.key_file);
    set(CURLOPT_KEYPASSWD, options_.key_password);
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, options_.check_host ? 2L : 0L);
  }

  Status Fault(CURLcode code, const char* reason, std::string_view method, const std::string& url,
               const Arriving& arriving) const {
    const std::string where = UrlWithoutSecrets(url);
    if (arriving.too_large) {
      return Status(ErrorCode::kRegistryError,
                    fmt::format("the schema registry answers {} {} with more than {} bytes", method,
                                where, options_.body_bytes_max));
    }
    const char* why = reason[0] == 0 ? curl_easy_strerror(code) : reason;
    Status status(ErrorCode::kRegistryUnavailable,
                  fmt::format("the schema registry does not answer {} {}: {}", method, where, why));
    if (IsOfCertificates(code)) {
      return std::move(status).WithHint(
          "ksql.schema.registry.ssl.truststore.location names a PEM file with the authorities to "
          "trust, ….ssl.keystore.location one with the certificate and key of this client");
    }
    return status;
  }

  Handle Take() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        Handle handle = std::move(idle_.back());
        idle_.pop_back();
        return handle;
      }
    }
    return Handle(curl_easy_init());
  }

  void Keep(Handle handle) {
    // Forgets what it points to, which ends with the request; its connections stay.
    curl_easy_reset(handle.get());
    const std::lock_guard lock(mutex_);
    if (idle_.size() < kIdleConnectionsMax) idle_.push_back(std::move(handle));
  }

  const HttpClientOptions options_;
  std::mutex mutex_;
  std::vector<Handle> idle_;
};

}  // namespace

std::unique_ptr<HttpClient> HttpClient::Make(HttpClientOptions options) {
  return std::make_unique<CurlClient>(std::move(options));
}

std::string UrlEncode(std::string_view text) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string out;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string UrlWithoutSecrets(std::string_view url) {
  const size_t scheme = url.find("://");
  const size_t begin = scheme == std::string_view::npos ? 0 : scheme + 3;
  const size_t end = std::min(url.find('/', begin), url.size());
  const size_t at = url.substr(0, end).rfind('@');
  if (at == std::string_view::npos || at < begin) return std::string(url);
  return fmt::format("{}{}", url.substr(0, begin), url.substr(at + 1));
}

}  // namespace weir
