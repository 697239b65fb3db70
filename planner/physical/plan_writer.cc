#include <map>
#include <set>
#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/json_string.h"
#include "base/number_text.h"
#include "planner/physical/plan_fields.h"
#include "planner/physical/plan_text.h"

namespace weir {
namespace {

constexpr std::string_view kTypeWords[] = {"NULL",   "BOOLEAN", "INTEGER", "BIGINT", "DOUBLE",   "",
                                           "STRING", "BYTES",   "DATE",    "TIME",   "TIMESTAMP"};

class PlanWriter;

template <class T>
concept WritesFields = requires(PlanWriter& io, T& value) {
  plan_fields::Fields(io, value);
};

class PlanWriter {
 public:
  template <class T>
  void operator()(std::string_view name, const T& value) {
    const size_t before = out_.size();
    if (!first_) out_ += ',';
    AppendJsonString(name, out_);
    out_ += ':';
    const bool was_first = std::exchange(first_, false);
    if (Write(value)) return;
    out_.resize(before);
    first_ = was_first;
  }
  void operator()(std::string_view name, const ScalarOverload* function, const BoundExpr&) {
    (*this)(name, function);
  }

  void WriteNode(const physical::Node& node) {
    const bool outer = Open('{');
    (*this)("id", node.id);
    Always("node", node.kind);
    std::vector<int> inputs;
    for (const physical::NodePtr& input : node.inputs) inputs.push_back(input->id);
    (*this)("inputs", inputs);
    auto& fields = const_cast<physical::Node&>(node);  // Which are only looked at.
    plan_fields::VisitNode(fields, [this](auto& of_kind) { plan_fields::Fields(*this, of_kind); });
    plan_fields::Fields(*this, fields);
    Close('}', outer);
  }
  std::string& out() { return out_; }

 private:
  // Each Write appends the value and tells whether it is one that has to be written.
  bool Write(bool value) {
    out_ += value ? "true" : "false";
    return value;
  }
  template <std::integral T>
  bool Write(T value) {
    fmt::format_to(std::back_inserter(out_), "{}", value);
    return value != 0;
  }
  template <class E>
  requires std::is_enum_v<E>
  bool Write(E value) {
    AppendJsonString(plan_fields::Words<E>::kAll[static_cast<size_t>(value)], out_);
    return static_cast<size_t>(value) != 0;
  }
  bool Write(const std::string& text) {
    AppendJsonString(text, out_);
    return !text.empty();
  }
  bool Write(const DataType& type);
  bool Write(const Value& value);
  bool Write(const SchemaPtr& schema) {
    return schema != nullptr && (Write(schema->columns), true);
  }
  bool Write(const BoundExprPtr& expr) { return expr != nullptr && (Write(*expr), true); }
  template <class T>
  bool Write(const std::vector<T>& items) {
    const bool outer = Open('[');
    for (const T& item : items) {
      if (!std::exchange(first_, false)) out_ += ',';
      Write(item);
    }
    Close(']', outer);
    return !items.empty();
  }
  template <class T>
  bool Write(const std::optional<T>& value) {
    return value && (Write(*value), true);
  }
  bool Write(const std::map<std::string, std::string>& entries) {
    const bool outer = Open('{');
    for (const auto& [name, value] : entries) Always(name, value);
    Close('}', outer);
    return !entries.empty();
  }
  bool Write(const ScalarOverload* function) {
    if (function == nullptr) return false;
    return WriteFunction(function->name, function->parameter_types, {}, function->return_type);
  }
  bool Write(const AggregateOverload* function) {
    if (function == nullptr) return false;
    return WriteFunction(function->name, function->parameter_types, function->constant_types,
                         function->return_type);
  }
  bool Write(const TableFunctionOverload* function) {
    if (function == nullptr) return false;
    return WriteFunction(function->name, function->parameter_types, {}, function->return_type);
  }
  bool WriteFunction(const std::string& name, const std::vector<DataType>& takes,
                     const std::vector<DataType>& with, const DataType& gives) {
    const bool outer = Open('{');
    (*this)("name", name);
    (*this)("takes", takes);
    (*this)("with", with);
    (*this)("gives", gives);
    Close('}', outer);
    return true;
  }
  template <WritesFields T>
  bool Write(const T& value) {
    const bool outer = Open('{');
    plan_fields::Fields(*this, const_cast<T&>(value));  // Which are only looked at.
    const bool any = !first_;
    Close('}', outer);
    return any;
  }

