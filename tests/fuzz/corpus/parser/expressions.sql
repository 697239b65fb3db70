SELECT a + b * -c % 2 || 'x' || CAST(d AS STRING), NOT a AND b OR c, x BETWEEN 1 AND 2, y NOT IN (1, 2.5, 1e3, .5), z LIKE 'a%' ESCAPE '!', z IS NOT NULL, a IS DISTINCT FROM b FROM s;
SELECT CASE a WHEN 1 THEN 'x' ELSE 'y' END, CASE WHEN a > 1 THEN b WHEN c THEN d END, arr[1], m['k'], s->f->g[-1], t.c, "Quoted ""x""", `back``tick`, 1st, größe FROM s;
SELECT REDUCE(arr, 0, (acc, x) => acc + x), TRANSFORM(m, (k, v) => UCASE(k), (k, v) => v * 2), FILTER(arr, x => x > 1), DATEADD(DAYS, 1, d), DATEADD(DAY, 1, d), ts AT TIME ZONE 'UTC', DATE '2020-01-01' FROM s;
SELECT -9223372036854775808, - -1, -(-1), +a, a - -1, COUNT(DISTINCT b), 'it''s' /* comment */ -- line
FROM s;
