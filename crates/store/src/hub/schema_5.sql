-- hub.db, version 5. When somebody has logged in last, and until when a token is good.

ALTER TABLE account ADD COLUMN last_login_at INTEGER;  -- NULL: not since version 5
ALTER TABLE token ADD COLUMN expires_at INTEGER;       -- NULL: never
