//! The same access in mosquitto's form (`mosquitto.conf(5)`, `acl_file`), so that a mosquitto may
//! take the place of the embedded broker.

use std::fmt::Write as _;

use super::{Principal, Role, is_service};
use crate::ids::JoinRequestId;
use crate::topics::{Kind, Party, Row, SYS_ROOT, TOPICS};

/// The first line of every such file: whoever writes it anew knows by it that it may.
pub const MARK: &str = "# Written by `netmonitor export-mosquitto`. Changes here are lost.";

/// A name or filter that mosquitto's form has no way to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot be written into a mosquitto ACL file: it has control characters, or blanks at its ends"
)]
pub struct Unwritable(pub String);

/// The file. Each user has lines of its own: mosquitto's `pattern` lines hold for every user, and
/// would let a reader write the topics of a device of its name.
///
/// With `with_join` machines may ask to be enrolled. That takes `pattern` lines, since all of
/// them connect as one user and must not read each other's answers: then every client may ask
/// under its own client id. The answer still depends on the token in the question.
pub fn mosquitto_acl(principals: &[&Principal], with_join: bool) -> Result<String, Unwritable> {
    let mut text = format!("{MARK}\n");
    if with_join {
        text.push_str("\n# A machine with a join code asks under its client id.\n");
        for (access, kind) in [("write", Kind::JoinRequest), ("read", Kind::JoinReply)] {
            line(&mut text, "pattern", access, &joiners(kind.row()))?;
        }
    }
    for principal in principals {
        text.push('\n');
        line(&mut text, "user", "", &principal.user)?;
        if let Some(role) = &principal.role {
            if role.reads_sys() {
                line(&mut text, "topic", "read", &format!("{SYS_ROOT}/#"))?;
            }
            for row in TOPICS {
                let (write, read) = (role.written(row), role.reads_row(row));
                let read = read.then(|| role.narrowed(row));
                match (write, read) {
                    (Some(write), Some(read)) if write == read => {
                        line(&mut text, "topic", "readwrite", &write)?;
                    }
                    (write, read) => {
                        for (access, filter) in [("write", write), ("read", read)] {
                            if let Some(filter) = filter {
                                line(&mut text, "topic", access, &filter)?;
                            }
                        }
                    }
                }
            }
        }
        for filter in &principal.own.publish {
            line(&mut text, "topic", "write", filter)?;
        }
        for filter in &principal.own.subscribe {
            line(&mut text, "topic", "read", filter)?;
        }
    }
    Ok(text)
}

/// Whether mosquitto's files have a way to write this name or filter.
fn is_writable(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && !text.chars().any(char::is_control)
}

fn line(text: &mut String, what: &str, access: &str, subject: &str) -> Result<(), Unwritable> {
    if !is_writable(subject) {
        return Err(Unwritable(subject.to_owned()));
    }
    let gap = if access.is_empty() { "" } else { " " };
    // Writing to a String cannot fail.
    let _infallible = writeln!(text, "{what}{gap}{access} {subject}");
    Ok(())
}

/// mosquitto puts the client id in place of `%c`, which is the request's id.
fn joiners(row: &Row) -> String {
    let any = Role::Joiner(JoinRequestId::from_bits(0));
    any.narrowed(row)
        .replace(JoinRequestId::from_bits(0).as_str(), "%c")
}

impl Role {
    /// The filter below which the role writes topics of this row, if it does.
    fn written(&self, row: &Row) -> Option<String> {
        let is_source = row.from.iter().any(|party| match (self, party) {
            (Self::Agent(_), Party::Agent)
            | (Self::Joiner(_), Party::Joiner)
            | (Self::Operator, Party::Operators)
            | (Self::Service(_), Party::Services) => true,
            (Self::Service(own), party) => is_service(*party, *own),
            _ => false,
        });
        let filter = self.narrowed(row);
        is_source.then(|| match self {
            // Each service reports on itself alone.
            Self::Service(own) if row.pattern.contains("{name}") => {
                format!("{}/{}", row.root, row.pattern).replace("{name}", own.as_str())
            }
            _ => filter,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{OwnFilters, filter_matches};
    use super::*;
    use crate::ids::ServiceName;
    use crate::topic::tests::examples;

    fn principal(user: &str, role: Option<Role>) -> Principal {
        Principal {
            user: user.to_owned(),
            role,
            own: OwnFilters::default(),
        }
    }

    /// What mosquitto makes of the lines of a user.
    fn allows(acl: &str, user: &str, wanted: &str, topic: &str) -> bool {
        let mut current = "";
        acl.lines().any(|line| {
            let words: Vec<&str> = line.splitn(3, ' ').collect();
            match words.as_slice() {
                ["user", name] => current = name,
                ["topic", access, filter] if current == user => {
                    let fits = *access == wanted || *access == "readwrite";
                    return fits && filter_matches(filter, topic);
                }
                _ => {}
            }
            false
        })
    }

    #[test]
    fn mosquitto_lets_through_exactly_what_the_table_allows() {
        let mut all: Vec<Principal> = ServiceName::ALL
            .into_iter()
            .map(|service| principal(&service.mqtt_user(), Some(Role::Service(service))))
            .collect();
        all.extend(["ws-14", "ws-15"].map(|id| {
            let role = Role::Agent(id.parse().unwrap());
            principal(id, Some(role))
        }));
        all.push(principal("reader", Some(Role::Reader)));
        all.push(principal("operator", Some(Role::Operator)));
        let mut things = principal("things", None);
        things.own.publish.push("zigbee/+/set".to_owned());
        things.own.subscribe.push("zigbee/#".to_owned());
        all.push(things);
        let acl = mosquitto_acl(&all.iter().collect::<Vec<_>>(), true).unwrap();
        let topics = examples().into_iter().map(|topic| topic.to_string());
        let foreign = ["zigbee/lamp/set", "zigbee/lamp", "other", "netmonitor/v1"];
        let sys = format!("{SYS_ROOT}/uptime");
        for topic in topics.chain(foreign.map(str::to_owned)).chain([sys]) {
            for who in &all {
                let user = &who.user;
                let (write, read) = (who.may_publish(&topic), who.may_receive(&topic));
                assert_eq!(allows(&acl, user, "write", &topic), write, "{user} {topic}");
                assert_eq!(allows(&acl, user, "read", &topic), read, "{user} {topic}");
            }
        }
    }

    #[test]
    fn machines_that_join_reach_their_own_request_and_only_while_they_may() {
        let acl = mosquitto_acl(&[], true).unwrap();
        let patterns: Vec<&str> = acl.lines().filter(|it| it.starts_with("pattern")).collect();
        let root = crate::topics::PRIVATE_ROOT;
        assert_eq!(
            patterns,
            [
                format!("pattern write {root}/join/%c/request"),
                format!("pattern read {root}/join/%c/reply"),
            ]
        );
        assert!(!mosquitto_acl(&[], false).unwrap().contains("pattern"));
    }

    #[test]
    fn a_filter_cannot_bring_lines_of_its_own() {
        let mut who = principal("things", None);
        who.own.subscribe.push("a\nuser service-api".to_owned());
        let error = mosquitto_acl(&[&who], false).unwrap_err();
        assert!(error.to_string().contains("control characters"), "{error}");
    }
}
