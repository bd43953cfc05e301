--! Exposures | assignment | exact
SELECT user_id, experiment_id, group_id, exposed_at FROM awsdatacatalog.marts.fct_exposures
--! Exposures, database | assignment | exact
SELECT user_id, experiment_id, group_id, exposed_at FROM marts.fct_exposures
WHERE date(exposed_at) BETWEEN {statsig_start_date} AND {statsig_end_date}
--! Exposures, quoted | assignment | exact
SELECT * FROM "awsdatacatalog"."marts"."fct_exposures" WHERE platform = 'web'
--! Exposures, date literals | assignment | exact
SELECT user_id, experiment_id, group_id, exposed_at FROM marts.fct_exposures
WHERE exposed_on BETWEEN DATE({statsig_start_date}) AND DATE({statsig_end_date})
--! Orders | metric | exact
SELECT user_id, ordered_at, amount FROM marts.fct_orders
WHERE ordered_on >= {statsig_start_date} AND ordered_on <= {statsig_end_date} AND amount > 0
--! Orders by CAST | metric | exact
SELECT user_id, ordered_at, amount FROM marts.fct_orders
WHERE cast(ordered_at as date) BETWEEN {statsig_start_date} AND {statsig_end_date}
--! Orders by date_parse | metric | exact
SELECT user_id, ordered_at FROM marts.fct_orders
WHERE date_parse(ds, '%Y-%m-%d') BETWEEN {statsig_start_date} AND {statsig_end_date}
--! Orders by a text | metric | exact
SELECT user_id, ordered_at FROM marts.fct_orders WHERE ds BETWEEN {statsig_start_date} AND {statsig_end_date}
--! Orders by day key | metric | exact
SELECT user_id, ordered_at FROM marts.fct_orders
WHERE day_key >= {statsig_start_date_int} AND day_key <= {statsig_end_date_int}
--! Orders, quoted | metric | exact
SELECT "user_id", "ordered_at" FROM "marts"."fct_orders" WHERE "status" = 'paid'
--! Orders, lambda | metric | exact
SELECT user_id, ordered_at FROM marts.fct_orders WHERE any_match(split(status, ','), x -> x = 'paid')
--! Orders, comment | metric | exact
-- the finance team's orders
SELECT user_id, ordered_at FROM marts.fct_orders /* all */ WHERE status = 'paid'
--! Orders, values | metric | sql
SELECT user_id, ordered_at, 'EUR' AS currency FROM marts.fct_orders
--! Orders, cast | metric | sql
SELECT CAST(user_id AS varchar) AS user_id, ordered_at FROM marts.fct_orders
--! Orders, intersect | metric | sql
SELECT user_id, ordered_at FROM marts.fct_orders INTERSECT SELECT user_id, updated_at FROM marts.dim_users
--! Orders, unnest | metric | sql
SELECT user_id, ordered_at, tag FROM marts.fct_orders CROSS JOIN UNNEST(split(status, ',')) AS t (tag)
--! Users | entity | exact
SELECT user_id, country, plan FROM marts.dim_users
--! Users, upper | entity | exact | {"timestampColumn": "updated_at"}
SELECT USER_ID, COUNTRY, UPDATED_AT FROM MARTS.DIM_USERS
--! Checkout | event | exact
SELECT user_id, event_ts FROM marts.fct_events WHERE event_name IN ('checkout', 'basket')
--! Events table | event | exact | {"sourceType": "table", "tableName": "awsdatacatalog.marts.fct_events"}
--! Partition column | event | exact | {"sourceType": "table", "tableName": "marts.fct_events", "datePartitionColumn": "event_date"}
--! Nothing read | metric | not_imported
SELECT 'u' AS user_id, current_timestamp AS ordered_at
--! No macro | metric | not_imported
SELECT user_id, ordered_at FROM marts.fct_orders WHERE ordered_on >= {statsig_first_date}
