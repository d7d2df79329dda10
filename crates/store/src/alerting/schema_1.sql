-- alerting.db, version 1. Times are milliseconds since 1970 (UTC).

-- What is to be remembered of each alert that is not simply well.
CREATE TABLE alert (
    subject TEXT NOT NULL,                   -- a device, or hub
    rule    TEXT NOT NULL,
    life    TEXT NOT NULL,                   -- JSON
    PRIMARY KEY (subject, rule)
) STRICT, WITHOUT ROWID;

-- Messages that have not reached their channel yet, in the order in which they were made.
CREATE TABLE delivery (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    message TEXT NOT NULL,                   -- what tells it from others
    notice  TEXT NOT NULL,                   -- JSON: what it says
    made_at INTEGER NOT NULL,
    UNIQUE (channel, message)
) STRICT;

-- What is known beside that: begun (somebody writes here), settings, channels.
CREATE TABLE note (
    name TEXT PRIMARY KEY,
    text TEXT NOT NULL
) STRICT, WITHOUT ROWID;
