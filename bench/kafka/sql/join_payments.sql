-- Rides with their payments, by id, within ten minutes. Both topics have the id as their key.
CREATE STREAM rides (
  ride_id BIGINT KEY,
  tpep_pickup_datetime VARCHAR, tpep_dropoff_datetime VARCHAR, VendorID INT, passenger_count INT,
  trip_distance DOUBLE, RatecodeID INT, store_and_fwd_flag VARCHAR, PULocationID INT,
  DOLocationID INT, payment_type INT, fare_amount DOUBLE, extra DOUBLE, mta_tax DOUBLE,
  tip_amount DOUBLE, tolls_amount DOUBLE, improvement_surcharge DOUBLE, total_amount DOUBLE,
  congestion_surcharge DOUBLE
) WITH (KAFKA_TOPIC = '${rides_with_id}', VALUE_FORMAT = 'JSON',
  TIMESTAMP = 'tpep_pickup_datetime', TIMESTAMP_FORMAT = 'yyyy-MM-dd HH:mm:ss');

CREATE STREAM payments (ride_id BIGINT KEY, paid_at VARCHAR, method VARCHAR, amount DOUBLE)
  WITH (KAFKA_TOPIC = '${payments}', VALUE_FORMAT = 'JSON',
  TIMESTAMP = 'paid_at', TIMESTAMP_FORMAT = 'yyyy-MM-dd HH:mm:ss');

CREATE STREAM paid_rides
  WITH (KAFKA_TOPIC = '${out}', VALUE_FORMAT = 'JSON', PARTITIONS = ${partitions}) AS
  SELECT r.ride_id AS ride_id, r.total_amount AS total_amount, p.amount AS amount
  FROM rides r JOIN payments p WITHIN 10 MINUTES GRACE PERIOD 2 MINUTES ON r.ride_id = p.ride_id
  EMIT CHANGES;
