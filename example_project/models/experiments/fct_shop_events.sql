select
    event_id,
    occurred_at,
    cast(occurred_at as date) as occurred_on,
    event_name,
    page,
    user_id,
    device_id
from {{ ref('stg_events') }}
