//! The relying party's side of OpenID Connect: sends a person to the site's sign-in service and verifies what comes
//! back (OpenID Connect Core 1.0 with the code flow, Discovery 1.0, RP-Initiated and Back-Channel Logout 1.0, PKCE of
//! RFC 7636, the issuer parameter of RFC 9207, the advice of RFC 9700). It opens no connection by itself, every request
//! goes through the caller's [`Fetch`]; it keeps no session and has no clock. Times are Unix milliseconds.

mod address;
mod begin;
mod callback;
mod claims;
mod config;
mod error;
mod exchange;
mod fetch;
mod keys;
mod logout;
mod metadata;
mod person;
mod provider;
mod reqwest_fetch;
mod token;
mod userinfo;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_config;
#[cfg(test)]
mod tests_discovery;
#[cfg(test)]
mod tests_fake;
#[cfg(test)]
mod tests_fetch;
#[cfg(test)]
mod tests_logout;
#[cfg(test)]
mod tests_peer;
#[cfg(test)]
mod tests_person;
#[cfg(test)]
mod tests_token;

pub use begin::{Begun, Pending};
pub use callback::Callback;
pub use config::ProviderConfig;
pub use error::{OidcError, Result};
pub use fetch::{Fetch, HttpRequest, HttpResponse, MAX_BODY, Method};
pub use logout::LogoutToken;
pub use person::Person;
pub use provider::Provider;
pub use reqwest_fetch::ReqwestFetch;
