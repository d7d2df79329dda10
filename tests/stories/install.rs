//! A machine gets its agent from the hub, with the line that the dashboard shows.

use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use netmonitor_testkit::eventually;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::DEADLINE;
use crate::support::hub::{Home, Hub};
use crate::support::process::{Ended, output};
use netmonitor_testkit::http::Client;

/// In place of the agent: it writes down what it was asked to do.
const AGENT: &str = r#"#!/bin/sh
for argument; do printf '[%s]' "$argument"; done >>"$CALLS"
echo >>"$CALLS"
"#;

/// A hub with an admin, and an agent for one kind of machine.
fn hub_with_agent() -> Hub {
    let home = Home::quick();
    home.write("agents/x86_64-linux", AGENT);
    let hub = Hub::start_in(&home, &["--no-agent"]);
    make_admin(&home);
    hub
}

fn make_admin(home: &Home) {
    let add = ["user", "add", "anna", "--role", "admin", "--password-stdin"];
    let added = home.admin_with(&add, "a long password\n");
    assert_eq!(added.code, Some(0), "{}", added.stderr);
}

fn join_code(admin: &Client) -> Value {
    let made = admin.post("/api/v1/join-codes", &json!({}));
    assert_eq!(made.status, 200, "{}", made.body);
    made.json()
}

/// A new machine. It only says that it is one, and that its user is root.
struct Machine(TempDir);

impl Machine {
    fn of_kind(kind: &str) -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        for folder in ["bin", "tmp", "here"] {
            fs::create_dir(machine.path(folder)).unwrap();
        }
        let uname = format!("case $1 in -m) echo {kind} ;; *) echo Linux ;; esac");
        machine.has("uname", &uname);
        machine.has("getconf", "echo 64");
        machine.has("id", "echo 0");
        machine.has("sudo", "exec \"$@\"");
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Puts a program before those that there are.
    fn has(&self, name: &str, script: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    }

    /// Leaves it nothing but what busybox has as well.
    fn is_small(&self) {
        fs::remove_file(self.path("bin/sudo")).unwrap();
        for name in [
            "cat",
            "chmod",
            "mktemp",
            "rm",
            "sh",
            "sha256sum",
            "tail",
            "wget",
        ] {
            let whole = format!("/usr/bin/{name}");
            std::os::unix::fs::symlink(whole, self.path("bin").join(name)).unwrap();
        }
    }

    /// Runs a line as it would be pasted.
    fn paste(&self, line: &str) -> Ended {
        // A small one has nothing else.
        let others = if self.path("bin/wget").exists() {
            ""
        } else {
            ":$PATH"
        };
        let line = format!("PATH={}{others}; {line}", self.path("bin").display());
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &line])
            .current_dir(self.path("here"))
            .env("TMPDIR", self.path("tmp"))
            .env("CALLS", self.path("calls"));
        for proxy in ["http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY"] {
            shell.env_remove(proxy);
        }
        output(&mut shell, "")
    }

    /// What the agent was asked to do, and fails if anything else was left behind.
    fn calls(&self) -> String {
        assert_eq!(fs::read_dir(self.path("tmp")).unwrap().count(), 0);
        fs::read_to_string(self.path("calls")).unwrap_or_default()
    }

    /// Fails unless that was refused in one line, for this reason, and nothing was run.
    fn assert_refused(&self, ended: &Ended, reason: &str) {
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(ended.stderr.contains(reason), "{}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        assert_eq!(self.calls(), "");
    }
}

/// The script as the hub tells it now.
fn script(hub: &Hub, machine: &Machine) {
    let script = hub.anybody().get("/api/v1/agents/install.sh");
    assert_eq!(script.status, 200, "{}", script.body);
    assert_eq!(script.header("content-type"), "text/x-shellscript");
    fs::write(machine.path("here/script"), script.body).unwrap();
}

