// What the served registry answers, request by request: Confluent's API and its error codes.

#include "exec/connect/registry/registry_api.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

#include <gtest/gtest.h>

#include "exec/formats/json/raw_json.h"
#include "shell/registry_server.h"

namespace weir {
namespace {

std::string Body(const std::string& schema, const std::string& more = "") {
  return R"({"schema":)" + QuoteJson(schema) + more + "}";
}

/// An Avro record whose fields are ints with a default, and those after a bar without one.
std::string RecordOf(const std::string& with, const std::string& without = "") {
  std::string fields;
  for (const char c : with) {
    fields += std::string(fields.empty() ? "" : ",") + R"({"name":")" + c +
              R"(","type":"int","default":0})";
  }
  for (const char c : without) {
    fields += std::string(fields.empty() ? "" : ",") + R"({"name":")" + c + R"(","type":"int"})";
  }
  return R"({"type":"record","name":"R","fields":[)" + fields + "]}";
}

class RegistryApiTest : public ::testing::Test {
 protected:
  /// "STATUS BODY".
  std::string Ask(std::string_view method, std::string_view target, std::string_view body = "") {
    const size_t mark = std::min(target.find('?'), target.size());
    const RegistryAnswer answer = AnswerRegistryRequest(
        registry_,
        {method, target.substr(0, mark), target.substr(std::min(mark + 1, target.size())), body});
    EXPECT_TRUE(ParseRawJson(answer.body).ok()) << answer.body;
    return std::to_string(answer.status) + " " + answer.body;
  }
  /// "STATUS CODE".
  std::string Error(std::string_view method, std::string_view target, std::string_view body = "") {
    const std::string answer = Ask(method, target, body);
    const auto json = ParseRawJson(std::string_view(answer).substr(4));
    const RawJson* code = json.ok() ? json->Find("error_code") : nullptr;
    return answer.substr(0, 4) + (code == nullptr ? answer : code->text);
  }

  MemoryRegistry registry_;
};

TEST_F(RegistryApiTest, VersionsOfASubject) {
  EXPECT_EQ(Ask("GET", "/subjects"), "200 []");
  EXPECT_EQ(Ask("POST", "/subjects/s/versions", Body(RecordOf("a"))), R"(200 {"id":1})");
  EXPECT_EQ(Ask("POST", "/subjects/s/versions", Body(RecordOf("ab"))), R"(200 {"id":2})");
  EXPECT_EQ(Ask("POST", "/subjects/s/versions", Body(RecordOf("a"))), R"(200 {"id":1})");
  EXPECT_EQ(Ask("POST", "/subjects/a%2Fb/versions", Body("\"int\"")), R"(200 {"id":3})");
  EXPECT_EQ(Ask("GET", "/subjects"), R"(200 ["a/b","s"])");
  EXPECT_EQ(Ask("GET", "/subjects?subjectPrefix=a%2F"), R"(200 ["a/b"])");
  EXPECT_EQ(Ask("GET", "/subjects/s/versions"), "200 [1,2]");
  EXPECT_EQ(Ask("GET", "/subjects/a%2fb/versions/latest"),
            R"(200 {"subject":"a/b","version":1,"id":3,"schema":"\"int\""})");
  EXPECT_EQ(Ask("GET", "/subjects/a%2Fb/versions/1/schema"), "200 \"int\"");
  EXPECT_EQ(Ask("GET", "/schemas/ids/3"), R"(200 {"schema":"\"int\""})");
  EXPECT_EQ(Ask("GET", "/schemas/ids/2/versions"), R"(200 [{"subject":"s","version":2}])");
  EXPECT_EQ(Ask("GET", "/schemas/ids/2/subjects"), R"(200 ["s"])");
  EXPECT_EQ(Ask("GET", "/schemas/types"), R"(200 ["JSON","PROTOBUF","AVRO"])");
  EXPECT_EQ(Ask("POST", "/subjects/a%2Fb", Body("\"int\"")),
            R"(200 {"subject":"a/b","version":1,"id":3,"schema":"\"int\""})");
  EXPECT_EQ(
      Ask("POST", "/subjects/j/versions", Body(R"({"type":"object"})", R"(,"schemaType":"JSON")")),
      R"(200 {"id":4})");
  EXPECT_EQ(Ask("GET", "/schemas/ids/4"),
            R"(200 {"schemaType":"JSON","schema":"{\"type\":\"object\"}"})");
}

