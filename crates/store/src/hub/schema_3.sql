-- hub.db, version 3. What an admin has set, one row for each section; what was never set has no
-- row, and follows the defaults of the program.

CREATE TABLE setting (
    section  TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,               -- counts the changes, from 1
    json     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
