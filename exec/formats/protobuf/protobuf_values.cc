#include "exec/formats/protobuf/protobuf_values.h"

#include "base/time_text.h"
#include "exec/formats/decimal_bytes.h"
#include "exec/formats/protobuf/protobuf_wire.h"

namespace weir {
namespace {

void AppendUnlessZero(int32_t number, int64_t value, BufferBuilder& out) {
  if (value == 0) return;
  AppendTag(number, ProtobufWire::kVarint, out);
  AppendVarint(static_cast<uint64_t>(value), out);
}

/// How many digits a number has; 1 of zero.
int DigitsOf(Int128 value) {
  int digits = 1;
  while (digits < 38 && !FitsPrecision(value, digits)) ++digits;
  return digits;
}

}  // namespace

bool IntegerOfProtobuf(ProtobufKind kind, uint64_t bits, int64_t& out) {
  switch (kind) {
    case ProtobufKind::kInt32:
    case ProtobufKind::kSfixed32:
    case ProtobufKind::kEnum: out = static_cast<int32_t>(bits); return true;
    case ProtobufKind::kUint32:
    case ProtobufKind::kFixed32: out = static_cast<uint32_t>(bits); return true;
    case ProtobufKind::kSint32: out = FromZigZag(static_cast<uint32_t>(bits)); return true;
    case ProtobufKind::kSint64: out = FromZigZag(bits); return true;
    case ProtobufKind::kUint64:
    case ProtobufKind::kFixed64: out = static_cast<int64_t>(bits); return out >= 0;
    default: out = static_cast<int64_t>(bits); return true;
  }
}

bool DaysOfProtobufDate(uint64_t year, uint64_t month, uint64_t day, int32_t& days) {
  const auto y = static_cast<int32_t>(year);
  const auto m = static_cast<int32_t>(month);
  const auto d = static_cast<int32_t>(day);
  // Its rules: 0 stands for a year, month or day that is not known.
  if (y < 1 || y > 9999 || !IsCivilDate(y, m, d)) return false;
  days = static_cast<int32_t>(DaysFromCivil(y, m, d));
  return true;
}

bool MillisOfProtobufTime(uint64_t hours, uint64_t minutes, uint64_t seconds, uint64_t nanos,
                          int32_t& millis) {
  if (hours > 23 || minutes > 59 || seconds > 59 || nanos > 999'999'999) return false;
  millis = static_cast<int32_t>(((hours * 60 + minutes) * 60 + seconds) * 1000 + nanos / 1'000'000);
  return true;
}

bool MillisOfProtobufTimestamp(uint64_t seconds, uint64_t nanos, int64_t& millis) {
  const auto part = static_cast<int32_t>(nanos);
  if (part < 0 || part > 999'999'999) return false;
  return !__builtin_mul_overflow(static_cast<int64_t>(seconds), int64_t{1000}, &millis) &&
         !__builtin_add_overflow(millis, int64_t{part / 1'000'000}, &millis);
}

void AppendProtobufTimestamp(int64_t millis, BufferBuilder& out) {
  const int64_t part = millis % 1000 < 0 ? millis % 1000 + 1000 : millis % 1000;
  AppendUnlessZero(1, (millis - part) / 1000, out);
  AppendUnlessZero(2, part * 1'000'000, out);
}

bool AppendProtobufDate(int64_t days, BufferBuilder& out) {
  const CivilDate date = CivilFromDays(days);
  if (date.year < 1 || date.year > 9999) return false;
  AppendUnlessZero(1, date.year, out);
  AppendUnlessZero(2, date.month, out);
  AppendUnlessZero(3, date.day, out);
  return true;
}

void AppendProtobufTime(int64_t millis, BufferBuilder& out) {
  AppendUnlessZero(1, millis / 3'600'000, out);
  AppendUnlessZero(2, millis / 60'000 % 60, out);
  AppendUnlessZero(3, millis / 1000 % 60, out);
  AppendUnlessZero(4, millis % 1000 * 1'000'000, out);
}

void AppendProtobufDecimal(Int128 unscaled, int scale, BufferBuilder& out) {
  char buffer[16];
  const std::string_view bytes = WriteDecimalBytes(unscaled, buffer);
  AppendTag(1, ProtobufWire::kLength, out);
  AppendVarint(bytes.size(), out);
  out.Append(bytes.data(), bytes.size());
  AppendUnlessZero(2, DigitsOf(unscaled), out);
  AppendUnlessZero(3, scale, out);
}

}  // namespace weir
