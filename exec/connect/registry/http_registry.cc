#include "exec/connect/registry/http_registry.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "base/interrupt.h"
#include "base/number_text.h"
#include "base/status_macros.h"
#include "exec/formats/json/raw_json.h"
#include "exec/formats/registry/schema_texts.h"

namespace weir {
namespace {

constexpr size_t kRememberedMax = 10'000;  // Newest versions, and unknown ids.
constexpr size_t kShownBytes = 120;        // Of an answer that is none.
constexpr int64_t kPausePieceMs = 20;      // Between two looks whether the work was given up.

int64_t SteadyMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void Pause(int64_t ms) {
  const int64_t end = SteadyMs() + ms;
  for (int64_t left = ms; left > 0; left = end - SteadyMs()) {
    CheckInterrupt();
    std::this_thread::sleep_for(std::chrono::milliseconds(std::min(left, kPausePieceMs)));
  }
}

/// The begin of an answer, for people.
std::string Shown(std::string_view body) {
  if (body.empty()) return "nothing";
  std::string out;
  for (const char c : body.substr(0, kShownBytes)) {
    out += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e ? ' ' : c;
  }
  return body.size() > kShownBytes ? out + "…" : out;
}

/// Schemas by id, the ones used last first.
class KeptSchemas {
 public:
  KeptSchemas(size_t count_max, size_t bytes_max) : count_max_(count_max), bytes_max_(bytes_max) {}

  SchemaPointer Find(int32_t id) {
    const auto found = places_.find(id);
    if (found == places_.end()) return nullptr;
    order_.splice(order_.begin(), order_, found->second);
    return *found->second;
  }

  void Keep(const SchemaPointer& schema) {
    if (places_.contains(schema->id)) return;
    order_.push_front(schema);
    places_[schema->id] = order_.begin();
    bytes_ += BytesOf(*schema);
    while (order_.size() > 1 && (order_.size() > count_max_ || bytes_ > bytes_max_)) {
      bytes_ -= BytesOf(*order_.back());
      places_.erase(order_.back()->id);
      order_.pop_back();
    }
  }

 private:
  static size_t BytesOf(const RegisteredSchema& schema) {
    constexpr size_t kOverhead = 200;
    return schema.text.size() + kOverhead * (schema.references.size() + 1);
  }

  const size_t count_max_;
  const size_t bytes_max_;
  size_t bytes_ = 0;
  std::list<SchemaPointer> order_;
  std::unordered_map<int32_t, std::list<SchemaPointer>::iterator> places_;
};

/// What is true for a moment.
template <typename Key, typename Value>
class Remembered {
 public:
  std::optional<Value> Find(const Key& key, int64_t now_ms) const {
    const auto found = entries_.find(key);
    if (found == entries_.end() || now_ms >= found->second.until_ms) return std::nullopt;
    return found->second.value;
  }
  void Keep(const Key& key, Value value, int64_t now_ms, int64_t until_ms) {
    if (entries_.size() >= kRememberedMax) {
      std::erase_if(entries_, [&](const auto& each) { return now_ms >= each.second.until_ms; });
      if (entries_.size() >= kRememberedMax) entries_.clear();
    }
    entries_[key] = {std::move(value), until_ms};
  }
  void Forget(const Key& key) { entries_.erase(key); }

 private:
  struct Entry {
    Value value;
    int64_t until_ms = 0;
  };
  std::map<Key, Entry> entries_;
};

const std::string* TextOf(const RawJson& json, std::string_view name) {
  const RawJson* found = json.Find(name);
  return found == nullptr || found->kind != RawJson::Kind::kString ? nullptr : &found->text;
}

bool NumberOf(const RawJson& json, std::string_view name, int32_t& number) {
  const RawJson* found = json.Find(name);
  return found != nullptr && found->kind == RawJson::Kind::kNumber &&
         ParseInt32(found->text, number);
}

class HttpRegistry final : public SchemaRegistry {
 public:
  explicit HttpRegistry(HttpRegistryOptions options)
      : options_(std::move(options)),
        client_(HttpClient::Make(options_.http)),
        by_id_(options_.schemas_max, options_.schema_bytes_max) {}

