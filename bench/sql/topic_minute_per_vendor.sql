-- One-minute tumbling count and sum per vendor, from a topic of the local store. All windows are kept, to be counted.
CREATE STREAM rides (
  tpep_pickup_datetime VARCHAR, tpep_dropoff_datetime VARCHAR, VendorID INT, passenger_count INT,
  trip_distance DOUBLE, RatecodeID INT, store_and_fwd_flag VARCHAR, PULocationID INT,
  DOLocationID INT, payment_type INT, fare_amount DOUBLE, extra DOUBLE, mta_tax DOUBLE,
  tip_amount DOUBLE, tolls_amount DOUBLE, improvement_surcharge DOUBLE, total_amount DOUBLE,
  congestion_surcharge DOUBLE
) WITH (KAFKA_TOPIC = '${topic_name}', VALUE_FORMAT = 'JSON',
  TIMESTAMP = 'tpep_pickup_datetime', TIMESTAMP_FORMAT = 'yyyy-MM-dd HH:mm:ss');

CREATE TABLE vendor_minutes AS
  SELECT VendorID, COUNT(*) AS trips, SUM(total_amount) AS total FROM rides
  WINDOW TUMBLING (SIZE 1 MINUTE, RETENTION 1000 DAYS) GROUP BY VendorID EMIT CHANGES;
