//! How a service starts, connects to MQTT and stops.
