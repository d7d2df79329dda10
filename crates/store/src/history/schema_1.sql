-- monitor.db, version 1. Times are milliseconds since 1970 (UTC).

CREATE TABLE device (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE                -- the device id of the contract
) STRICT;

-- One start of an agent.
CREATE TABLE session (
    id      INTEGER PRIMARY KEY,
    device  INTEGER NOT NULL REFERENCES device (id),
    session TEXT NOT NULL,                   -- the session id of the contract
    UNIQUE (device, session)
) STRICT;

-- Which series the numbers of a sample belong to, in their order.
CREATE TABLE layout (
    id     INTEGER PRIMARY KEY,
    series TEXT NOT NULL UNIQUE              -- JSON list of names
) STRICT;

-- Samples, in the order in which they are read.
CREATE TABLE sample (
    device  INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    session INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    layout  INTEGER NOT NULL,
    numbers BLOB NOT NULL,                   -- see values.rs
    PRIMARY KEY (device, at, session, seq)
) STRICT, WITHOUT ROWID;

-- What makes storing a sample twice impossible.
CREATE UNIQUE INDEX sample_identity ON sample (session, seq);

CREATE TABLE event (
    id         INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    severity   TEXT NOT NULL,
    device     TEXT,
    actor      TEXT,
    parameters TEXT NOT NULL                 -- JSON object
) STRICT;

CREATE INDEX event_by_time ON event (at);
CREATE INDEX event_by_device ON event (device, at) WHERE device IS NOT NULL;
