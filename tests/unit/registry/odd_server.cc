#include "tests/unit/registry/odd_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>

#include <gtest/gtest.h>

namespace weir::test {

OddServer::OddServer() {
  listening_ = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  EXPECT_EQ(bind(listening_, reinterpret_cast<sockaddr*>(&where), size), 0);
  EXPECT_EQ(listen(listening_, 16), 0);
  EXPECT_EQ(getsockname(listening_, reinterpret_cast<sockaddr*>(&where), &size), 0);
  port_ = ntohs(where.sin_port);
  thread_ = std::thread([this] { Serve(); });
}

OddServer::~OddServer() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  shutdown(listening_, SHUT_RDWR);
  thread_.join();
  close(listening_);
}

void OddServer::AnswerNext(std::vector<std::string> answers) {
  const std::lock_guard lock(mutex_);
  next_.insert(next_.end(), answers.begin(), answers.end());
}

void OddServer::AnswerRest(std::string answer) {
  const std::lock_guard lock(mutex_);
  rest_ = std::move(answer);
}

void OddServer::Hold() {
  const std::lock_guard lock(mutex_);
  held_ = true;
}

void OddServer::Let() {
  {
    const std::lock_guard lock(mutex_);
    held_ = false;
  }
  changed_.notify_all();
}

std::vector<std::string> OddServer::requests() {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void OddServer::WaitForRequests(size_t count) {
  std::unique_lock lock(mutex_);
  EXPECT_TRUE(
      changed_.wait_for(lock, std::chrono::minutes(1), [&] { return requests_.size() >= count; }));
}

std::string OddServer::Whole(int status, const std::string& body, const std::string& type) {
  return "HTTP/1.1 " + std::to_string(status) + " Status\r\nContent-Type: " + type +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" +
         body;
}

void OddServer::Serve() {
  for (int fd = 0; (fd = accept(listening_, nullptr, nullptr)) >= 0;) {
    Answer(fd);
    // What is unread would make the close a reset, which takes the answer with it.
    shutdown(fd, SHUT_WR);
    char rest[4096];
    while (read(fd, rest, sizeof rest) > 0) {
    }
    close(fd);
  }
}

void OddServer::Answer(int connection) {
  std::string request;
  char buffer[4096];
  size_t wanted = std::string::npos;
  while (request.size() < wanted) {
    const ssize_t got = read(connection, buffer, sizeof buffer);
    if (got <= 0) return;
    request.append(buffer, static_cast<size_t>(got));
    const size_t end = request.find("\r\n\r\n");
    if (wanted != std::string::npos || end == std::string::npos) continue;
    const size_t length = request.find("Content-Length: ");
    wanted = end + 4;
    if (length < end) wanted += std::strtoul(request.c_str() + length + 16, nullptr, 10);
  }
  std::string answer;
  {
    std::unique_lock lock(mutex_);
    requests_.push_back(request);
    changed_.notify_all();
    changed_.wait(lock, [this] { return !held_ || ended_; });
    answer = rest_;
    if (!next_.empty()) {
      answer = std::move(next_.front());
      next_.pop_front();
    }
  }
  for (size_t at = 0; at < answer.size();) {
    const ssize_t put = send(connection, answer.data() + at, answer.size() - at, MSG_NOSIGNAL);
    if (put <= 0) return;
    at += static_cast<size_t>(put);
  }
}

}  // namespace weir::test
