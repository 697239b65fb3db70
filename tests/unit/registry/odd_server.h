#pragma once

// A server on this machine that answers what it is told, byte by byte: half answers, pages,
// nothing.

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace weir::test {

class OddServer {
 public:
  OddServer();
  ~OddServer();
  /// The bytes that the next connections get, one each; then they are closed. "": nothing at all.
  void AnswerNext(std::vector<std::string> answers);
  /// What those get that none is left for.
  void AnswerRest(std::string answer);
  /// From then on each request waits for Let().
  void Hold();
  void Let();
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  /// Whole requests as they came, oldest first.
  std::vector<std::string> requests();
  /// Waits until so many have come.
  void WaitForRequests(size_t count);

  /// A whole answer with the right length.
  static std::string Whole(int status, const std::string& body,
                           const std::string& type = "application/json");

 private:
  void Serve();
  void Answer(int connection);

  int listening_ = -1;
  int port_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> next_;
  std::string rest_;
  std::vector<std::string> requests_;
  bool held_ = false;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace weir::test
