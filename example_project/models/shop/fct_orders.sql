select
    order_id,
    ordered_at,
    cast(ordered_at as date) as ordered_on,
    user_id,
    device_id,
    items,
    gross_amount,
    discount_amount
from {{ ref('stg_orders') }}
