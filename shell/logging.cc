#include "shell/logging.h"

#include <fmt/format.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

#include "shell/render/display_width.h"

namespace weir::shell {
namespace {

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace: return spdlog::level::trace;
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarning: return spdlog::level::warn;
    case LogLevel::kError: return spdlog::level::err;
    case LogLevel::kOff: return spdlog::level::off;
  }
  return spdlog::level::off;
}

}  // namespace

Result<Logger> MakeLogger(const std::string& file) {
  std::shared_ptr<spdlog::logger> logger;
  // The one place that sees spdlog's exceptions: a file that cannot be opened.
  try {
    spdlog::sink_ptr sink;
    if (file.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file);
    }
    logger = std::make_shared<spdlog::logger>("weir", std::move(sink));
  } catch (const spdlog::spdlog_ex& error) {
    return Status(ErrorCode::kIoError, fmt::format("the log file cannot be opened: {}", file));
  }
  logger->set_level(spdlog::level::trace);  // The engine has chosen already.
  logger->flush_on(spdlog::level::info);
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
  return Logger([logger](LogLevel level, std::string_view line) {
    // Lines quote records and names: what is read on a terminal must not act there.
    const std::string safe = SafeText(line, Escape::kLines);
    logger->log(SpdlogLevel(level), spdlog::string_view_t(safe.data(), safe.size()));
  });
}

}  // namespace weir::shell
