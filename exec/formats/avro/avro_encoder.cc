#include <fmt/format.h>

#include "base/status_macros.h"
#include "exec/formats/avro/avro_cursor.h"
#include "exec/formats/avro/avro_format.h"
#include "exec/formats/avro/avro_writer.h"
#include "exec/formats/record_columns.h"
#include "exec/formats/registry/schema_texts.h"
#include "exec/formats/registry/wire_format.h"

namespace weir {
namespace {

class AvroEncoder final : public SideEncoder {
 public:
  AvroEncoder(const FormatSpec& spec, const std::vector<FormatColumn>& columns)
      : spec_(spec), columns_(columns), unwrapped_(spec.unwrapped && columns.size() == 1) {}

  Status Prepare() override {
    if (id_ >= 0 || columns_.empty()) return OkStatus();
    WEIR_ASSIGN_OR_RETURN(const SchemaPointer given, GivenSchema(spec_));
    std::vector<std::string> references;
    std::string text;
    int32_t id = 0;
    if (given == nullptr) {
      text = AvroSchemaOf(spec_, columns_);
      WEIR_ASSIGN_OR_RETURN(id,
                            spec_.registry->Register(spec_.subject, SchemaType::kAvro, text, {}));
    } else {
      if (given->type != SchemaType::kAvro) {
        return Status(ErrorCode::kFormatMismatch,
                      fmt::format("schema id {} is of type {}, not AVRO", given->id,
                                  SchemaTypeName(given->type)));
      }
      WEIR_ASSIGN_OR_RETURN(references, TextsOfReferences(*spec_.registry, *given));
      text = given->text;
      id = given->id;
    }
    WEIR_ASSIGN_OR_RETURN(schema_, ParseAvroSchema(text, references));
    std::vector<DataType::Field> fields;
    for (const FormatColumn& column : columns_) fields.push_back({column.name, column.type});
    if (unwrapped_) {
      WEIR_ASSIGN_OR_RETURN(plan_, PlanAvroWrite(schema_->root(), columns_[0].type));
    } else {
      WEIR_ASSIGN_OR_RETURN(plan_, PlanAvroWrite(schema_->root(), DataType::Struct(fields)));
    }
    id_ = id;
    return OkStatus();
  }

  Status Encode(const std::vector<ColumnPtr>& columns, std::span<const int32_t> rows,
                BufferBuilder& bytes, std::vector<Slice>& slices) override {
    if (id_ < 0) WEIR_RETURN_IF_ERROR(Prepare());
    slices.resize(rows.size());
    AvroWriter writer(bytes);
    for (size_t i = 0; i < rows.size(); ++i) {
      Slice& slice = slices[i];
      slice = {static_cast<uint32_t>(bytes.size()), -1};
      if (columns.empty() || (unwrapped_ && columns[0]->IsNull(rows[i]))) continue;
      AppendSchemaId(id_, bytes);
      bool written = true;
      if (unwrapped_) {
        written = writer.Write(plan_, *columns[0], rows[i]);
      } else {
        if (plan_.value_branch >= 0) AppendAvroLong(plan_.value_branch, bytes);
        written = writer.WriteFields(plan_, columns, rows[i]);
      }
      if (!written) {
        return RowRefused(spec_, fmt::format("schema id {}", id_), writer.fault());
      }
      slice.length = static_cast<int32_t>(bytes.size() - slice.begin);
    }
    return OkStatus();
  }

 private:
  const FormatSpec spec_;
  const std::vector<FormatColumn> columns_;
  const bool unwrapped_;
  int32_t id_ = -1;
  AvroSchemaPtr schema_;
  AvroWriteStep plan_;
};

}  // namespace

std::unique_ptr<SideEncoder> MakeAvroEncoder(const FormatSpec& spec,
                                             const std::vector<FormatColumn>& columns) {
  return std::make_unique<AvroEncoder>(spec, columns);
}

}  // namespace weir
