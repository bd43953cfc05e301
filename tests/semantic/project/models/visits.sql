select 1 as visit_id, 'u1' as user_id, timestamp '2026-01-01 09:00:00' as visited_at, 60 as seconds
