//! Whom to trust on encrypted connections, and what went wrong there in words.

use std::io;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{CertificateError, ClientConfig, RootCertStore};

use crate::send::{SendError, Step};

/// Where Debian, Red Hat, SUSE and Alpine keep the authorities that the machine trusts.
const MACHINE: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
/// More text than this is no list of a site's own authorities.
const LONGEST_PEM: usize = 256 * 1024;
const GIVE: &str = "Give the certificate of the authority that made the server's certificate, as PEM text.";

/// What is wrong with a PEM text of authorities.
pub fn check_authorities(pem: &str) -> Result<(), String> {
    read(pem).map(|_| ())
}

fn read(pem: &str) -> Result<RootCertStore, String> {
    if pem.len() > LONGEST_PEM {
        return Err(format!("is longer than {LONGEST_PEM} bytes"));
    }
    if pem.contains("PRIVATE KEY-----") {
        return Err("has a private key in it; give the certificates alone".to_owned());
    }
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|_| "is no PEM text".to_owned())?;
        roots.add(certificate).map_err(|_| "has a certificate that cannot be read".to_owned())?;
    }
    if roots.is_empty() {
        return Err("has no certificate; one begins with -----BEGIN CERTIFICATE-----".to_owned());
    }
    Ok(roots)
}

/// How connections are encrypted: TLS 1.2 or 1.3, trusting the given authorities alone or else the machine's.
pub(crate) fn client(authorities: Option<&str>) -> Result<Arc<ClientConfig>, SendError> {
    let failed = |message: String| SendError { step: Step::Tls, message, hint: GIVE };
    let roots = match authorities {
        Some(pem) => read(pem).map_err(|why| failed(format!("the authority {why}")))?,
        None => {
            machine().ok_or_else(|| failed("this machine has no list of trusted authorities".to_owned()))?
        }
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.to_string()))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// The machine's authorities; single ones that cannot be read do not spoil the list.
fn machine() -> Option<RootCertStore> {
    let text = MACHINE.iter().find_map(|path| std::fs::read(path).ok())?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&text).flatten());
    (!roots.is_empty()).then_some(roots)
}

/// A handshake that failed.
pub(crate) fn refused(error: &io::Error) -> SendError {
    let known = error.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>());
    let (message, hint) = match known {
        Some(rustls::Error::InvalidCertificate(reason)) => certificate(reason),
        _ => (
            format!("no encryption came about: {error}"),
            "Check that the port speaks TLS (6514 is usual) and TLS 1.2 or newer.",
        ),
    };
    SendError { step: Step::Tls, message, hint }
}

fn certificate(reason: &CertificateError) -> (String, &'static str) {
    let (what, hint) = match reason {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            ("is from an authority that is not trusted here", GIVE)
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            "is for other names",
            "Use the name that stands in the certificate (subject alternative name) as the host.",
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            ("has expired", "Renew the server's certificate, or set this machine's clock.")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            ("is not valid yet", "Set the clock of this machine, or of the one that made the certificate.")
        }
        _ => (
            "cannot be accepted",
            "Make one by an authority: version 3, with the server's name, not an authority itself.",
        ),
    };
    (format!("the server's certificate {what}"), hint)
}
