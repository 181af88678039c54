//! What sending entries elsewhere needs of the network, said by whoever guards it.

use std::sync::Arc;

use async_trait::async_trait;
use lectern_kernel::{Result, Scope};
use lectern_syslog::Dial;
use zeroize::Zeroizing;

/// Where a target is, as an administrator saved it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetPlace {
    /// The target's id: what is allowed for it is allowed for nothing else.
    pub target: String,
    /// `host:port`, or a whole address of a collector that is reached by HTTP.
    pub address: String,
    /// Authorities in PEM that are trusted there in place of the machine's.
    pub authorities: Option<String>,
}

/// One request to a collector.
pub struct Post {
    pub content_type: &'static str,
    /// A header with a secret value.
    pub header: Option<(String, Zeroizing<String>)>,
    pub body: Vec<u8>,
}

/// Why a collector did not take a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostError {
    /// The site's policy says no.
    Denied(String),
    /// There is no connection, or no encrypted one.
    NoConnection(String),
    /// There is one, and no answer.
    NoAnswer(String),
}

/// Opens connections to targets. Goes nowhere but to the address of a place, and there only by its administrator's word.
#[async_trait]
pub trait ForwardNetwork: Send + Sync {
    /// What is wrong with an address, before it is saved: nobody's, a group's, a link-local one.
    fn check(&self, address: &str) -> Result<(), String>;

    /// The name of this machine, as messages carry it.
    fn host(&self) -> String;

    /// Connections to the address of the place, which is allowed from now on in place of the one before.
    fn dial(&self, scope: &Scope, place: &TargetPlace) -> Result<Arc<dyn Dial>>;

    /// The status that answers one request to the address of the place.
    async fn post(&self, scope: &Scope, place: &TargetPlace, post: Post) -> Result<u16, PostError>;

    /// Takes back what was allowed for a target.
    fn withdraw(&self, scope: &Scope, target: &str);
}
