#pragma once

// The catalog on disk: the statements that made it, in order of creation, as entries of the state
// backend ("catalog/<number>"). Plain SQL, so that .dump and recovery read the same thing.

#include <vector>

#include "exec/connect/topic.h"
#include "exec/engine/engine_impl.h"

namespace weir {

/// kStoreCorrupt if an entry does not decode, kStoreVersion if a newer Weir wrote it.
Result<std::vector<StoredStatement>> LoadStatements(const StateReader& state);
std::string StatementKey(int64_t number);
std::string EncodeStatement(const StoredStatement& statement);
std::string EncodePlans(const KeptPlans& plans);
/// False if malformed.
bool DecodePlans(std::string_view bytes, KeptPlans& plans);

/// Streams and tables that a statement makes.
std::vector<std::string> SourcesMadeBy(const StoredStatement& statement);
/// As given, but behind what each reads: a statement that was replaced may read what was made
/// later.
std::vector<const StoredStatement*> InOrderOfUse(const std::vector<StoredStatement>& statements);

}  // namespace weir
