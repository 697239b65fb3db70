#include "tests/consumer/java_reader.h"

#include <cstdio>
#include <memory>

namespace weir::testing {

Result<std::vector<std::string>> ReadWithJava(const std::string& brokers, const std::string& topic,
                                              const std::string& keys) {
  const std::string command =
      "java -XX:TieredStopAtLevel=1 -Xmx256m -Dorg.slf4j.simpleLogger.defaultLogLevel=error"
      " -cp '" WEIR_SOURCE_DIR "/build/kafka/libs/*' '" WEIR_SOURCE_DIR
      "/tests/consumer/ReadTopic.java' '" +
      brokers + "' '" + topic + "' '" + keys + "'";
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return Status(ErrorCode::kInternal, "cannot run java");
  std::string output;
  char piece[4096];
  for (size_t count; (count = std::fread(piece, 1, sizeof piece, pipe)) > 0;) {
    output.append(piece, count);
  }
  if (pclose(pipe) != 0) return Status(ErrorCode::kInternal, "ReadTopic.java failed on " + topic);
  std::vector<std::string> lines;
  for (size_t begin = 0, end; (end = output.find('\n', begin)) != std::string::npos;
       begin = end + 1) {
    lines.push_back(output.substr(begin, end - begin));
  }
  return lines;
}

}  // namespace weir::testing
