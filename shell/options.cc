#include "shell/options.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdlib>
#include <functional>
#include <memory>

#include "base/status_macros.h"
#include "weir/version.h"

namespace weir::shell {
namespace {

constexpr int kExitUsage = 2;

/// Option values as CLI11 gives them, before they mean anything.
struct RawOptions {
  std::string positional_directory;
  std::vector<std::string> settings;
  std::vector<std::string> kafka;
  std::vector<std::string> defines;
  std::vector<std::string> commands;
  std::vector<std::string> files;
  std::string format;
  std::string log_level = "warning";
};

struct RawLoad {
  std::string input_format;
  std::string columns;
  std::string key;
  std::string key_format;
};

/// Options given as many times as one likes, each time with one value.
CLI::Option* AddRepeated(CLI::App& app, const std::string& name, std::vector<std::string>* into,
                         const std::string& text) {
  return app.add_option(name, *into, text)->allow_extra_args(false);
}

void AddLoadOptions(CLI::App& app, LoadOptions* load, RawLoad* raw) {
  load->file = "-";
  app.add_option("topic", load->topic, "Topic; made with one partition if missing")->required();
  app.add_option("file", load->file, "CSV or NDJSON file; - or none: stdin");
  app.add_option("--input-format", raw->input_format, "json or csv (default: by the file's name)")
      ->check(CLI::IsMember({"json", "csv"}));
  app.add_option("--columns", raw->columns, "C=NAME,…: the CSV columns to load, and their names");
  app.add_option("--key", raw->key, "C[=NAME],…: the columns that make the record's key");
  app.add_option("--key-format", raw->key_format, "json, kafka or kafka:int|bigint|double");
  app.add_option("--timestamp", load->timestamp_column, "C: the column with the record's time");
  app.add_option("--rate", load->rate, "Records a second at most")->check(CLI::PositiveNumber);
}

Status FinishLoad(const RawLoad& raw, LoadOptions* load) {
  if (raw.input_format == "json") load->input_format = InputFormat::kJson;
  if (raw.input_format == "csv") load->input_format = InputFormat::kCsv;
  WEIR_ASSIGN_OR_RETURN(load->columns, ParseColumnChoices(raw.columns));
  WEIR_ASSIGN_OR_RETURN(load->key, ParseColumnChoices(raw.key));
  if (!raw.key_format.empty()) {
    WEIR_ASSIGN_OR_RETURN(load->key_format, ParseKeyFormat(raw.key_format));
  }
  return OkStatus();
}

void AddPrintOptions(CLI::App& app, PrintOptions* print) {
  app.add_option("topic", print->topic, "Topic")->required();
  app.add_flag("--from-beginning", print->from_beginning, "Start at the first record");
  app.add_option("--limit", print->limit, "End after so many records")->check(CLI::PositiveNumber);
}

Status ParseAssignments(const std::vector<std::string>& texts, std::string_view option,
                        const std::function<void(std::string, std::string)>& add) {
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return Status(ErrorCode::kUsage, fmt::format("{} takes NAME=VALUE: {}", option, text));
    }
    add(text.substr(0, equals), text.substr(equals + 1));
  }
  return OkStatus();
}

/// "a=1;b=2" of a variable; options of the command line win.
Status AddVariable(const char* variable, std::map<std::string, std::string>* into) {
  const char* value = std::getenv(variable);
  if (value == nullptr) return OkStatus();
  std::vector<std::string> items;
  for (std::string& item : CLI::detail::split(value, ';')) {
    if (!item.empty()) items.push_back(std::move(item));
  }
  return ParseAssignments(items, variable, [into](std::string name, std::string text) {
    into->emplace(std::move(name), std::move(text));
  });
}

const std::map<std::string, LogLevel>& LogLevels() {
  static const auto* const kLevels = new std::map<std::string, LogLevel>{
      {"trace", LogLevel::kTrace}, {"debug", LogLevel::kDebug},     {"info", LogLevel::kInfo},
      {"warning", LogLevel::kWarning}, {"error", LogLevel::kError}, {"off", LogLevel::kOff}};
  return *kLevels;
}

