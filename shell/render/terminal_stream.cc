#include "shell/render/terminal_stream.h"

#include <streambuf>
#include <string>

#include "shell/render/display_width.h"

namespace weir::shell {
namespace {

constexpr size_t kHeldBytesMax = 16 * 1024;
constexpr std::string_view kWipe = "\r\x1b[K";

/// How many bytes at the end of `text` may be the begin of a character that is not complete.
size_t OpenCharacter(std::string_view text) {
  for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xC0) == 0x80) continue;
    const size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

}  // namespace

class TerminalStream::Buffer : public std::streambuf {
 public:
  explicit Buffer(std::ostream& terminal) : terminal_(terminal) {}

  void WriteRaw(std::string_view text) {
    PassOn(held_.size());
    terminal_ << text;
  }

 protected:
  int_type overflow(int_type c) override {
    if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
    held_.push_back(traits_type::to_char_type(c));
    return Settle() ? c : traits_type::eof();
  }
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    held_.append(text, static_cast<size_t>(size));
    return Settle() ? size : 0;
  }
  int sync() override {
    PassOn(held_.size());
    terminal_.flush();
    return terminal_.good() ? 0 : -1;
  }

 private:
  bool Settle() {
    if (held_.size() >= kHeldBytesMax) PassOn(held_.size() - OpenCharacter(held_));
    return terminal_.good();
  }
  void PassOn(size_t size) {
    terminal_ << SafeText(std::string_view(held_).substr(0, size), Escape::kLines);
    held_.erase(0, size);
  }

  std::ostream& terminal_;
  std::string held_;
};

TerminalStream::TerminalStream(std::ostream& terminal)
    : std::ostream(nullptr), buffer_(std::make_unique<Buffer>(terminal)) {
  rdbuf(buffer_.get());
}

TerminalStream::~TerminalStream() {
  flush();
  rdbuf(nullptr);
}

std::ostream& WipeLine(std::ostream& out) {
  if (auto* terminal = dynamic_cast<TerminalStream*>(&out)) {
    terminal->buffer_->WriteRaw(kWipe);
    return out;
  }
  return out << kWipe;
}

}  // namespace weir::shell
