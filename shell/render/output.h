#pragma once

// Where results go and how they look: stdout or a file, in one of the output formats; on a terminal
// fitted to its width, with a bound on rows, or through a pager.

#include <cstdint>
#include <fstream>
#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "shell/prompt/pager.h"
#include "shell/render/renderer.h"
#include "weir/status.h"

namespace weir::shell {

/// Rows of one result that a table for people shows, unless .maxrows says otherwise.
inline constexpr int64_t kRowsShownMax = 40;

/// Not thread-safe. The standard stream must outlive it.
class Output {
 public:
  /// `terminal_width` gives the width at the time of the call, 0 where there is no terminal.
  Output(std::ostream& standard, OutputFormat format, std::function<int()> terminal_width);

  std::ostream& stream() { return file_ ? *file_ : page_ ? *page_ : standard_; }
  OutputFormat format() const { return format_; }
  void set_format(OutputFormat format) { format_ = format; }
  /// Results go to the file `path`, which is made anew. On failure nothing changes.
  Status WriteTo(const std::string& path);
  /// Results go to the standard stream again.
  void WriteToStandard();
  const std::string& path() const { return path_; }  ///< Of WriteTo; empty: the standard stream.
  /// True when a person reads: what only people want, such as a row count, may be written too.
  bool for_people() const;
  /// False once a write failed, as when the reader of a pipe has gone.
  bool good() { return stream().good(); }
  /// The descriptor behind the standard stream, where there is one.
  void set_descriptor(int descriptor) { descriptor_ = descriptor; }
  /// True when nobody reads the standard stream any more. Asks the system.
  bool reader_gone() const;

  /// Rows of a result with an end that are shown; 0: all. Only for people, and not with a pager.
  int64_t rows_max() const;
  int64_t rows_max_set() const { return rows_max_; }
  void set_rows_max(int64_t rows) { rows_max_ = rows; }
  /// Tables are as wide as this; 0: as the terminal.
  int width_set() const { return width_; }
  void set_width(int columns) { width_ = columns; }
  /// The command that shows what is longer than the screen; empty: none.
  const std::string& pager() const { return pager_; }
  void set_pager(std::string command) { pager_ = std::move(command); }
  /// Told when a pager starts and when it has ended.
  void set_pager_running(std::function<void(bool)> told) { pager_running_ = std::move(told); }
  /// Lines of the terminal at the time of the call.
  void set_terminal_lines(std::function<int()> lines) { terminal_lines_ = std::move(lines); }

  /// While it lives, what is written goes through the pager, if there is one. Do not nest.
  class Page {
   public:
    explicit Page(Output& output);
    ~Page();
    Page(const Page&) = delete;
    Page& operator=(const Page&) = delete;
    /// The user has ended the pager: what follows interests nobody.
    bool ended() const { return output_.page_ && !output_.page_->good(); }

   private:
    Output& output_;
  };

  std::unique_ptr<Renderer> NewRenderer(const Schema& schema, bool show_ops,
                                        bool plain_text = false);

 private:
  bool on_terminal() const { return !file_ && terminal_width_() > 0; }

  std::ostream& standard_;
  OutputFormat format_;
  std::function<int()> terminal_width_;
  std::function<int()> terminal_lines_;
  std::function<void(bool)> pager_running_;
  int descriptor_ = -1;
  int width_ = 0;
  int64_t rows_max_ = kRowsShownMax;
  std::string pager_;
  std::string path_;
  std::unique_ptr<std::ofstream> file_;
  std::unique_ptr<PagedText> page_;
};

}  // namespace weir::shell
