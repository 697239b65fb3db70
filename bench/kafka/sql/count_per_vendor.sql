-- Rides per vendor.
CREATE STREAM rides (
  tpep_pickup_datetime VARCHAR, tpep_dropoff_datetime VARCHAR, VendorID INT, passenger_count INT,
  trip_distance DOUBLE, RatecodeID INT, store_and_fwd_flag VARCHAR, PULocationID INT,
  DOLocationID INT, payment_type INT, fare_amount DOUBLE, extra DOUBLE, mta_tax DOUBLE,
  tip_amount DOUBLE, tolls_amount DOUBLE, improvement_surcharge DOUBLE, total_amount DOUBLE,
  congestion_surcharge DOUBLE
) WITH (KAFKA_TOPIC = '${rides}', VALUE_FORMAT = 'JSON');

CREATE TABLE trips_per_vendor WITH (KAFKA_TOPIC = '${out}', PARTITIONS = ${partitions}) AS
  SELECT VendorID, COUNT(*) AS trips FROM rides GROUP BY VendorID EMIT CHANGES;