/// The whole command line: CLI11's app and where its values go.
class CommandLine {
 public:
  explicit CommandLine(ProgramOptions* options) : options_(*options) {
    AddStoreOptions();
    AddScriptOptions();
    AddMessageOptions();
    AddSubcommands();
    app_.require_subcommand(0, 1);
    app_.fallthrough();
    app_.footer("Exit codes: 0 done, 1 a statement failed, 2 wrong usage, 130 interrupted.");
  }

  CLI::App& app() { return app_; }

  /// Gives the values their meaning.
  Status Finish() {
    ChooseCommand();
    if (!raw_.positional_directory.empty()) {
      if (options_.command != ProgramCommand::kPrompt) {
        return Status(ErrorCode::kUsage,
                      fmt::format("one argument too many: {}", raw_.positional_directory))
            .WithHint("a store is named by -d DIRECTORY here");
      }
      if (!options_.directory.empty() && options_.directory != raw_.positional_directory) {
        return Status(ErrorCode::kUsage, fmt::format("two directories: {} and {}",
                                                     options_.directory,
                                                     raw_.positional_directory));
      }
      options_.directory = raw_.positional_directory;
    }
    WEIR_RETURN_IF_ERROR(FinishMaps());
    FinishScripts();
    options_.format = ParseOutputFormat(raw_.format);
    options_.log_level = LogLevels().at(raw_.log_level);
    if (options_.command == ProgramCommand::kLoad) {
      WEIR_RETURN_IF_ERROR(FinishLoad(raw_load_, &options_.load));
    }
    return CheckStore();
  }

 private:
  void AddStoreOptions() {
    app_.add_option("directory", raw_.positional_directory,
                    "Directory of a local store; none: in memory");
    app_.add_option("-d,--directory", options_.directory, "Directory of a local store")
        ->envname("WEIR_DIRECTORY");
    app_.add_option("-b,--brokers", options_.brokers, "Kafka brokers, host:port,…")
        ->envname("WEIR_BROKERS");
    app_.add_option("--application-id", options_.application_id,
                    "On Kafka: names this application's groups and state")
        ->envname("WEIR_APPLICATION_ID");
    app_.add_option("--state-dir", options_.state_dir, "On Kafka: where state lies")
        ->envname("WEIR_STATE_DIR");
    app_.add_option("--threads", options_.threads, "Threads that run queries (default: one a core)")
        ->check(CLI::NonNegativeNumber)
        ->envname("WEIR_THREADS");
    app_.add_flag("--paused", options_.paused,
                  "Open a local store with its queries paused; RESUME ID or ALL runs them");
    AddRepeated(app_, "-S,--setting", &raw_.settings,
                "NAME=VALUE: a setting of the engine (SHOW PROPERTIES lists them)");
    AddRepeated(app_, "-X,--kafka", &raw_.kafka, "NAME=VALUE: a property of librdkafka");
    app_.set_config("--config", "", "File of options, NAME = VALUE a line")->envname("WEIR_CONFIG");
  }

  void AddScriptOptions() {
    command_option_ = AddRepeated(app_, "-c,--command", &raw_.commands, "SQL to run, then exit");
    file_option_ = AddRepeated(app_, "-f,--file", &raw_.files, "File of SQL to run, then exit");
    AddRepeated(app_, "--define", &raw_.defines, "NAME=TEXT: a variable, used as ${NAME}");
    app_.add_option("--format", raw_.format,
                    "table, vertical, json or csv (default: table on a terminal, else json)")
        ->check(CLI::IsMember({"table", "vertical", "json", "csv"}))
        ->envname("WEIR_FORMAT");
    app_.add_flag("--until-end", options_.until_end,
                  "End when all that the topics hold has been processed");
    app_.add_flag("--close-windows", options_.close_windows,
                  "With --until-end: close the windows that EMIT FINAL holds open");
  }

