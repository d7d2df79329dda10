//! REST API, live stream and login; serves the dashboard.
