//! Whom to trust on encrypted connections, and what went wrong there in words.

use std::io;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{CertificateError, ClientConfig, RootCertStore};

use crate::refusal::Refusal;

/// Where Debian, Red Hat, SUSE and Alpine keep the authorities that the machine trusts.
const MACHINE: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
/// More text than this is no list of a site's own authorities.
const LONGEST_PEM: usize = 256 * 1024;

/// The certificates of a PEM text, one at least.
pub(crate) fn read_authorities(pem: &str) -> Result<RootCertStore, String> {
    if pem.len() > LONGEST_PEM {
        return Err(format!("it is longer than {LONGEST_PEM} bytes"));
    }
    if pem.contains("PRIVATE KEY-----") {
        return Err("it has a private key in it; give the certificates alone".to_owned());
    }
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|_| "it is not PEM text".to_owned())?;
        roots.add(certificate).map_err(|_| "it has a certificate that cannot be read".to_owned())?;
    }
    if roots.is_empty() {
        return Err("it has no certificate; one begins with -----BEGIN CERTIFICATE-----".to_owned());
    }
    Ok(roots)
}

/// How connections are encrypted: TLS 1.2 or 1.3, trusting the given authorities alone or else the machine's.
pub(crate) fn client(authorities: Option<&str>) -> Result<Arc<ClientConfig>, Refusal> {
    let give = "Give the certificate of the authority that made the server's certificate, as PEM text.";
    let roots = match authorities {
        Some(pem) => read_authorities(pem).map_err(|e| Refusal::misconfigured("authorities", e, give))?,
        None => machine().ok_or_else(|| {
            Refusal::misconfigured("authorities", "this machine has no list of trusted authorities", give)
        })?,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| Refusal::unavailable(e.to_string(), "Report this: TLS cannot be set up at all."))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// The machine's authorities; single ones that cannot be read do not spoil the list.
fn machine() -> Option<RootCertStore> {
    let text = MACHINE.iter().find_map(|path| std::fs::read(path).ok())?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&text).flatten());
    (!roots.is_empty()).then_some(roots)
}

/// A failed handshake as a refusal.
pub(crate) fn refusal(server: &str, error: &io::Error) -> Refusal {
    let known = error.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>());
    let Some(rustls::Error::InvalidCertificate(reason)) = known else {
        let hint = "Check that the port speaks TLS (636 by ldaps://, 389 by StartTLS) and TLS 1.2 or newer.";
        return Refusal::unavailable(format!("{server}: no encryption came about: {error}"), hint);
    };
    let (field, what, hint) = match reason {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => (
            "authorities",
            "its certificate is from an authority that is not trusted here",
            "Give the certificate of the authority that made the server's certificate, as PEM text.",
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            "urls",
            "its certificate is for other names",
            "Use the name that stands in the certificate (subject alternative name) as the address's host.",
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            "urls",
            "its certificate has expired",
            "Renew the server's certificate, or set this machine's clock.",
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            "urls",
            "its certificate is not valid yet",
            "Set this machine's clock, or the one of the machine that made the certificate.",
        ),
        _ => (
            "urls",
            "its certificate cannot be accepted",
            "Make a certificate for the server by an authority: version 3, with the server's name, not an \
             authority itself.",
        ),
    };
    Refusal::misconfigured(field, format!("{server}: {what}"), hint)
}
