#include "shell/test/test_command.h"

#include <fmt/format.h>

#include <algorithm>

#include "shell/conformance/conformance.h"
#include "shell/test/golden_runner.h"

namespace weir::shell {
namespace {

constexpr GoldenWay kWays[] = {GoldenWay::kWhole, GoldenWay::kRowByRow, GoldenWay::kRestart,
                               GoldenWay::kSpread, GoldenWay::kSpilled};

GoldenOptions MakeGoldenOptions(const TestArguments& arguments) {
  GoldenOptions options;
  options.update = arguments.update;
  if (arguments.ways.empty()) return options;
  options.ways.clear();
  for (const GoldenWay way : kWays) {
    if (std::find(arguments.ways.begin(), arguments.ways.end(), GoldenWayName(way)) !=
        arguments.ways.end()) {
      options.ways.push_back(way);
    }
  }
  return options;
}

}  // namespace

int RunTestCommand(const ProgramOptions& options, std::ostream& out, std::ostream& err,
                   Interrupts& interrupts, const EngineOpener& open_engine) {
  const GoldenOptions golden = MakeGoldenOptions(options.test);
  testing::TestOptions conformance;
  conformance.dump = options.test.dump;
  conformance.batch_rows = static_cast<int>(options.test.batch_rows);
  int exit_code = 0;
  int64_t passed = 0;
  int64_t failed = 0;
  for (const std::string& file : options.files) {
    if (interrupts.pending() != StopKind::kNone) break;
    if (file.ends_with(".json")) {
      exit_code = std::max(exit_code, testing::RunConformanceFile(file, conformance, out));
      out.flush();
    } else if (file.ends_with(".test") || file.ends_with(".md")) {
      ++(RunGoldenFile(file, golden, open_engine, out) ? passed : failed);
    } else {
      err << fmt::format("neither a .test, a .md nor a .json file: {}\n", file);
      return 2;
    }
  }
  if (passed + failed > 1 && !options.quiet) {
    err << fmt::format("{} of {} golden tests passed\n", passed, passed + failed);
  }
  return failed > 0 ? std::max(exit_code, 1) : exit_code;
}

}  // namespace weir::shell