  /// Writes what may be empty, too.
  template <class T>
  void Always(std::string_view name, const T& value) {
    if (!std::exchange(first_, false)) out_ += ',';
    AppendJsonString(name, out_);
    out_ += ':';
    Write(value);
  }
  /// What is wrapped in an object that says what it is.
  template <class T>
  bool Tagged(std::string_view tag, const T& value) {
    const bool outer = Open('{');
    Always(tag, value);
    Close('}', outer);
    return true;
  }
  bool Open(char bracket) {
    out_ += bracket;
    return std::exchange(first_, true);
  }
  void Close(char bracket, bool outer) {
    out_ += bracket;
    first_ = outer;
  }

  std::string out_;
  bool first_ = true;  // Nothing stands in the innermost bracket yet.
};

bool PlanWriter::Write(const DataType& type) {
  switch (type.kind()) {
    case TypeKind::kDecimal:
      return Tagged("DECIMAL", std::vector<int>{type.precision(), type.scale()});
    case TypeKind::kArray: return Tagged("ARRAY", type.element());
    case TypeKind::kMap: return Tagged("MAP", std::vector<DataType>{type.key(), type.element()});
    case TypeKind::kStruct: {
      std::vector<ColumnSchema> fields;
      for (const DataType::Field& field : type.fields()) fields.push_back({field.name, field.type});
      return Tagged("STRUCT", fields);
    }
    default:
      AppendJsonString(kTypeWords[static_cast<size_t>(type.kind())], out_);
      return !type.is(TypeKind::kNull);
  }
}

std::string HexText(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) {
    fmt::format_to(std::back_inserter(hex), "{:02x}", static_cast<unsigned char>(byte));
  }
  return hex;
}

bool PlanWriter::Write(const Value& value) {
  if (value.is_null()) {
    out_ += "null";
    return false;
  }
  struct Writes {
    PlanWriter& io;
    void operator()(std::monostate) const {}
    void operator()(bool v) const { io.Write(v); }
    void operator()(int32_t v) const { io.Write(v); }
    void operator()(int64_t v) const { io.Tagged("long", v); }
    void operator()(double v) const { io.Tagged("double", DoubleText(v)); }
    void operator()(const Int128& v) const { io.Tagged("decimal", DecimalText(v, 0)); }
    void operator()(const std::string& v) const {
      if (simdjson::validate_utf8(v)) {
        io.Write(v);
      } else {
        io.Tagged("bytes", HexText(v));
      }
    }
    void operator()(const Value::Items& v) const { io.Write(v); }
    void operator()(const Value::Entries& v) const {
      Value::Items flat;
      for (const auto& [key, item] : v) flat.insert(flat.end(), {key, item});
      io.Tagged("map", flat);
    }
  };
  std::visit(Writes{*this}, value.data);
  return true;
}

void WriteInputsFirst(const physical::Node& node, std::set<int>& written, PlanWriter& writer) {
  if (!written.insert(node.id).second) return;
  for (const physical::NodePtr& input : node.inputs) WriteInputsFirst(*input, written, writer);
  writer.out() += writer.out().back() == '[' ? "\n" : ",\n";
  writer.WriteNode(node);
}

}  // namespace

std::string WritePlan(const physical::Node& root) {
  PlanWriter writer;
  writer.out() = fmt::format("{{\"weir_plan\":{},\"nodes\":[", plan_fields::kVersion);
  std::set<int> written;
  WriteInputsFirst(root, written, writer);
  writer.out() += "]}\n";
  return std::move(writer.out());
}

}  // namespace weir
