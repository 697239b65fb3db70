// Whether what one JSON Schema describes is valid by another, by the kinds of change that
// Confluent's registry knows.

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

#include "base/number_text.h"
#include "base/status_macros.h"
#include "exec/formats/json/raw_json.h"
#include "exec/formats/registry/json_schema_document.h"
#include "exec/formats/registry/memory_registry.h"

namespace weir {
namespace {

/// Comparisons of two schemas of a document; choices of choices can ask for any number.
constexpr int64_t kComparisonsMax = 1'000'000;
constexpr int kComparedDepthMax = 400;

struct Bound {
  const char* name;
  bool upper;
};
constexpr Bound kBounds[] = {{"maxLength", true},        {"minLength", false},
                             {"maximum", true},          {"minimum", false},
                             {"exclusiveMaximum", true}, {"exclusiveMinimum", false},
                             {"maxItems", true},         {"minItems", false},
                             {"maxProperties", true},    {"minProperties", false}};

std::set<std::string_view> TextsIn(const RawJson* list) {
  std::set<std::string_view> texts;
  if (list == nullptr) return texts;
  for (const RawJson& item : list->items) texts.insert(item.text);
  return texts;
}

/// The values that "enum" or "const" allow, as they are spelt; empty: any.
std::set<std::string_view> ValuesOf(const RawJson& json) {
  std::set<std::string_view> values;
  if (const RawJson* list = json.Find("enum")) {
    for (const RawJson& item : list->items) values.insert(item.raw);
  }
  if (const RawJson* one = json.Find("const")) values.insert(one->raw);
  return values;
}

class JsonReadCheck {
 public:
  JsonReadCheck(JsonSchemaDocument& writer, JsonSchemaDocument& reader)
      : writer_(&writer), reader_(&reader) {}

  /// What is in the way, or empty.
  std::string Fault() { return Compare(writer_->root(), reader_->root(), "#"); }
  bool too_many() const { return comparisons_ > kComparisonsMax; }

 private:
  using Part = JsonSchemaPart;
  using Kind = JsonSchemaPart::Kind;

  std::string Compare(const RawJson& writer, const RawJson& reader, const std::string& path) {
    if (++comparisons_ > kComparisonsMax || depth_ > kComparedDepthMax) {
      comparisons_ = kComparisonsMax + 1;
      return "the schemas are too large";
    }
    const std::pair pair(&writer, &reader);
    const auto [known, is_new] = known_.emplace(pair, "");
    // A schema that contains itself is compared once: until then nothing speaks against it.
    if (!is_new) return known->second;
    const size_t made = made_.size();
    made_.push_back(pair);
    ++depth_;
    std::string fault = CompareParts(writer_->PartOf(writer), reader_->PartOf(reader), path);
    --depth_;
    if (fault.empty()) return fault;
    // What was found inside it may have relied on it.
    for (; made_.size() > made; made_.pop_back()) known_.erase(made_.back());
    return known_[pair] = std::move(fault);
  }

  std::string CompareParts(const Part& writer, const Part& reader, const std::string& path) {
    if (++comparisons_ > kComparisonsMax) return "the schemas are too large";
    if (reader.kind == Kind::kAny || writer.kind == Kind::kNone) return "";
    if (reader.kind == Kind::kUnknown || writer.kind == Kind::kUnknown) {
      const Part& unknown = reader.kind == Kind::kUnknown ? reader : writer;
      if (reader.kind == writer.kind && reader.json->raw == writer.json->raw) return "";
      return fmt::format("{}: what {} refers to is not there", path, unknown.json->raw);
    }
    if (reader.kind == Kind::kNone) return fmt::format("{} takes no value any more", path);
    if (writer.kind == Kind::kAny) return fmt::format("{} took any value before", path);
    if (reader.kind == Kind::kOneOf && reader.parts.size() > 1 && writer.kind == Kind::kAnyOf &&
        writer.parts.size() > 1) {
      return fmt::format("{} was anyOf, and is oneOf", path);
    }
    // Each of the things that were written has to be taken, by all that is asked of it now.
    if (writer.is_sum()) {
      for (const Part& part : writer.parts) {
        if (std::string fault = CompareParts(Whole(part, true), reader, path); !fault.empty()) {
          return fault;
        }
      }
      return "";
    }
    if (reader.kind == Kind::kAllOf) {
      for (const Part& part : reader.parts) {
        if (std::string fault = CompareParts(writer, Whole(part, false), path); !fault.empty()) {
          return fault;
        }
      }
      return "";
    }
    if (reader.is_sum()) {
      std::string first;
      std::string_view said_of;
      for (const Part& part : reader.parts) {
        const Part branch = Whole(part, false);
        std::string fault = CompareParts(writer, branch, path);
        if (fault.empty()) return "";
        // That it is no null says little where something else may stand too.
        if (first.empty() || said_of == "null" || writer.type == branch.type) {
          first = std::move(fault);
          said_of = branch.type;
        }
      }
      if (reader.parts.size() == 1) return first;
      return fmt::format("{}: none of the choices takes what was written ({})", path, first);
    }
    if (writer.kind == Kind::kAllOf) {
      std::string first;
      for (const Part& part : writer.parts) {
        std::string fault = CompareParts(Whole(part, true), reader, path);
        if (fault.empty()) return "";
        if (first.empty()) first = std::move(fault);
      }
      return first;
    }
    return ComparePlain(writer, reader, path);
  }

