// The catalog as it is kept: the statements that made its objects, put, replaced and taken out with
// the state that goes with them.

#include <algorithm>

#include "base/status_macros.h"
#include "exec/engine/catalog_store.h"
#include "exec/engine/engine_impl.h"

namespace weir {

// One commit, so that no crash leaves a query whose positions are gone: it would do all again.
Status EngineImpl::PersistCatalog(const StoredStatement* put, int64_t remove,
                                  std::string_view state_of) {
  auto unit = broker_->NewCommitUnit("catalog");
  if (!state_of.empty()) {
    const std::string from = QueryRuntime::StatePrefix(state_of);
    std::string to = from;
    to.back() = '\1';
    unit->DeleteRange(from, to);
  }
  const bool kept = broker_->kind() == "local";
  if (kept && put != nullptr) unit->Put(StatementKey(put->number), EncodeStatement(*put));
  if (kept && remove >= 0) unit->Delete(StatementKey(remove));
  return unit->Commit();
}

Status EngineImpl::SaveStatement(std::string_view kind, std::string_view name, std::string_view sql,
                                 StatementExtras extras) {
  for (StoredStatement& stored : stored_) {
    if (stored.kind != kind || stored.name != name) continue;
    if (stored.sql == sql && stored.written == extras.written &&
        stored.known_columns == extras.known_columns &&
        (recovering_ || stored.plans == extras.plans)) {
      return OkStatus();
    }
    stored.sql = sql;
    stored.written = std::move(extras.written);
    stored.known_columns = std::move(extras.known_columns);
    // What is made anew goes on by the plans it has, until those that run are known.
    if (!recovering_) stored.plans = std::move(extras.plans);
    if (!recovering_) stored.settings = settings_.given();
    return PersistCatalog(&stored, -1);
  }
  StoredStatement stored;
  stored.number = next_number_++;
  stored.kind = kind;
  stored.name = name;
  stored.sql = sql;
  stored.written = std::move(extras.written);
  stored.known_columns = std::move(extras.known_columns);
  stored.plans = std::move(extras.plans);
  stored.settings = settings_.given();
  stored_.push_back(std::move(stored));
  return PersistCatalog(&stored_.back(), -1);
}

Status EngineImpl::ForgetStatement(std::string_view kind, std::string_view name,
                                   std::string_view state_of) {
  int64_t number = -1;
  std::string state(state_of);
  for (auto it = stored_.begin(); it != stored_.end(); ++it) {
    if (it->kind != kind || it->name != name) continue;
    number = it->number;
    if (state_of == name) state = StateIdOf(*it);
    stored_.erase(it);
    break;
  }
  return PersistCatalog(nullptr, number, state);
}

// At the query's place in the order: what reads the source stands behind it.
Status EngineImpl::KeepSinkOf(std::string_view query_id, std::string_view source,
                              std::string_view sql) {
  for (StoredStatement& stored : stored_) {
    if (stored.kind != "query" || stored.name != query_id) continue;
    const std::string state = StateIdOf(stored);
    stored.kind = "source";
    stored.name = source;
    stored.sql = sql;
    stored.known_columns.clear();
    stored.plans.clear();
    stored.state_id.clear();
    stored.paused = false;
    return PersistCatalog(&stored, -1, state);
  }
  return SaveStatement("source", source, sql);
}

bool EngineImpl::IsStoredPaused(std::string_view name) const {
  return std::any_of(stored_.begin(), stored_.end(), [&](const StoredStatement& stored) {
    return stored.paused && stored.name == name;
  });
}

Status EngineImpl::SavePaused(const std::string& name, bool paused) {
  for (StoredStatement& stored : stored_) {
    if (stored.name != name || (stored.kind != "query" && stored.kind != "pipeline")) continue;
    stored.paused = paused;
    return PersistCatalog(&stored, -1);
  }
  return OkStatus();
}

}  // namespace weir
