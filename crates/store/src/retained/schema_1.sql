-- retained.db, version 1. Times are milliseconds since 1970 (UTC).

-- The retained message of each topic. With a rowid: what is often written anew was first written
-- together, stays together, and costs few pages.
CREATE TABLE message (
    topic      TEXT PRIMARY KEY,
    owner      TEXT NOT NULL,                -- the MQTT user who published it
    qos        INTEGER NOT NULL,
    expires_at INTEGER,                      -- NULL: never
    properties BLOB NOT NULL,                -- of MQTT 5, as they travel
    payload    BLOB NOT NULL
) STRICT;
