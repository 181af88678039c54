//! Against npm's oidc-provider, a certified one. Skips itself without OIDC_PROVIDER_DIR: see tests/oidc-provider.sh.
#![allow(
    clippy::disallowed_methods,
    reason = "the tests have no guarded client and are told by it where the peer is"
)]

use std::process::Stdio;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use openidconnect::url::{Url, form_urlencoded};
use reqwest::{Client, redirect};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdout, Command};

use crate::tests_fake::REDIRECT;
use crate::{Begun, Callback, OidcError, Person, Provider, ProviderConfig, ReqwestFetch, Result};

const SECRET: &str = "a secret / that + has : odd % characters and is long enough";

struct Peer {
    address: String,
    /// Hears of logouts.
    backchannel: TcpListener,
    /// Stops when dropped.
    _node: Child,
    /// Kept open: node ends when it has something to say and no one to hear it.
    _output: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    /// Starts node on a free port; nothing where the package is not installed.
    async fn start() -> Option<Self> {
        let Ok(folder) = std::env::var("OIDC_PROVIDER_DIR") else {
            println!("skipped: OIDC_PROVIDER_DIR is not set; tests/oidc-provider.sh sets it");
            return None;
        };
        let backchannel = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/oidc_provider.mjs");
        let mut node = Command::new("node")
            .args([script, &folder, &format!("http://{}/", backchannel.local_addr().unwrap())])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("node must be there");
        let mut lines = BufReader::new(node.stdout.take().unwrap()).lines();
        loop {
            let line = lines.next_line().await.unwrap().expect("the peer must start");
            if let Some(address) = line.strip_prefix("ready ") {
                let address = address.to_owned();
                return Some(Self { address, backchannel, _node: node, _output: lines });
            }
        }
    }

    async fn provider(&self, client_id: &str) -> Result<Provider> {
        let mut config = ProviderConfig::new(&self.address, client_id);
        config.allow_http = true;
        config.scopes.push("groups".to_owned());
        let fetch = ReqwestFetch::from_builder(Client::builder().no_proxy(), None).unwrap();
        Provider::discover(config, Arc::new(fetch), now()).await
    }
}

/// A browser: keeps cookies, and stops where the provider sends it back to us.
struct Browser(Client);

impl Browser {
    fn new() -> Self {
        let builder = Client::builder().no_proxy().cookie_store(true).redirect(redirect::Policy::none());
        Self(builder.build().unwrap())
    }

    async fn follow(&self, begun: &Begun) -> Callback {
        let mut url = Url::parse(&begun.authorization_url).unwrap();
        for _ in 0..10 {
            let answer = self.0.get(url.clone()).send().await.unwrap();
            let Some(next) = answer.headers().get("location") else {
                panic!("{url}: {}", answer.text().await.unwrap());
            };
            url = url.join(next.to_str().unwrap()).unwrap();
            if url.as_str().starts_with(REDIRECT) {
                return callback(&url);
            }
        }
        panic!("too many redirects: {url}");
    }

    /// Agrees to the page that asks whether to sign out; gives where the browser is sent.
    async fn sign_out(&self, url: &str) -> String {
        let page = self.0.get(url).send().await.unwrap();
        let base = page.url().clone();
        let text = page.text().await.unwrap();
        let between = |before: &str| text.split(before).nth(1).unwrap().split('"').next().unwrap().to_owned();
        let action = base.join(&between("action=\"")).unwrap();
        let form = [("xsrf", between("name=\"xsrf\" value=\"")), ("logout", "yes".to_owned())];
        let answer = self.0.post(action).form(&form).send().await.unwrap();
        answer.headers()["location"].to_str().unwrap().to_owned()
    }
}

fn callback(url: &Url) -> Callback {
    let fields: serde_json::Map<_, _> = url.query_pairs().map(|(n, v)| (n.into_owned(), json!(v))).collect();
    serde_json::from_value(fields.into()).unwrap()
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

fn secret_of(client_id: &str) -> Option<&'static str> {
    (!client_id.starts_with("public")).then_some(SECRET)
}

async fn sign_in(peer: &Peer, client_id: &str, hint: &str) -> Result<Person> {
    let provider = peer.provider(client_id).await.unwrap();
    let begun = provider.begin(REDIRECT, Some(hint), now()).unwrap();
    let callback = Browser::new().follow(&begun).await;
    provider.finish(begun.pending, callback, secret_of(client_id), now()).await
}

#[tokio::test]
async fn peer_people_sign_in_with_each_algorithm_and_kind_of_client() {
    let Some(peer) = Peer::start().await else { return };
    for client_id in ["basic-rs256", "post-es256", "public-ps256", "basic-eddsa"] {
        let person = sign_in(&peer, client_id, "ada").await.unwrap_or_else(|e| panic!("{client_id}: {e:?}"));
        assert_eq!((person.issuer.as_str(), person.subject.as_str()), (peer.address.as_str(), "ada"));
        assert_eq!((person.email.as_deref(), person.email_verified), (Some("ada@example.org"), true));
        assert_eq!((person.name.as_deref(), person.user_name.as_deref()), (Some("The ada"), Some("ada")));
        assert_eq!(person.groups, ["staff", "adas"]);
    }
}

