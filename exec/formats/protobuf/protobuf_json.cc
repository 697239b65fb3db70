#include "exec/formats/protobuf/protobuf_json.h"

#include <bit>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "base/decimal.h"
#include "base/letter_case.h"
#include "base/number_text.h"
#include "base/status_macros.h"
#include "exec/formats/base64.h"
#include "exec/formats/decimal_bytes.h"
#include "exec/formats/protobuf/protobuf_values.h"
#include "exec/formats/protobuf/protobuf_wire.h"

namespace weir {
namespace {

constexpr int kShownDepthMax = 100;
constexpr size_t kJsonMax = 64 << 20;

Status NoValueOf(const ProtobufField& field, const RawJson& json) {
  constexpr size_t kShown = 60;
  return Status(ErrorCode::kBadRecord, fmt::format("this is no value of field {}: {}", field.name,
                                                   json.raw.substr(0, kShown)));
}

Status NoMessage(const ProtobufMessage& message) {
  return Status(ErrorCode::kBadRecord,
                fmt::format("the bytes are no message {}", message.full_name));
}

const RawJson* FindJsonMember(const RawJson& json, std::string_view name) {
  if (const RawJson* exact = json.Find(name)) return exact;
  for (const auto& [each, value] : json.members) {
    if (EqualIgnoringCase(each, name)) return &value;
  }
  return nullptr;
}

class JsonToProtobuf {
 public:
  explicit JsonToProtobuf(BufferBuilder& out) : out_(out) {}

  Status Message(const ProtobufMessage& message, const RawJson& json) {
    for (const ProtobufField& field : message.fields) {
      const RawJson* value = FindJsonMember(json, field.name);
      if (value == nullptr || value->is_null()) continue;
      if (field.is_map) {
        WEIR_RETURN_IF_ERROR(Entries(field, *value));
      } else if (!field.repeated) {
        WEIR_RETURN_IF_ERROR(Value(field, *value));
      } else if (value->kind != RawJson::Kind::kArray) {
        return NoValueOf(field, *value);
      } else {
        for (const RawJson& item : value->items) WEIR_RETURN_IF_ERROR(Value(field, item));
      }
    }
    return OkStatus();
  }

 private:
  Status Entries(const ProtobufField& field, const RawJson& json) {
    if (json.kind != RawJson::Kind::kObject) return NoValueOf(field, json);
    for (const auto& [name, value] : json.members) {
      const size_t length = Begin(field);
      RawJson key;
      key.kind = RawJson::Kind::kString;
      key.text = key.raw = name;
      WEIR_RETURN_IF_ERROR(Value(field.message->fields[0], key));
      if (!value.is_null()) WEIR_RETURN_IF_ERROR(Value(field.message->fields[1], value));
      EndLength(length, out_);
    }
    return OkStatus();
  }

  size_t Begin(const ProtobufField& field) {
    AppendTag(field.number, ProtobufWire::kLength, out_);
    return BeginLength(out_);
  }

  Status Value(const ProtobufField& field, const RawJson& json) {
    if (field.kind == ProtobufKind::kMessage) {
      const size_t length = Begin(field);
      WEIR_RETURN_IF_ERROR(Inside(field, json));
      EndLength(length, out_);
      return OkStatus();
    }
    if (field.kind == ProtobufKind::kString || field.kind == ProtobufKind::kBytes) {
      std::string bytes = json.kind == RawJson::Kind::kString ? json.text : json.raw;
      if (field.kind == ProtobufKind::kBytes && !DecodeBase64(json.text, bytes)) {
        return NoValueOf(field, json);
      }
      AppendTag(field.number, ProtobufWire::kLength, out_);
      AppendVarint(bytes.size(), out_);
      out_.Append(bytes.data(), bytes.size());
      return OkStatus();
    }
    uint64_t bits = 0;
    if (!Bits(field, json, bits)) return NoValueOf(field, json);
    AppendTag(field.number, WireOf(field.kind), out_);
    AppendScalar(WireOf(field.kind), bits, out_);
    return OkStatus();
  }

