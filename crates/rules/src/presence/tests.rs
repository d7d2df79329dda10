//! Stories, one for each thing that can go wrong.

mod bench;
mod device;
mod hub;
mod rounds;
mod world;
