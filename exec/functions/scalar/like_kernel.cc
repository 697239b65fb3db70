// text LIKE pattern [ESCAPE c]: % stands for any characters, _ for one. A constant pattern is taken
// apart once; the frequent shapes (abc, abc%, %abc, %abc%) become searches.

#include <string>

#include "base/interrupt.h"
#include "exec/column/bits.h"
#include "exec/functions/scalar/operator_kernels.h"
#include "exec/functions/scalar/unicode_text.h"

namespace weir {
namespace {

/// A pattern as bytes and two signs.
class LikePattern {
 public:
  LikePattern(std::string_view pattern, std::string_view escape) {
    for (size_t i = 0; i < pattern.size(); ++i) {
      if (!escape.empty() && pattern.substr(i).starts_with(escape) &&
          i + escape.size() < pattern.size()) {
        i += escape.size();
        tokens_.push_back(static_cast<uint8_t>(pattern[i]));
      } else if (pattern[i] == '%') {
        if (tokens_.empty() || tokens_.back() != kAnyText) tokens_.push_back(kAnyText);
      } else if (pattern[i] == '_') {
        tokens_.push_back(kAnyCharacter);
      } else {
        tokens_.push_back(static_cast<uint8_t>(pattern[i]));
      }
    }
    ChooseShape();
  }

  bool Matches(std::string_view text) const {
    switch (shape_) {
      case Shape::kExact: return text == literal_;
      case Shape::kPrefix: return text.starts_with(literal_);
      case Shape::kSuffix: return text.ends_with(literal_);
      case Shape::kContains: return FindText(text, literal_) != std::string_view::npos;
      case Shape::kGeneral: return MatchesTokens(text);
    }
    return false;
  }

 private:
  enum class Shape : uint8_t { kExact, kPrefix, kSuffix, kContains, kGeneral };
  static constexpr uint16_t kAnyText = 256;
  static constexpr uint16_t kAnyCharacter = 257;

  void ChooseShape() {
    const bool open_front = !tokens_.empty() && tokens_.front() == kAnyText;
    const bool open_back = tokens_.size() > (open_front ? 1u : 0u) && tokens_.back() == kAnyText;
    for (size_t i = open_front; i + open_back < tokens_.size(); ++i) {
      if (tokens_[i] >= kAnyText) return;
      literal_ += static_cast<char>(tokens_[i]);
    }
    shape_ = open_front ? (open_back || literal_.empty() ? Shape::kContains : Shape::kSuffix)
                        : (open_back ? Shape::kPrefix : Shape::kExact);
  }

  static size_t CharacterSize(char lead) {
    const uint8_t byte = static_cast<uint8_t>(lead);
    return byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
  }

  /// Greedy with one point to come back to: the last % and the text it had eaten up to.
  bool MatchesTokens(std::string_view text) const {
    size_t at = 0, token = 0, retry_at = 0;
    size_t retry_token = std::string_view::npos;
    size_t retries = 0;
    while (at < text.size()) {
      if (token < tokens_.size() && tokens_[token] == kAnyText) {
        retry_token = ++token;
        retry_at = at;
        continue;
      }
      if (token < tokens_.size() && tokens_[token] == kAnyCharacter) {
        at = std::min(at + CharacterSize(text[at]), text.size());
        ++token;
        continue;
      }
      if (token < tokens_.size() && tokens_[token] == static_cast<uint8_t>(text[at])) {
        ++at;
        ++token;
        continue;
      }
      if (retry_token == std::string_view::npos) return false;
      if ((++retries & 0xFFF) == 0) CheckInterrupt();
      retry_at = std::min(retry_at + CharacterSize(text[retry_at]), text.size());
      at = retry_at;
      token = retry_token;
    }
    while (token < tokens_.size() && tokens_[token] == kAnyText) ++token;
    return token == tokens_.size();
  }

  std::vector<uint16_t> tokens_;
  std::string literal_;
  Shape shape_ = Shape::kGeneral;
};

}  // namespace

Result<std::shared_ptr<const void>> PrepareLike(std::span<const Value* const> constants,
                                                std::span<const DataType>) {
  std::shared_ptr<const void> state;
  for (size_t i = 1; i < constants.size(); ++i) {
    if (constants[i] == nullptr || constants[i]->is_null()) return state;
  }
  const std::string escape = constants.size() > 2 ? constants[2]->as<std::string>() : std::string();
  state = std::make_shared<const LikePattern>(constants[1]->as<std::string>(), escape);
  return state;
}

void LikeKernel(const KernelCall& call, ColumnBuilder& out) {
  uint64_t* words = out.FillBits(call.rows, call.active);
  std::memset(words, 0, static_cast<size_t>(WordCount(call.rows)) * 8);
  const Column& texts = *call.args[0];
  const auto set = [&](int32_t row, bool value) {
    words[row >> 6] |= static_cast<uint64_t>(value) << (row & 63);
  };
  if (const auto* pattern = static_cast<const LikePattern*>(call.state); pattern != nullptr) {
    ForEachSetBit(call.active, call.rows,
                  [&](int32_t row) { set(row, pattern->Matches(texts.GetString(row))); });
    return;
  }
  // Patterns in a column are often the same over many rows.
  std::string last_pattern, last_escape;
  LikePattern pattern("", "");
  ForEachSetBit(call.active, call.rows, [&](int32_t row) {
    const std::string_view text = call.args[1]->GetString(row);
    const std::string_view escape =
        call.args.size() > 2 ? call.args[2]->GetString(row) : std::string_view();
    if (text != last_pattern || escape != last_escape) {
      last_pattern = text;
      last_escape = escape;
      pattern = LikePattern(text, escape);
    }
    set(row, pattern.Matches(texts.GetString(row)));
  });
}

}  // namespace weir