  Result<SchemaPointer> ById(int32_t id) override {
    {
      const std::lock_guard lock(mutex_);
      if (SchemaPointer known = by_id_.Find(id)) return known;
      if (unknown_.Find(id, Now())) return SchemaPointer();
    }
    WEIR_ASSIGN_OR_RETURN(const Answer answer, Ask("GET", fmt::format("/schemas/ids/{}", id), ""));
    if (answer.missing) {
      const std::lock_guard lock(mutex_);
      unknown_.Keep(id, true, Now(), Now() + options_.unknown_ms);
      return SchemaPointer();
    }
    return KeepSchema(answer, id);
  }

  Result<SchemaPointer> Latest(std::string_view subject) override {
    return OfSubject(subject, "latest");
  }

  Result<SchemaPointer> Version(std::string_view subject, int32_t version) override {
    if (version < 1) return SchemaPointer();
    return OfSubject(subject, fmt::format("{}", version));
  }

  Result<std::vector<int32_t>> Versions(std::string_view subject) override {
    WEIR_ASSIGN_OR_RETURN(const Answer answer,
                          Ask("GET", fmt::format("/subjects/{}/versions", UrlEncode(subject)), ""));
    std::vector<int32_t> versions;
    if (answer.missing) return versions;
    if (answer.json.kind != RawJson::Kind::kArray) return Unexpected(answer, "a list of numbers");
    for (const RawJson& each : answer.json.items) {
      if (!ParseInt32(each.text, versions.emplace_back())) {
        return Unexpected(answer, "a list of numbers");
      }
    }
    return versions;
  }

  Result<int32_t> Register(std::string_view subject, SchemaType type, std::string_view text,
                           const std::vector<SchemaReference>& references) override {
    std::string body = fmt::format(R"({{"schema":{})", QuoteJson(text));
    // Registries from before there were other types do not know the member.
    if (type != SchemaType::kAvro) {
      body += fmt::format(R"(,"schemaType":"{}")", SchemaTypeName(type));
    }
    if (!references.empty()) {
      body += fmt::format(R"(,"references":{})", ReferencesJson(references));
    }
    body += "}";
    WEIR_ASSIGN_OR_RETURN(
        const Answer answer,
        Ask("POST", fmt::format("/subjects/{}/versions", UrlEncode(subject)), body));
    int32_t id = 0;
    if (!NumberOf(answer.json, "id", id)) return Unexpected(answer, "the schema's id");
    const std::lock_guard lock(mutex_);
    versions_.Forget({std::string(subject), "latest"});
    unknown_.Forget(id);
    return id;
  }

  Result<std::vector<SubjectVersion>> Subjects() override {
    WEIR_ASSIGN_OR_RETURN(const Answer answer, Ask("GET", "/subjects", ""));
    if (answer.json.kind != RawJson::Kind::kArray) return Unexpected(answer, "a list of subjects");
    std::vector<SubjectVersion> newest;
    for (const RawJson& each : answer.json.items) {
      CheckInterrupt();
      WEIR_ASSIGN_OR_RETURN(
          const Answer latest,
          Ask("GET", fmt::format("/subjects/{}/versions/latest", UrlEncode(each.text)), ""));
      if (latest.missing) continue;  // It was deleted meanwhile.
      SubjectVersion version{each.text, 0, nullptr};
      if (!NumberOf(latest.json, "version", version.version)) {
        return Unexpected(latest, "a version");
      }
      WEIR_ASSIGN_OR_RETURN(version.schema, KeepSchema(latest, std::nullopt));
      newest.push_back(std::move(version));
    }
    std::ranges::sort(newest, {}, &SubjectVersion::subject);
    return newest;
  }

 private:
  struct Answer {
    bool missing = false;  ///< The registry says that there is no such thing.
    RawJson json;
    std::string what;  ///< The request, for messages.
    std::string body;  ///< Its begin.
  };
  /// An answer, or why it is none and whether another URL or a later time may give one.
  struct Outcome {
    Result<Answer> answer;
    bool again = false;
  };

