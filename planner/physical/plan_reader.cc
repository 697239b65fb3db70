#include <algorithm>
#include <concepts>
#include <map>
#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/number_text.h"
#include "planner/physical/plan_fields.h"
#include "planner/physical/plan_text.h"

namespace weir {
namespace {

using simdjson::dom::element;

// simdjson wants to know; plans nest as deep as expressions do.
constexpr size_t kJsonDepthMax = size_t{1} << 16;

class PlanReader;

template <class T>
concept ReadsFields = requires(PlanReader& io, T& value) {
  plan_fields::Fields(io, value);
};

class PlanReader {
 public:
  /// Stores that are in `names` get the names there.
  PlanReader(const FunctionCatalog& functions, const StoreNames& names)
      : functions_(functions), store_names_(names) {}

  template <class T>
  void operator()(std::string_view name, T& value) {
    element found;
    value = T();
    if (Find(name, found)) Read(found, value);
  }
  void operator()(std::string_view name, const ScalarOverload*& function, BoundExpr&) {
    element found;
    function = nullptr;
    if (!Find(name, found)) return;
    const Named named = ReadNamed(found);
    function = functions_.FindScalar(named.name, named.takes, LambdasOf(), named.gives);
    CheckFound(function != nullptr, named);
  }

  physical::NodePtr ReadNode(element from);
  const Status& status() const { return status_; }

 private:
  /// A function as it is written.
  struct Named {
    std::string name;
    std::vector<DataType> takes, with;
    DataType gives;
  };

  void Fail(std::string what) {
    if (status_.ok()) status_ = Status(ErrorCode::kPlanChanged, std::move(what));
  }
  void FailForm(std::string_view what) {
    Fail(fmt::format("the written plan has something else where {} should be", what));
  }
  bool Find(std::string_view name, element& found) {
    if (object_.at_key(name).get(found) != simdjson::SUCCESS) return false;
    ++fields_read_;
    return true;
  }
  /// Reads an object by `read`; a field that is left over is one that this version does not know.
  template <class ReadFields>
  void ReadObject(element from, ReadFields&& read) {
    simdjson::dom::object object;
    if (from.get(object) != simdjson::SUCCESS) return FailForm("an object");
    const auto outer = std::exchange(object_, object);
    const size_t outer_read = std::exchange(fields_read_, 0);
    read();
    if (fields_read_ < object.size()) Fail(UnknownField(object));
    object_ = outer;
    fields_read_ = outer_read;
  }
  static std::string UnknownField(simdjson::dom::object object) {
    std::string names;
    for (const auto field : object) names += (names.empty() ? "" : ", ") + std::string(field.key);
    return fmt::format("the written plan says more than this version knows, in: {}", names);
  }

  void Read(element from, bool& value) {
    if (from.get(value) != simdjson::SUCCESS) FailForm("true or false");
  }
  template <std::integral T>
  void Read(element from, T& value) {
    int64_t read = 0;
    if (from.get(read) != simdjson::SUCCESS || !std::in_range<T>(read)) {
      return FailForm("a number");
    }
    value = static_cast<T>(read);
  }
  template <class E>
  requires std::is_enum_v<E>
  void Read(element from, E& value) {
    std::string word;
    Read(from, word);
    size_t index = 0;
    for (const std::string_view known : plan_fields::Words<E>::kAll) {
      if (known == word) {
        value = static_cast<E>(index);
        return;
      }
      ++index;
    }
    Fail(fmt::format("the written plan has what this version does not know: {}", word));
  }
  void Read(element from, std::string& text) {
    std::string_view view;
    if (from.get(view) != simdjson::SUCCESS) return FailForm("a text");
    text = view;
  }
  void Read(element from, DataType& type);
  void Read(element from, Value& value);
  void Read(element from, SchemaPtr& schema) {
    auto read = std::make_shared<Schema>();
    Read(from, read->columns);
    schema = std::move(read);
  }
  void Read(element from, BoundExprPtr& expr) {
    auto read = std::make_shared<BoundExpr>();
    Read(from, *read);
    expr = std::move(read);
  }
  template <class T>
  void Read(element from, std::vector<T>& items) {
    simdjson::dom::array array;
    if (from.get(array) != simdjson::SUCCESS) return FailForm("a list");
    for (const element item : array) Read(item, items.emplace_back());
  }
  template <class T>
  void Read(element from, std::optional<T>& value) {
    Read(from, value.emplace());
  }
  void Read(element from, std::map<std::string, std::string>& entries) {
    simdjson::dom::object object;
    if (from.get(object) != simdjson::SUCCESS) return FailForm("an object");
    for (const auto field : object) Read(field.value, entries[std::string(field.key)]);
  }
  void Read(element from, const AggregateOverload*& function) {
    const Named named = ReadNamed(from);
    function = functions_.FindAggregate(named.name, named.takes, named.with, named.gives);
    CheckFound(function != nullptr, named);
  }
  void Read(element from, const TableFunctionOverload*& function) {
    const Named named = ReadNamed(from);
    function = functions_.FindTableFunction(named.name, named.takes, named.gives);
    CheckFound(function != nullptr, named);
  }
  template <ReadsFields T>
  void Read(element from, T& value) {
    ReadObject(from, [&] { plan_fields::Fields(*this, value); });
  }

