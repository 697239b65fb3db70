#include "shell/statement_help.h"

namespace weir::shell {
namespace {

constexpr StatementHelp kStatements[] = {
    {"CREATE STREAM",
     "CREATE [OR REPLACE] STREAM [IF NOT EXISTS] name (column TYPE [KEY], …) WITH "
     "(KAFKA_TOPIC='…', "
     "VALUE_FORMAT='JSON', …)",
     "Declares a stream over a topic."},
    {"CREATE TABLE",
     "CREATE [OR REPLACE] TABLE [IF NOT EXISTS] name (column TYPE PRIMARY KEY, …) WITH (…)",
     "Declares a table over a topic: the last row of each key counts."},
    {"CREATE STREAM AS",
     "CREATE STREAM name [WITH (…)] AS SELECT … FROM … [WHERE …] [PARTITION BY …] [EMIT CHANGES]",
     "Starts a query that runs on and writes a stream to a topic of its own."},
    {"CREATE TABLE AS",
     "CREATE TABLE name [WITH (…)] AS SELECT … FROM … [WINDOW …] GROUP BY … [HAVING …] [EMIT …]",
     "Starts a query that runs on and keeps a table up to date."},
    {"INSERT INTO", "INSERT INTO name [WITH (QUERY_ID='…')] SELECT …",
     "Starts a query that writes into a stream that exists."},
    {"INSERT VALUES", "INSERT INTO name [(column, …)] VALUES (value, …)", "Writes one record."},
    {"SELECT", "SELECT … FROM source [JOIN …] [WHERE …] [EMIT CHANGES|FINAL] [LIMIT n]",
     "Reads what is there; with EMIT it follows what comes."},
    {"WINDOW",
     "WINDOW TUMBLING (SIZE 1 MINUTE [, RETENTION …] [, GRACE PERIOD …]) | "
     "HOPPING (SIZE …, ADVANCE BY …) | SESSION (60 SECONDS)",
     "Groups rows of a stream by time as well; stands before GROUP BY."},
    {"JOIN",
     "FROM a [INNER|LEFT|RIGHT|FULL] JOIN b [WITHIN 10 MINUTES [GRACE PERIOD …]] ON a.x = b.y",
     "Joins streams (with WITHIN), tables, or a stream with a table."},
    {"BEGIN PIPELINE", "BEGIN PIPELINE name; statement; … END PIPELINE;",
     "Runs several queries as one: each source is read once, all commit and fail together."},
    {"DROP", "DROP STREAM|TABLE [IF EXISTS] name [DELETE TOPIC]",
     "Drops a source and the query that writes it."},
    {"TERMINATE", "TERMINATE query_id|ALL", "Stops a query for good."},
    {"PAUSE", "PAUSE query_id|ALL", "Holds a query; RESUME lets it go on."},
    {"RESUME", "RESUME query_id|ALL", "Lets a held query go on."},
    {"SHOW",
     "SHOW STREAMS|TABLES|[ALL] TOPICS|QUERIES|METRICS|FUNCTIONS|TYPES|VARIABLES|PROPERTIES|"
     "PIPELINES [EXTENDED]",
     "Lists what there is; ALL TOPICS those that queries keep for themselves too; METRICS "
     "EXTENDED the numbers of each task."},
    {"SHOW CREATE", "SHOW CREATE [STREAM|TABLE|QUERY|PIPELINE] name",
     "Gives the statement that made an object."},
    {"DESCRIBE", "DESCRIBE name [EXTENDED]; DESCRIBE FUNCTION name", "Tells columns and counts."},
    {"EXPLAIN", "EXPLAIN [LOGICAL|OPTIMIZED|PHYSICAL|VERBOSE] statement|query_id",
     "Shows the plan of a query."},
    {"PRINT", "PRINT topic [FROM BEGINNING] [INTERVAL n] [LIMIT n]",
     "Shows the records of a topic as they are."},
    {"SET", "SET 'name' = 'value'",
     "Changes a setting for what follows; SHOW PROPERTIES lists all."},
    {"UNSET", "UNSET 'name'", "Puts a setting back to its default."},
    {"DEFINE", "DEFINE name = 'text'", "Makes a variable, used as ${name}."},
    {"RUN SCRIPT", "RUN SCRIPT 'file'", "Runs the statements of a file."},
    {"CREATE TYPE", "CREATE TYPE name AS TYPE", "Gives a type a name."},
    {"ALTER", "ALTER STREAM|TABLE name ADD COLUMN c TYPE, …", "Adds columns at the end."},
    {"ASSERT", "ASSERT [NOT EXISTS] TOPIC name [TIMEOUT n SECONDS]; ASSERT STREAM|TABLE name (…)",
     "Fails unless what it says is so."},
};

}  // namespace

std::span<const StatementHelp> StatementHelps() { return kStatements; }

}  // namespace weir::shell
