#include "exec/formats/avro/avro_schema.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/limits.h"
#include "base/number_text.h"
#include "base/schema_rules.h"
#include "base/status_macros.h"
#include "exec/formats/json/raw_json.h"

namespace weir {
namespace {

/// Each level of a schema is up to three of its JSON.
constexpr int kSchemaDepthMax = 200;
constexpr int kSchemaJsonDepthMax = 3 * kSchemaDepthMax;
/// Bytes of JSON, each counted as often as it is nested: so much of it is copied.
constexpr size_t kNestedBytesMax = 64u << 20;
constexpr int64_t kFixedSizeMax = 1 << 20;

constexpr std::string_view kPrimitives[] = {"null",  "boolean", "int",   "long",
                                            "float", "double",  "bytes", "string"};
static_assert(static_cast<int>(AvroKind::kString) == 7);

/// Asked before anything is made of a text that may hold anything.
bool IsTooLarge(std::string_view text) {
  size_t depth = 1;
  size_t nested = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size() && nested <= kNestedBytesMax; ++i) {
    const char c = text[i];
    if (quoted && c == '\\') ++i;
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == '{' || c == '[')) ++depth;
    if (!quoted && (c == '}' || c == ']') && depth > 1) --depth;
    nested += depth;
  }
  return nested > kNestedBytesMax;
}

Status SchemaFault(std::string what) {
  return Status(ErrorCode::kFormatMismatch, "not an Avro schema: " + std::move(what));
}

std::string_view TextOf(const RawJson& json, std::string_view name) {
  const RawJson* found = json.Find(name);
  return found == nullptr || found->kind != RawJson::Kind::kString ? std::string_view()
                                                                   : found->text;
}

/// What `what` is called in messages; long ones are cut.
std::string Shortened(std::string_view json) {
  constexpr size_t kShown = 60;
  return json.size() <= kShown ? std::string(json) : std::string(json.substr(0, kShown)) + "…";
}

}  // namespace

std::string_view AvroType::BranchName() const {
  if (is_named()) return full_name;
  switch (kind) {
    case AvroKind::kArray: return "array";
    case AvroKind::kMap: return "map";
    case AvroKind::kUnion: return "union";
    default: return kPrimitives[static_cast<size_t>(kind)];
  }
}

class AvroSchemaParser {
 public:
  AvroSchemaParser() : schema_(std::make_shared<AvroSchema>()) {}

  Status Parse(std::string_view text) {
    if (IsTooLarge(text)) {
      return SchemaFault(fmt::format("its {} bytes are too many, or nested too deep", text.size()));
    }
    Result<RawJson> json = ParseRawJson(text, kSchemaJsonDepthMax);
    // A bare name may stand without its quotes, as some clients register "int".
    if (!json.ok() && SchemaNameFault(text).empty()) {
      RawJson name;
      name.kind = RawJson::Kind::kString;
      name.text = text;
      json = std::move(name);
    }
    if (!json.ok()) return SchemaFault(json.status().message());
    WEIR_ASSIGN_OR_RETURN(schema_->root_, Read(*json, "", 0));
    return OkStatus();
  }

  AvroSchemaPtr Take() { return std::move(schema_); }

 private:
  using TypeResult = Result<const AvroType*>;

  AvroType* Make(AvroKind kind) {
    AvroType& type = schema_->types_.emplace_back();
    type.kind = kind;
    return &type;
  }

  static std::string FullName(std::string_view name, std::string_view space) {
    if (name.find('.') != std::string_view::npos || space.empty()) return std::string(name);
    return fmt::format("{}.{}", space, name);
  }

  static Status TooDeep() {
    return SchemaFault(fmt::format("it is nested deeper than {}", kSchemaDepthMax));
  }

  // Names and references make types deep whose texts are not.
  TypeResult Read(const RawJson& json, const std::string& space, int depth) {
    if (depth > kSchemaDepthMax) return TooDeep();
    WEIR_ASSIGN_OR_RETURN(const AvroType* read, ReadAny(json, space, depth));
    if (read->height > 0) return read;  // Known by its name.
    int height = 0;
    for (const AvroType* child : read->children) height = std::max(height, child->height + 1);
    for (const auto& field : read->fields) height = std::max(height, field.type->height + 1);
    if (height > kSchemaDepthMax) return TooDeep();
    const_cast<AvroType*>(read)->height = height;  // One of this schema's own.
    return read;
  }

  TypeResult ReadAny(const RawJson& json, const std::string& space, int depth) {
    switch (json.kind) {
      case RawJson::Kind::kString: return ReadName(json.text, space);
      case RawJson::Kind::kArray: return ReadUnion(json, space, depth);
      case RawJson::Kind::kObject: return ReadObject(json, space, depth);
      default: return SchemaFault("a type is a name, an object or a list: " + Shortened(json.raw));
    }
  }

