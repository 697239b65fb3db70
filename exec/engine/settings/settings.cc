#include "exec/engine/settings/settings.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <unistd.h>

#include "base/memory_shares.h"
#include "base/status_macros.h"
#include "planner/catalog/near_names.h"

namespace weir {
namespace {

constexpr SettingRow kRows[] = {
    {"application.server", "", SettingKind::kHostPort, SettingScope::kEngine, "",
     "host:port by which other copies name this one, when they are asked for keys it keeps."},
    {"auto.offset.reset", "earliest", SettingKind::kChoice, SettingScope::kQuery, "earliest latest",
     "Where a new query starts to read its streams."},
    {"cache.max.bytes.buffering", "10485760", SettingKind::kBytes, SettingScope::kQuery, "",
     "0: every change of a table is emitted; else only the last one a key and batch."},
    {"collect_list.limit", "1000", SettingKind::kNumber, SettingScope::kQuery, "",
     "Values that COLLECT_LIST keeps; -1 for no limit."},
    {"collect_set.limit", "1000", SettingKind::kNumber, SettingScope::kQuery, "",
     "Values that COLLECT_SET keeps; -1 for no limit."},
    {"commit.bytes.max", "16777216", SettingKind::kBytes, SettingScope::kQuery, "",
     "A commit is made early when this much output and state is waiting."},
    {"commit.interval.ms", "100", SettingKind::kMilliseconds, SettingScope::kQuery, "",
     "Time between commits while there is work; a query that is caught up commits at once."},
    {"cursor.bytes.max", "16777216", SettingKind::kBytes, SettingScope::kEngine, "",
     "Rows a push query's cursor buffers; when it is full, the query stops reading."},
    {"default.partitions", "1", SettingKind::kNumber, SettingScope::kEngine, "",
     "Partitions of topics that CREATE makes when nothing else says."},
    {"disable_pass", "", SettingKind::kText, SettingScope::kQuery, "",
     "Rewrites of plans to leave out, separated by commas, as EXPLAIN VERBOSE names them."},
    {"durability", "power", SettingKind::kChoice, SettingScope::kEngine, "power process",
     "power: commits are synced to disk; process: they survive a kill, not a power cut."},
    {"max.task.idle.ms", "0", SettingKind::kMilliseconds, SettingScope::kQuery, "",
     "How long a drained input still holds back the others."},
    {"memory.limit", "0", SettingKind::kBytes, SettingScope::kEngine, "",
     "What state, queues, caches and buffers may hold in memory, all queries together; 0: a "
     "quarter of the machine. State beyond it lies on disk; docs/limits.md tells what cannot."},
    {"num.standby.replicas", "0", SettingKind::kNumber, SettingScope::kQuery, "",
     "On Kafka: how many other copies follow each task's state, to take it over warm."},
    {"persistence.default.format.key", "KAFKA", SettingKind::kText, SettingScope::kQuery, "",
     "Key format of sources that name none."},
    {"persistence.default.format.value", "JSON", SettingKind::kText, SettingScope::kQuery, "",
     "Value format of sources that name none."},
    {"persistence.wrap.single.values", "", SettingKind::kText, SettingScope::kQuery, "",
     "Whether a single value column stands inside an object; empty: as the format does."},
    {"processing.guarantee", "at_least_once", SettingKind::kChoice, SettingScope::kQuery,
     "at_least_once exactly_once exactly_once_v2",
     "What outputs hold when a copy dies on Kafka. Local stores are exactly once either way."},
    {"query.pull.range.scan.enabled", "true", SettingKind::kBoolean, SettingScope::kQuery, "",
     "Pull queries may read ranges of keys."},
    {"query.pull.table.scan.enabled", "true", SettingKind::kBoolean, SettingScope::kQuery, "",
     "Pull queries may read whole tables."},
    {"query.pull.wait.ms", "5000", SettingKind::kMilliseconds, SettingScope::kQuery, "",
     "How long a SELECT without EMIT waits for the queries behind what it reads to catch up; 0: "
     "not at all."},
    {"schema.registry.basic.auth.credentials.source", "URL", SettingKind::kChoice,
     SettingScope::kEngine, "URL USER_INFO",
     "Where the registry's name and password are: in its URL, or in ….basic.auth.user.info."},
    {"schema.registry.basic.auth.user.info", "", SettingKind::kSecret, SettingScope::kEngine, "",
     "NAME:PASSWORD for the schema registry."},
    {"schema.registry.bearer.auth.token", "", SettingKind::kSecret, SettingScope::kEngine, "",
     "A token for the schema registry, in the place of a name and password."},
    {"schema.registry.compatibility", "backward", SettingKind::kChoice, SettingScope::kQuery,
     "none backward backward_transitive forward forward_transitive full full_transitive",
     "What a new version of a subject's schema must be able to do with the earlier ones, in the "
     "registry inside Weir; one behind schema.registry.url has rules of its own."},
    {"schema.registry.http.connect.timeout.ms", "5000", SettingKind::kMilliseconds,
     SettingScope::kEngine, "", "How long a connection to the schema registry may take."},
    {"schema.registry.http.read.timeout.ms", "10000", SettingKind::kMilliseconds,
     SettingScope::kEngine, "", "How long the schema registry may take to answer."},
    {"schema.registry.max.retries", "2", SettingKind::kNumber, SettingScope::kEngine, "",
     "How often a request is sent again where no schema registry answers."},
    {"schema.registry.retries.wait.ms", "200", SettingKind::kMilliseconds, SettingScope::kEngine,
     "", "The pause before the first of these; each further one is twice as long."},
    {"schema.registry.ssl.endpoint.identification.algorithm", "https", SettingKind::kText,
     SettingScope::kEngine, "",
     "https: the registry's certificate must be of the host that is asked; empty: of any."},
    {"schema.registry.ssl.key.password", "", SettingKind::kSecret, SettingScope::kEngine, "",
     "The password of the key in ….ssl.keystore.location."},
    {"schema.registry.ssl.keystore.location", "", SettingKind::kText, SettingScope::kEngine, "",
     "A PEM file with this client's certificate and key, for registries that ask for them."},
    {"schema.registry.ssl.keystore.type", "PEM", SettingKind::kChoice, SettingScope::kEngine, "PEM",
     "What ….ssl.keystore.location is; Java's key stores are not read."},
    {"schema.registry.ssl.truststore.location", "", SettingKind::kText, SettingScope::kEngine, "",
     "A PEM file with the authorities to trust; empty: those of the system."},
    {"schema.registry.ssl.truststore.type", "PEM", SettingKind::kChoice, SettingScope::kEngine,
     "PEM", "What ….ssl.truststore.location is; Java's trust stores are not read."},
    {"schema.registry.url", "", SettingKind::kText, SettingScope::kEngine, "",
     "Schema registries, http://HOST:PORT,…, tried in turn; empty: the registry inside Weir, which "
     "local stores and memory have."},
    {"sql.extensions", "true", SettingKind::kBoolean, SettingScope::kQuery, "",
     "Accept SQL beyond ksqlDB's."},
    {"suppress.enabled", "true", SettingKind::kBoolean, SettingScope::kQuery, "",
     "Allow EMIT FINAL."},
    {"test.check.edges", "false", SettingKind::kBoolean, SettingScope::kEngine, "",
     "What operators give each other is checked, row by row; for tests."},
    {"test.partitions.override", "0", SettingKind::kNumber, SettingScope::kEngine, "",
     "Every topic that CREATE makes gets this many partitions; for tests."},
    {"test.state.spills", "false", SettingKind::kBoolean, SettingScope::kEngine, "",
     "State that can be read back leaves memory at every commit, all of it; for tests."},
    {"timestamp.throw.on.invalid", "false", SettingKind::kBoolean, SettingScope::kQuery, "",
     "A record whose time is no time stops the query, instead of being dropped and counted."},
    {"variable.substitution.enable", "true", SettingKind::kBoolean, SettingScope::kQuery, "",
     "Replace ${name} in statements."},
};

// Settings of ksqlDB and Kafka Streams without a meaning here.
constexpr std::string_view kKnownElsewhere[] = {
    "num.stream.threads",
    "num.warmup.replicas",
    "state.dir",
    "task.timeout.ms",
    "buffered.records.per.partition",
    "replication.factor",
    "producer.compression.type",
    "producer.acks",
    "consumer.auto.offset.reset",
    "max.poll.records",
    "topology.optimization",
    "query.pull.enable.standby.reads",
    "query.pull.max.allowed.offset.lag",
    "query.pull.interpreter.enabled",
    "query.push.v2.enabled",
    "query.push.v2.registry.installed",
    "query.push.v2.interpreter.enabled",
    "query.push.v2.new.latest.delay.ms",
    "use.exact.numeric.comparison",
    "service.id",
    "output.topic.name.prefix",
    "headers.columns.enabled",
    "runtime.feature.shared.enabled",
    "fail.on.deserialization.error",
    "fail.on.production.error",
    "nested.error.set.null",
    "rowpartition.rowoffset.enabled",
    "new.query.planner.enabled",
    "substring.legacy.args",
    "sink.partitions",
    "sink.replicas",
    "query.pull.stream.enabled",
    "persistence.ensure.topics.exist",
    "source.table.materialization.enabled",
};

std::string_view Bare(std::string_view name) {
  for (std::string_view prefix : {"weir.", "ksql.streams.", "ksql.functions.", "ksql."}) {
    if (name.starts_with(prefix)) return name.substr(prefix.size());
  }
  return name;
}

const SettingRow* FindRow(std::string_view bare) {
  for (const SettingRow& row : kRows) {
    if (row.name == bare) return &row;
  }
  return nullptr;
}

std::optional<int64_t> ParseNumber(std::string_view text, bool bytes) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  const std::string_view unit(end, text.data() + text.size() - end);
  if (unit.empty()) return value;
  if (!bytes) return std::nullopt;
  for (const auto& [name, factor] : {std::pair<std::string_view, int64_t>{"k", 1024},
                                     {"KB", 1024},
                                     {"m", 1 << 20},
                                     {"MB", 1 << 20},
                                     {"g", 1 << 30},
                                     {"GB", 1 << 30}}) {
    int64_t product = 0;
    if (unit != name) continue;
    if (__builtin_mul_overflow(value, factor, &product)) return std::nullopt;
    return product;
  }
  return std::nullopt;
}

// host:port, the host in any form; empty: none.
bool IsHostPort(std::string_view text) {
  if (text.empty()) return true;
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const int64_t port = ParseNumber(text.substr(colon + 1), false).value_or(0);
  return port > 0 && port <= 65535 && text.find_first_of(" \t,;/") == std::string_view::npos;
}

bool IsChoice(std::string_view choices, std::string_view value) {
  while (!choices.empty()) {
    const size_t length = std::min(choices.find(' '), choices.size());
    if (choices.substr(0, length) == value) return true;
    choices.remove_prefix(std::min(length + 1, choices.size()));
  }
  return false;
}

Status Check(const SettingRow& row, std::string_view value) {
  auto bad = [&](std::string_view wanted) {
    return Status(ErrorCode::kInvalidOption,
                  fmt::format("setting {} takes {}, not: {}", row.name, wanted, value));
  };
  switch (row.kind) {
    case SettingKind::kText:
    case SettingKind::kSecret: return OkStatus();
    case SettingKind::kHostPort: return IsHostPort(value) ? OkStatus() : bad("host:port");
    case SettingKind::kNumber:
      return ParseNumber(value, false) ? OkStatus() : bad("a whole number");
    case SettingKind::kMilliseconds:
      return ParseNumber(value, false).value_or(-1) >= 0 ? OkStatus()
                                                         : bad("a number of milliseconds");
    case SettingKind::kBytes:
      return ParseNumber(value, true).value_or(-1) >= 0 ? OkStatus()
                                                        : bad("a number of bytes (also 64MB, 2GB)");
    case SettingKind::kBoolean:
      return value == "true" || value == "false" ? OkStatus() : bad("true or false");
    case SettingKind::kChoice:
      return IsChoice(row.choices, value) ? OkStatus()
                                          : bad(fmt::format("one of: {}", row.choices));
  }
  return OkStatus();
}

}  // namespace