  void AddMessageOptions() {
    app_.add_option("--log-level", raw_.log_level, "trace, debug, info, warning, error or off")
        ->check(CLI::IsMember({"trace", "debug", "info", "warning", "error", "off"}))
        ->envname("WEIR_LOG_LEVEL");
    app_.add_option("--log-file", options_.log_file, "Log to this file instead of stderr")
        ->envname("WEIR_LOG_FILE");
    app_.add_option("--metrics-port", options_.metrics_port,
                    "Serve metrics for Prometheus at http://…:PORT/metrics (0: a free port)")
        ->check(CLI::Range(0, 65535))
        ->envname("WEIR_METRICS_PORT");
    app_.add_option("--metrics-address", options_.metrics_address,
                    "IP address for --metrics-port (default 127.0.0.1: this machine alone; "
                    "0.0.0.0: all networks, without a password)")
        ->envname("WEIR_METRICS_ADDRESS");
    app_.add_flag("-q,--quiet", options_.quiet, "Only results and errors");
    app_.set_version_flag("--version", [] { return fmt::format("weir {}", Version()); });
  }

  CLI::App* AddSubcommand(const std::string& name, const std::string& text,
                          ProgramCommand command) {
    CLI::App* subcommand = app_.add_subcommand(name, text);
    subcommand->fallthrough();
    subcommands_.emplace_back(subcommand, command);
    return subcommand;
  }

  void AddSubcommands() {
    AddSubcommand("run", "Run query files; stay while their queries do", ProgramCommand::kRun)
        ->add_option("files", options_.files, "SQL files")
        ->required();
    AddLoadOptions(*AddSubcommand("load", "Load a CSV or NDJSON file into a topic",
                                  ProgramCommand::kLoad),
                   &options_.load, &raw_load_);
    AddPrintOptions(*AddSubcommand("print", "Show a topic's records", ProgramCommand::kPrint),
                    &options_.print);
    CLI::App* explain =
        AddSubcommand("explain", "Show the plans of a file's queries", ProgramCommand::kExplain);
    explain->add_option("files", options_.files, "SQL files")->required();
    explain->add_flag("--dot", options_.dot, "As a Graphviz graph");
    CLI::App* reset = AddSubcommand(
        "reset", "Delete the state, internal topics and positions of an application on Kafka",
        ProgramCommand::kReset);
    reset->add_option("--query", options_.reset.query_id, "ID: only those of one query");
    reset->add_flag("--yes", options_.reset.yes, "Do not ask");
    CLI::App* test = AddSubcommand("test", "Run conformance cases (.json) or golden tests (.test)",
                                   ProgramCommand::kTest);
    test->add_option("files", options_.files, "Test files")->required();
    test->add_flag("--dump", options_.test.dump, "Write what came out, as JSON, and judge nothing");
    test->add_flag("--update", options_.test.update, "Rewrite the expected blocks of .test files");
    test->add_option("--batch-rows", options_.test.batch_rows, "Records of a batch, .json cases")
        ->check(CLI::PositiveNumber);
    test->add_option("--way", options_.test.ways,
                     "whole, row_by_row, restart, spread (default: all)")
        ->allow_extra_args(false)
        ->check(CLI::IsMember({"whole", "row_by_row", "restart", "spread"}));
  }

  void ChooseCommand() {
    for (const auto& [subcommand, command] : subcommands_) {
      if (subcommand->parsed()) options_.command = command;
    }
  }

  Status FinishMaps() {
    WEIR_RETURN_IF_ERROR(
        ParseAssignments(raw_.settings, "-S", [this](std::string name, std::string value) {
          options_.settings[std::move(name)] = std::move(value);
        }));
    WEIR_RETURN_IF_ERROR(
        ParseAssignments(raw_.kafka, "-X", [this](std::string name, std::string value) {
          options_.kafka[std::move(name)] = std::move(value);
        }));
    WEIR_RETURN_IF_ERROR(AddVariable("WEIR_SETTINGS", &options_.settings));
    WEIR_RETURN_IF_ERROR(AddVariable("WEIR_KAFKA", &options_.kafka));
    return ParseAssignments(raw_.defines, "--define", [this](std::string name, std::string value) {
      options_.defines.emplace_back(std::move(name), std::move(value));
    });
  }

