#include "exec/connect/registry/stored_registry.h"

#include <fmt/format.h>

#include "base/number_text.h"
#include "base/status_macros.h"

namespace weir {
namespace {

// '0' follows '/', so each prefix ends before its name with 0.
constexpr std::string_view kVersions = "schemas/";
constexpr std::string_view kVersionsEnd = "schemas0";
constexpr std::string_view kRules = "schema_rules/";
constexpr std::string_view kRulesEnd = "schema_rules0";
constexpr std::string_view kLastId = "schema_last_id";

std::string VersionKey(std::string_view subject, int32_t version) {
  return fmt::format("{}{}/{}", kVersions, subject, version);
}

Status Corrupt() {
  return Status(ErrorCode::kStoreCorrupt, "the rules of the store's registry do not read back");
}

void KeepIn(Broker& broker, MemoryRegistry& registry) {
  registry.KeepChanges(
      [&broker](std::string_view subject, const std::vector<int32_t>& versions, int32_t last_id) {
        auto unit = broker.NewCommitUnit("schemas");
        for (const int32_t version : versions) unit->Delete(VersionKey(subject, version));
        unit->Put(kLastId, fmt::format("{}", last_id));
        return unit->Commit();
      },
      [&broker](std::string_view subject, std::optional<Compatibility> rule) {
        auto unit = broker.NewCommitUnit("schemas");
        const std::string key = fmt::format("{}{}", kRules, subject);
        if (rule) {
          unit->Put(key, CompatibilityName(*rule));
        } else {
          unit->Delete(key);
        }
        return unit->Commit();
      });
}

}  // namespace

Result<std::shared_ptr<MemoryRegistry>> OpenStoredRegistry(Broker& broker,
                                                           MemoryRegistry::Rule rule) {
  const bool keeps = broker.kind() == "local";
  MemoryRegistry::Keeper keeper;
  if (keeps) {
    keeper = [&broker](const SubjectVersion& version) {
      auto unit = broker.NewCommitUnit("schemas");
      unit->Put(VersionKey(version.subject, version.version), EncodeSubjectVersion(version));
      return unit->Commit();
    };
  }
  auto registry = std::make_shared<MemoryRegistry>(std::move(keeper), std::move(rule));
  if (keeps) KeepIn(broker, *registry);
  Status read;
  WEIR_RETURN_IF_ERROR(
      broker.state().Scan(kVersions, kVersionsEnd, [&](std::string_view, std::string_view value) {
        Result<SubjectVersion> version = DecodeSubjectVersion(value);
        if (!version.ok()) {
          read = version.status();
          return false;
        }
        registry->Restore(std::move(*version));
        return true;
      }));
  WEIR_RETURN_IF_ERROR(read);
  WEIR_RETURN_IF_ERROR(
      broker.state().Scan(kRules, kRulesEnd, [&](std::string_view key, std::string_view value) {
        const std::optional<Compatibility> kept = CompatibilityOf(value);
        if (!kept) {
          read = Corrupt();
          return false;
        }
        registry->RestoreRule(std::string(key.substr(kRules.size())), *kept);
        return true;
      }));
  WEIR_RETURN_IF_ERROR(read);
  WEIR_ASSIGN_OR_RETURN(const std::optional<std::string> last_id, broker.state().Get(kLastId));
  if (last_id) {
    int32_t id = 0;
    if (!ParseInt32(*last_id, id)) return Corrupt();
    registry->RestoreLastId(id);
  }
  return registry;
}

}  // namespace weir
