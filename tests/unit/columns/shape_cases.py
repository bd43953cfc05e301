"""SQL and the columns that it gives, as data: adapter, SQL, columns, and whether these are all.

The tables: `t` has id, a, b; `u` has id, c; `"S"."Orders"` has OrderId, amount; nothing is known of other tables.
"""

from __future__ import annotations

TABLES = {"t": ("id", "a", "b"), "u": ("id", "c"), "Orders": ("OrderId", "amount"), "f": ("k", "v1", "v2")}

Case = tuple[str, str, tuple[str, ...], bool]

PLAIN: list[Case] = [
    ("duckdb", "select id, a as x, t.b from t", ("id", "x", "b"), True),
    ("snowflake", 'select id, "Mixed", a as "x y" from t', ("ID", "Mixed", "x y"), True),
    ("postgres", 'select ID, "Mixed" from t', ("id", "Mixed"), True),
    ("redshift", 'select ID, "Mixed" from t', ("id", "mixed"), True),
    ("bigquery", "select Id, `a b`, s.f, s.g.h from t", ("Id", "a b", "f", "h"), True),
    ("sqlserver", "select [a b], x = 1 from t", ("a b", "x"), True),
    ("postgres", "select (x).y from t", ("y",), True),
    ("postgres", f"select a as {'x' * 70} from t", ("x" * 63,), True),
    ("duckdb", "select 1 as x;", ("x",), True),
    ("bigquery", "declare d int64; select 1 as a;", ("a",), True),
    ("spark", "select explode(m) as (k, v) from t", ("k", "v"), True),
    ("duckdb", "\ufeffselect 1 as x", ("x",), True),
    ("duckdb", "from t", ("id", "a", "b"), True),
    ("sqlserver", "select top 5 id from t order by id", ("id",), True),
    ("bigquery", "select as struct 1 as a, 2 as b", ("a", "b"), True),
]

UNNAMED: list[Case] = [
    ("snowflake", "select a::int, b from t", ("B",), False),
    ("bigquery", "select cast(a as int64) from t", (), False),
    ("postgres", "select a::int, cast(b as text), (id) from t", ("a", "b", "id"), True),
    ("redshift", "select a::int::varchar from t", ("a",), True),
    ("databricks", "select cast(a as int) from t", ("a",), True),
    ("postgres", "select count(*), max(a) over (), sum(b)::int from t", ("count", "max", "sum"), True),
    ("postgres", "select 1, a + 1, x.* from t", (), False),
    ("snowflake", "select count(*), src:a.b, $1 from t", (), False),
    ("duckdb", "select columns('a.*') from t", (), False),
    ("duckdb", "select min(columns(*)) from t", (), False),
    ("duckdb", "select unnest(s) as q, id from t", ("id",), False),
    ("bigquery", "select s.* from t", (), False),
    ("bigquery", "select as value struct(1 as a)", (), False),
    ("postgres", "select (f(a)).* from t", (), False),
    ("duckdb", "select (s).x from t", (), False),
    ("spark", "select inline(x), id from t", ("id",), False),
]

STARS: list[Case] = [
    ("redshift", "select *, 1 as z exclude (a) from t", ("id", "b", "z"), True),
    ("duckdb", "select * from t", ("id", "a", "b"), True),
    ("duckdb", "select u.*, t.a from t join u on true", ("id", "c", "a"), True),
    ("bigquery", "select * except (id, B) from t", ("a",), True),
    ("snowflake", 'select * exclude "id", "a" as x from t', ("a", "b", "X"), True),
    ("duckdb", "select * exclude (a) replace (1 as b) rename (id as key) from t", ("key", "b"), True),
    ("snowflake", 'select * rename ("id" as key) from t', ("KEY", "a", "b"), True),
    ("redshift", "select * exclude (a) from t", ("id", "b"), True),
    ("snowflake", "select * ilike '%a%' from t", (), False),
    ("duckdb", "select * from missing", (), False),
    ("duckdb", "select *, 1 as x from missing", ("x",), False),
    ("postgres", 'select * from "S"."Orders"', ("OrderId", "amount"), True),
    ("duckdb", "select nothing.* from t", (), False),
    ("postgres", "select *", (), False),
    ("postgres", "select t.*, u.* from t, u", ("id", "a", "b", "c"), False),
    ("duckdb", "select t.*, u.* from t, u", ("id", "a", "b", "id_1", "c"), True),
    ("duckdb", "select 1 as x, 2 as X, 3 as x_1", ("x", "X_1", "x_1_1"), True),
    ("duckdb", "select * replace (1 as id) from t, u", ("id", "a", "b", "c"), True),
]