  /// A choice's branch with what it refers to and consists of.
  Part Whole(const Part& part, bool of_writer) {
    return part.kind == Kind::kSchema ? (of_writer ? writer_ : reader_)->PartOf(*part.json) : part;
  }

  std::string ComparePlain(const Part& writer, const Part& reader, const std::string& path) {
    const bool widened = writer.type == "integer" && reader.type == "number";
    if (!reader.type.empty() && writer.type != reader.type && !widened) {
      if (!writer.type.empty()) {
        return fmt::format("{} was of type {}, and is {}", path, writer.type, reader.type);
      }
      return fmt::format("{} is of type {}, and was of any", path, reader.type);
    }
    if (std::string fault = CompareValues(*writer.json, *reader.json, path); !fault.empty()) {
      return fault;
    }
    if (std::string fault = CompareBounds(*writer.json, *reader.json, path); !fault.empty()) {
      return fault;
    }
    const RawJson* writer_not = writer.json->Find("not");
    if (const RawJson* reader_not = reader.json->Find("not")) {
      if (writer_not == nullptr) return fmt::format("{}: not is new", path);
      std::swap(writer_, reader_);
      const std::string fault = Compare(*reader_not, *writer_not, path + "/not");
      std::swap(writer_, reader_);
      if (!fault.empty()) return fmt::format("{}/not excludes more", path);
    }
    if (reader.type == "object") return CompareObjects(*writer.json, *reader.json, path);
    if (reader.type == "array") return CompareArrays(*writer.json, *reader.json, path);
    return "";
  }

  static std::string CompareValues(const RawJson& writer, const RawJson& reader,
                                   const std::string& path) {
    const std::set<std::string_view> now = ValuesOf(reader);
    if (now.empty()) return "";
    const std::set<std::string_view> before = ValuesOf(writer);
    if (before.empty()) return fmt::format("{}: the list of values (enum) is new", path);
    for (const std::string_view value : before) {
      if (!now.contains(value)) return fmt::format("{}: the enum lacks {}", path, value);
    }
    return "";
  }

  static std::string CompareBounds(const RawJson& writer, const RawJson& reader,
                                   const std::string& path) {
    for (const Bound& bound : kBounds) {
      const RawJson* now = reader.Find(bound.name);
      if (now == nullptr || now->raw == "false") continue;
      const RawJson* before = writer.Find(bound.name);
      if (before == nullptr || before->raw == "false") {
        return fmt::format("{}: {} is new", path, bound.name);
      }
      const double was = NumberOf(*before);
      const double is = NumberOf(*now);
      if (bound.upper ? is < was : is > was) {
        return fmt::format("{}: {} was {}, and is {}", path, bound.name, before->raw, now->raw);
      }
    }
    const RawJson* pattern = reader.Find("pattern");
    if (pattern != nullptr) {
      const RawJson* before = writer.Find("pattern");
      if (before == nullptr) return fmt::format("{}: pattern is new", path);
      if (before->text != pattern->text) return fmt::format("{}: pattern is another one", path);
    }
    if (const RawJson* now = reader.Find("multipleOf")) {
      const RawJson* before = writer.Find("multipleOf");
      if (before == nullptr) return fmt::format("{}: multipleOf is new", path);
      const double times = NumberOf(*before) / NumberOf(*now);
      if (times != std::floor(times)) {
        return fmt::format("{}: multipleOf was {}, and is {}", path, before->raw, now->raw);
      }
    }
    const RawJson* unique = reader.Find("uniqueItems");
    const RawJson* was_unique = writer.Find("uniqueItems");
    if (unique != nullptr && unique->raw == "true" &&
        (was_unique == nullptr || was_unique->raw != "true")) {
      return fmt::format("{}: uniqueItems is new", path);
    }
    return "";
  }