  int64_t Now() const { return options_.now_ms ? options_.now_ms() : SteadyMs(); }

  Result<SchemaPointer> OfSubject(std::string_view subject, std::string version) {
    const std::pair key(std::string(subject), std::move(version));
    {
      const std::lock_guard lock(mutex_);
      if (const auto known = versions_.Find(key, Now())) return *known;
    }
    WEIR_ASSIGN_OR_RETURN(
        const Answer answer,
        Ask("GET", fmt::format("/subjects/{}/versions/{}", UrlEncode(subject), key.second), ""));
    // What is not there yet is what somebody waits for: that is not remembered.
    if (answer.missing) return SchemaPointer();
    WEIR_ASSIGN_OR_RETURN(SchemaPointer schema, KeepSchema(answer, std::nullopt));
    const std::lock_guard lock(mutex_);
    versions_.Keep(key, schema, Now(), Now() + options_.latest_ms);
    return schema;
  }

  /// The schema of an answer; its id is `id`, or in the answer.
  Result<SchemaPointer> KeepSchema(const Answer& answer, std::optional<int32_t> id) {
    auto schema = std::make_shared<RegisteredSchema>();
    const std::string* text = TextOf(answer.json, "schema");
    if (text == nullptr) return Unexpected(answer, "a schema");
    schema->text = *text;
    if (id) {
      schema->id = *id;
    } else if (!NumberOf(answer.json, "id", schema->id)) {
      return Unexpected(answer, "the schema's id");
    }
    if (const std::string* name = TextOf(answer.json, "schemaType")) {
      const std::optional<SchemaType> type = SchemaTypeOf(*name);
      if (!type) return Unexpected(answer, "a schema of type AVRO, JSON or PROTOBUF");
      schema->type = *type;
    }
    if (!ReadReferences(answer.json, schema->references)) {
      return Unexpected(answer, "references with name, subject and version");
    }
    const std::lock_guard lock(mutex_);
    by_id_.Keep(schema);
    return SchemaPointer(std::move(schema));
  }

  static Status Unexpected(const Answer& answer, std::string_view wanted) {
    return Status(ErrorCode::kRegistryUnavailable,
                  fmt::format("the schema registry's answer to {} is not {}: {}", answer.what,
                              wanted, answer.body));
  }

  /// Tries all URLs, and all of them again after a while, until one answers.
  Result<Answer> Ask(std::string_view method, const std::string& path, std::string_view body) {
    int64_t pause_ms = options_.retry_first_ms;
    Status fault;
    for (int round = 0; round <= options_.retries; ++round) {
      if (round > 0) {
        Pause(pause_ms);
        pause_ms = std::min(2 * pause_ms, options_.retry_last_ms);
      }
      const size_t first = answered_;
      for (size_t i = 0; i < options_.urls.size(); ++i) {
        const size_t url = (first + i) % options_.urls.size();
        Outcome outcome = AskOne(method, options_.urls[url] + path, body);
        if (outcome.answer.ok()) answered_ = url;
        if (outcome.answer.ok() || !outcome.again) return std::move(outcome.answer);
        fault = std::move(outcome.answer).status();
      }
    }
    return fault;
  }

  Outcome AskOne(std::string_view method, const std::string& url, std::string_view body) {
    Result<HttpResponse> response = client_->Send(method, url, body);
    if (!response.ok()) {
      const bool again = response.status().code() == ErrorCode::kRegistryUnavailable;
      return {std::move(response).status(), again};
    }
    Answer answer;
    answer.what = fmt::format("{} {}", method, UrlWithoutSecrets(url));
    answer.body = Shown(response->body);
    Result<RawJson> json = ParseRawJson(response->body);
    const bool is_json = json.ok();
    if (is_json) answer.json = std::move(*json);
    const int status = response->status;
    if (status >= 200 && status < 300 && is_json) return {std::move(answer)};
    int32_t code = 0;
    const std::string* message = nullptr;
    if (is_json && NumberOf(answer.json, "error_code", code)) {
      message = TextOf(answer.json, "message");
    }
    constexpr int32_t kNoSubject = 40401;
    constexpr int32_t kNoSchema = 40403;  // 40402: no such version.
    if (status == 404 && code >= kNoSubject && code <= kNoSchema) {
      answer.missing = true;
      return {std::move(answer)};
    }
    return Refused(answer, *response, is_json, message);
  }

