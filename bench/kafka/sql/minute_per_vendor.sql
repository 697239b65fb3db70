-- One-minute tumbling count and sum per vendor.
CREATE STREAM rides (
  tpep_pickup_datetime VARCHAR, tpep_dropoff_datetime VARCHAR, VendorID INT, passenger_count INT,
  trip_distance DOUBLE, RatecodeID INT, store_and_fwd_flag VARCHAR, PULocationID INT,
  DOLocationID INT, payment_type INT, fare_amount DOUBLE, extra DOUBLE, mta_tax DOUBLE,
  tip_amount DOUBLE, tolls_amount DOUBLE, improvement_surcharge DOUBLE, total_amount DOUBLE,
  congestion_surcharge DOUBLE
) WITH (KAFKA_TOPIC = '${rides}', VALUE_FORMAT = 'JSON',
  TIMESTAMP = 'tpep_pickup_datetime', TIMESTAMP_FORMAT = 'yyyy-MM-dd HH:mm:ss');

CREATE TABLE vendor_minutes WITH (KAFKA_TOPIC = '${out}', PARTITIONS = ${partitions}) AS
  SELECT VendorID, COUNT(*) AS trips, SUM(total_amount) AS total FROM rides
  WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY VendorID EMIT CHANGES;
