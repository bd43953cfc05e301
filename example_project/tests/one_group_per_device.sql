-- A browser stays in the group that it was put into first.
select
    experiment_key,
    device_id
from {{ ref('fct_exposures') }}
group by experiment_key, device_id
having count(distinct group_key) > 1
