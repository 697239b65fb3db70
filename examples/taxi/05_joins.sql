-- A join of each kind: streams with streams (within a time), a stream with a table, tables with
-- tables. The other source is the zones of the taxi commission, a table by its key.

CREATE STREAM rides (
  vendorId INT,
  passenger_count INT,
  trip_distance DOUBLE,
  PULocationID INT,
  DOLocationID INT,
  payment_type INT,
  total_amount DOUBLE
) WITH (KAFKA_TOPIC='datatalkclub.yellow_taxi_ride.json', VALUE_FORMAT='JSON');

CREATE TABLE zones (
  locationid INT PRIMARY KEY,
  borough VARCHAR,
  zone VARCHAR
) WITH (KAFKA_TOPIC='datatalkclub.taxi_zones.json', KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON');

-- Streams to join: each ride by the zone it starts in, and dear rides by the zone they end in.
CREATE STREAM departures WITH (KAFKA_TOPIC='datatalks.departures') AS
  SELECT PULocationID AS zone_id, vendorId, total_amount
  FROM rides PARTITION BY PULocationID EMIT CHANGES;
CREATE STREAM dear_arrivals WITH (KAFKA_TOPIC='datatalks.dear_arrivals') AS
  SELECT DOLocationID AS zone_id, vendorId, total_amount
  FROM rides WHERE total_amount >= 40 PARTITION BY DOLocationID EMIT CHANGES;

-- Stream with stream: what leaves a zone within a minute of a dear ride that ends there. Rows
-- without a partner come out when their time is over.
CREATE STREAM join_stream_stream_inner WITH (KAFKA_TOPIC='datatalks.join_stream_stream_inner') AS
  SELECT d.zone_id AS zone_id, d.total_amount AS leaves, a.total_amount AS arrives
  FROM departures d
  JOIN dear_arrivals a WITHIN 1 MINUTE GRACE PERIOD 1 HOUR ON d.zone_id = a.zone_id
  EMIT CHANGES;
CREATE STREAM join_stream_stream_left WITH (KAFKA_TOPIC='datatalks.join_stream_stream_left') AS
  SELECT d.zone_id AS zone_id, d.total_amount AS leaves, a.total_amount AS arrives
  FROM departures d
  LEFT JOIN dear_arrivals a WITHIN 1 MINUTE GRACE PERIOD 1 HOUR ON d.zone_id = a.zone_id
  EMIT CHANGES;
CREATE STREAM join_stream_stream_right WITH (KAFKA_TOPIC='datatalks.join_stream_stream_right') AS
  SELECT a.zone_id AS zone_id, d.total_amount AS leaves, a.total_amount AS arrives
  FROM departures d
  RIGHT JOIN dear_arrivals a WITHIN 1 MINUTE GRACE PERIOD 1 HOUR ON d.zone_id = a.zone_id
  EMIT CHANGES;
CREATE STREAM join_stream_stream_full WITH (KAFKA_TOPIC='datatalks.join_stream_stream_full') AS
  SELECT ROWKEY AS zone_id, d.total_amount AS leaves, a.total_amount AS arrives
  FROM departures d
  FULL OUTER JOIN dear_arrivals a WITHIN 1 MINUTE GRACE PERIOD 1 HOUR ON d.zone_id = a.zone_id
  EMIT CHANGES;

-- Stream with table: the name of the zone for each ride; LEFT keeps rides of unknown zones.
CREATE STREAM join_stream_table_inner WITH (KAFKA_TOPIC='datatalks.join_stream_table_inner') AS
  SELECT r.PULocationID AS zone_id, z.borough, z.zone, r.total_amount
  FROM rides r JOIN zones z ON r.PULocationID = z.locationid
  EMIT CHANGES;
CREATE STREAM join_stream_table_left WITH (KAFKA_TOPIC='datatalks.join_stream_table_left') AS
  SELECT r.DOLocationID AS zone_id, z.borough, z.zone, r.total_amount
  FROM rides r LEFT JOIN zones z ON r.DOLocationID = z.locationid
  EMIT CHANGES;

-- Table with table: rides that leave a zone beside dear rides that reach it.
CREATE TABLE rides_from_zone WITH (KAFKA_TOPIC='datatalks.rides_from_zone') AS
  SELECT zone_id, COUNT(*) AS rides FROM departures GROUP BY zone_id EMIT CHANGES;
CREATE TABLE dear_rides_to_zone WITH (KAFKA_TOPIC='datatalks.dear_rides_to_zone') AS
  SELECT zone_id, COUNT(*) AS rides FROM dear_arrivals GROUP BY zone_id EMIT CHANGES;
CREATE TABLE join_table_table_inner WITH (KAFKA_TOPIC='datatalks.join_table_table_inner') AS
  SELECT f.zone_id AS zone_id, f.rides AS leaving, t.rides AS dear_arriving
  FROM rides_from_zone f JOIN dear_rides_to_zone t ON f.zone_id = t.zone_id
  EMIT CHANGES;
CREATE TABLE join_table_table_left WITH (KAFKA_TOPIC='datatalks.join_table_table_left') AS
  SELECT f.zone_id AS zone_id, f.rides AS leaving, t.rides AS dear_arriving
  FROM rides_from_zone f LEFT JOIN dear_rides_to_zone t ON f.zone_id = t.zone_id
  EMIT CHANGES;
CREATE TABLE join_table_table_right WITH (KAFKA_TOPIC='datatalks.join_table_table_right') AS
  SELECT t.zone_id AS zone_id, f.rides AS leaving, t.rides AS dear_arriving
  FROM rides_from_zone f RIGHT JOIN dear_rides_to_zone t ON f.zone_id = t.zone_id
  EMIT CHANGES;
CREATE TABLE join_table_table_full WITH (KAFKA_TOPIC='datatalks.join_table_table_full') AS
  SELECT ROWKEY AS zone_id, f.rides AS leaving, t.rides AS dear_arriving
  FROM rides_from_zone f FULL OUTER JOIN dear_rides_to_zone t ON f.zone_id = t.zone_id
  EMIT CHANGES;

SELECT * FROM join_stream_stream_inner EMIT CHANGES LIMIT 2;
SELECT * FROM join_stream_stream_left EMIT CHANGES LIMIT 2;
SELECT * FROM join_stream_stream_right EMIT CHANGES LIMIT 2;
SELECT * FROM join_stream_stream_full EMIT CHANGES LIMIT 2;
SELECT * FROM join_stream_table_inner EMIT CHANGES LIMIT 2;
SELECT * FROM join_stream_table_left EMIT CHANGES LIMIT 2;
SELECT * FROM join_table_table_inner EMIT CHANGES LIMIT 2;
SELECT * FROM join_table_table_left EMIT CHANGES LIMIT 2;
SELECT * FROM join_table_table_right EMIT CHANGES LIMIT 2;
SELECT * FROM join_table_table_full EMIT CHANGES LIMIT 2;