TEST_F(RegistryApiTest, WhatIsNotThereAndWhatIsNoSchema) {
  EXPECT_EQ(Error("GET", "/subjects/s/versions"), "404 40401");
  EXPECT_EQ(Error("GET", "/subjects/s/versions/latest"), "404 40401");
  EXPECT_EQ(Error("DELETE", "/subjects/s"), "404 40401");
  EXPECT_EQ(Error("POST", "/subjects/s", Body("\"int\"")), "404 40401");
  EXPECT_EQ(Error("GET", "/schemas/ids/1"), "404 40403");
  Ask("POST", "/subjects/s/versions", Body("\"int\""));
  EXPECT_EQ(Error("GET", "/subjects/s/versions/2"), "404 40402");
  EXPECT_EQ(Error("GET", "/subjects/s/versions/0"), "422 42202");
  EXPECT_EQ(Error("GET", "/subjects/s/versions/x"), "422 42202");
  EXPECT_EQ(Error("POST", "/subjects/s", Body("\"long\"")), "404 40403");
  EXPECT_EQ(Error("POST", "/subjects/s/versions", Body(R"({"type":"nothing"})")), "422 42201");
  EXPECT_EQ(Error("POST", "/subjects/s/versions", "{}"), "422 42201");
  EXPECT_EQ(Error("POST", "/subjects/s/versions", "<xml>"), "400 400");
  EXPECT_EQ(Error("POST", "/subjects/s/versions", Body("\"int\"", R"(,"schemaType":"XML")")),
            "422 42201");
  EXPECT_EQ(Error("POST", "/subjects/s/versions", Body("\"long\"", R"(,"id":70)")), "422 42205");
  EXPECT_EQ(Error("GET", "/nothing"), "404 404");
  EXPECT_EQ(Error("GET", "/subjects/s/versions/1/2/3"), "404 404");
  EXPECT_EQ(Error("PATCH", "/subjects"), "405 405");
}

TEST_F(RegistryApiTest, CompatibilityIsCheckedByTheSubjectsRule) {
  Ask("POST", "/subjects/s/versions", Body(RecordOf("a")));
  EXPECT_EQ(Error("POST", "/subjects/s/versions", Body(RecordOf("a", "b"))), "409 409");
  const std::string path = "/compatibility/subjects/s/versions/";
  EXPECT_EQ(Ask("POST", path + "latest", Body(RecordOf("a", "b"))),
            R"(200 {"is_compatible":false})");
  EXPECT_EQ(Ask("POST", path + "1", Body(RecordOf("ab"))), R"(200 {"is_compatible":true})");
  EXPECT_EQ(Ask("POST", path + "1?verbose=true", Body(RecordOf("ab"))),
            R"(200 {"is_compatible":true,"messages":[]})");
  EXPECT_EQ(Ask("POST", "/compatibility/subjects/s/versions", Body(RecordOf("a", "b"))),
            R"(200 {"is_compatible":false})");
  EXPECT_EQ(Error("POST", path + "9", Body(RecordOf("a"))), "404 40402");
  EXPECT_EQ(Error("POST", path + "1", Body("no schema")), "422 42201");

  EXPECT_EQ(Ask("GET", "/config"), R"(200 {"compatibilityLevel":"BACKWARD"})");
  EXPECT_EQ(Error("GET", "/config/s"), "404 40408");
  EXPECT_EQ(Ask("GET", "/config/s?defaultToGlobal=true"),
            R"(200 {"compatibilityLevel":"BACKWARD"})");
  EXPECT_EQ(Error("PUT", "/config/s", R"({"compatibility":"SIDEWAYS"})"), "422 42203");
  EXPECT_EQ(Ask("PUT", "/config/s", R"({"compatibility":"NONE"})"),
            R"(200 {"compatibility":"NONE"})");
  EXPECT_EQ(Ask("POST", "/subjects/s/versions", Body(RecordOf("a", "b"))), R"(200 {"id":2})");
  EXPECT_EQ(Ask("DELETE", "/config/s"), R"(200 {"compatibilityLevel":"NONE"})");
  EXPECT_EQ(Error("DELETE", "/config/s"), "404 40401");
  EXPECT_EQ(Ask("PUT", "/config", R"({"compatibility":"FULL"})"),
            R"(200 {"compatibility":"FULL"})");
  EXPECT_EQ(Ask("GET", "/config"), R"(200 {"compatibilityLevel":"FULL"})");
}

