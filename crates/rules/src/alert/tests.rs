//! The engine as a whole.

mod bench;
mod crowd;
mod days;
mod people;
mod restart;
mod services;
mod thresholds;
