select
    1 as order_id,
    'u1' as user_id,
    's1' as stall_id,
    timestamp '2026-01-01 10:00:00' as ordered_at,
    cast(10.0 as double) as amount,
    cast(2.0 as double) as discount,
    cast(30.0 as double) as balance,
    true as is_gift,
    'nl' as country