TEST_F(RegistryApiTest, DeletedVersionsAreGoneBitByBit) {
  Ask("POST", "/subjects/s/versions", Body(RecordOf("a")));
  Ask("POST", "/subjects/s/versions", Body(RecordOf("ab")));
  EXPECT_EQ(Error("DELETE", "/subjects/s/versions/2?permanent=true"), "404 40407");
  EXPECT_EQ(Ask("DELETE", "/subjects/s/versions/2"), "200 2");
  EXPECT_EQ(Error("DELETE", "/subjects/s/versions/2"), "404 40406");
  EXPECT_EQ(Ask("GET", "/subjects/s/versions"), "200 [1]");
  EXPECT_EQ(Ask("GET", "/subjects/s/versions?deleted=true"), "200 [1,2]");
  EXPECT_EQ(Error("GET", "/subjects/s/versions/2"), "404 40402");
  EXPECT_TRUE(Ask("GET", "/schemas/ids/2").starts_with("200 "));  // Records have its id.
  // Registered anew it is another version of the same schema.
  EXPECT_EQ(Ask("POST", "/subjects/s/versions", Body(RecordOf("ab"))), R"(200 {"id":2})");
  EXPECT_EQ(Ask("GET", "/subjects/s/versions"), "200 [1,3]");
  EXPECT_EQ(Error("DELETE", "/subjects/s?permanent=true"), "404 40405");
  EXPECT_EQ(Ask("DELETE", "/subjects/s"), "200 [1,3]");
  EXPECT_EQ(Error("DELETE", "/subjects/s"), "404 40404");
  EXPECT_EQ(Ask("GET", "/subjects"), "200 []");
  EXPECT_EQ(Ask("GET", "/subjects?deleted=true"), R"(200 ["s"])");
  EXPECT_EQ(Ask("DELETE", "/subjects/s?permanent=true"), "200 [1,2,3]");
  EXPECT_EQ(Error("GET", "/schemas/ids/2"), "404 40403");
  // No id is given twice: clients keep them for ever.
  EXPECT_EQ(Ask("POST", "/subjects/s/versions", Body("\"int\"")), R"(200 {"id":3})");
}

TEST_F(RegistryApiTest, WhatASchemaRefersToStays) {
  Ask("POST", "/subjects/base/versions", Body(RecordOf("a")));
  const std::string uses = Body(R"({"type":"array","items":"R"})",
                                R"(,"references":[{"name":"R","subject":"base","version":1}])");
  EXPECT_EQ(Ask("POST", "/subjects/s/versions", uses), R"(200 {"id":2})");
  EXPECT_EQ(Ask("GET", "/subjects/base/versions/1/referencedby"), "200 [2]");
  EXPECT_EQ(Error("DELETE", "/subjects/base/versions/1"), "422 42206");
  EXPECT_EQ(Ask("POST", "/subjects/s", uses),
            R"(200 {"subject":"s","version":1,"id":2,"references":[{"name":"R",)"
            R"("subject":"base","version":1}],"schema":"{\"type\":\"array\",\"items\":\"R\"}"})");
  EXPECT_EQ(Error("POST", "/subjects/s/versions",
                  Body(R"({"type":"array","items":"R"})",
                       R"(,"references":[{"name":"R","subject":"base","version":8}])")),
            "422 42201");
  Ask("DELETE", "/subjects/s");
  EXPECT_EQ(Ask("DELETE", "/subjects/base/versions/1"), "200 1");
}

