#include "exec/formats/json/json_sr_format.h"

#include <algorithm>
#include <optional>
#include <unordered_set>

#include <fmt/format.h>

#include "base/status_macros.h"
#include "exec/formats/json/json_decoder.h"
#include "exec/formats/json/json_encoder.h"
#include "exec/formats/json/raw_json.h"
#include "exec/formats/registry/schema_texts.h"
#include "exec/formats/registry/wire_format.h"

namespace weir {
namespace {

Status CheckIsJsonSchema(const RegisteredSchema& schema) {
  if (schema.type == SchemaType::kJson) return OkStatus();
  return Status(ErrorCode::kFormatMismatch, fmt::format("schema id {} is of type {}, not JSON",
                                                        schema.id, SchemaTypeName(schema.type)));
}

/// Takes the ids off and leaves the rest to the JSON format.
class JsonSrDecoder final : public SideDecoder {
 public:
  JsonSrDecoder(const FormatSpec& spec, const std::vector<FormatColumn>& columns)
      : spec_(spec), inner_(MakeJsonDecoder(spec, columns)) {}

  Status Decode(const RecordBatch& records, DecodedSide& out) override {
    bare_.bytes = records.bytes;
    bare_.keys = records.keys;
    bare_.values = records.values;
    bare_.partition = records.partition;
    bad_.clear();
    std::vector<Slice>& slices = spec_.is_key ? bare_.keys : bare_.values;
    for (int32_t row = 0; row < records.size(); ++row) {
      Slice& slice = slices[static_cast<size_t>(row)];
      if (slice.is_null()) continue;
      std::string_view bytes = records.View(slice);
      int32_t id = 0;
      const bool has_id = TakeSchemaId(bytes, id);
      if (has_id && id != last_id_ && !known_.contains(id)) {
        WEIR_ASSIGN_OR_RETURN(const SchemaPointer schema, spec_.registry->ById(id));
        if (schema != nullptr && schema->type == SchemaType::kJson) known_.insert(id);
      }
      if (has_id && (id == last_id_ || known_.contains(id))) {
        last_id_ = id;
        slice.begin += kSchemaIdBytes;
        slice.length -= static_cast<int32_t>(kSchemaIdBytes);
        continue;
      }
      slice.length = -1;
      bad_.push_back(
          {row, has_id ? fmt::format("schema id {} is not a JSON Schema of the registry", id)
                       : "no schema id in front: a record of the format JSON_SR begins with a "
                         "zero byte"});
    }
    WEIR_RETURN_IF_ERROR(inner_->Decode(bare_, out));
    bare_.bytes.reset();
    if (bad_.empty()) return OkStatus();
    if (out.states.empty()) out.states.resize(slices.size(), RowState::kOk);
    for (const DecodedSide::Bad& bad : bad_) {
      out.states[static_cast<size_t>(bad.row)] = RowState::kBad;
    }
    const auto middle = static_cast<std::ptrdiff_t>(out.bad.size());
    out.bad.insert(out.bad.end(), bad_.begin(), bad_.end());
    std::inplace_merge(out.bad.begin(), out.bad.begin() + middle, out.bad.end(),
                       [](const auto& a, const auto& b) { return a.row < b.row; });
    return OkStatus();
  }

 private:
  const FormatSpec spec_;
  std::unique_ptr<SideDecoder> inner_;
  RecordBatch bare_;
  std::unordered_set<int32_t> known_;  // Ids of JSON Schemas.
  std::optional<int32_t> last_id_;     // One of them.
  std::vector<DecodedSide::Bad> bad_;
};

class JsonSrEncoder final : public SideEncoder {
 public:
  JsonSrEncoder(const FormatSpec& spec, const std::vector<FormatColumn>& columns)
      : spec_(spec), columns_(columns) {}

  Status Prepare() override {
    if (inner_ != nullptr) return OkStatus();
    JsonFrame frame;
    int32_t id = 0;
    if (!columns_.empty()) {
      WEIR_ASSIGN_OR_RETURN(const SchemaPointer given, GivenSchema(spec_));
      if (given == nullptr) {
        WEIR_ASSIGN_OR_RETURN(id, spec_.registry->Register(spec_.subject, SchemaType::kJson,
                                                           JsonSchemaOf(spec_, columns_), {}));
      } else {
        WEIR_RETURN_IF_ERROR(CheckIsJsonSchema(*given));
        WEIR_RETURN_IF_ERROR(AddMissing(given->text, frame.more_members));
        id = given->id;
      }
    }
    BufferBuilder prefix;
    AppendSchemaId(id, prefix);
    frame.prefix.assign(reinterpret_cast<const char*>(prefix.data()), prefix.size());
    inner_ = MakeFramedJsonEncoder(spec_, columns_, std::move(frame));
    return OkStatus();
  }

  Status Encode(const std::vector<ColumnPtr>& columns, std::span<const int32_t> rows,
                BufferBuilder& bytes, std::vector<Slice>& slices) override {
    if (inner_ == nullptr) WEIR_RETURN_IF_ERROR(Prepare());
    return inner_->Encode(columns, rows, bytes, slices);
  }

 private:
  /// Properties of the schema that no column has, as nulls.
  Status AddMissing(const std::string& text, std::string& members) const {
    if (spec_.unwrapped && columns_.size() == 1) return OkStatus();
    WEIR_ASSIGN_OR_RETURN(const RawJson schema, ParseRawJson(text));
    const RawJson* properties = schema.Find("properties");
    if (properties == nullptr) return OkStatus();
    for (const auto& [name, type] : properties->members) {
      const bool has = std::ranges::any_of(
          columns_, [&](const FormatColumn& column) { return column.name == name; });
      if (!has) members += fmt::format(",{}:null", QuoteJson(name));
    }
    return OkStatus();
  }

  const FormatSpec spec_;
  const std::vector<FormatColumn> columns_;
  std::unique_ptr<SideEncoder> inner_;
};

}  // namespace

std::unique_ptr<SideDecoder> MakeJsonSrDecoder(const FormatSpec& spec,
                                               const std::vector<FormatColumn>& columns) {
  return std::make_unique<JsonSrDecoder>(spec, columns);
}

std::unique_ptr<SideEncoder> MakeJsonSrEncoder(const FormatSpec& spec,
                                               const std::vector<FormatColumn>& columns) {
  return std::make_unique<JsonSrEncoder>(spec, columns);
}

}  // namespace weir
