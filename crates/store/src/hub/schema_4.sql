-- hub.db, version 4. What an admin has set about single devices; one of which nothing was ever set
-- has no row. Gone with the device.

CREATE TABLE device_setting (
    device   TEXT PRIMARY KEY REFERENCES device (id) ON DELETE CASCADE,
    revision INTEGER NOT NULL,               -- counts the changes, those of its name included, from 1
    alerting TEXT NOT NULL,                  -- JSON: rules, groups, uplink, whether it is always on
    agent    TEXT NOT NULL                   -- JSON: interval, watched services, notifications
) STRICT, WITHOUT ROWID;
