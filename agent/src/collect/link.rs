//! How a network interface is built in.

/// What decides whether an interface is worth showing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Link {
    /// It belongs to a bridge or bond.
    pub(super) is_port: bool,
    /// There is no hardware behind it.
    pub(super) is_virtual: bool,
}
