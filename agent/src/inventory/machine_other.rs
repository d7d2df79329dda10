//! Where the system tells all of this in its own way, or not at all.

use crate::root::Root;

pub(super) fn os(_root: &Root) -> Option<String> {
    None
}

pub(crate) fn boot_id(_root: &Root) -> Option<String> {
    None
}

pub(super) fn board(_root: &Root) -> Option<String> {
    None
}
