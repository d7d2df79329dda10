//! Stories in which clocks move, by Debian's faketime.

mod clocks;
mod unset_clock;
