select
    event_id,
    occurred_at,
    session_id,
    device_id,
    customer_id as user_id,
    event_name,
    page
from {{ ref('raw_events') }}