std::span<const SettingRow> SettingRows() { return kRows; }

Status Settings::Set(std::string_view name, std::string_view value, bool at_open,
                     std::string* notice) {
  const std::string_view bare = Bare(name);
  const SettingRow* row = FindRow(bare);
  if (row == nullptr) {
    const bool known = name.starts_with("ksql.streams.") ||
                       std::find(std::begin(kKnownElsewhere), std::end(kKnownElsewhere), bare) !=
                           std::end(kKnownElsewhere);
    if (!known) {
      std::vector<std::string> names;
      for (const SettingRow& each : kRows) names.emplace_back(each.name);
      return Status(ErrorCode::kUnknownOption, fmt::format("unknown setting: {}", name))
          .WithHint(DidYouMean(bare, names).empty() ? "SHOW PROPERTIES lists all settings"
                                                    : DidYouMean(bare, names));
    }
    if (notice != nullptr) *notice = fmt::format("{} has no effect in Weir", name);
    given_[std::string(name)] = value;
    return OkStatus();
  }
  if (row->scope == SettingScope::kEngine && !at_open) {
    return Status(ErrorCode::kInvalidOption,
                  fmt::format("setting {} can only be given when the engine is opened", row->name))
        .WithHint(fmt::format("start with -S {}={}", row->name,
                              row->kind == SettingKind::kSecret ? "…" : value));
  }
  WEIR_RETURN_IF_ERROR(Check(*row, value));
  if (bare == "num.standby.replicas" && ParseNumber(value, false).value_or(0) < 0) {
    return Status(ErrorCode::kInvalidOption,
                  fmt::format("setting {} takes 0 or more, not: {}", row->name, value));
  }
  values_[std::string(bare)] = value;
  std::erase_if(given_, [&](const auto& entry) { return Bare(entry.first) == bare; });
  // How the registry is reached is a matter of this run, and statements are kept with what is
  // given: no password may lie in the catalog.
  if (row->scope == SettingScope::kEngine && bare.starts_with("schema.registry.")) {
    return OkStatus();
  }
  given_[std::string(name)] = value;
  return OkStatus();
}

