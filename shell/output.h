#pragma once

// Where results go and how they look: stdout or a file, in one of the output formats.

#include <fstream>
#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "shell/render/renderer.h"
#include "weir/status.h"

namespace weir::shell {

/// Not thread-safe. The standard stream must outlive it.
class Output {
 public:
  /// `terminal_width` gives the width at the time of the call, 0 where there is no terminal.
  Output(std::ostream& standard, OutputFormat format, std::function<int()> terminal_width);

  std::ostream& stream() { return file_ ? *file_ : standard_; }
  OutputFormat format() const { return format_; }
  void set_format(OutputFormat format) { format_ = format; }
  /// Results go to the file `path`, which is made anew. On failure nothing changes.
  Status WriteTo(const std::string& path);
  /// Results go to the standard stream again.
  void WriteToStandard() { file_.reset(); }
  /// True when a person reads: what only people want, such as a row count, may be written too.
  bool for_people() const;
  /// False once a write failed, as when the reader of a pipe has gone.
  bool good() { return stream().good(); }

  std::unique_ptr<Renderer> NewRenderer(const Schema& schema, bool show_ops);

 private:
  std::ostream& standard_;
  OutputFormat format_;
  std::function<int()> terminal_width_;
  std::unique_ptr<std::ofstream> file_;
};

}  // namespace weir::shell
