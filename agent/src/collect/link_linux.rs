//! What `/sys/class/net` tells about an interface beyond its counters.

use crate::root::Root;

use super::link::Link;

/// Whether an interface is a port of a bridge or bond, and whether there is hardware (or a
/// hypervisor's) behind it.
pub(super) fn link(root: &Root, interface: &str) -> Link {
    let folder = root.path("sys/class/net").join(interface);
    Link {
        is_port: folder.join("master").exists(),
        is_virtual: !folder.join("device").exists(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_has_a_master_and_hardware_has_a_device() {
        let folder = tempfile::tempdir().unwrap();
        let net = folder.path().join("sys/class/net");
        std::fs::create_dir_all(net.join("eth0/device")).unwrap();
        std::fs::create_dir_all(net.join("veth12/master")).unwrap();
        let root = Root::new(folder.path());
        let check = |name, is_port, is_virtual| {
            assert_eq!(
                link(&root, name),
                Link {
                    is_port,
                    is_virtual
                }
            );
        };
        check("eth0", false, false);
        check("veth12", true, true);
        check("wg0", false, true);
    }
}
