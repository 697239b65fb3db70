#include "shell/render/output.h"

#include <fmt/format.h>
#include <poll.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace weir::shell {
namespace {

/// Lines that a page leaves free on the screen for the prompt.
constexpr int kPromptLines = 2;

}  // namespace

Output::Output(std::ostream& standard, OutputFormat format, std::function<int()> terminal_width)
    : standard_(standard), format_(format), terminal_width_(std::move(terminal_width)) {}

Status Output::WriteTo(const std::string& path) {
  auto file = std::make_unique<std::ofstream>(path, std::ios::binary | std::ios::trunc);
  if (!*file) {
    return Status(ErrorCode::kIoError,
                  fmt::format("a file cannot be written ({}): {}", std::strerror(errno), path));
  }
  file_ = std::move(file);
  path_ = path;
  return OkStatus();
}

void Output::WriteToStandard() {
  file_.reset();
  path_.clear();
}

bool Output::for_people() const {
  return on_terminal() && (format_ == OutputFormat::kTable || format_ == OutputFormat::kVertical);
}

bool Output::reader_gone() const {
  if (file_ || descriptor_ < 0) return false;
  pollfd output = {descriptor_, 0, 0};
  return poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

int64_t Output::rows_max() const { return for_people() && !page_ ? rows_max_ : 0; }

Output::Page::Page(Output& output) : output_(output) {
  if (output.pager_.empty() || !output.on_terminal() || output.page_) return;
  const int lines = output.terminal_lines_ ? output.terminal_lines_() : 0;
  if (lines <= kPromptLines) return;
  output.page_ = std::make_unique<PagedText>(output.standard_, output.pager_, lines - kPromptLines,
                                             output.pager_running_);
}

Output::Page::~Page() { output_.page_.reset(); }

std::unique_ptr<Renderer> Output::NewRenderer(const Schema& schema, bool show_ops,
                                              bool plain_text) {
  const bool terminal = on_terminal();
  const RenderOptions options{.format = format_,
                              .width = !terminal    ? 0
                                       : width_ > 0 ? width_
                                                    : terminal_width_(),
                              .terminal = terminal,
                              .show_ops = show_ops,
                              .plain_text = plain_text};
  return MakeRenderer(options, schema, stream());
}

}  // namespace weir::shell
