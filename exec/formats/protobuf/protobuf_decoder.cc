#include <memory>
#include <unordered_map>

#include <fmt/format.h>

#include "base/status_macros.h"
#include "exec/formats/protobuf/protobuf_format.h"
#include "exec/formats/protobuf/protobuf_plan.h"
#include "exec/formats/protobuf/protobuf_wire.h"
#include "exec/formats/record_columns.h"
#include "exec/formats/registry/schema_texts.h"
#include "exec/formats/registry/wire_format.h"

namespace weir {
namespace {

class ProtobufDecoder final : public SideDecoder {
 public:
  ProtobufDecoder(const FormatSpec& spec, const std::vector<FormatColumn>& columns)
      : spec_(WithoutIdleRegistry(spec)), all_(columns), columns_(columns) {}

  Status Decode(const RecordBatch& records, DecodedSide& out) override {
    return columns_.Decode(
        records, spec_.is_key, out, reason_,
        [this](std::string_view bytes, RowState& state) { return DecodeOne(bytes, state); });
  }

 private:
  /// A message that records are written as, ready to be read by.
  struct Writer {
    ProtobufStep plan;
    std::string fault;  ///< Not empty: its records cannot be read.
  };

  Status DecodeOne(std::string_view bytes, RowState& state) {
    const char* const begin = bytes.data();
    if (spec_.registry == nullptr) {
      WEIR_RETURN_IF_ERROR(FindOwn());
    } else {
      WEIR_RETURN_IF_ERROR(FindWriter(bytes));
      if (writer_ == nullptr) return OkStatus();
    }
    if (!writer_->fault.empty()) {
      reason_ = writer_->fault;
    } else if (reader_.Read(writer_->plan, bytes, columns_.builder())) {
      state = RowState::kOk;
    } else {
      reason_ = fmt::format("message at byte {}{}: {}", bytes.data() - begin,
                            spec_.registry == nullptr ? "" : fmt::format(", schema id {}", id_),
                            reader_.fault());
    }
    return OkStatus();
  }

  /// PROTOBUF_NOSR: the message that the columns themselves have.
  Status FindOwn() {
    if (writer_ != nullptr) return OkStatus();
    WEIR_ASSIGN_OR_RETURN(const ProtobufSchemaPtr schema,
                          ParseProtobufSchema(ProtobufSchemaOf(spec_, all_)));
    auto own = std::make_unique<Writer>();
    WEIR_ASSIGN_OR_RETURN(own->plan, PlanProtobufMessage(*schema->messages()[0], columns_.type()));
    writer_ = own.get();
    writers_.emplace(std::string(), std::move(own));
    return OkStatus();
  }

  /// Takes what stands in front off `bytes`. Sets writer_, or null with a reason where there is no
  /// such schema.
  Status FindWriter(std::string_view& bytes) {
    if (writer_ != nullptr && bytes.starts_with(prefix_)) {
      bytes.remove_prefix(prefix_.size());
      return OkStatus();
    }
    writer_ = nullptr;
    const std::string_view whole = bytes;
    if (!TakeSchemaId(bytes, id_)) {
      reason_ = "no schema id in front: a record of the format PROTOBUF begins with a zero byte";
      return OkStatus();
    }
    std::vector<int32_t> place;
    if (!TakeProtobufPlace(bytes, place)) {
      reason_ = fmt::format("schema id {}: which of its messages this is does not follow", id_);
      return OkStatus();
    }
    prefix_ = whole.substr(0, whole.size() - bytes.size());
    auto found = writers_.find(prefix_);
    if (found == writers_.end()) {
      WEIR_ASSIGN_OR_RETURN(const SchemaPointer schema, spec_.registry->ById(id_));
      if (schema == nullptr) {  // Asked for again with the next record.
        reason_ = fmt::format("schema id {} is not in the registry", id_);
        return OkStatus();
      }
      auto writer = std::make_unique<Writer>();
      if (Status made = MakeWriter(*schema, place, *writer); !made.ok()) {
        if (IsOfRegistry(made)) return made;
        writer->fault = fmt::format("schema id {}: {}", id_, made.message());
      }
      constexpr size_t kWritersMax = 10'000;  // Any bytes may name any place.
      if (writers_.size() >= kWritersMax) writers_.clear();
      found = writers_.emplace(prefix_, std::move(writer)).first;
    }
    writer_ = found->second.get();
    return OkStatus();
  }

  Status MakeWriter(const RegisteredSchema& schema, const std::vector<int32_t>& place,
                    Writer& writer) {
    WEIR_ASSIGN_OR_RETURN(const ProtobufSchemaPtr parsed,
                          ParseRegisteredProtobuf(*spec_.registry, schema));
    const ProtobufMessage* message = parsed->At(place);
    if (message == nullptr) {
      return Status(ErrorCode::kFormatMismatch, "the schema has no message at the record's place");
    }
    WEIR_ASSIGN_OR_RETURN(writer.plan, PlanProtobufMessage(*message, columns_.type()));
    return OkStatus();
  }

  const FormatSpec spec_;
  const std::vector<FormatColumn> all_;  // Of the side, read or not.
  RecordColumns columns_;
  ProtobufReader reader_;
  std::unordered_map<std::string, std::unique_ptr<Writer>> writers_;  // By what stands in front.
  const Writer* writer_ = nullptr;  // Of the record before, whose front was prefix_.
  std::string prefix_;
  int32_t id_ = 0;
  std::string reason_;
};

}  // namespace

bool TakeProtobufPlace(std::string_view& bytes, std::vector<int32_t>& place) {
  constexpr int64_t kDepthMax = 100;
  ProtobufCursor from(bytes);
  uint64_t bits = 0;
  if (!from.Varint(bits)) return false;
  const int64_t count = FromZigZag(bits);
  if (count < 0 || count > kDepthMax) return false;
  place.clear();
  for (int64_t i = 0; i < count; ++i) {
    if (!from.Varint(bits)) return false;
    const int64_t index = FromZigZag(bits);
    if (index < 0 || index > INT32_MAX) return false;
    place.push_back(static_cast<int32_t>(index));
  }
  if (place.empty()) place.push_back(0);  // The first one, in short.
  bytes.remove_prefix(static_cast<size_t>(from.at - bytes.data()));
  return true;
}

void AppendProtobufPlace(const std::vector<int32_t>& place, BufferBuilder& out) {
  if (place == std::vector<int32_t>{0}) {
    out.AppendValue<char>(0);
    return;
  }
  AppendVarint(ToZigZag(static_cast<int64_t>(place.size())), out);
  for (const int32_t index : place) AppendVarint(ToZigZag(index), out);
}

std::unique_ptr<SideDecoder> MakeProtobufDecoder(const FormatSpec& spec,
                                                 const std::vector<FormatColumn>& columns) {
  return std::make_unique<ProtobufDecoder>(spec, columns);
}

}  // namespace weir
