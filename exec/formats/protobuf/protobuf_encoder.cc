#include <memory>

#include <fmt/format.h>

#include "base/status_macros.h"
#include "exec/formats/protobuf/protobuf_format.h"
#include "exec/formats/protobuf/protobuf_writer.h"
#include "exec/formats/record_columns.h"
#include "exec/formats/registry/schema_texts.h"
#include "exec/formats/registry/wire_format.h"

namespace weir {
namespace {

class ProtobufEncoder final : public SideEncoder {
 public:
  ProtobufEncoder(const FormatSpec& spec, const std::vector<FormatColumn>& columns)
      : spec_(WithoutIdleRegistry(spec)), columns_(columns) {}

  Status Prepare() override {
    if (ready_ || columns_.empty()) return OkStatus();
    std::string text = ProtobufSchemaOf(spec_, columns_);
    SchemaPointer given;
    BufferBuilder prefix;
    if (spec_.registry != nullptr) {
      WEIR_ASSIGN_OR_RETURN(given, GivenSchema(spec_));
      if (given == nullptr) {
        WEIR_ASSIGN_OR_RETURN(
            id_, spec_.registry->Register(spec_.subject, SchemaType::kProtobuf, text, {}));
      } else {
        id_ = given->id;
      }
      AppendSchemaId(id_, prefix);
    }
    ProtobufSchemaPtr schema;
    if (given == nullptr) {
      WEIR_ASSIGN_OR_RETURN(schema, ParseProtobufSchema(text));
    } else {
      WEIR_ASSIGN_OR_RETURN(schema, ParseRegisteredProtobuf(*spec_.registry, *given));
    }
    WEIR_ASSIGN_OR_RETURN(
        const ProtobufMessage* message,
        MessageOf(*schema, given == nullptr ? std::string_view() : MessageNameOf(spec_)));
    if (spec_.registry != nullptr) AppendProtobufPlace(message->place, prefix);
    std::vector<DataType::Field> fields;
    for (const FormatColumn& column : columns_) fields.push_back({column.name, column.type});
    WEIR_ASSIGN_OR_RETURN(plan_, PlanProtobufWrite(*message, fields));
    prefix_.assign(reinterpret_cast<const char*>(prefix.data()), prefix.size());
    ready_ = true;
    return OkStatus();
  }

  Status Encode(const std::vector<ColumnPtr>& columns, std::span<const int32_t> rows,
                BufferBuilder& bytes, std::vector<Slice>& slices) override {
    WEIR_RETURN_IF_ERROR(Prepare());
    slices.resize(rows.size());
    ProtobufWriter writer(bytes);
    for (size_t i = 0; i < rows.size(); ++i) {
      Slice& slice = slices[i];
      slice = {static_cast<uint32_t>(bytes.size()), -1};
      if (columns.empty()) continue;
      bytes.Append(prefix_.data(), prefix_.size());
      if (!writer.Write(plan_, columns, rows[i])) {
        return RowRefused(
            spec_, spec_.registry == nullptr ? "a message" : fmt::format("schema id {}", id_),
            writer.fault());
      }
      slice.length = static_cast<int32_t>(bytes.size() - slice.begin);
    }
    return OkStatus();
  }

 private:
  const FormatSpec spec_;
  const std::vector<FormatColumn> columns_;
  bool ready_ = false;
  int32_t id_ = 0;
  std::string prefix_;
  ProtobufWriteStep plan_;
};

}  // namespace

std::unique_ptr<SideEncoder> MakeProtobufEncoder(const FormatSpec& spec,
                                                 const std::vector<FormatColumn>& columns) {
  return std::make_unique<ProtobufEncoder>(spec, columns);
}

}  // namespace weir
