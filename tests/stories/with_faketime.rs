//! Stories in which clocks move, by Debian's faketime.

mod clocks;