#[test]
fn the_pasted_line_gets_the_agent_and_has_it_install_itself_with_the_code() {
    let hub = hub_with_agent();
    let made = join_code(&hub.client("admin"));
    let code = made["code"].as_str().unwrap();
    let line = made["install_command"].as_str().unwrap();

    let machine = Machine::of_kind("x86_64");
    let ended = machine.paste(line);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let expected = format!("[--version]\n[install][{code}]\n");
    assert_eq!(machine.calls(), expected);

    // A small system has no curl, and no sudo for root.
    let small = Machine::of_kind("x86_64");
    small.is_small();
    let ended = small.paste(line);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(small.calls(), expected);

    // With more for the agent, and over TLS with the certificate that the machine does not know.
    let named = Machine::of_kind("x86_64");
    script(&hub, &named);
    let https = format!("https://127.0.0.1:{}/", hub.port("https"));
    let ended = named.paste(&format!("sh script {https} {code} --name 'Front desk'"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let expected = format!("[--version]\n[install][{code}][--name][Front desk]\n");
    assert_eq!(named.calls(), expected);
}

#[test]
fn nothing_is_run_that_is_not_what_the_hub_had_when_the_line_was_made() {
    let hub = hub_with_agent();
    let machine = Machine::of_kind("x86_64");
    script(&hub, &machine);
    let base = format!("http://127.0.0.1:{}", hub.port("http"));
    let made = join_code(&hub.client("admin"));
    let line = made["install_command"].as_str().unwrap();

    let other = format!("{AGENT}echo tampered\n");
    hub.home.write("agents/x86_64-linux", &other);
    let ended = machine.paste(&format!("sh script {base} nm1-code"));
    machine.assert_refused(&ended, "is not the agent that belongs to this script");
    // The script is another one, too: the line does not even begin.
    let ended = machine.paste(line);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(
        ended.stdout.contains("nm-install.sh: FAILED"),
        "{}",
        ended.stdout
    );
    assert_eq!(machine.calls(), "");
}

#[test]
fn a_machine_that_cannot_have_the_agent_is_told_why_in_one_line() {
    let hub = hub_with_agent();
    let base = format!("http://127.0.0.1:{}", hub.port("http"));
    let strange = Machine::of_kind("riscv64");
    script(&hub, &strange);
    let ended = strange.paste(&format!("sh script {base} nm1-code"));
    strange.assert_refused(&ended, "no agent for riscv64-linux, only for: x86_64-linux");

    let machine = Machine::of_kind("x86_64");
    script(&hub, &machine);
    let refused = |arguments: &str, reason: &str| {
        let ended = machine.paste(&format!("sh script {arguments}"));
        machine.assert_refused(&ended, reason);
    };
    refused("", "a join code are missing");
    refused("127.0.0.1:8080 nm1-code", "no address of a hub");
    // Nobody listens there any more.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nowhere = gone.local_addr().unwrap();
    drop(gone);
    refused(
        &format!("http://{nowhere} nm1-code"),
        "could not be got from",
    );
    machine.has("id", "echo 1000");
    refused(&format!("{base} nm1-code"), "run this as root");
}

#[test]
fn an_agent_that_does_not_run_there_is_not_installed() {
    let home = Home::quick();
    home.write("agents/x86_64-linux", "#!/no/such/loader\n");
    let hub = Hub::start_in(&home, &["--no-agent"]);
    make_admin(&home);
    let machine = Machine::of_kind("x86_64");
    script(&hub, &machine);
    let base = format!("http://127.0.0.1:{}", hub.port("http"));
    let ended = machine.paste(&format!("sh script {base} nm1-code"));
    machine.assert_refused(&ended, "the agent does not run here");
}

#[test]
fn nothing_is_handed_out_before_the_hub_is_set_up() {
    let home = Home::quick();
    home.write("agents/x86_64-linux", AGENT);
    let hub = Hub::start_in(&home, &["--no-agent"]);
    for path in ["/api/v1/agents/install.sh", "/api/v1/agents/x86_64-linux"] {
        let detail = hub.anybody().get(path).problem(403);
        assert!(detail.contains("setup link"), "{detail}");
    }
    let admin = hub.client("admin");
    assert!(join_code(&admin).get("install_command").is_none());
    make_admin(&home);
    assert!(join_code(&admin)["install_command"].is_string());
}

#[test]
fn only_agents_are_handed_out_and_the_hub_says_which_there_are() {
    let hub = hub_with_agent();
    let anybody = hub.anybody();
    let path = "/api/v1/agents/x86_64-linux";
    let answer = anybody.get(path);
    assert_eq!((answer.status, answer.body.as_str()), (200, AGENT));
    assert_eq!(answer.header("content-type"), "application/octet-stream");
    let length = AGENT.len().to_string();
    assert_eq!(answer.header("content-length"), length);
    let head = anybody.ask("HEAD", path, None);
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(head.header("content-length"), length);
    let post = anybody.post(path, &json!({}));
    post.problem(405);
    assert_eq!(post.header("allow"), "GET");

    for name in [
        "aarch64-linux",
        "pdp11-unix",
        "..%2Fhub.db",
        "..%2f..%2f..%2f..%2fetc%2fpasswd",
        "%2Fetc%2Fpasswd",
        "x86_64-linux%00",
        "x86_64-linux%2F.",
    ] {
        let detail = anybody.get(&format!("/api/v1/agents/{name}")).problem(404);
        assert!(detail.contains("only for x86_64-linux. To add"), "{detail}");
    }

    anybody.get("/api/v1/agents").problem(401);
    let listed = hub.client("viewer").read("/api/v1/agents");
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{listed}");
    assert_eq!(items[0]["target"], "x86_64-linux");
    assert_eq!(items[0]["bytes"], AGENT.len());
}

/// Asks for the agent, and reads no more than the beginning of the answer.
fn begin(hub: &Hub) -> (String, TcpStream) {
    let mut stream = TcpStream::connect(hub.address("http")).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let ask = "GET /api/v1/agents/x86_64-linux HTTP/1.1\r\nHost: hub\r\n\r\n";
    stream.write_all(ask.as_bytes()).unwrap();
    let mut beginning = [0; 15];
    stream.read_exact(&mut beginning).unwrap();
    (String::from_utf8_lossy(&beginning).into_owned(), stream)
}

fn agent_of_size(path: &Path, bytes: u64) {
    let file = fs::File::create(path).unwrap();
    file.set_len(bytes).unwrap();
}

#[test]
fn machines_that_are_too_many_wait_and_one_that_got_a_part_knows() {
    const BYTES: u64 = 64 * 1024 * 1024;
    let hub = hub_with_agent();
    let path = hub.home.path().join("agents/x86_64-linux");
    agent_of_size(&path, BYTES);

    let mut served = Vec::new();
    for _ in 0..8 {
        let (beginning, stream) = begin(&hub);
        assert_eq!(beginning, "HTTP/1.1 200 OK");
        served.push(stream);
    }
    for path in ["/api/v1/agents/x86_64-linux", "/api/v1/agents/install.sh"] {
        let refused = hub.anybody().get(path);
        refused.problem(503);
        assert_eq!(refused.header("retry-after"), "5");
    }

    // It is cut short while it is sent: less comes than was announced, and then the end.
    let mut one = served.pop().unwrap();
    agent_of_size(&path, 0);
    let mut rest = Vec::new();
    let ended = one.read_to_end(&mut rest);
    assert!(ended.is_err() || (rest.len() as u64) < BYTES, "{ended:?}");
    drop((one, served));
    eventually("others have their turn", DEADLINE, || {
        hub.anybody().get("/api/v1/agents/install.sh").status == 200
    });
}
