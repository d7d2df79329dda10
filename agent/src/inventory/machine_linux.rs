//! What only Linux tells about the machine, from a few files.

use crate::root::Root;

/// The name of the distribution with its version (os-release(5)).
pub(super) fn os(root: &Root) -> Option<String> {
    let text = ["etc/os-release", "usr/lib/os-release"]
        .iter()
        .find_map(|file| root.read(file).ok())?;
    pretty_name(&text)
}

/// The kernel's id of the current boot.
pub(crate) fn boot_id(root: &Root) -> Option<String> {
    let text = root.read("proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().to_owned()).filter(|id| !id.is_empty())
}

/// The model of a board, where the processor itself has no name: `Raspberry Pi 3 Model B Rev 1.2`.
pub(super) fn board(root: &Root) -> Option<String> {
    let text = root.read("proc/device-tree/model").ok()?;
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
