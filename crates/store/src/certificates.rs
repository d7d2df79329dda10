//! The hub's own CA and the two certificates that it signs: one for MQTT, which agents check
//! against a pinned fingerprint and a fixed name, and one for browsers, which want names,
//! addresses and a short life.

use std::fs;
use std::io::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use netmonitor_protocol::HUB_TLS_NAME;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{StoreError, WriteLock};

/// The CA and the MQTT certificate begin here, so that a machine whose clock was never set can
/// connect, and last for about thirty years of use.
const FIRST_YEAR: i32 = 2000;
const LAST_YEAR: i32 = 2056;

/// How long the certificate for browsers is valid. Apple refuses more than 825 days, also from
/// a CA of one's own (support.apple.com, HT210176).
const WEB_VALIDITY: SignedDuration = SignedDuration::from_hours(24 * 397);

/// It is renewed when less than this is left.
const WEB_RENEWAL: SignedDuration = SignedDuration::from_hours(24 * 60);

/// A browser's clock may be behind ours.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_hours(48);

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] StoreError),
    /// A file is not what it should be.
    #[error("{} is damaged: restore it from a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Making a certificate failed.
    #[error("cannot make a certificate")]
    Make(#[from] rcgen::Error),
    /// TLS does not take the certificate.
    #[error("cannot use the certificate")]
    Use(#[from] rustls::Error),
}

/// The names and addresses under which browsers reach the hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebNames {
    /// Host names.
    pub names: Vec<String>,
    /// IP addresses.
    pub addresses: Vec<IpAddr>,
}

/// What the current certificate for browsers says: kept beside it, so that nobody has to parse
/// a certificate to know whether it still fits.
#[derive(Debug, Serialize, Deserialize)]
struct WebRecord {
    /// Fingerprint of the CA that signed it.
    ca: [u8; 32],
    names: WebNames,
    expires: Timestamp,
}

/// The same of the certificate for MQTT.
#[derive(Debug, Serialize, Deserialize)]
struct MqttRecord {
    ca: [u8; 32],
}

/// The hub's certificates, on disk.
#[derive(Debug)]
pub struct Certificates {
    directory: PathBuf,
    ca_pem: String,
    ca_der: CertificateDer<'static>,
    ca_key: String,
}

impl Certificates {
    /// Reads the CA from the directory, or makes directory and CA.
    pub fn open_or_create(directory: &Path) -> Result<Self, CertificateError> {
        create_private_dir(directory)?;
        let certificate = directory.join("ca.pem");
        let key = directory.join("ca.key");
        // Broker and api may both be at their first start.
        let _lock = WriteLock::wait(&directory.join("lock"))?;
        if !certificate.exists() {
            let (pem, key_pem) = make_ca()?;
            // The key first: a certificate without its key would look complete.
            write(&key, &key_pem)?;
            write(&certificate, &pem)?;
        }
        let ca_pem = read(&certificate)?;
        let ca_der = CertificateDer::from_pem_slice(ca_pem.as_bytes())
            .map_err(|error| damaged(&certificate, error))?;
        Ok(Self {
            directory: directory.to_owned(),
            ca_pem,
            ca_der,
            ca_key: read(&key)?,
        })
    }

    /// The CA's certificate, for those who want to trust it.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// SHA-256 of the CA's certificate in DER form: what agents pin.
    pub fn ca_fingerprint(&self) -> [u8; 32] {
        Sha256::digest(&self.ca_der).into()
    }

    /// TLS for the MQTT listener. The CA follows the certificate, since agents know it by its
    /// fingerprint only.
    pub fn mqtt_server(&self) -> Result<Arc<ServerConfig>, CertificateError> {
        let (certificate, key) = self.mqtt_files()?;
        let (chain, key) = self.load(&certificate, &key)?;
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        Ok(Arc::new(config))
    }

    /// The same certificate chain and its key in PEM form, for a broker that is not ours.
    pub fn mqtt_server_pem(&self) -> Result<(String, String), CertificateError> {
        let (certificate, key) = self.mqtt_files()?;
        Ok((read(&certificate)? + &self.ca_pem, read(&key)?))
    }

