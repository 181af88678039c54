//! Settings of `ops` in the words of the areas that use them; slices do not know each other.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use lectern_ask::{AskSettings, CurrentSettings};
use lectern_config::Config;
use lectern_identity::{
    Dial, DialError, Fetch, HttpRequest, HttpResponse, Place, ReqwestFetch, SignInNetwork,
};
use lectern_inference::Endpoint;
use lectern_kernel::{Error, Result, Scope};
use lectern_ops::{SafeHttp, Settings, makes_sense};
use lectern_voice::{SiteVoice, VoiceLimits, VoiceSettings};

/// What `ask` needs: how many passages and sentences, and the model's server through the guarded client.
pub(crate) struct AskFromSettings {
    settings: Settings,
    http: SafeHttp,
    passages: usize,
}

impl AskFromSettings {
    pub fn new(settings: Settings, http: SafeHttp, config: &Config) -> Self {
        Self { settings, http, passages: config.answers.passages }
    }

    async fn endpoint(&self, scope: &Scope) -> Result<Option<Endpoint>> {
        let Some(ollama) = self.settings.ollama(scope).await? else { return Ok(None) };
        if ollama.model.is_empty() {
            return Ok(None);
        }
        let http = self.http.client_for(scope, Settings::OLLAMA, &ollama.url)?;
        Ok(Some(Endpoint {
            http,
            url: ollama.url,
            model: ollama.model,
            keep_alive: ollama.keep_alive,
            first_token: ollama.first_token_time,
            total: ollama.time,
        }))
    }
}

#[async_trait]
impl AskSettings for AskFromSettings {
    async fn current(&self, scope: &Scope) -> Result<CurrentSettings> {
        let answers = self.settings.answers(scope).await?;
        let ollama = self.endpoint(scope).await?;
        let language = Some(answers.language).filter(|l| l != "auto" && !l.is_empty());
        Ok(CurrentSettings { ollama, sentences: answers.sentences, passages: self.passages, language })
    }
}

/// What `voice` needs: voices, rate, and whether citations are said.
pub(crate) struct VoiceFromSettings(pub Settings);

#[async_trait]
impl VoiceSettings for VoiceFromSettings {
    async fn current(&self, scope: &Scope) -> Result<SiteVoice> {
        let speech = self.0.speech(scope).await?;
        let set = |voice: &String| voice != "auto" && !voice.is_empty();
        Ok(SiteVoice {
            voice: Some(speech.voice).filter(set),
            voices: speech.voices.into_iter().filter(|(_, voice)| set(voice)).collect(),
            rate: speech.rate,
            speak_citations: speech.speak_citations,
        })
    }
}

/// The limits of `voice` in the configuration.
pub(crate) fn voice_limits(config: &Config) -> VoiceLimits {
    let (speech, hearing) = (&config.speech, &config.hearing);
    VoiceLimits {
        cache_bytes: speech.cache.0,
        cache_time: speech.cache_time.0,
        upload_bytes: hearing.max_size.0,
        audio_time: hearing.max_time.0,
        recognitions: hearing.recordings,
        conversations: hearing.conversations,
        idle: hearing.idle.0,
        utterance: hearing.utterance.0,
        end_of_turn: hearing.end_of_turn.0,
        unload: hearing.unload.0,
    }
}

/// More addresses than a provider can have.
const ADDRESSES: usize = 12;

/// What `identity` needs to reach the services that people sign in with: each goes under purposes of its own, one for each
/// address that an administrator saved, and every attempt is in the log of outbound connections.
pub(crate) struct SignInFromHttp(pub SafeHttp);

fn purpose(provider: &str, n: usize) -> String {
    format!("sign-in {provider} {n}")
}

impl SignInFromHttp {
    /// Allows the origins of a place, in place of those before.
    fn open(&self, scope: &Scope, place: &Place) -> Result<Reach> {
        let mut origins = Vec::new();
        for (n, address) in place.addresses.iter().take(ADDRESSES).enumerate() {
            let origin = Origin::of(address).ok_or_else(|| Error::field("config", "is no address"))?;
            let purpose = purpose(&place.provider, n);
            self.0.allow_trusting(scope, &purpose, &origin.url(), place.authorities.as_deref())?;
            origins.push((origin, purpose));
        }
        (origins.len()..ADDRESSES).for_each(|n| self.0.withdraw(scope, &purpose(&place.provider, n)));
        Ok(Reach { http: self.0.clone(), scope: scope.clone(), origins })
    }
}