JOINS: list[Case] = [
    ("duckdb", "select * from t join u using (id)", ("id", "a", "b", "c"), True),
    ("postgres", "select * from t join u using (id)", ("id", "a", "b", "c"), True),
    ("postgres", "select * from u full join t using (id)", ("id", "c", "a", "b"), True),
    ("duckdb", "select * from t natural join u", ("id", "a", "b", "c"), True),
    ("duckdb", "select * from t natural join missing", ("id", "a", "b"), False),
    ("spark", "select * from t left semi join u using (id)", ("id", "a", "b"), True),
    ("spark", "select * from t left anti join u on t.id = u.id", ("id", "a", "b"), True),
    ("clickhouse", "select * from t semi left join u using (id)", (), False),
    ("clickhouse", "select * from t array join b as x", ("id", "a", "b"), False),
    ("postgres", "select * from (t join u using (id)) j", ("id", "a", "b", "c"), True),
    ("postgres", "select u.c, t.* from (t cross join u)", ("c", "id", "a", "b"), True),
    ("postgres", "select * from t x(p, q)", ("p", "q", "b"), True),
    ("postgres", "select x.* from t x, t x", (), False),
    ("duckdb", "select * from t cross join f pivot (sum(v1) for k in (1))", (), False),
    ("duckdb", "select * from t join f on true pivot (sum(v1) for k in (1))", (), False),
]

QUALIFIED: list[Case] = [
    ("duckdb", "select * exclude (u.id) from t join u on true", ("id", "a", "b", "c"), True),
    ("duckdb", "select * exclude (t.id, c) from t join u on true", ("a", "b", "id"), True),
    ("duckdb", "select * exclude (u.id) from t join u using (id)", (), False),
    ("duckdb", "select t.* exclude (t.id) from t join u on true", ("a", "b"), True),
    ("duckdb", "select * rename (u.id as k) from t join u on true", ("id", "a", "b", "k", "c"), True),
    ("duckdb", "select * exclude (x.y) from t", (), False),
    ("databricks", "select * except (a.id, b) from t", ("id", "a"), True),
    ("databricks", "select * except (t.a.id) from t", ("id", "a", "b"), True),
    ("databricks", "select * except (t.a) from t", ("id", "b"), True),
    ("trino", "select t.*, u.* from t join u using (id)", ("a", "b", "c"), True),
    ("athena", "select * from t join u using (id)", ("id", "a", "b", "c"), True),
    ("postgres", "select u.* from t join u using (id)", ("id", "c"), True),
    (
        "snowflake",
        "select * from u changes(information => default) at(offset => -60)",
        ("id", "c", "METADATA$ACTION", "METADATA$ISUPDATE", "METADATA$ROW_ID"),
        True,
    ),
]

