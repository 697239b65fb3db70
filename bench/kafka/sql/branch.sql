-- All rides into two topics by their amount: one read, one decode.
CREATE STREAM rides (
  tpep_pickup_datetime VARCHAR, tpep_dropoff_datetime VARCHAR, VendorID INT, passenger_count INT,
  trip_distance DOUBLE, RatecodeID INT, store_and_fwd_flag VARCHAR, PULocationID INT,
  DOLocationID INT, payment_type INT, fare_amount DOUBLE, extra DOUBLE, mta_tax DOUBLE,
  tip_amount DOUBLE, tolls_amount DOUBLE, improvement_surcharge DOUBLE, total_amount DOUBLE,
  congestion_surcharge DOUBLE
) WITH (KAFKA_TOPIC = '${rides}', VALUE_FORMAT = 'JSON');

BEGIN PIPELINE branch;
CREATE STREAM high_amount
  WITH (KAFKA_TOPIC = '${out}-high', VALUE_FORMAT = 'JSON', PARTITIONS = ${partitions}) AS
  SELECT * FROM rides WHERE total_amount >= 40 EMIT CHANGES;
CREATE STREAM low_amount
  WITH (KAFKA_TOPIC = '${out}-low', VALUE_FORMAT = 'JSON', PARTITIONS = ${partitions}) AS
  SELECT * FROM rides WHERE total_amount < 40 EMIT CHANGES;
END PIPELINE;
