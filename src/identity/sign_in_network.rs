//! What signing in at other services needs of the network, said by whoever guards it.

use std::sync::Arc;

use lectern_kernel::{Code, Error, Result, Scope};
use lectern_ldap::Dial;
use lectern_oidc::Fetch;

/// Where a provider is, as an administrator saved it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The provider's id: what is allowed for it is allowed for nothing else.
    pub provider: String,
    /// Addresses that begin with `https://`, `http://`, `ldaps://` or `ldap://`; origins count, paths do not.
    pub addresses: Vec<String>,
    /// Private certificate authorities in PEM that are trusted there too.
    pub authorities: Option<String>,
}

/// Opens connections to providers. Goes nowhere but to the addresses of a place, and there only by its administrator's
/// word.
pub trait SignInNetwork: Send + Sync {
    /// What is wrong with an address, before it is saved: nobody's, a group's, a link-local one.
    fn check(&self, address: &str) -> Result<(), String>;

    /// Requests to the addresses of the place, which are allowed from now on in place of those before.
    fn fetch(&self, scope: &Scope, place: &Place) -> Result<Arc<dyn Fetch>>;

    /// Connections to the addresses of the place, which are allowed from now on in place of those before.
    fn dial(&self, scope: &Scope, place: &Place) -> Result<Arc<dyn Dial>>;

    /// Takes back what was allowed for a provider.
    fn withdraw(&self, scope: &Scope, provider: &str);
}

/// Goes nowhere: the command line on a folder needs no provider.
pub(crate) struct NoNetwork;

fn nowhere() -> Error {
    Error::new(Code::EgressDenied, "There is no network here.")
}

impl SignInNetwork for NoNetwork {
    fn check(&self, _: &str) -> Result<(), String> {
        Err("cannot be reached from here".to_owned())
    }

    fn fetch(&self, _: &Scope, _: &Place) -> Result<Arc<dyn Fetch>> {
        Err(nowhere())
    }

    fn dial(&self, _: &Scope, _: &Place) -> Result<Arc<dyn Dial>> {
        Err(nowhere())
    }

    fn withdraw(&self, _: &Scope, _: &str) {}
}
