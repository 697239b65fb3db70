// Records of programs as records with schemas: the decoder of what they have, and the encoder of
// what is wanted, batch by batch.

#include "weir/registry_encoder.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/schema_rules.h"
#include "base/status_macros.h"
#include "exec/engine/engine_impl.h"
#include "exec/formats/infer_columns.h"
#include "exec/formats/record_batch.h"

namespace weir {
namespace {

constexpr char kFieldDelimiter = ',';

/// A field whose values would be lost: `known` lacks it, or has it of a narrower type, which the
/// decoder cuts values to. What is read as text takes anything.
struct LostField {
  std::string path;  ///< Empty: there is none.
  std::string why;
};

bool IsCut(const DataType& known, const DataType& found) {
  return (known.is(TypeKind::kBigint) &&
          (found.is(TypeKind::kDouble) || found.is(TypeKind::kDecimal))) ||
         (known.is(TypeKind::kDate) && found.is(TypeKind::kTimestamp));
}

LostField LostIn(const std::string& name, const DataType& known, const DataType& found) {
  if (IsCut(known, found)) {
    return {name, fmt::format("has a {}, and is {} in the first {} records, which the schema is "
                              "made of",
                              found.ToString(), known.ToString(), RegistryEncoder::kSampleRecords)};
  }
  if (known.kind() != found.kind()) return {};
  if (known.is(TypeKind::kArray)) return LostIn(name, known.element(), found.element());
  if (!known.is(TypeKind::kStruct)) return {};
  for (const DataType::Field& field : found.fields()) {
    const std::string path = fmt::format("{}->{}", name, field.name);
    const auto there = std::ranges::find(known.fields(), field.name, &DataType::Field::name);
    if (there == known.fields().end()) {
      return {path, fmt::format("is not in the first {} records, which the schema is made of",
                                RegistryEncoder::kSampleRecords)};
    }
    LostField inner = LostIn(path, there->type, field.type);
    if (!inner.path.empty()) return inner;
  }
  return {};
}

LostField LostOf(const std::vector<FormatColumn>& known, const std::vector<ColumnSchema>& found) {
  for (const ColumnSchema& column : found) {
    const auto there = std::ranges::find(known, column.name, &FormatColumn::name);
    if (there == known.end()) {
      return {column.name,
              fmt::format("is not in the first {} records, which the schema is made of",
                          RegistryEncoder::kSampleRecords)};
    }
    LostField inner = LostIn(column.name, there->type, column.type);
    if (!inner.path.empty()) return inner;
  }
  return {};
}

Status DoesNotFit(const LostField& field) {
  return Status(ErrorCode::kBadRecord, fmt::format("field {} {}", field.path, field.why))
      .WithHint(
          "put a record that has such a value among the first, or list the columns: CREATE STREAM "
          "… "
          "WITH (CONNECTOR='file', …), and CREATE STREAM … AS SELECT from it");
}

/// One side of the records.
class SideRewriter {
 public:
  SideRewriter(const RegistryEncoder::Options& options, bool is_key)
      : side_(is_key ? options.key : options.value), delimited_(options.delimited) {
    input_.name = delimited_ ? "DELIMITED" : "JSON";
    input_.is_key = output_.is_key = is_key;
    if (delimited_) input_.properties["DELIMITER"] = std::string(1, kFieldDelimiter);
    output_.name = side_.format;
    output_.subject = SubjectOf(options.topic, is_key);
    output_.source_name = ColumnNameOf(options.topic);
  }

  bool is_key() const { return input_.is_key; }

  Status Open(SchemaRegistry& registry, std::span<const Record> sample) {
    std::vector<std::string_view> lines;
    for (const Record& record : sample) {
      if (const auto& text = TextOf(record)) lines.push_back(*text);
    }
    WEIR_ASSIGN_OR_RETURN(const std::vector<ColumnSchema> found,
                          delimited_
                              ? InferDelimitedColumns(side_.names, lines, kFieldDelimiter, "")
                              : InferJsonColumns(lines));
    if (found.empty()) {
      return Status(ErrorCode::kBadRecord,
                    fmt::format("the first {} records have no field to make a {} schema of",
                                sample.size(), is_key() ? "key" : "value"))
          .WithHint("lines of JSON are to be objects");
    }
    for (const ColumnSchema& column : found) columns_.push_back({column.name, column.type, true});
    output_.registry = &registry;
    output_.unwrapped = is_key() && columns_.size() == 1 && !IsProtobuf(output_.name);
    WEIR_ASSIGN_OR_RETURN(decoder_, MakeDecoder(input_, columns_));
    WEIR_ASSIGN_OR_RETURN(encoder_, MakeEncoder(output_, columns_));
    return encoder_->Prepare();
  }

