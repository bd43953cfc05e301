--! Exposures | assignment | exact
SELECT user_id, experiment_id, group_id, exposed_at
FROM analytics.marts.fct_exposures
--! Exposures of the web | assignment | exact | {"groupNameColumn": "GROUP_NAME", "tags": ["web"], "scheduledReloadHour": 4}
select user_id, experiment_id, group_id, group_name, exposed_at
from ANALYTICS.MARTS.FCT_EXPOSURES
where platform = 'web'
  and exposed_on between {statsig_start_date} and {statsig_end_date}
--! Exposures, quoted | assignment | exact | {"description": "Exposures of all platforms.\nAsk data@example.com."}
SELECT "USER_ID", "EXPERIMENT_ID", "GROUP_ID", "EXPOSED_AT" FROM "ANALYTICS"."MARTS"."FCT_EXPOSURES"
--! All columns | metric | exact | {"isVerified": true}
SELECT * FROM marts.fct_orders
--! Orders by a cast | metric | exact
SELECT user_id, ordered_at, amount FROM analytics.marts.fct_orders
WHERE ordered_at::DATE BETWEEN {statsig_start_date} AND {statsig_end_date}
--! Orders by TO_DATE | metric | exact
SELECT user_id, ordered_at, amount FROM analytics.marts.fct_orders
WHERE TO_DATE(ordered_at) >= {statsig_start_date} AND TO_DATE(ordered_at) <= {statsig_end_date}
--! Orders by CAST | metric | exact
SELECT user_id, ordered_at, amount FROM analytics.marts.fct_orders
WHERE CAST(ordered_at AS DATE) BETWEEN {statsig_start_date} AND {statsig_end_date} AND status IN ('paid', 'sent')
--! Orders by a bare timestamp | metric | exact
SELECT user_id, ordered_at, amount FROM analytics.marts.fct_orders
WHERE ordered_at >= {statsig_start_date} AND ordered_at <= {statsig_end_date}
--! Orders by day key | metric | exact
SELECT user_id, ordered_at, amount FROM analytics.marts.fct_orders
WHERE day_key BETWEEN {statsig_start_date_int} AND {statsig_end_date_int}
--! Orders, half open | metric | exact
SELECT user_id, ordered_at FROM analytics.marts.fct_orders o
WHERE o.ordered_on >= {statsig_start_date} AND o.ordered_on < {statsig_end_date} AND o.amount > 0
--! Orders, this or that | metric | exact | {"customFieldMapping": [{"key": "euros", "formula": "amount / 100"}]}
SELECT user_id, ordered_at, amount FROM analytics.marts.fct_orders
WHERE status = 'paid' OR (status = 'sent' AND amount > 0)
--! Orders with a comment | metric | exact
SELECT user_id, ordered_at, amount -- in cents
FROM analytics.marts.fct_orders /* since 2023 */
WHERE status = 'paid' -- no carts
--! Aliases of the same name | metric | exact
SELECT o.user_id AS user_id, o.ordered_at AS ordered_at, o.amount FROM analytics.marts.fct_orders AS o
--! Orders, renamed | metric | sql
SELECT user_id, ordered_at, amount AS revenue FROM analytics.marts.fct_orders
--! Orders, computed | metric | sql
SELECT user_id, ordered_at, amount / 100 AS euros FROM analytics.marts.fct_orders
--! Latest orders | metric | sql
SELECT user_id, ordered_at, amount FROM analytics.marts.fct_orders
QUALIFY ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY ordered_at DESC) = 1
--! Orders of countries | metric | sql
SELECT o.user_id, o.ordered_at, u.country
FROM analytics.marts.fct_orders o JOIN analytics.marts.dim_users u ON u.user_id = o.user_id
--! Users | entity | exact | {"description": "One row per customer."}
SELECT user_id, country, plan FROM analytics.marts.dim_users
--! Users over time | entity | exact | {"timestampColumn": "UPDATED_AT", "timestampAsDay": true}
SELECT user_id, country, plan, updated_at FROM analytics.marts.dim_users
--! Checkout opened | event | exact
SELECT user_id, event_ts FROM analytics.marts.fct_events WHERE event_name = 'checkout'
--! Events table | metric | exact | {"sourceType": "table", "tableName": "ANALYTICS.MARTS.FCT_EVENTS", "timestampColumn": "EVENT_TS", "datePartitionColumn": "EVENT_DATE"}
--! Events table, short | event | exact | {"sourceType": "table", "tableName": "marts.fct_events"}
--! Lower case mapping | metric | changes | {"timestampColumn": "ordered_at"}
SELECT user_id, ordered_at FROM analytics.marts.fct_orders
--! Unknown table | metric | not_imported
SELECT user_id, ordered_at FROM legacy.public.orders
