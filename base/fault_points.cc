#include "base/fault_points.h"

#include <unistd.h>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>

namespace weir {
namespace {

struct Fault {
  std::string name;
  std::atomic<long> left{0};
  int signal = SIGKILL;
  Fault() {
    constexpr std::string_view kStop = ":stop";
    const char* text = std::getenv("WEIR_FAULT");
    if (text == nullptr) return;
    std::string_view spec(text);
    if (spec.ends_with(kStop)) {
      signal = SIGSTOP;
      spec.remove_suffix(kStop.size());
    }
    const size_t colon = spec.rfind(':');
    name = spec.substr(0, colon);
    left = colon == std::string_view::npos ? 1 : std::strtol(text + colon + 1, nullptr, 10);
  }
};

}  // namespace

void PassFaultPoint(std::string_view name) {
  static Fault fault;
  if (fault.name.empty() || fault.name != name) return;
  if (fault.left.fetch_sub(1) == 1) ::kill(::getpid(), fault.signal);
}

}  // namespace weir
