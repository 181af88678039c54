//! What may be connected to for a record, and a collector whose authority is the site's own.

use std::sync::Arc;

use lectern_access::{DialError, ForwardNetwork, Post, PostError, TargetPlace};
use lectern_kernel::{Scope, SystemClock, TenantId};
use lectern_ops::{CONTROL_MIGRATIONS, SafeHttp};
use lectern_store::Stores;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use zeroize::Zeroizing;

use crate::forwarding::ForwardFromHttp;

fn network() -> (tempfile::TempDir, SafeHttp, ForwardFromHttp) {
    let folder = tempfile::tempdir().expect("a folder");
    let stores = Stores::open(folder.path(), CONTROL_MIGRATIONS, Vec::new(), Arc::new(SystemClock));
    let http = SafeHttp::new(&stores.expect("opens"));
    (folder, http.clone(), ForwardFromHttp(http))
}

fn place(address: &str, authorities: Option<String>) -> TargetPlace {
    TargetPlace { target: "tgt_1".to_owned(), address: address.to_owned(), authorities }
}

fn scope() -> Scope {
    Scope::system(TenantId::main())
}

#[tokio::test]
async fn one_address_is_reached_and_no_other_and_each_try_is_noted() {
    let (_folder, http, network) = network();
    for bad in
        ["169.254.1.1:514", "0.0.0.0:514", "224.0.0.1:514", "[fe80::1]:514", "[::]:1", "https://[ff02::1]/"]
    {
        assert!(network.check(bad).is_err(), "{bad}");
    }
    for good in [
        "127.0.0.1:514",
        "10.0.0.8:6514",
        "syslog.example.org:514",
        "[::1]:514",
        "https://siem.example.org/in",
    ] {
        network.check(good).expect(good);
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let port = listener.local_addr().expect("an address").port();
    let dial = network.dial(&scope(), &place(&format!("127.0.0.1:{port}"), None)).expect("is allowed");
    dial.dial("127.0.0.1", port).await.expect("connects");
    dial.datagrams("127.0.0.1", port).await.expect("opens");
    assert!(matches!(dial.dial("127.0.0.1", port + 1).await, Err(DialError::Denied(_))));
    assert!(matches!(dial.dial("localhost", port).await, Err(DialError::Denied(_))));
    network.withdraw(&scope(), "tgt_1");
    assert!(matches!(dial.dial("127.0.0.1", port).await, Err(DialError::Denied(_))));
    let unknown = network.dial(&scope(), &place("not-there.invalid:514", None)).expect("is allowed");
    assert!(matches!(unknown.dial("not-there.invalid", 514).await, Err(DialError::Unresolved(_))));
    let noted: Vec<_> = http.recent(&scope()).into_iter().map(|e| (e.purpose, e.allowed)).collect();
    let expected = [true, false, true, true].map(|allowed| ("audit tgt_1".to_owned(), allowed));
    assert_eq!(noted, expected);
}

/// An authority, and a server that it vouches for: one request is answered with 202 and given back.
async fn collector() -> (String, u16, tokio::task::JoinHandle<String>) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("signs");
    let key = KeyPair::generate().expect("a key");
    let names = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    let chain = names.signed_by(&key, &authority).expect("signs").pem();
    let chain = CertificateDer::pem_slice_iter(chain.as_bytes()).map(|c| c.expect("a certificate")).collect();
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).expect("a key");
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("a certificate");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let port = listener.local_addr().expect("an address").port();
    let got = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("comes");
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let (mut text, mut buffer) = (String::new(), [0; 4096]);
            while !text.ends_with("the body") {
                let length = stream.read(&mut buffer).await.expect("reads");
                text += &String::from_utf8_lossy(&buffer[..length]);
            }
            stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").await.expect("writes");
            let _ = stream.shutdown().await;
            return text;
        }
    });
    (authority.pem(), port, got)
}

#[tokio::test]
async fn a_collector_is_known_by_the_sites_own_authority_and_by_no_other() {
    let (_folder, _, network) = network();
    let (authority, port, got) = collector().await;
    let post = || Post {
        content_type: "application/x-ndjson",
        header: Some(("X-Key".to_owned(), Zeroizing::new("the secret".to_owned()))),
        body: b"the body".to_vec(),
    };
    let address = format!("https://localhost:{port}/in");
    let unknown = network.post(&scope(), &place(&address, None), post()).await;
    assert!(matches!(unknown, Err(PostError::NoConnection(_))), "{unknown:?}");
    network.withdraw(&scope(), "tgt_1");
    let known = network.post(&scope(), &place(&address, Some(authority)), post()).await;
    assert_eq!(known, Ok(202));
    let request = got.await.expect("ends").to_lowercase();
    assert!(
        request.starts_with("post /in http/1.1\r\n") && request.contains("x-key: the secret"),
        "{request}"
    );
}
