// Patterns of a date and a time of fixed width (yyyy-MM-dd HH:mm:ss), as most columns of times have
// them: their texts are checked and read without going through the elements.

#include "exec/functions/scalar/java_date_format.h"

#include <algorithm>
#include <cstring>

#include "base/time_text.h"

namespace weir {
namespace {

bool IsDate(int year, int month, int day) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1) return false;
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return day <= kDays[month - 1] + (leap && month == 2 ? 1 : 0);
}

/// Days since 1970-01-01 of a date from the year 1 on. Years begin in March here, so that the leap
/// day is their last.
int64_t DaysOf(int year, int month, int day) {
  const int from_march = month > 2 ? month - 3 : month + 9;
  const int64_t years = month > 2 ? year : year - 1;
  const int64_t day_of_year = (153 * from_march + 2) / 5 + day - 1;
  return years * 365 + years / 4 - years / 100 + years / 400 + day_of_year - 719468;
}

uint64_t LoadWord(const char* from) {
  uint64_t word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

}  // namespace

void JavaDateFormat::FindFixedShape() {
  constexpr std::string_view kLetters = "yMdHms";
  std::string shape;
  unsigned seen = 0;
  for (const Element& element : elements_) {
    if (element.kind == Kind::kLiteral) {
      if (element.literal.find('0') != std::string::npos) return;  // It stands for digits here.
      shape += element.literal;
      continue;
    }
    const size_t part = kLetters.find(element.letter);
    if (element.kind != Kind::kNumber || part == std::string_view::npos) return;
    if (element.count != (part == 0 ? 4 : 2) || (seen >> part & 1) != 0) return;
    seen |= 1u << part;
    shape_at_[part] = static_cast<uint8_t>(shape.size());
    shape.append(static_cast<size_t>(element.count), '0');
  }
  if (seen != 63 || shape.size() >= 64) return;
  for (char c : shape) {
    shape_sixes_.push_back(c == '0' ? '\x06' : '\0');
    shape_mask_.push_back(c == '0' ? '\xF0' : '\xFF');
  }
  shape_ = std::move(shape);
}

/// Eight bytes at a time, the last ones twice: digits where the shape has them, all else the same.
bool JavaDateFormat::HasShape(const char* text) const {
  uint64_t wrong = 0;
  const size_t last = shape_.size() - 8;
  for (size_t at = 0;; at = std::min(at + 8, last)) {
    // A digit differs from '0' in its low half, by 9 at most: then adding 6 does not carry.
    const uint64_t differs = LoadWord(text + at) ^ LoadWord(shape_.data() + at);
    wrong |= (differs | (differs + LoadWord(shape_sixes_.data() + at))) &
             LoadWord(shape_mask_.data() + at);
    if (at == last) return wrong == 0;
  }
}

/// Reads texts of the fixed shape; false says nothing about others.
bool JavaDateFormat::ReadFixed(std::string_view text, int64_t& local_ms) const {
  if (shape_.empty() || text.size() != shape_.size() || !HasShape(text.data())) return false;
  const auto two = [&](size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
  const int year = two(shape_at_[0]) * 100 + two(shape_at_[0] + 2u);
  const int month = two(shape_at_[1]), day = two(shape_at_[2]);
  const int hour = two(shape_at_[3]), minute = two(shape_at_[4]), second = two(shape_at_[5]);
  if (year < 1 || hour > 23 || minute > 59 || second > 59 || !IsDate(year, month, day)) {
    return false;
  }
  local_ms = DaysOf(year, month, day) * kMillisPerDay + (hour * 3600 + minute * 60 + second) * 1000;
  return true;
}

}  // namespace weir
