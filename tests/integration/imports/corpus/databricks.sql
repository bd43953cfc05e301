--! Exposures | assignment | exact
SELECT user_id, experiment_id, group_id, exposed_at FROM main.marts.fct_exposures
--! Exposures, backticks | assignment | exact
SELECT `user_id`, `experiment_id`, `group_id`, `exposed_at` FROM `main`.`marts`.`fct_exposures` WHERE `platform` = 'web'
--! Exposures, upper | assignment | exact | {"description": ""}
SELECT USER_ID, EXPERIMENT_ID, GROUP_ID, EXPOSED_AT FROM MAIN.MARTS.FCT_EXPOSURES
--! Exposures, schema | assignment | exact
SELECT * FROM marts.fct_exposures WHERE exposed_on >= {statsig_start_date} AND exposed_on <= {statsig_end_date}
--! Orders | metric | exact
SELECT user_id, ordered_at, amount FROM main.marts.fct_orders
WHERE DATE(ordered_at) BETWEEN {statsig_start_date} AND {statsig_end_date}
--! Orders by to_date | metric | exact
SELECT user_id, ordered_at, amount FROM main.marts.fct_orders
WHERE to_date(ordered_at) BETWEEN {statsig_start_date} AND {statsig_end_date} AND amount BETWEEN 1 AND 9999
--! Orders by day | metric | exact
SELECT user_id, ordered_at, amount FROM main.marts.fct_orders
WHERE {statsig_start_date} <= ordered_on AND {statsig_end_date} >= ordered_on
--! Orders by date_trunc | metric | exact
SELECT user_id, ordered_at FROM main.marts.fct_orders WHERE date_trunc('DAY', ordered_at) >= {statsig_start_date}
--! Orders by day key | metric | exact
SELECT user_id, ordered_at FROM main.marts.fct_orders
WHERE day_key BETWEEN {statsig_start_date_int} AND {statsig_end_date_int}
--! Orders by a day as text | metric | exact
SELECT user_id, ordered_at FROM main.marts.fct_orders WHERE ds BETWEEN {statsig_start_date} AND {statsig_end_date}
--! Orders by a text cast | metric | exact
SELECT user_id, ordered_at FROM main.marts.fct_orders
WHERE CAST(ds AS DATE) BETWEEN {statsig_start_date} AND {statsig_end_date}
--! Orders, CASE | metric | exact
SELECT user_id, ordered_at FROM main.marts.fct_orders
WHERE CASE WHEN status = 'paid' AND amount > 0 THEN true ELSE false END
  AND ordered_on BETWEEN {statsig_start_date} AND {statsig_end_date}
--! Orders, two filters | metric | exact
SELECT user_id, ordered_at FROM main.marts.fct_orders
WHERE ordered_on BETWEEN {statsig_start_date} AND {statsig_end_date}
  AND day_key BETWEEN {statsig_start_date_int} AND {statsig_end_date_int}
--! Orders, limited | metric | sql
SELECT user_id, ordered_at FROM main.marts.fct_orders LIMIT 1000
--! Orders, grouped | metric | sql
SELECT user_id, max(ordered_at) AS ordered_at FROM main.marts.fct_orders GROUP BY user_id
--! Orders, sampled | metric | sql
SELECT user_id, ordered_at FROM main.marts.fct_orders TABLESAMPLE (10 PERCENT)
--! Orders of users | metric | sql
SELECT user_id, ordered_at FROM main.marts.fct_orders WHERE user_id IN (SELECT user_id FROM main.marts.dim_users)
--! Users | entity | exact
SELECT user_id, country, plan, updated_at FROM main.marts.dim_users
--! Checkout | event | exact | {"isVerified": true, "tags": ["funnel"]}
SELECT user_id, event_ts, event_name FROM main.marts.fct_events WHERE event_name = 'checkout'
--! Events | event | exact | {"sourceType": "table", "tableName": "main.marts.fct_events"}
--! Two sources | metric | not_imported
SELECT user_id, ordered_at FROM main.raw.twin
--! A package's | metric | not_imported
SELECT user_id, event_ts AS ordered_at FROM main.tracking.pkg_events
--! No schema | metric | not_imported
SELECT user_id, ordered_at FROM fct_orders
