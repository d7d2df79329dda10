//! Networks that a story makes: machines apart from each other and from everything else (Linux
//! network namespaces), with cables between them. Needs root, `ip` (iproute2) and `nft`
//! (nftables); nothing of it touches the network of the machine that runs the story.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A machine with a network of its own: processes run in it as on any other.
#[derive(Debug, Clone)]
pub(crate) struct Machine(Arc<Namespace>);

#[derive(Debug)]
struct Namespace(String);

impl Machine {
    /// Without any cable.
    pub(crate) fn new(role: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        assert!(
            nix::unistd::geteuid().is_root(),
            "this story makes network namespaces: run it as root"
        );
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("nm-{}-{number}-{role}", std::process::id());
        run(&["ip", "netns", "add", &name]);
        let machine = Self(Arc::new(Namespace(name)));
        machine.ip(&["link", "set", "lo", "up"]);
        machine
    }

    /// The same program, run on this machine.
    pub(crate) fn inside(&self, command: &Command) -> Command {
        let mut inside = Command::new("nsenter");
        inside
            .arg(format!("--net=/run/netns/{}", self.0.0))
            .arg(command.get_program())
            .args(command.get_args())
            .stdin(Stdio::null());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        inside
    }

    /// Changes its network, as `ip ARGUMENTS` does.
    pub(crate) fn ip(&self, arguments: &[&str]) {
        run(&[&["ip", "-netns", &self.0.0], arguments].concat());
    }

    /// Puts a cable between port `port` here, and port `other_port` of the other machine.
    pub(crate) fn wire(&self, port: &str, other: &Self, other_port: &str) {
        let peer = [
            "type", "veth", "peer", "name", other_port, "netns", &other.0.0,
        ];
        self.ip(&[&["link", "add", port], &peer[..]].concat());
        self.ip(&["link", "set", port, "up"]);
        other.ip(&["link", "set", other_port, "up"]);
    }

    /// Gives a port an address.
    pub(crate) fn address(&self, port: &str, address: &str) {
        self.ip(&["address", "add", address, "dev", port]);
    }

    /// Takes the address from the port.
    pub(crate) fn no_address(&self, port: &str, address: &str) {
        self.ip(&["address", "del", address, "dev", port]);
    }

    /// Pulls the cable out of a port: whoever is at the other end hears nothing more.
    pub(crate) fn cut(&self, port: &str) {
        self.ip(&["link", "set", port, "down"]);
    }

    /// Puts the cable back.
    pub(crate) fn mend(&self, port: &str) {
        self.ip(&["link", "set", port, "up"]);
    }

    /// Makes it a router that passes packets on.
    pub(crate) fn forward(&self) {
        self.run(&["sysctl", "-qw", "net.ipv4.ip_forward=1"]);
    }

    /// Has connections to a port of one of its addresses end at another machine: a forwarded
    /// port, as home routers have it (DNAT).
    pub(crate) fn forward_port(&self, address: &str, port: &str, to: &str) {
        self.run(&["nft", "add table ip nat"]);
        self.run(&[
            "nft",
            "add chain ip nat prerouting { type nat hook prerouting priority dstnat; }",
        ]);
        let rule =
            format!("add rule ip nat prerouting ip daddr {address} tcp dport {port} dnat to {to}");
        self.run(&["nft", &rule]);
    }

    fn run(&self, line: &[&str]) {
        let mut command = Command::new(line[0]);
        check(self.inside(command.args(&line[1..])));
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // What still runs in it keeps it until its end; its name is gone.
        let _gone = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

fn run(line: &[&str]) {
    let mut command = Command::new(line[0]);
    command.args(&line[1..]);
    check(command);
}

fn check(mut command: Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
