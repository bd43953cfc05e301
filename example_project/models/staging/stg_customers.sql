select
    customer_id as user_id,
    full_name,
    email,
    country,
    plan,
    channel,
    signed_up_at
from {{ ref('raw_customers') }}
