-- One query of every kind that keeps state. What they keep is written by write_store and opened by
-- every later version: change nothing here, add a file beside it (and a store) for what is new.

CREATE STREAM rides (id INT KEY, zone STRING, seats INT, price DOUBLE, tip DECIMAL(8, 2), day DATE)
  WITH (KAFKA_TOPIC='rides', VALUE_FORMAT='JSON', PARTITIONS=3);
CREATE STREAM orders (id STRING KEY, item STRING) WITH (KAFKA_TOPIC='orders', VALUE_FORMAT='JSON', PARTITIONS=2);
CREATE STREAM payments (id STRING KEY, amount INT)
  WITH (KAFKA_TOPIC='payments', VALUE_FORMAT='JSON', PARTITIONS=2);
CREATE TABLE people (id STRING PRIMARY KEY, city STRING, age INT)
  WITH (KAFKA_TOPIC='people', VALUE_FORMAT='JSON', PARTITIONS=2);
CREATE TABLE cities (id STRING PRIMARY KEY, country STRING, area BIGINT)
  WITH (KAFKA_TOPIC='cities', VALUE_FORMAT='JSON', PARTITIONS=2);
CREATE TABLE mayors (id STRING PRIMARY KEY, name STRING)
  WITH (KAFKA_TOPIC='mayors', VALUE_FORMAT='JSON', PARTITIONS=2);
-- The same topics as text, whose NULL is a record without a value: a deletion.
CREATE STREAM people_gone (id STRING KEY, v STRING) WITH (KAFKA_TOPIC='people', VALUE_FORMAT='KAFKA');
CREATE STREAM cities_gone (id STRING KEY, v STRING) WITH (KAFKA_TOPIC='cities', VALUE_FORMAT='KAFKA');

-- Groups: by a text, by a number and a day, with every kind of a function's state.
CREATE TABLE per_zone AS
  SELECT zone, COUNT(*) AS n, SUM(seats) AS seats, SUM(price) AS price, SUM(tip) AS tip,
         AVG(price) AS mean, MIN(price) AS low, MAX(day) AS last_day, COUNT_DISTINCT(seats) AS kinds,
         EARLIEST_BY_OFFSET(price) AS first_price, LATEST_BY_OFFSET(price, 2) AS last_prices,
         COLLECT_LIST(seats) AS seat_list, COLLECT_SET(seats) AS seat_set, TOPK(price, 2) AS top,
         HISTOGRAM(zone) AS parts, STDDEV_SAMP(price) AS spread
  FROM rides GROUP BY zone;
CREATE TABLE per_seats_and_day WITH (KEY_FORMAT='JSON') AS
  SELECT seats, day, COUNT(*) AS n, MAX(zone) AS last_zone FROM rides GROUP BY seats, day;
CREATE TABLE busy_zones AS SELECT zone, COUNT(*) AS n FROM rides GROUP BY zone HAVING COUNT(*) > 2;
-- By the source's own key: no exchange.
CREATE TABLE per_ride AS SELECT id, COUNT(*) AS n, SUM(tip) AS tip FROM rides GROUP BY id;

-- Windows.
CREATE TABLE per_minute AS
  SELECT zone, COUNT(*) AS n, COLLECT_LIST(id) AS ids
  FROM rides WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 1 HOUR) GROUP BY zone;
CREATE TABLE per_two_minutes AS
  SELECT zone, COUNT(*) AS n, SUM(price) AS price
  FROM rides WINDOW HOPPING (SIZE 2 MINUTES, ADVANCE BY 1 MINUTE, GRACE PERIOD 1 HOUR) GROUP BY zone;
CREATE TABLE per_visit AS
  SELECT zone, COUNT(*) AS n, COLLECT_LIST(id) AS ids
  FROM rides WINDOW SESSION (30 SECONDS, GRACE PERIOD 1 HOUR) GROUP BY zone;
CREATE TABLE minutes_once AS
  SELECT zone, COUNT(*) AS n, SUM(price) AS price
  FROM rides WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 10 SECONDS) GROUP BY zone EMIT FINAL;
CREATE TABLE visits_once AS
  SELECT zone, COUNT(*) AS n
  FROM rides WINDOW SESSION (30 SECONDS, GRACE PERIOD 10 SECONDS) GROUP BY zone EMIT FINAL;

-- Tables: groups of one, a filter, joins by the key and by another column.
CREATE TABLE per_city AS
  SELECT city, COUNT(*) AS n, SUM(age) AS years, AVG(age) AS mean_age, COLLECT_LIST(age) AS ages
  FROM people GROUP BY city;
CREATE TABLE adults AS SELECT id, city, age FROM people WHERE age >= 18;
CREATE TABLE known_cities AS
  SELECT c.id AS id, country, area, name FROM cities c JOIN mayors m ON c.id = m.id;
CREATE TABLE cities_left AS
  SELECT c.id AS id, country, name FROM cities c LEFT JOIN mayors m ON c.id = m.id;
CREATE TABLE cities_full AS
  SELECT ROWKEY AS id, country, name FROM cities c FULL OUTER JOIN mayors m ON c.id = m.id;
CREATE TABLE homes AS
  SELECT p.id AS id, p.age AS age, c.country AS country FROM people p JOIN cities c ON p.city = c.id;
CREATE TABLE homes_left AS
  SELECT p.id AS id, c.country AS country FROM people p LEFT JOIN cities c ON p.city = c.id;
-- Kept for pull queries alone.
CREATE SOURCE TABLE people_kept (id STRING PRIMARY KEY, city STRING, age INT)
  WITH (KAFKA_TOPIC='people', VALUE_FORMAT='JSON');

-- Streams: a stream meets a table, a stream, another partition.
CREATE STREAM order_cities AS
  SELECT o.id AS id, o.item AS item, p.city AS city FROM orders o JOIN people p ON o.id = p.id;
CREATE STREAM order_cities_left AS
  SELECT o.id AS id, o.item AS item, p.city AS city FROM orders o LEFT JOIN people p ON o.id = p.id;
CREATE STREAM paid AS
  SELECT o.id AS id, o.item AS item, p.amount AS amount
  FROM orders o JOIN payments p WITHIN 10 MINUTES ON o.id = p.id;
CREATE STREAM paid_or_not AS
  SELECT o.id AS id, o.item AS item, p.amount AS amount
  FROM orders o LEFT JOIN payments p WITHIN 1 MINUTE GRACE PERIOD 5 SECONDS ON o.id = p.id;
CREATE STREAM paid_both AS
  SELECT ROWKEY AS id, o.item AS item, p.amount AS amount
  FROM orders o FULL OUTER JOIN payments p WITHIN 1 MINUTE GRACE PERIOD 5 SECONDS ON o.id = p.id;
CREATE STREAM ride_pairs AS
  SELECT a.zone AS zone, a.id AS a, o.id AS b
  FROM rides a JOIN orders o WITHIN 1 HOUR ON a.zone = o.item;
CREATE STREAM by_zone AS SELECT zone, id, price FROM rides PARTITION BY zone;
CREATE TABLE per_zone_again AS SELECT zone, COUNT(*) AS n FROM by_zone GROUP BY zone;

BEGIN PIPELINE seats;
CREATE STREAM big_rides AS SELECT id, zone, seats FROM rides WHERE seats > 1;
CREATE TABLE per_big_zone AS SELECT zone, SUM(seats) AS seats FROM big_rides GROUP BY zone;
END PIPELINE;
