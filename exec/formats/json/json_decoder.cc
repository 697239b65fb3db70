#include "exec/formats/json/json_decoder.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "exec/formats/json/bracket_count.h"
#include "exec/formats/json/json_keys.h"
#include "exec/formats/json/json_structure.h"
#include "exec/formats/json/json_value.h"

namespace weir {
namespace {

/// Bytes indexed at a time: text, positions and the columns built from them stay in the L2 cache.
constexpr uint32_t kGroupBytesMax = 64 * 1024;
/// Blanks between two records that still count as standing side by side.
constexpr uint32_t kGapBytesMax = 4;
constexpr size_t kPadding = 64;

/// +1 for what opens, -1 for what closes.
constexpr std::array<int8_t, 256> MakeNesting() {
  std::array<int8_t, 256> table{};
  table['{'] = table['['] = 1;
  table['}'] = table[']'] = -1;
  return table;
}
constexpr auto kNesting = MakeNesting();

bool IsBlank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

/// What a value begins with.
enum class ValueStart : uint8_t { kScalar, kOpens, kNone };
constexpr std::array<ValueStart, 256> MakeValueStarts() {
  std::array<ValueStart, 256> table{};
  table['{'] = table['['] = ValueStart::kOpens;
  table['}'] = table[']'] = table[','] = table[':'] = ValueStart::kNone;
  return table;
}
constexpr auto kValueStarts = MakeValueStarts();

/// A needed column: how to read it and where the record under way has it.
struct Needed {
  int column = 0;
  JsonPlan plan;
  ColumnBuilder builder;
  std::string name;
  const uint32_t* value = nullptr;  ///< Null: nowhere.
  bool exact = false;               ///< It stands under the column's own name.

