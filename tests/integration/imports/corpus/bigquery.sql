--! Exposures | assignment | exact
SELECT user_id, experiment_id, group_id, exposed_at FROM `acme-prod.marts.fct_exposures`
--! Exposures, dashed | assignment | exact
select user_id, experiment_id, group_id, exposed_at from acme-prod.marts.fct_exposures where platform != 'test'
--! Exposures, parts | assignment | exact | {"tags": ["core", "web"], "isReadOnly": true}
SELECT * FROM `acme-prod`.`marts`.`fct_exposures`
WHERE DATE(exposed_at) BETWEEN {statsig_start_date} AND {statsig_end_date}
--! Exposures, dataset | assignment | exact
SELECT user_id, experiment_id, group_id, group_name, exposed_at FROM marts.fct_exposures
WHERE exposed_on BETWEEN {statsig_start_date} AND {statsig_end_date}
--! Orders | metric | exact
SELECT user_id, ordered_at, amount FROM `acme-prod.marts.fct_orders`
WHERE ordered_on BETWEEN DATE({statsig_start_date}) AND DATE({statsig_end_date})
--! Orders by CAST | metric | exact
SELECT user_id, ordered_at, amount FROM `acme-prod.marts.fct_orders`
WHERE CAST(ordered_at AS DATE) >= {statsig_start_date} AND CAST(ordered_at AS DATE) <= {statsig_end_date}
--! Orders by day key | metric | exact
SELECT user_id, ordered_at, amount FROM `acme-prod.marts.fct_orders`
WHERE day_key >= {statsig_start_date_int} AND day_key <= {statsig_end_date_int} AND status = "paid"
--! Orders by TIMESTAMP_TRUNC | metric | exact
SELECT user_id, ordered_at, amount FROM `acme-prod.marts.fct_orders`
WHERE TIMESTAMP_TRUNC(ordered_at, DAY) >= TIMESTAMP({statsig_start_date})
--! Orders, all | metric | exact | {"timestampAsDay": true, "disableCURE": true}
SELECT * FROM `acme-prod.marts.fct_orders`
--! Orders, backticks | metric | exact
SELECT `user_id`, `ordered_at`, `amount` FROM `acme-prod.marts.fct_orders` AS o WHERE o.`status` = 'paid'
--! Orders, brackets | metric | exact
SELECT user_id, ordered_at FROM `acme-prod.marts.fct_orders` WHERE (status = 'paid')
--! Orders, semicolon | metric | exact
SELECT user_id, ordered_at FROM `acme-prod.marts.fct_orders`;
--! Orders, distinct | metric | sql
SELECT DISTINCT user_id, ordered_at FROM `acme-prod.marts.fct_orders`
--! Orders, except | metric | sql
SELECT * EXCEPT (email) FROM `acme-prod.marts.fct_orders`
--! Orders, a CTE | metric | sql
WITH paid AS (SELECT * FROM `acme-prod.marts.fct_orders` WHERE status = 'paid') SELECT user_id, ordered_at FROM paid
--! Orders and payments | metric | sql
SELECT user_id, ordered_at FROM `acme-prod.marts.fct_orders`
UNION ALL SELECT user_id, paid_at AS ordered_at FROM `acme-prod.raw.payments`
--! Payments | metric | exact | {"timestampColumn": "paid_at"}
SELECT user_id, paid_at, cents FROM `acme-prod.raw.payments`
--! Users | entity | exact
SELECT user_id, country, plan FROM `acme-prod.marts.dim_users`
--! Users of plans | entity | exact | {"timestampColumn": "updated_at"}
SELECT user_id, plan, updated_at FROM `acme-prod.marts.dim_users` WHERE plan IS NOT NULL
--! Checkout | event | exact
SELECT user_id, event_ts FROM `acme-prod.marts.fct_events` WHERE event_name LIKE 'checkout%'
--! Events table | event | exact | {"sourceType": "table", "tableName": "acme-prod.marts.fct_events", "datePartitionColumn": "event_date"}
--! Orders table | metric | exact | {"sourceType": "table", "tableName": "`acme-prod.marts.fct_orders`"}
--! Another case | metric | not_imported
SELECT user_id, ordered_at FROM `acme-prod.marts.FCT_ORDERS`
--! Jinja | metric | not_imported
SELECT user_id, ordered_at FROM {{ ref('fct_orders') }}
