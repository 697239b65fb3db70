// The page for Prometheus, fetched over HTTP: from a server in this process, and from the program.

#include "shell/metrics_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>

#include "tests/unit/shell/fake_engine.h"

extern char** environ;

namespace weir::shell {
namespace {

/// A client's connection to `port` of `address`; -1 where nobody listens.
int Connect(int port, in_addr_t address = INADDR_LOOPBACK) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(static_cast<uint16_t>(port));
  where.sin_addr.s_addr = htonl(address);
  if (connect(fd, reinterpret_cast<sockaddr*>(&where), sizeof where) == 0) return fd;
  close(fd);
  return -1;
}

void Write(int fd, const std::string& text) {
  // The server may have hung up on what is too long.
  EXPECT_GT(send(fd, text.data(), text.size(), MSG_NOSIGNAL), 0);
}

/// Everything up to the connection's end.
std::string ReadAll(int fd) {
  std::string answer;
  char buffer[4096];
  for (ssize_t got = 0; (got = read(fd, buffer, sizeof buffer)) > 0;) {
    answer.append(buffer, static_cast<size_t>(got));
  }
  return answer;
}

std::string RequestFor(const std::string& path, const std::string& method = "GET") {
  return method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
}

/// The whole answer to a request for `path`; empty where nobody listens.
std::string Fetch(int port, const std::string& path, const std::string& method = "GET") {
  const int fd = Connect(port);
  if (fd < 0) return "";
  Write(fd, RequestFor(path, method));
  std::string answer = ReadAll(fd);
  close(fd);
  return answer;
}

TEST(MetricsServer, ServesTheNumbersOfTheMoment) {
  FakeEngine engine;
  engine.metrics.queries.push_back({.query_id = "CTAS_A", .state = "RUNNING", .records_in = 5});
  auto server = MetricsServer::Start(engine, "127.0.0.1", 0);
  ASSERT_TRUE(server.ok()) << server.status().ToString();
  ASSERT_GT((*server)->port(), 0);
  std::string page = Fetch((*server)->port(), "/metrics");
  EXPECT_TRUE(page.starts_with("HTTP/1.1 200 OK\r\n")) << page;
  EXPECT_NE(page.find("text/plain; version=0.0.4"), std::string::npos) << page;
  EXPECT_NE(page.find("\nweir_records_in_total{query=\"CTAS_A\"} 5\n"), std::string::npos) << page;
  engine.metrics.queries[0].records_in = 6;
  page = Fetch((*server)->port(), "/metrics");
  EXPECT_NE(page.find("\nweir_records_in_total{query=\"CTAS_A\"} 6\n"), std::string::npos) << page;
  EXPECT_TRUE(Fetch((*server)->port(), "/etc/passwd").starts_with("HTTP/1.1 404"));
}

TEST(MetricsServer, APortThatIsTakenIsAnError) {
  FakeEngine engine;
  auto first = MetricsServer::Start(engine, "127.0.0.1", 0);
  ASSERT_TRUE(first.ok()) << first.status().ToString();
  const auto second = MetricsServer::Start(engine, "127.0.0.1", (*first)->port());
  EXPECT_EQ(second.status().code(), ErrorCode::kIoError);
  EXPECT_NE(second.status().hint().find("--metrics-port"), std::string::npos);
}

TEST(MetricsServer, ListensToThisMachineUnlessToldOtherwise) {
  FakeEngine engine;
  auto local = MetricsServer::Start(engine, "127.0.0.1", 0);
  ASSERT_TRUE(local.ok()) << local.status().ToString();
  constexpr in_addr_t kOtherLoopback = 0x7f000002;  // 127.0.0.2
  EXPECT_EQ(Connect((*local)->port(), kOtherLoopback), -1);
  auto all = MetricsServer::Start(engine, "0.0.0.0", 0);
  ASSERT_TRUE(all.ok()) << all.status().ToString();
  EXPECT_EQ((*all)->url(), "http://0.0.0.0:" + std::to_string((*all)->port()) + "/metrics");
  const int fd = Connect((*all)->port(), kOtherLoopback);
  ASSERT_GE(fd, 0);
  close(fd);
  for (const char* address : {"everywhere", "127.0.0.1:80,+90", "", "127.0.0.1s"}) {
    const auto none = MetricsServer::Start(engine, address, 0);
    EXPECT_EQ(none.status().code(), ErrorCode::kInvalidOption) << address;
  }
}

// More of them than the server has threads; each would have held one for 10 seconds and more.
TEST(MetricsServer, ClientsThatStallAreCutOffAndOthersAnswered) {
  FakeEngine engine;
  auto server = MetricsServer::Start(engine, "127.0.0.1", 0);
  ASSERT_TRUE(server.ok()) << server.status().ToString();
  std::vector<int> stalled;
  for (int i = 0; i < 24; ++i) {
    stalled.push_back(Connect((*server)->port()));
    ASSERT_GE(stalled.back(), 0);
    // A request without an end, one whose body does not come, and nothing at all.
    if (i % 3 == 0) Write(stalled.back(), "GET /metrics HTTP/1.1\r\nHost: lo");
    if (i % 3 == 1) {
      Write(stalled.back(), "POST /metrics HTTP/1.1\r\nContent-Length: 1000000\r\n\r\nx");
    }
  }
  EXPECT_TRUE(Fetch((*server)->port(), "/metrics").starts_with("HTTP/1.1 200 OK\r\n"));
  for (const int fd : stalled) {
    EXPECT_EQ(ReadAll(fd).find("HTTP/1.1 200"), std::string::npos);  // Comes to an end.
    close(fd);
  }
}

TEST(MetricsServer, AnswersNothingButItsPage) {
  FakeEngine engine;
  auto server = MetricsServer::Start(engine, "127.0.0.1", 0);
  ASSERT_TRUE(server.ok()) << server.status().ToString();
  const int port = (*server)->port();
  const std::string not_found = "HTTP/1.1 404";
  // A run of slashes makes the redirects of some versions of the library overflow.
  const std::string slashes = std::string(4000, '/') + "tmp?a=" + std::string(2000, '/');
  for (const std::string& path :
       {std::string("/"), std::string("/metrics/"), std::string("/metrics/../../etc/passwd"),
        std::string("/..%2f..%2fetc/passwd"), slashes}) {
    EXPECT_TRUE(Fetch(port, path).starts_with(not_found)) << path.substr(0, 40);
  }
  EXPECT_TRUE(Fetch(port, "/metrics", "POST").starts_with("HTTP/1.1 405"));
  EXPECT_TRUE(Fetch(port, "/metrics", "DELETE").starts_with("HTTP/1.1 405"));
  EXPECT_TRUE(Fetch(port, "/metrics", "HEAD").ends_with("\r\n\r\n"));
  // Beyond the bound of a request.
  EXPECT_EQ(Fetch(port, "/" + std::string(100'000, 'a')).find("HTTP/1.1 200"), std::string::npos);
  EXPECT_TRUE(Fetch(port, "/metrics").starts_with("HTTP/1.1 200"));
}

/// `weir` with these arguments, and what it writes to stderr.
class RunningProgram {
 public:
  explicit RunningProgram(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), WEIR_PROGRAM);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    int pipe_ends[2];
    EXPECT_EQ(pipe(pipe_ends), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDERR_FILENO);
    posix_spawn_file_actions_addclose(&actions, pipe_ends[0]);
    EXPECT_EQ(posix_spawn(&pid_, WEIR_PROGRAM, &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_ends[1]);
    err_ = pipe_ends[0];
  }
  ~RunningProgram() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    close(err_);
  }
  std::string ReadLine() {
    std::string line;
    for (char c = 0; read(err_, &c, 1) == 1 && c != '\n';) line.push_back(c);
    return line;
  }
  /// Ends it in order; its exit code.
  int Terminate() {
    kill(pid_, SIGTERM);
    int status = 0;
    waitpid(pid_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = -1;
  int err_ = -1;
};

TEST(MetricsServer, TheProgramServesItsQueries) {
  const std::string path = ::testing::TempDir() + "metrics_program.sql";
  std::ofstream(path) << "CREATE STREAM s (x INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1);\n"
                         "CREATE TABLE t AS SELECT x, COUNT(*) AS n FROM s GROUP BY x;\n"
                         "INSERT INTO s VALUES (1);\n";
  RunningProgram program({"--metrics-port", "0", "run", path});
  const std::string line = program.ReadLine();
  const size_t colon = line.rfind(':');
  ASSERT_TRUE(line.starts_with("metrics are at http://localhost:")) << line;
  const int port = std::atoi(line.c_str() + colon + 1);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  std::string page;
  do {
    page = Fetch(port, "/metrics");
  } while (page.find("weir_records_in_total{query=\"CTAS_T\"} 1\n") == std::string::npos &&
           std::chrono::steady_clock::now() < deadline);
  EXPECT_NE(page.find("weir_query_state{query=\"CTAS_T\",state=\"RUNNING\"} 1\n"),
            std::string::npos)
      << page;
  EXPECT_NE(page.find("weir_records_in_total{query=\"CTAS_T\"} 1\n"), std::string::npos) << page;
  EXPECT_EQ(program.Terminate(), 0);
}

}  // namespace
}  // namespace weir::shell
