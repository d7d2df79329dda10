//! Stories with a drive of our own below the hub. They need root and /dev/fuse, and fail without.

mod drive;
mod power_cut;
