#include "exec/formats/protobuf/protobuf_schema.h"

#include <google/protobuf/compiler/parser.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/unknown_field_set.h>

#include <algorithm>
#include <bit>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/letter_case.h"
#include "base/number_text.h"
#include "base/status_macros.h"
#include "exec/formats/protobuf/protobuf_wire.h"

namespace weir {
namespace {

namespace pb = google::protobuf;

constexpr std::string_view kOwnFile = "schema.proto";
constexpr std::string_view kMetaFile = "confluent/meta.proto";
/// Types that are used many times make a small text a large schema; these are counted once each.
constexpr int kFieldsMax = 100'000;
constexpr int kFilesMax = 1'000;

/// The number of Confluent's own options, on files, messages, fields and enums alike.
constexpr int kMetaOption = 1088;
constexpr int kMetaParams = 2;

struct KnownFile {
  std::string_view name;
  std::string_view text;
};
/// Files that registries know without being told. Those of google/protobuf are in libprotobuf.
constexpr KnownFile kKnownFiles[] = {
    {"google/type/date.proto",
     "syntax = \"proto3\"; package google.type;"
     "message Date { int32 year = 1; int32 month = 2; int32 day = 3; }"},
    {"google/type/timeofday.proto",
     "syntax = \"proto3\"; package google.type;"
     "message TimeOfDay { int32 hours = 1; int32 minutes = 2; int32 seconds = 3; int32 nanos = 4; "
     "}"},
    {"confluent/type/decimal.proto",
     "syntax = \"proto3\"; package confluent.type;"
     "message Decimal { bytes value = 1; uint32 precision = 2; uint32 scale = 3; }"},
    {kMetaFile,
     "syntax = \"proto3\"; package confluent; import \"google/protobuf/descriptor.proto\";"
     "message Meta { string doc = 1; map<string, string> params = 2; repeated string tags = 3; }"
     "extend google.protobuf.FileOptions { Meta file_meta = 1088; }"
     "extend google.protobuf.MessageOptions { Meta message_meta = 1088; }"
     "extend google.protobuf.FieldOptions { Meta field_meta = 1088; }"
     "extend google.protobuf.EnumOptions { Meta enum_meta = 1088; }"
     "extend google.protobuf.EnumValueOptions { Meta enum_value_meta = 1088; }"},
};

/// Keeps what was said first.
class FirstFault final : public pb::io::ErrorCollector, public pb::DescriptorPool::ErrorCollector {
 public:
  void AddError(int line, pb::io::ColumnNumber column, const std::string& message) override {
    if (text_.empty()) text_ = fmt::format("line {}, column {}: {}", line + 1, column + 1, message);
  }
  void AddError(const std::string& file, const std::string& element, const pb::Message*,
                ErrorLocation, const std::string& message) override {
    if (text_.empty()) {
      text_ = fmt::format("{}{}: {}", file == kOwnFile ? "" : file + ", ", element, message);
    }
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

Status NoSchema(const std::string& why) {
  return Status(ErrorCode::kFormatMismatch, "not a Protobuf schema: " + why);
}

ProtobufKind KindOf(pb::FieldDescriptor::Type type) {
  switch (type) {
    case pb::FieldDescriptor::TYPE_DOUBLE: return ProtobufKind::kDouble;
    case pb::FieldDescriptor::TYPE_FLOAT: return ProtobufKind::kFloat;
    case pb::FieldDescriptor::TYPE_INT32: return ProtobufKind::kInt32;
    case pb::FieldDescriptor::TYPE_INT64: return ProtobufKind::kInt64;
    case pb::FieldDescriptor::TYPE_UINT32: return ProtobufKind::kUint32;
    case pb::FieldDescriptor::TYPE_UINT64: return ProtobufKind::kUint64;
    case pb::FieldDescriptor::TYPE_SINT32: return ProtobufKind::kSint32;
    case pb::FieldDescriptor::TYPE_SINT64: return ProtobufKind::kSint64;
    case pb::FieldDescriptor::TYPE_FIXED32: return ProtobufKind::kFixed32;
    case pb::FieldDescriptor::TYPE_FIXED64: return ProtobufKind::kFixed64;
    case pb::FieldDescriptor::TYPE_SFIXED32: return ProtobufKind::kSfixed32;
    case pb::FieldDescriptor::TYPE_SFIXED64: return ProtobufKind::kSfixed64;
    case pb::FieldDescriptor::TYPE_BOOL: return ProtobufKind::kBool;
    case pb::FieldDescriptor::TYPE_STRING: return ProtobufKind::kString;
    case pb::FieldDescriptor::TYPE_BYTES: return ProtobufKind::kBytes;
    case pb::FieldDescriptor::TYPE_ENUM: return ProtobufKind::kEnum;
    case pb::FieldDescriptor::TYPE_MESSAGE: return ProtobufKind::kMessage;
    case pb::FieldDescriptor::TYPE_GROUP: return ProtobufKind::kGroup;
  }
  return ProtobufKind::kGroup;
}

ProtobufMeaning MeaningOf(std::string_view name) {
  if (name == "google.protobuf.Timestamp") return ProtobufMeaning::kTimestamp;
  if (name == "google.type.Date") return ProtobufMeaning::kDate;
  if (name == "google.type.TimeOfDay") return ProtobufMeaning::kTimeOfDay;
  if (name == "confluent.type.Decimal") return ProtobufMeaning::kDecimal;
  constexpr std::string_view kSpace = "google.protobuf.";
  if (!name.starts_with(kSpace)) return ProtobufMeaning::kNone;
  name.remove_prefix(kSpace.size());
  for (std::string_view wrapper :
       {"BoolValue", "Int32Value", "Int64Value", "UInt32Value", "UInt64Value", "FloatValue",
        "DoubleValue", "StringValue", "BytesValue"}) {
    if (name == wrapper) return ProtobufMeaning::kWrapper;
  }
  return ProtobufMeaning::kNone;
}

/// As the wire has it.
uint64_t DefaultBits(const pb::FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case pb::FieldDescriptor::CPPTYPE_INT32:
      return static_cast<uint64_t>(int64_t{field.default_value_int32()});
    case pb::FieldDescriptor::CPPTYPE_INT64:
      return static_cast<uint64_t>(field.default_value_int64());
    case pb::FieldDescriptor::CPPTYPE_UINT32: return field.default_value_uint32();
    case pb::FieldDescriptor::CPPTYPE_UINT64: return field.default_value_uint64();
    case pb::FieldDescriptor::CPPTYPE_DOUBLE:
      return std::bit_cast<uint64_t>(field.default_value_double());
    case pb::FieldDescriptor::CPPTYPE_FLOAT:
      return std::bit_cast<uint32_t>(field.default_value_float());
    case pb::FieldDescriptor::CPPTYPE_BOOL: return field.default_value_bool() ? 1 : 0;
    case pb::FieldDescriptor::CPPTYPE_ENUM:
      return static_cast<uint64_t>(int64_t{field.default_value_enum()->number()});
    default: return 0;
  }
}

/// Of Confluent's option params: a map entry is a message of a key and a value.
int ParameterOf(const pb::FieldDescriptor& field, std::string_view wanted) {
  const pb::UnknownFieldSet& options = field.options().unknown_fields();
  for (int i = 0; i < options.field_count(); ++i) {
    const pb::UnknownField& option = options.field(i);
    if (option.number() != kMetaOption ||
        option.type() != pb::UnknownField::TYPE_LENGTH_DELIMITED) {
      continue;
    }
    pb::UnknownFieldSet meta;
    if (!meta.ParseFromString(option.length_delimited())) continue;
    for (int j = 0; j < meta.field_count(); ++j) {
      const pb::UnknownField& param = meta.field(j);
      pb::UnknownFieldSet entry;
      if (param.number() != kMetaParams ||
          param.type() != pb::UnknownField::TYPE_LENGTH_DELIMITED ||
          !entry.ParseFromString(param.length_delimited())) {
        continue;
      }
      std::string text[2];
      for (int k = 0; k < entry.field_count(); ++k) {
        const pb::UnknownField& part = entry.field(k);
        const bool is_text = part.type() == pb::UnknownField::TYPE_LENGTH_DELIMITED;
        if (is_text && (part.number() == 1 || part.number() == 2)) {
          text[part.number() - 1] = part.length_delimited();
        }
      }
      int32_t number = 0;
      if (text[0] == wanted && ParseInt32(text[1], number)) return number;
    }
  }
  return 0;
}

}  // namespace

/// Parses files, those first that others import, and takes over what they define.
class ProtobufSchemaBuilder {
 public:
  explicit ProtobufSchemaBuilder(const std::vector<ProtobufFile>& files)
      : pool_(pb::DescriptorPool::generated_pool()) {
    for (const ProtobufFile& file : files) files_.emplace(file.name, file.text);
  }

