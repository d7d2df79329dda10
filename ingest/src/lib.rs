//! Subscribes to samples and events and commits them to the history.
