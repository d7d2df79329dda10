//! What Linux tells about the machine, from a few files.

use nix::sys::utsname::uname;

use super::Fixed;
use crate::collect::memory_bytes;
use crate::root::Root;

pub(super) fn host_name(root: &Root) -> Option<String> {
    line(root, "proc/sys/kernel/hostname")
}

pub(super) fn fixed(root: &Root) -> Fixed {
    let cpus = root.read("proc/cpuinfo").unwrap_or_default();
    let machine = uname()
        .ok()
        .and_then(|it| it.machine().to_str().map(str::to_owned));
    Fixed {
        kernel: line(root, "proc/sys/kernel/osrelease"),
        architecture: machine.unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        processor: processor(&cpus).or_else(|| board(root)),
        cores: cores(root),
        memory_bytes: memory_bytes(root).unwrap_or_default(),
    }
}

/// The processor's own name, where it has one: those of boards have not.
fn processor(cpus: &str) -> Option<String> {
    let name = cpus.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == "model name").then_some(value.trim())
    })?;
    // Blanks are left where names of some models are shorter than others.
    let words: Vec<&str> = name.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// Logical cores that are switched on.
pub(crate) fn cores(root: &Root) -> u32 {
    let stat = root.read("proc/stat").unwrap_or_default();
    let lines = stat.lines().take_while(|line| line.starts_with("cpu"));
    u32::try_from(lines.count().saturating_sub(1)).unwrap_or(u32::MAX)
}

fn line(root: &Root, file: &str) -> Option<String> {
    let text = root.read(file).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The name of the distribution with its version (os-release(5)).
pub(super) fn os(root: &Root) -> Option<String> {
    let text = ["etc/os-release", "usr/lib/os-release"]
        .iter()
        .find_map(|file| root.read(file).ok())?;
    pretty_name(&text)
}

/// The kernel's id of the current boot.
pub(crate) fn boot_id(root: &Root) -> Option<String> {
    line(root, "proc/sys/kernel/random/boot_id")
}

/// The model of a board, where the processor itself has no name: `Raspberry Pi 3 Model B Rev 1.2`.
fn board(root: &Root) -> Option<String> {
    let files = [
        "sys/firmware/devicetree/base/model",
        "proc/device-tree/model",
    ];
    let text = files.iter().find_map(|file| root.read(file).ok())?;
    // Strings of the device tree end with a zero byte.
    let model = text.trim_matches(['\0', '\n', ' ']);
    (!model.is_empty()).then(|| model.to_owned())
}

fn pretty_name(text: &str) -> Option<String> {
    let value = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("PRETTY_NAME="))?;
    let name = unquoted(value.trim());
    (!name.is_empty()).then_some(name)
}

/// The value without shell quotes: os-release files are shell variable assignments.
fn unquoted(value: &str) -> String {
    for quote in ['"', '\''] {
        let inner = value
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote));
        if let Some(inner) = inner {
            return match quote {
                '"' => unescaped(inner),
                _ => inner.to_owned(),
            };
        }
    }
    unescaped(value)
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pretty_name_is_read_with_and_without_quotes() {
        let check = |line: &str, expected: Option<&str>| {
            let text = format!("ID=debian\n{line}\nVERSION_ID=\"12\"\n");
            assert_eq!(pretty_name(&text).as_deref(), expected, "{line}");
        };
        check(
            "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"",
            Some("Debian GNU/Linux 12 (bookworm)"),
        );
        check(
            "PRETTY_NAME='Alpine Linux v3.20'",
            Some("Alpine Linux v3.20"),
        );
        check("PRETTY_NAME=Void", Some("Void"));
        check(r#"PRETTY_NAME="A \"fine\" one""#, Some(r#"A "fine" one"#));
        check("PRETTY_NAME=\"\"", None);
        check("NAME=\"Debian\"", None);
    }

    #[test]
    fn a_processor_is_known_by_its_name_where_it_has_one() {
        let check = |text, expected: Option<&str>| {
            assert_eq!(processor(text).as_deref(), expected, "{text}");
        };
        check(
            "processor\t: 0\nmodel\t\t: 142\nmodel name\t: Intel(R)  Core(TM) i5 \n",
            Some("Intel(R) Core(TM) i5"),
        );
        check(
            "processor\t: 0\nBogoMIPS\t: 38.40\nModel\t\t: Raspberry Pi\n",
            None,
        );
        check("model name\t:\n", None);
    }

    #[test]
    fn a_board_and_a_boot_are_read_below_the_root() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path());
        assert_eq!(
            (board(&root), boot_id(&root), os(&root)),
            (None, None, None)
        );
        let write = |file: &str, text: &str| {
            let path = root.path(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("proc/device-tree/model", "Raspberry Pi 3 Model B Rev 1.2\0");
        write("proc/sys/kernel/random/boot_id", "0b3c-1\n");
        write("usr/lib/os-release", "PRETTY_NAME=NixOS\n");
        assert_eq!(board(&root).unwrap(), "Raspberry Pi 3 Model B Rev 1.2");
        assert_eq!(boot_id(&root).unwrap(), "0b3c-1");
        assert_eq!(os(&root).unwrap(), "NixOS");
    }
}