CLICKHOUSE: list[Case] = [
    ("clickhouse", "select * from t final", ("id", "a", "b"), True),
    ("clickhouse", "select x.*, x.a as z from t as x final", ("id", "a", "b", "z"), True),
    ("clickhouse", "select * from t join u on t.id = u.id", ("id", "a", "b", "u.id", "c"), True),
    ("clickhouse", "select * from (select 1 as u, 2 as id) as q join u on true", ("u", "id", "c"), False),
    ("clickhouse", "select * from (select 1 as `u.a`, 2 as id) as q join u on true", ("id",), False),
    ("clickhouse", "select * from (select *, 2 as id from missing) as q join u on true", ("id",), False),
    ("clickhouse", "select * except (a) from (select *, id as a from t) as q", ("id", "b"), False),
    ("clickhouse", "select * except (a) from (select *, id as z from t) as q", ("id", "b", "z"), True),
    ("clickhouse", "select t.id, u.id, u.c from t join u on t.id = u.id", ("id", "u.id", "c"), True),
    ("clickhouse", "select u.id as k, u.* from t, u", ("k", "u.id", "c"), True),
    ("clickhouse", "select * from t join u using (id)", ("id", "a", "b", "c"), True),
    ("clickhouse", "select u.* from t join u using (id)", ("u.id", "c"), True),
    ("clickhouse", "select * except (id) from t join u on t.id = u.id", ("a", "b", "c"), True),
    ("clickhouse", "select * replace (1 as c) from t join u on t.id = u.id", (), False),
    ("clickhouse", "select t.id, f.v1, u.c from t join u on t.id = u.id join f on true", ("t.id", "v1", "c"), True),
    ("clickhouse", "select t.id, u.c from t join u using (id) join f using (id)", (), False),
    ("clickhouse", "select * from t join u using (id) join f using (id)", (), False),
    ("clickhouse", "select t.id, m.q from t join missing m on true", ("id", "q"), True),
    ("clickhouse", "select m.q, u.c from missing m, u", ("q",), False),
    ("clickhouse", "select n.k, tup.x, t.n.k as y from t", ("n.k", "tup.x", "y"), True),
    ("clickhouse", "select t.n.k, db.t.a from db.t", ("n.k", "a"), True),
    ("clickhouse", "select x.y.z from t", (), False),
    ("clickhouse", "select x.a from t x, u x", (), False),
    ("clickhouse", "with q as (select t.id, u.id from t join u on true) select * from q", ("id", "u.id"), True),
]

SETS: list[Case] = [
    ("duckdb", "select a from t union all select c as z from u", ("a",), True),
    ("duckdb", "(select a from t) intersect (select id from u) except select 1", ("a",), True),
    ("duckdb", "select * from t union all by name select * from u", ("id", "a", "b", "c"), True),
    ("bigquery", "select id, a from t full union all by name select c from u", ("id", "a", "c"), True),
    ("bigquery", "select id, a from t union all by name select a, id from u", ("id", "a"), True),
    ("bigquery", "select id, a from t inner union all by name select id, c from u", ("id",), True),
    ("snowflake", "select a from t union by name select c from u", ("A", "C"), True),
]

CTES: list[Case] = [
    ("postgres", "select * from ((select 1 as a) x)", ("a",), True),
    ("duckdb", "with x as (select * from t) select *, 1 as z from x", ("id", "a", "b", "z"), True),
    ("duckdb", "with t as (select id from t) select * from t", ("id",), True),
    ("postgres", "with x(p, q) as (select 1, 2) select * from x", ("p", "q"), True),
    ("bigquery", "with recursive r as (select 1 as n union all select n + 1 from r) select * from r", ("n",), True),
    ("postgres", "with recursive r(n) as (values (1) union all select n + 1 from r) select * from r", ("n",), True),
    ("sqlserver", "with a as (select 1 as x), b as (select * from a) select * from b", ("x",), True),
    ("postgres", "select * from (with y as (select a from t) select * from y) z", ("a",), True),
    ("snowflake", "with __dbt__cte__e as (select id as k from t) select * from __dbt__cte__e", ("K",), True),
    ("postgres", "with x as (delete from t returning a) select * from x", (), False),
    ("postgres", 'with x as (select 1 as a), "X" as (select 2 as b) select * from x', (), False),
    ("clickhouse", "with 1 as one select one as x", ("x",), True),
]