impl SignInNetwork for SignInFromHttp {
    fn check(&self, address: &str) -> Result<(), String> {
        let origin = Origin::of(address).ok_or("is not an address such as https://login.example.org")?;
        match origin.host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(literal) if !makes_sense(literal) => Err("is not the address of one machine".to_owned()),
            _ => Ok(()),
        }
    }

    fn fetch(&self, scope: &Scope, place: &Place) -> Result<Arc<dyn Fetch>> {
        Ok(Arc::new(self.open(scope, place)?))
    }

    fn dial(&self, scope: &Scope, place: &Place) -> Result<Arc<dyn Dial>> {
        Ok(Arc::new(self.open(scope, place)?))
    }

    fn withdraw(&self, scope: &Scope, provider: &str) {
        (0..ADDRESSES).for_each(|n| self.0.withdraw(scope, &purpose(provider, n)));
    }
}

/// Where one provider may be reached.
struct Reach {
    http: SafeHttp,
    scope: Scope,
    origins: Vec<(Origin, String)>,
}

impl Reach {
    fn purpose(&self, origin: Option<&Origin>) -> Option<&str> {
        let origin = origin?;
        self.origins.iter().find(|(allowed, _)| allowed == origin).map(|(_, purpose)| purpose.as_str())
    }
}

#[async_trait]
impl Fetch for Reach {
    async fn fetch(&self, request: HttpRequest) -> Result<HttpResponse, String> {
        let purpose = self.purpose(Origin::of(&request.url).as_ref());
        let purpose =
            purpose.ok_or("no administrator allowed this address; name it in the provider's addresses")?;
        let client =
            self.http.client_for(&self.scope, purpose, &request.url).map_err(|error| error.detail)?;
        ReqwestFetch::new(client).fetch(request).await
    }
}

#[async_trait]
impl Dial for Reach {
    async fn dial(&self, host: &str, port: u16) -> Result<tokio::net::TcpStream, DialError> {
        let denied = |why: &str| DialError::Denied(why.to_owned());
        let host_text = if host.contains(':') { format!("[{host}]") } else { host.to_lowercase() };
        let wanted = |(origin, _): &&(Origin, String)| origin.host == host_text && origin.port == port;
        let (_, purpose) = self.origins.iter().find(wanted).ok_or_else(|| denied("nobody allowed it"))?;
        self.http.dial(&self.scope, purpose, host, port).await.map_err(|error| match error {
            lectern_ops::DialError::Denied(error) => DialError::Denied(error.detail),
            lectern_ops::DialError::Failed(error) => error.into(),
        })
    }
}

/// Scheme, host and port of an address. That of a directory is written as one of the web, since the guard knows no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: &'static str,
    pub host: String,
    pub port: u16,
}

impl Origin {
    pub fn of(address: &str) -> Option<Self> {
        let (scheme, rest) = address.split_once("://")?;
        let (scheme, usual) = match scheme.to_ascii_lowercase().as_str() {
            "https" => ("https", 443),
            "http" => ("http", 80),
            "ldaps" => ("http", 636),
            "ldap" => ("http", 389),
            _ => return None,
        };
        let authority =
            rest.split(['/', '?', '#']).next().filter(|text| !text.is_empty() && !text.contains('@'))?;
        let colon = authority.rfind(':').filter(|at| !authority[*at..].contains(']'));
        let port = colon.map_or(Some(usual), |at| authority[at + 1..].parse().ok())?;
        Some(Self { scheme, host: authority[..colon.unwrap_or(authority.len())].to_lowercase(), port })
    }

    pub fn is_https(&self) -> bool {
        self.scheme == "https"
    }

    pub fn url(&self) -> String {
        format!("{}://{}:{}", self.scheme, self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_providers_are_read_and_checked() {
        let url = |address: &str| Origin::of(address).map(|origin| origin.url());
        assert_eq!(url("https://Login.example.org/realm").as_deref(), Some("https://login.example.org:443"));
        assert_eq!(url("ldaps://dc1.corp.example").as_deref(), Some("http://dc1.corp.example:636"));
        assert_eq!(url("ldap://[2001:db8::1]:10389/").as_deref(), Some("http://[2001:db8::1]:10389"));
        for bad in ["", "login.example.org", "ftp://a", "https://", "https://u:p@a", "https://a:99999"] {
            assert_eq!(url(bad), None, "{bad}");
        }
    }
}
