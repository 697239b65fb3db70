#include <unordered_map>

#include <fmt/format.h>

#include "base/status_macros.h"
#include "exec/formats/avro/avro_format.h"
#include "exec/formats/avro/avro_plan.h"
#include "exec/formats/record_columns.h"
#include "exec/formats/registry/schema_texts.h"
#include "exec/formats/registry/wire_format.h"

namespace weir {
namespace {

class AvroDecoder final : public SideDecoder {
 public:
  AvroDecoder(const FormatSpec& spec, const std::vector<FormatColumn>& columns)
      : spec_(spec), unwrapped_(spec.unwrapped && columns.size() == 1), columns_(columns) {
    if (unwrapped_) value_type_ = columns[0].type;
  }

  Status Decode(const RecordBatch& records, DecodedSide& out) override {
    return columns_.Decode(
        records, spec_.is_key, out, reason_,
        [this](std::string_view bytes, RowState& state) { return DecodeOne(bytes, state); });
  }

 private:
  /// A writer's schema, ready to be read by.
  struct Writer {
    AvroStep plan;
    std::string fault;  ///< Not empty: its records cannot be read.
  };

  Status DecodeOne(std::string_view bytes, RowState& state) {
    int32_t id = 0;
    if (!TakeSchemaId(bytes, id)) {
      reason_ = "no schema id in front: a record of the format AVRO begins with a zero byte";
      return OkStatus();
    }
    if (writer_ == nullptr || id != writer_id_) {
      WEIR_RETURN_IF_ERROR(FindWriter(id));
    }
    if (writer_ == nullptr || !writer_->fault.empty()) {
      reason_ = writer_ == nullptr ? fmt::format("schema id {} is not in the registry", id)
                                   : fmt::format("schema id {}: {}", id, writer_->fault);
      return OkStatus();
    }
    AvroCursor from(bytes);
    if (unwrapped_ && columns_.reads_none()) {
      // That a value is null counts, be it read or not.
      const AvroStep& plan = writer_->plan;
      if (reader_.Skip(plan, from)) {
        const bool is_null = plan.op == AvroStep::Op::kSkipNothing ||
                             (plan.op == AvroStep::Op::kSkipUnion && reader_.was_null());
        state = is_null ? RowState::kNull : RowState::kOk;
        if (!is_null) columns_.builder().AppendNested();
      }
    } else if (unwrapped_) {
      if (reader_.Read(writer_->plan, from, columns_.builder().child(0))) {
        columns_.builder().AppendNested();
        state = reader_.was_null() ? RowState::kNull : RowState::kOk;
      }
    } else if (reader_.Read(writer_->plan, from, columns_.builder())) {
      state = reader_.was_null() ? RowState::kNull : RowState::kOk;
    }
    if (state == RowState::kBad) {
      reason_ = fmt::format("byte {}, schema id {}: {}",
                            kSchemaIdBytes + static_cast<size_t>(from.at - bytes.data()), id,
                            reader_.fault());
    } else if (from.at != from.end) {
      state = RowState::kBad;
      reason_ = fmt::format("schema id {}: {} bytes follow the value", id, from.left());
    }
    return OkStatus();
  }

  /// Sets writer_ to the id's plan, or to null where the registry has no such schema.
  Status FindWriter(int32_t id) {
    writer_ = nullptr;
    auto found = writers_.find(id);
    if (found == writers_.end()) {
      WEIR_ASSIGN_OR_RETURN(const SchemaPointer schema, spec_.registry->ById(id));
      if (schema == nullptr) return OkStatus();  // Asked for again with the next record.
      WEIR_RETURN_IF_ERROR(FindReader());
      auto writer = std::make_unique<Writer>();
      if (Status made = MakeWriter(*schema, *writer); !made.ok()) {
        if (IsOfRegistry(made)) return made;
        writer->fault = made.message();
      }
      found = writers_.emplace(id, std::move(writer)).first;
    }
    writer_ = found->second.get();
    writer_id_ = id;
    return OkStatus();
  }

  Status MakeWriter(const RegisteredSchema& schema, Writer& writer) {
    if (schema.type != SchemaType::kAvro) {
      return Status(ErrorCode::kFormatMismatch,
                    fmt::format("it is a schema of type {}", SchemaTypeName(schema.type)));
    }
    WEIR_ASSIGN_OR_RETURN(const std::vector<std::string> references,
                          TextsOfReferences(*spec_.registry, schema));
    WEIR_ASSIGN_OR_RETURN(const AvroSchemaPtr parsed, ParseAvroSchema(schema.text, references));
    const AvroType* reader = own_ == nullptr ? nullptr : &own_->root();
    if (unwrapped_ && columns_.reads_none()) {
      WEIR_ASSIGN_OR_RETURN(writer.plan, PlanAvroSkip(parsed->root()));
      return OkStatus();
    }
    if (unwrapped_) {
      WEIR_ASSIGN_OR_RETURN(writer.plan, PlanAvroValue(parsed->root(), value_type_, reader));
      return OkStatus();
    }
    std::vector<AvroTarget> targets;
    for (const DataType::Field& field : columns_.type().fields()) {
      targets.push_back({field.name, field.type});
    }
    WEIR_ASSIGN_OR_RETURN(writer.plan, PlanAvroRecord(parsed->root(), targets, reader));
    return OkStatus();
  }

  /// The schema that the statement names, for its aliases and defaults.
  Status FindReader() {
    if (has_own_) return OkStatus();
    WEIR_ASSIGN_OR_RETURN(const SchemaPointer schema, GivenSchema(spec_));
    has_own_ = true;
    if (schema == nullptr || schema->type != SchemaType::kAvro) return OkStatus();
    WEIR_ASSIGN_OR_RETURN(const std::vector<std::string> references,
                          TextsOfReferences(*spec_.registry, *schema));
    WEIR_ASSIGN_OR_RETURN(own_, ParseAvroSchema(schema->text, references));
    return OkStatus();
  }

  const FormatSpec spec_;
  const bool unwrapped_;
  DataType value_type_;
  RecordColumns columns_;
  AvroReader reader_;
  std::unordered_map<int32_t, std::unique_ptr<Writer>> writers_;
  const Writer* writer_ = nullptr;  // Of the record before.
  int32_t writer_id_ = 0;
  AvroSchemaPtr own_;
  bool has_own_ = false;
  std::string reason_;
};

}  // namespace

std::unique_ptr<SideDecoder> MakeAvroDecoder(const FormatSpec& spec,
                                             const std::vector<FormatColumn>& columns) {
  return std::make_unique<AvroDecoder>(spec, columns);
}

}  // namespace weir
