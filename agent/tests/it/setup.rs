//! `setup` on a terminal: what is asked, and what is written.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use netmonitor_testkit::eventually;
use nix::pty::openpty;

use crate::program::{DEADLINE, Running, agent, output};

/// The arrow down, and enter.
const DOWN: &str = "\u{1b}[B\r";

/// The arrow up, and enter.
const UP: &str = "\u{1b}[A\r";

/// The program at a terminal, and somebody who reads and types.
struct Terminal {
    child: Running,
    keyboard: File,
    screen: Arc<Mutex<String>>,
}

impl Terminal {
    fn setup(state: &Path, language: &str) -> Self {
        let pty = openpty(None, None).unwrap();
        let end = |fd: &OwnedFd| Stdio::from(fd.try_clone().unwrap());
        let mut command = agent(state, &["setup"]);
        command
            .env("LANG", language)
            .env("TERM", "xterm")
            .env_remove("LC_ALL")
            .env_remove("LC_MESSAGES")
            .env("RUST_LOG", "error")
            .stdin(end(&pty.slave))
            .stdout(end(&pty.slave))
            .stderr(end(&pty.slave));
        let child = Running::start(&mut command);
        // The command holds the terminal open, too.
        drop((command, pty.slave));
        let keyboard = File::from(pty.master);
        let screen = Arc::new(Mutex::new(String::new()));
        let (mut reader, shown) = (keyboard.try_clone().unwrap(), screen.clone());
        std::thread::spawn(move || {
            let mut buffer = [0; 1024];
            // The terminal is closed when the program ends.
            while let Ok(read @ 1..) = reader.read(&mut buffer) {
                let text = String::from_utf8_lossy(&buffer[..read]);
                shown.lock().unwrap().push_str(&text);
            }
        });
        Self {
            child,
            keyboard,
            screen,
        }
    }

    /// Waits for a question, and answers it.
    fn answer(&mut self, question: &str, keys: &str) {
        eventually(question, DEADLINE, || {
            self.screen.lock().unwrap().contains(question)
        });
        self.screen.lock().unwrap().clear();
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Says no to what only root is asked, and waits for the end.
    fn end(mut self, install: &str) {
        let mut code = None;
        eventually("setup ends", Duration::from_mins(1), || {
            if self.screen.lock().unwrap().contains(install) {
                self.answer(install, DOWN);
            }
            code = self.child.exit_code();
            code.is_some()
        });
        assert_eq!(code, Some(0));
    }
}

#[test]
fn everything_that_the_agent_needs_is_asked_and_written_and_can_be_changed_later() {
    let state = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::setup(state.path(), "en_GB.UTF-8");
    terminal.answer("Join code", "http://pi\r");
    terminal.answer("neither a join code nor a URL", "\u{15}mqtt://pi:1884\r");
    terminal.answer("MQTT user", "ws-14\r");
    terminal.answer("Password", "s3cret\r");
    terminal.answer("Time between", "\u{15}10s\r");
    // The first of the list.
    terminal.answer("Services to watch", " \r");
    terminal.answer("Show notifications", DOWN);
    terminal.end("Start the agent now");
    let text = std::fs::read_to_string(state.path().join("agent.toml")).unwrap();
    for line in [
        "interval_secs = 10.0",
        "enabled = false",
        "url = \"mqtt://pi:1884\"",
        "user = \"ws-14\"",
        "password_file = \"broker.password\"",
    ] {
        assert!(text.contains(line), "{line} is missing in: {text}");
    }
    let watched = text
        .lines()
        .find(|line| line.starts_with("watch = [\""))
        .unwrap();
    assert!(!text.contains("s3cret"));
    let password = std::fs::read_to_string(state.path().join("broker.password")).unwrap();
    assert_eq!(password, "s3cret");

    // The second time what is there is offered; French, and one that is gone is unticked.
    let with_one_more = watched.replace("watch = [", "watch = [\"aa-gone\", ");
    std::fs::write(
        state.path().join("agent.toml"),
        text.replace(watched, &with_one_more),
    )
    .unwrap();
    let mut terminal = Terminal::setup(state.path(), "fr_FR.UTF-8");
    terminal.answer("est rattachée à mqtt://pi:1884", "\r");
    terminal.answer("Intervalle entre deux mesures", "\r");
    terminal.answer("aa-gone (n’est plus sur cette machine)", " \r");
    terminal.answer("Afficher les notifications", UP);
    terminal.end("Démarrer l’agent maintenant");
    let text = std::fs::read_to_string(state.path().join("agent.toml")).unwrap();
    assert!(
        text.contains(watched) && !text.contains("aa-gone"),
        "{text}"
    );
    assert!(text.contains("interval_secs = 10.0") && text.contains("enabled = true"));
}

#[test]
fn without_a_terminal_it_says_what_to_do() {
    let state = tempfile::tempdir().unwrap();
    let (code, _, stderr) = output(&mut agent(state.path(), &["setup"]));
    assert_eq!(code, Some(1));
    assert!(
        stderr.contains("needs a terminal") && stderr.contains("agent.toml"),
        "{stderr}"
    );
}
