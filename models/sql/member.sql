-- A player with an account: `accounts a` and `players p`.
a.user_id::text, a.username, a.display_name, a.avatar_url, a.role, a.username_key,
    p.region, p.groups, p.score, p.version, (extract(epoch FROM a.created_at) * 1000)::bigint AS created_at,
    CASE WHEN p.banned_until > now() THEN (extract(epoch FROM p.banned_until) * 1000)::bigint END AS banned_until