  TypeResult ReadName(const std::string& name, const std::string& space) {
    for (size_t i = 0; i < std::size(kPrimitives); ++i) {
      if (name == kPrimitives[i]) {
        return static_cast<const AvroType*>(Make(static_cast<AvroKind>(i)));
      }
    }
    auto found = named_.find(FullName(name, space));
    if (found == named_.end()) found = named_.find(name);
    if (found == named_.end()) return SchemaFault("unknown type: " + Shortened(name));
    if (open_.contains(found->second)) {
      return Status(ErrorCode::kUnsupported,
                    "an Avro record that contains itself has no SQL type: " + found->first);
    }
    return found->second;
  }

  TypeResult ReadUnion(const RawJson& json, const std::string& space, int depth) {
    AvroType* made = Make(AvroKind::kUnion);
    if (json.items.empty()) return SchemaFault("a union has no types");
    std::set<std::string, std::less<>> names;
    for (const RawJson& item : json.items) {
      WEIR_ASSIGN_OR_RETURN(const AvroType* branch, Read(item, space, depth + 1));
      if (branch->kind == AvroKind::kUnion) return SchemaFault("a union holds a union");
      if (!names.emplace(branch->BranchName()).second) {
        return SchemaFault(fmt::format("a union has {} twice", branch->BranchName()));
      }
      made->children.push_back(branch);
    }
    return static_cast<const AvroType*>(made);
  }

  TypeResult ReadObject(const RawJson& json, const std::string& space, int depth) {
    const RawJson* type = json.Find("type");
    if (type == nullptr) return SchemaFault("an object has no type: " + Shortened(json.raw));
    if (type->kind != RawJson::Kind::kString) return Read(*type, space, depth + 1);
    if (type->text == "record" || type->text == "error") return ReadRecord(json, space, depth);
    if (type->text == "enum") return ReadEnum(json, space);
    if (type->text == "fixed") return ReadFixed(json, space);
    if (type->text == "array") return ReadArray(json, space, depth);
    if (type->text == "map") {
      const RawJson* values = json.Find("values");
      if (values == nullptr) return SchemaFault("a map has no values");
      AvroType* made = Make(AvroKind::kMap);
      WEIR_ASSIGN_OR_RETURN(const AvroType* child, Read(*values, space, depth + 1));
      made->children = {child};
      return static_cast<const AvroType*>(made);
    }
    WEIR_ASSIGN_OR_RETURN(const AvroType* read, ReadName(type->text, space));
    if (!read->is_named()) SetLogical(json, *const_cast<AvroType*>(read));
    return read;
  }

  TypeResult ReadArray(const RawJson& json, const std::string& space, int depth) {
    const RawJson* items = json.Find("items");
    if (items == nullptr) return SchemaFault("an array has no items");
    AvroType* made = Make(AvroKind::kArray);
    WEIR_ASSIGN_OR_RETURN(const AvroType* child, Read(*items, space, depth + 1));
    made->children = {child};
    const bool marked = TextOf(json, "connect.internal.type") == "MapEntry" ||
                        TextOf(*items, "connect.internal.type") == "MapEntry";
    made->is_map_entries = (marked || child->full_name.ends_with("MapEntry")) &&
                           child->kind == AvroKind::kRecord && child->fields.size() == 2 &&
                           child->fields[0].name == "key" && child->fields[1].name == "value";
    return static_cast<const AvroType*>(made);
  }

  /// A new named type, known from here on.
  Result<AvroType*> ReadNamed(const RawJson& json, AvroKind kind, const std::string& space) {
    const std::string_view name = TextOf(json, "name");
    const RawJson* own_space = json.Find("namespace");
    AvroType* made = Make(kind);
    made->full_name = FullName(name, own_space == nullptr ? space : own_space->text);
    size_t from = 0;
    while (from <= made->full_name.size()) {
      const size_t dot = std::min(made->full_name.find('.', from), made->full_name.size());
      const auto part = std::string_view(made->full_name).substr(from, dot - from);
      if (const auto fault = SchemaNameFault(part); !fault.empty()) {
        return SchemaFault(fmt::format("'{}' is no name: {}", Shortened(made->full_name), fault));
      }
      from = dot + 1;
    }
    if (!named_.emplace(made->full_name, made).second) {
      return SchemaFault("a name is defined twice: " + made->full_name);
    }
    return made;
  }

