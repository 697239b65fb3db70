-- Count rides per vendor and minute. The key of the topic carries the window in Kafka Streams' own
-- coding, so a Kafka Streams consumer reads it. A window is kept for an hour, and rides that come
-- later than that are dropped and counted (SHOW QUERIES). The second table says nothing of grace and
-- takes rides that are up to a day late, as ksqlDB does.

CREATE STREAM rides (
  vendorId INT,
  passenger_count INT,
  trip_distance DOUBLE,
  PULocationID INT,
  DOLocationID INT,
  payment_type INT,
  total_amount DOUBLE
) WITH (KAFKA_TOPIC='datatalkclub.yellow_taxi_ride.json', VALUE_FORMAT='JSON');

CREATE TABLE rides_per_minute WITH (KAFKA_TOPIC='datatalks.rides_per_minute') AS
  SELECT vendorId, COUNT(*) AS rides, SUM(total_amount) AS amount
  FROM rides
  WINDOW TUMBLING (SIZE 1 MINUTE, RETENTION 1 HOUR, GRACE PERIOD 59 MINUTES)
  GROUP BY vendorId
  EMIT CHANGES;

CREATE TABLE rides_per_minute_of_day WITH (KAFKA_TOPIC='datatalks.rides_per_minute_of_day') AS
  SELECT vendorId, COUNT(*) AS rides
  FROM rides
  WINDOW TUMBLING (SIZE 1 MINUTE)
  GROUP BY vendorId
  EMIT CHANGES;

SELECT vendorId, WINDOWSTART, WINDOWEND, rides, amount
  FROM rides_per_minute EMIT CHANGES LIMIT 6;
