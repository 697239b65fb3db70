#pragma once

// Checks that several kinds of statements share.

#include <string>
#include <string_view>

#include "parser/ast/identifier.h"
#include "planner/catalog/catalog.h"
#include "planner/planner.h"
#include "planner/properties/with_properties.h"
#include "weir/status.h"

namespace weir {

/// Kafka's rule for topic names.
Status CheckTopicName(std::string_view topic, SourcePosition position);
/// PARTITIONS and REPLICAS are at least 1.
Status CheckPartitions(const WithProperties& with);
/// Partitions of a topic, 0 if it does not exist.
int32_t ExistingPartitions(const PlannerContext& context, std::string_view topic);
/// kInvalidProperty where PARTITIONS differs from what the topic has. ksqlDB's own tests run with
/// other counts than they name, so it is let pass while extensions are off.
Status CheckDeclaredPartitions(const PlannerContext& context, const WithProperties& with,
                               const std::string& topic, int32_t existing);
/// kUnknownSource with near names; kQueryFailed for what is kept and could not be made again.
Result<const SourceEntry*> FindSourceOrError(const Catalog& catalog, const ast::Identifier& name);
/// kAlreadyExists if another source stands under the name; the same statement again is fine.
Status CheckFreeName(const SourceEntry* existing, const SourceEntry& wanted, bool may_exist);

}  // namespace weir
