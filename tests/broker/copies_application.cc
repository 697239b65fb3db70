#include "tests/broker/copies_application.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace weir::testing {
namespace {

constexpr std::chrono::seconds kStopMax(60);

}  // namespace

CopiesApplication::CopiesApplication(const ApplicationOptions& options) : options_(options) {
  std::ofstream(directory_.At("queries.sql")) << options.sql;
}

std::string CopiesApplication::LogDirectory() const {
  const char* kept = std::getenv("WEIR_COPIES_LOGS");
  return kept ? kept : directory_.path();
}

std::unique_ptr<CopyProcess> CopiesApplication::Make(const std::string& fault, bool until_end) {
  CopyOptions options{
      .script = directory_.At("queries.sql"),
      .brokers = options_.brokers,
      .application_id = options_.application_id,
      .state_dir = directory_.At("state"),
      .log_path = fmt::format("{}/{}-{}.log", LogDirectory(), options_.application_id, ++started_),
      .fault = fault,
      .more = options_.more};
  if (until_end) options.more.push_back("--until-end");
  return std::make_unique<CopyProcess>(options);
}

CopyProcess& CopiesApplication::Start(const std::string& fault) {
  copies_.push_back(Make(fault, false));
  return *copies_.back();
}

void CopiesApplication::Reap() {
  for (auto it = copies_.begin(); it != copies_.end();) {
    CopyProcess& copy = **it;
    if (copy.running()) {
      ++it;
      continue;
    }
    const bool struck = copy.killed() && !copy.fault().empty();
    faults_struck_ += struck;
    if (!struck) {
      ADD_FAILURE() << "a copy ended by itself with code " << copy.exit_code() << ":\n"
                    << copy.LogTail();
    }
    it = copies_.erase(it);
  }
}

void CopiesApplication::Kill(size_t copy) {
  copies_[copy]->Kill();
  copies_.erase(copies_.begin() + static_cast<long>(copy));
}

void CopiesApplication::Stop(size_t copy) {
  CopyProcess& stopped = *copies_[copy];
  if (stopped.paused()) stopped.Resume();
  stopped.Terminate();
  EXPECT_TRUE(stopped.WaitForEnd(kStopMax)) << "a copy does not stop:\n" << stopped.LogTail();
  const bool struck = stopped.killed() && !stopped.fault().empty();
  faults_struck_ += struck;
  // One that is stopped before its statements are all carried out says so by 143.
  EXPECT_TRUE(struck || stopped.exit_code() == 0 || stopped.exit_code() == 143)
      << "exit code of a stopped copy: " << stopped.exit_code() << '\n'
      << stopped.LogTail();
  copies_.erase(copies_.begin() + static_cast<long>(copy));
}

void CopiesApplication::StopAll() {
  for (const auto& copy : copies_) {
    if (copy->paused()) copy->Resume();
    copy->Terminate();
  }
  while (!copies_.empty()) Stop(copies_.size() - 1);
}

bool CopiesApplication::RunUntilEnd(std::chrono::seconds timeout) {
  const std::unique_ptr<CopyProcess> copy = Make("", true);
  if (!copy->WaitForEnd(timeout)) {
    ADD_FAILURE() << "--until-end does not end:\n" << copy->LogTail();
    return false;
  }
  EXPECT_EQ(copy->exit_code(), 0) << copy->LogTail();
  return copy->exit_code() == 0;
}

std::vector<std::string> CopiesApplication::LogLines(const std::string& text) const {
  std::vector<std::string> lines;
  for (const auto& entry : std::filesystem::directory_iterator(LogDirectory())) {
    if (!entry.path().filename().string().starts_with(options_.application_id)) continue;
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      if (line.find(text) != std::string::npos) {
        lines.push_back(entry.path().filename().string() + ": " + line);
      }
    }
  }
  return lines;
}

}  // namespace weir::testing
