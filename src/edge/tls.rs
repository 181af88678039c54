//! HTTPS from the first start: a local certificate authority and a server certificate, or the site's own.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use time::{Duration, OffsetDateTime};

/// Clients refuse server certificates that are valid for longer (CA/Browser Forum, Apple).
const SERVER_DAYS: i64 = 397;
const AUTHORITY_DAYS: i64 = 3650;
/// A certificate is made anew when it ends within this time.
const RENEW_DAYS: i64 = 30;

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{path}: {source}")]
    Io { path: String, source: std::io::Error },
    #[error("{path} is not a usable PEM file: {reason}")]
    Pem { path: String, reason: String },
    #[error("the certificate cannot be made: {0}")]
    Make(#[from] rcgen::Error),
    #[error("certificate and key cannot be used: {0}")]
    Use(#[from] rustls::Error),
}

/// The files a server certificate is read from.
#[derive(Debug, Clone)]
pub struct Files {
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// The local authority, for installing on the site's machines; absent with the site's own certificate.
    pub authority: Option<PathBuf>,
}

/// Makes authority and certificate in `folder` when absent, near their end, or made for other names.
pub fn ensure(folder: &Path, names: &[String]) -> Result<Files, TlsError> {
    std::fs::create_dir_all(folder).map_err(|e| io(folder, e))?;
    let files = Files {
        certificate: folder.join("server.pem"),
        key: folder.join("server.key"),
        authority: Some(folder.join("authority.pem")),
    };
    let stamp = folder.join("server.names");
    let wanted = names.join("\n");
    let today = OffsetDateTime::now_utc();
    let current = std::fs::read_to_string(&stamp).unwrap_or_default();
    let (made_names, ends) = current.rsplit_once('\n').unwrap_or_default();
    let fresh = ends.parse::<i64>().is_ok_and(|t| t > (today + Duration::days(RENEW_DAYS)).unix_timestamp());
    if made_names == wanted && fresh && files.certificate.exists() && files.key.exists() {
        return Ok(files);
    }
    let issuer = authority(folder, today)?;
    let key = KeyPair::generate()?;
    let certificate = server_params(names, today)?.signed_by(&key, &issuer)?;
    write(&files.key, &key.serialize_pem())?;
    write(&files.certificate, &format!("{}{}", certificate.pem(), issuer.pem()))?;
    let ends = (today + Duration::days(SERVER_DAYS)).unix_timestamp();
    write(&stamp, &format!("{wanted}\n{ends}"))?;
    Ok(files)
}

fn server_params(names: &[String], today: OffsetDateTime) -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Lectern");
    for name in names {
        params.subject_alt_names.push(match name.parse::<IpAddr>() {
            Ok(address) => SanType::IpAddress(address),
            Err(_) => SanType::DnsName(name.as_str().try_into()?),
        });
    }
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.not_before = today - Duration::days(1);
    params.not_after = today + Duration::days(SERVER_DAYS);
    Ok(params)
}

/// Reads the authority, or makes it: its parameters are fixed but for the date, which the key file's age does not need.
fn authority(folder: &Path, today: OffsetDateTime) -> Result<CertifiedIssuer<'static, KeyPair>, TlsError> {
    let (key_path, pem_path) = (folder.join("authority.key"), folder.join("authority.pem"));
    let born_path = folder.join("authority.born");
    let born = std::fs::read_to_string(&born_path).ok().and_then(|t| t.parse::<i64>().ok());
    let born = born.and_then(|t| OffsetDateTime::from_unix_timestamp(t).ok());
    let usable =
        born.filter(|b| key_path.exists() && *b + Duration::days(AUTHORITY_DAYS - SERVER_DAYS) > today);
    let (key, born) = match usable {
        Some(born) => {
            let pem = std::fs::read_to_string(&key_path).map_err(|e| io(&key_path, e))?;
            (KeyPair::from_pem(&pem)?, born)
        }
        None => (KeyPair::generate()?, today),
    };
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Lectern local authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = born - Duration::days(1);
    params.not_after = born + Duration::days(AUTHORITY_DAYS);
    let pem_key = key.serialize_pem();
    let issuer = CertifiedIssuer::self_signed(params, key)?;
    if usable.is_none() {
        write(&key_path, &pem_key)?;
        write(&pem_path, &issuer.pem())?;
        write(&born_path, &born.unix_timestamp().to_string())?;
    }
    Ok(issuer)
}

/// What rustls needs to serve with these files: TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1.
pub fn server_config(files: &Files) -> Result<ServerConfig, TlsError> {
    let pem = |path: &Path, e: &dyn std::fmt::Display| TlsError::Pem {
        path: path.display().to_string(),
        reason: e.to_string(),
    };
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .map_err(|e| pem(&files.certificate, &e))?
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| pem(&files.certificate, &e))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|e| pem(&files.key, &e))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?)
}

fn io(path: &Path, source: std::io::Error) -> TlsError {
    TlsError::Io { path: path.display().to_string(), source }
}

/// Written whole or not at all, readable by the owner only.
fn write(path: &Path, text: &str) -> Result<(), TlsError> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let part = path.with_extension("part");
    let _ = std::fs::remove_file(&part);
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&part)
        .map_err(|e| io(&part, e))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|e| io(&part, e))?;
    std::fs::rename(&part, path).map_err(|e| io(path, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_a_usable_certificate_once_and_again_for_other_names() {
        let dir = tempfile::tempdir().expect("folder");
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let files = ensure(dir.path(), &names).expect("makes");
        server_config(&files).expect("is usable");
        let first = std::fs::read(&files.certificate).expect("reads");
        let authority = std::fs::read(dir.path().join("authority.pem")).expect("reads");
        ensure(dir.path(), &names).expect("keeps");
        assert_eq!(std::fs::read(&files.certificate).expect("reads"), first);
        ensure(dir.path(), &["lectern.site".to_owned()]).expect("makes anew");
        assert_ne!(std::fs::read(&files.certificate).expect("reads"), first);
        assert_eq!(std::fs::read(dir.path().join("authority.pem")).expect("reads"), authority);
    }

    #[test]
    fn a_broken_file_is_named() {
        let dir = tempfile::tempdir().expect("folder");
        let files = ensure(dir.path(), &["localhost".to_owned()]).expect("makes");
        std::fs::write(&files.key, "no key").expect("writes");
        let error = server_config(&files).expect_err("refused").to_string();
        assert!(error.contains("server.key"), "{error}");
    }
}
