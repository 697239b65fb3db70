#pragma once

// Values that Protobuf writes as little messages, and numbers of its many kinds.

#include <cstdint>

#include "base/decimal.h"
#include "exec/column/builder.h"
#include "exec/formats/protobuf/protobuf_schema.h"

namespace weir {

/// The number that a varint or fixed value is; false: beyond 64 bits with a sign.
bool IntegerOfProtobuf(ProtobufKind kind, uint64_t bits, int64_t& out);

/// Days since 1970 of a google.type.Date; false: the calendar has no such day.
bool DaysOfProtobufDate(uint64_t year, uint64_t month, uint64_t day, int32_t& days);
/// Milliseconds of a google.type.TimeOfDay; false: not inside one day.
bool MillisOfProtobufTime(uint64_t hours, uint64_t minutes, uint64_t seconds, uint64_t nanos,
                          int32_t& millis);
/// Milliseconds since 1970 of a google.protobuf.Timestamp; false: too far away.
bool MillisOfProtobufTimestamp(uint64_t seconds, uint64_t nanos, int64_t& millis);

/// The fields of such a message; those that are zero are left out.
void AppendProtobufTimestamp(int64_t millis, BufferBuilder& out);
/// False, and nothing written, outside the years 1 to 9999, which are all that a Date takes.
bool AppendProtobufDate(int64_t days, BufferBuilder& out);
void AppendProtobufTime(int64_t millis, BufferBuilder& out);
/// Of a confluent.type.Decimal.
void AppendProtobufDecimal(Int128 unscaled, int scale, BufferBuilder& out);

}  // namespace weir
