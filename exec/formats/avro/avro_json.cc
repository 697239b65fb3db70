#include "exec/formats/avro/avro_json.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include <fmt/format.h>

#include "base/letter_case.h"
#include "base/limits.h"
#include "base/number_text.h"
#include "base/status_macros.h"
#include "exec/formats/base64.h"
#include "exec/formats/decimal_bytes.h"

namespace weir {
namespace {

constexpr size_t kJsonBytesMax = limits::kRecordBytesMax;

Status NoFit(const AvroType& type, const RawJson& json) {
  constexpr size_t kShown = 60;
  return Status(ErrorCode::kBadRecord, fmt::format("this is no Avro {}: {}", type.BranchName(),
                                                   json.raw.substr(0, kShown)));
}

const RawJson* FindMember(const RawJson& json, std::string_view name) {
  if (const RawJson* exact = json.Find(name)) return exact;
  for (const auto& [each, value] : json.members) {
    if (EqualIgnoringCase(each, name)) return &value;
  }
  return nullptr;
}

/// One character a byte, as schemas spell the defaults of bytes.
std::string Latin1Of(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0xC0 && i + 1 < text.size()) {
      const auto next = static_cast<unsigned char>(text[++i]);
      out += static_cast<char>((byte & 0x03) << 6 | (next & 0x3F));
    } else {
      out += static_cast<char>(byte);
    }
  }
  return out;
}

class JsonToAvro {
 public:
  /// `values` are counted, those of defaults too.
  JsonToAvro(bool base64, BufferBuilder& out, int& values)
      : base64_(base64), out_(out), values_(values) {}

  Status Write(const AvroType& type, const RawJson& json) {
    // Defaults of records have defaults in turn: a few lines may stand for any number of values.
    constexpr int kValuesMax = 1'000'000;
    if (++values_ > kValuesMax) {
      return Status(ErrorCode::kBadRecord,
                    fmt::format("a value or default of more than {} parts", kValuesMax));
    }
    switch (type.kind) {
      case AvroKind::kNull: return json.is_null() ? OkStatus() : NoFit(type, json);
      case AvroKind::kBoolean:
        if (json.text != "true" && json.text != "false") return NoFit(type, json);
        out_.AppendValue<uint8_t>(json.text == "true" ? 1 : 0);
        return OkStatus();
      case AvroKind::kInt:
      case AvroKind::kLong: return WriteInteger(type, json);
      case AvroKind::kFloat:
      case AvroKind::kDouble: return WriteFraction(type, json);
      case AvroKind::kBytes:
      case AvroKind::kFixed: return WriteBytes(type, json);
      case AvroKind::kString:
        if (json.is_null()) return NoFit(type, json);
        AppendAvroBytes(json.kind == RawJson::Kind::kString ? json.text : json.raw, out_);
        return OkStatus();
      case AvroKind::kEnum: {
        const auto found = std::ranges::find(type.symbols, json.text);
        if (found == type.symbols.end()) return NoFit(type, json);
        AppendAvroLong(found - type.symbols.begin(), out_);
        return OkStatus();
      }
      case AvroKind::kArray:
        return json.kind == RawJson::Kind::kObject && type.is_map_entries ? WriteEntries(type, json)
                                                                          : WriteItems(type, json);
      case AvroKind::kMap: return WriteMap(type, json);
      case AvroKind::kRecord: return WriteRecord(type, json);
      case AvroKind::kUnion: return WriteUnion(type, json);
    }
    return OkStatus();
  }

 private:
  Status WriteInteger(const AvroType& type, const RawJson& json) {
    int64_t value = 0;
    if (!ParseInt64(json.text, value)) {
      double fraction = 0;
      if (!ParseDouble(json.text, fraction) || fraction != std::trunc(fraction) ||
          std::abs(fraction) > 9e15) {
        return NoFit(type, json);
      }
      value = static_cast<int64_t>(fraction);
    }
    if (type.kind == AvroKind::kInt && value != static_cast<int32_t>(value)) {
      return NoFit(type, json);
    }
    AppendAvroLong(value, out_);
    return OkStatus();
  }

  Status WriteFraction(const AvroType& type, const RawJson& json) {
    double value = 0;
    if (json.is_null() || !ParseDouble(json.text, value)) return NoFit(type, json);
    if (type.kind == AvroKind::kDouble) {
      out_.AppendValue<double>(value);
    } else {
      out_.AppendValue<float>(static_cast<float>(value));
    }
    return OkStatus();
  }