  static bool Bits(const ProtobufField& field, const RawJson& json, uint64_t& bits) {
    if (field.kind == ProtobufKind::kBool) {
      bits = json.text == "true" ? 1 : 0;
      return json.text == "true" || json.text == "false";
    }
    if (field.kind == ProtobufKind::kDouble || field.kind == ProtobufKind::kFloat) {
      double value = 0;
      if (json.is_null() || !ParseDouble(json.text, value)) return false;
      bits = field.kind == ProtobufKind::kDouble
                 ? std::bit_cast<uint64_t>(value)
                 : std::bit_cast<uint32_t>(static_cast<float>(value));
      return true;
    }
    if (field.kind == ProtobufKind::kEnum) {
      for (const auto& [number, name] : field.enumeration->symbols) {
        bits = static_cast<uint64_t>(int64_t{number});
        if (name == json.text) return true;
      }
      return false;
    }
    int64_t number = 0;
    if (!ParseInt64(json.text, number)) {
      double fraction = 0;
      constexpr double kExact = 9e15;
      if (!ParseDouble(json.text, fraction) || fraction != std::trunc(fraction) ||
          std::abs(fraction) > kExact) {
        return false;
      }
      number = static_cast<int64_t>(fraction);
    }
    const bool zigzag = field.kind == ProtobufKind::kSint32 || field.kind == ProtobufKind::kSint64;
    bits = zigzag ? ToZigZag(number) : static_cast<uint64_t>(number);
    return true;
  }

  Status Inside(const ProtobufField& field, const RawJson& json) {
    const ProtobufMessage& message = *field.message;
    if (message.meaning == ProtobufMeaning::kNone) return Message(message, json);
    if (message.meaning == ProtobufMeaning::kWrapper) return Value(message.fields[0], json);
    if (message.meaning == ProtobufMeaning::kDecimal) return Decimal(field, json);
    int64_t number = 0;
    if (!ParseInt64(json.text, number)) return NoValueOf(field, json);
    if (message.meaning == ProtobufMeaning::kTimestamp) {
      AppendProtobufTimestamp(number, out_);
    } else if (message.meaning == ProtobufMeaning::kTimeOfDay) {
      AppendProtobufTime(number, out_);
    } else if (!AppendProtobufDate(number, out_)) {
      return NoValueOf(field, json);
    }
    return OkStatus();
  }

  Status Decimal(const ProtobufField& field, const RawJson& json) {
    constexpr int kPrecisionMax = 38;
    Int128 value = 0;
    int scale = field.scale;
    if (field.precision == 0) {  // As many digits as are there.
      const size_t dot = json.text.find('.');
      scale = dot == std::string::npos ? 0 : static_cast<int>(json.text.size() - dot - 1);
    }
    if (ParseDecimal(json.text, kPrecisionMax, scale, value) != DecimalParse::kOk) {
      return NoValueOf(field, json);
    }
    AppendProtobufDecimal(value, scale, out_);
    return OkStatus();
  }

  BufferBuilder& out_;
};

/// What stands in a message, by number.
struct Found {
  uint64_t bits = 0;
  std::string_view bytes;
  bool packed = false;
  size_t at = 0;  ///< Later ones have more.
};
using Fields = std::map<int32_t, std::vector<Found>>;

bool Collect(const ProtobufMessage& message, std::string_view bytes, size_t& at, Fields& fields) {
  for (ProtobufCursor from(bytes); !from.done();) {
    int32_t number = 0;
    int wire = 0;
    if (!from.Tag(number, wire)) return false;
    const ProtobufField* field = nullptr;
    for (const ProtobufField& each : message.fields) {
      if (each.number == number) field = &each;
    }
    Found found;
    found.at = ++at;
    const ProtobufWire natural = field == nullptr ? ProtobufWire::kVarint : WireOf(field->kind);
    const bool same = field != nullptr && wire == static_cast<int>(natural) &&
                      field->kind != ProtobufKind::kGroup;
    found.packed = field != nullptr && !same && field->repeated && wire == 2 &&
                   natural != ProtobufWire::kLength;
    if (!same && !found.packed) {
      if (!from.Skip(number, wire)) return false;
      continue;
    }
    const bool length = found.packed || natural == ProtobufWire::kLength;
    if (length ? !from.Bytes(found.bytes) : !from.Scalar(natural, found.bits)) return false;
    fields[number].push_back(found);
  }
  return true;
}

class ProtobufToJson {
 public:
  explicit ProtobufToJson(std::string& out) : out_(out) {}

  Status Message(const ProtobufMessage& message, const std::vector<Found>& parts) {
    if (++depth_ > kShownDepthMax || out_.size() > kJsonMax) return NoMessage(message);
    Fields fields;
    size_t at = 0;
    for (const Found& part : parts) {
      if (!Collect(message, part.bytes, at, fields)) return NoMessage(message);
    }
    WEIR_RETURN_IF_ERROR(message.meaning == ProtobufMeaning::kNone ? Object(message, fields)
                                                                   : Single(message, fields));
    --depth_;
    return OkStatus();
  }

