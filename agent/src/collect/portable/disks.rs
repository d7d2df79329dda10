//! Space on mounted disks.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::Context as _;
use netmonitor_protocol::payload::{Disk, DiskInfo};
use sysinfo::{DiskRefreshKind, Disks};

use super::super::{Collector, Part};
use crate::root::Root;

/// File systems that have no `/dev/...` behind them and keep data all the same: pools, and
/// folders that a virtual machine shares with its host.
const WITHOUT_DEVICE: &[&str] = &["zfs", "9p", "virtiofs", "drvfs", "bcachefs"];

/// Images that are full by nature: their use says nothing.
const READ_ONLY_IMAGES: &[&str] = &["squashfs", "iso9660", "udf", "erofs", "cramfs"];

struct DiskSpace {
    disks: Disks,
}

pub(super) fn open(_root: &Root) -> anyhow::Result<Box<dyn Collector>> {
    let disks = Disks::new().context("cannot look for disks")?;
    Ok(Box::new(DiskSpace { disks }))
}

impl Collector for DiskSpace {
    fn read(&mut self, _now: Instant) -> anyhow::Result<Part> {
        let mounts = read(&mut self.disks);
        let disks = mounts.iter().map(|mount| Disk {
            mount: mount.point.clone(),
            total_bytes: mount.total_bytes,
            used_bytes: mount.used_bytes,
            available_bytes: mount.available_bytes,
            ..Disk::default()
        });
        let disks = disks.collect();
        let infos = mounts.into_iter().map(|mount| DiskInfo {
            mount: mount.point,
            device: mount.device,
            file_system: mount.file_system,
            total_bytes: mount.total_bytes,
        });
        Ok(Part::Disks(disks, infos.collect()))
    }
}

/// A mounted file system.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mount {
    device: String,
    point: String,
    file_system: String,
    total_bytes: u64,
    used_bytes: u64,
    /// Available to an ordinary user.
    available_bytes: u64,
}

fn read(disks: &mut Disks) -> Vec<Mount> {
    disks.refresh_specifics(true, DiskRefreshKind::nothing().with_storage());
    let mounts = disks
        .iter()
        // Container runtimes mount single files, such as /etc/hosts: those are no disks.
        .filter(|disk| disk.mount_point().is_dir())
        .map(|disk| Mount {
            device: disk.name().to_string_lossy().into_owned(),
            point: disk.mount_point().to_string_lossy().into_owned(),
            file_system: disk.file_system().to_string_lossy().into_owned(),
            total_bytes: disk.total_space(),
            // Nothing is kept back for an administrator.
            used_bytes: disk.total_space().saturating_sub(disk.available_space()),
            available_bytes: disk.available_space(),
        });
    real(mounts)
}

/// Real file systems in the order of their mount points, each device once: of several mounts of
/// one device (bind mounts, subvolumes) the one nearest to the root counts.
fn real(mounts: impl Iterator<Item = Mount>) -> Vec<Mount> {
    let mut devices: BTreeMap<String, Mount> = BTreeMap::new();
    for mount in mounts.filter(is_real) {
        match devices.get(&mount.device) {
            Some(known) if nearness(known) <= nearness(&mount) => {}
            _ => {
                devices.insert(mount.device.clone(), mount);
            }
        }
    }
    let mut mounts: Vec<_> = devices.into_values().collect();
    mounts.sort_by(|a, b| a.point.cmp(&b.point));
    mounts
}

fn is_real(mount: &Mount) -> bool {
    let file_system = mount.file_system.to_ascii_lowercase();
    // The root counts whatever it is: in a container it is an overlay.
    let is_root = mount.point == "/";
    let has_device = cfg!(windows)
        || mount.device.starts_with("/dev/")
        || WITHOUT_DEVICE.contains(&file_system.as_str());
    mount.total_bytes > 0
        && (is_root || has_device && !READ_ONLY_IMAGES.contains(&file_system.as_str()))
}

/// The root first, then few levels, then the alphabet.
fn nearness(mount: &Mount) -> (usize, &str) {
    let levels = mount.point.split('/').filter(|it| !it.is_empty()).count();
    (levels, &mount.point)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(device: &str, point: &str, file_system: &str) -> Mount {
        Mount {
            device: device.to_owned(),
            point: point.to_owned(),
            file_system: file_system.to_owned(),
            total_bytes: 100,
            used_bytes: 50,
            available_bytes: 40,
        }
    }

    fn check(mounts: &[Mount], expected: &[&str]) {
        let found = real(mounts.iter().cloned());
        let found: Vec<&str> = found.iter().map(|it| it.point.as_str()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn real_disks_stay_and_pseudo_file_systems_go() {
        check(
            &[
                mount("tmpfs", "/tmp", "tmpfs"),
                mount("/dev/sda2", "/home", "ext4"),
                mount("/dev/sda1", "/", "ext4"),
                mount("efivarfs", "/sys/firmware/efi/efivars", "efivarfs"),
                mount("/dev/loop3", "/snap/core/1", "squashfs"),
                mount("/dev/sr0", "/media/cdrom", "iso9660"),
                mount("portal", "/run/user/1000/doc", "fuse.portal"),
                mount("tank", "/tank", "zfs"),
                mount("/dev/sdb1", "/media/stick", "fuseblk"),
            ],
            &["/", "/home", "/media/stick", "/tank"],
        );
    }

    #[test]
    fn a_device_mounted_several_times_counts_once_where_it_is_nearest_to_the_root() {
        check(
            &[
                mount("/dev/sda1", "/var/lib/docker/volumes/x", "ext4"),
                mount("/dev/sda1", "/srv", "ext4"),
                mount("/dev/sda1", "/data", "ext4"),
                mount("/dev/sdb1", "/home", "btrfs"),
                mount("/dev/sdb1", "/", "btrfs"),
            ],
            &["/", "/data"],
        );
    }

    #[test]
    fn in_a_container_the_overlay_at_the_root_stays_and_those_of_others_go() {
        check(
            &[
                mount("overlay", "/var/lib/docker/overlay2/ab/merged", "overlay"),
                mount("overlay", "/", "overlay"),
                mount("shm", "/dev/shm", "tmpfs"),
            ],
            &["/"],
        );
    }

    #[test]
    fn a_disk_without_size_is_none() {
        let mut empty = mount("/dev/sdc1", "/mnt", "ext4");
        empty.total_bytes = 0;
        check(&[empty], &[]);
    }
}
