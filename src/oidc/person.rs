//! Who signed in, as the provider tells it.

use std::fmt;

use serde_json::{Map, Value};

use crate::claims::{find, text, texts};
use crate::config::ProviderConfig;
use crate::error::{OidcError, Result, foreign};
use crate::token::Proven;

/// RFC 5321 section 4.5.3.1.
const MAX_EMAIL: usize = 254;

/// A person, verified. `issuer` and `subject` together name an account for good; everything else can change.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    pub issuer: String,
    pub subject: String,
    pub email: Option<String>,
    /// Whether the provider vouches for the address.
    pub email_verified: bool,
    pub name: Option<String>,
    pub user_name: Option<String>,
    /// Each once, in the provider's order; empty without the claim.
    pub groups: Vec<String>,
    /// The session at the provider, which a back-channel logout names.
    pub id_token_sid: Option<String>,
    /// The id token as it came, for [`crate::Provider::logout_url`]. Shows in no Debug.
    pub id_token: String,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person")
            .field("issuer", &self.issuer)
            .field("subject", &self.subject)
            .field("email", &self.email)
            .field("email_verified", &self.email_verified)
            .field("name", &self.name)
            .field("user_name", &self.user_name)
            .field("groups", &self.groups)
            .finish_non_exhaustive()
    }
}

/// Reads the person out of the id token, and out of userinfo where the token is silent.
pub(crate) fn read(
    config: &ProviderConfig,
    proven: Proven,
    more: Option<&Map<String, Value>>,
) -> Result<Person> {
    let sources: Vec<&Map<String, Value>> = std::iter::once(&proven.claims).chain(more).collect();
    let first = |claim: &str| sources.iter().find_map(|s| text(s, claim)).map(str::to_owned);
    let subject = first("sub").ok_or_else(|| OidcError::invalid("it names no subject"))?;
    let email = first(&config.email_claim).filter(|e| is_email(e));
    let email_verified = sources.iter().find_map(|s| vouched(config, s, email.as_deref()?)).unwrap_or(false);
    check_email(config, email.as_deref(), email_verified)?;
    Ok(Person {
        issuer: config.issuer.clone(),
        subject,
        email,
        email_verified,
        name: first(&config.name_claim),
        user_name: first(&config.user_name_claim),
        groups: sources.iter().find_map(|s| texts(s, &config.group_claim)).unwrap_or_default(),
        id_token_sid: text(&proven.claims, "sid").map(str::to_owned),
        id_token: proven.raw,
    })
}

/// What these claims say about the address in them: that it is verified, is not, or nothing.
pub(crate) fn verified(config: &ProviderConfig, claims: &Map<String, Value>) -> Option<bool> {
    vouched(config, claims, text(claims, &config.email_claim)?)
}

/// `email_verified` speaks of the claim email in the same place (section 5.1), and so only of an address that stands
/// there.
fn vouched(config: &ProviderConfig, claims: &Map<String, Value>, address: &str) -> Option<bool> {
    let verified = find(claims, "email_verified")?.as_bool()?;
    let spoken_of = text(claims, "email").or_else(|| text(claims, &config.email_claim))?;
    spoken_of.eq_ignore_ascii_case(address).then_some(verified)
}

fn check_email(config: &ProviderConfig, email: Option<&str>, verified: bool) -> Result<()> {
    if config.require_verified_email && !verified {
        return Err(OidcError::EmailNotVerified);
    }
    if config.allowed_domains.is_empty() {
        return Ok(());
    }
    let domain = email.and_then(|e| e.split_once('@')).map_or("", |(_, domain)| domain);
    let same = |allowed: &String| allowed.to_lowercase() == domain.to_lowercase();
    if config.allowed_domains.iter().any(same) {
        Ok(())
    } else {
        Err(OidcError::DomainNotAllowed { domain: foreign(domain) })
    }
}

/// One '@' with something on both sides. A second one could make a domain look like another.
fn is_email(text: &str) -> bool {
    let plain = |c: char| !c.is_whitespace() && !c.is_control();
    let parts = text.split_once('@');
    let split =
        parts.is_some_and(|(left, right)| !left.is_empty() && !right.is_empty() && !right.contains('@'));
    split && text.len() <= MAX_EMAIL && text.chars().all(plain)
}
