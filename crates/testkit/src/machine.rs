//! A machine of a test's own: a whole systemd, as the first process of namespaces of its own, over
//! an overlay of this machine's files. Nothing that happens there is seen outside, and it goes with
//! its owner. It shares this machine's network. Needs root.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::eventually::{eventually, eventually_some};

/// How long it may take to start.
const BOOT_WITHIN: Duration = Duration::from_mins(1);

/// Makes the namespaces, a control group, and the overlay, in the folder that is its argument; then
/// it is systemd. What would reach beyond the namespaces is masked.
const BOOT: &str = r#"
set -eu
place=$1
groups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
mkdir "$groups/$(basename "$place")"
echo $$ > "$groups/$(basename "$place")/cgroup.procs"
# It ends with the test, however that ends.
exec setpriv --pdeathsig KILL unshare --pid --mount --fork --kill-child --cgroup --uts --ipc sh -euc '
    mount -t tmpfs tmpfs "$1"
    mkdir "$1/upper" "$1/work" "$1/root"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
    cd "$1/root"
    mount -t proc proc proc
    mount --rbind /sys sys
    mount --rbind /dev dev
    mount -t tmpfs tmpfs run
    mount -t tmpfs tmpfs tmp
    umount -R sys/fs/cgroup
    mount -t cgroup2 cgroup2 sys/fs/cgroup
    mkdir -p run/lock etc/systemd/system
    for unit in systemd-sysctl.service systemd-modules-load.service systemd-binfmt.service \
        proc-sys-fs-binfmt_misc.automount systemd-udevd.service systemd-udev-trigger.service \
        systemd-random-seed.service systemd-update-utmp.service systemd-tmpfiles-setup-dev.service; do
        ln -sf /dev/null "etc/systemd/system/$unit"
    done
    exec env -i container=other PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        chroot . /lib/systemd/systemd --system --unit=basic.target --log-target=null
' - "$place"
"#;

/// A machine that runs. Dropping it ends everything in it.
#[derive(Debug)]
pub struct Machine {
    place: TempDir,
    outer: Child,
    /// Its first process, as it is numbered here.
    first: u32,
}

impl Machine {
    /// Starts it, with the system bus.
    ///
    /// # Panics
    ///
    /// If it does not start: without root, or without overlays or control groups of version 2.
    pub fn boot() -> Self {
        let place = tempfile::Builder::new()
            .prefix("machine-")
            .tempdir()
            .expect("there is room for a folder");
        let mut outer = Command::new("sh")
            .args(["-c", BOOT, "-"])
            .arg(place.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("there is a shell");
        let number = outer.id();
        let first = eventually_some("the machine has a first process", BOOT_WITHIN, || {
            if let Ok(Some(status)) = outer.try_wait() {
                panic!("the machine does not start ({status}): it needs root");
            }
            // Before that the shell has children of its own.
            let name = std::fs::read_to_string(format!("/proc/{number}/comm")).ok()?;
            if name.trim() != "unshare" {
                return None;
            }
            let children = format!("/proc/{number}/task/{number}/children");
            let children = std::fs::read_to_string(children).ok()?;
            children.split_whitespace().next()?.parse().ok()
        });
        let machine = Self {
            place,
            outer,
            first,
        };
        // Whoever starts something while it boots may wait for ever.
        eventually("systemd runs in the machine", BOOT_WITHIN, || {
            let output = machine.brief("systemctl").arg("is-system-running").output();
            let state = output.map(|it| it.stdout).unwrap_or_default();
            // Something of this machine may not work there, such as a mount.
            matches!(state.trim_ascii(), b"running" | b"degraded")
        });
        let bus = ["start", "--no-block", "dbus.socket", "dbus.service"];
        machine.told("systemctl", &bus);
        eventually("systemd is on the bus of the machine", BOOT_WITHIN, || {
            machine.does("busctl", &["status", "org.freedesktop.systemd1"])
        });
        machine
    }

    /// A program in the machine.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        let first = self.first.to_string();
        command
            .args(["--target", &first, "--mount", "--pid", "--uts", "--ipc"])
            .args(["--cgroup", "--root", "--wdns=/", program])
            .stdin(Stdio::null());
        command
    }

    /// A program that is ended if it does not end soon by itself.
    fn brief(&self, program: &str) -> Command {
        let mut command = self.command("timeout");
        command.args(["5", program]);
        command
    }

    /// Runs it to its end, within five seconds: whether that was good.
    pub fn does(&self, program: &str, arguments: &[&str]) -> bool {
        let mut command = self.command(program);
        command
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    /// Runs it to its end: what it prints.
    ///
    /// # Panics
    ///
    /// If it fails, with what it says.
    pub fn told(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.command(program).args(arguments).output();
        let output = output.expect("there is nsenter");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        assert!(
            output.status.success(),
            "{program} {arguments:?}: {}{}",
            text(output.stdout),
            text(output.stderr)
        );
        text(output.stdout)
    }

    /// A file of the machine, as it is reached from here.
    pub fn path(&self, file: &str) -> PathBuf {
        let root = format!("/proc/{}/root", self.first);
        PathBuf::from(root).join(file.trim_start_matches('/'))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.outer.kill();
        let _gone = self.outer.wait();
        let name = self.place.path().file_name().unwrap_or_default();
        let remove = r#"groups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
            for round in 1 2 3 4 5 6 7 8 9 10; do
                find "$groups/$1" -depth -type d -exec rmdir {} + 2>/dev/null && exit
                sleep 0.1
            done"#;
        let mut command = Command::new("sh");
        command.args(["-c", remove, "-"]).arg(name);
        let _left = command.status();
    }
}
