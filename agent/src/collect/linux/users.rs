//! Who is logged in: the sessions of systemd-logind or elogind, from the files in which both keep
//! them for `sd_session_get_user(3)`.

use std::collections::BTreeSet;
use std::time::Instant;

use super::super::{Collector, Part};
use super::sysfs;
use crate::root::Root;

struct Users {
    root: Root,
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every collector opens in the same way"
)]
pub(super) fn open(root: &Root) -> anyhow::Result<Box<dyn Collector>> {
    Ok(Box::new(Users { root: root.clone() }))
}

impl Collector for Users {
    fn read(&mut self, _now: Instant) -> anyhow::Result<Part> {
        let folder = self.root.path("run/systemd/sessions");
        if !folder.exists() {
            return Ok(Part::Nothing);
        }
        let users: BTreeSet<String> = sysfs::entries(&folder)
            .into_iter()
            // Beside each session is a pipe: whoever reads it waits until the session ends.
            .filter(|(_, path)| path.is_file())
            .filter_map(|(_, path)| user(&sysfs::text(&path)?).map(str::to_owned))
            .collect();
        Ok(Part::Users(users.into_iter().collect()))
    }
}

/// The user of a session of a person that has not ended.
fn user(text: &str) -> Option<&str> {
    let field = |key: &str| {
        let mut lines = text.lines();
        lines.find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
    };
    let is_person = field("CLASS").is_none_or(|class| class.starts_with("user"));
    let is_open = field("STATE") != Some("closing");
    field("USER").filter(|name| is_person && is_open && !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_logged_in_and_the_login_screen_is_not() {
        let text = "# This is private data. Do not parse.\nUID=1000\nUSER=ada\nACTIVE=1\n\
                    STATE=active\nREMOTE=0\nTYPE=wayland\nCLASS=user\n";
        assert_eq!(user(text), Some("ada"));
        let greeter = text.replace("CLASS=user", "CLASS=greeter");
        assert_eq!(user(&greeter), None);
        let closing = text.replace("STATE=active", "STATE=closing");
        assert_eq!(user(&closing), None);
        assert_eq!(user(""), None);
    }
}
