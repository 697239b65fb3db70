// The program. Reads the command line, and leaves the rest to RunProgram.

#include <unistd.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <clocale>
#include <iostream>

#include "shell/options.h"
#include "shell/program.h"

namespace {

/// Batches of some hundred KB come and go all the time; their pages are not worth giving back to
/// the kernel between two of them. Unless memory is scarce: what a commit of 30 MB has used lies
/// in pieces between others then, where the next one does not find room.
void KeepFreedPages([[maybe_unused]] bool memory_is_limited) {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, memory_is_limited ? 1 << 20 : 32 << 20);
  mallopt(M_TRIM_THRESHOLD, memory_is_limited ? 8 << 20 : 64 << 20);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  // Only how characters are coded: numbers are written the same everywhere.
  std::setlocale(LC_CTYPE, "C.UTF-8");
  std::ios::sync_with_stdio(false);
  std::cin.tie(nullptr);
  const weir::shell::ParsedCommandLine line =
      weir::shell::ParseCommandLine(argc, argv, std::cout, std::cerr);
  if (line.exit_code) return *line.exit_code;
  KeepFreedPages(line.options.settings.contains("memory.limit"));
  weir::shell::Interrupts interrupts;
  if (const weir::Status listening = interrupts.Listen(); !listening.ok()) {
    std::cerr << listening.ToString() << '\n';
    return 1;
  }
  return weir::shell::RunProgram(line.options,
                                 {.in = std::cin,
                                  .out = std::cout,
                                  .err = std::cerr,
                                  .in_is_terminal = isatty(STDIN_FILENO) == 1,
                                  .out_is_terminal = isatty(STDOUT_FILENO) == 1,
                                  .err_is_terminal = isatty(STDERR_FILENO) == 1,
                                  .in_descriptor = STDIN_FILENO,
                                  .out_descriptor = STDOUT_FILENO},
                                 interrupts, &weir::Engine::Open);
}
