#include "shell/output.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace weir::shell {

Output::Output(std::ostream& standard, OutputFormat format, std::function<int()> terminal_width)
    : standard_(standard), format_(format), terminal_width_(std::move(terminal_width)) {}

Status Output::WriteTo(const std::string& path) {
  auto file = std::make_unique<std::ofstream>(path, std::ios::binary | std::ios::trunc);
  if (!*file) {
    return Status(ErrorCode::kIoError,
                  fmt::format("a file cannot be written ({}): {}", std::strerror(errno), path));
  }
  file_ = std::move(file);
  return OkStatus();
}

bool Output::for_people() const {
  return !file_ && terminal_width_() > 0 &&
         (format_ == OutputFormat::kTable || format_ == OutputFormat::kVertical);
}

std::unique_ptr<Renderer> Output::NewRenderer(const Schema& schema, bool show_ops) {
  const RenderOptions options{
      .format = format_, .width = file_ ? 0 : terminal_width_(), .show_ops = show_ops};
  return MakeRenderer(options, schema, stream());
}

}  // namespace weir::shell
