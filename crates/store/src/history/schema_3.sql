-- monitor.db, version 3. The log is read from its newest line on, with filters: an index whose lines
-- of one device, or of one kind, stand in the order of their numbers gives them without sorting.

DROP INDEX event_by_device;
CREATE INDEX event_by_device ON event (device) WHERE device IS NOT NULL;
CREATE INDEX event_by_kind ON event (kind);
