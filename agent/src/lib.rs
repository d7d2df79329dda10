//! The agent on each machine.
