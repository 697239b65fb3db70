#include "tests/broker/copies_broker_log.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>

#include "base/status_macros.h"

namespace weir::testing {
namespace {

// The segments of an internal topic, with commas between them.
std::string Segments(const std::filesystem::path& data, const std::string& topic) {
  std::string list;
  for (const auto& folder : std::filesystem::directory_iterator(data)) {
    if (!folder.path().filename().string().starts_with(topic + "-")) continue;
    for (const auto& file : std::filesystem::directory_iterator(folder.path())) {
      if (file.path().extension() != ".log") continue;
      list += (list.empty() ? "" : ",") + file.path().string();
    }
  }
  return list;
}

Status Dump(const std::string& segments, const std::string& decoder,
            const std::function<void(const std::string&)>& line_of) {
  if (segments.empty()) return OkStatus();
  const std::string command =
      "java -XX:TieredStopAtLevel=1 -Xmx256m -Dorg.slf4j.simpleLogger.defaultLogLevel=error"
      " -cp '" WEIR_SOURCE_DIR "/build/kafka/libs/*' kafka.tools.DumpLogSegments " +
      decoder + " --files '" + segments + "'";
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return Status(ErrorCode::kInternal, "cannot run java");
  char* line = nullptr;
  size_t capacity = 0;
  for (ssize_t length; (length = getline(&line, &capacity, pipe)) > 0;) {
    line_of(std::string(line, static_cast<size_t>(length)));
  }
  std::free(line);
  if (pclose(pipe) != 0) return Status(ErrorCode::kInternal, "DumpLogSegments failed");
  return OkStatus();
}

}  // namespace

Result<BrokerCounts> CountInBrokerLog(const std::string& application_id) {
  const char* directory = std::getenv("WEIR_TEST_BROKER_DIR");
  if (directory == nullptr) return Status(ErrorCode::kInternal, "WEIR_TEST_BROKER_DIR is not set");
  std::string data;
  std::getline(std::ifstream(std::string(directory) + "/data"), data);
  BrokerCounts counts;
  WEIR_RETURN_IF_ERROR(Dump(
      Segments(data, "__transaction_state"), "--transaction-log-decoder",
      [&](const std::string& line) {
        if (line.find("transactionalId=" + application_id) == std::string::npos) return;
        counts.transactions_committed += line.find("state=CompleteCommit") != std::string::npos;
        counts.transactions_aborted += line.find("state=CompleteAbort") != std::string::npos;
      }));
  std::set<std::string> generations;
  WEIR_RETURN_IF_ERROR(
      Dump(Segments(data, "__consumer_offsets"), "--offsets-decoder", [&](const std::string& line) {
        const size_t group = line.find("{\"group\":\"" + application_id);
        const size_t generation = line.find("\"generation\":");
        if (group == std::string::npos || generation == std::string::npos) return;
        generations.insert(line.substr(group, line.find('}', group) - group) +
                           line.substr(generation, line.find(',', generation) - generation));
      }));
  counts.rebalances = static_cast<int64_t>(generations.size());
  return counts;
}

}  // namespace weir::testing
