//! The certificate for browsers, which renews itself: before it expires, and when the machine's
//! name or addresses have changed.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt as _};
use netmonitor_service::clock;
use netmonitor_store::certificates::{CertificateError, Certificates, WebNames};
use poem::listener::{RustlsCertificate, RustlsConfig};

use crate::addresses;

/// How often it is looked at: an address may change while the hub runs, and a machine without a
/// clock makes a certificate of 1970 at its first start, before it learns what time it is. A look
/// reads three small files.
const LOOK: Duration = Duration::from_secs(15);

/// Certificate chain and key in PEM form.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Pem {
    chain: String,
    key: String,
}

/// The current certificate. Blocks: it may have to be made.
pub(crate) fn current(certificates: &Certificates) -> Result<Pem, CertificateError> {
    let (chain, key) = certificates.web_server(&names(), clock::now())?;
    Ok(Pem { chain, key })
}

/// The TLS configurations of a listener: the one at start, and a new one after each renewal.
pub(crate) fn configurations(
    certificates: Arc<Certificates>,
    at_start: Pem,
) -> BoxStream<'static, RustlsConfig> {
    let first = at_start.clone();
    let renewals = stream::unfold(at_start, move |mut known| {
        let certificates = certificates.clone();
        async move {
            loop {
                tokio::time::sleep(LOOK).await;
                let certificates = certificates.clone();
                let looked = tokio::task::spawn_blocking(move || current(&certificates)).await;
                match looked {
                    Ok(Ok(pem)) if pem != known => {
                        tracing::info!("the certificate for browsers is renewed");
                        known = pem;
                        return Some((known.configuration(), known));
                    }
                    Ok(Err(error)) => {
                        let error = format!("{:#}", anyhow::Error::new(error));
                        tracing::error!(error, "the certificate for browsers cannot be renewed");
                    }
                    Ok(Ok(_)) | Err(_) => {}
                }
            }
        }
    });
    stream::iter([first.configuration()])
        .chain(renewals)
        .boxed()
}

impl Pem {
    fn configuration(&self) -> RustlsConfig {
        let certificate = RustlsCertificate::new()
            .cert(self.chain.as_str())
            .key(self.key.as_str());
        RustlsConfig::new().fallback(certificate)
    }
}

/// The names and addresses under which browsers may reach this machine.
fn names() -> WebNames {
    let host = addresses::host_name();
    let mut names = vec![host.clone(), "localhost".to_owned()];
    if !host.contains('.') {
        names.push(format!("{host}.local"));
    }
    let loopback = ["127.0.0.1", "::1"]
        .iter()
        .filter_map(|text| text.parse().ok());
    let mut all: Vec<_> = loopback.chain(addresses::lan()).collect();
    all.sort();
    all.dedup();
    WebNames {
        names,
        addresses: all,
    }
}
