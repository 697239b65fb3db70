#include "exec/engine/internal_objects.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/status_macros.h"
#include "exec/runtime/internal_topics.h"

namespace weir {
namespace {

constexpr std::string_view kTopicEndings[] = {"-repartition", "-changelog"};
/// What ids that Weir gives begin with; behind it stands the name of a source, hyphens and all.
constexpr std::string_view kIdBeginnings[] = {"CSAS_", "CTAS_", "INSERT_", "CST_", kPipelinePrefix};

bool LooksLikeQueryId(std::string_view id) {
  if (id.empty()) return false;
  if (id.find('-') == std::string_view::npos) return true;
  return std::any_of(std::begin(kIdBeginnings), std::end(kIdBeginnings),
                     [&](std::string_view beginning) { return id.starts_with(beginning); });
}

// Brokers write a slash in front of addresses.
std::string HostOf(const GroupMember& member) {
  return member.host.starts_with('/') ? member.host.substr(1) : member.host;
}

}  // namespace

std::optional<std::string> QueryOfGroup(std::string_view application_id, std::string_view group) {
  if (!group.starts_with(application_id)) return std::nullopt;
  group.remove_prefix(application_id.size());
  const size_t hyphen = group.rfind('-');
  if (hyphen == std::string_view::npos || hyphen == 0 || group.front() != '-') return std::nullopt;
  const std::string_view number = group.substr(hyphen + 1);
  if (number.empty() || number.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view id = group.substr(1, hyphen - 1);
  if (!LooksLikeQueryId(id)) return std::nullopt;
  return std::string(id);
}

std::optional<std::string> QueryOfInternalTopic(std::string_view application_id,
                                                std::string_view topic) {
  const std::string beginning = fmt::format("{}-", application_id);
  if (topic.ends_with(kPlanTopicEnding) && topic.starts_with(beginning)) {
    const std::string_view id = topic.substr(0, topic.size() - kPlanTopicEnding.size());
    if (id.size() < beginning.size()) return std::nullopt;
    if (LooksLikeQueryId(id.substr(beginning.size()))) {
      return std::string(id.substr(beginning.size()));
    }
  }
  for (std::string_view ending : kTopicEndings) {
    if (!topic.ends_with(ending)) continue;
    return QueryOfGroup(application_id, topic.substr(0, topic.size() - ending.size()));
  }
  return std::nullopt;
}

Result<InternalObjects> FindInternalObjects(Broker& broker, std::string_view application_id,
                                            std::string_view query_id) {
  const auto wanted = [&](const std::optional<std::string>& id) {
    return id && (query_id.empty() || *id == query_id);
  };
  InternalObjects found;
  WEIR_ASSIGN_OR_RETURN(std::vector<std::string> groups,
                        broker.ListGroups(fmt::format("{}-", application_id)));
  for (std::string& group : groups) {
    if (wanted(QueryOfGroup(application_id, group))) found.groups.push_back(std::move(group));
  }
  WEIR_ASSIGN_OR_RETURN(const std::vector<TopicInfo> topics, broker.ListTopics());
  for (const TopicInfo& topic : topics) {
    if (wanted(QueryOfInternalTopic(application_id, topic.name))) {
      found.topics.push_back(topic.name);
    }
  }
  std::sort(found.groups.begin(), found.groups.end());
  std::sort(found.topics.begin(), found.topics.end());
  return found;
}

std::string NameOfCopy(const GroupMember& member) {
  if (!member.server.empty()) return member.server;
  return fmt::format("host {} (client id {})", HostOf(member), member.client_id);
}

Result<std::vector<std::string>> CopiesInGroups(Broker& broker,
                                                const std::vector<std::string>& groups) {
  struct Presence {
    std::set<std::string> groups;
    std::string first_client_id;
  };
  std::map<std::string, Presence> hosts;
  for (const std::string& group : groups) {
    WEIR_ASSIGN_OR_RETURN(const std::vector<GroupMember> members, broker.DescribeGroup(group));
    for (const GroupMember& member : members) {
      Presence& presence = hosts[HostOf(member)];
      presence.groups.insert(group);
      if (presence.first_client_id.empty()) presence.first_client_id = member.client_id;
    }
  }
  std::vector<std::string> copies;
  for (const auto& [host, presence] : hosts) {
    copies.push_back(fmt::format("host {} is in {} of its groups, such as {} (client id {})", host,
                                 presence.groups.size(), *presence.groups.begin(),
                                 presence.first_client_id));
  }
  return copies;
}

Status DeleteInternalObjects(Broker& broker, const InternalObjects& objects) {
  // Offsets first: positions without the state behind them would lose rows, state without positions
  // only begins anew.
  for (const std::string& group : objects.groups) {
    Status status = broker.DeleteGroup(group);
    if (!status.ok() && status.code() != ErrorCode::kUnknownTopic) return status;
  }
  for (const std::string& topic : objects.topics) {
    Status status = broker.DeleteTopic(topic);
    if (!status.ok() && status.code() != ErrorCode::kUnknownTopic) return status;
  }
  return OkStatus();
}

}  // namespace weir
