//! What is mounted, from `/proc/self/mountinfo` (`proc_pid_mountinfo(5)`). Reading it never waits
//! for a disk.

use std::collections::BTreeMap;

/// File systems that have no `/dev/...` behind them and keep data all the same: pools, and
/// folders that a virtual machine shares with its host.
const WITHOUT_DEVICE: &[&str] = &["zfs", "9p", "virtiofs", "drvfs", "bcachefs"];

/// File systems that another machine has. What looks after one of them may be away.
const REMOTE: &[&str] = &[
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "ceph",
    "glusterfs",
    "fuse.glusterfs",
    "fuse.sshfs",
    "fuse.rclone",
    "davfs",
    "fuse.davfs2",
    "afs",
    "lustre",
    "beegfs",
    "fuse.s3fs",
    "fuse.juicefs",
];

/// File systems behind which is a program or a host of this machine: it may not answer, either.
const MAY_HANG: &[&str] = &["9p", "virtiofs", "drvfs"];

/// Images that are full by nature: their use says nothing.
const READ_ONLY_IMAGES: &[&str] = &["squashfs", "iso9660", "udf", "erofs", "cramfs"];

/// Something that is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    pub(super) device: String,
    pub(super) point: String,
    pub(super) file_system: String,
    /// Nobody can write to the file system, whatever this place of it allows.
    pub(super) is_read_only: bool,
    /// Another machine has it.
    pub(super) is_remote: bool,
    /// What looks after it may not answer.
    pub(super) may_hang: bool,
    /// The kernel's number of the file system, `major:minor`.
    number: String,
}

/// Real file systems in the order of their mount points, each device once: of several mounts of
/// one device (bind mounts, subvolumes) the one nearest to the root counts.
pub(super) fn real(text: &str) -> Vec<Mount> {
    // Of several on one place only the last one can be seen.
    let mut visible: BTreeMap<String, Mount> = BTreeMap::new();
    for mount in text.lines().filter_map(parse) {
        visible.insert(mount.point.clone(), mount);
    }
    let mut devices: BTreeMap<(String, String), Mount> = BTreeMap::new();
    for mount in visible.into_values().filter(is_real) {
        // Pools and subvolumes share a name or a number: of overlays many have one name.
        let key = if mount.device.starts_with('/') || mount.is_remote {
            (mount.device.clone(), String::new())
        } else {
            (mount.device.clone(), mount.number.clone())
        };
        match devices.get(&key) {
            Some(known) if nearness(known) <= nearness(&mount) => {}
            _ => {
                devices.insert(key, mount);
            }
        }
    }
    let mut mounts: Vec<_> = devices.into_values().collect();
    mounts.sort_by(|a, b| a.point.cmp(&b.point));
    mounts
}

fn parse(line: &str) -> Option<Mount> {
    // Optional fields end with a lone hyphen.
    let (before, after) = line.split_once(" - ")?;
    let mut before = before.split(' ');
    let number = before.nth(2)?.to_owned();
    let point = unescaped(before.nth(1)?);
    let mut after = after.split(' ');
    let file_system = after.next()?.to_owned();
    let device = unescaped(after.next()?);
    let options = after.next().unwrap_or_default();
    // sshfs, rclone and others write where it is as `host:path`.
    let is_elsewhere = file_system == "fuse" && !device.starts_with('/') && device.contains(':');
    let is_remote = is_elsewhere || REMOTE.contains(&file_system.as_str());
    Some(Mount {
        is_read_only: options.split(',').any(|option| option == "ro"),
        is_remote,
        may_hang: is_remote
            || file_system.starts_with("fuse")
            || MAY_HANG.contains(&file_system.as_str()),
        device,
        point,
        file_system,
        number,
    })
}