  Needed(int index, const FormatColumn& from)
      : column(index), plan(from.type), builder(from.type), name(from.name) {}
};

bool IsTrue(const FormatSpec& spec, const char* property) {
  const auto found = spec.properties.find(property);
  return found != spec.properties.end() && EqualsUpperCased(found->second, "TRUE");
}

/// Names of the needed columns; a name without lower-case letters has other spellings too.
std::vector<JsonKeys::Name> NamesOf(const std::vector<FormatColumn>& columns) {
  std::vector<JsonKeys::Name> names;
  for (const FormatColumn& column : columns) {
    if (!column.needed) continue;
    names.push_back({column.name, std::none_of(column.name.begin(), column.name.end(),
                                               [](char c) { return c >= 'a' && c <= 'z'; })});
  }
  return names;
}

/// The structural position after the bracket that closes the one at `at`, or null if it does not
/// close before `stop`.
inline const uint32_t* FindClose(const char* text, const uint32_t* at, const uint32_t* stop) {
  auto nesting = [text](const uint32_t* position) {
    return kNesting[static_cast<uint8_t>(text[*position])];
  };
  int depth = 1;
  for (++at; at < stop;) {
    // Most positions are no brackets: look at four with one branch.
    while (at + 4 <= stop &&
           (nesting(at) | nesting(at + 1) | nesting(at + 2) | nesting(at + 3)) == 0) {
      at += 4;
    }
    for (int i = 0; i < 4 && at < stop; ++i, ++at) {
      depth += nesting(at);
      if (depth == 0) return at + 1;
    }
  }
  return nullptr;
}

/// Integers of up to 18 digits that reach to `stop`; false: look again, slowly.
inline bool ReadShortInteger(const char* p, const char* stop, int64_t& out) {
  const bool negative = *p == '-';
  p += negative;
  const auto length = stop - p;
  if (length < 1 || length > 18 || (*p == '0' && length > 1)) return false;
  int64_t value = 0;
  for (; p < stop; ++p) {
    const auto digit = static_cast<unsigned char>(*p - '0');
    if (digit > 9) return false;
    value = value * 10 + digit;
  }
  out = negative ? -value : value;
  return true;
}

constexpr double kPowersOfTen[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

/// Decimal fractions of up to 15 digits that reach to `stop`: mantissa and power of ten are exact
/// doubles, so one division rounds right.
inline bool ReadShortDouble(const char* p, const char* stop, double& out) {
  const bool negative = *p == '-';
  p += negative;
  const auto length = stop - p;
  if (length < 1 || length > 16) return false;
  const char* start = p;
  uint64_t mantissa = 0;
  for (; p < stop && static_cast<unsigned char>(*p - '0') <= 9; ++p) {
    mantissa = mantissa * 10 + static_cast<unsigned char>(*p - '0');
  }
  const auto whole = p - start;
  if (whole == 0 || (whole > 1 && *start == '0')) return false;
  double value;
  if (p == stop) {
    if (length > 15) return false;
    value = static_cast<double>(mantissa);
  } else {
    if (*p != '.' || p + 1 == stop) return false;
    const char* fraction = ++p;
    for (; p < stop; ++p) {
      const auto digit = static_cast<unsigned char>(*p - '0');
      if (digit > 9) return false;
      mantissa = mantissa * 10 + digit;
    }
    value = static_cast<double>(mantissa) / kPowersOfTen[p - fraction];
  }
  out = negative ? -value : value;
  return true;
}

class JsonDecoder final : public SideDecoder {
 public:
  JsonDecoder(const FormatSpec& spec, const std::vector<FormatColumn>& columns);
  Status Decode(const RecordBatch& records, DecodedSide& out) override;

 private:
  /// A record of the group under way: its row, and its bytes' place in the group's text. Null
  /// records have begin > end.
  struct Item {
    int32_t row;
    uint32_t begin;
    uint32_t end;
    bool is_null() const { return begin > end; }
  };

  void DecodeInPlace(const RecordBatch& records, const std::vector<Slice>& slices);
  void DecodeGathered(const RecordBatch& records, const std::vector<Slice>& slices);
  void AddItem(int32_t row, uint32_t begin, uint32_t end) {
    items_[item_count_++] = {row, begin, end};
  }
  void DecodeGroup();
  bool AllFlat() const;
  void DecodeAlone(const Item& item);
  RowState DecodeUnwrapped(const char* begin, const char* end);
  RowState DecodeWrapped(const char* begin, const char* end);
  const uint32_t* DecodeObject(const uint32_t* at, const uint32_t* stop, uint32_t begin,
                               uint32_t end);
  const uint32_t* FindFlatValues(const uint32_t* at, const uint32_t* stop, uint32_t end);
  const uint32_t* FindValues(const uint32_t* at, const uint32_t* stop);
  bool ReadColumns(const JsonCursor& cursor);
  bool ReadColumn(Needed& needed, const JsonCursor& cursor);
  void AppendState(int32_t row, RowState state);

  bool is_key_;
  bool unwrapped_;
  bool strict_;
  size_t column_count_;
  std::vector<Needed> needed_;
  JsonKeys keys_;  // Of needed_.
  JsonStructure structure_;
  JsonValueReader reader_;

  // The batch under way.
  DecodedSide* out_ = nullptr;
  int32_t batch_rows_ = 0;
  std::string reason_;
  std::vector<Item> items_;  // Room for the batch; the group's are the first item_count_.
  size_t item_count_ = 0;
  bool all_flat_ = false;  // See AllFlat().
  const char* text_ = nullptr;
  uint32_t text_length_ = 0;
  BufferBuilder gathered_;
};

JsonDecoder::JsonDecoder(const FormatSpec& spec, const std::vector<FormatColumn>& columns)
    : is_key_(spec.is_key),
      unwrapped_(spec.unwrapped),
      strict_(IsTrue(spec, "STRICT.JSON")),
      column_count_(columns.size()),
      keys_(NamesOf(columns)) {
  needed_.reserve(columns.size());
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].needed) needed_.emplace_back(static_cast<int>(i), columns[i]);
  }
}

/// Closes the row: its columns' values are there, unless `state` says that they are not.
void JsonDecoder::AppendState(int32_t row, RowState state) {
  if (state == RowState::kOk) return;
  for (Needed& needed : needed_) {
    needed.builder.Truncate(row);
    needed.builder.AppendNull();
  }
  if (out_->states.empty()) out_->states.resize(static_cast<size_t>(batch_rows_), RowState::kOk);
  out_->states[static_cast<size_t>(row)] = state;
  if (state == RowState::kBad) out_->bad.push_back({row, reason_});
}

