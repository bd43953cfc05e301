-- Every order comes from a browser that opened the checkout before.
select orders.order_id
from {{ ref('fct_orders') }} as orders
left join {{ ref('fct_shop_events') }} as events
    on events.device_id = orders.device_id
    and events.event_name = 'checkout_opened'
    and events.occurred_at < orders.ordered_at
group by orders.order_id
having count(events.event_id) = 0
