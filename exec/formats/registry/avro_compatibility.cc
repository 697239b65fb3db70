// Whether what one Avro schema wrote can be read by another, by the specification's rules for
// resolving schemas.

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/status_macros.h"
#include "exec/formats/avro/avro_schema.h"
#include "exec/formats/registry/memory_registry.h"

namespace weir {
namespace {

std::string_view ShortName(std::string_view name) {
  const size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

bool Promotes(AvroKind from, AvroKind to) {
  if (from == to) return true;
  switch (from) {
    case AvroKind::kInt:
      return to == AvroKind::kLong || to == AvroKind::kFloat || to == AvroKind::kDouble;
    case AvroKind::kLong: return to == AvroKind::kFloat || to == AvroKind::kDouble;
    case AvroKind::kFloat: return to == AvroKind::kDouble;
    case AvroKind::kString: return to == AvroKind::kBytes;
    case AvroKind::kBytes: return to == AvroKind::kString;
    default: return false;
  }
}

class ReadCheck {
 public:
  /// What is in the way, or empty.
  std::string Fault(const AvroType& reader, const AvroType& writer) {
    // Named types may be used many times.
    const std::pair pair(&reader, &writer);
    const auto known = known_.find(pair);
    if (known != known_.end()) return known->second;
    return known_[pair] = FaultOf(reader, writer);
  }

 private:
  std::string FaultOf(const AvroType& reader, const AvroType& writer) {
    if (writer.kind == AvroKind::kUnion) {
      for (const AvroType* branch : writer.children) {
        if (std::string fault = Fault(reader, *branch); !fault.empty()) return fault;
      }
      return "";
    }
    if (reader.kind == AvroKind::kUnion) {
      for (const AvroType* branch : reader.children) {
        if (Fault(*branch, writer).empty()) return "";
      }
      return fmt::format("a union takes no {}", writer.BranchName());
    }
    if (!Promotes(writer.kind, reader.kind)) {
      return fmt::format("{} is no {}", writer.BranchName(), reader.BranchName());
    }
    if (reader.logical == AvroLogical::kDecimal && writer.logical == AvroLogical::kDecimal &&
        (reader.scale != writer.scale || reader.precision < writer.precision)) {
      return "a decimal's digits differ";
    }
    switch (reader.kind) {
      case AvroKind::kArray:
      case AvroKind::kMap: return Fault(*reader.children[0], *writer.children[0]);
      case AvroKind::kRecord: return RecordFault(reader, writer);
      case AvroKind::kEnum: return EnumFault(reader, writer);
      case AvroKind::kFixed:
        return reader.fixed_size == writer.fixed_size ? "" : "the sizes of a fixed differ";
      default: return "";
    }
  }

  std::string RecordFault(const AvroType& reader, const AvroType& writer) {
    if (ShortName(reader.full_name) != ShortName(writer.full_name)) {
      return fmt::format("{} is no {}", writer.full_name, reader.full_name);
    }
    for (const AvroType::Field& field : reader.fields) {
      const auto is_it = [&](const AvroType::Field& other) {
        return other.name == field.name ||
               std::ranges::find(field.aliases, other.name) != field.aliases.end();
      };
      const auto found = std::ranges::find_if(writer.fields, is_it);
      if (found == writer.fields.end()) {
        if (field.has_default) continue;
        return fmt::format("the new field {} has no default", field.name);
      }
      if (std::string fault = Fault(*field.type, *found->type); !fault.empty()) {
        return fmt::format("field {}: {}", field.name, fault);
      }
    }
    return "";
  }

  static std::string EnumFault(const AvroType& reader, const AvroType& writer) {
    if (!reader.default_symbol.empty()) return "";
    for (const std::string& symbol : writer.symbols) {
      if (std::ranges::find(reader.symbols, symbol) == reader.symbols.end()) {
        return fmt::format("the enum {} lacks {}", reader.full_name, symbol);
      }
    }
    return "";
  }

  std::map<std::pair<const AvroType*, const AvroType*>, std::string> known_;
};

}  // namespace

Status CheckAvroReads(const std::string& reader, const std::vector<std::string>& reader_references,
                      const std::string& writer,
                      const std::vector<std::string>& writer_references) {
  WEIR_ASSIGN_OR_RETURN(const AvroSchemaPtr reads, ParseAvroSchema(reader, reader_references));
  WEIR_ASSIGN_OR_RETURN(const AvroSchemaPtr wrote, ParseAvroSchema(writer, writer_references));
  const std::string fault = ReadCheck().Fault(reads->root(), wrote->root());
  return fault.empty() ? OkStatus() : Status(ErrorCode::kIncompatibleChange, fault);
}

}  // namespace weir
