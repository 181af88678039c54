//! The way to a server: a connection that the site's policy opened, what is written to it, and its end.
//!
//! Syslog has no answers. What can be known is that the server's machine took all bytes: after the last one the stream is
//! closed on this side, and the server's end of it is waited for. A server that resets the connection has not read all.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;

use crate::address::Address;
use crate::frame::{Framing, frame};
use crate::tls;

/// Until a connection stands, and until it is encrypted.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// For all messages of a call.
const WRITE_TIME: Duration = Duration::from_secs(60);
/// For the server to end the connection after us; many never do.
const END_TIME: Duration = Duration::from_secs(3);
/// For a machine to say that nobody listens for datagrams.
const REFUSAL_TIME: Duration = Duration::from_millis(100);
/// Datagrams that are sent at once; more could overrun the receiver.
const BURST: usize = 16;
const BURST_PAUSE: Duration = Duration::from_millis(5);
/// What a server may say, which means nothing.
const MOST_SAID: usize = 64 * 1024;

/// How messages travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Udp,
    Tcp,
    Tls,
}

impl Transport {
    /// The port that it has where none is named.
    pub fn usual_port(self) -> u16 {
        match self {
            Self::Udp => 514,
            Self::Tcp => 601,
            Self::Tls => 6514,
        }
    }

    /// What is done one after the other.
    pub fn steps(self) -> &'static [Step] {
        match self {
            Self::Udp => &[Step::Allowed, Step::Resolved, Step::Sent],
            Self::Tcp => &[Step::Allowed, Step::Resolved, Step::Connected, Step::Sent],
            Self::Tls => &[Step::Allowed, Step::Resolved, Step::Connected, Step::Tls, Step::Sent],
        }
    }
}

/// What has to succeed before a message is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The site's policy lets this program go there.
    Allowed,
    /// The name leads to an address.
    Resolved,
    Connected,
    Tls,
    Sent,
}

/// Who opens connections: the one place that knows whether the site's policy lets this program go there.
#[async_trait]
pub trait Dial: Send + Sync {
    /// Opens a TCP connection to this host name or IP address, if that is allowed.
    async fn dial(&self, host: &str, port: u16) -> Result<TcpStream, DialError>;

    /// A socket whose datagrams go to this host name or IP address and to no other, if that is allowed.
    async fn datagrams(&self, host: &str, port: u16) -> Result<UdpSocket, DialError>;
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The policy says no; why, in a sentence.
    #[error("{0}")]
    Denied(String),
    /// The name leads nowhere, or to no address of one machine.
    #[error("{0}")]
    Unresolved(String),
    /// Nobody answers there.
    #[error(transparent)]
    Failed(#[from] io::Error),
}

/// Why messages are not there. Some of them may be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SendError {
    /// What failed; the steps before it succeeded.
    pub step: Step,
    pub message: String,
    /// What to do.
    pub hint: &'static str,
}

/// Takes messages to one server; keeps no connection between calls.
pub struct Sender {
    pub address: Address,
    pub transport: Transport,
    pub framing: Framing,
    /// Authorities in PEM that are trusted in place of the machine's.
    pub authorities: Option<String>,
    pub dial: Arc<dyn Dial>,
}

impl Sender {
    /// Sends messages in their order, all or with an error.
    pub async fn send(&self, messages: &[Vec<u8>]) -> Result<(), SendError> {
        match self.transport {
            Transport::Udp => self.send_datagrams(messages).await,
            Transport::Tcp => self.write(self.connect().await?, messages).await,
            Transport::Tls => {
                let client = tls::client(self.authorities.as_deref())?;
                let stream = self.connect().await?;
                self.write(self.encrypt(stream, client).await?, messages).await
            }
        }
    }

