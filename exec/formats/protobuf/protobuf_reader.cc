#include <algorithm>
#include <bit>
#include <charconv>
#include <tuple>

#include "base/decimal.h"
#include "exec/formats/decimal_bytes.h"
#include "exec/formats/json/json_structure.h"
#include "exec/formats/protobuf/protobuf_plan.h"
#include "exec/formats/protobuf/protobuf_values.h"
#include "exec/formats/protobuf/protobuf_wire.h"

namespace weir {
namespace {

using StepOp = ProtobufStep::Op;

constexpr std::string_view kBrokenMessage = "the bytes end too early, or are no message";
constexpr size_t kValuesMax = 16'000'000;
constexpr std::string_view kBeyond64 = "a number has more than 64 bits with its sign";

int FindSlot(const ProtobufStep& message, int32_t number) {
  const auto at = static_cast<size_t>(number);
  if (at < message.slot_of_number.size()) return message.slot_of_number[at];
  if (message.other_slots.empty()) return -1;
  const auto found = std::ranges::lower_bound(message.other_slots, number, {},
                                              [](const auto& e) { return e.first; });
  return found != message.other_slots.end() && found->first == number ? found->second : -1;
}

}  // namespace

bool ProtobufReader::Read(const ProtobufStep& message, std::string_view bytes, ColumnBuilder& out) {
  occurrences_.clear();
  chains_.clear();
  chains_.resize(message.slots.size());
  values_ = 0;
  return Scan(message, bytes, 0) && ReadFields(message, message.steps, 0, out);
}

bool ProtobufReader::Scan(const ProtobufStep& message, std::string_view bytes, size_t base) {
  ProtobufCursor from(bytes);
  while (!from.done()) {
    int32_t number = 0;
    int wire = 0;
    if (!from.Tag(number, wire)) return Fail(kBrokenMessage);
    const int slot = FindSlot(message, number);
    Occurrence each;
    if (slot >= 0) {
      const ProtobufStep::Slot& wanted = message.slots[static_cast<size_t>(slot)];
      const bool natural = wire == static_cast<int>(wanted.wire);
      each.packed = !natural && wanted.packable && wire == static_cast<int>(ProtobufWire::kLength);
      if (natural || each.packed) {
        const bool length = each.packed || wanted.wire == ProtobufWire::kLength;
        if (length ? !from.Bytes(each.bytes) : !from.Scalar(wanted.wire, each.bits)) {
          return Fail(kBrokenMessage);
        }
        const auto index = static_cast<int32_t>(occurrences_.size());
        occurrences_.push_back(each);
        Chain& chain = chains_[base + static_cast<size_t>(slot)];
        if (chain.first < 0) {
          chain.first = index;
        } else {
          occurrences_[static_cast<size_t>(chain.last)].next = index;
        }
        chain.last = index;
        continue;
      }
      // Another type's bytes under the number: as a field that is not known.
    }
    if (!from.Skip(number, wire)) return Fail(kBrokenMessage);
  }
  return true;
}

int ProtobufReader::ActiveSlot(const ProtobufStep& message, int oneof, size_t base) const {
  int active = -1;
  int32_t last = -1;
  for (size_t i = 0; i < message.slots.size(); ++i) {
    if (message.slots[i].oneof != oneof || chains_[base + i].last <= last) continue;
    last = chains_[base + i].last;
    active = static_cast<int>(i);
  }
  return active;
}

/// The parts of one message, one after another: what comes later adds to what came before.
bool ProtobufReader::ReadParts(const ProtobufStep& message, int32_t first, bool only_first,
                               ColumnBuilder& out) {
  const size_t base = chains_.size();
  chains_.resize(base + message.slots.size());
  const size_t kept = occurrences_.size();
  for (int32_t at = first; at >= 0;) {
    const Occurrence part = occurrences_[static_cast<size_t>(at)];
    if (!Scan(message, part.bytes, base)) return false;
    at = only_first ? -1 : part.next;
  }
  const bool read = ReadFields(message, message.steps, base, out);
  occurrences_.resize(kept);
  chains_.resize(base);
  return read;
}

bool ProtobufReader::ReadFields(const ProtobufStep& message, const std::vector<ProtobufStep>& steps,
                                size_t base, ColumnBuilder& out) {
  // An empty message takes two bytes, and may stand for any number of defaults.
  values_ += steps.size() + message.slots.size();
  if (values_ > kValuesMax) return Fail("a record of more than 16 million values");
  for (size_t i = 0; i < steps.size(); ++i) {
    if (!ReadField(message, steps[i], base, out.child(static_cast<int>(i)))) return false;
  }
  out.AppendNested();
  return true;
}

bool ProtobufReader::ReadField(const ProtobufStep& message, const ProtobufStep& step, size_t base,
                               ColumnBuilder& out) {
  if (step.op == StepOp::kNull) {
    out.AppendNull();
    return true;
  }
  if (step.op == StepOp::kOneof) return ReadOneof(message, step, base, out);
  const Chain& chain = chains_[base + static_cast<size_t>(step.slot)];
  int32_t first = chain.first;
  if (step.oneof >= 0 && first >= 0 && ActiveSlot(message, step.oneof, base) != step.slot) {
    first = -1;
  }
  if (step.op == StepOp::kMismatch) {
    if (first >= 0) return Fail(step.fault);
    out.AppendNull();
    return true;
  }
  if (step.op == StepOp::kMap) return ReadMap(step, first, out);
  if (step.repeated) return ReadArray(step, first, out);
  if (first >= 0) {
    if (!step.is_scalar()) return ReadOne(step, first, false, out);
    const Occurrence& last = occurrences_[static_cast<size_t>(chain.last)];
    return ReadScalar(step, last.bits, last.bytes, out);
  }
  if (!step.optional && step.op == StepOp::kStruct) return ReadParts(step, -1, false, out);
  if (!step.optional && step.kind != ProtobufKind::kMessage) {
    return ReadScalar(step, step.default_bits, step.default_text, out);
  }
  out.AppendNull();
  return true;
}

bool ProtobufReader::ReadOneof(const ProtobufStep& message, const ProtobufStep& step, size_t base,
                               ColumnBuilder& out) {
  if (ActiveSlot(message, step.oneof, base) >= 0) {
    return ReadFields(message, step.steps, base, out);
  }
  out.AppendNull();
  return true;
}

bool ProtobufReader::ReadArray(const ProtobufStep& step, int32_t first, ColumnBuilder& out) {
  ColumnBuilder& items = out.child(0);
  const ProtobufWire wire = WireOf(step.kind);
  for (int32_t at = first; at >= 0;) {
    const Occurrence each = occurrences_[static_cast<size_t>(at)];
    if (each.packed) {
      for (ProtobufCursor from(each.bytes); !from.done();) {
        uint64_t bits = 0;
        if (!from.Scalar(wire, bits)) return Fail(kBrokenMessage);
        if (!ReadScalar(step, bits, {}, items)) return false;
      }
    } else if (step.is_scalar() ? !ReadScalar(step, each.bits, each.bytes, items)
                                : !ReadOne(step, at, true, items)) {
      return false;
    }
    at = each.next;
  }
  out.AppendNested();
  return true;
}

/// Of entries with one key the last counts; the others are marked.
bool ProtobufReader::MarkReplaced(int32_t first) {
  const size_t base = keys_.size();
  for (int32_t at = first; at >= 0; at = occurrences_[static_cast<size_t>(at)].next) {
    Small small;
    if (!ScanSmall(occurrences_[static_cast<size_t>(at)].bytes, small)) return false;
    keys_.push_back({small.bytes[1], small.bits[1], at});
  }
  const auto begin = keys_.begin() + static_cast<std::ptrdiff_t>(base);
  const auto parts = [](const Key& key) { return std::tie(key.bytes, key.bits, key.at); };
  std::sort(begin, keys_.end(), [&](const Key& a, const Key& b) { return parts(a) < parts(b); });
  for (size_t i = base; i + 1 < keys_.size(); ++i) {
    const Key& next = keys_[i + 1];
    if (keys_[i].bytes != next.bytes || keys_[i].bits != next.bits) continue;
    occurrences_[static_cast<size_t>(keys_[i].at)].replaced = true;
  }
  keys_.resize(base);
  return true;
}

bool ProtobufReader::ReadMap(const ProtobufStep& step, int32_t first, ColumnBuilder& out) {
  const bool several = first >= 0 && occurrences_[static_cast<size_t>(first)].next >= 0;
  if (several && !MarkReplaced(first)) return false;
  const size_t base = chains_.size();
  const size_t kept = occurrences_.size();
  for (int32_t at = first; at >= 0;) {
    const Occurrence entry = occurrences_[static_cast<size_t>(at)];
    at = entry.next;
    if (entry.replaced) continue;
    chains_.resize(base);
    chains_.resize(base + step.slots.size());
    const bool read = Scan(step, entry.bytes, base) &&
                      ReadField(step, step.steps[0], base, out.child(0)) &&
                      ReadField(step, step.steps[1], base, out.child(1));
    if (!read) return false;
    occurrences_.resize(kept);
  }
  chains_.resize(base);
  out.AppendNested();
  return true;
}

bool ProtobufReader::ReadOne(const ProtobufStep& step, int32_t first, bool only_first,
                             ColumnBuilder& out) {
  if (step.op == StepOp::kStruct) return ReadParts(step, first, only_first, out);
  Small small;
  for (int32_t at = first; at >= 0;) {
    const Occurrence& each = occurrences_[static_cast<size_t>(at)];
    at = only_first ? -1 : each.next;
    if (!ScanSmall(each.bytes, small)) return false;
  }
  if (step.wrapped) return ReadScalar(step, small.bits[1], small.bytes[1], out);
  return ReadMessage(step, small, out);
}

bool ProtobufReader::ScanSmall(std::string_view bytes, Small& small) {
  for (ProtobufCursor from(bytes); !from.done();) {
    int32_t number = 0;
    int wire = 0;
    if (!from.Tag(number, wire)) return Fail(kBrokenMessage);
    const bool known = number <= Small::kNumbersMax;
    const bool is_scalar = wire == 0 || wire == 1 || wire == 5;
    if (known && is_scalar) {
      if (!from.Scalar(static_cast<ProtobufWire>(wire), small.bits[number]))
        return Fail(kBrokenMessage);
    } else if (known && wire == 2) {
      if (!from.Bytes(small.bytes[number])) return Fail(kBrokenMessage);
    } else if (!from.Skip(number, wire)) {
      return Fail(kBrokenMessage);
    }
  }
  return true;
}

bool ProtobufReader::ReadMessage(const ProtobufStep& step, const Small& small, ColumnBuilder& out) {
  const uint64_t* bits = small.bits;
  int32_t number = 0;
  int64_t millis = 0;
  switch (step.op) {
    case StepOp::kTimestamp:
      if (!MillisOfProtobufTimestamp(bits[1], bits[2], millis)) {
        return Fail("a Timestamp is too far away, or its nanos are not below a second");
      }
      out.AppendInt64(millis);
      return true;
    case StepOp::kDate:
      if (!DaysOfProtobufDate(bits[1], bits[2], bits[3], number)) {
        return Fail("a Date is no day of the calendar");
      }
      out.AppendInt32(number);
      return true;
    case StepOp::kTimeOfDay:
      if (!MillisOfProtobufTime(bits[1], bits[2], bits[3], bits[4], number)) {
        return Fail("a TimeOfDay is not inside one day");
      }
      out.AppendInt32(number);
      return true;
    default: break;
  }
  Int128 value = 0;
  const auto scale = static_cast<int32_t>(bits[3]);
  constexpr int kScaleMax = 76;
  if ((!small.bytes[1].empty() && !ReadDecimalBytes(small.bytes[1], value)) || scale < 0 ||
      scale > kScaleMax ||
      (scale != step.to_scale && !RescaleDecimal(value, scale, step.to_scale, value)) ||
      !FitsPrecision(value, step.precision)) {
    return Fail("a Decimal has more digits than the column");
  }
  out.AppendDecimal(value);
  return true;
}

bool ProtobufReader::ReadScalar(const ProtobufStep& step, uint64_t bits, std::string_view bytes,
                                ColumnBuilder& out) {
  int64_t number = 0;
  switch (step.op) {
    case StepOp::kBoolean: out.AppendBool(bits != 0); return true;
    case StepOp::kInt32:
      if (!IntegerOfProtobuf(step.kind, bits, number)) return Fail(kBeyond64);
      if (number != static_cast<int32_t>(number)) return Fail("a number has more than 32 bits");
      out.AppendInt32(static_cast<int32_t>(number));
      return true;
    case StepOp::kInt64:
      if (!IntegerOfProtobuf(step.kind, bits, number)) return Fail(kBeyond64);
      out.AppendInt64(number);
      return true;
    case StepOp::kIntegerAsDouble:
      if (IntegerOfProtobuf(step.kind, bits, number)) {
        out.AppendDouble(static_cast<double>(number));
      } else {
        out.AppendDouble(static_cast<double>(bits));
      }
      return true;
    case StepOp::kFloat:
      out.AppendDouble(static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(bits))));
      return true;
    case StepOp::kDouble: out.AppendDouble(std::bit_cast<double>(bits)); return true;
    case StepOp::kString:
      if (!IsUtf8(bytes.data(), bytes.size())) return Fail("a string is not UTF-8");
      out.AppendBytes(bytes);
      return true;
    case StepOp::kBytes: out.AppendBytes(bytes); return true;
    case StepOp::kBooleanAsText: out.AppendBytes(bits != 0 ? "true" : "false"); return true;
    default: break;
  }
  if (!IntegerOfProtobuf(step.kind, bits, number)) return Fail(kBeyond64);
  if (step.op == StepOp::kEnum) {
    const auto found = std::ranges::lower_bound(step.symbols, number, {},
                                                [](const auto& each) { return each.first; });
    if (found != step.symbols.end() && found->first == number) {
      out.AppendBytes(found->second);
      return true;
    }
  }
  // An integer, or an enum's number that this schema has no name for.
  char text[24];
  const char* end = std::to_chars(text, text + sizeof(text), number).ptr;
  out.AppendBytes({text, static_cast<size_t>(end - text)});
  return true;
}

}  // namespace weir
