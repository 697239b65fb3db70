#pragma once

// A JSON Schema as what it consists of: choices and conjunctions of plain schemas, references
// followed. For comparing schemas with each other.

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "exec/formats/json/raw_json.h"
#include "exec/formats/registry/schema_texts.h"

namespace weir {

/// A schema, or a part of one.
struct JsonSchemaPart {
  enum class Kind : uint8_t {
    kAny,      ///< `true`, `{}`, or no keyword that says anything of values.
    kNone,     ///< `false`.
    kUnknown,  ///< A reference to what is not there.
    kSchema,   ///< A whole schema, not looked into yet: a branch of a choice.
    kPlain,    ///< The keywords of `json` beside choices, with `type`.
    kOneOf,
    kAnyOf,  ///< A list of types is one too.
    kAllOf,
  };
  Kind kind = Kind::kAny;
  const RawJson* json = nullptr;
  std::string_view type;  ///< Empty: it is not said, and does not show.
  std::vector<JsonSchemaPart> parts;

  bool is_sum() const { return kind == Kind::kOneOf || kind == Kind::kAnyOf; }
};

/// What an array's items are: the first ones each by itself, then all others. Null: anything.
struct JsonSchemaItems {
  std::vector<const RawJson*> first;
  const RawJson* rest = nullptr;
};
JsonSchemaItems ItemsOf(const RawJson& array);

class JsonSchemaDocument {
 public:
  /// kBadRecord or kNestingTooDeep for what is no JSON.
  Status Open(const std::string& text, const std::vector<ReferencedText>& references);
  const RawJson& root() const { return texts_.front().second; }
  /// What the schema consists of, behind its references.
  JsonSchemaPart PartOf(const RawJson& schema) const;

 private:
  const RawJson* Follow(const RawJson& schema) const;
  void NoteReferences(const RawJson& json, const RawJson& root);
  /// By the names of texts; the first is the document itself, without a name.
  std::deque<std::pair<std::string, RawJson>> texts_;
  /// Of schemas with "$ref" in other texts: the text's root, where "#" leads to.
  std::unordered_map<const RawJson*, const RawJson*> roots_;
};

}  // namespace weir