FUNCTIONS: list[Case] = [
    ("postgres", "values (1, 2)", ("column1", "column2"), True),
    ("snowflake", "select * from values (1, 2)", ("COLUMN1", "COLUMN2"), True),
    ("duckdb", "select * from (values (1, 2)) v(p)", ("p", "col1"), True),
    ("trino", "select * from (values (1, 2)) v(p, q)", ("p", "q"), True),
    ("trino", "select * from (values (1, 2))", (), False),
    (
        "snowflake",
        "select * from u, lateral flatten(input => x) fl",
        ("id", "c", "SEQ", "KEY", "PATH", "INDEX", "VALUE", "THIS"),
        True,
    ),
    ("snowflake", "select fl.value:a as x, u.* from u, table(flatten(x)) fl", ("X", "id", "c"), True),
    ("databricks", "select * from u lateral view explode(m) e as k, v", ("id", "c", "k", "v"), True),
    ("databricks", "select * from u lateral view explode(m) e", ("id", "c"), False),
    ("trino", "select * from u cross join unnest(x) as e(k)", ("id", "c", "k"), True),
    ("bigquery", "select * from u, unnest(x) as e", ("id", "c"), False),
    ("bigquery", "select e, u.* from u, u.items as e", ("e", "id", "c"), True),
    ("bigquery", "select * from u, u.items", ("id", "c"), False),
    ("postgres", "select * from generate_series(1, 3) as g(n)", ("n",), True),
    ("postgres", "select * from json_to_record('{}') as r(a int, b text)", ("a", "b"), True),
    ("postgres", "select * from some_function(1) as r(a)", ("a",), False),
    ("postgres", "select * from u cross join lateral (select a as z from t) l", ("id", "c", "z"), True),
]

PIVOTS: list[Case] = [
    ("duckdb", "select * from f pivot (sum(v1) for k in (1, 2))", ("v2", "1", "2"), True),
    ("bigquery", "select * from f pivot (sum(V1) as s for K in ('x', 'y' as z))", ("v2", "s_x", "s_z"), True),
    ("snowflake", "select * from f pivot (sum(v1) for k in ('x'))", ("v2", "'x'"), True),
    ("snowflake", "select * from f pivot (sum(v1) for k in (any))", (), False),
    ("snowflake", "select * from f pivot (sum(v1) for k in ('x')) as p (m, n)", ("M", "N"), True),
    ("sqlserver", "select * from (select * from f) s pivot (sum(v1) for k in ([x], [y])) p", ("v2", "x", "y"), True),
    ("duckdb", "select * from f unpivot (val for nam in (v1, v2))", ("k", "nam", "val"), True),
    ("bigquery", "select * from f unpivot (val for nam in (V1, V2))", ("k", "val", "nam"), True),
    ("duckdb", "unpivot f on v1, v2 into name n value v", ("k", "n", "v"), True),
    ("duckdb", "pivot f on k using sum(v1)", (), False),
    ("duckdb", "unpivot f on columns(*)", (), False),
    ("duckdb", "unpivot f on *", (), False),
    ("duckdb", "select * from f pivot (sum(v1) for k in (1, 2) v2 in (3))", (), False),
    ("trino", "select * from f pivot (sum(v1) as s for k in ('x'))", (), False),
    ("duckdb", "select * from f unpivot (val for nam in (v1 + 1))", (), False),
    ("duckdb", "select * from (unpivot f on v1 into name n value v)", ("k", "v2", "n", "v"), True),
    ("bigquery", "select * from f unpivot ((m, n) for nam in ((k, v1) as 'x'))", ("v2", "m", "n", "nam"), True),
]

NOT_SHOWN: list[Case] = [
    ("bigquery", "select id from t full union all by name on (id) select id from u", (), False),
    ("sqlserver", "select * from one.two.three.four", (), False),
    ("duckdb", "select * from ?", (), False),
    ("duckdb", "select from where", (), False),
    ("duckdb", "", (), False),
    ("duckdb", "-- nothing", (), False),
    ("duckdb", "select 1 as \x00a", (), False),
    ("bigquery", "from t |> select a", (), False),
    ("snowflake", "call something()", (), False),
    ("duckdb", "insert into t select 1", (), False),
    ("sqlite", "select 1 as a", (), False),
    ("snowflake", "select * from @stage", (), False),
    ("oracle", "select * from t match_recognize (order by id pattern (x) define x as a > 1)", (), False),
]

CASES: list[Case] = [
    *PLAIN,
    *UNNAMED,
    *STARS,
    *JOINS,
    *QUALIFIED,
    *CLICKHOUSE,
    *SETS,
    *CTES,
    *FUNCTIONS,
    *PIVOTS,
    *NOT_SHOWN,
]
