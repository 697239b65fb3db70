-- Count rides per vendor: grouping by a value column repartitions the stream, and the counts are a
-- table whose changelog is the topic datatalks.rides_per_vendor.

CREATE STREAM rides (
  vendorId INT,
  passenger_count INT,
  trip_distance DOUBLE,
  PULocationID INT,
  DOLocationID INT,
  payment_type INT,
  total_amount DOUBLE
) WITH (KAFKA_TOPIC='datatalkclub.yellow_taxi_ride.json', VALUE_FORMAT='JSON');

CREATE TABLE rides_per_vendor WITH (KAFKA_TOPIC='datatalks.rides_per_vendor') AS
  SELECT vendorId, COUNT(*) AS rides, SUM(total_amount) AS amount
  FROM rides
  GROUP BY vendorId
  EMIT CHANGES;

SELECT * FROM rides_per_vendor;
