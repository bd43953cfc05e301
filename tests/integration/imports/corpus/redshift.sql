--! Exposures | assignment | exact
SELECT user_id, experiment_id, group_id, exposed_at FROM marts.fct_exposures
--! Exposures, full | assignment | exact
SELECT user_id, experiment_id, group_id, exposed_at FROM prod.marts.fct_exposures
WHERE exposed_at::date BETWEEN {statsig_start_date} AND {statsig_end_date}
--! Exposures, quoted | assignment | exact
SELECT "user_id", "experiment_id", "group_id", "exposed_at" FROM "prod"."marts"."fct_exposures"
--! Exposures, upper | assignment | exact | {"groupNameColumn": "group_name"}
SELECT USER_ID, EXPERIMENT_ID, GROUP_ID, GROUP_NAME, EXPOSED_AT FROM MARTS.FCT_EXPOSURES WHERE PLATFORM = 'ios'
--! Orders | metric | exact
SELECT user_id, ordered_at, amount FROM marts.fct_orders
WHERE ordered_on BETWEEN {statsig_start_date}::date AND {statsig_end_date}::date
--! Orders by CAST | metric | exact
SELECT user_id, ordered_at, amount FROM marts.fct_orders
WHERE CAST(ordered_at AS DATE) >= CAST({statsig_start_date} AS DATE)
  AND CAST(ordered_at AS DATE) <= CAST({statsig_end_date} AS DATE)
--! Orders by TRUNC | metric | exact
SELECT user_id, ordered_at FROM marts.fct_orders WHERE TRUNC(ordered_at) BETWEEN {statsig_start_date} AND {statsig_end_date}
--! Orders by day key | metric | exact
SELECT user_id, ordered_at FROM marts.fct_orders
WHERE day_key BETWEEN {statsig_start_date_int} AND {statsig_end_date_int} AND status <> 'cart'
--! Orders, table's name | metric | exact
SELECT fct_orders.user_id, fct_orders.ordered_at FROM marts.fct_orders WHERE fct_orders.status = 'paid'
--! Orders, NOT | metric | exact
SELECT user_id, ordered_at FROM marts.fct_orders WHERE NOT (status = 'cart' OR amount = 0)
--! Orders, strings | metric | exact
SELECT user_id, ordered_at FROM marts.fct_orders WHERE status = 'o''brien AND co' AND amount > 0
--! Orders, formulas | metric | exact | {"customFieldMapping": [{"key": "euros", "formula": "amount / 100.0"}, {"key": "is_big", "formula": "amount > 10000"}]}
SELECT user_id, ordered_at, amount FROM marts.fct_orders
--! Orders, a window | metric | sql
SELECT user_id, ordered_at, row_number() OVER (PARTITION BY user_id ORDER BY ordered_at) AS nth FROM marts.fct_orders
--! Orders, sorted | metric | sql
SELECT user_id, ordered_at FROM marts.fct_orders ORDER BY ordered_at
--! Orders, joined | metric | sql
SELECT o.user_id, o.ordered_at, p.cents FROM marts.fct_orders o LEFT JOIN raw.payments p USING (order_id)
--! Orders, unknown join | metric | sql
SELECT o.user_id, o.ordered_at, c.rate FROM marts.fct_orders o JOIN finance.rates c ON c.day = o.ordered_on
--! Users | entity | exact | {"isReadOnly": true}
SELECT user_id, country FROM marts.dim_users
--! Users, no plan | entity | exact
SELECT * FROM marts.dim_users WHERE plan IS NULL
--! Checkout | event | exact
SELECT user_id, event_ts FROM marts.fct_events WHERE event_name = 'checkout' AND event_date BETWEEN {statsig_start_date} AND {statsig_end_date}
--! Events table | event | exact | {"sourceType": "table", "tableName": "marts.fct_events", "timestampAsDay": true}
--! Misspelled column | metric | changes
SELECT user_idd, ordered_at FROM marts.fct_orders
--! Not SQL | metric | not_imported
SELECT user_id, ordered_at FROM marts.fct_orders WHERE (status = 'paid'
--! Two statements | metric | not_imported
SELECT user_id, ordered_at FROM marts.fct_orders; DROP TABLE x
