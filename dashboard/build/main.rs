//! Builds the web UI with Node and says where the result lies, so that `src/lib.rs` embeds it.
//!
//! `NETMONITOR_WEB_DIST` names a built UI and needs no Node; the feature `prebuilt` means
//! `web/dist` (or that variable).

#![expect(
    clippy::print_stdout,
    reason = "this is how a build script speaks to Cargo"
)]

mod npm;

use std::path::{Path, PathBuf};
use std::{env, fs};

/// What the UI is made from. Only sources: a generated file below a watched folder
/// would build for ever.
const SOURCES: [&str; 9] = [
    "src",
    "public",
    "build",
    "index.html",
    "package.json",
    "package-lock.json",
    "svelte.config.js",
    "tsconfig.json",
    "vite.config.ts",
];

fn main() {
    println!("cargo::rerun-if-env-changed=NETMONITOR_WEB_DIST");
    match dist() {
        Ok(dist) => println!(
            "cargo::rustc-env=NETMONITOR_WEB_EMBEDDED={}",
            dist.display()
        ),
        Err(error) => println!("cargo::error={error}"),
    }
}

fn dist() -> Result<PathBuf, String> {
    let web = folder_of("CARGO_MANIFEST_DIR")?.join("web");
    if let Some(dist) = env::var_os("NETMONITOR_WEB_DIST") {
        return prebuilt(Path::new(&dist));
    }
    if env::var_os("CARGO_FEATURE_PREBUILT").is_some() {
        return prebuilt(&web.join("dist"));
    }
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", web.join(source).display());
    }
    let dist = folder_of("OUT_DIR")?.join("web");
    npm::build(&web, &dist)?;
    Ok(dist)
}

fn prebuilt(dist: &Path) -> Result<PathBuf, String> {
    println!("cargo::rerun-if-changed={}", dist.display());
    let dist = fs::canonicalize(dist)
        .map_err(|error| format!("no built UI in {}: {error}", dist.display()))?;
    if dist.join("index.html").is_file() {
        Ok(dist)
    } else {
        Err(format!("no index.html in {}", dist.display()))
    }
}

fn folder_of(variable: &str) -> Result<PathBuf, String> {
    env::var_os(variable)
        .map(PathBuf::from)
        .ok_or_else(|| format!("Cargo did not set {variable}"))
}
