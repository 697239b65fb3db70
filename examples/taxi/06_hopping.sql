-- What each vendor took in ten minutes, told anew every five minutes: hopping windows overlap, so a
-- ride counts in two of them.

CREATE STREAM rides (
  vendorId INT,
  passenger_count INT,
  trip_distance DOUBLE,
  PULocationID INT,
  DOLocationID INT,
  payment_type INT,
  total_amount DOUBLE
) WITH (KAFKA_TOPIC='datatalkclub.yellow_taxi_ride.json', VALUE_FORMAT='JSON');

CREATE TABLE amount_per_ten_minutes WITH (KAFKA_TOPIC='datatalks.amount_per_ten_minutes') AS
  SELECT vendorId, COUNT(*) AS rides, SUM(total_amount) AS amount, AVG(trip_distance) AS distance
  FROM rides
  WINDOW HOPPING (SIZE 10 MINUTES, ADVANCE BY 5 MINUTES, GRACE PERIOD 1 HOUR)
  GROUP BY vendorId
  EMIT CHANGES;

SELECT vendorId, WINDOWSTART, WINDOWEND, rides, amount, distance
  FROM amount_per_ten_minutes EMIT CHANGES LIMIT 6;
