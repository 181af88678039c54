//! What an administrator says about a provider. The client's secret is not among it: it is given at use, so that it can
//! lie sealed elsewhere.

use serde::{Deserialize, Serialize};

use crate::address;
use crate::reqwest_fetch::authorities;

const MAX_TEXT: usize = 2048;
const MAX_SKEW_SECONDS: u32 = 600;
const MAX_LIST: usize = 100;
/// What a person can be asked for; `none` would refuse everyone who is not signed in there already.
const PROMPTS: [&str; 4] = ["login", "consent", "select_account", "create"];

/// A provider's settings. An unknown field is an error; what is left out has the default said here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// Exactly as the provider names itself, with or without a slash at the end.
    pub issuer: String,
    /// As registered at the provider.
    pub client_id: String,
    /// For tests: `http://` to this machine (127.0.0.1, localhost) is allowed. Default false.
    #[serde(default)]
    pub allow_http: bool,
    /// Default openid, profile and email; openid is always asked for.
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    /// Claim with the person's groups: a name, or a path with dots such as `realm_access.roles`. Default groups.
    #[serde(default = "groups")]
    pub group_claim: String,
    /// Claim with the e-mail address. Default email.
    #[serde(default = "email")]
    pub email_claim: String,
    /// Claim with the name for display. Default name.
    #[serde(default = "name")]
    pub name_claim: String,
    /// Claim with the user name. Default `preferred_username`.
    #[serde(default = "user_name")]
    pub user_name_claim: String,
    /// Refuse who has no address that the provider vouches for (`email_verified`). Default true.
    #[serde(default = "yes")]
    pub require_verified_email: bool,
    /// Domains that an address must be of, exactly; none means every domain.
    #[serde(default)]
    pub allowed_domains: Vec<String>,
    /// Private certificate authorities to trust for this provider, in PEM; for the maker of the [`crate::Fetch`].
    #[serde(default)]
    pub ca_pem: Option<String>,
    /// What the provider shall ask the person each time: `login`, `consent`, `select_account`, `create`.
    #[serde(default)]
    pub prompt: Option<String>,
    /// Ways to sign in that are asked for. If there are any, the token must name one of them in its claim acr.
    #[serde(default)]
    pub acr_values: Vec<String>,
    /// How far the clocks may be apart, in seconds, at most 600. Default 60.
    #[serde(default = "skew")]
    pub clock_skew_seconds: u32,
}

impl ProviderConfig {
    /// Settings with defaults.
    pub fn new(issuer: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            client_id: client_id.into(),
            allow_http: false,
            scopes: scopes(),
            group_claim: groups(),
            email_claim: email(),
            name_claim: name(),
            user_name_claim: user_name(),
            require_verified_email: true,
            allowed_domains: Vec::new(),
            ca_pem: None,
            prompt: None,
            acr_values: Vec::new(),
            clock_skew_seconds: skew(),
        }
    }

    /// What is wrong, as field and sentence; empty when all is well.
    pub fn validate(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        let mut check = |field, problem: Option<&str>| {
            wrong.extend(problem.map(|p| (field, p.to_owned())));
        };
        check("issuer", self.wrong_issuer());
        check("client_id", wrong_text(&self.client_id));
        check("scopes", wrong_words(&self.scopes));
        check("group_claim", wrong_text(&self.group_claim));
        check("email_claim", wrong_text(&self.email_claim));
        check("name_claim", wrong_text(&self.name_claim));
        check("user_name_claim", wrong_text(&self.user_name_claim));
        check("allowed_domains", self.wrong_domains());
        check("ca_pem", self.ca_pem.as_deref().and_then(wrong_pem));
        check("prompt", self.prompt.as_deref().and_then(wrong_prompt));
        check("acr_values", wrong_words(&self.acr_values));
        let too_far = self.clock_skew_seconds > MAX_SKEW_SECONDS;
        check("clock_skew_seconds", too_far.then_some("At most 600 seconds; set the clocks right instead."));
        wrong
    }

    fn wrong_issuer(&self) -> Option<&'static str> {
        match address::checked(&self.issuer, self.allow_http) {
            _ if self.issuer.len() > MAX_TEXT => Some("This is too long for an address."),
            Ok(url) if url.query().is_some() => Some("An issuer has no part after '?'."),
            Ok(_) => None,
            Err("does not begin with https://") => Some("The address must begin with https://."),
            Err(_) => {
                Some("This is not the address of a sign-in service, such as https://login.example.org.")
            }
        }
    }

    fn wrong_domains(&self) -> Option<&'static str> {
        let wrong = |d: &String| {
            let allowed = |c: char| c.is_alphanumeric() || c == '-' || c == '.';
            d.is_empty() || d.len() > 253 || d.starts_with('.') || d.ends_with('.') || !d.chars().all(allowed)
        };
        let any = self.allowed_domains.len() > MAX_LIST || self.allowed_domains.iter().any(wrong);
        any.then_some("Write each domain as in 'example.org', without '@' and '*', at most 100 of them.")
    }

    pub(crate) fn skew(&self) -> i64 {
        i64::from(self.clock_skew_seconds.min(MAX_SKEW_SECONDS)) * 1000
    }
}

fn wrong_text(text: &str) -> Option<&'static str> {
    let bad = text.is_empty() || text.len() > MAX_TEXT || text.chars().any(char::is_control);
    bad.then_some("This must not be empty, nor longer than one line.")
}

/// The form of scope tokens, RFC 6749 section 3.3.
fn wrong_words(words: &[String]) -> Option<&'static str> {
    let good = |w: &String| {
        !w.is_empty() && w.len() <= 256 && w.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
    };
    let bad = words.len() > MAX_LIST || !words.iter().all(good);
    bad.then_some("Each must be one word of plain characters, at most 100 of them.")
}

fn wrong_pem(pem: &str) -> Option<&'static str> {
    if pem.contains("PRIVATE KEY") {
        return Some("There is a private key in this text. Take it out, and use that key no longer.");
    }
    let none = authorities(pem).map_or(true, |found| found.is_empty());
    none.then_some("This is not a certificate in PEM: '-----BEGIN CERTIFICATE-----' and so on.")
}

fn wrong_prompt(prompt: &str) -> Option<&'static str> {
    let bad = prompt.is_empty() || prompt.split(' ').any(|word| !PROMPTS.contains(&word));
    bad.then_some("Known are login, consent, select_account and create.")
}

fn scopes() -> Vec<String> {
    ["openid", "profile", "email"].map(str::to_owned).to_vec()
}

fn groups() -> String {
    "groups".to_owned()
}

fn email() -> String {
    "email".to_owned()
}

fn name() -> String {
    "name".to_owned()
}

fn user_name() -> String {
    "preferred_username".to_owned()
}

fn yes() -> bool {
    true
}

fn skew() -> u32 {
    60
}