    /// The certificate for MQTT and its key, made if need be.
    fn mqtt_files(&self) -> Result<(PathBuf, PathBuf), CertificateError> {
        let certificate = self.directory.join("mqtt.pem");
        let key = self.directory.join("mqtt.key");
        let record = self.directory.join("mqtt.json");
        let _lock = WriteLock::wait(&self.directory.join("lock"))?;
        let made: Option<MqttRecord> = read_record(&record);
        let fits = made.is_some_and(|made| made.ca == self.ca_fingerprint());
        if !fits || !certificate.exists() {
            let mut params = leaf(HUB_TLS_NAME);
            params.not_before = date_time_ymd(FIRST_YEAR, 1, 1);
            params.not_after = date_time_ymd(LAST_YEAR, 1, 1);
            params.subject_alt_names = vec![SanType::DnsName(HUB_TLS_NAME.try_into()?)];
            self.sign(&params, &certificate, &key)?;
            let made = MqttRecord {
                ca: self.ca_fingerprint(),
            };
            write_record(&record, &made)?;
        }
        Ok((certificate, key))
    }

    /// Certificate chain and key in PEM form for the HTTPS listener. It is renewed when it
    /// would soon expire or when the hub's names or addresses have changed.
    pub fn web_server(
        &self,
        names: &WebNames,
        now: Timestamp,
    ) -> Result<(String, String), CertificateError> {
        let certificate = self.directory.join("web.pem");
        let key = self.directory.join("web.key");
        let record = self.directory.join("web.json");
        let _lock = WriteLock::wait(&self.directory.join("lock"))?;
        let made: Option<WebRecord> = read_record(&record);
        let fits = made.is_some_and(|made| {
            made.ca == self.ca_fingerprint()
                && made.names == *names
                && made.expires.duration_since(now) > WEB_RENEWAL
        });
        if !fits || !certificate.exists() {
            self.make_web(names, now, &certificate, &key, &record)?;
        }
        Ok((read(&certificate)? + &self.ca_pem, read(&key)?))
    }

    fn make_web(
        &self,
        names: &WebNames,
        now: Timestamp,
        certificate: &Path,
        key: &Path,
        record: &Path,
    ) -> Result<(), CertificateError> {
        let expires = now.saturating_add(WEB_VALIDITY).unwrap_or(now);
        let begins = now.saturating_sub(CLOCK_SLACK).unwrap_or(now);
        let mut params = leaf(names.names.first().map_or(HUB_TLS_NAME, String::as_str));
        params.not_before = calendar_day(begins);
        params.not_after = calendar_day(expires);
        for name in &names.names {
            params
                .subject_alt_names
                .push(SanType::DnsName(name.as_str().try_into()?));
        }
        for address in &names.addresses {
            params.subject_alt_names.push(SanType::IpAddress(*address));
        }
        self.sign(&params, certificate, key)?;
        let made = WebRecord {
            ca: self.ca_fingerprint(),
            names: names.clone(),
            expires,
        };
        write_record(record, &made)
    }

    fn sign(
        &self,
        params: &CertificateParams,
        certificate: &Path,
        key: &Path,
    ) -> Result<(), CertificateError> {
        let ca_key = KeyPair::from_pem(&self.ca_key)?;
        let issuer = Issuer::from_ca_cert_der(&self.ca_der, ca_key)?;
        let key_pair = KeyPair::generate()?;
        let signed = params.signed_by(&key_pair, &issuer)?;
        write(key, &key_pair.serialize_pem())?;
        write(certificate, &signed.pem())
    }

    fn load(
        &self,
        certificate: &Path,
        key: &Path,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), CertificateError> {
        let leaf = CertificateDer::from_pem_slice(read(certificate)?.as_bytes())
            .map_err(|error| damaged(certificate, error))?;
        let key_der = PrivateKeyDer::from_pem_slice(read(key)?.as_bytes())
            .map_err(|error| damaged(key, error))?;
        Ok((vec![leaf, self.ca_der.clone()], key_der))
    }
}

