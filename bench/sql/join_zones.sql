-- Rides with the zone they began in, three columns out to a topic.
CREATE STREAM rides (
  tpep_pickup_datetime VARCHAR, tpep_dropoff_datetime VARCHAR, VendorID INT, passenger_count INT,
  trip_distance DOUBLE, RatecodeID INT, store_and_fwd_flag VARCHAR, PULocationID INT,
  DOLocationID INT, payment_type INT, fare_amount DOUBLE, extra DOUBLE, mta_tax DOUBLE,
  tip_amount DOUBLE, tolls_amount DOUBLE, improvement_surcharge DOUBLE, total_amount DOUBLE,
  congestion_surcharge DOUBLE
) WITH (CONNECTOR = 'file', PATH = '${rides}', VALUE_FORMAT = 'JSON');

CREATE TABLE zones (locationid INT PRIMARY KEY, borough VARCHAR, zone VARCHAR, service_zone VARCHAR)
  WITH (KAFKA_TOPIC = 'zones', KEY_FORMAT = 'KAFKA', VALUE_FORMAT = 'JSON');

CREATE STREAM ride_zones WITH (VALUE_FORMAT = 'JSON') AS
  SELECT r.PULocationID AS zone_id, r.tpep_pickup_datetime AS pickup, z.zone AS zone,
    r.total_amount AS total_amount
  FROM rides r JOIN zones z ON r.PULocationID = z.locationid EMIT CHANGES;
