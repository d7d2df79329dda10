//! Transparent huge pages: a few bytes in one keep two megabytes.

/// From now on this process gets none, whatever the system does by default (Linux,
/// `PR_SET_THP_DISABLE`, prctl(2)).
pub fn do_without() {
    // A kernel that refuses has none, or gives them to those who ask; nobody here does.
    #[cfg(target_os = "linux")]
    let _refused = nix::sys::prctl::set_thp_disable(true);
}
