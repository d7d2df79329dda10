//! hub.db, the history and the certificates of a hub, on disk.
