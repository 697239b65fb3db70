-- A count for each ride: as many keys as there are rides, all of them state.
CREATE STREAM rides (ride_id BIGINT, VendorID INT)
  WITH (KAFKA_TOPIC = '${rides_with_id}', VALUE_FORMAT = 'JSON');

CREATE TABLE rides_per_id WITH (KAFKA_TOPIC = '${out}', PARTITIONS = ${partitions}) AS
  SELECT ride_id, COUNT(*) AS rides FROM rides GROUP BY ride_id EMIT CHANGES;