Status Settings::Unset(std::string_view name) {
  const std::string_view bare = Bare(name);
  values_.erase(std::string(bare));
  std::erase_if(given_, [&](const auto& entry) { return Bare(entry.first) == bare; });
  return OkStatus();
}

std::string_view Settings::Get(std::string_view name) const {
  auto it = values_.find(name);
  if (it != values_.end()) return it->second;
  const SettingRow* row = FindRow(name);
  return row == nullptr ? std::string_view() : row->default_value;
}

int64_t Settings::Number(std::string_view name) const {
  return ParseNumber(Get(name), true).value_or(0);
}

bool Settings::Flag(std::string_view name) const { return Get(name) == "true"; }

QuerySettings Settings::ForQuery() const {
  QuerySettings query;
  query.emit_every_change = Number("cache.max.bytes.buffering") == 0;
  query.commit_interval_ms = Number("commit.interval.ms");
  query.commit_bytes_max = Number("commit.bytes.max");
  query.max_task_idle_ms = Number("max.task.idle.ms");
  if (Get("processing.guarantee") != "at_least_once") query.guarantee = Guarantee::kExactlyOnce;
  query.standby_replicas = Number("num.standby.replicas");
  query.start_latest = Get("auto.offset.reset") == "latest";
  query.memory_limit = Number("memory.limit");
  if (query.memory_limit == 0) {
    query.memory_limit = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE) / 4;
  }
  query.state_spills = Flag("test.state.spills");
  query.numbers["commit.bytes.max"] = query.CommitBytesMax();
  for (std::string_view name : {"collect_list.limit", "collect_set.limit"}) {
    query.numbers[std::string(name)] = Number(name);
  }
  query.numbers["sql.extensions"] = Flag("sql.extensions") ? 1 : 0;
  query.numbers["test.check.edges"] = Flag("test.check.edges") ? 1 : 0;
  query.numbers["timestamp.throw.on.invalid"] = Flag("timestamp.throw.on.invalid") ? 1 : 0;
  return query;
}

}  // namespace weir
