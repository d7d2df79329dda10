//! Runs `npm ci` when the lock file has changed, and `vite build`.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use sha2::{Digest, Sha256};

const NO_NODE: &str = "install Node 20.19 or newer, or set NETMONITOR_WEB_DIST to a built UI";

/// The oldest Node that Vite runs on.
const OLDEST_NODE: (u32, u32) = (20, 19);

/// Builds the UI in `web` into `dist`.
pub(crate) fn build(web: &Path, dist: &Path) -> Result<(), String> {
    check_node()?;
    // Two builds (an editor's and a terminal's) must not install into one folder at once.
    let modules = web.join("node_modules");
    fs::create_dir_all(&modules).map_err(|error| cannot("create", &modules, &error))?;
    let lock = lock(&web.join(".install.lock"))?;
    install(web, &modules)?;
    let built = run(
        Command::new(if cfg!(windows) { "node.exe" } else { "node" })
            .arg(modules.join("vite/bin/vite.js"))
            .args(["build", "--emptyOutDir", "--logLevel", "warn", "--outDir"])
            .arg(dist)
            .env("NETMONITOR_VERSION", env!("CARGO_PKG_VERSION"))
            .current_dir(web),
    );
    drop(lock);
    built
}

fn check_node() -> Result<(), String> {
    let output = Command::new("node")
        .arg("--version")
        .output()
        .map_err(|_| NO_NODE.to_owned())?;
    let text = String::from_utf8_lossy(&output.stdout);
    match parse_version(&text) {
        Some(version) if version >= OLDEST_NODE => Ok(()),
        _ => Err(format!("{NO_NODE} (found {})", text.trim())),
    }
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().strip_prefix('v')?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn lock(path: &Path) -> Result<File, String> {
    let file = File::create(path).map_err(|error| cannot("create", path, &error))?;
    file.lock().map_err(|error| cannot("lock", path, &error))?;
    Ok(file)
}

/// `npm ci`, unless the stamp says that this very lock file is installed.
fn install(web: &Path, modules: &Path) -> Result<(), String> {
    let lock_file = web.join("package-lock.json");
    let lock = fs::read(&lock_file).map_err(|error| cannot("read", &lock_file, &error))?;
    let hash = Sha256::digest(&lock)
        .iter()
        .fold(String::new(), |mut hex, byte| {
            // Writing to a String cannot fail.
            _ = write!(hex, "{byte:02x}");
            hex
        });
    let stamp = modules.join(".netmonitor-lock-hash");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == hash) {
        return Ok(());
    }
    run(Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
        .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(web))?;
    fs::write(&stamp, hash).map_err(|error| cannot("write", &stamp, &error))
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command
        .output()
        .map_err(|error| format!("cannot run {command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    // One line: Cargo reads instructions by line.
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).replace('\n', " | ");
    Err(format!("{command:?} failed: {said}"))
}

fn cannot(verb: &str, path: &Path, error: &std::io::Error) -> String {
    format!("cannot {verb} {}: {error}", path.display())
}
