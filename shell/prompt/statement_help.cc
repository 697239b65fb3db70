#include "shell/prompt/statement_help.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace weir::shell {
namespace {

constexpr StatementHelp kEntries[] = {
    {"CREATE STREAM",
     "CREATE [OR REPLACE] [SOURCE] STREAM [IF NOT EXISTS] name (column TYPE [KEY], …) "
     "WITH (KAFKA_TOPIC='…', VALUE_FORMAT='JSON', …)",
     "Declares a stream over a topic, a file or a generator. A SOURCE stream is read only.",
     HelpKind::kStatement, "CREATE SOURCE STREAM"},
    {"CREATE TABLE",
     "CREATE [OR REPLACE] [SOURCE] TABLE [IF NOT EXISTS] name (column TYPE PRIMARY KEY, …) "
     "WITH (…)",
     "Declares a table over a topic: the last row of each key counts. A SOURCE table is read only, "
     "and its rows are kept for SELECT.",
     HelpKind::kStatement, "CREATE SOURCE TABLE"},
    {"CREATE STREAM AS",
     "CREATE [OR REPLACE] STREAM [IF NOT EXISTS] name [WITH (…)] AS SELECT … FROM … [WHERE …] "
     "[PARTITION BY …] [EMIT CHANGES]",
     "Starts a query that runs on and writes a stream to a topic of its own, or to a file.",
     HelpKind::kStatement, "CSAS|CREATE STREAM AS SELECT"},
    {"CREATE TABLE AS",
     "CREATE [OR REPLACE] TABLE [IF NOT EXISTS] name [WITH (…)] AS SELECT … FROM … [WINDOW …] "
     "[WHERE …] GROUP BY … [HAVING …] [EMIT CHANGES|FINAL]",
     "Starts a query that runs on and keeps a table up to date.", HelpKind::kStatement,
     "CTAS|CREATE TABLE AS SELECT"},
    {"CREATE TYPE", "CREATE TYPE [IF NOT EXISTS] name AS TYPE",
     "Gives a type a name, to be used in columns and CAST."},
    {"CREATE CONNECTOR", "CREATE SOURCE|SINK CONNECTOR [IF NOT EXISTS] name WITH (…)",
     "Kafka Connect's connectors are not built: this is an error. WITH (CONNECTOR='file') reads "
     "and writes files.",
     HelpKind::kStatement, "CREATE SOURCE CONNECTOR|CREATE SINK CONNECTOR"},
    {"INSERT INTO", "INSERT INTO name [WITH (QUERY_ID='…')] SELECT …",
     "Starts a query that writes into a stream that exists.", HelpKind::kStatement,
     "INSERT INTO SELECT"},
    {"INSERT VALUES", "INSERT INTO name [(column, …)] VALUES (value, …)", "Writes one record.",
     HelpKind::kStatement, "INSERT INTO VALUES|VALUES"},
    {"DELETE FROM", "DELETE FROM name [WHERE …]",
     "Not built: this is an error. A record whose value is NULL deletes a table's row."},
    {"SELECT",
     "[WITH name AS (SELECT …)] SELECT [DISTINCT] expression [AS name], … [FROM source [JOIN …]] "
     "[WINDOW …] [WHERE …] [GROUP BY …] [PARTITION BY …] [HAVING …] [ORDER BY …] "
     "[EMIT CHANGES|FINAL] [LIMIT n] [OFFSET m]",
     "Reads what is there; with EMIT it follows what comes."},
    {"BEGIN PIPELINE",
     "BEGIN [OR REPLACE] PIPELINE [IF NOT EXISTS] name; statement; … END PIPELINE;",
     "Runs several queries as one: each source is read once, all commit and fail together.",
     HelpKind::kStatement, "PIPELINE|END PIPELINE"},
    {"DROP STREAM", "DROP STREAM [IF EXISTS] name [DELETE TOPIC]",
     "Drops a stream and the query that writes it; DELETE TOPIC deletes its records as well."},
    {"DROP TABLE", "DROP TABLE [IF EXISTS] name [DELETE TOPIC]",
     "Drops a table and the query that writes it; DELETE TOPIC deletes its records as well."},
    {"DROP TYPE", "DROP TYPE [IF EXISTS] name", "Drops the name of a type."},
    {"DROP PIPELINE", "DROP PIPELINE [IF EXISTS] name", "Stops a pipeline and drops what it made."},
    {"DROP CONNECTOR", "DROP CONNECTOR [IF EXISTS] name",
     "Kafka Connect's connectors are not built: this is an error."},
    {"ALTER STREAM", "ALTER STREAM name ADD [COLUMN] column TYPE, ADD [COLUMN] …",
     "Adds columns at the end of a stream that was declared.", HelpKind::kStatement, "ALTER"},
    {"ALTER TABLE", "ALTER TABLE name ADD [COLUMN] column TYPE, ADD [COLUMN] …",
     "Adds columns at the end of a table that was declared.", HelpKind::kStatement, "ALTER"},
    {"ALTER SYSTEM", "ALTER SYSTEM 'name' = 'value'",
     "Not built: this is an error. -S name=value gives the engine its settings, SET changes them.",
     HelpKind::kStatement, "ALTER"},
    {"TERMINATE", "TERMINATE query_id|ALL", "Stops a query for good; what it wrote stays."},
    {"PAUSE", "PAUSE query_id|ALL", "Holds a query; RESUME lets it go on."},
    {"RESUME", "RESUME query_id|ALL", "Lets a held query go on where it stood."},
    {"SHOW STREAMS", "SHOW|LIST STREAMS|TABLES [EXTENDED]", "Lists the streams, or the tables.",
     HelpKind::kStatement, "LIST STREAMS|SHOW TABLES|LIST TABLES"},
    {"SHOW TOPICS", "SHOW|LIST [ALL] TOPICS [EXTENDED]",
     "Lists the topics; ALL those that queries keep for themselves too, EXTENDED their end "
     "offsets.",
     HelpKind::kStatement, "LIST TOPICS|SHOW ALL TOPICS|LIST ALL TOPICS"},
    {"SHOW QUERIES", "SHOW|LIST QUERIES [EXTENDED]",
     "Lists the queries with their state, counts and last error.", HelpKind::kStatement,
     "LIST QUERIES"},
    {"SHOW METRICS", "SHOW METRICS [EXTENDED]",
     "Lists the numbers of the queries; EXTENDED those of each task as well.", HelpKind::kStatement,
     "LIST METRICS"},
    {"SHOW FUNCTIONS", "SHOW|LIST FUNCTIONS", "Lists the functions.", HelpKind::kStatement,
     "LIST FUNCTIONS"},
    {"SHOW TYPES", "SHOW|LIST TYPES", "Lists the types of CREATE TYPE.", HelpKind::kStatement,
     "LIST TYPES"},
    {"SHOW VARIABLES", "SHOW|LIST VARIABLES", "Lists the variables of DEFINE.",
     HelpKind::kStatement, "LIST VARIABLES"},
    {"SHOW PROPERTIES", "SHOW|LIST PROPERTIES",
     "Lists the settings with value, default and meaning; SET changes them.", HelpKind::kStatement,
     "LIST PROPERTIES|SETTINGS"},
    {"SHOW SCHEMAS", "SHOW|LIST SCHEMAS",
     "Lists the newest schema of each subject of the schema registry.", HelpKind::kStatement,
     "LIST SCHEMAS"},
    {"SHOW PIPELINES", "SHOW|LIST PIPELINES", "Lists the pipelines.", HelpKind::kStatement,
     "LIST PIPELINES"},
    {"SHOW CONNECTORS", "SHOW|LIST [SOURCE|SINK] CONNECTORS; SHOW CONNECTOR PLUGINS",
     "Kafka Connect's connectors are not built: this is an error.", HelpKind::kStatement,
     "LIST CONNECTORS|SHOW CONNECTOR PLUGINS|SHOW SOURCE CONNECTORS|SHOW SINK CONNECTORS"},
    {"SHOW CREATE", "SHOW CREATE [STREAM|TABLE|TYPE|QUERY|PIPELINE] name",
     "Gives the statement that made an object."},
    {"DESCRIBE", "DESCRIBE name [EXTENDED]",
     "Tells the columns of a stream or table; EXTENDED also its topic, formats and queries."},
    {"DESCRIBE STREAMS", "DESCRIBE STREAMS|TABLES [EXTENDED]",
     "Tells the columns of all streams, or all tables.", HelpKind::kStatement, "DESCRIBE TABLES"},
    {"DESCRIBE FUNCTION", "DESCRIBE FUNCTION name",
     "Tells a function's signatures, what it does, and an example."},
    {"EXPLAIN", "EXPLAIN [LOGICAL|OPTIMIZED|PHYSICAL|VERBOSE] statement|query_id",
     "Shows the plan of a query, without running it."},
    {"PRINT", "PRINT topic [FROM BEGINNING] [INTERVAL|SAMPLE n] [LIMIT n]",
     "Shows the records of a topic as they are; of each n only one with INTERVAL."},
    {"SET", "SET 'name' = 'value'",
     "Changes a setting for what follows; SHOW PROPERTIES lists all."},
    {"UNSET", "UNSET 'name'", "Puts a setting back to its default."},
    {"DEFINE", "DEFINE name = 'text'", "Makes a variable, used as ${name}."},
    {"UNDEFINE", "UNDEFINE name", "Removes a variable."},
    {"RUN SCRIPT", "RUN SCRIPT 'file'", "Runs the statements of a file."},
    {"ASSERT TOPIC", "ASSERT [NOT EXISTS] TOPIC name [WITH (PARTITIONS=n)] [TIMEOUT n SECONDS]",
     "Fails unless the topic is there, or is not, within a time (1 second)."},
    {"ASSERT STREAM", "ASSERT STREAM|TABLE name [(column TYPE [KEY], …)] [WITH (…)]",
     "Fails unless the stream or table is as described.", HelpKind::kStatement, "ASSERT TABLE"},
    {"ASSERT SCHEMA", "ASSERT [NOT EXISTS] SCHEMA [SUBJECT name] [ID n] [TIMEOUT n SECONDS]",
     "Fails unless the schema registry has the subject or id, or has it not, within a time (1 "
     "second)."},
    {"ASSERT VALUES", "ASSERT [NULL] VALUES name [(column, …)] VALUES|KEY (value, …)",
     "Not built: this is an error. weir test compares rows.", HelpKind::kStatement,
     "ASSERT NULL VALUES"},

    // Clauses.
    {"WITH", "WITH (NAME = value, …)",
     "Properties of a stream, a table or a query's output; help NAME tells each.",
     HelpKind::kClause, "PROPERTIES OF WITH"},
    {"KEY", "column TYPE KEY | column TYPE PRIMARY KEY",
     "Says that a column stands in the record's key: KEY in streams, PRIMARY KEY in tables.",
     HelpKind::kClause, "PRIMARY KEY"},
    {"HEADERS",
     "column ARRAY<STRUCT<KEY STRING, VALUE BYTES>> HEADERS | column BYTES HEADER('key')",
     "Columns made of a record's headers: all of them, or the last of one name.", HelpKind::kClause,
     "HEADER COLUMN"},
    {"FROM", "FROM name [AS alias], … | FROM (SELECT …) AS alias",
     "The streams or tables that are read.", HelpKind::kClause},
    {"FROM BEGINNING",
     "FROM name FROM BEGINNING | LATEST | TIMESTAMP '…' | OFFSETS (partition := offset, …)",
     "Where a query starts to read; without it auto.offset.reset says so.", HelpKind::kClause,
     "FROM LATEST|FROM TIMESTAMP|FROM OFFSETS|OFFSETS"},
    {"JOIN",
     "FROM a [INNER|LEFT|RIGHT|FULL [OUTER]] JOIN b [WITHIN 10 MINUTES [GRACE PERIOD …]] "
     "ON a.x = b.y",
     "Joins streams (with WITHIN), tables, or a stream with a table.", HelpKind::kClause,
     "INNER JOIN|LEFT JOIN|RIGHT JOIN|FULL JOIN|OUTER JOIN|LEFT OUTER JOIN|RIGHT OUTER JOIN|"
     "FULL OUTER JOIN|ON"},
    {"CROSS JOIN", "FROM a CROSS JOIN b | FROM a, b [WHERE a.x = b.y]",
     "Each row with each, in a SELECT without EMIT; equalities in WHERE make it a JOIN.",
     HelpKind::kClause},
    {"USING", "FROM a JOIN b USING (column, …)",
     "Joins on columns of the same name, and makes one of both; in a SELECT without EMIT.",
     HelpKind::kClause},
    {"WITHIN", "WITHIN 10 MINUTES | WITHIN (5 MINUTES, 1 MINUTE) [GRACE PERIOD 1 HOUR]",
     "How far apart in time rows of two streams may be to join: either way, or before and after.",
     HelpKind::kClause},
    {"WHERE", "WHERE condition", "Keeps the rows for which the condition is true.",
     HelpKind::kClause},
    {"WINDOW",
     "WINDOW TUMBLING (SIZE 1 MINUTE [, RETENTION …] [, GRACE PERIOD …]) | "
     "HOPPING (SIZE …, ADVANCE BY …) | SESSION (60 SECONDS)",
     "Groups rows of a stream by time as well; stands before WHERE and GROUP BY.",
     HelpKind::kClause, "TUMBLING|HOPPING|SESSION|SLIDING|RETENTION"},
    {"GRACE PERIOD", "GRACE PERIOD 10 SECONDS",
     "How long after its end a window still takes late rows.", HelpKind::kClause, "GRACE"},
    {"GROUP BY", "GROUP BY expression, …",
     "Makes one row of each group of rows; aggregates tell about the group.", HelpKind::kClause},
    {"PARTITION BY", "PARTITION BY expression, …",
     "Gives the rows of a stream another key; PARTITION BY NULL gives them none.",
     HelpKind::kClause},
    {"HAVING", "HAVING condition", "Keeps the groups for which the condition is true.",
     HelpKind::kClause},
    {"EMIT", "EMIT CHANGES | EMIT FINAL",
     "CHANGES gives each change as it comes; FINAL gives a window once, when it has closed.",
     HelpKind::kClause, "EMIT CHANGES|EMIT FINAL"},
    {"ORDER BY", "ORDER BY expression [ASC|DESC] [NULLS FIRST|LAST], …",
     "The order of rows, in a SELECT without EMIT.", HelpKind::kClause},
    {"LIMIT", "LIMIT n [OFFSET m]",
     "Ends a SELECT or PRINT after so many rows; OFFSET passes over the first ones.",
     HelpKind::kClause, "OFFSET"},
    {"DISTINCT",
     "SELECT DISTINCT expression, … | COUNT(DISTINCT x) | COUNT(*) FILTER (WHERE condition)",
     "Gives equal rows once; an aggregate sees different values, or with FILTER some rows only.",
     HelpKind::kClause, "SELECT DISTINCT|COUNT DISTINCT|FILTER WHERE"},
    {"UNION", "SELECT … UNION [ALL] SELECT …",
     "The rows of both; without ALL each once. In a SELECT without EMIT.", HelpKind::kClause,
     "UNION ALL"},
    {"INTERSECT", "SELECT … INTERSECT [ALL] SELECT …",
     "The rows that both have, in a SELECT without EMIT.", HelpKind::kClause, "INTERSECT ALL"},
    {"EXCEPT",
     "SELECT … EXCEPT [ALL] SELECT … | SELECT * [EXCEPT (column, …)] "
     "[REPLACE (expression AS column, …)]",
     "The rows that the second does not have; behind *, columns to leave out or to change.",
     HelpKind::kClause, "EXCEPT ALL|EXCLUDE"},
    {"EXISTS", "[NOT] EXISTS (SELECT …) | x [NOT] IN (SELECT …) | x > ANY|ALL (SELECT …)",
     "Subqueries in expressions, in a SELECT without EMIT.", HelpKind::kClause, "ANY|ALL|SOME"},
    {"OVER", "function(…) OVER (PARTITION BY … ORDER BY … [ROWS|RANGE …])",
     "Window functions in standard SQL's sense are not built; WINDOW groups by time.",
     HelpKind::kClause},
    {"CASE", "CASE WHEN condition THEN value … [ELSE value] END | CASE x WHEN value THEN … END",
     "The value of the first branch that holds; NULL if none does.", HelpKind::kClause},
    {"CAST", "CAST(expression AS TYPE)", "Converts a value; NULL where that cannot be done.",
     HelpKind::kClause},
    {"LIKE", "text [NOT] LIKE pattern [ESCAPE 'c']", "% stands for any characters, _ for one.",
     HelpKind::kClause},
    {"BETWEEN", "x [NOT] BETWEEN low AND high", "Both ends count.", HelpKind::kClause},
    {"IN", "x [NOT] IN (value, …)", "Whether the value is in the list.", HelpKind::kClause},
    {"IS NULL", "x IS [NOT] NULL | x IS [NOT] DISTINCT FROM y",
     "Tests for NULL; DISTINCT FROM compares so that NULL equals NULL.", HelpKind::kClause,
     "IS NOT NULL|IS DISTINCT FROM|NULL"},
    {"ARROW", "column->field | struct->*",
     "A field of a struct; [i] is an element of an array, from 1, or a map's value.",
     HelpKind::kClause, "->"},
    {"LAMBDA", "FUNCTION(array, x => expression) | (x, y) => expression",
     "A function written where it is used: TRANSFORM, FILTER, REDUCE take it.", HelpKind::kClause,
     "=>"},
    {"SYSTEM COLUMNS", "ROWTIME, ROWPARTITION, ROWOFFSET, WINDOWSTART, WINDOWEND",
     "Every row has a time (ms since 1970), its partition and offset; rows of windows have bounds.",
     HelpKind::kClause, "ROWTIME|ROWPARTITION|ROWOFFSET|WINDOWSTART|WINDOWEND"},

    // Properties of WITH.
    {"KAFKA_TOPIC", "KAFKA_TOPIC = 'topic'",
     "The topic that is read or written. Needed in CREATE over a topic; by AS SELECT it is the "
     "stream's own name unless given.",
     HelpKind::kProperty},
    {"FORMAT", "FORMAT = 'JSON'", "KEY_FORMAT and VALUE_FORMAT at once.", HelpKind::kProperty},
    {"KEY_FORMAT",
     "KEY_FORMAT = 'JSON' | 'DELIMITED' | 'KAFKA' | 'AVRO' | 'JSON_SR' | 'PROTOBUF' | "
     "'PROTOBUF_NOSR' | 'NONE'",
     "How keys are written (KAFKA unless set otherwise).", HelpKind::kProperty},
    {"VALUE_FORMAT",
     "VALUE_FORMAT = 'JSON' | 'DELIMITED' | 'KAFKA' | 'AVRO' | 'JSON_SR' | 'PROTOBUF' | "
     "'PROTOBUF_NOSR' | 'NONE'",
     "How values are written (JSON unless set otherwise).", HelpKind::kProperty},
    {"PARTITIONS", "PARTITIONS = n",
     "Partitions of a topic that is made. Of a file: the ranges that are read in parallel.",
     HelpKind::kProperty},
    {"REPLICAS", "REPLICAS = n", "Accepted; the cluster's own default counts.",
     HelpKind::kProperty},
    {"RETENTION_MS", "RETENTION_MS = n", "How long a topic that is made keeps records.",
     HelpKind::kProperty},
    {"CLEANUP_POLICY", "CLEANUP_POLICY = 'delete' | 'compact' | 'compact,delete'",
     "Accepted; a topic that is made is compacted where it holds a table.", HelpKind::kProperty},
    {"TIMESTAMP", "TIMESTAMP = 'column'",
     "The column with a row's time: TIMESTAMP, BIGINT of milliseconds, or STRING with "
     "TIMESTAMP_FORMAT. Without it the record's own time counts.",
     HelpKind::kProperty},
    {"TIMESTAMP_FORMAT", "TIMESTAMP_FORMAT = 'yyyy-MM-dd HH:mm:ss'",
     "The Java pattern of a TIMESTAMP column that is a STRING.", HelpKind::kProperty},
    {"TIMESTAMP_SOURCE", "TIMESTAMP_SOURCE = 'record' | 'append' | 'processing'",
     "Whose time a row has without TIMESTAMP: the record's, the log's, or the clock's when it is "
     "read.",
     HelpKind::kProperty},
    {"KEY_DELIMITER", "KEY_DELIMITER = '|' | 'TAB' | 'SPACE'",
     "What stands between the fields of a DELIMITED key (a comma).", HelpKind::kProperty},
    {"VALUE_DELIMITER", "VALUE_DELIMITER = '|' | 'TAB' | 'SPACE'",
     "What stands between the fields of a DELIMITED value (a comma).", HelpKind::kProperty},
    {"WRAP_SINGLE_VALUE", "WRAP_SINGLE_VALUE = true | false",
     "Whether a single value column stands inside a JSON object (true) or bare.",
     HelpKind::kProperty},
    {"STRICT.JSON", "STRICT.JSON = true | false",
     "Whether the whole record must be JSON, or only what is read of it (false).",
     HelpKind::kProperty},
    {"ON_ERROR", "ON_ERROR = 'SKIP' | 'NULL' | 'FAIL' | 'topic'",
     "What becomes of a record that cannot be read: counted and left out (SKIP), a row of nulls, "
     "the end of the query, or a record of that topic.",
     HelpKind::kProperty},
    {"WINDOW_TYPE", "WINDOW_TYPE = 'TUMBLING' | 'HOPPING' | 'SESSION'",
     "Says that the topic's keys have a window.", HelpKind::kProperty},
    {"WINDOW_SIZE", "WINDOW_SIZE = '30 SECONDS'", "The size of these windows.",
     HelpKind::kProperty},
    {"QUERY_ID", "QUERY_ID = 'name'", "The id of an INSERT INTO … SELECT.", HelpKind::kProperty},
    {"CONNECTOR", "CONNECTOR = 'file' | 'datagen'",
     "Reads or writes a file, or reads rows that are made up, instead of a topic.",
     HelpKind::kProperty, "FILE|DATAGEN"},
    {"PATH", "PATH = 'rides.csv' | '-'", "Of CONNECTOR='file': the file; - is standard input.",
     HelpKind::kProperty},
    {"HEADER", "HEADER = true | false",
     "Of CONNECTOR='file': whether the first line names the fields (true).", HelpKind::kProperty},
    {"NULL", "NULL = 'NA'", "Of CONNECTOR='file': a text that stands for null.",
     HelpKind::kProperty},
    {"FOLLOW", "FOLLOW = true | false",
     "Of CONNECTOR='file': whether lines that are added later are read too (false).",
     HelpKind::kProperty},
    {"SEED", "SEED = n", "Of CONNECTOR='datagen': another seed gives other rows (1).",
     HelpKind::kProperty},
    {"ROWS", "ROWS = n", "Of CONNECTOR='datagen': how many rows there are (without end).",
     HelpKind::kProperty},
    {"RATE", "RATE = n", "Of CONNECTOR='datagen': rows a second (as fast as they are taken).",
     HelpKind::kProperty},
    {"COLUMN.NAME",
     "COLUMN.name = 'sequence(start, step)' | 'uniform(low, high)' | 'normal(mean, deviation)' | "
     "'choice(a, b, …)' | 'timestamp(start_ms, step_ms)' | 'text(length)' | "
     "'null(percent, generator)'",
     "Of CONNECTOR='datagen': what a column holds; ROWTIME may be named too.", HelpKind::kProperty,
     "COLUMN"},
    {"KEY_SCHEMA_ID", "KEY_SCHEMA_ID, KEY_SCHEMA_FULL_NAME, KEY_PROTOBUF_NULLABLE_REPRESENTATION",
     "Of AVRO, JSON_SR and PROTOBUF keys: the schema in the registry, the name of its records, and "
     "how PROTOBUF tells nulls from zeros: 'OPTIONAL' or 'WRAPPER'.",
     HelpKind::kProperty, "KEY_SCHEMA_FULL_NAME|KEY_PROTOBUF_NULLABLE_REPRESENTATION"},
    {"VALUE_SCHEMA_ID",
     "VALUE_SCHEMA_ID, VALUE_SCHEMA_FULL_NAME, VALUE_AVRO_SCHEMA_FULL_NAME, "
     "VALUE_PROTOBUF_NULLABLE_REPRESENTATION",
     "Of AVRO, JSON_SR and PROTOBUF values: the schema in the registry, the name of its records, "
     "and how PROTOBUF tells nulls from zeros: 'OPTIONAL' or 'WRAPPER'.",
     HelpKind::kProperty,
     "VALUE_SCHEMA_FULL_NAME|VALUE_AVRO_SCHEMA_FULL_NAME|VALUE_PROTOBUF_NULLABLE_REPRESENTATION"},
    {"SOURCED_BY_CONNECTOR", "SOURCED_BY_CONNECTOR = '…', SOURCE_CONNECTOR = '…'",
     "ksqlDB's note of a Kafka Connect connector; accepted, without a meaning.",
     HelpKind::kProperty, "SOURCE_CONNECTOR"},

    // Types.
    {"BOOLEAN", "BOOLEAN", "TRUE or FALSE.", HelpKind::kType},
    {"INT", "INT", "A whole number of 32 bits.", HelpKind::kType, "INTEGER"},
    {"BIGINT", "BIGINT", "A whole number of 64 bits.", HelpKind::kType},
    {"DOUBLE", "DOUBLE", "A floating-point number of 64 bits: 1E0, 2.5E3.", HelpKind::kType},
    {"DECIMAL", "DECIMAL(precision, scale)",
     "An exact number of so many digits, so many of them behind the point; up to 38 digits.",
     HelpKind::kType, "DEC|NUMERIC"},
    {"STRING", "STRING", "Text, in UTF-8: 'it''s'.", HelpKind::kType, "VARCHAR"},
    {"BYTES", "BYTES", "Any bytes; in JSON as base64.", HelpKind::kType},
    {"DATE", "DATE", "A day: DATE '2024-02-29'.", HelpKind::kType},
    {"TIME", "TIME", "A time of day, to the millisecond: TIME '13:00:00'.", HelpKind::kType},
    {"TIMESTAMP", "TIMESTAMP", "A moment, to the millisecond: TIMESTAMP '2024-02-29T13:00:00'.",
     HelpKind::kType},
    {"ARRAY", "ARRAY<TYPE>", "A list of values: ARRAY[1, 2]; a[1] is the first.", HelpKind::kType},
    {"MAP", "MAP<KEY, TYPE>", "Values by key: MAP('a' := 1); m['a'] is one.", HelpKind::kType},
    {"STRUCT", "STRUCT<name TYPE, …>", "Named fields: STRUCT(x := 1); s->x is one.",
     HelpKind::kType},
};

// The kinds lie one behind the other.
constexpr bool IsOrderedByKind() {
  for (size_t i = 1; i < std::size(kEntries); ++i) {
    if (kEntries[i].kind < kEntries[i - 1].kind) return false;
  }
  return true;
}
static_assert(IsOrderedByKind());

/// In upper case, blanks at the ends and a last semicolon gone, inner blanks single.
std::string FoldTopic(std::string_view text) {
  std::string folded;
  for (const char c : text) {
    const bool blank = std::isspace(static_cast<unsigned char>(c)) != 0;
    if (!blank) {
      folded.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
    } else if (!folded.empty() && folded.back() != ' ') {
      folded.push_back(' ');
    }
  }
  while (!folded.empty() && (folded.back() == ' ' || folded.back() == ';')) folded.pop_back();
  return folded;
}

/// Calls `matches` with the entry's names until it says yes.
template <typename Matches>
bool AnyName(const StatementHelp& entry, Matches matches) {
  if (matches(entry.name)) return true;
  for (std::string_view rest = entry.also; !rest.empty();) {
    const size_t bar = std::min(rest.find('|'), rest.size());
    if (matches(rest.substr(0, bar))) return true;
    rest.remove_prefix(std::min(bar + 1, rest.size()));
  }
  return false;
}

template <typename Matches>
std::vector<const StatementHelp*> Collect(Matches matches) {
  std::vector<const StatementHelp*> found;
  for (const StatementHelp& entry : kEntries) {
    if (AnyName(entry, matches)) found.push_back(&entry);
  }
  return found;
}

bool HasWord(std::string_view name, std::string_view word) {
  for (size_t at = name.find(word); at != std::string_view::npos; at = name.find(word, at + 1)) {
    const size_t end = at + word.size();
    if ((at == 0 || name[at - 1] == ' ') && (end == name.size() || name[end] == ' ')) return true;
  }
  return false;
}

}  // namespace

std::span<const StatementHelp> HelpTexts() { return kEntries; }

std::span<const StatementHelp> HelpTexts(HelpKind kind) {
  const auto range = std::ranges::equal_range(kEntries, kind, {}, &StatementHelp::kind);
  return {range.begin(), range.end()};
}

std::span<const StatementHelp> StatementHelps() { return HelpTexts(HelpKind::kStatement); }

std::vector<const StatementHelp*> FindHelp(std::string_view topic) {
  const std::string wanted = FoldTopic(topic);
  if (wanted.empty()) return {};
  auto found = Collect([&](std::string_view name) { return name == wanted; });
  if (!found.empty()) return found;
  const std::string begin = wanted + " ";
  found = Collect([&](std::string_view name) { return name.starts_with(begin); });
  if (!found.empty()) return found;
  return Collect([&](std::string_view name) { return HasWord(name, wanted); });
}

std::string_view HelpKindName(HelpKind kind) {
  switch (kind) {
    case HelpKind::kStatement: return "statement";
    case HelpKind::kClause: return "clause";
    case HelpKind::kProperty: return "property";
    case HelpKind::kType: return "type";
  }
  return "";
}

}  // namespace weir::shell
