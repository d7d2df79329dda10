//! What a channel for messages needs and nobody may see: a password, a token, or an address that
//! holds one. One file for each channel; the api writes it, and who sends messages reads it.

use std::fs;
use std::io;

use serde::{Deserialize, Serialize};

use crate::{DataDir, Secret, private_file};

/// Whose secret it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretOf<'a> {
    /// The channel's with this id: letters, digits and `-` only.
    Channel(&'a str),
    /// The heartbeat's.
    Heartbeat,
}

/// The secret of one channel. What its kind has no use for is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelSecret {
    /// Of the account at a mail server.
    pub password: Option<Secret>,
    /// Where a request goes.
    pub url: Option<Secret>,
    /// What shows that one may.
    pub token: Option<Secret>,
}

/// The same, as it stands in the file.
#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl ChannelSecret {
    /// Reads it. One that was never written is empty.
    pub fn read(data_dir: &DataDir, of: SecretOf<'_>) -> io::Result<Self> {
        let text = match fs::read_to_string(data_dir.channel_secret(of)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error),
        };
        let stored: Stored = serde_json::from_str(&text)?;
        Ok(Self {
            password: stored.password.map(Secret::new),
            url: stored.url.map(Secret::new),
            token: stored.token.map(Secret::new),
        })
    }

    /// Writes it, whole or not at all.
    pub fn write(&self, data_dir: &DataDir, of: SecretOf<'_>) -> io::Result<()> {
        private_file::create_dir(&data_dir.secrets())?;
        let expose = |secret: &Option<Secret>| secret.as_ref().map(|it| it.expose().to_owned());
        let stored = Stored {
            password: expose(&self.password),
            url: expose(&self.url),
            token: expose(&self.token),
        };
        let text = serde_json::to_vec(&stored)?;
        private_file::write(&data_dir.channel_secret(of), &text)
    }

    /// Removes it, if it is there.
    pub fn remove(data_dir: &DataDir, of: SecretOf<'_>) -> io::Result<()> {
        match fs::remove_file(data_dir.channel_secret(of)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_back_as_written_and_its_file_is_for_nobody_else() {
        let directory = tempfile::tempdir().unwrap();
        let data_dir = DataDir::from(directory.path().to_owned());
        let of = SecretOf::Channel("mail");
        assert_eq!(
            ChannelSecret::read(&data_dir, of).unwrap(),
            ChannelSecret::default()
        );
        let secret = ChannelSecret {
            password: Some(Secret::new("geheim")),
            ..ChannelSecret::default()
        };
        secret.write(&data_dir, of).unwrap();
        assert_eq!(ChannelSecret::read(&data_dir, of).unwrap(), secret);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = data_dir
                .channel_secret(of)
                .metadata()
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        ChannelSecret::remove(&data_dir, of).unwrap();
        ChannelSecret::remove(&data_dir, of).unwrap();
        assert_eq!(
            ChannelSecret::read(&data_dir, of).unwrap(),
            ChannelSecret::default()
        );
    }
}
