//! The embedded MQTT broker: our network edge over the router of rumqttd.
