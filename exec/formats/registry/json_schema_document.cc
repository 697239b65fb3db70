#include "exec/formats/registry/json_schema_document.h"

#include <algorithm>

#include "base/status_macros.h"

namespace weir {
namespace {

constexpr int kReferenceHopsMax = 100;

/// Keywords that say something of values, beside the choices.
constexpr std::string_view kPlainKeywords[] = {"type",
                                               "enum",
                                               "const",
                                               "properties",
                                               "required",
                                               "items",
                                               "prefixItems",
                                               "maximum",
                                               "additionalItems",
                                               "additionalProperties",
                                               "minimum",
                                               "maxLength",
                                               "minLength",
                                               "exclusiveMaximum",
                                               "exclusiveMinimum",
                                               "maxItems",
                                               "minItems",
                                               "maxProperties",
                                               "patternProperties",
                                               "minProperties",
                                               "pattern",
                                               "multipleOf",
                                               "uniqueItems",
                                               "dependencies",
                                               "dependentRequired",
                                               "dependentSchemas",
                                               "not"};

bool HasAnyOf(const RawJson& json, std::initializer_list<std::string_view> keywords) {
  return std::ranges::any_of(keywords,
                             [&](std::string_view each) { return json.Find(each) != nullptr; });
}

/// The type that the other keywords are about, where "type" does not say it.
std::string_view ImpliedType(const RawJson& json) {
  if (HasAnyOf(json, {"properties", "required", "additionalProperties", "patternProperties",
                      "maxProperties", "minProperties"})) {
    return "object";
  }
  if (HasAnyOf(json, {"items", "prefixItems", "maxItems", "minItems", "uniqueItems"})) {
    return "array";
  }
  if (HasAnyOf(json, {"maxLength", "minLength", "pattern"})) return "string";
  if (HasAnyOf(json,
               {"maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum", "multipleOf"})) {
    return "number";
  }
  return "";
}

JsonSchemaPart PlainPart(const RawJson& json) {
  using Kind = JsonSchemaPart::Kind;
  const RawJson* type = json.Find("type");
  if (type == nullptr) return {Kind::kPlain, &json, ImpliedType(json), {}};
  if (type->kind == RawJson::Kind::kString) return {Kind::kPlain, &json, type->text, {}};
  JsonSchemaPart choice{Kind::kAnyOf, &json, "", {}};
  for (const RawJson& each : type->items) {
    choice.parts.push_back({Kind::kPlain, &json, each.text, {}});
  }
  return choice.parts.size() == 1 ? choice.parts.front() : choice;
}

/// A step of a JSON pointer as it is meant.
std::string PointerStep(std::string_view step) {
  std::string plain;
  for (size_t i = 0; i < step.size(); ++i) {
    if (step[i] == '~' && i + 1 < step.size() && (step[i + 1] == '0' || step[i + 1] == '1')) {
      plain += step[++i] == '0' ? '~' : '/';
    } else {
      plain += step[i];
    }
  }
  return plain;
}

const RawJson* AtPointer(const RawJson& root, std::string_view pointer) {
  const RawJson* json = &root;
  while (!pointer.empty()) {
    if (pointer.front() != '/') return nullptr;
    pointer.remove_prefix(1);
    const size_t slash = std::min(pointer.find('/'), pointer.size());
    const std::string step = PointerStep(pointer.substr(0, slash));
    json = json->Find(step);
    if (json == nullptr) return nullptr;
    pointer.remove_prefix(slash);
  }
  return json;
}

}  // namespace

JsonSchemaItems ItemsOf(const RawJson& array) {
  JsonSchemaItems items;
  const RawJson* list = array.Find("prefixItems");
  const RawJson* given = array.Find("items");
  if (list == nullptr && given != nullptr && given->kind == RawJson::Kind::kArray) {
    list = given;
    given = array.Find("additionalItems");
  }
  if (list != nullptr) {
    for (const RawJson& item : list->items) items.first.push_back(&item);
  }
  items.rest = given != nullptr && given->raw == "true" ? nullptr : given;
  return items;
}

Status JsonSchemaDocument::Open(const std::string& text,
                                const std::vector<ReferencedText>& references) {
  WEIR_ASSIGN_OR_RETURN(RawJson json, ParseRawJson(text));
  texts_.emplace_back("", std::move(json));
  for (const ReferencedText& reference : references) {
    WEIR_ASSIGN_OR_RETURN(RawJson referred, ParseRawJson(reference.text));
    texts_.emplace_back(reference.name, std::move(referred));
    NoteReferences(texts_.back().second, texts_.back().second);
  }
  return OkStatus();
}

void JsonSchemaDocument::NoteReferences(const RawJson& json, const RawJson& root) {
  if (json.Find("$ref") != nullptr) roots_.emplace(&json, &root);
  for (const RawJson& item : json.items) NoteReferences(item, root);
  for (const auto& [name, member] : json.members) NoteReferences(member, root);
}

/// Behind "$ref", or null if that leads nowhere.
const RawJson* JsonSchemaDocument::Follow(const RawJson& schema) const {
  const RawJson* json = &schema;
  for (int hop = 0; hop < kReferenceHopsMax; ++hop) {
    const RawJson* reference = json->Find("$ref");
    if (reference == nullptr) return json;
    const std::string_view target = reference->text;
    const size_t hash = std::min(target.find('#'), target.size());
    const std::string_view name = target.substr(0, hash);
    const std::string_view pointer = hash < target.size() ? target.substr(hash + 1) : "";
    if (name.empty()) {
      const auto inside = roots_.find(json);
      json = AtPointer(inside == roots_.end() ? root() : *inside->second, pointer);
      if (json == nullptr) return nullptr;
      continue;
    }
    const auto text = std::ranges::find_if(texts_, [&](const auto& each) {
      const RawJson* id = each.second.Find("$id");
      return each.first == name || (id != nullptr && id->text == name);
    });
    if (text == texts_.end()) return nullptr;
    json = AtPointer(text->second, pointer);
    if (json == nullptr) return nullptr;
  }
  return nullptr;
}

JsonSchemaPart JsonSchemaDocument::PartOf(const RawJson& schema) const {
  using Kind = JsonSchemaPart::Kind;
  const RawJson* json = Follow(schema);
  if (json == nullptr) return {Kind::kUnknown, &schema, "", {}};
  if (json->raw == "false") return {Kind::kNone, json, "", {}};
  std::vector<JsonSchemaPart> parts;
  const std::pair<const char*, Kind> choices[] = {
      {"oneOf", Kind::kOneOf}, {"anyOf", Kind::kAnyOf}, {"allOf", Kind::kAllOf}};
  for (const auto& [keyword, kind] : choices) {
    const RawJson* list = json->Find(keyword);
    if (list == nullptr || list->items.empty()) continue;
    JsonSchemaPart choice{kind, json, "", {}};
    for (const RawJson& each : list->items) {
      choice.parts.push_back({Kind::kSchema, &each, "", {}});
    }
    parts.push_back(std::move(choice));
  }
  const bool says_more = std::ranges::any_of(
      kPlainKeywords, [&](std::string_view each) { return json->Find(each) != nullptr; });
  if (says_more) parts.push_back(PlainPart(*json));
  if (parts.empty()) return {Kind::kAny, json, "", {}};
  if (parts.size() == 1) return std::move(parts.front());
  return {Kind::kAllOf, json, "", std::move(parts)};
}

}  // namespace weir