class RegistryServerTest : public ::testing::Test {
 protected:
  static std::unique_ptr<shell::RegistryServer> Start(const std::string& directory = "") {
    shell::RegistryServerOptions options;
    options.port = 0;
    options.directory = directory;
    auto server = shell::RegistryServer::Start(options);
    EXPECT_TRUE(server.ok()) << server.status().ToString();
    return server.ok() ? *std::move(server) : nullptr;
  }

  /// All that the server sends to these bytes.
  static std::string Exchange(int port, const std::string& request) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(static_cast<uint16_t>(port));
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&where), sizeof where), 0);
    EXPECT_GT(send(fd, request.data(), request.size(), MSG_NOSIGNAL), 0);
    std::string answer;
    char buffer[4096];
    for (ssize_t got = 0; (got = read(fd, buffer, sizeof buffer)) > 0;) {
      answer.append(buffer, static_cast<size_t>(got));
    }
    close(fd);
    return answer;
  }
};

TEST_F(RegistryServerTest, AnswersOverHttp) {
  const auto server = Start();
  const std::string body = Body("\"int\"");
  const std::string answer = Exchange(
      server->port(), "POST /subjects/s%2Ft/versions HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                          std::to_string(body.size()) + "\r\n\r\n" + body);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_NE(answer.find("Content-Type: application/vnd.schemaregistry.v1+json\r\n"),
            std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\n{\"id\":1}")) << answer;
  EXPECT_EQ(server->registry().SubjectNames(MemoryRegistry::Seen::kLive),
            std::vector<std::string>{"s/t"});
  const std::string chunked =
      Exchange(server->port(),
               "POST /subjects/c/versions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
               "11\r\n{\"schema\":\"\\\"long\r\n4\r\n\\\"\"}\r\n0\r\n\r\n");
  EXPECT_TRUE(chunked.ends_with("\r\n\r\n{\"id\":2}")) << chunked;
}

TEST_F(RegistryServerTest, BodiesAreBoundedAndMustCome) {
  const auto server = Start();
  const std::string head = "POST /subjects/s/versions HTTP/1.1\r\nHost: x\r\nContent-Length: ";
  EXPECT_TRUE(Exchange(server->port(), head + "99999999\r\n\r\n{").starts_with("HTTP/1.1 413"));
  // A body that stalls, longer than the listener waits for a byte.
  EXPECT_TRUE(Exchange(server->port(), head + "100\r\n\r\n{").starts_with("HTTP/1.1 408"));
}

TEST_F(RegistryServerTest, AStoreKeepsSchemasRulesAndDeletions) {
  std::string directory =
      (std::filesystem::temp_directory_path() / "weir-registry-XXXXXX").string();
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  const std::string store = directory + "/store";
  {
    const auto server = Start(store);
    const auto ask = [&](std::string_view method, std::string_view path, std::string_view query,
                         const std::string& body) {
      return AnswerRegistryRequest(server->registry(), {method, path, query, body}).status;
    };
    EXPECT_EQ(ask("POST", "/subjects/s/versions", "", Body("\"int\"")), 200);
    EXPECT_EQ(ask("POST", "/subjects/t/versions", "", Body("\"long\"")), 200);
    EXPECT_EQ(ask("POST", "/subjects/u/versions", "", Body("\"float\"")), 200);
    EXPECT_EQ(ask("DELETE", "/subjects/t", "", ""), 200);
    EXPECT_EQ(ask("DELETE", "/subjects/u", "", ""), 200);
    EXPECT_EQ(ask("DELETE", "/subjects/u", "permanent=true", ""), 200);
    EXPECT_EQ(ask("PUT", "/config/s", "", R"({"compatibility":"FULL"})"), 200);
  }
  {
    const auto server = Start(store);
    MemoryRegistry& registry = server->registry();
    using Seen = MemoryRegistry::Seen;
    EXPECT_EQ(registry.SubjectNames(Seen::kLive), std::vector<std::string>{"s"});
    EXPECT_EQ(registry.SubjectNames(Seen::kAll), (std::vector<std::string>{"s", "t"}));
    EXPECT_EQ(registry.RuleFor("s"), Compatibility::kFull);
    EXPECT_EQ(registry.RuleFor("t"), Compatibility::kBackward);
    EXPECT_EQ(*registry.Register("v", SchemaType::kAvro, "\"double\"", {}), 4);
  }
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace weir
