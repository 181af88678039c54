//! Messages on their way to servers that the tests are.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_rustls::TlsAcceptor;

use crate::{Address, Dial, DialError, Framing, Sender, Step, Transport};

/// Of a new authority, for `localhost`.
pub(crate) struct Certificates {
    pub authority: String,
    pub certificate: String,
    pub key: String,
}

pub(crate) fn certificates() -> Certificates {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
    Certificates { authority: authority.pem(), certificate: certificate.pem(), key: key.serialize_pem() }
}

/// Takes every host for this machine, unless it is called `denied` or `unknown`.
pub(crate) struct Here;

fn allowed(host: &str) -> Result<(), DialError> {
    match host {
        "denied" => Err(DialError::Denied("nobody allowed it".to_owned())),
        "unknown" => Err(DialError::Unresolved("the name is not known".to_owned())),
        _ => Ok(()),
    }
}

#[async_trait]
impl Dial for Here {
    async fn dial(&self, host: &str, port: u16) -> Result<TcpStream, DialError> {
        allowed(host)?;
        Ok(TcpStream::connect(("127.0.0.1", port)).await?)
    }

    async fn datagrams(&self, host: &str, port: u16) -> Result<UdpSocket, DialError> {
        allowed(host)?;
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        socket.connect(("127.0.0.1", port)).await?;
        Ok(socket)
    }
}

pub(crate) fn sender(host: &str, port: u16, transport: Transport) -> Sender {
    let address = Address { host: host.to_owned(), port };
    Sender { address, transport, framing: Framing::Counted, authorities: None, dial: Arc::new(Here) }
}

fn messages() -> Vec<Vec<u8>> {
    (0..50).map(|n| format!("message {n} \u{e9}").into_bytes()).collect()
}

fn framed() -> Vec<u8> {
    messages().iter().flat_map(|m| [m.len().to_string().as_bytes(), b" ", m].concat()).collect()
}

async fn all(mut stream: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    bytes
}

#[tokio::test]
async fn tcp_carries_counted_messages_and_lines() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut sender = sender("localhost", port, Transport::Tcp);
    for framing in [Framing::Counted, Framing::Lines] {
        sender.framing = framing;
        let messages = messages();
        let (sent, got) =
            tokio::join!(sender.send(&messages), async { all(listener.accept().await.unwrap().0).await });
        sent.unwrap();
        match framing {
            Framing::Counted => assert_eq!(got, framed()),
            Framing::Lines => assert_eq!(got, [messages.join(&b"\n"[..]), b"\n".to_vec()].concat()),
        }
    }
}

#[tokio::test]
async fn a_reset_connection_is_no_delivery() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let resets = async {
        let (stream, _) = listener.accept().await.unwrap();
        // Closing with bytes unread resets the connection.
        stream.peek(&mut [0; 16]).await.unwrap();
        drop(stream);
    };
    let (sender, messages) = (sender("localhost", port, Transport::Tcp), messages());
    let (sent, ()) = tokio::join!(sender.send(&messages), resets);
    assert_eq!(sent.unwrap_err().step, Step::Sent);
}

#[tokio::test]
async fn a_server_that_never_ends_the_connection_has_the_messages() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, messages) = (sender("localhost", port, Transport::Tcp), messages());
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut got = vec![0; framed().len()];
        stream.read_exact(&mut got).await.unwrap();
        (stream, got)
    };
    let (sent, (_stream, got)) = tokio::join!(sender.send(&messages), server);
    sent.unwrap();
    assert_eq!(got, framed());
}

#[tokio::test]
async fn each_step_that_fails_is_named() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
        for (host, step) in [("denied", Step::Allowed), ("unknown", Step::Resolved)] {
            let failed = sender(host, closed, transport).send(&messages()).await.unwrap_err();
            assert_eq!(failed.step, step, "{transport:?}");
            assert!(!failed.hint.is_empty());
        }
        let failed = sender("localhost", closed, transport).send(&messages()[..1]).await.unwrap_err();
        let expected = if transport == Transport::Udp { Step::Sent } else { Step::Connected };
        assert_eq!(failed.step, expected, "{transport:?}");
    }
}

#[tokio::test]
async fn datagrams_carry_one_message_each() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    sender("localhost", port, Transport::Udp).send(&messages()).await.unwrap();
    let mut buffer = [0; 4096];
    for message in messages() {
        let length =
            tokio::time::timeout(Duration::from_secs(10), socket.recv(&mut buffer)).await.unwrap().unwrap();
        assert_eq!(&buffer[..length], message);
    }
}

fn acceptor(made: &Certificates) -> TlsAcceptor {
    let chain = CertificateDer::pem_slice_iter(made.certificate.as_bytes()).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(made.key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn tls_carries_messages_to_whom_the_authority_vouches_for() {
    let made = certificates();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = acceptor(&made);
    let serve = async || match acceptor.accept(listener.accept().await.unwrap().0).await {
        Ok(mut stream) => {
            let mut got = Vec::new();
            stream.read_to_end(&mut got).await.unwrap();
            stream.shutdown().await.unwrap();
            got
        }
        Err(_) => Vec::new(),
    };
    let mut sender = sender("localhost", port, Transport::Tls);
    sender.authorities = Some(made.authority.clone());
    let messages = messages();
    let (sent, got) = tokio::join!(sender.send(&messages), serve());
    sent.unwrap();
    assert_eq!(got, framed());

    sender.address.host = "elsewhere.example.org".to_owned();
    let (sent, got) = tokio::join!(sender.send(&messages), serve());
    let failed = sent.unwrap_err();
    assert!(failed.step == Step::Tls && failed.message.contains("other names"), "{failed:?}");
    assert!(got.is_empty());

    sender.address.host = "localhost".to_owned();
    sender.authorities = Some(certificates().authority);
    let (sent, got) = tokio::join!(sender.send(&messages), serve());
    let failed = sent.unwrap_err();
    assert!(failed.step == Step::Tls && failed.message.contains("not trusted"), "{failed:?}");
    assert!(got.is_empty());
}

#[tokio::test]
async fn a_server_without_tls_gets_no_message() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut sender = sender("localhost", port, Transport::Tls);
    sender.authorities = Some(certificates().authority);
    let plain = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut got = vec![0; 4096];
        let length = stream.read(&mut got).await.unwrap();
        stream.write_all(b"220 not TLS\r\n").await.unwrap();
        got.truncate(length);
        got
    };
    let messages = messages();
    let (sent, got) = tokio::join!(sender.send(&messages), plain);
    assert_eq!(sent.unwrap_err().step, Step::Tls);
    assert!(!String::from_utf8_lossy(&got).contains("message"));
}
