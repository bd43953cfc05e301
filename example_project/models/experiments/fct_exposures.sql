select
    exposed_at,
    cast(exposed_at as date) as exposed_on,
    experiment as experiment_key,
    variant as group_key,
    variant_name as group_name,
    customer_id as user_id,
    device_id
from {{ ref('raw_exposures') }}