/// Blanks, tabs, line ends and backslashes are written as a backslash and three octal digits.
fn unescaped(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let code = behind.get(..3).filter(|_| *first == b'\\');
        let code = code.and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = code.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            bytes.push(byte);
            rest = &behind[3..];
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn is_real(mount: &Mount) -> bool {
    let file_system = mount.file_system.as_str();
    // The root counts whatever it is: in a container it is an overlay.
    let is_root = mount.point == "/";
    let keeps_data = mount.is_remote
        || mount.device.starts_with("/dev/")
        || WITHOUT_DEVICE.contains(&file_system);
    is_root || (keeps_data && !READ_ONLY_IMAGES.contains(&file_system))
}

/// The root first, then few levels, then the alphabet.
fn nearness(mount: &Mount) -> (usize, &str) {
    let levels = mount.point.split('/').filter(|it| !it.is_empty()).count();
    (levels, &mount.point)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(device: &str, point: &str, file_system: &str) -> String {
        format!(
            "36 35 98:0 / {point} rw,noatime shared:1 - {file_system} {device} rw,errors=continue"
        )
    }

    fn check(mounts: &[(&str, &str, &str)], expected: &[&str]) {
        let lines: Vec<String> = mounts.iter().map(|it| line(it.0, it.1, it.2)).collect();
        let found = real(&lines.join("\n"));
        let found: Vec<&str> = found.iter().map(|it| it.point.as_str()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn real_disks_stay_and_pseudo_file_systems_go() {
        check(
            &[
                ("tmpfs", "/tmp", "tmpfs"),
                ("/dev/sda2", "/home", "ext4"),
                ("/dev/sda1", "/", "ext4"),
                ("efivarfs", "/sys/firmware/efi/efivars", "efivarfs"),
                ("/dev/loop3", "/snap/core/1", "squashfs"),
                ("/dev/sr0", "/media/cdrom", "iso9660"),
                ("portal", "/run/user/1000/doc", "fuse.portal"),
                ("tank", "/tank", "zfs"),
                ("nas:/share", "/srv/share", "nfs4"),
                ("/dev/sdb1", "/media/stick", "fuseblk"),
                ("ada@nas:/srv", "/srv/ada", "fuse"),
                ("mergerfs", "/pool", "fuse"),
            ],
            &[
                "/",
                "/home",
                "/media/stick",
                "/srv/ada",
                "/srv/share",
                "/tank",
            ],
        );
    }

    #[test]
    fn a_device_mounted_several_times_counts_once_where_it_is_nearest_to_the_root() {
        check(
            &[
                ("/dev/sda1", "/var/lib/docker/volumes/x", "ext4"),
                ("/dev/sda1", "/srv", "ext4"),
                ("/dev/sda1", "/data", "ext4"),
                ("/dev/sdb1", "/home", "btrfs"),
                ("/dev/sdb1", "/", "btrfs"),
            ],
            &["/", "/data"],
        );
    }

    #[test]
    fn in_a_container_the_overlay_at_the_root_stays_and_those_of_others_go() {
        check(
            &[
                ("overlay", "/var/lib/docker/overlay2/ab/merged", "overlay"),
                ("overlay", "/", "overlay"),
                ("shm", "/dev/shm", "tmpfs"),
            ],
            &["/"],
        );
    }

    #[test]
    fn what_is_mounted_over_something_else_hides_it() {
        check(
            &[("/dev/sda1", "/mnt", "ext4"), ("tmpfs", "/mnt", "tmpfs")],
            &[],
        );
    }

    #[test]
    fn read_only_is_what_the_file_system_says_and_not_the_place() {
        let text = "36 35 8:1 / / ro,noatime - ext4 /dev/sda1 rw\n\
                    37 35 8:2 / /a\\040b ro - ext4 /dev/sda2 ro,errors=remount-ro\n\
                    broken\n38 35 8:3 / /x - \n";
        let found: Vec<_> = real(text)
            .into_iter()
            .map(|mount| (mount.point, mount.is_read_only))
            .collect();
        assert_eq!(found, [("/".to_owned(), false), ("/a b".to_owned(), true)]);
    }
}
