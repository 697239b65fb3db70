#include <fmt/format.h>

#include "parser/source_text.h"
#include "parser/transform/transformer.h"

namespace weir::transform {

ast::TypeName Transformer::TransformType(Grammar::TypeContext* tree) {
  ast::TypeName out;
  out.position = Place(tree);
  if (auto* array = dynamic_cast<Grammar::ArrayTypeContext*>(tree)) {
    out.kind = ast::TypeNameKind::kArray;
    out.children.push_back(TransformType(array->type()));
  } else if (auto* map = dynamic_cast<Grammar::MapTypeContext*>(tree)) {
    out.kind = ast::TypeNameKind::kMap;
    out.children.push_back(TransformType(map->key));
    out.children.push_back(TransformType(map->element));
  } else if (auto* record = dynamic_cast<Grammar::StructTypeContext*>(tree)) {
    out.kind = ast::TypeNameKind::kStruct;
    for (Grammar::FieldTypeContext* field : record->fieldType()) {
      out.field_names.push_back(TransformName(field->identifier()));
      out.children.push_back(TransformType(field->type()));
    }
  } else if (auto* named = dynamic_cast<Grammar::NamedTypeContext*>(tree)) {
    Grammar::TypeWordContext* word = named->typeWord();
    if (word->identifier() != nullptr) {
      out.name = TransformName(word->identifier());
    } else {
      const std::string spelling = TextOf(word);
      out.name = {.name = FoldName(spelling), .spelling = spelling, .position = Place(word)};
    }
    // VARCHAR(STRING) says no more than VARCHAR.
    for (Grammar::TypeParameterContext* parameter : named->typeParameter()) {
      if (parameter->INTEGER_NUMBER() == nullptr) continue;
      out.parameters.push_back(TransformInteger(parameter->INTEGER_NUMBER()->getSymbol()));
    }
    if (word->K_DECIMAL() != nullptr && out.parameters.size() != 2) {
      Fail(out.position, ErrorCode::kSyntax, "a DECIMAL needs its precision and its scale",
           "for example DECIMAL(10, 2)");
    }
  }
  return out;
}

}  // namespace weir::transform
