//! The connection under the LDAP library: opened by the site's policy, encrypted, and watched.
//!
//! The library gets one end of a local socket pair; what the server sends goes there only after [`ber::check`].

use std::io::{self, Error, ErrorKind};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::Arc;

use async_trait::async_trait;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use crate::address::Address;
use crate::ber::{self, ENUMERATED, INTEGER, SEQUENCE, element};
use crate::refusal::{Refusal, quoted};
use crate::tls;

/// Bytes that a server may send on one connection.
const MOST_BYTES: usize = 64 << 20;
/// An extended request, number one, for 1.3.6.1.4.1.1466.20037 (RFC 4511 section 4.14.1).
const START_TLS: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
const EXTENDED_RESPONSE: u8 = 0x78;

/// Who opens connections: the one place that knows whether the site's policy lets this program go there.
#[async_trait]
pub trait Dial: Send + Sync {
    /// Opens a TCP connection to this host name or IP address, if that is allowed.
    async fn dial(&self, host: &str, port: u16) -> Result<TcpStream, DialError>;
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The policy says no; why, in a sentence.
    #[error("{0}")]
    Denied(String),
    /// Nobody answers there.
    #[error(transparent)]
    Failed(#[from] io::Error),
}

/// What both plain and encrypted connections are.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Opens the TCP connection.
pub(crate) async fn connect(dial: &dyn Dial, address: &Address) -> Result<TcpStream, Refusal> {
    let stream = dial.dial(&address.host, address.port).await.map_err(|error| match error {
        DialError::Denied(reason) => Refusal::misconfigured(
            "urls",
            format!("{address} is not allowed here: {reason}"),
            "Allow this host and port for outbound connections first.",
        ),
        DialError::Failed(error) => Refusal::unavailable(
            format!("{address}: {error}"),
            "Check the address and port, that the server runs, and firewalls between here and there.",
        ),
    })?;
    // Small questions and answers in turn: waiting for more to send only delays them.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// Encrypts the connection as the address and the settings want it.
pub(crate) async fn secure(
    mut stream: TcpStream,
    address: &Address,
    client: Option<&Arc<ClientConfig>>,
) -> Result<Box<dyn Stream>, Refusal> {
    let Some(client) = client else { return Ok(Box::new(stream)) };
    if !address.tls {
        start_tls(&mut stream, address).await?;
    }
    let name = ServerName::try_from(address.host.clone()).map_err(|_| {
        let hint = "Use the server's name as it stands in its certificate.";
        Refusal::misconfigured("urls", format!("{address} has no name that a certificate can have"), hint)
    })?;
    let connector = TlsConnector::from(Arc::clone(client));
    match connector.connect(name, stream).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => Err(tls::refusal(&address.to_string(), &error)),
    }
}

/// Asks for encryption. Exactly one answer is read, so nothing that came unencrypted can pass for later.
async fn start_tls(stream: &mut TcpStream, address: &Address) -> Result<(), Refusal> {
    let hint = "Check that the server offers StartTLS and has a certificate, or use ldaps://.";
    let lost = |error: Error| Refusal::unavailable(format!("{address}: {error}"), hint);
    stream.write_all(START_TLS).await.map_err(lost)?;
    let answer = ber::read_message(stream).await.map_err(lost)?;
    let answer = answer.ok_or_else(|| lost(ErrorKind::UnexpectedEof.into()))?;
    match read_start_tls(&answer) {
        Ok((0, _)) => Ok(()),
        Ok((code, text)) => Err(Refusal::misconfigured(
            "starttls",
            format!("{address} refuses StartTLS with code {code}{}", quoted(&text)),
            hint,
        )),
        Err(error) => Err(lost(error)),
    }
}

/// The result code and text of the answer to request one.
fn read_start_tls(answer: &[u8]) -> io::Result<(u8, String)> {
    let odd = || Error::new(ErrorKind::InvalidData, "the answer to StartTLS cannot be understood");
    let message = element(answer)?;
    let id = element(message.content)?;
    let operation = element(id.rest)?;
    let code = element(operation.content)?;
    let matched = element(code.rest)?;
    let text = element(matched.rest)?;
    let tags = [message.tag, id.tag, operation.tag, code.tag];
    if tags != [SEQUENCE, INTEGER, EXTENDED_RESPONSE, ENUMERATED] || id.content != [1] {
        return Err(odd());
    }
    let &[code] = code.content else { return Err(odd()) };
    Ok((code, String::from_utf8_lossy(text.content).into_owned()))
}

/// The library's end of a connection, and what carries it: to be polled as long as the connection is used.
pub(crate) fn watched(
    stream: Box<dyn Stream>,
) -> io::Result<(StdUnixStream, impl Future<Output = io::Result<()>> + Send)> {
    let (near, far) = UnixStream::pair()?;
    Ok((far.into_std()?, carry(stream, near)))
}

async fn carry(stream: Box<dyn Stream>, near: UnixStream) -> io::Result<()> {
    let (mut from_server, mut to_server) = tokio::io::split(stream);
    let (mut from_library, mut to_library) = near.into_split();
    let up = async {
        tokio::io::copy(&mut from_library, &mut to_server).await?;
        to_server.shutdown().await
    };
    let down = async {
        let mut total = 0;
        while let Some(message) = ber::read_message(&mut from_server).await? {
            total += message.len();
            if total > MOST_BYTES {
                return Err(Error::new(ErrorKind::InvalidData, "the server sends too much"));
            }
            to_library.write_all(&message).await?;
        }
        Ok(())
    };
    tokio::select! {
        done = up => done,
        done = down => done,
    }
}

#[cfg(test)]
pub(crate) fn start_tls_answer(answer: &[u8]) -> io::Result<(u8, String)> {
    read_start_tls(answer)
}
