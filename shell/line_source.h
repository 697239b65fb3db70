#pragma once

// Where the prompt gets its lines from: a terminal (line_editor.h), a descriptor or any stream.

#include <istream>
#include <string>
#include <string_view>
#include <utility>

#include "shell/prompt/interrupts.h"

namespace weir::shell {

enum class ReadResult {
  kLine,
  kEnd,          ///< End of the input, or the program is asked to end.
  kInterrupted,  ///< Ctrl-C at the prompt: what was typed is to be forgotten.
};

class LineSource {
 public:
  virtual ~LineSource() = default;
  /// Reads one line without its line break into `line`.
  virtual ReadResult Read(std::string_view prompt, std::string* line) = 0;
  /// Remembers a whole statement for later recall.
  virtual void AddHistory(std::string_view statement) {}
  /// What the next line goes on with: the statement so far, for completion.
  virtual void SetStatement(std::string_view text) {}
  /// True if there is input that has not been given out. Does not wait.
  virtual bool HasMore() { return false; }
};

/// Lines of a stream; prompts are not shown.
class StreamLineSource : public LineSource {
 public:
  explicit StreamLineSource(std::istream& in) : in_(in) {}
  ReadResult Read(std::string_view prompt, std::string* line) override {
    return std::getline(in_, *line) ? ReadResult::kLine : ReadResult::kEnd;
  }

 private:
  std::istream& in_;
};

/// Lines of a descriptor, such as a pipe into the program; a stop ends the wait for the next one.
class DescriptorLineSource : public LineSource {
 public:
  DescriptorLineSource(int descriptor, Interrupts& interrupts)
      : descriptor_(descriptor), interrupts_(interrupts) {}
  ReadResult Read(std::string_view prompt, std::string* line) override;
  bool HasMore() override;

 private:
  /// Adds what the descriptor has to the text; false at its end.
  bool ReadSome();

  const int descriptor_;
  Interrupts& interrupts_;
  std::string text_;  // Read and not given out, from at_ on.
  size_t at_ = 0;
};

}  // namespace weir::shell
