//! Answers that name the state of what they tell, and requests that name the state that they are
//! made to (RFC 9110, sections 8.8.3 and 13.1.1).

use poem_openapi::ApiResponse;
use poem_openapi::payload::Json;
use poem_openapi::types::{ParseFromJSON, ToJSON};

use crate::settings::Wish;

/// What was asked for, and the name of its state.
#[derive(ApiResponse)]
pub(super) enum Tagged<T: ToJSON + ParseFromJSON + Send + Sync> {
    /// What was asked for, or what has become of it.
    #[oai(status = 200)]
    Found(
        Json<T>,
        /// Names this state, for `If-Match`.
        #[oai(header = "ETag")]
        String,
    ),
}

/// Of which settings a state is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    History,
    /// Rules, maintenance windows and the rest: they are stored together.
    Alerting,
    Channels,
    /// All that is set about one device.
    Device,
}

impl Of {
    fn prefix(self) -> &'static str {
        match self {
            Self::History => "history-",
            Self::Alerting => "alerting-",
            Self::Channels => "channels-",
            Self::Device => "device-",
        }
    }

    /// The answer with its tag.
    pub(super) fn tagged<T: ToJSON + ParseFromJSON + Send + Sync>(
        self,
        revision: u64,
        answer: T,
    ) -> Tagged<T> {
        Tagged::Found(Json(answer), self.tag(revision))
    }

    fn tag(self, revision: u64) -> String {
        format!("\"{}{revision}\"", self.prefix())
    }

    /// What somebody wants, with the state that they want it for.
    pub(super) fn wish(self, actor: String, if_match: Option<&str>) -> Wish {
        Wish {
            actor,
            expected: if_match.and_then(|if_match| self.revisions(if_match)),
        }
    }

    /// The revisions that an `If-Match` names; none: any will do. A tag that is not one of ours names
    /// no revision.
    fn revisions(self, if_match: &str) -> Option<Vec<u64>> {
        if if_match.trim() == "*" {
            return None;
        }
        let tags = if_match.split(',').map(|tag| tag.trim().trim_matches('"'));
        let revisions = tags.filter_map(|tag| tag.strip_prefix(self.prefix())?.parse().ok());
        Some(revisions.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_that_is_given_out_names_the_revision_when_it_comes_back() {
        let tag = Of::History.tag(7);
        assert_eq!(Of::History.revisions(&tag), Some(vec![7]));
        assert_eq!(Of::Alerting.revisions(&tag), Some(Vec::new()));
        let several = format!("\"of-something-else\", {tag}");
        assert_eq!(Of::History.revisions(&several), Some(vec![7]));
        assert_eq!(Of::History.revisions("*"), None);
        for none in ["", "\"\"", "W/\"history-7\"", "\"history-x\""] {
            assert_eq!(Of::History.revisions(none), Some(Vec::new()), "{none}");
        }
    }
}
