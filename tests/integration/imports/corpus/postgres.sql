--! Exposures | assignment | exact
SELECT user_id, experiment_id, group_id, exposed_at FROM marts.fct_exposures
--! Exposures, upper | assignment | exact
SELECT USER_ID, EXPERIMENT_ID, GROUP_ID, EXPOSED_AT FROM MARTS.FCT_EXPOSURES WHERE EXPOSED_ON BETWEEN {statsig_start_date} AND {statsig_end_date}
--! Exposures, full | assignment | exact | {"scheduledReloadHour": 0, "isVerified": true}
SELECT "user_id", "experiment_id", "group_id", "exposed_at" FROM "prod"."marts"."fct_exposures" WHERE "platform" = 'web'
--! Exposures, date() | assignment | exact
SELECT user_id, experiment_id, group_id, exposed_at FROM marts.fct_exposures WHERE date(exposed_at) BETWEEN {statsig_start_date} AND {statsig_end_date}
--! Orders | metric | exact
SELECT user_id, ordered_at, amount FROM marts.fct_orders WHERE ordered_on BETWEEN {statsig_start_date} AND {statsig_end_date}
--! Orders, casts | metric | exact
SELECT user_id, ordered_at, amount FROM marts.fct_orders
WHERE ordered_at::date >= {statsig_start_date}::date AND ordered_at::date <= {statsig_end_date}::date
--! Orders, brackets | metric | exact
SELECT user_id, ordered_at FROM marts.fct_orders
WHERE ((status = 'paid') AND (ordered_on BETWEEN {statsig_start_date} AND {statsig_end_date}))
--! Orders by day key | metric | exact
SELECT user_id, ordered_at FROM marts.fct_orders WHERE day_key BETWEEN {statsig_start_date_int} AND {statsig_end_date_int}
--! Orders, JSON | metric | exact
SELECT user_id, ordered_at FROM marts.fct_orders WHERE status::jsonb ->> 'state' = 'paid'
--! Orders, quoted columns | metric | exact
SELECT "user_id", "ordered_at", "amount" FROM marts.fct_orders WHERE "amount" >= 100
--! Orders, dollar quotes | metric | exact
SELECT user_id, ordered_at FROM marts.fct_orders WHERE status <> $$it's$$
--! Orders, a day as text | metric | exact
SELECT user_id, ordered_at FROM marts.fct_orders WHERE ds >= {statsig_start_date} AND ds <= {statsig_end_date}
--! Orders, DISTINCT ON | metric | sql
SELECT DISTINCT ON (user_id) user_id, ordered_at FROM marts.fct_orders ORDER BY user_id, ordered_at
--! Orders, LATERAL | metric | sql
SELECT o.user_id, o.ordered_at, x.n FROM marts.fct_orders o, LATERAL (SELECT 1 AS n) x
--! Orders of users | metric | sql
SELECT o.user_id, o.ordered_at, u.plan FROM marts.fct_orders o, marts.dim_users u WHERE u.user_id = o.user_id
--! Orders, a cast | metric | sql
SELECT user_id::text, ordered_at FROM marts.fct_orders
--! Equally | metric | not_imported | {"timestampColumn": "t", "idTypeMapping": [{"statsigUnitID": "userID", "column": "u"}]}
SELECT o.order_id || u.country AS u, now() AS t FROM marts.fct_orders o, marts.dim_users u
--! Users | entity | exact
SELECT user_id, country, plan FROM marts.dim_users
--! Users, new description | entity | exact | {"description": "Customers, as the shop knows them.", "isReadOnly": true}
SELECT user_id, plan FROM marts.dim_users
--! Checkout | event | exact
SELECT user_id, event_ts FROM marts.fct_events WHERE event_name = 'checkout'
--! Events table | event | exact | {"sourceType": "table", "tableName": "prod.marts.fct_events"}
--! Events table, upper | event | exact | {"sourceType": "table", "tableName": "MARTS.FCT_EVENTS"}
--! Quoted upper | metric | not_imported
SELECT "USER_ID", ordered_at FROM "MARTS"."FCT_ORDERS"