  Named ReadNamed(element from) {
    Named named;
    ReadObject(from, [&] {
      (*this)("name", named.name);
      (*this)("takes", named.takes);
      (*this)("with", named.with);
      (*this)("gives", named.gives);
    });
    return named;
  }
  void CheckFound(bool found, const Named& named) {
    if (found) return;
    std::string types;
    for (const DataType& type : named.takes) types += (types.empty() ? "" : ", ") + type.ToString();
    Fail(fmt::format("this version has no function {}({}) that gives {}", named.name, types,
                     named.gives.ToString()));
  }
  /// By child of the expression at hand, its number of parameters where it is a lambda, else -1.
  std::vector<int> LambdasOf() {
    std::vector<int> lambdas;
    simdjson::dom::array children;
    if (object_.at_key("of").get(children) != simdjson::SUCCESS) return lambdas;
    for (const element child : children) {
      std::string_view kind;
      int64_t parameters = -1;
      if (child["is"].get(kind) == simdjson::SUCCESS && kind == "lambda") {
        if (child["parameters"].get(parameters) != simdjson::SUCCESS) parameters = 0;
      }
      lambdas.push_back(static_cast<int>(parameters));
    }
    return lambdas;
  }

  const FunctionCatalog& functions_;
  const StoreNames& store_names_;
  simdjson::dom::object object_;  // Being read.
  size_t fields_read_ = 0;        // Of it.
  std::map<int, physical::NodePtr> nodes_;
  Status status_;
};

void PlanReader::Read(element from, DataType& type) {
  std::string_view word;
  if (from.get(word) == simdjson::SUCCESS) {
    static const std::pair<std::string_view, DataType> kTypes[] = {
        {"NULL", DataType::Null()},     {"BOOLEAN", DataType::Boolean()},
        {"INTEGER", DataType::Int()},   {"BIGINT", DataType::Bigint()},
        {"DOUBLE", DataType::Double()}, {"STRING", DataType::String()},
        {"BYTES", DataType::Bytes()},   {"DATE", DataType::Date()},
        {"TIME", DataType::Time()},     {"TIMESTAMP", DataType::Timestamp()}};
    for (const auto& [name, known] : kTypes) {
      if (name != word) continue;
      type = known;
      return;
    }
    return Fail(fmt::format("this version has no type {}", word));
  }
  std::vector<int> digits;
  std::optional<DataType> element_type;
  std::vector<DataType> map;
  std::optional<std::vector<ColumnSchema>> fields;
  ReadObject(from, [&] {
    (*this)("DECIMAL", digits);
    (*this)("ARRAY", element_type);
    (*this)("MAP", map);
    (*this)("STRUCT", fields);
  });
  if (digits.size() == 2) {
    const bool fits = digits[0] >= 1 && digits[0] <= 38 && digits[1] >= 0 && digits[1] <= digits[0];
    if (!fits) return FailForm("the digits of a DECIMAL");
    type = DataType::Decimal(digits[0], digits[1]);
  } else if (element_type) {
    type = DataType::Array(std::move(*element_type));
  } else if (map.size() == 2) {
    type = DataType::Map(std::move(map[0]), std::move(map[1]));
  } else if (fields) {
    std::vector<DataType::Field> made;
    for (ColumnSchema& field : *fields) made.push_back({std::move(field.name), field.type});
    type = DataType::Struct(std::move(made));
  } else {
    FailForm("a type");
  }
}

bool FromHex(std::string_view hex, std::string& bytes) {
  if (hex.size() % 2 != 0) return false;
  for (size_t i = 0; i < hex.size(); i += 2) {
    int byte = 0;
    for (const char digit : hex.substr(i, 2)) {
      const size_t value = std::string_view("0123456789abcdef").find(digit);
      if (value == std::string_view::npos) return false;
      byte = byte * 16 + static_cast<int>(value);
    }
    bytes.push_back(static_cast<char>(byte));
  }
  return true;
}

void PlanReader::Read(element from, Value& value) {
  switch (from.type()) {
    case simdjson::dom::element_type::NULL_VALUE: value = Value(); return;
    case simdjson::dom::element_type::BOOL: {
      bool read = false;
      Read(from, read);
      value = Value(read);
      return;
    }
    case simdjson::dom::element_type::INT64: {
      int32_t read = 0;
      Read(from, read);
      value = Value(read);
      return;
    }
    case simdjson::dom::element_type::STRING: {
      std::string read;
      Read(from, read);
      value = Value(std::move(read));
      return;
    }
    case simdjson::dom::element_type::ARRAY: {
      Value::Items items;
      Read(from, items);
      value = Value(std::move(items));
      return;
    }
    default: break;
  }
  std::optional<int64_t> number;
  std::optional<std::string> real, decimal, bytes;
  std::optional<Value::Items> map;
  ReadObject(from, [&] {
    (*this)("long", number);
    (*this)("double", real);
    (*this)("decimal", decimal);
    (*this)("bytes", bytes);
    (*this)("map", map);
  });
  double double_value = 0;
  Int128 decimal_value = 0;
  std::string raw;
  if (number) {
    value = Value(*number);
  } else if (real && ParseDouble(*real, double_value)) {
    value = Value(double_value);
  } else if (decimal && ParseDecimal(*decimal, 38, 0, decimal_value) == DecimalParse::kOk) {
    value = Value(decimal_value);
  } else if (bytes && FromHex(*bytes, raw)) {
    value = Value(std::move(raw));
  } else if (map && map->size() % 2 == 0) {
    Value::Entries entries;
    for (size_t i = 0; i < map->size(); i += 2) {
      entries.emplace_back(std::move((*map)[i]), std::move((*map)[i + 1]));
    }
    value = Value(std::move(entries));
  } else {
    FailForm("a value");
  }
}

physical::NodePtr PlanReader::ReadNode(element from) {
  std::shared_ptr<physical::Node> node;
  ReadObject(from, [&] {
    int id = 0;
    physical::NodeKind kind{};
    std::vector<int> inputs;
    (*this)("id", id);
    (*this)("node", kind);
    (*this)("inputs", inputs);
    if (!status_.ok()) return;
    node = plan_fields::MakeNode(kind);
    node->id = id;
    for (const int input : inputs) {
      const auto found = nodes_.find(input);
      if (found == nodes_.end()) return FailForm("an input");
      node->inputs.push_back(found->second);
    }
    plan_fields::VisitNode(*node, [this](auto& of_kind) { plan_fields::Fields(*this, of_kind); });
    plan_fields::Fields(*this, *node);
    for (physical::StoreSpec& store : node->stores) {
      const auto renamed = store_names_.find(store.name);
      if (renamed != store_names_.end()) store.name = renamed->second;
    }
    nodes_[id] = node;
  });
  return status_.ok() ? node : nullptr;
}

}  // namespace

Result<physical::NodePtr> ReadPlan(std::string_view text, const FunctionCatalog& functions,
                                   const StoreNames& names) {
  const Status malformed(ErrorCode::kPlanChanged, "the written plan does not read");
  simdjson::dom::parser parser;
  const size_t depth = std::min(text.size() + 1, kJsonDepthMax);
  if (parser.allocate(text.size() + 1, depth) != simdjson::SUCCESS) return malformed;
  element whole;
  if (parser.parse(text.data(), text.size()).get(whole) != simdjson::SUCCESS) return malformed;
  int64_t version = 0;
  simdjson::dom::array nodes;
  if (whole["weir_plan"].get(version) != simdjson::SUCCESS ||
      whole["nodes"].get(nodes) != simdjson::SUCCESS) {
    return malformed;
  }
  if (version > plan_fields::kVersion) {
    return Status(ErrorCode::kPlanChanged,
                  fmt::format("the plan was written by a newer Weir: its version is {}, this one "
                              "knows {}",
                              version, plan_fields::kVersion));
  }
  PlanReader reader(functions, names);
  physical::NodePtr root;
  for (const element node : nodes) {
    root = reader.ReadNode(node);
    if (!reader.status().ok()) return reader.status();
  }
  if (root == nullptr) return malformed;
  return root;
}

Result<physical::NodePtr> WrittenAndRead(const physical::NodePtr& root,
                                         const FunctionCatalog& functions) {
  return ReadPlan(WritePlan(*root), functions);
}

}  // namespace weir
