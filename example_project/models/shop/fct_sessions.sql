select
    session_id,
    min(occurred_at) as started_at,
    min(user_id) as user_id,
    min(device_id) as device_id,
    count(*) as clicks,
    count(*) filter (where event_name = 'product_viewed') as products_viewed,
    date_diff('second', min(occurred_at), max(occurred_at)) as seconds
from {{ ref('stg_events') }}
group by session_id
