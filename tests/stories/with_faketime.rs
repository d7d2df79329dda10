//! Stories in which clocks move, by Debian's faketime.

mod clocks;
mod samples;
mod told;
mod unset_clock;
