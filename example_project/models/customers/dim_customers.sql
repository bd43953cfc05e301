select
    user_id,
    full_name,
    email,
    country,
    plan,
    channel as first_channel,
    cast(signed_up_at as date) as signed_up_on
from {{ ref('stg_customers') }}
