#include "shell/prompt/line_editor.h"

#include <histedit.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cwchar>
#include <deque>
#include <filesystem>

#include "shell/prompt/completion.h"
#include "shell/render/display_width.h"

namespace weir::shell {
namespace {

constexpr int kHistoryStatementsMax = 2000;
constexpr int kCandidateLinesMax = 20;
constexpr int kEditorWidthDefault = 80;
constexpr const char* kPasteOn = "\x1b[?2004h";
constexpr const char* kPasteOff = "\x1b[?2004l";
constexpr std::string_view kPasteEnd = "\x1b[201~";

}  // namespace

struct LineEditor::State {
  EditLine* editor = nullptr;
  History* history = nullptr;
  std::string history_file;
  std::string prompt;
  std::string statement;  // The lines in front of the one that is edited.
  Completer completer;
  Interrupts* interrupts = nullptr;
  bool interrupted = false;
  /// Lines of a paste that have not been read yet; the last one is still to be edited.
  std::deque<std::string> pasted_lines;
  std::string pasted_rest;

  static State& Of(EditLine* editor) {
    void* data = nullptr;
    el_get(editor, EL_CLIENTDATA, &data);
    return *static_cast<State*>(data);
  }
  static char* Prompt(EditLine* editor) { return Of(editor).prompt.data(); }

  /// One byte of the terminal; false at its end or when the program is asked to end.
  bool ReadByte(char* byte) const {
    pollfd fds[2] = {{STDIN_FILENO, POLLIN, 0}, {interrupts->termination_fd(), POLLIN, 0}};
    while (poll(fds, 2, -1) < 0 && errno == EINTR) {
    }
    if (fds[1].revents != 0) return false;
    return read(STDIN_FILENO, byte, 1) == 1;
  }

  static int ReadCharacter(EditLine* editor, wchar_t* out) {
    const State& state = Of(editor);
    mbstate_t decoding{};
    for (;;) {
      char byte = 0;
      if (!state.ReadByte(&byte)) return 0;
      const size_t got = std::mbrtowc(out, &byte, 1, &decoding);
      if (got == static_cast<size_t>(-1)) {
        *out = L'?';
        return 1;
      }
      if (got != static_cast<size_t>(-2)) return 1;
    }
  }

  static unsigned char OnInterrupt(EditLine* editor, int) {
    Of(editor).interrupted = true;
    return CC_NEWLINE;
  }

  static int Width(EditLine* editor) {
    int columns = 0;
    const bool known = el_get(editor, EL_GETTC, "co", &columns) == 0 && columns > 0;
    return known ? columns : kEditorWidthDefault;
  }

  static unsigned char OnTab(EditLine* editor, int) {
    State& state = Of(editor);
    const LineInfo* info = el_line(editor);
    const std::string_view line(info->buffer, static_cast<size_t>(info->lastchar - info->buffer));
    const size_t cursor = static_cast<size_t>(info->cursor - info->buffer);
    const Completion completion = state.completer(state.statement, line, cursor);
    const std::vector<Candidate>& candidates = completion.candidates;
    if (candidates.empty()) return CC_REFRESH_BEEP;
    const std::string_view typed = line.substr(completion.begin, cursor - completion.begin);
    const std::string common = candidates.size() == 1 ? candidates[0].text + candidates[0].suffix
                                                      : CommonPrefix(candidates);
    // What is common may be shorter than what was typed where only the case differs.
    if (candidates.size() == 1 || common.size() > typed.size()) {
      // The editor counts characters.
      const auto characters = std::count_if(typed.begin(), typed.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
      });
      el_deletestr(editor, static_cast<int>(characters));
      el_insertstr(editor, common.c_str());
      return CC_REFRESH;
    }
    std::fputc('\n', stdout);
    std::fputs(CandidateColumns(candidates, Width(editor), kCandidateLinesMax).c_str(), stdout);
    std::fflush(stdout);
    return CC_REDISPLAY;
  }

  /// A paste began: take all of it as text. Its first line goes into the line being edited; the
  /// others are handed out by the reads that follow.
  static unsigned char OnPaste(EditLine* editor, int) {
    State& state = Of(editor);
    std::string text;
    char byte = 0;
    while (!text.ends_with(kPasteEnd) && state.ReadByte(&byte)) {
      text.push_back(byte == '\r' ? '\n' : byte == '\t' ? ' ' : byte);
    }
    if (text.ends_with(kPasteEnd)) text.resize(text.size() - kPasteEnd.size());
    const size_t first_end = text.find('\n');
    const std::string first = text.substr(0, first_end);
    el_insertstr(editor, first.c_str());
    if (first_end == std::string::npos) return CC_REFRESH;
    // libedit draws nothing when a line ends: show what it has not shown yet.
    std::fputs(Printable(first).c_str(), stdout);
    size_t begin = first_end + 1;
    for (size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
      state.pasted_lines.push_back(text.substr(begin, end - begin));
    }
    state.pasted_rest = text.substr(begin);
    return CC_NEWLINE;
  }
};

