-- hub.db, version 2. Which request has used a join code, and what came of it: a machine that
-- has not heard the answer asks again, and is not enrolled twice. Gone with the code and with
-- the device.

CREATE TABLE join_use (
    token_hash BLOB NOT NULL REFERENCES join_code (token_hash) ON DELETE CASCADE,
    request    TEXT NOT NULL,                -- id of the join request
    device     TEXT NOT NULL REFERENCES device (id) ON DELETE CASCADE,
    PRIMARY KEY (token_hash, request)
) STRICT, WITHOUT ROWID;

CREATE INDEX join_use_device ON join_use (device);
