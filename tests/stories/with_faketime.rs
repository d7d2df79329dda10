//! Stories in which clocks move, by Debian's faketime.

mod clocks;
mod samples;
mod unset_clock;
