// Functions over JSON kept in STRING values.

#include <algorithm>

#include "base/number_text.h"
#include "exec/column/value_text.h"
#include "exec/functions/builtin_functions.h"
#include "exec/functions/scalar/json_text.h"
#include "exec/functions/scalar/kernel_rows_inl.h"

namespace weir {
namespace {

constexpr std::string_view kCategory = "JSON";
constexpr std::string_view kMalformed = "the text is not JSON";

Result<std::shared_ptr<const void>> PreparePath(std::span<const Value* const> constants,
                                                std::span<const DataType>) {
  if (constants[1] == nullptr || !std::holds_alternative<std::string>(constants[1]->data)) {
    return std::shared_ptr<const void>();
  }
  auto path = JsonPath::Parse(constants[1]->as<std::string>());
  if (!path) return std::shared_ptr<const void>();  // Each row then says so.
  return std::shared_ptr<const void>(std::make_shared<const JsonPath>(std::move(*path)));
}

void ExtractFieldKernel(const KernelCall& call, ColumnBuilder& out) {
  JsonTextReader reader;
  std::string scratch;
  std::string last_text;
  std::optional<JsonPath> last_path;
  const auto* prepared = static_cast<const JsonPath*>(call.state);
  ForActiveRows(call, out, [&](int32_t row) {
    const JsonPath* path = prepared;
    if (path == nullptr) {
      const std::string_view text = call.args[1]->GetString(row);
      if (!last_path || text != last_text) last_path = JsonPath::Parse(text);
      last_text = text;
      if (!last_path) {
        call.Error(row, "a JSON path is written like $.name[0], without wildcards");
        return out.AppendNull();
      }
      path = &*last_path;
    }
    switch (reader.Extract(call.args[0]->GetString(row), *path, scratch)) {
      case JsonTextReader::Outcome::kFound: return out.AppendBytes(scratch);
      case JsonTextReader::Outcome::kMalformed: call.Error(row, kMalformed); [[fallthrough]];
      case JsonTextReader::Outcome::kAbsent: return out.AppendNull();
    }
  });
}

void IsJsonKernel(const KernelCall& call, ColumnBuilder& out) {
  JsonTextReader reader;
  for (int32_t row = 0; row < call.rows; ++row) {
    out.AppendBool(!call.args[0]->IsNull(row) && reader.IsJson(call.args[0]->GetString(row)));
  }
}

/// Runs body(parts) for rows whose text is JSON of the kind; null for others.
template <typename Body>
void ForJsonRows(const KernelCall& call, ColumnBuilder& out, JsonParts::Kind kind, Body&& body) {
  JsonTextReader reader;
  JsonParts parts;
  ForActiveRows(call, out, [&](int32_t row) {
    const std::string_view json = call.args[0]->GetString(row);
    if (!reader.Split(json, parts)) {
      if (!json.empty()) call.Error(row, kMalformed);
      return out.AppendNull();
    }
    if (parts.kind != kind) return out.AppendNull();
    body(parts);
  });
}

void ArrayLengthKernel(const KernelCall& call, ColumnBuilder& out) {
  ForJsonRows(call, out, JsonParts::Kind::kArray, [&](const JsonParts& parts) {
    out.AppendInt32(static_cast<int32_t>(parts.items.size()));
  });
}

void ItemsKernel(const KernelCall& call, ColumnBuilder& out) {
  ForJsonRows(call, out, JsonParts::Kind::kArray, [&](const JsonParts& parts) {
    for (const JsonParts::Item& item : parts.items) out.child(0).AppendBytes(item.json);
    out.AppendNested();
  });
}

void KeysKernel(const KernelCall& call, ColumnBuilder& out) {
  ForJsonRows(call, out, JsonParts::Kind::kObject, [&](const JsonParts& parts) {
    for (const JsonParts::Item& item : parts.items) out.child(0).AppendBytes(item.key);
    out.AppendNested();
  });
}

void RecordsKernel(const KernelCall& call, ColumnBuilder& out) {
  ForJsonRows(call, out, JsonParts::Kind::kObject, [&](const JsonParts& parts) {
    for (const JsonParts::Item& item : parts.items) {
      out.child(0).AppendBytes(item.key);
      out.child(1).AppendBytes(item.AsText());
    }
    out.AppendNested();
  });
}

/// Whether an element equals the SQL value at `row`: integers equal integers, fractions fractions.
bool ItemEquals(const JsonParts::Item& item, const Column& values, int32_t row) {
  if (values.IsNull(row)) return item.json == "null";
  if (item.is_string) {
    return values.type().is(TypeKind::kString) && values.GetString(row) == item.text;
  }
  const bool fraction = item.json.find_first_of(".eE") != std::string::npos;
  int64_t integer = 0;
  double number = 0;
  switch (values.type().kind()) {
    case TypeKind::kBoolean: return item.json == (values.GetBool(row) ? "true" : "false");
    case TypeKind::kInt:
      return !fraction && ParseInt64(item.json, integer) && integer == GetInt(values, row);
    case TypeKind::kBigint:
      return !fraction && ParseInt64(item.json, integer) && integer == GetBigint(values, row);
    case TypeKind::kDouble:
      return fraction && ParseDouble(item.json, number) && number == GetDouble(values, row);
    case TypeKind::kDecimal: return item.json == values.ToText(row);
    default: return false;
  }
}

void ArrayContainsKernel(const KernelCall& call, ColumnBuilder& out) {
  JsonTextReader reader;
  JsonParts parts;
  for (int32_t row = 0; row < call.rows; ++row) {
    bool found = false;
    if (!call.args[0]->IsNull(row) && reader.Split(call.args[0]->GetString(row), parts) &&
        parts.kind == JsonParts::Kind::kArray) {
      for (const JsonParts::Item& item : parts.items) {
        found = found || ItemEquals(item, *call.args[1], row);
      }
    }
    out.AppendBool(found);
  }
}

/// PostgreSQL's ||: objects merge at the top, anything else becomes an array.
void Join(JsonParts& left, JsonParts right) {
  if (left.kind == JsonParts::Kind::kObject && right.kind == JsonParts::Kind::kObject) {
    DistinctIndex index;
    for (JsonParts::Item& item : right.items) {
      const uint64_t hash = HashBytes(item.key);
      const int32_t same = index.Find(
          hash, static_cast<int32_t>(left.items.size()),
          [&](int32_t at) { return left.items[at].key == item.key; },
          [&](int32_t at) { return HashBytes(left.items[at].key); });
      if (same >= 0) {
        left.items[same] = std::move(item);
      } else {
        left.items.push_back(std::move(item));
        index.Added(hash, static_cast<int32_t>(left.items.size()) - 1);
      }
    }
    return;
  }
  const auto to_array = [](JsonParts& parts) {
    if (parts.kind == JsonParts::Kind::kObject) {
      std::string json = "{";
      for (const JsonParts::Item& item : parts.items) {
        if (json.size() > 1) json.push_back(',');
        AppendJsonString(item.key, json);
        json.append(":").append(item.json);
      }
      parts.items = {JsonParts::Item{.json = json + "}"}};
    }
    parts.kind = JsonParts::Kind::kArray;
  };
  to_array(left);
  to_array(right);
  for (JsonParts::Item& item : right.items) left.items.push_back(std::move(item));
}

void AppendParts(const JsonParts& parts, std::string& out) {
  const bool object = parts.kind == JsonParts::Kind::kObject;
  if (parts.kind == JsonParts::Kind::kScalar) {
    out.append(parts.items[0].json);
    return;
  }
  out.push_back(object ? '{' : '[');
  for (size_t i = 0; i < parts.items.size(); ++i) {
    if (i > 0) out.push_back(',');
    if (object) {
      AppendJsonString(parts.items[i].key, out);
      out.push_back(':');
    }
    out.append(parts.items[i].json);
  }
  out.push_back(object ? '}' : ']');
}

void ConcatKernel(const KernelCall& call, ColumnBuilder& out) {
  JsonTextReader reader;
  std::string scratch;
  for (int32_t row = 0; row < call.rows; ++row) {
    JsonParts joined;
    bool valid = !call.args.empty();
    for (size_t i = 0; i < call.args.size() && valid; ++i) {
      JsonParts parts;
      valid = !call.args[i]->IsNull(row) && reader.Split(call.args[i]->GetString(row), parts);
      if (!valid) break;
      if (i == 0) {
        joined = std::move(parts);
      } else {
        Join(joined, std::move(parts));
      }
    }
    if (!valid) {
      out.AppendNull();
      continue;
    }
    scratch.clear();
    AppendParts(joined, scratch);
    out.AppendBytes(scratch);
  }
}

void ToJsonKernel(const KernelCall& call, ColumnBuilder& out) {
  std::string scratch;
  for (int32_t row = 0; row < call.rows; ++row) {
    scratch.clear();
    AppendJsonText(*call.args[0], row, scratch);
    out.AppendBytes(scratch);
  }
}

constexpr FunctionRowOf Row{kCategory};

constexpr FunctionRow kJsonFunctions[] = {
    {.name = "EXTRACTJSONFIELD",
     .signature = "(STRING, STRING) -> STRING",
     .kernel = &ExtractFieldKernel,
     .prepare = &PreparePath,
     .category = kCategory,
     .text = "Gives the value at a path in a JSON text, as text; null where there is none.",
     .example = "EXTRACTJSONFIELD('{\"a\": [1, 2]}', '$.a[1]') = '2'"},
    Row("IS_JSON_STRING", "(STRING) -> BOOLEAN", &IsJsonKernel, "Says whether a text is JSON.",
        "IS_JSON_STRING('[1, 2]') = TRUE", Nulls::kHandle),
    Row("JSON_ARRAY_CONTAINS", "(STRING, T) -> BOOLEAN", &ArrayContainsKernel,
        "Says whether a JSON array holds a value.", "JSON_ARRAY_CONTAINS('[1, 2]', 2) = TRUE",
        Nulls::kHandle),
    Row("JSON_ARRAY_LENGTH", "(STRING) -> INT", &ArrayLengthKernel,
        "Counts the elements of a JSON array.", "JSON_ARRAY_LENGTH('[1, 2]') = 2"),
    Row("JSON_CONCAT", "(STRING...) -> STRING", &ConcatKernel,
        "Merges JSON objects, or joins other JSON values to one array.",
        "JSON_CONCAT('[1]', '[2]') = '[1,2]'", Nulls::kHandle),
    Row("JSON_ITEMS", "(STRING) -> ARRAY<STRING>", &ItemsKernel,
        "Gives the elements of a JSON array, each as JSON text.",
        "JSON_ITEMS('[1, {\"a\": 2}]') = ARRAY['1', '{\"a\":2}']"),
    Row("JSON_KEYS", "(STRING) -> ARRAY<STRING>", &KeysKernel, "Gives the keys of a JSON object.",
        "JSON_KEYS('{\"a\": 1}') = ARRAY['a']"),
    Row("JSON_RECORDS", "(STRING) -> MAP<STRING, STRING>", &RecordsKernel,
        "Gives the entries of a JSON object as a map of texts.",
        "JSON_RECORDS('{\"a\": 1}')['a'] = '1'"),
    Row("TO_JSON_STRING", "(T) -> STRING", &ToJsonKernel, "Writes any value as JSON text.",
        "TO_JSON_STRING(ARRAY[1, 2]) = '[1,2]'", Nulls::kHandle),
};

}  // namespace

std::span<const FunctionRow> JsonFunctions() { return kJsonFunctions; }

}  // namespace weir