    async fn connect(&self) -> Result<TcpStream, SendError> {
        let dialled = self.dial.dial(&self.address.host, self.address.port);
        match timeout(CONNECT_TIME, dialled).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(self.undialled(error)),
            Err(_) => Err(too_slow(Step::Connected)),
        }
    }

    async fn encrypt(
        &self,
        stream: TcpStream,
        client: Arc<rustls::ClientConfig>,
    ) -> Result<tokio_rustls::client::TlsStream<TcpStream>, SendError> {
        let name = ServerName::try_from(self.address.host.clone()).map_err(|_| SendError {
            step: Step::Tls,
            message: format!("{} is no name that a certificate can have", self.address.host),
            hint: "Use the server's name as it stands in its certificate.",
        })?;
        match timeout(CONNECT_TIME, TlsConnector::from(client).connect(name, stream)).await {
            Ok(done) => done.map_err(|error| tls::refused(&error)),
            Err(_) => Err(too_slow(Step::Tls)),
        }
    }

    async fn write<S>(&self, mut stream: S, messages: &[Vec<u8>]) -> Result<(), SendError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin,
    {
        let mut bytes = Vec::with_capacity(messages.iter().map(|message| message.len() + 8).sum());
        for message in messages {
            frame(&mut bytes, message, self.framing);
        }
        let written = timeout(WRITE_TIME, async {
            stream.write_all(&bytes).await?;
            stream.flush().await?;
            stream.shutdown().await
        });
        match written.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(broken(&error)),
            Err(_) => return Err(too_slow(Step::Sent)),
        }
        // Without an end within the time nothing contradicts that the bytes are there.
        timeout(END_TIME, end_of(&mut stream)).await.unwrap_or(Ok(())).map_err(|error| broken(&error))
    }

    async fn send_datagrams(&self, messages: &[Vec<u8>]) -> Result<(), SendError> {
        let opened = self.dial.datagrams(&self.address.host, self.address.port);
        let socket = match timeout(CONNECT_TIME, opened).await {
            Ok(opened) => opened.map_err(|error| self.undialled(error))?,
            Err(_) => return Err(too_slow(Step::Resolved)),
        };
        for burst in messages.chunks(BURST) {
            for message in burst {
                socket.send(message).await.map_err(|error| unheard(&error))?;
            }
            if messages.len() > BURST {
                sleep(BURST_PAUSE).await;
            }
        }
        // The other machine says so soon when nobody listens there; silence may mean anything.
        match timeout(REFUSAL_TIME, socket.recv(&mut [0; 16])).await {
            Ok(Err(error)) => Err(unheard(&error)),
            Ok(Ok(_)) | Err(_) => Ok(()),
        }
    }

    fn undialled(&self, error: DialError) -> SendError {
        let (step, message, hint) = match error {
            DialError::Denied(why) => {
                (Step::Allowed, why, "Save the target again, with an address of one machine.")
            }
            DialError::Unresolved(why) => {
                (Step::Resolved, why, "Check the spelling of the host, and the name servers of this machine.")
            }
            DialError::Failed(error) => (
                Step::Connected,
                format!("{} does not answer: {error}", self.address),
                "Check the port, that the server runs, and firewalls between here and there.",
            ),
        };
        SendError { step, message, hint }
    }
}

/// Reads what the server says until it ends the connection. One that does so without the words of TLS for it has ended
/// it all the same.
async fn end_of(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    let (mut buffer, mut said) = ([0; 1024], 0);
    loop {
        match stream.read(&mut buffer).await {
            Ok(0) => return Ok(()),
            Ok(bytes) => said += bytes,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        }
        if said > MOST_SAID {
            return Ok(());
        }
    }
}

fn too_slow(step: Step) -> SendError {
    let seconds = if step == Step::Sent { WRITE_TIME } else { CONNECT_TIME }.as_secs();
    SendError {
        step,
        message: format!("no answer within {seconds} s"),
        hint: "Check that the server runs, and firewalls between here and there.",
    }
}

fn broken(error: &io::Error) -> SendError {
    SendError {
        step: Step::Sent,
        message: format!("the connection broke off: {error}"),
        hint: "Look into the log of the server: it may not take messages of this format, or from here.",
    }
}

fn unheard(error: &io::Error) -> SendError {
    SendError {
        step: Step::Sent,
        message: format!("nobody takes messages there: {error}"),
        hint: "Check the port, that the server listens for UDP, and firewalls between here and there.",
    }
}