 private:
  Status Object(const ProtobufMessage& message, Fields& fields) {
    // Of a oneof only what came last is there.
    std::vector<int32_t> last(message.oneofs.size(), 0);
    std::vector<size_t> last_at(message.oneofs.size(), 0);
    for (const ProtobufField& field : message.fields) {
      if (field.oneof < 0 || !fields.contains(field.number)) continue;
      const auto oneof = static_cast<size_t>(field.oneof);
      const size_t at = fields[field.number].back().at;
      if (at <= last_at[oneof]) continue;
      last[oneof] = field.number;
      last_at[oneof] = at;
    }
    out_ += '{';
    bool first = true;
    std::vector<bool> told(message.oneofs.size(), false);
    for (const ProtobufField& field : message.fields) {
      const auto oneof = static_cast<size_t>(field.oneof);
      if (field.oneof >= 0 && told[oneof]) continue;
      if (!first) out_ += ',';
      first = false;
      if (field.oneof < 0) {
        out_ += QuoteJson(field.name) + ":";
        WEIR_RETURN_IF_ERROR(Field(field, fields));
        continue;
      }
      told[oneof] = true;
      out_ += QuoteJson(fmt::format("{}_{}", message.oneofs[oneof], oneof)) + ":";
      if (last[oneof] == 0) {
        out_ += "null";
        continue;
      }
      out_ += '{';
      bool first_member = true;
      for (const ProtobufField& member : message.fields) {
        if (member.oneof != field.oneof) continue;
        out_ += (first_member ? "" : ",") + QuoteJson(member.name) + ":";
        first_member = false;
        if (member.number == last[oneof]) {
          WEIR_RETURN_IF_ERROR(Field(member, fields));
        } else {
          out_ += "null";
        }
      }
      out_ += '}';
    }
    out_ += '}';
    return OkStatus();
  }

  Status Field(const ProtobufField& field, Fields& fields) {
    const auto found = fields.find(field.number);
    const std::vector<Found> none;
    const std::vector<Found>& values = found == fields.end() ? none : found->second;
    if (field.is_map) return Entries(field, values);
    if (field.repeated) return Items(field, values);
    if (values.empty() && (field.optional || field.kind == ProtobufKind::kGroup)) {
      out_ += "null";
      return OkStatus();
    }
    if (field.kind == ProtobufKind::kMessage) return Inside(field, values);
    Found value;
    value.bits = field.default_bits;
    value.bytes = field.default_text;
    return Scalar(field, values.empty() ? value : values.back());
  }

  Status Inside(const ProtobufField& field, const std::vector<Found>& parts) {
    scale_ = field.precision > 0 ? field.scale : -1;
    return Message(*field.message, parts);
  }

  Status Items(const ProtobufField& field, const std::vector<Found>& values) {
    out_ += '[';
    bool first = true;
    for (const Found& value : values) {
      if (value.packed) {
        for (ProtobufCursor from(value.bytes); !from.done();) {
          Found each;
          if (!from.Scalar(WireOf(field.kind), each.bits)) {
            return Status(ErrorCode::kBadRecord, "the bytes of packed values end too early");
          }
          if (!first) out_ += ',';
          first = false;
          WEIR_RETURN_IF_ERROR(Scalar(field, each));
        }
        continue;
      }
      if (!first) out_ += ',';
      first = false;
      WEIR_RETURN_IF_ERROR(field.kind == ProtobufKind::kMessage ? Inside(field, {value})
                                                                : Scalar(field, value));
    }
    out_ += ']';
    return OkStatus();
  }

  Status Entries(const ProtobufField& field, const std::vector<Found>& values) {
    std::map<std::string, std::string> entries;
    std::vector<std::string> order;
    for (const Found& value : values) {
      Fields parts;
      size_t at = 0;
      if (!Collect(*field.message, value.bytes, at, parts)) return NoMessage(*field.message);
      std::string key;
      std::string text;
      ProtobufToJson of_key(key);
      ProtobufToJson of_value(text);
      of_value.depth_ = depth_ + 1;
      if (of_value.depth_ > kShownDepthMax) return NoMessage(*field.message);
      WEIR_RETURN_IF_ERROR(of_key.Field(field.message->fields[0], parts));
      WEIR_RETURN_IF_ERROR(of_value.Field(field.message->fields[1], parts));
      if (!key.starts_with('"')) key = QuoteJson(key);
      if (!entries.contains(key)) order.push_back(key);
      entries[key] = text;
    }
    out_ += '{';
    for (const std::string& key : order) {
      out_ += (key == order.front() ? "" : ",") + key + ":" + entries[key];
    }
    out_ += '}';
    return OkStatus();
  }

