-- The ksqlDB lesson of the same course: the vendor's number is read as text, names are matched
-- without regard to case, and sessions end after a minute without rides.

CREATE STREAM ride_streams (
  VendorId VARCHAR,
  trip_distance DOUBLE,
  payment_type VARCHAR
) WITH (KAFKA_TOPIC='datatalkclub.yellow_taxi_ride.json', VALUE_FORMAT='JSON');

SELECT * FROM RIDE_STREAMS EMIT CHANGES LIMIT 3;

SELECT VENDORID, COUNT(*) AS rides FROM ride_streams
  GROUP BY VENDORID EMIT CHANGES LIMIT 4;

SELECT payment_type, COUNT(*) AS rides FROM ride_streams
  WHERE payment_type IN ('1', '2')
  GROUP BY payment_type EMIT CHANGES LIMIT 4;

CREATE TABLE payment_type_sessions WITH (KAFKA_TOPIC='datatalks.payment_type_sessions') AS
  SELECT payment_type, COUNT(*) AS rides FROM ride_streams
  WINDOW SESSION (60 SECONDS)
  GROUP BY payment_type
  EMIT CHANGES;

SELECT payment_type, WINDOWSTART, WINDOWEND, rides
  FROM payment_type_sessions EMIT CHANGES LIMIT 6;
