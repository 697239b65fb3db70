#pragma once

// The command line of the program, as one struct. Reading it is all that this does.

#include <cstdint>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "shell/load/load.h"
#include "shell/render/renderer.h"
#include "weir/options.h"
#include "weir/status.h"

namespace weir::shell {

enum class ProgramCommand {
  kPrompt,
  kRun,
  kLoad,
  kPrint,
  kExplain,
  kReset,
  kTest,
  kRegistry,
  kHelp
};

/// One -c or -f.
struct ScriptItem {
  bool is_file = false;
  std::string text;  ///< SQL, or the file's name.
  bool operator==(const ScriptItem&) const = default;
};

struct PrintOptions {
  std::string topic;
  bool from_beginning = false;
  int64_t limit = 0;  ///< 0: none.
};

/// Of `weir reset`.
struct ResetArguments {
  std::string query_id;  ///< Empty: the whole application.
  bool yes = false;      ///< Deletes without asking.
};

/// Of `weir test`.
struct TestArguments {
  bool dump = false;
  bool update = false;            ///< Rewrites the expected blocks of .test files.
  int64_t batch_rows = 1;         ///< Of .json cases.
  std::vector<std::string> ways;  ///< Empty: all four.
};

/// Of `weir registry`.
struct RegistryArguments {
  int port = 8081;  ///< 0: a free one.
  std::string address = "127.0.0.1";
  std::string directory;  ///< Empty: the program's, or in memory.
};

struct ProgramOptions {
  ProgramCommand command = ProgramCommand::kPrompt;
  std::string directory;
  std::string brokers;
  std::string application_id;
  std::string state_dir;
  int threads = 0;
  bool paused = false;
  std::map<std::string, std::string> settings;
  std::map<std::string, std::string> kafka;
  std::vector<std::pair<std::string, std::string>> defines;
  std::vector<ScriptItem> scripts;  ///< -c and -f, in the order given.
  std::optional<OutputFormat> format;
  bool until_end = false;
  bool close_windows = false;
  LogLevel log_level = LogLevel::kWarning;
  std::string log_file;  ///< Empty: stderr.
  bool quiet = false;

  std::vector<std::string> files;  ///< Of run, explain, test.
  LoadOptions load;
  PrintOptions print;
  ResetArguments reset;
  RegistryArguments registry;
  std::string help_topic;           ///< Of help: a word of SQL.
  std::optional<int> metrics_port;  ///< Serve metrics over HTTP; 0: on a port that is free.
  std::string metrics_address = "127.0.0.1";  ///< Where that port is.
  bool dot = false;                           ///< Of explain.
  TestArguments test;
};

/// The options, or the exit code where the program has nothing more to do (help, version: 0; wrong
/// usage: 2). What is to be told has then been written.
struct ParsedCommandLine {
  std::optional<int> exit_code;
  ProgramOptions options;
};
/// Reads the command line, then the file of --config, then WEIR_… variables: the first that sets an
/// option wins.
ParsedCommandLine ParseCommandLine(int argc, const char* const* argv, std::ostream& out,
                                   std::ostream& err);

/// The arguments of `load` and `print` where they are typed at the prompt. Fail with kUsage.
Result<LoadOptions> ParseLoadArguments(const std::vector<std::string>& arguments);
Result<PrintOptions> ParsePrintArguments(const std::vector<std::string>& arguments);

}  // namespace weir::shell