  Result<ProtobufSchemaPtr> Build(std::string_view text) {
    const pb::LogSilencer silencer;  // It would warn on the terminal of who embeds us.
    WEIR_RETURN_IF_ERROR(Add(kOwnFile, text));
    const pb::FileDescriptor* file = pool_.FindFileByName(std::string(kOwnFile));
    for (int i = 0; i < file->message_type_count(); ++i) {
      TakeOwn(*file->message_type(i), {}, i);
    }
    WEIR_RETURN_IF_ERROR(TakeFields());
    if (schema_->own_.empty()) return NoSchema("it has no message");
    pb::FileDescriptorProto whole;
    file->CopyTo(&whole);
    schema_->canonical_ = whole.DebugString();
    return ProtobufSchemaPtr(std::move(schema_));
  }

 private:
  Status Add(std::string_view name, std::string_view text) {
    if (!begun_.insert(std::string(name)).second) {
      return NoSchema(fmt::format("{} imports itself", name));
    }
    if (begun_.size() > kFilesMax) {
      return NoSchema(fmt::format("it imports more than {} files", kFilesMax));
    }
    FirstFault fault;
    pb::io::ArrayInputStream stream(text.data(), static_cast<int>(text.size()));
    pb::io::Tokenizer tokenizer(&stream, &fault);
    pb::compiler::Parser parser;
    parser.RecordErrorsTo(&fault);
    pb::FileDescriptorProto proto;
    if (!parser.Parse(&tokenizer, &proto) || !fault.text().empty()) {
      return NoSchema((name == kOwnFile ? "" : std::string(name) + ", ") + fault.text());
    }
    proto.set_name(std::string(name));
    proto.clear_source_code_info();  // Where each word stood: much, and of no use.
    if (proto.syntax() == "proto3") {
      for (auto& message : *proto.mutable_message_type()) {
        const std::string package = proto.package().empty() ? "" : proto.package() + ".";
        GiveOwnNames(message, package + message.name());
      }
    }
    const auto& imports = proto.dependency();
    // The registry knows its own options without an import.
    if (name != kMetaFile && std::ranges::find(imports, kMetaFile) == imports.end()) {
      proto.add_dependency(std::string(kMetaFile));
    }
    for (const std::string& import : proto.dependency()) {
      if (pool_.FindFileByName(import) != nullptr) continue;
      WEIR_RETURN_IF_ERROR(AddImport(import, name));
    }
    if (pool_.BuildFileCollectingErrors(proto, &fault) == nullptr) return NoSchema(fault.text());
    return OkStatus();
  }

