#include "exec/engine/settings/registry_settings.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "base/status_macros.h"

namespace weir {
namespace {

constexpr int64_t kRetriesMax = 100;
constexpr int64_t kWaitMsMax = 86'400'000;  // Sums of waits have room, and a day is for ever.

Result<std::string> FileOf(const Settings& settings, std::string_view name) {
  std::string file(settings.Get(name));
  std::error_code error;
  if (file.empty() || std::filesystem::is_regular_file(file, error)) return file;
  return Status(ErrorCode::kInvalidOption, fmt::format("setting {} names no file: {}", name, file));
}

}  // namespace

Result<std::optional<HttpRegistryOptions>> RegistryOptionsOf(const Settings& settings) {
  const std::string_view url = settings.Get("schema.registry.url");
  if (url.empty()) return std::optional<HttpRegistryOptions>();
  HttpRegistryOptions options;
  WEIR_ASSIGN_OR_RETURN(options.urls, ParseRegistryUrls(url));
  const std::string_view user_info = settings.Get("schema.registry.basic.auth.user.info");
  const bool takes_user_info =
      settings.Get("schema.registry.basic.auth.credentials.source") == "USER_INFO";
  if (takes_user_info != !user_info.empty()) {
    return Status(ErrorCode::kInvalidOption,
                  "schema.registry.basic.auth.credentials.source=USER_INFO and "
                  "schema.registry.basic.auth.user.info=NAME:PASSWORD go together");
  }
  options.http.user_info = user_info;
  options.http.bearer_token = settings.Get("schema.registry.bearer.auth.token");
  WEIR_ASSIGN_OR_RETURN(options.http.ca_file,
                        FileOf(settings, "schema.registry.ssl.truststore.location"));
  WEIR_ASSIGN_OR_RETURN(options.http.certificate_file,
                        FileOf(settings, "schema.registry.ssl.keystore.location"));
  options.http.key_password = settings.Get("schema.registry.ssl.key.password");
  options.http.check_host =
      !settings.Get("schema.registry.ssl.endpoint.identification.algorithm").empty();
  options.http.connect_timeout_ms = std::clamp<int64_t>(
      settings.Number("schema.registry.http.connect.timeout.ms"), 1, kWaitMsMax);
  options.http.answer_timeout_ms =
      std::clamp<int64_t>(settings.Number("schema.registry.http.read.timeout.ms"), 1, kWaitMsMax);
  const int64_t retries = settings.Number("schema.registry.max.retries");
  if (retries < 0 || retries > kRetriesMax) {
    return Status(ErrorCode::kInvalidOption,
                  fmt::format("setting schema.registry.max.retries takes 0 to {}, not: {}",
                              kRetriesMax, retries));
  }
  options.retries = static_cast<int>(retries);
  options.retry_first_ms = std::min(settings.Number("schema.registry.retries.wait.ms"), kWaitMsMax);
  options.retry_last_ms = std::max(options.retry_last_ms, options.retry_first_ms);
  return std::optional<HttpRegistryOptions>(std::move(options));
}

std::string UrlsWithoutSecrets(std::string_view urls) {
  std::string out;
  while (!urls.empty()) {
    const size_t length = std::min(urls.find(','), urls.size());
    out += fmt::format("{}{}", out.empty() ? "" : ",", UrlWithoutSecrets(urls.substr(0, length)));
    urls.remove_prefix(std::min(length + 1, urls.size()));
  }
  return out;
}

}  // namespace weir
