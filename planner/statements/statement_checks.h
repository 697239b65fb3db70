#pragma once

// Checks that several kinds of statements share.

#include <string>
#include <string_view>

#include "parser/ast/identifier.h"
#include "planner/catalog/catalog.h"
#include "planner/properties/with_properties.h"
#include "weir/status.h"

namespace weir {

/// Kafka's rule for topic names.
Status CheckTopicName(std::string_view topic, SourcePosition position);
/// PARTITIONS and REPLICAS are at least 1.
Status CheckPartitions(const WithProperties& with);
/// kUnknownSource with near names.
Result<const SourceEntry*> FindSourceOrError(const Catalog& catalog, const ast::Identifier& name);
/// kAlreadyExists if another source stands under the name; the same statement again is fine.
Status CheckFreeName(const SourceEntry* existing, const SourceEntry& wanted, bool may_exist);

}  // namespace weir
