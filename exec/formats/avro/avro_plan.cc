#include "exec/formats/avro/avro_plan.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "base/letter_case.h"
#include "base/status_macros.h"
#include "exec/formats/avro/avro_json.h"

namespace weir {
namespace {

using Op = AvroStep::Op;

/// Types that are named once can be used many times, so a small schema may describe a huge value.
constexpr int kStepsMax = 200'000;

/// The only branch of a union that is not null, or the type itself.
const AvroType* WithoutNull(const AvroType* type) {
  if (type == nullptr || type->kind != AvroKind::kUnion) return type;
  const AvroType* found = nullptr;
  for (const AvroType* branch : type->children) {
    if (branch->kind == AvroKind::kNull) continue;
    if (found != nullptr) return type;
    found = branch;
  }
  return found == nullptr ? type : found;
}

const AvroType::Field* FindField(const AvroType* record, std::string_view name) {
  if (record == nullptr || record->kind != AvroKind::kRecord) return nullptr;
  for (const AvroType::Field& field : record->fields) {
    if (field.name == name) return &field;
  }
  for (const AvroType::Field& field : record->fields) {
    if (EqualIgnoringCase(field.name, name)) return &field;
  }
  return nullptr;
}

/// Field names of union branches: a record goes by its name without its namespace.
std::string_view ShortBranchName(const AvroType& branch) {
  const std::string_view name = branch.BranchName();
  const size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

class AvroPlanner {
 public:
  Result<AvroStep> Skip(const AvroType& type) {
    WEIR_RETURN_IF_ERROR(Count());
    AvroStep step;
    switch (type.kind) {
      case AvroKind::kNull: return step;
      case AvroKind::kBoolean: return Sized(Op::kSkipFixed, 1);
      case AvroKind::kInt:
      case AvroKind::kLong:
      case AvroKind::kEnum: return Sized(Op::kSkipLongs, 1);
      case AvroKind::kFloat: return Sized(Op::kSkipFixed, 4);
      case AvroKind::kDouble: return Sized(Op::kSkipFixed, 8);
      case AvroKind::kFixed: return Sized(Op::kSkipFixed, type.fixed_size);
      case AvroKind::kBytes:
      case AvroKind::kString: step.op = Op::kSkipBytes; return step;
      case AvroKind::kArray: {
        step.op = Op::kSkipBlocks;
        WEIR_ASSIGN_OR_RETURN(AvroStep item, Skip(*type.children[0]));
        step.steps.push_back(std::move(item));
        return step;
      }
      case AvroKind::kMap: {
        step.op = Op::kSkipBlocks;
        WEIR_ASSIGN_OR_RETURN(AvroStep value, Skip(*type.children[0]));
        AvroStep entry;
        entry.op = Op::kSkipAll;
        entry.steps.emplace_back().op = Op::kSkipBytes;
        Add(std::move(value), entry.steps);
        step.steps.push_back(std::move(entry));
        return step;
      }
      case AvroKind::kUnion:
        step.op = Op::kSkipUnion;
        for (const AvroType* branch : type.children) {
          WEIR_ASSIGN_OR_RETURN(AvroStep skip, Skip(*branch));
          step.steps.push_back(std::move(skip));
        }
        return step;
      case AvroKind::kRecord:
        step.op = Op::kSkipAll;
        for (const AvroType::Field& field : type.fields) {
          WEIR_ASSIGN_OR_RETURN(AvroStep skip, Skip(*field.type));
          Add(std::move(skip), step.steps);
        }
        return step;
    }
    return step;
  }

  Result<AvroStep> Value(const AvroType& writer, const DataType& type, const AvroType* reader) {
    WEIR_RETURN_IF_ERROR(Count());
    if (writer.kind == AvroKind::kUnion) return Union(writer, type, reader);
    if (writer.kind == AvroKind::kNull) return Plain(Op::kNull);
    reader = WithoutNull(reader);
    switch (type.kind()) {
      case TypeKind::kBoolean:
        if (writer.kind == AvroKind::kBoolean) return Plain(Op::kBoolean);
        break;
      case TypeKind::kInt:
        if (writer.kind == AvroKind::kInt) return Plain(Op::kInt32);
        break;
      case TypeKind::kBigint:
        if (writer.kind == AvroKind::kInt || writer.kind == AvroKind::kLong) {
          return Plain(Op::kInt64);
        }
        break;
      case TypeKind::kDouble:
        if (writer.kind == AvroKind::kDouble) return Plain(Op::kDouble);
        if (writer.kind == AvroKind::kFloat) return Plain(Op::kFloat);
        if (writer.kind == AvroKind::kInt || writer.kind == AvroKind::kLong) {
          return Plain(Op::kLongAsDouble);
        }
        break;
      case TypeKind::kDate:
        if (writer.logical == AvroLogical::kDate) return Plain(Op::kInt32);
        break;
      case TypeKind::kTime:
        if (writer.logical == AvroLogical::kTimeMillis) return Plain(Op::kMillisAsTime);
        if (writer.logical == AvroLogical::kTimeMicros) return Plain(Op::kMicrosAsTime);
        break;
      case TypeKind::kTimestamp:
        if (writer.logical == AvroLogical::kTimestampMillis) return Plain(Op::kInt64);
        if (writer.logical == AvroLogical::kTimestampMicros) return Plain(Op::kMicrosAsTimestamp);
        break;
      case TypeKind::kString: return Text(writer, type);
      case TypeKind::kBytes:
        if (writer.logical == AvroLogical::kDecimal) break;
        if (writer.kind == AvroKind::kBytes) return Plain(Op::kBytes);
        if (writer.kind == AvroKind::kFixed) return Sized(Op::kFixed, writer.fixed_size);
        break;
      case TypeKind::kDecimal: return Decimal(writer, type);
      case TypeKind::kArray:
        if (writer.kind == AvroKind::kArray && !writer.is_map_entries) {
          return Items(Op::kArray, writer, type.element(), reader);
        }
        break;
      case TypeKind::kMap: return Map(writer, type, reader);
      case TypeKind::kStruct:
        if (writer.kind == AvroKind::kRecord) {
          std::vector<AvroTarget> fields;
          for (const DataType::Field& field : type.fields()) {
            fields.push_back({field.name, field.type});
          }
          return Record(writer, fields, reader);
        }
        break;
      case TypeKind::kNull: break;
    }
    return Mismatch(writer, type);
  }

  Result<AvroStep> Record(const AvroType& writer, const std::vector<AvroTarget>& columns,
                          const AvroType* reader) {
    AvroStep step;
    step.op = Op::kStruct;
    // By the writer's fields: the column that each fills.
    std::vector<int> filled(writer.fields.size(), -1);
    std::vector<AvroStep> defaults;
    for (size_t i = 0; i < columns.size(); ++i) {
      const AvroTarget& column = columns[i];
      const AvroType::Field* own = FindField(reader, column.name);
      const AvroType::Field* found = FindField(&writer, column.name);
      for (size_t a = 0; found == nullptr && own != nullptr && a < own->aliases.size(); ++a) {
        found = FindField(&writer, own->aliases[a]);
      }
      // A field fills one column; a second one of the same letters gets nothing.
      const auto at = found == nullptr ? writer.fields.size()
                                       : static_cast<size_t>(found - writer.fields.data());
      if (found != nullptr && filled[at] < 0) {
        filled[at] = static_cast<int>(i);
      } else if (own != nullptr && own->has_default) {
        WEIR_ASSIGN_OR_RETURN(AvroStep value, Default(*own, column.type));
        value.target = static_cast<int>(i);
        defaults.push_back(std::move(value));
      } else {
        step.missing.push_back(static_cast<int>(i));
      }
    }
    for (size_t i = 0; i < writer.fields.size(); ++i) {
      const AvroType::Field& field = writer.fields[i];
      if (filled[i] < 0) {
        WEIR_ASSIGN_OR_RETURN(AvroStep skip, Skip(*field.type));
        Add(std::move(skip), step.steps);
        continue;
      }
      const AvroTarget& column = columns[static_cast<size_t>(filled[i])];
      const AvroType::Field* own = FindField(reader, column.name);
      WEIR_ASSIGN_OR_RETURN(AvroStep read,
                            Value(*field.type, column.type, own == nullptr ? nullptr : own->type));
      read.target = filled[i];
      step.steps.push_back(std::move(read));
    }
    for (AvroStep& value : defaults) step.steps.push_back(std::move(value));
    return step;
  }

 private:
  Status Count() {
    if (++steps_ <= kStepsMax) return OkStatus();
    return Status(ErrorCode::kFormatMismatch,
                  fmt::format("an Avro schema describes values of more than {} parts", kStepsMax));
  }

  static AvroStep Plain(Op op) {
    AvroStep step;
    step.op = op;
    return step;
  }

  static AvroStep Sized(Op op, int64_t count) {
    AvroStep step = Plain(op);
    step.count = count;
    return step;
  }

  /// Adds what passes over, as one step with what stands before it where that is the same.
  static void Add(AvroStep skip, std::vector<AvroStep>& steps) {
    if (skip.op == Op::kSkipNothing) return;
    if (skip.op == Op::kSkipAll) {
      for (AvroStep& inner : skip.steps) Add(std::move(inner), steps);
      return;
    }
    const bool counted = skip.op == Op::kSkipLongs || skip.op == Op::kSkipFixed;
    if (counted && !steps.empty() && steps.back().op == skip.op) {
      steps.back().count += skip.count;
    } else {
      steps.push_back(std::move(skip));
    }
  }

  /// Fails only for records that have such a value: in a union there may be others.
  Result<AvroStep> Mismatch(const AvroType& writer, const DataType& type) {
    AvroStep step = Plain(Op::kMismatch);
    step.fault = fmt::format("the writer's {} is no {}", writer.BranchName(), type.ToString());
    return step;
  }

  Result<AvroStep> Text(const AvroType& writer, const DataType& type) {
    switch (writer.kind) {
      case AvroKind::kString: return Plain(Op::kString);
      case AvroKind::kEnum: {
        AvroStep step = Plain(Op::kEnum);
        step.symbols = writer.symbols;
        return step;
      }
      case AvroKind::kBoolean: return Plain(Op::kBooleanAsText);
      case AvroKind::kInt:
      case AvroKind::kLong: return Plain(Op::kLongAsText);
      default: return Mismatch(writer, type);
    }
  }

  Result<AvroStep> Decimal(const AvroType& writer, const DataType& type) {
    if (writer.logical != AvroLogical::kDecimal) return Mismatch(writer, type);
    AvroStep step =
        Sized(Op::kDecimal, writer.kind == AvroKind::kFixed ? writer.fixed_size : int64_t{-1});
    step.scale = writer.scale;
    step.to_scale = type.scale();
    step.precision = type.precision();
    return step;
  }

  Result<AvroStep> Items(Op op, const AvroType& writer, const DataType& element,
                         const AvroType* reader) {
    const bool alike = reader != nullptr && reader->kind == writer.kind;
    AvroStep step = Plain(op);
    WEIR_ASSIGN_OR_RETURN(
        AvroStep item, Value(*writer.children[0], element, alike ? reader->children[0] : nullptr));
    step.steps.push_back(std::move(item));
    return step;
  }

  Result<AvroStep> Map(const AvroType& writer, const DataType& type, const AvroType* reader) {
    if (writer.kind == AvroKind::kMap && type.key().is(TypeKind::kString)) {
      return Items(Op::kMap, writer, type.element(), reader);
    }
    if (!writer.is_map_entries) return Mismatch(writer, type);
    const AvroType& entry = *writer.children[0];
    AvroStep step = Plain(Op::kMapEntries);
    WEIR_ASSIGN_OR_RETURN(AvroStep key, Value(*entry.fields[0].type, type.key(), nullptr));
    WEIR_ASSIGN_OR_RETURN(AvroStep value, Value(*entry.fields[1].type, type.element(), nullptr));
    step.steps.push_back(std::move(key));
    step.steps.push_back(std::move(value));
    return step;
  }

  Result<AvroStep> Union(const AvroType& writer, const DataType& type, const AvroType* reader) {
    AvroStep step = Plain(Op::kUnion);
    if (IsBranchStruct(writer, type)) step.op = Op::kBranchStruct;
    for (const AvroType* branch : writer.children) {
      if (step.op == Op::kUnion || branch->kind == AvroKind::kNull) {
        WEIR_ASSIGN_OR_RETURN(AvroStep value, Value(*branch, type, reader));
        step.steps.push_back(std::move(value));
        continue;
      }
      const int field = BranchField(*branch, type);
      if (field < 0) {
        WEIR_ASSIGN_OR_RETURN(AvroStep skip, Skip(*branch));
        step.steps.push_back(std::move(skip));
        continue;
      }
      WEIR_ASSIGN_OR_RETURN(
          AvroStep value, Value(*branch, type.fields()[static_cast<size_t>(field)].type, nullptr));
      value.target = field;
      step.steps.push_back(std::move(value));
    }
    step.count = static_cast<int64_t>(type.fields().size());
    return step;
  }

  static int BranchField(const AvroType& branch, const DataType& type) {
    for (size_t i = 0; i < type.fields().size(); ++i) {
      if (EqualIgnoringCase(type.fields()[i].name, ShortBranchName(branch))) {
        return static_cast<int>(i);
      }
    }
    return -1;
  }

  static bool IsBranchStruct(const AvroType& writer, const DataType& type) {
    if (!type.is(TypeKind::kStruct)) return false;
    int values = 0;
    bool named = false;
    for (const AvroType* branch : writer.children) {
      if (branch->kind == AvroKind::kNull) continue;
      ++values;
      named |= BranchField(*branch, type) >= 0;
    }
    return values > 1 && named;
  }

  Result<AvroStep> Default(const AvroType::Field& field, const DataType& type) {
    AvroStep step = Plain(Op::kDefault);
    BufferBuilder bytes;
    WEIR_RETURN_IF_ERROR(EncodeAvroJson(*field.type, field.default_json, bytes));
    step.bytes.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    WEIR_ASSIGN_OR_RETURN(AvroStep read, Value(*field.type, type, nullptr));
    step.steps.push_back(std::move(read));
    return step;
  }

  int steps_ = 0;
};

}  // namespace

Result<AvroStep> PlanAvroRecord(const AvroType& writer, const std::vector<AvroTarget>& columns,
                                const AvroType* reader) {
  const AvroType* record = WithoutNull(&writer);
  if (record->kind != AvroKind::kRecord) {
    return Status(ErrorCode::kFormatMismatch,
                  fmt::format("the writer's schema is no record, but {}", record->BranchName()));
  }
  AvroPlanner planner;
  WEIR_ASSIGN_OR_RETURN(AvroStep step, planner.Record(*record, columns, WithoutNull(reader)));
  if (record == &writer) return step;
  AvroStep either;
  either.op = Op::kUnion;
  for (const AvroType* branch : writer.children) {
    AvroStep& each = either.steps.emplace_back();
    if (branch == record) {
      each = std::move(step);
    } else {
      each.op = Op::kNull;
    }
  }
  return either;
}

Result<AvroStep> PlanAvroSkip(const AvroType& writer) { return AvroPlanner().Skip(writer); }

Result<AvroStep> PlanAvroValue(const AvroType& writer, const DataType& type,
                               const AvroType* reader) {
  return AvroPlanner().Value(writer, type, reader);
}

}  // namespace weir