#[tokio::test]
async fn peer_what_is_not_right_is_refused() {
    let Some(peer) = Peer::start().await else { return };
    let shared = sign_in(&peer, "basic-hs256", "ada").await;
    assert!(
        matches!(&shared, Err(OidcError::InvalidToken { reason }) if reason.contains("HS256")),
        "{shared:?}"
    );
    assert_eq!(sign_in(&peer, "basic-rs256", "stranger").await, Err(OidcError::EmailNotVerified));
    let refused = sign_in(&peer, "basic-rs256", "refuser").await;
    assert_eq!(refused, Err(OidcError::Denied { reason: "access_denied: this person may not".to_owned() }));
    let mut other = ProviderConfig::new(format!("{}/", peer.address), "basic-rs256");
    other.allow_http = true;
    let fetch = ReqwestFetch::from_builder(Client::builder().no_proxy(), None).unwrap();
    let error = Provider::discover(other, Arc::new(fetch), now()).await.err().unwrap();
    assert!(error.hint().contains(&peer.address), "{}", error.hint());
}

#[tokio::test]
async fn peer_answers_are_good_once_and_for_their_question() {
    let Some(peer) = Peer::start().await else { return };
    let provider = peer.provider("basic-rs256").await.unwrap();
    let begun = provider.begin(REDIRECT, Some("ada"), now()).unwrap();
    let good = Browser::new().follow(&begun).await;
    assert_eq!(good.iss.as_deref(), Some(peer.address.as_str()), "the peer sends the issuer of RFC 9207");
    let finish =
        |callback: Callback, secret| provider.finish(begun.pending.clone(), callback, Some(secret), now());

    let tampered = Callback { state: Some("tampered".to_owned()), ..good.clone() };
    assert_eq!(finish(tampered, SECRET).await, Err(OidcError::StateMismatch));
    let silent = Callback { iss: None, ..good.clone() };
    assert_eq!(finish(silent, SECRET).await, Err(OidcError::OtherIssuer { found: None }));
    let stranger = finish(good.clone(), "wrong").await;
    assert!(matches!(stranger, Err(OidcError::Misconfigured { field: "client_secret", .. })), "{stranger:?}");
    finish(good.clone(), SECRET).await.unwrap();
    assert_eq!(finish(good, SECRET).await, Err(OidcError::Replayed));

    // A code that was got for another question: PKCE tells.
    let victim = Browser::new().follow(&provider.begin(REDIRECT, Some("ada"), now()).unwrap()).await;
    let thief = provider.begin(REDIRECT, Some("eve"), now()).unwrap();
    let stolen = Callback { state: Some(thief.pending.state().to_owned()), ..victim };
    assert_eq!(provider.finish(thief.pending, stolen, Some(SECRET), now()).await, Err(OidcError::Replayed));
}

#[tokio::test]
async fn peer_signing_out_comes_back_by_the_back_channel() {
    let Some(peer) = Peer::start().await else { return };
    let provider = peer.provider("basic-rs256").await.unwrap();
    let browser = Browser::new();
    let begun = provider.begin(REDIRECT, Some("ada"), now()).unwrap();
    let callback = browser.follow(&begun).await;
    let person = provider.finish(begun.pending, callback, Some(SECRET), now()).await.unwrap();

    let bye = "https://lectern.example.org/bye";
    let url = provider.logout_url(Some(&person.id_token), Some(bye)).unwrap();
    let (sent_to, jwt) = tokio::join!(browser.sign_out(&url), logout_token(&peer.backchannel));
    assert_eq!(sent_to, bye);
    let token = provider.verify_logout_token(&jwt, now()).await.unwrap();
    assert_eq!(token.subject.as_deref(), Some("ada"));
    assert!(token.sid.is_some() && token.sid == person.id_token_sid, "{token:?} {:?}", person.id_token_sid);
    assert!(peer.provider("post-es256").await.unwrap().verify_logout_token(&jwt, now()).await.is_err());
}

/// Takes the one request that the peer sends, and gives its logout token.
async fn logout_token(listener: &TcpListener) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let (mut text, mut buffer) = (String::new(), [0; 8192]);
    while !text.contains("logout_token=") || !is_whole(&text) {
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "cut off: {text}");
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await.unwrap();
    let body = text.split("\r\n\r\n").nth(1).unwrap();
    let token = form_urlencoded::parse(body.as_bytes()).find(|(n, _)| n == "logout_token");
    token.unwrap().1.into_owned()
}

fn is_whole(text: &str) -> bool {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let length =
        head.to_lowercase().lines().find_map(|l| l.strip_prefix("content-length: ")?.parse::<usize>().ok());
    length.is_some_and(|l| body.len() >= l)
}