LineEditor::LineEditor(std::string history_file, Completer completer, Interrupts& interrupts)
    : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.history_file = std::move(history_file);
  state.completer = std::move(completer);
  state.interrupts = &interrupts;
  state.history = history_init();
  HistEvent event;
  history(state.history, &event, H_SETSIZE, kHistoryStatementsMax);
  history(state.history, &event, H_SETUNIQUE, 1);
  if (!state.history_file.empty()) {
    history(state.history, &event, H_LOAD, state.history_file.c_str());
  }
  EditLine* editor = el_init("weir", stdin, stdout, stderr);
  state.editor = editor;
  el_set(editor, EL_CLIENTDATA, &state);
  el_set(editor, EL_PROMPT, &State::Prompt);
  el_set(editor, EL_EDITOR, "emacs");
  el_set(editor, EL_SIGNAL, 0);
  el_set(editor, EL_HIST, history, state.history);
  el_set(editor, EL_GETCFN, &State::ReadCharacter);
  el_set(editor, EL_ADDFN, "weir-interrupt", "Forget the statement", &State::OnInterrupt);
  el_set(editor, EL_ADDFN, "weir-complete", "Complete the word", &State::OnTab);
  el_set(editor, EL_ADDFN, "weir-paste", "Take a paste as text", &State::OnPaste);
  // Ctrl-C is a key while a line is edited; only while a query runs is it a signal.
  el_set(editor, EL_SETTY, "-d", "-isig", nullptr);
  el_set(editor, EL_BIND, "^C", "weir-interrupt", nullptr);
  el_set(editor, EL_BIND, "^I", "weir-complete", nullptr);
  el_set(editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  el_set(editor, EL_BIND, "\\e[200~", "weir-paste", nullptr);
  el_source(editor, nullptr);
}

LineEditor::~LineEditor() {
  el_end(state_->editor);
  history_end(state_->history);
}

ReadResult LineEditor::Read(std::string_view prompt, std::string* line) {
  State& state = *state_;
  state.prompt = prompt;
  if (!state.pasted_lines.empty()) {
    *line = std::move(state.pasted_lines.front());
    state.pasted_lines.pop_front();
    std::printf("%s%s\n", state.prompt.c_str(), Printable(*line).c_str());
    return ReadResult::kLine;
  }
  if (!state.pasted_rest.empty()) {
    el_push(state.editor, state.pasted_rest.c_str());
    state.pasted_rest.clear();
  }
  state.interrupted = false;
  std::fputs(kPasteOn, stdout);
  std::fflush(stdout);
  int length = 0;
  const char* text = el_gets(state.editor, &length);
  std::fputs(kPasteOff, stdout);
  if (state.interrupted) {
    std::fputs("\n", stdout);
    std::fflush(stdout);
    state.pasted_lines.clear();
    state.pasted_rest.clear();
    return ReadResult::kInterrupted;
  }
  if (text == nullptr || length <= 0) {
    std::fputs("\n", stdout);
    std::fflush(stdout);
    return ReadResult::kEnd;
  }
  std::fflush(stdout);
  line->assign(text, static_cast<size_t>(length));
  while (!line->empty() && line->back() == '\n') line->pop_back();
  return ReadResult::kLine;
}

void LineEditor::SetStatement(std::string_view text) { state_->statement = text; }

void LineEditor::AddHistory(std::string_view statement) {
  if (statement.empty()) return;
  HistEvent event;
  history(state_->history, &event, H_ENTER, std::string(statement).c_str());
  if (!state_->history_file.empty()) {
    // A history that cannot be written is no reason to trouble anybody.
    history(state_->history, &event, H_SAVE, state_->history_file.c_str());
  }
}

std::string HistoryFile() {
  std::filesystem::path directory;
  if (const char* state_home = std::getenv("XDG_STATE_HOME"); state_home && *state_home) {
    directory = state_home;
  } else if (const char* home = std::getenv("HOME"); home && *home) {
    directory = std::filesystem::path(home) / ".local" / "state";
  } else {
    return {};
  }
  directory /= "weir";
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  return error ? std::string() : (directory / "history").string();
}

}  // namespace weir::shell