  Status WriteBytes(const AvroType& type, const RawJson& json) {
    std::string bytes;
    Int128 number = 0;
    if (type.logical == AvroLogical::kDecimal && !json.is_null() &&
        ParseDecimal(json.text, type.precision, type.scale, number) == DecimalParse::kOk) {
      char buffer[16];
      bytes = WriteDecimalBytes(number, buffer);
      if (type.kind == AvroKind::kFixed && bytes.size() < static_cast<size_t>(type.fixed_size)) {
        bytes.insert(0, static_cast<size_t>(type.fixed_size) - bytes.size(),
                     number < 0 ? '\xff' : '\0');
      }
    } else if (json.kind != RawJson::Kind::kString) {
      return NoFit(type, json);
    } else if (!base64_) {
      bytes = Latin1Of(json.text);
    } else if (!DecodeBase64(json.text, bytes)) {
      return NoFit(type, json);
    }
    if (type.kind == AvroKind::kBytes) {
      AppendAvroBytes(bytes, out_);
      return OkStatus();
    }
    if (bytes.size() != static_cast<size_t>(type.fixed_size)) return NoFit(type, json);
    out_.Append(bytes.data(), bytes.size());
    return OkStatus();
  }

  Status WriteItems(const AvroType& type, const RawJson& json) {
    if (json.kind != RawJson::Kind::kArray) return NoFit(type, json);
    if (!json.items.empty()) AppendAvroLong(static_cast<int64_t>(json.items.size()), out_);
    for (const RawJson& item : json.items) {
      WEIR_RETURN_IF_ERROR(Write(*type.children[0], item));
    }
    AppendAvroLong(0, out_);
    return OkStatus();
  }

  Status WriteEntries(const AvroType& type, const RawJson& json) {
    const AvroType& entry = *type.children[0];
    if (!json.members.empty()) AppendAvroLong(static_cast<int64_t>(json.members.size()), out_);
    for (const auto& [name, value] : json.members) {
      RawJson key;
      key.kind = RawJson::Kind::kString;
      key.text = name;
      key.raw = QuoteJson(name);
      WEIR_RETURN_IF_ERROR(Write(*entry.fields[0].type, key));
      WEIR_RETURN_IF_ERROR(Write(*entry.fields[1].type, value));
    }
    AppendAvroLong(0, out_);
    return OkStatus();
  }

  Status WriteMap(const AvroType& type, const RawJson& json) {
    if (json.kind != RawJson::Kind::kObject) return NoFit(type, json);
    if (!json.members.empty()) AppendAvroLong(static_cast<int64_t>(json.members.size()), out_);
    for (const auto& [name, value] : json.members) {
      AppendAvroBytes(name, out_);
      WEIR_RETURN_IF_ERROR(Write(*type.children[0], value));
    }
    AppendAvroLong(0, out_);
    return OkStatus();
  }

  Status WriteRecord(const AvroType& type, const RawJson& json) {
    if (json.kind != RawJson::Kind::kObject) return NoFit(type, json);
    for (const AvroType::Field& field : type.fields) {
      if (const RawJson* value = FindMember(json, field.name)) {
        Status written = Write(*field.type, *value);
        if (!written.ok()) {
          return Status(written.code(), field.name + ": " + written.message());
        }
        continue;
      }
      if (field.has_default) {
        WEIR_ASSIGN_OR_RETURN(const RawJson given, ParseRawJson(field.default_json));
        WEIR_RETURN_IF_ERROR(JsonToAvro(false, out_, values_).Write(*field.type, given));
      } else if (Status written = Write(*field.type, RawJson()); !written.ok()) {
        return Status(ErrorCode::kBadRecord, field.name + ": it is missing and has no default");
      }
    }
    return OkStatus();
  }

  /// The first branch that takes it; what comes closest to JSON's own types first.
  Status WriteUnion(const AvroType& type, const RawJson& json) {
    const size_t before = out_.size();
    for (size_t i = 0; i < type.children.size(); ++i) {
      const AvroType& branch = *type.children[i];
      const bool texts = branch.kind == AvroKind::kString && json.kind != RawJson::Kind::kString;
      if ((branch.kind == AvroKind::kNull) != json.is_null() ||
          (texts && type.children.size() > 2)) {
        continue;
      }
      AppendAvroLong(static_cast<int64_t>(i), out_);
      if (Write(branch, json).ok()) return OkStatus();
      out_.Resize(before);
    }
    return NoFit(type, json);
  }

  const bool base64_;
  BufferBuilder& out_;
  int& values_;
};

Status Broken(const AvroType& type) {
  return Status(ErrorCode::kBadRecord,
                fmt::format("the bytes of an Avro {} end too early", type.BranchName()));
}

Status AppendNumber(const AvroType& type, AvroCursor& from, std::string& out) {
  int64_t value = 0;
  if (!from.Long(value)) return Broken(type);
  out += std::to_string(value);
  return OkStatus();
}