  /// libprotobuf refuses fields of proto3 whose names differ by case and underscores alone; columns
  /// may, and other compilers take them. It sees other names.
  void GiveOwnNames(pb::DescriptorProto& message, const std::string& full_name) {
    std::set<std::string> used;
    const auto plain = [](std::string_view name) {
      std::string text = ToLower(name);
      std::erase(text, '_');
      return text;
    };
    for (auto& field : *message.mutable_field()) used.insert(field.name());
    std::set<std::string> seen;
    for (auto& field : *message.mutable_field()) {
      if (seen.insert(plain(field.name())).second) continue;
      const std::string name = field.name();
      std::string own = fmt::format("field{}", field.number());
      while (used.contains(own) || !seen.insert(plain(own)).second) own += 'x';
      field.set_name(own);
      used.insert(own);
      names_[{full_name, field.number()}] = name;
    }
    for (auto& inner : *message.mutable_nested_type()) {
      GiveOwnNames(inner, full_name + "." + inner.name());
    }
  }

  Status AddImport(const std::string& import, std::string_view importer) {
    if (const auto given = files_.find(import); given != files_.end()) {
      return Add(import, given->second);
    }
    for (const KnownFile& known : kKnownFiles) {
      if (known.name == import) return Add(import, known.text);
    }
    return NoSchema(fmt::format("{}it imports {}, which is not among its references",
                                importer == kOwnFile ? "" : std::string(importer) + ": ", import));
  }

  void TakeOwn(const pb::Descriptor& descriptor, std::vector<int32_t> place, int index) {
    place.push_back(index);
    ProtobufMessage* message = Take(descriptor);
    message->place = place;
    if (!descriptor.options().map_entry()) schema_->own_.push_back(message);
    for (int i = 0; i < descriptor.nested_type_count(); ++i) {
      TakeOwn(*descriptor.nested_type(i), place, i);
    }
  }

  /// Its fields are taken later: messages may use each other in any depth.
  ProtobufMessage* Take(const pb::Descriptor& descriptor) {
    ProtobufMessage*& known = taken_[&descriptor];
    if (known != nullptr) return known;
    ProtobufMessage& message = schema_->all_.emplace_back();
    known = &message;
    message.full_name = descriptor.full_name();
    message.meaning = MeaningOf(message.full_name);
    for (int i = 0; i < descriptor.real_oneof_decl_count(); ++i) {
      message.oneofs.push_back(descriptor.oneof_decl(i)->name());
    }
    without_fields_.emplace_back(&descriptor, &message);
    return &message;
  }

