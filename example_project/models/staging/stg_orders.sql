select
    order_id,
    ordered_at,
    customer_id as user_id,
    device_id,
    items,
    cast(amount_cents / 100.0 as decimal(10, 2)) as gross_amount,
    cast(discount_cents / 100.0 as decimal(10, 2)) as discount_amount
from {{ ref('raw_orders') }}
where status = 'paid'
