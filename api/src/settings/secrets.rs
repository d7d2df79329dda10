//! What channels need and nobody may see: written and looked at, never told.

use netmonitor_service::channel_secrets::{ChannelSecret, SecretOf};
use netmonitor_service::{DataDir, Secret};
use poem::http::Uri;

use crate::app::App;
use crate::problem::Problem;

/// What shall become of one secret.
#[derive(Debug, Default)]
pub(crate) enum Change {
    /// It stays as it is.
    #[default]
    Keep,
    /// It goes.
    Remove,
    /// It is this from now on.
    Set(Secret),
}

/// What shall become of the secrets of one channel.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) password: Change,
    pub(crate) url: Change,
    pub(crate) token: Change,
}

/// What may be told of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// Whether there is one.
    pub(crate) has_secret: bool,
    /// The server of a secret address.
    pub(crate) url_host: Option<String>,
}

impl Change {
    fn is_change(&self) -> bool {
        !matches!(self, Self::Keep)
    }

    fn apply(self, to: &mut Option<Secret>) {
        match self {
            Self::Keep => {}
            Self::Remove => *to = None,
            Self::Set(secret) => *to = Some(secret),
        }
    }
}

impl Changes {
    /// Whether anything is to become different.
    pub(crate) fn is_change(&self) -> bool {
        self.password.is_change() || self.url.is_change() || self.token.is_change()
    }
}

/// Whose secret it is, as something that can be moved.
#[derive(Debug, Clone)]
pub(crate) enum Owner {
    Channel(String),
    Heartbeat,
}

impl Owner {
    fn of(&self) -> SecretOf<'_> {
        match self {
            Self::Channel(id) => SecretOf::Channel(id),
            Self::Heartbeat => SecretOf::Heartbeat,
        }
    }
}

impl App {
    /// Changes the secrets of one channel. `anew`: whatever was left behind under this name goes.
    pub(crate) async fn change_secret(
        &self,
        owner: Owner,
        changes: Changes,
        anew: bool,
    ) -> Result<(), Problem> {
        let data_dir = self.data_dir.clone();
        let work = move || {
            let mut secret = if anew {
                ChannelSecret::default()
            } else {
                ChannelSecret::read(&data_dir, owner.of())?
            };
            changes.password.apply(&mut secret.password);
            changes.url.apply(&mut secret.url);
            changes.token.apply(&mut secret.token);
            if secret == ChannelSecret::default() {
                ChannelSecret::remove(&data_dir, owner.of())
            } else {
                secret.write(&data_dir, owner.of())
            }
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(Problem::internal)?.map_err(Problem::internal)
    }

    /// What may be told of the secrets of these.
    pub(crate) async fn known_secrets(&self, owners: Vec<Owner>) -> Result<Vec<Known>, Problem> {
        let data_dir = self.data_dir.clone();
        let work = move || owners.iter().map(|owner| known(&data_dir, owner)).collect();
        let all = tokio::task::spawn_blocking(work).await;
        all.map_err(Problem::internal)
    }
}

/// One that cannot be read is none: setting it anew helps.
fn known(data_dir: &DataDir, owner: &Owner) -> Known {
    let secret = ChannelSecret::read(data_dir, owner.of()).unwrap_or_else(|error| {
        tracing::warn!(%error, "the secret of a channel cannot be read");
        ChannelSecret::default()
    });
    let url = secret
        .url
        .as_ref()
        .and_then(|url| url.expose().parse().ok());
    Known {
        has_secret: secret != ChannelSecret::default(),
        url_host: url.and_then(|url: Uri| url.host().map(str::to_owned)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_secret_nothing_is_known_but_that_it_is_there_and_its_server() {
        let directory = tempfile::tempdir().unwrap();
        let data_dir = DataDir::from(directory.path().to_owned());
        let owner = Owner::Channel("hook".to_owned());
        assert_eq!(known(&data_dir, &owner), Known::default());
        let secret = ChannelSecret {
            url: Some(Secret::new("https://hooks.example.org/T0/secret")),
            ..ChannelSecret::default()
        };
        secret.write(&data_dir, owner.of()).unwrap();
        let expected = Known {
            has_secret: true,
            url_host: Some("hooks.example.org".to_owned()),
        };
        assert_eq!(known(&data_dir, &owner), expected);
    }
}