/// The one cryptography provider of the house.
fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn make_ca() -> Result<(String, String), CertificateError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = named("NetMonitor hub CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = date_time_ymd(FIRST_YEAR, 1, 1);
    params.not_after = date_time_ymd(LAST_YEAR, 1, 1);
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

fn leaf(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(common_name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params
}

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

/// rcgen takes dates only in this form: whole days are exact enough.
fn calendar_day(time: Timestamp) -> time::OffsetDateTime {
    let date = time.to_zoned(jiff::tz::TimeZone::UTC).date();
    let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
    date_time_ymd(date.year().into(), month, day)
}

fn create_private_dir(path: &Path) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(StoreError::file(path))
}

/// What is not there, or of an older form, is made anew.
fn read_record<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn write_record(path: &Path, record: &impl Serialize) -> Result<(), CertificateError> {
    let json = serde_json::to_string(record).expect("a record has no maps and cannot fail");
    write(path, &json)
}

fn read(path: &Path) -> Result<String, StoreError> {
    fs::read_to_string(path).map_err(StoreError::file(path))
}

/// Writes for the owner only; a reader sees the old content or the new one.
fn write(path: &Path, content: &str) -> Result<(), CertificateError> {
    let mut options = atomic_write_file::OpenOptions::new();
    #[cfg(unix)]
    {
        use atomic_write_file::unix::OpenOptionsExt as _;
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600).preserve_mode(false);
    }
    let written = options.open(path).and_then(|mut file| {
        file.write_all(content.as_bytes())?;
        file.commit()
    });
    Ok(written.map_err(StoreError::file(path))?)
}

fn damaged(
    path: &Path,
    source: impl std::error::Error + Send + Sync + 'static,
) -> CertificateError {
    CertificateError::Damaged {
        path: path.to_owned(),
        source: Box::new(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(name: &str) -> WebNames {
        WebNames {
            names: vec![name.to_owned()],
            addresses: vec!["192.168.1.5".parse().unwrap(), "fe80::1".parse().unwrap()],
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_ca_stays_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tls");
        let first = Certificates::open_or_create(&path).unwrap();
        let second = Certificates::open_or_create(&path).unwrap();
        assert_eq!(first.ca_fingerprint(), second.ca_fingerprint());
        first.mqtt_server().unwrap();
        second.mqtt_server().unwrap();
    }

    #[test]
    fn the_certificate_for_browsers_follows_names_and_time() {
        let directory = tempfile::tempdir().unwrap();
        let certificates = Certificates::open_or_create(directory.path()).unwrap();
        let web =
            |name: &str, time: &str| certificates.web_server(&names(name), at(time)).unwrap().0;
        let first = web("hub.lan", "2026-11-01T00:00:00Z");
        assert_eq!(web("hub.lan", "2026-12-01T00:00:00Z"), first);
        let renewed = web("hub.lan", "2027-11-01T00:00:00Z");
        assert_ne!(renewed, first);
        assert_ne!(web("hub.school", "2027-11-01T00:00:00Z"), renewed);
        assert_eq!(first.matches("BEGIN CERTIFICATE").count(), 2);
    }

    #[test]
    fn several_services_at_their_first_start_agree_on_one_ca() {
        let directory = tempfile::tempdir().unwrap();
        let start = || {
            Certificates::open_or_create(directory.path())
                .unwrap()
                .ca_fingerprint()
        };
        let fingerprints: Vec<_> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            starts
                .into_iter()
                .map(|start| start.join().unwrap())
                .collect()
        });
        assert!(fingerprints.iter().all(|one| *one == fingerprints[0]));
    }

    #[test]
    fn a_new_ca_signs_everything_anew() {
        let directory = tempfile::tempdir().unwrap();
        let made = |name: &str| std::fs::read(directory.path().join(name)).unwrap();
        let start = || {
            let certificates = Certificates::open_or_create(directory.path()).unwrap();
            certificates.mqtt_server().unwrap();
            certificates
                .web_server(&names("hub.lan"), at("2026-11-01T00:00:00Z"))
                .unwrap();
            (made("mqtt.pem"), made("web.pem"))
        };
        let before = start();
        assert_eq!(start(), before);
        std::fs::remove_file(directory.path().join("ca.pem")).unwrap();
        let after = start();
        assert_ne!(after.0, before.0);
        assert_ne!(after.1, before.1);
    }

    #[test]
    fn a_hub_without_a_clock_gets_a_certificate_all_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let certificates = Certificates::open_or_create(directory.path()).unwrap();
        certificates
            .web_server(&names("hub.lan"), at("1970-01-01T00:00:10Z"))
            .unwrap();
    }

    #[test]
    fn a_damaged_ca_is_named_and_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        Certificates::open_or_create(directory.path()).unwrap();
        let path = directory.path().join("ca.pem");
        std::fs::write(&path, "garbage").unwrap();
        let error = Certificates::open_or_create(directory.path()).unwrap_err();
        assert!(error.to_string().contains("ca.pem"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "garbage");
    }
}
