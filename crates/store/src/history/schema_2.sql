-- monitor.db, version 2. Times are milliseconds since 1970 (UTC).

-- What version 1 had, read and emptied by upgrade.rs.
ALTER TABLE sample RENAME TO old_sample;
ALTER TABLE session RENAME TO old_session;
ALTER TABLE layout RENAME TO old_layout;
DROP INDEX sample_identity;

-- One start of an agent.
CREATE TABLE session (
    id      INTEGER PRIMARY KEY,
    device  INTEGER NOT NULL REFERENCES device (id),
    session TEXT NOT NULL,                   -- the session id of the contract
    newest  INTEGER NOT NULL,                -- when its newest sample was taken, roughly
    first   INTEGER NOT NULL DEFAULT 1,      -- samples before it were never expected: an earlier
                                             -- history has them
    lost    INTEGER NOT NULL DEFAULT 0,      -- samples that will never come
    UNIQUE (device, session)
) STRICT;

-- Which samples are stored: what makes storing one twice impossible, for as long as an agent may
-- send it again. Those of the tail are added when it is sealed.
CREATE TABLE received (
    session INTEGER NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    first   INTEGER NOT NULL,                -- number of the first sample of a run
    last    INTEGER NOT NULL,                -- and of the last, included
    PRIMARY KEY (session, first)
) STRICT, WITHOUT ROWID;

-- Names of series; a column of a chunk names its series by number.
CREATE TABLE series (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- What was committed lately, one row per commit, device and hour; in the order of commits, so
-- that a commit writes as few pages as possible.
CREATE TABLE tail (
    id   INTEGER PRIMARY KEY,                -- commit, device, which hour of it: see keys.rs
    hour INTEGER NOT NULL,                   -- since 1970, to which the samples belong
    data BLOB NOT NULL                       -- see head.rs
) STRICT;

-- Samples and points of a device over a stretch of time.
CREATE TABLE chunk (
    id      INTEGER PRIMARY KEY,             -- device, tier, first hour, part: see keys.rs
    samples INTEGER NOT NULL,                -- how many, or how many points
    first   INTEGER NOT NULL,                -- time of the first one
    last    INTEGER NOT NULL,                -- and of the last one
    data    BLOB NOT NULL                    -- see head.rs
) STRICT;
