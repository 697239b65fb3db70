// The client of a schema registry, against the one that Weir serves, and against servers that
// answer as none should.

#include "exec/connect/registry/http_registry.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "base/interrupt.h"
#include "shell/registry_server.h"
#include "tests/unit/registry/odd_server.h"

namespace weir {
namespace {

using test::OddServer;

constexpr const char* kRecord =
    R"({"type":"record","name":"R","fields":[{"name":"A","type":"int"}]})";

HttpRegistryOptions OptionsFor(std::vector<std::string> urls) {
  HttpRegistryOptions options;
  options.urls = std::move(urls);
  options.retries = 0;
  options.retry_first_ms = 1;
  options.http.connect_timeout_ms = 60'000;
  options.http.answer_timeout_ms = 60'000;
  return options;
}

class ServedRegistryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    shell::RegistryServerOptions options;
    options.port = 0;
    auto server = shell::RegistryServer::Start(options);
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = std::move(*server);
    client_ = MakeHttpRegistry(OptionsFor({server_->url()}));
  }

  std::unique_ptr<shell::RegistryServer> server_;
  std::shared_ptr<SchemaRegistry> client_;
};

TEST_F(ServedRegistryTest, RegistersAndFindsSchemas) {
  const auto id = client_->Register("t-value", SchemaType::kAvro, kRecord, {});
  ASSERT_TRUE(id.ok()) << id.status().ToString();
  const auto again = client_->Register("other-value", SchemaType::kAvro, kRecord, {});
  ASSERT_TRUE(again.ok()) << again.status().ToString();
  EXPECT_EQ(*again, *id);
  const auto by_id = client_->ById(*id);
  ASSERT_TRUE(by_id.ok() && *by_id != nullptr) << by_id.status().ToString();
  EXPECT_EQ((*by_id)->text, kRecord);
  EXPECT_EQ((*by_id)->id, *id);
  const auto latest = client_->Latest("t-value");
  ASSERT_TRUE(latest.ok() && *latest != nullptr);
  EXPECT_EQ((*latest)->id, *id);
  const auto none = client_->Latest("nobody's");
  ASSERT_TRUE(none.ok()) << none.status().ToString();
  EXPECT_EQ(*none, nullptr);
  EXPECT_EQ(*client_->Version("t-value", 7), nullptr);
}

TEST_F(ServedRegistryTest, TakesAnySubjectTypeAndReference) {
  const std::string subject = "a/b c?d#e%41–value";
  ASSERT_TRUE(client_->Register("base", SchemaType::kAvro, kRecord, {}).ok());
  const std::vector<SchemaReference> references = {{"R", "base", 1}};
  const auto id = client_->Register(
      subject, SchemaType::kAvro,
      R"({"type":"record","name":"S","fields":[{"name":"r","type":"R"}]})", references);
  ASSERT_TRUE(id.ok()) << id.status().ToString();
  const auto json = client_->Register("j", SchemaType::kJson, R"({"type":"object"})", {});
  ASSERT_TRUE(json.ok()) << json.status().ToString();
  const auto fresh = MakeHttpRegistry(OptionsFor({server_->url()}));
  EXPECT_EQ((*fresh->ById(*id))->references, references);
  EXPECT_EQ((*fresh->ById(*json))->type, SchemaType::kJson);
  const auto subjects = fresh->Subjects();
  ASSERT_TRUE(subjects.ok()) << subjects.status().ToString();
  ASSERT_EQ(subjects->size(), 3u);
  EXPECT_EQ((*subjects)[0].subject, subject);
  EXPECT_EQ((*subjects)[2].schema->id, *json);
  EXPECT_EQ(*fresh->Versions(subject), std::vector<int32_t>{1});
}

TEST_F(ServedRegistryTest, TellsWhatTheRegistryRefuses) {
  ASSERT_TRUE(client_->Register("t", SchemaType::kAvro, kRecord, {}).ok());
  const auto incompatible =
      client_->Register("t", SchemaType::kAvro,
                        R"({"type":"record","name":"R","fields":[{"name":"B","type":"int"}]})", {});
  EXPECT_EQ(incompatible.status().code(), ErrorCode::kIncompatibleChange);
  EXPECT_NE(incompatible.status().message().find("the new field B has no default"),
            std::string::npos)
      << incompatible.status().message();
  const auto invalid = client_->Register("t", SchemaType::kAvro, R"({"type":"nothing"})", {});
  EXPECT_EQ(invalid.status().code(), ErrorCode::kFormatMismatch) << invalid.status().ToString();
}

TEST_F(ServedRegistryTest, ASchemaOfTwoMegabytesGoesThere) {
  const std::string text = R"({"type":"record","name":"R","doc":")" + std::string(2 << 20, 'x') +
                           R"(","fields":[{"name":"A","type":"int"}]})";
  const auto id = client_->Register("large", SchemaType::kAvro, text, {});
  ASSERT_TRUE(id.ok()) << id.status().ToString();
  EXPECT_EQ((*client_->ById(*id))->text, text);
  const auto larger = client_->Register("large", SchemaType::kAvro, std::string(9 << 20, 'x'), {});
  EXPECT_EQ(larger.status().code(), ErrorCode::kRegistryError) << larger.status().ToString();
}

