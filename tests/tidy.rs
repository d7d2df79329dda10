//! What can be checked of the house without running it.
fn main() {}