Status JsonDecoder::Decode(const RecordBatch& records, DecodedSide& out) {
  const std::vector<Slice>& slices = is_key_ ? records.keys : records.values;
  out_ = &out;
  out.states.clear();
  out.bad.clear();
  batch_rows_ = records.size();
  for (Needed& needed : needed_) needed.builder.Reserve(batch_rows_);
  const auto rows = static_cast<size_t>(batch_rows_);
  if (items_.size() < rows) items_.resize(rows);
  item_count_ = 0;
  // Values that stand side by side are read where they are; others are brought together first.
  bool side_by_side = true;
  for (size_t i = 1; i < slices.size() && i < 8; ++i) {
    if (slices[i].is_null() || slices[i - 1].is_null()) continue;
    const uint32_t before = slices[i - 1].begin + static_cast<uint32_t>(slices[i - 1].length);
    side_by_side &= slices[i].begin >= before && slices[i].begin - before <= kGapBytesMax;
  }
  if (unwrapped_ || side_by_side) {
    DecodeInPlace(records, slices);
  } else {
    DecodeGathered(records, slices);
  }
  out.columns.assign(column_count_, nullptr);
  for (Needed& needed : needed_) {
    out.columns[static_cast<size_t>(needed.column)] = needed.builder.Finish();
  }
  out_ = nullptr;
  return OkStatus();
}

void JsonDecoder::DecodeInPlace(const RecordBatch& records, const std::vector<Slice>& slices) {
  const char* bytes =
      records.bytes == nullptr ? "" : reinterpret_cast<const char*>(records.bytes->data());
  auto blank = [bytes](uint32_t from, uint32_t to) {
    for (; from < to; ++from) {
      if (!IsBlank(bytes[from])) return false;
    }
    return true;
  };
  uint32_t group_begin = 0;
  uint32_t group_end = 0;
  auto flush = [&] {
    text_ = bytes + group_begin;
    text_length_ = group_end - group_begin;
    DecodeGroup();
  };
  for (int32_t row = 0; row < batch_rows_; ++row) {
    const Slice slice = slices[static_cast<size_t>(row)];
    if (slice.is_null()) {
      AddItem(row, 1, 0);
      continue;
    }
    const uint32_t end = slice.begin + static_cast<uint32_t>(slice.length);
    const bool joins = group_end != group_begin && slice.begin >= group_end &&
                       slice.begin - group_end <= kGapBytesMax &&
                       end - group_begin <= kGroupBytesMax && blank(group_end, slice.begin);
    if (!joins) {
      if (item_count_ != 0) flush();
      group_begin = slice.begin;
    }
    group_end = end;
    AddItem(row, slice.begin - group_begin, end - group_begin);
  }
  if (item_count_ != 0) flush();
}

void JsonDecoder::DecodeGathered(const RecordBatch& records, const std::vector<Slice>& slices) {
  auto flush = [&] {
    gathered_.Reserve(kPadding);
    text_ = reinterpret_cast<const char*>(gathered_.data());
    text_length_ = static_cast<uint32_t>(gathered_.size());
    DecodeGroup();
    gathered_.Clear();
  };
  gathered_.Clear();
  for (int32_t row = 0; row < batch_rows_; ++row) {
    const Slice slice = slices[static_cast<size_t>(row)];
    if (slice.is_null()) {
      AddItem(row, 1, 0);
      continue;
    }
    if (gathered_.size() + static_cast<size_t>(slice.length) > kGroupBytesMax && item_count_ != 0) {
      flush();
    }
    const auto begin = static_cast<uint32_t>(gathered_.size());
    const std::string_view view = records.View(slice);
    gathered_.Append(view.data(), view.size());
    AddItem(row, begin, static_cast<uint32_t>(gathered_.size()));
    gathered_.Append("\n", 1);
  }
  if (item_count_ != 0) flush();
}

/// A record that ends inside a string would swallow the next one, so the whole group is trusted
/// only as far as each record begins with a bracket outside of strings and its last bracket closes
/// it; from the first one that does not, each record is indexed by itself.
void JsonDecoder::DecodeGroup() {
  size_t next = 0;
  if (!unwrapped_ && text_length_ > 0 && structure_.Index(text_, text_length_)) {
    all_flat_ = AllFlat();
    const uint32_t* at = structure_.positions();
    const uint32_t* stop = at + structure_.count();
    for (; next < item_count_; ++next) {
      const Item& item = items_[next];
      if (item.is_null()) {
        AppendState(item.row, RowState::kNull);
        continue;
      }
      const uint32_t* after = DecodeObject(at, stop, item.begin, item.end);
      if (after == nullptr) break;
      at = after;
    }
  }
  all_flat_ = false;
  for (; next < item_count_; ++next) DecodeAlone(items_[next]);
  item_count_ = 0;
}

/// Says of a whole group at once that no record has a bracket but its first and last byte.
bool JsonDecoder::AllFlat() const {
  size_t records = 0;
  for (size_t i = 0; i < item_count_; ++i) {
    const Item& item = items_[i];
    if (item.is_null()) continue;
    ++records;
    if (item.end - item.begin < 2 || text_[item.begin] != '{' || text_[item.end - 1] != '}') {
      return false;
    }
  }
  return CountBrackets(text_, text_length_) == 2 * records;
}

