-- Branch at 40: dear rides to one topic, the rest to another. A pipeline reads and decodes each ride
-- once for both queries, and commits both together.

CREATE STREAM rides (
  vendorId INT,
  passenger_count INT,
  trip_distance DOUBLE,
  PULocationID INT,
  DOLocationID INT,
  payment_type INT,
  total_amount DOUBLE
) WITH (KAFKA_TOPIC='datatalkclub.yellow_taxi_ride.json', VALUE_FORMAT='JSON');

BEGIN PIPELINE branch;

CREATE STREAM high_amount WITH (KAFKA_TOPIC='datatalks.yellow_taxi_rides.high_amount') AS
  SELECT * FROM rides
  WHERE total_amount >= 40
  EMIT CHANGES;

CREATE STREAM low_amount WITH (KAFKA_TOPIC='datatalks.yellow_taxi_rides.low_amount') AS
  SELECT * FROM rides
  WHERE total_amount < 40 OR total_amount IS NULL
  EMIT CHANGES;

END PIPELINE;

SELECT vendorId, trip_distance, total_amount FROM high_amount EMIT CHANGES LIMIT 3;
SELECT vendorId, trip_distance, total_amount FROM low_amount EMIT CHANGES LIMIT 3;