  Status Scalar(const ProtobufField& field, const Found& value) {
    int64_t number = 0;
    switch (field.kind) {
      case ProtobufKind::kBool: out_ += value.bits != 0 ? "true" : "false"; return OkStatus();
      case ProtobufKind::kString: out_ += QuoteJson(value.bytes); return OkStatus();
      case ProtobufKind::kBytes: {
        BufferBuilder text;
        AppendBase64(value.bytes, text);
        out_ += QuoteJson({reinterpret_cast<const char*>(text.data()), text.size()});
        return OkStatus();
      }
      case ProtobufKind::kDouble:
      case ProtobufKind::kFloat: {
        const double fraction =
            field.kind == ProtobufKind::kDouble
                ? std::bit_cast<double>(value.bits)
                : static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(value.bits)));
        const std::string text = DoubleText(fraction);
        out_ += std::isfinite(fraction) ? text : QuoteJson(text);
        return OkStatus();
      }
      default: break;
    }
    if (!IntegerOfProtobuf(field.kind, value.bits, number)) {
      out_ += std::to_string(value.bits);
      return OkStatus();
    }
    if (field.kind == ProtobufKind::kEnum) {
      for (const auto& [each, name] : field.enumeration->symbols) {
        if (each != number) continue;
        out_ += QuoteJson(name);
        return OkStatus();
      }
    }
    out_ += std::to_string(number);
    return OkStatus();
  }

  /// A message that stands for one value.
  Status Single(const ProtobufMessage& message, Fields& fields) {
    const auto bits = [&](int32_t number) {
      const auto found = fields.find(number);
      return found == fields.end() ? uint64_t{0} : found->second.back().bits;
    };
    int32_t number = 0;
    int64_t millis = 0;
    switch (message.meaning) {
      case ProtobufMeaning::kWrapper: return Field(message.fields[0], fields);
      case ProtobufMeaning::kTimestamp:
        if (!MillisOfProtobufTimestamp(bits(1), bits(2), millis)) return NoMessage(message);
        out_ += std::to_string(millis);
        return OkStatus();
      case ProtobufMeaning::kDate:
        if (!DaysOfProtobufDate(bits(1), bits(2), bits(3), number)) return NoMessage(message);
        out_ += std::to_string(number);
        return OkStatus();
      case ProtobufMeaning::kTimeOfDay:
        if (!MillisOfProtobufTime(bits(1), bits(2), bits(3), bits(4), number)) {
          return NoMessage(message);
        }
        out_ += std::to_string(number);
        return OkStatus();
      default: break;
    }
    Int128 value = 0;
    const auto digits = fields.find(1);
    const auto scale = static_cast<int32_t>(bits(3));
    constexpr int kScaleMax = 38;
    if ((digits != fields.end() && !digits->second.back().bytes.empty() &&
         !ReadDecimalBytes(digits->second.back().bytes, value)) ||
        scale < 0 || scale > kScaleMax) {
      return NoMessage(message);
    }
    Int128 shown = value;
    const bool rescaled = scale_ >= 0 && RescaleDecimal(value, scale, scale_, shown);
    out_ += DecimalText(rescaled ? shown : value, rescaled ? scale_ : scale);
    return OkStatus();
  }

  std::string& out_;
  int depth_ = 0;
  int scale_ = -1;  // A Decimal's digits after the point, where its field says them.
};

}  // namespace

Status EncodeProtobufJson(const ProtobufMessage& message, const RawJson& json, BufferBuilder& out) {
  if (json.kind != RawJson::Kind::kObject) {
    return Status(ErrorCode::kBadRecord, "this is no object: " + json.raw.substr(0, 60));
  }
  return JsonToProtobuf(out).Message(message, json);
}

Status AppendProtobufAsJson(const ProtobufMessage& message, std::string_view bytes,
                            std::string& out) {
  Found whole;
  whole.bytes = bytes;
  return ProtobufToJson(out).Message(message, {whole});
}

}  // namespace weir