  static double NumberOf(const RawJson& json) {
    double number = 0;
    return ParseDouble(json.text, number) ? number : 0;
  }

  std::string CompareObjects(const RawJson& writer, const RawJson& reader,
                             const std::string& path) {
    const RawJson* before = writer.Find("properties");
    const RawJson* now = reader.Find("properties");
    std::unordered_map<std::string_view, const RawJson*> old;
    std::unordered_map<std::string_view, const RawJson*> current;
    if (before != nullptr) {
      for (const auto& [name, schema] : before->members) old.emplace(name, &schema);
    }
    if (now != nullptr) {
      for (const auto& [name, schema] : now->members) current.emplace(name, &schema);
    }
    const std::set<std::string_view> was_required = TextsIn(writer.Find("required"));
    const std::set<std::string_view> required = TextsIn(reader.Find("required"));
    if (before != nullptr) {
      for (const auto& [name, schema] : before->members) {
        if (current.contains(name)) continue;
        std::string fault = Removed(reader, name, schema, path);
        if (!fault.empty()) return fault;
      }
    }
    if (now != nullptr) {
      for (const auto& [name, schema] : now->members) {
        const bool asked = required.contains(name) && schema.Find("default") == nullptr;
        const auto found = old.find(name);
        std::string fault;
        if (found == old.end()) {
          fault = Added(writer, name, schema, asked, path);
        } else if (asked && !was_required.contains(name)) {
          fault = fmt::format("{}: property {} is required now, and has no default", path, name);
        } else {
          fault = Compare(*found->second, schema, fmt::format("{}/{}", path, name));
        }
        if (!fault.empty()) return fault;
      }
    }
    if (std::string fault = CompareDependencies(writer, reader, path); !fault.empty()) return fault;
    return CompareRest(writer, reader, "additionalProperties", path);
  }

  /// A property that the writer had, and the reader does not know.
  std::string Removed(const RawJson& reader, const std::string& name, const RawJson& schema,
                      const std::string& path) {
    const RawJson* rest = reader.Find("additionalProperties");
    if (HasPatterns(reader)) return PatternsFault(path, name);
    if (rest == nullptr || rest->raw == "true" || schema.raw == "false") return "";
    if (rest->raw != "false") return Compare(schema, *rest, fmt::format("{}/{}", path, name));
    return fmt::format("{}: property {} is gone, and additionalProperties is false", path, name);
  }

  /// A property that the reader knows, and the writer did not.
  std::string Added(const RawJson& writer, const std::string& name, const RawJson& schema,
                    bool required, const std::string& path) {
    const RawJson* rest = writer.Find("additionalProperties");
    if (HasPatterns(writer)) return PatternsFault(path, name);
    if (rest == nullptr || rest->raw == "true") {
      if (reader_->PartOf(schema).kind == Kind::kAny) return "";
      return fmt::format(
          "{}: property {} is new, and records of before may have it with any value, as their "
          "schema does not say additionalProperties: false",
          path, name);
    }
    if (rest->raw != "false") {
      std::string fault = Compare(*rest, schema, fmt::format("{}/{}", path, name));
      if (!fault.empty()) return fault;
    }
    return required
               ? fmt::format("{}: the new property {} is required, and has no default", path, name)
               : "";
  }

  static bool HasPatterns(const RawJson& object) {
    const RawJson* patterns = object.Find("patternProperties");
    return patterns != nullptr && !patterns->members.empty();
  }

