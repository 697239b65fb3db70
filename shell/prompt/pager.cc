#include "shell/prompt/pager.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <streambuf>
#include <string_view>
#include <utility>

#include "shell/render/display_width.h"

extern char** environ;

namespace weir::shell {
namespace {

/// Starts `command` with what is written to `*to` as its input. The program's own threads block the
/// signals that it listens for, and it ignores SIGPIPE: a child must not begin with either.
pid_t StartPager(const std::string& command, int* to) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::string shell = "sh";
  std::string option = "-c";
  std::string text = command;
  char* arguments[] = {shell.data(), option.data(), text.data(), nullptr};
  pid_t pid = -1;
  if (posix_spawn(&pid, "/bin/sh", &actions, &attributes, arguments, environ) != 0) pid = -1;
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[0]);
  if (pid < 0) {
    close(ends[1]);
  } else {
    *to = ends[1];
  }
  return pid;
}

}  // namespace

class PagedText::Buffer : public std::streambuf {
 public:
  Buffer(std::ostream& terminal, std::string command, int screen_lines,
         std::function<void(bool)> running)
      : terminal_(terminal),
        command_(std::move(command)),
        running_(std::move(running)),
        lines_left_(screen_lines) {}

  ~Buffer() override {
    if (pid_ < 0) {
      terminal_ << held_ << std::flush;
      return;
    }
    PassOn(held_.size());
    close(to_);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    if (running_) running_(false);
  }

 protected:
  int_type overflow(int_type c) override {
    if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
    const char byte = traits_type::to_char_type(c);
    return xsputn(&byte, 1) == 1 ? c : traits_type::eof();
  }
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    held_.append(text, static_cast<size_t>(size));
    lines_left_ -= std::count(text, text + size, '\n');
    if (lines_left_ < 0 && pid_ < 0 && !failed_) {
      terminal_.flush();
      pid_ = StartPager(command_, &to_);
      failed_ = pid_ < 0;
      if (!failed_ && running_) running_(true);
    }
    if (failed_) {
      terminal_ << std::exchange(held_, {});
      return size;
    }
    // Whole lines only, so that no character is cut.
    if (pid_ >= 0) PassOn(held_.rfind('\n') + 1);
    return gone_ ? 0 : size;
  }

 private:
  void PassOn(size_t size) {
    const std::string safe = SafeText(std::string_view(held_).substr(0, size), Escape::kLines);
    held_.erase(0, size);
    std::string_view rest = safe;
    while (!rest.empty() && !gone_) {
      const ssize_t written = ::write(to_, rest.data(), rest.size());
      if (written > 0) {
        rest.remove_prefix(static_cast<size_t>(written));
      } else if (errno != EINTR) {
        gone_ = true;
      }
    }
  }

  std::ostream& terminal_;
  const std::string command_;
  const std::function<void(bool)> running_;
  std::ptrdiff_t lines_left_;
  std::string held_;
  pid_t pid_ = -1;
  int to_ = -1;
  bool failed_ = false;  // The pager could not be started.
  bool gone_ = false;    // Its user has seen enough.
};

PagedText::PagedText(std::ostream& terminal, std::string command, int screen_lines,
                     std::function<void(bool)> running)
    : std::ostream(nullptr),
      buffer_(std::make_unique<Buffer>(terminal, std::move(command), screen_lines,
                                       std::move(running))) {
  rdbuf(buffer_.get());
}

PagedText::~PagedText() { rdbuf(nullptr); }

}  // namespace weir::shell