  /// Encodes the records before the first bad one, which `bad` is then about; gives their number.
  Result<size_t> Rewrite(std::span<Record> records, Status& bad) {
    texts_.Clear();
    for (const Record& record : records) {
      const std::optional<std::string>& text = TextOf(record);
      const std::string_view view = text ? std::string_view(*text) : std::string_view();
      const std::string_view* given = text ? &view : nullptr;
      texts_.AddCopy(is_key() ? given : nullptr, is_key() ? nullptr : given, "", 0);
    }
    RecordBatch batch;
    texts_.MoveTo(batch);
    DecodedSide decoded;
    WEIR_RETURN_IF_ERROR(decoder_->Decode(batch, decoded));
    size_t good = records.size();
    if (!decoded.bad.empty()) {
      good = static_cast<size_t>(decoded.bad.front().row);
      bad = Status(ErrorCode::kBadRecord, decoded.bad.front().reason);
    }
    WEIR_RETURN_IF_ERROR(CheckFields(records, good, bad));
    rows_.clear();
    for (size_t row = 0; row < good; ++row) {
      const bool is_null = !decoded.states.empty() && decoded.states[row] == RowState::kNull;
      if (is_null || !TextOf(records[row])) {
        TextOf(records[row]).reset();
      } else {
        rows_.push_back(static_cast<int32_t>(row));
      }
    }
    bytes_.Clear();
    slices_.assign(rows_.size(), Slice());
    WEIR_RETURN_IF_ERROR(encoder_->Encode(decoded.columns, rows_, bytes_, slices_));
    for (size_t i = 0; i < rows_.size(); ++i) {
      std::optional<std::string>& text = TextOf(records[static_cast<size_t>(rows_[i])]);
      const Slice slice = slices_[i];
      if (slice.is_null()) {
        text.reset();
      } else {
        text->assign(reinterpret_cast<const char*>(bytes_.data()) + slice.begin,
                     static_cast<size_t>(slice.length));
      }
    }
    return good;
  }

 private:
  std::optional<std::string>& TextOf(Record& record) const {
    return input_.is_key ? record.key : record.value;
  }
  const std::optional<std::string>& TextOf(const Record& record) const {
    return input_.is_key ? record.key : record.value;
  }

  /// The decoders pass over what they have no column for, and cut values to the column's type; here
  /// both would be lost. Those of a CSV refuse all but a time that is cut to its date.
  Status CheckFields(std::span<const Record> records, size_t& good, Status& bad) const {
    if (delimited_ && std::ranges::none_of(columns_, [](const FormatColumn& column) {
          return column.type.is(TypeKind::kDate);
        })) {
      return OkStatus();
    }
    const auto found_in = [&](size_t begin, size_t end) {
      std::vector<std::string_view> lines;
      for (size_t row = begin; row < end; ++row) {
        if (const auto& text = TextOf(records[row])) lines.push_back(*text);
      }
      return delimited_ ? InferDelimitedColumns(side_.names, lines, kFieldDelimiter, "")
                        : InferJsonColumns(lines);
    };
    WEIR_ASSIGN_OR_RETURN(const std::vector<ColumnSchema> all, found_in(0, good));
    // Values that differ have no common type to look into, but each record's have one.
    const bool as_known = std::ranges::all_of(all, [&](const ColumnSchema& column) {
      const auto there = std::ranges::find(columns_, column.name, &FormatColumn::name);
      return there != columns_.end() && there->type == column.type;
    });
    if (as_known) return OkStatus();
    for (size_t row = 0; row < good; ++row) {
      WEIR_ASSIGN_OR_RETURN(const std::vector<ColumnSchema> found, found_in(row, row + 1));
      const LostField field = LostOf(columns_, found);
      if (field.path.empty()) continue;
      good = row;
      bad = DoesNotFit(field);
    }
    return OkStatus();
  }

  const RegistryEncoder::Side& side_;
  const bool delimited_;
  FormatSpec input_;
  FormatSpec output_;
  std::vector<FormatColumn> columns_;
  std::unique_ptr<SideDecoder> decoder_;
  std::unique_ptr<SideEncoder> encoder_;
  // Of the last batch, for their memory.
  RecordBatchBuilder texts_;
  std::vector<int32_t> rows_;
  BufferBuilder bytes_;
  std::vector<Slice> slices_;
};

class ColumnsEncoder final : public RegistryEncoder {
 public:
  ColumnsEncoder(Options options, std::shared_ptr<SchemaRegistry> registry)
      : options_(std::move(options)), registry_(std::move(registry)) {}

  Status Open(std::span<const Record> sample) {
    for (const bool is_key : {true, false}) {
      if ((is_key ? options_.key : options_.value).format.empty()) continue;
      sides_.push_back(std::make_unique<SideRewriter>(options_, is_key));
      WEIR_RETURN_IF_ERROR(sides_.back()->Open(*registry_, sample));
    }
    return OkStatus();
  }

  Status Encode(std::span<Record> records, size_t* encoded) override {
    *encoded = 0;
    Status bad;
    size_t good = records.size();
    for (const auto& side : sides_) {
      WEIR_ASSIGN_OR_RETURN(good, side->Rewrite(records.first(good), bad));
    }
    *encoded = good;
    return bad;
  }

 private:
  const Options options_;
  const std::shared_ptr<SchemaRegistry> registry_;
  std::vector<std::unique_ptr<SideRewriter>> sides_;
};

}  // namespace

Result<std::unique_ptr<RegistryEncoder>> RegistryEncoder::Make(Engine& engine, Options options,
                                                               std::span<const Record> sample) {
  auto* impl = dynamic_cast<EngineImpl*>(&engine);
  if (impl == nullptr) {
    return Status(ErrorCode::kUnsupported, "this engine has no schema registry");
  }
  std::shared_ptr<SchemaRegistry> registry;
  for (const Side* side : {&options.key, &options.value}) {
    if (side->format.empty()) continue;
    WEIR_ASSIGN_OR_RETURN(registry, impl->RegistryFor(side->format));
  }
  auto encoder = std::make_unique<ColumnsEncoder>(std::move(options), std::move(registry));
  WEIR_RETURN_IF_ERROR(encoder->Open(sample));
  return std::unique_ptr<RegistryEncoder>(std::move(encoder));
}

}  // namespace weir
