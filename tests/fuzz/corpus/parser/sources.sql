CREATE OR REPLACE SOURCE STREAM IF NOT EXISTS s (k INT KEY, v STRING, h ARRAY<STRUCT<KEY STRING, VALUE BYTES>> HEADERS, one BYTES HEADER('a')) WITH (kafka_topic='t', value_format='JSON', partitions=3, 'strict.json'='true');
CREATE TABLE t (id BIGINT PRIMARY KEY, price DECIMAL(10, 2), m MAP<STRING, DOUBLE>, "Mixed" VARCHAR(20)) WITH (kafka_topic='t', format='DELIMITED', wrap_single_value=false);
CREATE STREAM c WITH (connector='file', path='rides.csv', header=TRUE);
CREATE TYPE IF NOT EXISTS address AS STRUCT<street STRING, no INT, empty STRUCT<>>;
CREATE SINK CONNECTOR IF NOT EXISTS c WITH ('connector.class'='x', "tasks.max"=1);
DROP STREAM IF EXISTS s DELETE TOPIC; DROP TABLE t; DROP TYPE address; DROP CONNECTOR c; DROP PIPELINE IF EXISTS p;
ALTER STREAM s ADD COLUMN c INT, ADD d STRING;
ALTER SYSTEM 'k'='v';
