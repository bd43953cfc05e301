select
    review_id,
    reviewed_at,
    customer_id as user_id,
    order_id,
    stars as rating
from {{ ref('raw_reviews') }}
