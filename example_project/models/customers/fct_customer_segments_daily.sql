with days as (

    select cast(day as date) as segment_date
    from generate_series(timestamp '2026-03-01', timestamp '2026-03-28', interval 1 day) as calendar (day)

),

customer_days as (

    select
        customers.user_id,
        days.segment_date,
        count(orders.order_id) as orders_to_date,
        coalesce(sum(orders.gross_amount - orders.discount_amount), 0) as revenue_to_date,
        max(cast(orders.ordered_at as date)) as last_ordered_on
    from {{ ref('stg_customers') }} as customers
    inner join days
        on cast(customers.signed_up_at as date) <= days.segment_date
    left join {{ ref('stg_orders') }} as orders
        on orders.user_id = customers.user_id
        and cast(orders.ordered_at as date) < days.segment_date
    group by 1, 2

)

select
    user_id,
    segment_date,
    orders_to_date,
    revenue_to_date,
    case
        when orders_to_date = 0 then 'prospect'
        when last_ordered_on < segment_date - interval 14 day then 'lapsed'
        when orders_to_date >= 3 then 'regular'
        else 'active'
    end as segment
from customer_days