void JsonDecoder::DecodeAlone(const Item& item) {
  if (item.is_null()) return AppendState(item.row, RowState::kNull);
  for (Needed& needed : needed_) needed.builder.Truncate(item.row);
  const char* begin = text_ + item.begin;
  const char* end = text_ + item.end;
  while (begin < end && IsBlank(*begin)) ++begin;
  while (begin < end && IsBlank(end[-1])) --end;
  if (begin == end) {
    reason_ = "not JSON: it is empty";
    return AppendState(item.row, RowState::kBad);
  }
  if (std::string_view(begin, static_cast<size_t>(end - begin)) == "null") {
    return AppendState(item.row, RowState::kNull);
  }
  AppendState(item.row, unwrapped_ ? DecodeUnwrapped(begin, end) : DecodeWrapped(begin, end));
}

RowState JsonDecoder::DecodeWrapped(const char* begin, const char* end) {
  const auto length = static_cast<uint32_t>(end - begin);
  if (!structure_.Index(begin, length)) {
    reason_ = std::string("not JSON: ") + structure_.error();
    return RowState::kBad;
  }
  const uint32_t* at = structure_.positions();
  const uint32_t* stop = at + structure_.count();
  const char* group_text = std::exchange(text_, begin);
  const uint32_t group_length = std::exchange(text_length_, length);
  const uint32_t* after = DecodeObject(at, stop, 0, length);
  text_ = group_text;
  text_length_ = group_length;
  return after == stop ? RowState::kOk : RowState::kBad;
}

RowState JsonDecoder::DecodeUnwrapped(const char* begin, const char* end) {
  const auto length = static_cast<uint32_t>(end - begin);
  const bool nested = *begin == '{' || *begin == '[';
  if (needed_.empty() && !strict_ && !nested) return RowState::kOk;
  if (!structure_.Index(begin, length)) {
    reason_ = std::string("not JSON: ") + structure_.error();
    return RowState::kBad;
  }
  const uint32_t* at = structure_.positions();
  const JsonCursor cursor{begin, at + structure_.count(), length};
  if ((strict_ ? CheckJsonValue(cursor, at) : SkipJsonValue(cursor, at)) != cursor.stop) {
    reason_ = "not JSON: brackets do not match or something follows the value";
    return RowState::kBad;
  }
  for (Needed& needed : needed_) {
    if (reader_.Read(needed.plan, cursor, at, needed.builder) != cursor.stop) {
      reason_ = "column " + needed.name + ": " + reader_.error();
      return RowState::kBad;
    }
  }
  return RowState::kOk;
}

/// Reads the record whose first structural position is `at`. Returns the position after its last,
/// or null with a reason: taken by itself, the record is bad.
const uint32_t* JsonDecoder::DecodeObject(const uint32_t* at, const uint32_t* stop, uint32_t begin,
                                          uint32_t end) {
  while (begin < end && IsBlank(text_[begin])) ++begin;
  if (at >= stop || *at != begin || text_[begin] != '{') {
    reason_ = "not a JSON object";
    return nullptr;
  }
  const uint32_t* after = all_flat_ ? FindFlatValues(at, stop, end) : nullptr;
  if (after == nullptr) after = FindValues(at, stop);
  if (after == nullptr) return nullptr;
  if (after[-1] >= end || (after < stop && *after < end)) {
    reason_ = "not JSON: brackets do not match or something follows the object";
    return nullptr;
  }
  const JsonCursor cursor{text_, after, end};
  if (strict_ && CheckJsonValue(cursor, at) != after) {
    reason_ = "not JSON, or nested too deep";
    return nullptr;
  }
  return ReadColumns(cursor) ? after : nullptr;
}

/// As FindValues, for a record that has no bracket inside; null also if its keys are not those of
/// the ones before it.
inline const uint32_t* JsonDecoder::FindFlatValues(const uint32_t* at, const uint32_t* stop,
                                                   uint32_t end) {
  const size_t count = keys_.flat_positions();
  if (count == 0 || static_cast<size_t>(stop - at) < count || at[count - 1] != end - 1 ||
      !keys_.RepeatsFlat(text_, at)) {
    return nullptr;
  }
  for (size_t i = 0; i < needed_.size(); ++i) {
    const uint32_t place = keys_.flat_values()[i];
    needed_[i].value = place == 0 ? nullptr : at + place;
  }
  return at + count;
}

