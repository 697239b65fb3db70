-- Busy times of each zone: rides that start there with less than five minutes between them are one
-- session. A ride that comes late can join two sessions into one; the old ones are then deleted.

CREATE STREAM rides (
  vendorId INT,
  passenger_count INT,
  trip_distance DOUBLE,
  PULocationID INT,
  DOLocationID INT,
  payment_type INT,
  total_amount DOUBLE
) WITH (KAFKA_TOPIC='datatalkclub.yellow_taxi_ride.json', VALUE_FORMAT='JSON');

CREATE TABLE busy_times WITH (KAFKA_TOPIC='datatalks.busy_times') AS
  SELECT PULocationID, COUNT(*) AS rides, MAX(total_amount) AS dearest
  FROM rides
  WINDOW SESSION (5 MINUTES, GRACE PERIOD 1 HOUR)
  GROUP BY PULocationID
  EMIT CHANGES;

SELECT PULocationID, WINDOWSTART, WINDOWEND, rides, dearest
  FROM busy_times EMIT CHANGES LIMIT 6;
