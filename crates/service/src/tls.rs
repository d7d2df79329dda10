//! TLS towards the hub: whatever address was dialled, the hub must show a certificate for
//! [`HUB_TLS_NAME`] that the CA with the pinned fingerprint has signed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use netmonitor_protocol::HUB_TLS_NAME;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use crate::digest;

/// From here on the certificates of hubs are valid: 2000-01-02. A machine without a clock begins in
/// 1970, and learns what time it is once it has a network: it must reach the hub before.
const FIRST_DAY: UnixTime = UnixTime::since_unix_epoch(Duration::from_hours(10_958 * 24));

/// SHA-256 of the CA certificate in DER form.
pub type Fingerprint = [u8; 32];

/// The one cryptography provider of the house.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// Makes it the provider of libraries that ask the process for one. Called once, in `main`.
pub fn install_provider() {
    // It fails only if there is one already, which is then the same one.
    let _already_installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// SHA-256 of a certificate.
pub fn fingerprint(certificate: &CertificateDer<'_>) -> Fingerprint {
    digest::sha256(certificate)
}

/// A client that trusts exactly one CA, known by its fingerprint. The server sends the CA's
/// certificate behind its own.
pub fn pinned(ca: Fingerprint) -> Arc<ClientConfig> {
    let provider = provider();
    let verifier = PinnedCa {
        ca,
        provider: provider.clone(),
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider supports TLS 1.2 and 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Arc::new(config)
}

/// The same, with the CA in a PEM file: the first certificate in it.
pub fn pinned_to(ca_file: &Path) -> Result<Arc<ClientConfig>, CaFileError> {
    let ca = CertificateDer::from_pem_file(ca_file).map_err(|source| CaFileError {
        path: ca_file.to_owned(),
        source: source.into(),
    })?;
    Ok(pinned(fingerprint(&ca)))
}

/// A client that trusts the authorities in a PEM file, for a broker that is not the hub's own.
pub fn trusting(ca_file: &Path) -> Result<Arc<ClientConfig>, CaFileError> {
    let unusable = |source: Box<dyn std::error::Error + Send + Sync>| CaFileError {
        path: ca_file.to_owned(),
        source,
    };
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(ca_file).map_err(|e| unusable(e.into()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| unusable(error.into()))?;
        roots.add(certificate).map_err(|e| unusable(e.into()))?;
    }
    if roots.is_empty() {
        return Err(unusable("there is no certificate in it".into()));
    }
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("the provider supports TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// A client that trusts the authorities that this machine trusts, for a broker that is not the
/// hub's own. Those that cannot be read are passed over; without any no connection succeeds.
pub fn trusting_system() -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (usable, unusable) = roots.add_parsable_certificates(found.certs);
    tracing::debug!(usable, unusable, errors = ?found.errors, "authorities of this machine");
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("the provider supports TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

/// The file with the authorities to trust cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {} as the certificate to trust: set ca_file", path.display())]
pub struct CaFileError {
    path: PathBuf,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

#[derive(Debug)]
struct PinnedCa {
    ca: Fingerprint,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinnedCa {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _dialled: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let ca = intermediates
            .iter()
            .find(|certificate| fingerprint(certificate) == self.ca)
            .ok_or(Error::InvalidCertificate(CertificateError::UnknownIssuer))?;
        let mut roots = RootCertStore::empty();
        roots.add(ca.clone().into_owned())?;
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), self.provider.clone())
                .build()
                .map_err(|error| Error::General(error.to_string()))?;
        let name = ServerName::try_from(HUB_TLS_NAME)
            .map_err(|error| Error::General(error.to_string()))?;
        let now = now.max(FIRST_DAY);
        verifier.verify_server_cert(end_entity, intermediates, &name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