  /// What an answer that is not the wanted one means.
  static Outcome Refused(const Answer& answer, const HttpResponse& response, bool is_json,
                         const std::string* message) {
    const int status = response.status;
    const std::string came =
        message != nullptr ? *message
                           : fmt::format("{}{}{}", response.content_type,
                                         response.content_type.empty() ? "" : ": ", answer.body);
    const auto fault = [&](ErrorCode code) {
      return Status(code, fmt::format("the schema registry answers {} with status {}: {}",
                                      answer.what, status, came));
    };
    if (status == 409) {
      return {Status(
          ErrorCode::kIncompatibleChange,
          fmt::format("the schema registry refuses the schema ({}): {}", answer.what, came))};
    }
    if (status == 422 && is_json) {
      return {Status(
          ErrorCode::kFormatMismatch,
          fmt::format("the schema registry takes this for no schema ({}): {}", answer.what, came))};
    }
    if (status == 401 || status == 403) {
      return {fault(ErrorCode::kRegistryError)
                  .WithHint("ksql.schema.registry.basic.auth.user.info (NAME:PASSWORD) or "
                            "….bearer.auth.token tell it who asks")};
    }
    // A proxy's page in the place of an answer, a registry that starts, or one that has too much to
    // do: another time it may be otherwise.
    if (status < 300) {
      return {Status(ErrorCode::kRegistryUnavailable,
                     fmt::format("the schema registry's answer to {} is no JSON: {}", answer.what,
                                 came)),
              true};
    }
    if (status == 408 || status == 429 || status >= 500) {
      return {fault(ErrorCode::kRegistryUnavailable), true};
    }
    return {fault(ErrorCode::kRegistryError)
                .WithHint("ksql.schema.registry.url is a registry's address, with the path that "
                          "its API has there, if any")};
  }

  const HttpRegistryOptions options_;
  const std::unique_ptr<HttpClient> client_;
  std::atomic<size_t> answered_{0};  // The URL that answered last.
  std::mutex mutex_;                 // Never held while a registry is asked.
  KeptSchemas by_id_;
  Remembered<std::pair<std::string, std::string>, SchemaPointer> versions_;  // Subject, version.
  Remembered<int32_t, bool> unknown_;
};

}  // namespace

Result<std::vector<std::string>> ParseRegistryUrls(std::string_view text) {
  std::vector<std::string> urls;
  for (std::string_view rest = text; !rest.empty();) {
    const size_t length = std::min(rest.find(','), rest.size());
    std::string_view url = rest.substr(0, length);
    rest.remove_prefix(std::min(length + 1, rest.size()));
    while (!url.empty() && url.front() == ' ') url.remove_prefix(1);
    while (!url.empty() && (url.back() == ' ' || url.back() == '/')) url.remove_suffix(1);
    const size_t host = url.starts_with("http://") ? 7 : url.starts_with("https://") ? 8 : 0;
    const bool plain = std::ranges::none_of(
        url, [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == '?' || c == '#'; });
    if (host == 0 || url.size() <= host || !plain) {
      return Status(ErrorCode::kInvalidOption,
                    fmt::format("schema.registry.url takes http://HOST:PORT or https://…, several "
                                "of them separated by commas, not: {}",
                                UrlWithoutSecrets(url)));
    }
    urls.emplace_back(url);
  }
  if (urls.empty()) {
    return Status(ErrorCode::kInvalidOption, "schema.registry.url names no schema registry");
  }
  return urls;
}

std::shared_ptr<SchemaRegistry> MakeHttpRegistry(HttpRegistryOptions options) {
  return std::make_shared<HttpRegistry>(std::move(options));
}

}  // namespace weir
