#pragma once

// What queries keep on a Kafka cluster beside their outputs: consumer groups named
// <application id>-<query id>-<n>, topics <application id>-<query id>-<n>-repartition and
// -changelog, and the topic of its plans. Found again by their names, as the catalog of who made
// them may be gone.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exec/connect/topic.h"

namespace weir {

/// The query that a group belongs to; nothing if it is not one of this application. An application
/// id may be the beginning of another one ("rides", "rides-2"): a rest that does not look like an
/// id of a query is not taken.
std::optional<std::string> QueryOfGroup(std::string_view application_id, std::string_view group);
/// The same of an internal topic.
std::optional<std::string> QueryOfInternalTopic(std::string_view application_id,
                                                std::string_view topic);

/// Of the ids of pipelines.
inline constexpr std::string_view kPipelinePrefix = "PIPELINE_";
/// The id under which the queries of a pipeline run together.
inline std::string PipelineUnit(std::string_view name) {
  return std::string(kPipelinePrefix).append(name);
}

struct InternalObjects {
  std::vector<std::string> topics;
  std::vector<std::string> groups;
};
/// Those of one query, or with an empty `query_id` of all the application's.
Result<InternalObjects> FindInternalObjects(Broker& broker, std::string_view application_id,
                                            std::string_view query_id);

/// A copy as people find it: its application.server, or else host and client id.
std::string NameOfCopy(const GroupMember& member);

/// The copies that are in the groups now, a sentence's part for each host.
Result<std::vector<std::string>> CopiesInGroups(Broker& broker,
                                                const std::vector<std::string>& groups);

/// Deletes groups and topics; those that are gone already do not count. kAlreadyExists if a copy
/// has joined a group.
Status DeleteInternalObjects(Broker& broker, const InternalObjects& objects);

}  // namespace weir