  TypeResult ReadRecord(const RawJson& json, const std::string& space, int depth) {
    WEIR_ASSIGN_OR_RETURN(AvroType * made, ReadNamed(json, AvroKind::kRecord, space));
    const size_t dot = made->full_name.rfind('.');
    const std::string inner = dot == std::string::npos ? "" : made->full_name.substr(0, dot);
    const RawJson* fields = json.Find("fields");
    if (fields == nullptr || fields->kind != RawJson::Kind::kArray) {
      return SchemaFault("a record has no fields: " + made->full_name);
    }
    open_.insert(made);
    std::set<std::string, std::less<>> names;
    for (const RawJson& each : fields->items) {
      AvroType::Field field;
      field.name = TextOf(each, "name");
      if (const auto fault = SchemaNameFault(field.name); !fault.empty()) {
        return SchemaFault(fmt::format("'{}' is no name: {}", Shortened(field.name), fault));
      }
      if (!names.insert(field.name).second) {
        return SchemaFault(fmt::format("{} has two fields {}", made->full_name, field.name));
      }
      const RawJson* type = each.Find("type");
      if (type == nullptr) return SchemaFault("a field has no type: " + field.name);
      WEIR_ASSIGN_OR_RETURN(field.type, Read(*type, inner, depth + 1));
      // Some writers put the logical type beside the name of the type.
      if (type->kind == RawJson::Kind::kString && !field.type->is_named()) {
        SetLogical(each, *const_cast<AvroType*>(field.type));
      }
      if (const RawJson* value = each.Find("default")) {
        field.has_default = true;
        field.default_json = value->raw;
      }
      if (const RawJson* aliases = each.Find("aliases")) {
        for (const RawJson& alias : aliases->items) field.aliases.push_back(alias.text);
      }
      made->fields.push_back(std::move(field));
    }
    open_.erase(made);
    return static_cast<const AvroType*>(made);
  }

  TypeResult ReadEnum(const RawJson& json, const std::string& space) {
    WEIR_ASSIGN_OR_RETURN(AvroType * made, ReadNamed(json, AvroKind::kEnum, space));
    const RawJson* symbols = json.Find("symbols");
    if (symbols == nullptr || symbols->kind != RawJson::Kind::kArray) {
      return SchemaFault("an enum has no symbols: " + made->full_name);
    }
    for (const RawJson& symbol : symbols->items) made->symbols.push_back(symbol.text);
    made->default_symbol = TextOf(json, "default");
    return static_cast<const AvroType*>(made);
  }

  TypeResult ReadFixed(const RawJson& json, const std::string& space) {
    WEIR_ASSIGN_OR_RETURN(AvroType * made, ReadNamed(json, AvroKind::kFixed, space));
    const RawJson* size = json.Find("size");
    if (size == nullptr || !ParseInt64(size->text, made->fixed_size) || made->fixed_size < 0 ||
        made->fixed_size > kFixedSizeMax) {
      return SchemaFault(
          fmt::format("the size of {} is a number from 0 to {}", made->full_name, kFixedSizeMax));
    }
    SetLogical(json, *made);
    return static_cast<const AvroType*>(made);
  }

  static void SetLogical(const RawJson& json, AvroType& type) {
    const std::string_view name = TextOf(json, "logicalType");
    if (name.empty()) return;
    const bool is_int = type.kind == AvroKind::kInt;
    const bool is_long = type.kind == AvroKind::kLong;
    if (is_int && name == "date") type.logical = AvroLogical::kDate;
    if (is_int && name == "time-millis") type.logical = AvroLogical::kTimeMillis;
    if (is_long && name == "time-micros") type.logical = AvroLogical::kTimeMicros;
    if (is_long && name == "timestamp-millis") type.logical = AvroLogical::kTimestampMillis;
    if (is_long && name == "timestamp-micros") type.logical = AvroLogical::kTimestampMicros;
    if (name != "decimal" || (type.kind != AvroKind::kBytes && type.kind != AvroKind::kFixed)) {
      return;
    }
    int64_t precision = 0;
    int64_t scale = 0;
    const RawJson* given = json.Find("precision");
    if (given == nullptr || !ParseInt64(given->text, precision)) return;
    if (const RawJson* digits = json.Find("scale");
        digits != nullptr && !ParseInt64(digits->text, scale)) {
      return;
    }
    if (precision < 1 || scale < 0 || scale > precision) return;
    // Kafka Connect writes 64 where it does not know; ksqlDB's largest is ours.
    precision = std::min<int64_t>(precision, limits::kDecimalPrecisionMax);
    if (scale > precision) return;
    type.logical = AvroLogical::kDecimal;
    type.precision = static_cast<int>(precision);
    type.scale = static_cast<int>(scale);
  }

  std::shared_ptr<AvroSchema> schema_;
  std::map<std::string, const AvroType*, std::less<>> named_;
  std::set<const AvroType*> open_;  // Records whose fields are being read.
};

Result<AvroSchemaPtr> ParseAvroSchema(std::string_view text,
                                      const std::vector<std::string>& references) {
  AvroSchemaParser parser;
  for (const std::string& reference : references) WEIR_RETURN_IF_ERROR(parser.Parse(reference));
  WEIR_RETURN_IF_ERROR(parser.Parse(text));
  return parser.Take();
}

}  // namespace weir
