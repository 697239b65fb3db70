-- Sessions per pair of zones, some 70,000 keys, from a file. All sessions are kept, to be counted.
CREATE STREAM rides (
  tpep_pickup_datetime VARCHAR, tpep_dropoff_datetime VARCHAR, VendorID INT, passenger_count INT,
  trip_distance DOUBLE, RatecodeID INT, store_and_fwd_flag VARCHAR, PULocationID INT,
  DOLocationID INT, payment_type INT, fare_amount DOUBLE, extra DOUBLE, mta_tax DOUBLE,
  tip_amount DOUBLE, tolls_amount DOUBLE, improvement_surcharge DOUBLE, total_amount DOUBLE,
  congestion_surcharge DOUBLE
) WITH (CONNECTOR = 'file', PATH = '${rides}', VALUE_FORMAT = 'JSON',
  TIMESTAMP = 'tpep_pickup_datetime', TIMESTAMP_FORMAT = 'yyyy-MM-dd HH:mm:ss');

CREATE TABLE sessions_per_pair WITH (KEY_FORMAT = 'JSON') AS
  SELECT PULocationID, DOLocationID, COUNT(*) AS trips, SUM(total_amount) AS total FROM rides
  WINDOW SESSION (${gap}, RETENTION 1000 DAYS) GROUP BY PULocationID, DOLocationID EMIT CHANGES;
