#pragma once

// How an engine is opened.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace weir {

/// Where the engine takes its time from. Implementations must be safe to call from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall-clock time, milliseconds since the epoch.
  virtual int64_t NowMs() const = 0;
};

/// How much the engine logs.
enum class LogLevel { kTrace, kDebug, kInfo, kWarning, kError, kOff };

/// Receives one log line without a newline. Called from any thread of the engine, one at a time.
using Logger = std::function<void(LogLevel level, std::string_view line)>;

struct EngineOptions {
  /// Directory of the local store. Empty (default): in memory, gone at Close. Created if missing;
  /// refused (kNotAStore) if it holds anything else. Must be empty when `brokers` is set.
  std::string directory;
  /// Kafka bootstrap servers, "host:port,…". Empty (default): topics live in the local store.
  std::string brokers;
  /// On Kafka: names this application's consumer groups and state; [a-zA-Z0-9._-], at most 249.
  /// Required to run persistent queries on Kafka.
  std::string application_id;
  /// On Kafka: where state lies. Default: $XDG_STATE_HOME/weir, or ~/.local/state/weir.
  std::string state_dir;
  /// Threads that run tasks, 1 to 1024. Default 0: one a core.
  int threads = 0;
  /// On a directory: queries are kept paused, and not even their state is loaded, until RESUME; the
  /// next opening runs them again. For a store whose queries are not wanted, or do harm.
  bool paused = false;
  /// Settings of the engine by name ("memory.limit", "commit.interval.ms", …; SHOW PROPERTIES lists
  /// them with unit and default). Unknown names make Open fail.
  std::map<std::string, std::string> settings;
  /// librdkafka properties, passed as they are to every client ("security.protocol", …).
  std::map<std::string, std::string> kafka;
  /// Time source; null: the system's.
  std::shared_ptr<const Clock> clock;
  /// Log sink; null: nothing is logged.
  Logger logger;
  LogLevel log_level = LogLevel::kWarning;
};

}  // namespace weir