TEST(HttpRegistryTest, AnIdIsAskedForOnce) {
  OddServer server;
  server.AnswerNext({OddServer::Whole(200, R"({"schema":"\"int\""})")});
  const auto client = MakeHttpRegistry(OptionsFor({server.url()}));
  for (int i = 0; i < 3; ++i) EXPECT_EQ((*client->ById(7))->text, "\"int\"");
  EXPECT_EQ(server.requests().size(), 1u);
  EXPECT_TRUE(server.requests()[0].starts_with("GET /schemas/ids/7 HTTP/1.1\r\n"));
}

TEST(HttpRegistryTest, AnUnknownIdIsAskedForAgainLater) {
  OddServer server;
  server.AnswerNext({OddServer::Whole(404, R"({"error_code":40403,"message":"Schema not found"})"),
                     OddServer::Whole(200, R"({"schema":"\"int\""})")});
  HttpRegistryOptions options = OptionsFor({server.url()});
  int64_t now = 0;
  options.now_ms = [&now] { return now; };
  const auto client = MakeHttpRegistry(options);
  EXPECT_EQ(*client->ById(7), nullptr);
  now = options.unknown_ms - 1;
  EXPECT_EQ(*client->ById(7), nullptr);
  EXPECT_EQ(server.requests().size(), 1u);
  now = options.unknown_ms;
  EXPECT_EQ((*client->ById(7))->text, "\"int\"");
}

TEST(HttpRegistryTest, ANewestVersionIsKeptForAMoment) {
  OddServer server;
  const auto version = [](int number) {
    return OddServer::Whole(200, R"({"subject":"s","id":)" + std::to_string(number) +
                                     R"(,"version":1,"schema":"\"int\""})");
  };
  server.AnswerNext({version(1), version(2)});
  HttpRegistryOptions options = OptionsFor({server.url()});
  int64_t now = 0;
  options.now_ms = [&now] { return now; };
  const auto client = MakeHttpRegistry(options);
  EXPECT_EQ((*client->Latest("s"))->id, 1);
  EXPECT_EQ((*client->Latest("s"))->id, 1);
  now = options.latest_ms;
  EXPECT_EQ((*client->Latest("s"))->id, 2);
  EXPECT_EQ(server.requests().size(), 2u);
}

TEST(HttpRegistryTest, KeepsNoMoreSchemasThanThereIsRoomFor) {
  OddServer server;
  server.AnswerRest(OddServer::Whole(200, R"({"schema":"\"int\""})"));
  HttpRegistryOptions options = OptionsFor({server.url()});
  options.schemas_max = 2;
  const auto client = MakeHttpRegistry(options);
  for (const int id : {1, 2, 1, 3, 1, 2}) EXPECT_EQ((*client->ById(id))->id, id);
  EXPECT_EQ(server.requests().size(), 4u);  // 2 has gone when 3 came, and 1 was used since.
}

struct Oddity {
  const char* name;
  std::string answer;
  ErrorCode code;
  const char* words;
};

TEST(HttpRegistryTest, AnswersOfNoRegistryAreToldAsTheyCame) {
  const Oddity oddities[] = {
      {"a page", OddServer::Whole(200, "<html><body>Sign in</body></html>", "text/html"),
       ErrorCode::kRegistryUnavailable, "is no JSON: text/html: <html><body>Sign in"},
      {"a page of an error", OddServer::Whole(404, "<html>Not here</html>", "text/html"),
       ErrorCode::kRegistryError, "with status 404: text/html: <html>Not here"},
      {"half of an answer", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"schema\":",
       ErrorCode::kRegistryUnavailable, "does not answer GET"},
      {"half of JSON", OddServer::Whole(200, R"({"schema":"\"in)"), ErrorCode::kRegistryUnavailable,
       "is no JSON"},
      {"other JSON", OddServer::Whole(200, R"({"text":"x"})"), ErrorCode::kRegistryUnavailable,
       "is not a schema: {\"text\":\"x\"}"},
      {"a list", OddServer::Whole(200, "[]"), ErrorCode::kRegistryUnavailable, "is not a schema"},
      {"a type of others", OddServer::Whole(200, R"({"schema":"x","schemaType":"XML"})"),
       ErrorCode::kRegistryUnavailable, "AVRO, JSON or PROTOBUF"},
      {"nothing", "", ErrorCode::kRegistryUnavailable, "does not answer GET"},
      {"no HTTP", "SSH-2.0-Server\r\n", ErrorCode::kRegistryUnavailable, "does not answer GET"},
      {"a fault", OddServer::Whole(500, R"({"error_code":50001,"message":"store is down"})"),
       ErrorCode::kRegistryUnavailable, "with status 500: store is down"},
      {"a closed door", OddServer::Whole(401, ""), ErrorCode::kRegistryError, "status 401"},
      {"another way", OddServer::Whole(302, ""), ErrorCode::kRegistryError, "status 302"},
      {"too much", OddServer::Whole(200, std::string(2000, ' ')), ErrorCode::kRegistryError,
       "with more than 1000 bytes"},
  };
  for (const Oddity& oddity : oddities) {
    OddServer server;
    server.AnswerRest(oddity.answer);
    HttpRegistryOptions options = OptionsFor({server.url()});
    options.http.body_bytes_max = 1000;
    const auto client = MakeHttpRegistry(options);
    const auto got = client->ById(1);
    EXPECT_EQ(got.status().code(), oddity.code) << oddity.name << got.status().ToString();
    const std::string message = got.status().message();
    EXPECT_NE(message.find(oddity.words), std::string::npos) << oddity.name << ": " << message;
    EXPECT_NE(message.find(server.url() + "/schemas/ids/1"), std::string::npos) << message;
    EXPECT_TRUE(IsOfRegistry(got.status())) << oddity.name;
  }
}

TEST(HttpRegistryTest, AsksAgainWhereAnotherTimeMayHelp) {
  OddServer server;
  server.AnswerNext({OddServer::Whole(500, ""), "",
                     OddServer::Whole(200, "<html>starting</html>", "text/html"),
                     OddServer::Whole(429, "slowly"), OddServer::Whole(200, R"({"id":3})")});
  HttpRegistryOptions options = OptionsFor({server.url()});
  options.retries = 4;
  const auto client = MakeHttpRegistry(options);
  const auto id = client->Register("s", SchemaType::kAvro, "\"int\"", {});
  ASSERT_TRUE(id.ok()) << id.status().ToString();
  EXPECT_EQ(*id, 3);
  const std::string last = server.requests().back();
  EXPECT_TRUE(last.starts_with("POST /subjects/s/versions HTTP/1.1\r\n")) << last;
  EXPECT_TRUE(last.ends_with(R"({"schema":"\"int\""})")) << last;
}

TEST(HttpRegistryTest, TriesTheUrlsInTurnAndStaysWithTheOneThatAnswers) {
  OddServer down;
  down.AnswerRest("");
  OddServer up;
  up.AnswerRest(OddServer::Whole(200, R"({"schema":"\"int\""})"));
  const auto client = MakeHttpRegistry(OptionsFor({down.url(), up.url() + "/api/v7"}));
  ASSERT_TRUE(client->ById(1).ok());
  ASSERT_TRUE(client->ById(2).ok());
  EXPECT_EQ(down.requests().size(), 1u);
  EXPECT_TRUE(up.requests()[1].starts_with("GET /api/v7/schemas/ids/2 "));
}

TEST(HttpRegistryTest, SaysWhoAsks) {
  OddServer server;
  server.AnswerRest(OddServer::Whole(404, R"({"error_code":40403,"message":""})"));
  HttpRegistryOptions options = OptionsFor({server.url()});
  options.http.user_info = "me:secret";
  EXPECT_TRUE(MakeHttpRegistry(options)->ById(1).ok());
  options.http.bearer_token = "a.token";
  EXPECT_TRUE(MakeHttpRegistry(options)->ById(1).ok());
  options = OptionsFor({"http://you:hidden@" + server.url().substr(7)});
  EXPECT_TRUE(MakeHttpRegistry(options)->ById(1).ok());
  server.AnswerRest(OddServer::Whole(403, ""));
  const auto refused = MakeHttpRegistry(options)->ById(1);
  EXPECT_EQ(refused.status().message().find("hidden"), std::string::npos)
      << refused.status().message();
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 4u);
  EXPECT_NE(requests[0].find("Authorization: Basic bWU6c2VjcmV0\r\n"), std::string::npos);
  EXPECT_NE(requests[1].find("Authorization: Bearer a.token\r\n"), std::string::npos);
  EXPECT_NE(requests[2].find("Authorization: Basic eW91OmhpZGRlbg==\r\n"), std::string::npos);
}

TEST(HttpRegistryTest, WorkThatIsGivenUpDoesNotWaitForAnAnswer) {
  OddServer server;
  server.Hold();
  const auto client = MakeHttpRegistry(OptionsFor({server.url()}));
  std::atomic<bool> asked{false};
  bool given_up = false;
  std::thread working([&] {
    const InterruptScope scope(asked);
    try {
      static_cast<void>(client->ById(1));
    } catch (const Interrupted&) {
      given_up = true;
    }
  });
  server.WaitForRequests(1);
  asked = true;
  working.join();
  EXPECT_TRUE(given_up);
  server.Let();
}

TEST(HttpRegistryTest, UrlsAreChecked) {
  const auto urls = ParseRegistryUrls("http://a:8081, https://b/path/ ");
  ASSERT_TRUE(urls.ok()) << urls.status().ToString();
  EXPECT_EQ(*urls, (std::vector<std::string>{"http://a:8081", "https://b/path"}));
  for (const char* bad : {"", "localhost:8081", "ftp://a", "http://", "http://a b", "http://a?b"}) {
    EXPECT_EQ(ParseRegistryUrls(bad).status().code(), ErrorCode::kInvalidOption) << bad;
  }
}

}  // namespace
}  // namespace weir
