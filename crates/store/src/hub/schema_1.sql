-- hub.db, version 1. Times are milliseconds since 1970 (UTC). Names are unique without regard
-- to case, so that nobody is mistaken for somebody else.

CREATE TABLE account (
    name          TEXT PRIMARY KEY COLLATE NOCASE,
    role          TEXT NOT NULL,             -- admin, operator, viewer
    password_hash TEXT NOT NULL,             -- argon2id, PHC form
    created_at    INTEGER NOT NULL
) STRICT;

-- Browsers that are logged in. The cookie itself is not stored.
CREATE TABLE web_session (
    id_hash    BLOB PRIMARY KEY,             -- SHA-256
    account    TEXT NOT NULL COLLATE NOCASE REFERENCES account (name) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Programs that use the REST API.
CREATE TABLE token (
    name       TEXT PRIMARY KEY COLLATE NOCASE,
    role       TEXT NOT NULL,
    token_hash BLOB NOT NULL UNIQUE,         -- SHA-256
    created_at INTEGER NOT NULL
) STRICT;

-- MQTT clients that are neither agents nor services.
CREATE TABLE mqtt_user (
    name          TEXT PRIMARY KEY COLLATE NOCASE,
    role          TEXT,                      -- reader, operator; NULL: own filters only
    password_hash TEXT NOT NULL,             -- mosquitto's $7$ form
    publish       TEXT NOT NULL,             -- JSON list of filters
    subscribe     TEXT NOT NULL,             -- JSON list of filters
    created_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE device (
    id            TEXT PRIMARY KEY,          -- MQTT user name as well
    name          TEXT NOT NULL,             -- what people see
    password_hash TEXT NOT NULL,             -- mosquitto's $7$ form
    joined_at     INTEGER NOT NULL
) STRICT;

CREATE TABLE join_code (
    token_hash BLOB PRIMARY KEY,             -- SHA-256
    uses_left  INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- At most one row: the one-time link of a hub that has no admin yet. Kept readable, so that
-- the link can be printed again; it is worth nothing once there is an admin.
CREATE TABLE setup (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    token    TEXT NOT NULL
) STRICT;

-- Who did what. Written in the same transaction as the change.
CREATE TABLE audit (
    id      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    details TEXT NOT NULL                    -- JSON object
) STRICT;