  Status TakeFields() {
    while (!without_fields_.empty()) {
      const auto [descriptor, message] = without_fields_.back();
      without_fields_.pop_back();
      for (int i = 0; i < descriptor->field_count(); ++i) {
        if (++fields_ > kFieldsMax) {
          return NoSchema(fmt::format("it has more than {} fields", kFieldsMax));
        }
        message->fields.push_back(TakeField(*descriptor->field(i)));
      }
    }
    return OkStatus();
  }

  ProtobufField TakeField(const pb::FieldDescriptor& from) {
    ProtobufField field;
    field.number = from.number();
    const auto named = names_.find({from.containing_type()->full_name(), field.number});
    field.name = named == names_.end() ? from.name() : named->second;
    field.kind = KindOf(from.type());
    field.repeated = from.is_repeated();
    field.packed = from.is_packed();
    field.is_map = from.is_map();
    field.required = from.is_required();
    const pb::OneofDescriptor* oneof = from.real_containing_oneof();
    if (oneof != nullptr) field.oneof = oneof->index();
    const bool proto3 = from.file()->syntax() == pb::FileDescriptor::SYNTAX_PROTO3;
    field.optional = !field.repeated && (field.kind == ProtobufKind::kMessage || oneof != nullptr ||
                                         (proto3 && from.has_presence()));
    field.default_bits = DefaultBits(from);
    if (field.kind == ProtobufKind::kSint32 || field.kind == ProtobufKind::kSint64) {
      field.default_bits = ToZigZag(static_cast<int64_t>(field.default_bits));
    }
    if (from.cpp_type() == pb::FieldDescriptor::CPPTYPE_STRING) {
      field.default_text = from.default_value_string();
    }
    if (from.message_type() != nullptr) field.message = Take(*from.message_type());
    if (from.enum_type() != nullptr) field.enumeration = TakeEnum(*from.enum_type());
    field.precision = ParameterOf(from, "precision");
    field.scale = ParameterOf(from, "scale");
    return field;
  }

  const ProtobufEnum* TakeEnum(const pb::EnumDescriptor& from) {
    const ProtobufEnum*& known = enums_[&from];
    if (known != nullptr) return known;
    ProtobufEnum& taken = schema_->enums_.emplace_back();
    taken.full_name = from.full_name();
    for (int i = 0; i < from.value_count(); ++i) {
      taken.symbols.emplace_back(from.value(i)->number(), from.value(i)->name());
    }
    known = &taken;
    return known;
  }

  pb::DescriptorPool pool_;
  std::map<std::string, std::string, std::less<>> files_;
  std::set<std::string> begun_;
  /// Of fields that libprotobuf knows under another name, by message and number.
  std::map<std::pair<std::string, int32_t>, std::string> names_;
  std::map<const pb::Descriptor*, ProtobufMessage*> taken_;
  std::vector<std::pair<const pb::Descriptor*, ProtobufMessage*>> without_fields_;
  std::map<const pb::EnumDescriptor*, const ProtobufEnum*> enums_;
  std::shared_ptr<ProtobufSchema> schema_ = std::make_shared<ProtobufSchema>();
  int fields_ = 0;
};

ProtobufWire WireOf(ProtobufKind kind) {
  switch (kind) {
    case ProtobufKind::kDouble:
    case ProtobufKind::kFixed64:
    case ProtobufKind::kSfixed64: return ProtobufWire::kFixed64;
    case ProtobufKind::kFloat:
    case ProtobufKind::kFixed32:
    case ProtobufKind::kSfixed32: return ProtobufWire::kFixed32;
    case ProtobufKind::kString:
    case ProtobufKind::kBytes:
    case ProtobufKind::kMessage:
    case ProtobufKind::kGroup: return ProtobufWire::kLength;
    default: return ProtobufWire::kVarint;
  }
}

const ProtobufMessage* ProtobufSchema::Find(std::string_view name) const {
  const ProtobufMessage* found = nullptr;
  for (const ProtobufMessage* message : own_) {
    if (message->full_name == name) return message;
    const std::string_view full = message->full_name;
    if (!full.ends_with(name) || full[full.size() - name.size() - 1] != '.') continue;
    if (found != nullptr) return nullptr;
    found = message;
  }
  return found;
}

const ProtobufMessage* ProtobufSchema::At(const std::vector<int32_t>& place) const {
  for (const ProtobufMessage* message : own_) {
    if (message->place == place) return message;
  }
  return nullptr;
}

Result<ProtobufSchemaPtr> ParseProtobufSchema(std::string_view text,
                                              const std::vector<ProtobufFile>& files) {
  constexpr size_t kTextMax = 64 << 20;
  if (text.size() > kTextMax) return NoSchema("it has more than 64 MB");
  return ProtobufSchemaBuilder(files).Build(text);
}

}  // namespace weir
