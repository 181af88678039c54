//! A network that reaches this machine alone, and the requests that collectors got.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use async_trait::async_trait;
use lectern_kernel::{Result, Scope};
use parking_lot::Mutex;
use tokio::net::{TcpStream, UdpSocket};

use crate::{Dial, DialError, ForwardNetwork, Post, PostError, TargetPlace};

/// One request as a collector got it.
#[derive(Debug, Clone)]
pub(crate) struct Got {
    pub place: TargetPlace,
    pub content_type: &'static str,
    pub header: Option<(String, String)>,
    pub body: String,
}

/// Collectors answer with a status that tests set; 0 is none.
#[derive(Default)]
pub(crate) struct Loopback {
    pub status: AtomicU16,
    pub got: Mutex<Vec<Got>>,
    pub withdrawn: Mutex<Vec<String>>,
}

struct Here;

#[async_trait]
impl Dial for Here {
    async fn dial(&self, _: &str, port: u16) -> Result<TcpStream, DialError> {
        Ok(TcpStream::connect(("127.0.0.1", port)).await?)
    }

    async fn datagrams(&self, _: &str, port: u16) -> Result<UdpSocket, DialError> {
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        socket.connect(("127.0.0.1", port)).await?;
        Ok(socket)
    }
}

#[async_trait]
impl ForwardNetwork for Loopback {
    fn check(&self, address: &str) -> Result<(), String> {
        if address.contains("169.254.") { Err("is not the address of one machine".into()) } else { Ok(()) }
    }

    fn host(&self) -> String {
        "desk.example.org".to_owned()
    }

    fn dial(&self, _: &Scope, _: &TargetPlace) -> Result<Arc<dyn Dial>> {
        Ok(Arc::new(Here))
    }

    async fn post(&self, _: &Scope, place: &TargetPlace, post: Post) -> Result<u16, PostError> {
        let status = self.status.load(Ordering::SeqCst);
        if status == 0 {
            return Err(PostError::NoAnswer("no answer".to_owned()));
        }
        if status < 300 {
            let header = post.header.map(|(name, value)| (name, value.to_string()));
            let body = String::from_utf8(post.body).expect("text");
            self.got.lock().push(Got { place: place.clone(), content_type: post.content_type, header, body });
        }
        Ok(status)
    }

    fn withdraw(&self, _: &Scope, target: &str) {
        self.withdrawn.lock().push(target.to_owned());
    }
}
