#pragma once

// Schemas of a registry as formats need them: with what they refer to. And these references as the
// registry's API and the local store write them.

#include <string>
#include <vector>

#include "exec/formats/format.h"
#include "exec/formats/json/raw_json.h"
#include "exec/formats/registry/schema_registry.h"

namespace weir {

/// A schema with the name by which others refer to it.
struct ReferencedText {
  std::string name;
  std::string text;
};

/// The schemas that `references` lead to, those first that the others use. kFormatMismatch as
/// below.
Result<std::vector<ReferencedText>> ReferencedTexts(SchemaRegistry& registry,
                                                    const std::vector<SchemaReference>& references);

/// Texts of the schemas that `schema` uses, those first that the others use. kFormatMismatch if one
/// is missing or they refer to each other in a circle.
Result<std::vector<std::string>> TextsOfReferences(SchemaRegistry& registry,
                                                   const RegisteredSchema& schema);
/// As above, by the references alone.
Result<std::vector<std::string>> TextsOfReferences(SchemaRegistry& registry,
                                                   const std::vector<SchemaReference>& references);

/// References as a list in JSON.
std::string ReferencesJson(const std::vector<SchemaReference>& references);
/// Adds those of the member "references" of `object`, which may have none; false unless each has a
/// name, a subject and a version.
bool ReadReferences(const RawJson& object, std::vector<SchemaReference>& references);

/// The schema that the side's property SCHEMA_ID names; null where it names none.
/// kInvalidProperty for an id that the registry does not know.
Result<SchemaPointer> GivenSchema(const FormatSpec& spec);

/// The full name of the side's records: SCHEMA_FULL_NAME, or the one that ksqlDB gives.
std::string RecordNameOf(const FormatSpec& spec);

}  // namespace weir
