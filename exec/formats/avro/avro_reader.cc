#include <charconv>

#include "base/decimal.h"
#include "base/time_text.h"
#include "exec/formats/avro/avro_plan.h"
#include "exec/formats/decimal_bytes.h"
#include "exec/formats/json/json_structure.h"

namespace weir {
namespace {

using Op = AvroStep::Op;

constexpr std::string_view kTooShort = "the bytes end too early, or a length is wrong";

int64_t MicrosToMillis(int64_t micros) {
  const int64_t millis = micros / 1000;
  return micros % 1000 < 0 ? millis - 1 : millis;
}

}  // namespace

bool AvroReader::Skip(const AvroStep& step, AvroCursor& from) {
  switch (step.op) {
    case Op::kSkipNothing: return true;
    case Op::kSkipLongs:
      for (int64_t i = 0; i < step.count; ++i) {
        if (!from.SkipLong()) return Fail(kTooShort);
      }
      return true;
    case Op::kSkipBytes: {
      std::string_view ignored;
      return from.Bytes(ignored) || Fail(kTooShort);
    }
    case Op::kSkipFixed: return from.Skip(static_cast<uint64_t>(step.count)) || Fail(kTooShort);
    case Op::kSkipBlocks:
      while (true) {
        int64_t items = 0;
        int64_t bytes = 0;
        if (!from.Block(items, bytes)) return Fail(kTooShort);
        if (items == 0) return true;
        if (bytes >= 0) {
          from.at += bytes;
          continue;
        }
        for (; items > 0; --items) {
          if (!Skip(step.steps[0], from)) return false;
        }
      }
    case Op::kSkipUnion: {
      int64_t branch = 0;
      if (!from.Long(branch) || static_cast<uint64_t>(branch) >= step.steps.size()) {
        return Fail("a union has no such branch");
      }
      const AvroStep& taken = step.steps[static_cast<size_t>(branch)];
      if (!Skip(taken, from)) return false;
      was_null_ = taken.op == Op::kSkipNothing;
      return true;
    }
    case Op::kSkipAll:
      for (const AvroStep& inner : step.steps) {
        if (!Skip(inner, from)) return false;
      }
      return true;
    default: return Fail("a value was to be passed over");
  }
}

bool AvroReader::Read(const AvroStep& step, AvroCursor& from, ColumnBuilder& out) {
  was_null_ = false;
  switch (step.op) {
    case Op::kMissing:
    case Op::kNull:
      out.AppendNull();
      was_null_ = true;
      return true;
    case Op::kMismatch: return Fail(step.fault);
    case Op::kUnion:
    case Op::kBranchStruct: return ReadUnion(step, from, out);
    case Op::kStruct: return ReadStruct(step, from, out);
    case Op::kArray:
    case Op::kMap:
    case Op::kMapEntries: return ReadBlocks(step, from, out);
    case Op::kDefault: {
      AvroCursor own(step.bytes);
      return Read(step.steps[0], own, out);
    }
    case Op::kDecimal: return ReadDecimal(step, from, out);
    case Op::kEnum:
    case Op::kBooleanAsText:
    case Op::kLongAsText: return ReadAsText(step, from, out);
    default: return ReadScalar(step, from, out);
  }
}

bool AvroReader::ReadScalar(const AvroStep& step, AvroCursor& from, ColumnBuilder& out) {
  int64_t number = 0;
  std::string_view bytes;
  switch (step.op) {
    case Op::kBoolean: {
      char value = 0;
      if (!from.LittleEndian(value)) return Fail(kTooShort);
      out.AppendBool(value != 0);
      return true;
    }
    case Op::kInt32:
      if (!from.Long(number)) return Fail(kTooShort);
      if (number != static_cast<int32_t>(number)) return Fail("an int has more than 32 bits");
      out.AppendInt32(static_cast<int32_t>(number));
      return true;
    case Op::kInt64:
      if (!from.Long(number)) return Fail(kTooShort);
      out.AppendInt64(number);
      return true;
    case Op::kMillisAsTime:
    case Op::kMicrosAsTime:
      if (!from.Long(number)) return Fail(kTooShort);
      if (step.op == Op::kMicrosAsTime) number = MicrosToMillis(number);
      if (number < 0 || number >= kMillisPerDay) return Fail("a time is not inside one day");
      out.AppendInt32(static_cast<int32_t>(number));
      return true;
    case Op::kMicrosAsTimestamp:
      if (!from.Long(number)) return Fail(kTooShort);
      out.AppendInt64(MicrosToMillis(number));
      return true;
    case Op::kLongAsDouble:
      if (!from.Long(number)) return Fail(kTooShort);
      out.AppendDouble(static_cast<double>(number));
      return true;
    case Op::kFloat: {
      float value = 0;
      if (!from.LittleEndian(value)) return Fail(kTooShort);
      out.AppendDouble(static_cast<double>(value));
      return true;
    }
    case Op::kDouble: {
      double value = 0;
      if (!from.LittleEndian(value)) return Fail(kTooShort);
      out.AppendDouble(value);
      return true;
    }
    case Op::kString:
      if (!from.Bytes(bytes)) return Fail(kTooShort);
      if (!IsUtf8(bytes.data(), bytes.size())) return Fail("a string is not UTF-8");
      out.AppendBytes(bytes);
      return true;
    case Op::kBytes:
      if (!from.Bytes(bytes)) return Fail(kTooShort);
      out.AppendBytes(bytes);
      return true;
    case Op::kFixed:
      if (!from.Fixed(static_cast<size_t>(step.count), bytes)) return Fail(kTooShort);
      out.AppendBytes(bytes);
      return true;
    default: return Fail("nothing was to be read");
  }
}

bool AvroReader::ReadDecimal(const AvroStep& step, AvroCursor& from, ColumnBuilder& out) {
  std::string_view bytes;
  const bool there =
      step.count < 0 ? from.Bytes(bytes) : from.Fixed(static_cast<size_t>(step.count), bytes);
  if (!there) return Fail(kTooShort);
  Int128 value = 0;
  if (!ReadDecimalBytes(bytes, value) ||
      (step.scale != step.to_scale && !RescaleDecimal(value, step.scale, step.to_scale, value)) ||
      !FitsPrecision(value, step.precision)) {
    return Fail("a decimal has more digits than the column");
  }
  out.AppendDecimal(value);
  return true;
}

bool AvroReader::ReadAsText(const AvroStep& step, AvroCursor& from, ColumnBuilder& out) {
  if (step.op == Op::kBooleanAsText) {
    char value = 0;
    if (!from.LittleEndian(value)) return Fail(kTooShort);
    out.AppendBytes(value != 0 ? "true" : "false");
    return true;
  }
  int64_t number = 0;
  if (!from.Long(number)) return Fail(kTooShort);
  if (step.op == Op::kEnum) {
    if (static_cast<uint64_t>(number) >= step.symbols.size()) {
      return Fail("an enum has no such symbol");
    }
    out.AppendBytes(step.symbols[static_cast<size_t>(number)]);
    return true;
  }
  char text[24];
  const char* end = std::to_chars(text, text + sizeof(text), number).ptr;
  out.AppendBytes({text, static_cast<size_t>(end - text)});
  return true;
}

bool AvroReader::ReadItem(const AvroStep& step, AvroCursor& from, ColumnBuilder& out) {
  if (step.op == Op::kArray) return Read(step.steps[0], from, out.child(0));
  if (step.op == Op::kMap) {
    std::string_view key;
    if (!from.Bytes(key)) return Fail(kTooShort);
    if (!IsUtf8(key.data(), key.size())) return Fail("a map's key is not UTF-8");
    out.child(0).AppendBytes(key);
    return Read(step.steps[0], from, out.child(1));
  }
  if (!Read(step.steps[0], from, out.child(0))) return false;
  if (was_null_) return Fail("a map's key is null");
  return Read(step.steps[1], from, out.child(1));
}

bool AvroReader::ReadBlocks(const AvroStep& step, AvroCursor& from, ColumnBuilder& out) {
  while (true) {
    int64_t items = 0;
    int64_t bytes = 0;
    if (!from.Block(items, bytes)) return Fail(kTooShort);
    if (items == 0) break;
    const char* const end = bytes < 0 ? nullptr : from.at + bytes;
    for (; items > 0; --items) {
      if (!ReadItem(step, from, out)) return false;
    }
    // Who passes the block over goes by its size.
    if (end != nullptr && from.at != end) return Fail("a block has another size than it says");
  }
  out.AppendNested();
  was_null_ = false;
  return true;
}

bool AvroReader::ReadStruct(const AvroStep& step, AvroCursor& from, ColumnBuilder& out) {
  for (const AvroStep& each : step.steps) {
    if (each.target < 0 ? !Skip(each, from) : !Read(each, from, out.child(each.target))) {
      return false;
    }
  }
  for (int field : step.missing) out.child(field).AppendNull();
  out.AppendNested();
  was_null_ = false;
  return true;
}

bool AvroReader::ReadUnion(const AvroStep& step, AvroCursor& from, ColumnBuilder& out) {
  int64_t branch = 0;
  if (!from.Long(branch) || static_cast<uint64_t>(branch) >= step.steps.size()) {
    return Fail("a union has no such branch");
  }
  const AvroStep& taken = step.steps[static_cast<size_t>(branch)];
  if (step.op == Op::kUnion || taken.op == Op::kNull) return Read(taken, from, out);
  if (taken.target < 0 ? !Skip(taken, from) : !Read(taken, from, out.child(taken.target))) {
    return false;
  }
  for (int field = 0; field < static_cast<int>(step.count); ++field) {
    if (field != taken.target) out.child(field).AppendNull();
  }
  out.AppendNested();
  was_null_ = false;
  return true;
}

}  // namespace weir
