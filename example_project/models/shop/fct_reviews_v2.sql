select
    reviews.review_id,
    reviews.reviewed_at,
    reviews.customer_id as user_id,
    reviews.order_id,
    reviews.stars,
    reviews.has_text
from {{ ref('raw_reviews') }} as reviews
