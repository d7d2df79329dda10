//! Stories in networks of their own: cables that are cut, routers in between. They need root,
//! iproute2, nftables and mosquitto-clients, and fail without.

mod cut_cable;
mod forwarded_port;
mod no_gaps;
