-- Print rides: the topic's records as they are, then the same records as rows with types.
-- Names are matched without regard to case; only the columns that are read are decoded.

PRINT 'datatalkclub.yellow_taxi_ride.json' FROM BEGINNING LIMIT 3;

CREATE STREAM rides (
  vendorId INT,
  passenger_count INT,
  trip_distance DOUBLE,
  PULocationID INT,
  DOLocationID INT,
  payment_type INT,
  total_amount DOUBLE
) WITH (KAFKA_TOPIC='datatalkclub.yellow_taxi_ride.json', VALUE_FORMAT='JSON');

SELECT vendorId, passenger_count, trip_distance, payment_type, total_amount
  FROM rides EMIT CHANGES LIMIT 5;
