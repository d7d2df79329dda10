//! The MQTT passwords of the hub's own services: one file each, made at the first start of the
//! broker, read by the service of that name and by nobody else.

use std::fs;
use std::io;

use netmonitor_protocol::ServiceName;

use crate::{DataDir, private_file, random};

/// Reads the password of every service, and makes those that are missing.
pub fn ensure(data_dir: &DataDir) -> io::Result<Vec<(ServiceName, String)>> {
    private_file::create_dir(&data_dir.secrets())?;
    ServiceName::ALL
        .into_iter()
        .map(|service| {
            let path = data_dir.secret(service);
            match fs::read_to_string(&path) {
                Ok(text) if !text.trim().is_empty() => Ok((service, text.trim().to_owned())),
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => {
                    let secret = random::token();
                    private_file::write(&path, secret.as_bytes())?;
                    Ok((service, secret))
                }
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_keeps_a_password_of_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let data_dir = DataDir::from(directory.path().to_owned());
        let first = ensure(&data_dir).unwrap();
        assert_eq!(ensure(&data_dir).unwrap(), first);
        let mut secrets: Vec<&String> = first.iter().map(|(_, secret)| secret).collect();
        secrets.sort();
        secrets.dedup();
        assert_eq!(secrets.len(), ServiceName::ALL.len());
    }
}