  // CLI11 gathers the values option by option; the order among the two is in parse_order().
  void FinishScripts() {
    size_t commands = 0;
    size_t files = 0;
    for (const CLI::Option* option : app_.parse_order()) {
      if (option == command_option_ && commands < raw_.commands.size()) {
        options_.scripts.push_back({.is_file = false, .text = raw_.commands[commands++]});
      } else if (option == file_option_ && files < raw_.files.size()) {
        options_.scripts.push_back({.is_file = true, .text = raw_.files[files++]});
      }
    }
  }

  Status CheckStore() const {
    if (!options_.directory.empty() && !options_.brokers.empty()) {
      return Status(ErrorCode::kUsage, "a directory and Kafka brokers exclude each other");
    }
    if (options_.command == ProgramCommand::kReset) {
      if (!options_.brokers.empty() && !options_.application_id.empty()) return OkStatus();
      return Status(ErrorCode::kUsage, "reset needs Kafka brokers and an application id")
          .WithHint("weir reset --application-id ID -b BROKERS; on a local store DROP what a query "
                    "makes and create it again");
    }
    const bool needs_store = options_.command == ProgramCommand::kLoad ||
                             options_.command == ProgramCommand::kPrint;
    if (needs_store && options_.directory.empty() && options_.brokers.empty()) {
      return Status(ErrorCode::kUsage, "load and print need a store")
          .WithHint("name a directory with -d DIRECTORY, or Kafka with -b BROKERS");
    }
    return OkStatus();
  }

  ProgramOptions& options_;
  RawOptions raw_;
  RawLoad raw_load_;
  CLI::App app_{"Streaming SQL over Kafka topics, or over topics in a local directory", "weir"};
  CLI::Option* command_option_ = nullptr;
  CLI::Option* file_option_ = nullptr;
  std::vector<std::pair<CLI::App*, ProgramCommand>> subcommands_;
};

/// Runs CLI11 over the words of one command of the prompt.
Status ParseWords(CLI::App& app, const std::vector<std::string>& arguments) {
  try {
    // CLI11 wants them last first.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    return OkStatus();
  } catch (const CLI::ParseError& error) {
    return Status(ErrorCode::kUsage, error.what());
  }
}

}  // namespace

ParsedCommandLine ParseCommandLine(int argc, const char* const* argv, std::ostream& out,
                                   std::ostream& err) {
  ParsedCommandLine parsed;
  CommandLine line(&parsed.options);
  // The one place that sees CLI11's exceptions; help and version are among them.
  try {
    line.app().parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    parsed.exit_code = line.app().exit(error, out, err) == 0 ? 0 : kExitUsage;
    return parsed;
  }
  if (Status status = line.Finish(); !status.ok()) {
    err << status.ToString() << '\n';
    parsed.exit_code = kExitUsage;
  }
  return parsed;
}

Result<LoadOptions> ParseLoadArguments(const std::vector<std::string>& arguments) {
  LoadOptions load;
  RawLoad raw;
  CLI::App app("", "load");
  app.set_help_flag();
  AddLoadOptions(app, &load, &raw);
  WEIR_RETURN_IF_ERROR(ParseWords(app, arguments));
  WEIR_RETURN_IF_ERROR(FinishLoad(raw, &load));
  return load;
}

Result<PrintOptions> ParsePrintArguments(const std::vector<std::string>& arguments) {
  PrintOptions print;
  CLI::App app("", "print");
  app.set_help_flag();
  AddPrintOptions(app, &print);
  WEIR_RETURN_IF_ERROR(ParseWords(app, arguments));
  return print;
}

}  // namespace weir::shell