  static std::string PatternsFault(const std::string& path, const std::string& name) {
    return fmt::format(
        "{}: property {} is added or gone beside patternProperties, which are not compared", path,
        name);
  }

  /// additionalProperties and additionalItems: nothing, true, false or a schema.
  std::string CompareRest(const RawJson& writer, const RawJson& reader, const char* name,
                          const std::string& path) {
    const RawJson* before = writer.Find(name);
    const RawJson* now = reader.Find(name);
    if (now == nullptr || now->raw == "true") return "";
    if (before != nullptr && before->raw == "false") return "";
    if (now->raw == "false") return fmt::format("{}: {} is false now", path, name);
    if (before == nullptr || before->raw == "true") {
      if (reader_->PartOf(*now).kind == Kind::kAny) return "";
      return fmt::format("{}: {} were any before", path, name);
    }
    return Compare(*before, *now, fmt::format("{}/{}", path, name));
  }

  std::string CompareDependencies(const RawJson& writer, const RawJson& reader,
                                  const std::string& path) {
    for (const char* keyword : {"dependencies", "dependentRequired", "dependentSchemas"}) {
      const RawJson* now = reader.Find(keyword);
      if (now == nullptr) continue;
      const RawJson* all_before = writer.Find(keyword);
      for (const auto& [name, needs] : now->members) {
        const RawJson* before = all_before == nullptr ? nullptr : all_before->Find(name);
        if (before == nullptr) return fmt::format("{}: {} of {} are new", path, keyword, name);
        if (needs.kind != RawJson::Kind::kArray) {
          std::string fault = Compare(*before, needs, fmt::format("{}/{}/{}", path, keyword, name));
          if (!fault.empty()) return fault;
          continue;
        }
        const std::set<std::string_view> known = TextsIn(before);
        for (const RawJson& need : needs.items) {
          if (known.contains(need.text)) continue;
          return fmt::format("{}: {} needs {} now", path, name, need.text);
        }
      }
    }
    return "";
  }

  std::string CompareArrays(const RawJson& writer, const RawJson& reader, const std::string& path) {
    const JsonSchemaItems before = ItemsOf(writer);
    const JsonSchemaItems now = ItemsOf(reader);
    for (size_t i = 0; i < std::max(before.first.size(), now.first.size()); ++i) {
      const std::string place = fmt::format("{}/items/{}", path, i);
      const RawJson* was = i < before.first.size() ? before.first[i] : before.rest;
      const RawJson* is = i < now.first.size() ? now.first[i] : now.rest;
      std::string fault = CompareItem(was, is, place);
      if (!fault.empty()) return fault;
    }
    return CompareItem(before.rest, now.rest, path + "/items");
  }

  /// Null: any item.
  std::string CompareItem(const RawJson* was, const RawJson* is, const std::string& path) {
    if (is == nullptr) return "";
    if (was != nullptr) return Compare(*was, *is, path);
    if (reader_->PartOf(*is).kind == Kind::kAny) return "";
    return fmt::format("{} could be any before", path);
  }

  JsonSchemaDocument* writer_;
  JsonSchemaDocument* reader_;
  using Pair = std::pair<const RawJson*, const RawJson*>;
  std::map<Pair, std::string> known_;
  std::vector<Pair> made_;  // What is in known_, in this order, but for what failed.
  int64_t comparisons_ = 0;
  int depth_ = 0;
};

}  // namespace

Status CheckJsonReads(const std::string& reader,
                      const std::vector<ReferencedText>& reader_references,
                      const std::string& writer,
                      const std::vector<ReferencedText>& writer_references) {
  JsonSchemaDocument reads;
  JsonSchemaDocument wrote;
  WEIR_RETURN_IF_ERROR(reads.Open(reader, reader_references));
  WEIR_RETURN_IF_ERROR(wrote.Open(writer, writer_references));
  JsonReadCheck check(wrote, reads);
  const std::string fault = check.Fault();
  if (check.too_many()) {
    return Status(ErrorCode::kUnsupported,
                  fmt::format("comparing two JSON Schemas takes more than {} steps, or {} levels",
                              kComparisonsMax, kComparedDepthMax));
  }
  return fault.empty() ? OkStatus() : Status(ErrorCode::kIncompatibleChange, fault);
}

}  // namespace weir
