#pragma once

// Where the prompt gets its lines from: a terminal (line_editor.h) or any stream.

#include <istream>
#include <string>
#include <string_view>

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

}  // namespace weir::shell