/// Goes from key to key of the object at `at` and notes where the needed columns have their values:
/// under a column's own name rather than another spelling of it, the last of several. Values are
/// passed over. Returns the position after the object, or null with a reason.
const uint32_t* JsonDecoder::FindValues(const uint32_t* at, const uint32_t* stop) {
  for (Needed& needed : needed_) {
    needed.value = nullptr;
    needed.exact = false;
  }
  if (stop - at >= 2 && text_[at[1]] == '}') return at + 2;
  const char* const text_end = text_ + text_length_;
  const uint32_t* const open = at;
  bool guessed = true;
  JsonKeys::Spelling** guess = &keys_.first();
  while (true) {
    JsonKeys::Spelling* key = *guess;
    if (key == nullptr || !key->StandsAt(text_ + *at, text_end)) {
      key = keys_.Find(text_, at, stop, at == open);
      if (key == nullptr) {
        reason_ = std::string("not JSON: ") + keys_.error();
        return nullptr;
      }
      *guess = key;
      guessed = false;
    }
    if (at >= stop || (!key->ends && stop - at < 4)) break;
    if (key->ends) {
      if (guessed && all_flat_) keys_.Repeated();
      return at + 1;
    }
    const uint32_t* value = at + 3;
    for (const JsonKeys::Target& target : key->targets) {
      Needed& needed = needed_[static_cast<size_t>(target.column)];
      if (needed.exact && !target.exact) continue;
      needed.exact = target.exact;
      needed.value = value;
    }
    const ValueStart start = kValueStarts[static_cast<uint8_t>(text_[*value])];
    at = value + 1;
    if (start != ValueStart::kScalar) {
      at = start == ValueStart::kOpens ? FindClose(text_, value, stop) : nullptr;
      if (at == nullptr) break;
    }
    guess = &key->next;
  }
  reason_ = "not JSON: brackets do not match or a value is missing";
  return nullptr;
}

bool JsonDecoder::ReadColumns(const JsonCursor& cursor) {
  for (Needed& needed : needed_) {
    if (needed.value == nullptr) {
      needed.builder.AppendNull();
    } else if (!ReadColumn(needed, cursor)) {
      return false;
    }
  }
  return true;
}

/// The common shapes of the common types are read here; everything else by the reader.
inline bool JsonDecoder::ReadColumn(Needed& needed, const JsonCursor& cursor) {
  const uint32_t* at = needed.value;
  const char* begin = cursor.base + *at;
  const char* stop = cursor.base + at[1];  // The record's last bracket at the latest.
  if (at + 1 < cursor.stop && (*stop == ',' || at + 2 == cursor.stop)) {
    switch (needed.plan.kind) {
      case TypeKind::kBigint:
      case TypeKind::kTimestamp:
        if (int64_t value; ReadShortInteger(begin, stop, value)) {
          needed.builder.AppendInt64(value);
          return true;
        }
        break;
      case TypeKind::kInt:
        if (int64_t value;
            ReadShortInteger(begin, stop, value) && value == static_cast<int32_t>(value)) {
          needed.builder.AppendInt32(static_cast<int32_t>(value));
          return true;
        }
        break;
      case TypeKind::kDouble:
        if (double value; ReadShortDouble(begin, stop, value)) {
          needed.builder.AppendDouble(value);
          return true;
        }
        break;
      case TypeKind::kString: {
        const auto length = stop - begin - 2;
        if (*begin == '"' && length >= 0 && stop[-1] == '"' &&
            std::memchr(begin + 1, '\\', static_cast<size_t>(length)) == nullptr) {
          needed.builder.AppendBytes({begin + 1, static_cast<size_t>(length)});
          return true;
        }
        break;
      }
      default: break;
    }
  }
  const uint32_t* after = reader_.Read(needed.plan, cursor, at, needed.builder);
  if (after == nullptr) {
    reason_ = "column " + needed.name + ": " + reader_.error();
    return false;
  }
  if (after >= cursor.stop || (cursor.base[*after] != ',' && after + 1 != cursor.stop)) {
    reason_ = "column " + needed.name + ": something follows its value";
    return false;
  }
  return true;
}

}  // namespace

std::unique_ptr<SideDecoder> MakeJsonDecoder(const FormatSpec& spec,
                                             const std::vector<FormatColumn>& columns) {
  return std::make_unique<JsonDecoder>(spec, columns);
}

}  // namespace weir
