-- Count rides per vendor and minute. The key of the topic carries the window in Kafka Streams' own
-- coding, so a Kafka Streams consumer reads it. A window is kept for an hour.

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

SELECT vendorId, WINDOWSTART, WINDOWEND, rides, amount
  FROM rides_per_minute EMIT CHANGES LIMIT 6;
