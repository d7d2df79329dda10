//! Stories that mount file systems of their own: they need root.

mod full_disk;
mod told;