Status AppendBytes(const AvroType& type, AvroCursor& from, std::string& out) {
  std::string_view bytes;
  const bool there = type.kind == AvroKind::kFixed
                         ? from.Fixed(static_cast<size_t>(type.fixed_size), bytes)
                         : from.Bytes(bytes);
  if (!there) return Broken(type);
  if (Int128 value = 0; type.logical == AvroLogical::kDecimal && ReadDecimalBytes(bytes, value)) {
    out += DecimalText(value, type.scale);
    return OkStatus();
  }
  BufferBuilder text;
  AppendBase64(bytes, text);
  out += QuoteJson({reinterpret_cast<const char*>(text.data()), text.size()});
  return OkStatus();
}

Status AppendEntry(const AvroType& entry, AvroCursor& from, std::string& out) {
  std::string key;
  WEIR_RETURN_IF_ERROR(AppendAvroAsJson(*entry.fields[0].type, from, key));
  out += key.starts_with('"') ? key : QuoteJson(key);
  out += ':';
  return AppendAvroAsJson(*entry.fields[1].type, from, out);
}

Status AppendBlocks(const AvroType& type, AvroCursor& from, std::string& out) {
  const bool object = type.kind == AvroKind::kMap || type.is_map_entries;
  out += object ? '{' : '[';
  bool first = true;
  while (true) {
    int64_t items = 0;
    int64_t bytes = 0;
    if (!from.Block(items, bytes)) return Broken(type);
    if (items == 0) break;
    for (; items > 0; --items) {
      if (!first) out += ',';
      first = false;
      if (type.is_map_entries) {
        WEIR_RETURN_IF_ERROR(AppendEntry(*type.children[0], from, out));
        continue;
      }
      if (object) {
        std::string_view key;
        if (!from.Bytes(key)) return Broken(type);
        out += QuoteJson(key);
        out += ':';
      }
      WEIR_RETURN_IF_ERROR(AppendAvroAsJson(*type.children[0], from, out));
    }
  }
  out += object ? '}' : ']';
  return OkStatus();
}

Status AppendDouble(const AvroType& type, AvroCursor& from, std::string& out) {
  double value = 0;
  float half = 0;
  if (type.kind == AvroKind::kDouble ? !from.LittleEndian(value) : !from.LittleEndian(half)) {
    return Broken(type);
  }
  if (type.kind == AvroKind::kFloat) value = static_cast<double>(half);
  out += std::isfinite(value) ? DoubleText(value) : QuoteJson(DoubleText(value));
  return OkStatus();
}

}  // namespace

Status EncodeAvroJson(const AvroType& type, const RawJson& json, bool bytes_as_base64,
                      BufferBuilder& out) {
  int values = 0;
  return JsonToAvro(bytes_as_base64, out, values).Write(type, json);
}

Status EncodeAvroJson(const AvroType& type, std::string_view json, BufferBuilder& out) {
  WEIR_ASSIGN_OR_RETURN(const RawJson parsed, ParseRawJson(json));
  return EncodeAvroJson(type, parsed, false, out);
}

Status AppendAvroAsJson(const AvroType& type, AvroCursor& from, std::string& out) {
  // Records of records take no bytes, and may be many more than those who wrote the schema.
  if (out.size() > kJsonBytesMax) return Broken(type);
  switch (type.kind) {
    case AvroKind::kNull: out += "null"; return OkStatus();
    case AvroKind::kBoolean: {
      char value = 0;
      if (!from.LittleEndian(value)) return Broken(type);
      out += value != 0 ? "true" : "false";
      return OkStatus();
    }
    case AvroKind::kInt:
    case AvroKind::kLong: return AppendNumber(type, from, out);
    case AvroKind::kFloat:
    case AvroKind::kDouble: return AppendDouble(type, from, out);
    case AvroKind::kBytes:
    case AvroKind::kFixed: return AppendBytes(type, from, out);
    case AvroKind::kString: {
      std::string_view text;
      if (!from.Bytes(text)) return Broken(type);
      out += QuoteJson(text);
      return OkStatus();
    }
    case AvroKind::kEnum: {
      int64_t symbol = 0;
      if (!from.Long(symbol) || static_cast<uint64_t>(symbol) >= type.symbols.size()) {
        return Broken(type);
      }
      out += QuoteJson(type.symbols[static_cast<size_t>(symbol)]);
      return OkStatus();
    }
    case AvroKind::kArray:
    case AvroKind::kMap: return AppendBlocks(type, from, out);
    case AvroKind::kUnion: {
      int64_t branch = 0;
      if (!from.Long(branch) || static_cast<uint64_t>(branch) >= type.children.size()) {
        return Broken(type);
      }
      return AppendAvroAsJson(*type.children[static_cast<size_t>(branch)], from, out);
    }
    case AvroKind::kRecord: {
      out += '{';
      for (const AvroType::Field& field : type.fields) {
        if (&field != type.fields.data()) out += ',';
        out += QuoteJson(field.name);
        out += ':';
        WEIR_RETURN_IF_ERROR(AppendAvroAsJson(*field.type, from, out));
      }
      out += '}';
      return OkStatus();
    }
  }
  return OkStatus();
}

}  // namespace weir
