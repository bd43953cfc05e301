--! Exposures | assignment | exact
SELECT user_id, experiment_id, group_id, exposed_at FROM prod.marts.fct_exposures
--! Exposures, schema | assignment | exact
FROM marts.fct_exposures SELECT user_id, experiment_id, group_id, exposed_at
--! Exposures, filter | assignment | exact
SELECT user_id, experiment_id, group_id, exposed_at FROM marts.fct_exposures
WHERE exposed_at::DATE >= {statsig_start_date} AND exposed_at::DATE <= {statsig_end_date} AND platform = 'web'
--! Exposures, upper | assignment | exact
SELECT User_Id, Experiment_Id, Group_Id, Exposed_At FROM Marts.Fct_Exposures
--! Orders | metric | exact
SELECT user_id, ordered_at, amount FROM marts.fct_orders WHERE ordered_on BETWEEN {statsig_start_date} AND {statsig_end_date}
--! Orders by CAST | metric | exact
SELECT user_id, ordered_at, amount FROM marts.fct_orders
WHERE CAST(ordered_at AS DATE) BETWEEN {statsig_start_date} AND {statsig_end_date}
--! Orders by strftime | metric | exact
SELECT user_id, ordered_at FROM marts.fct_orders
WHERE strftime(ordered_at, '%Y%m%d')::int BETWEEN {statsig_start_date_int} AND {statsig_end_date_int}
--! Orders by day key | metric | exact
SELECT user_id, ordered_at FROM marts.fct_orders
WHERE day_key BETWEEN {statsig_start_date_int} AND {statsig_end_date_int}
--! Orders, star of an alias | metric | exact
SELECT o.* FROM marts.fct_orders o WHERE o.status = 'paid' AND o.amount > 0
--! Orders, quoted alias | metric | exact
SELECT "o"."user_id", "o"."ordered_at" FROM marts.fct_orders AS "o" WHERE "o"."amount" > 10
--! Orders, one column | metric | exact | {"idTypeMapping": [{"statsigUnitID": "userID", "column": "user_id"}, {"statsigUnitID": "companyID", "column": "email"}]}
SELECT user_id, ordered_at, email FROM marts.fct_orders
--! Orders, regexp | metric | exact
SELECT user_id, ordered_at FROM marts.fct_orders WHERE regexp_matches(email, '^[a-z]+@example\.com$')
--! Orders, exclude | metric | sql
SELECT * EXCLUDE (email) FROM marts.fct_orders
--! Orders, columns | metric | sql
SELECT user_id, ordered_at, upper(status) AS status FROM marts.fct_orders
--! Orders, a view of a view | metric | sql
SELECT user_id, ordered_at FROM (SELECT * FROM marts.fct_orders WHERE amount > 0)
--! Orders, a CTE of payments | metric | sql
WITH paid AS (SELECT order_id FROM raw.payments)
SELECT o.user_id, o.ordered_at FROM marts.fct_orders o JOIN paid ON paid.order_id = o.order_id
--! Orders of a file | metric | not_imported
SELECT user_id, ordered_at FROM 'orders.parquet'
--! Users | entity | exact
SELECT user_id, country, plan FROM marts.dim_users
--! Users, all | entity | exact | {"tags": ["users", "users-eu"]}
SELECT * FROM marts.dim_users WHERE country IN ('DE', 'AT', 'CH')
--! Checkout | event | exact
SELECT user_id, event_ts, device_id FROM marts.fct_events WHERE event_name = 'checkout'
--! Events table | event | exact | {"sourceType": "table", "tableName": "prod.marts.fct_events", "customFieldMapping": [{"key": "name", "formula": "lower(event_name)"}]}
--! Events table, quoted | event | exact | {"sourceType": "table", "tableName": "\"prod\".\"marts\".\"fct_events\""}
--! Wrong name | metric | not_imported | {"sourceType": "table", "tableName": "prod..fct events"}
