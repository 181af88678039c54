//! Which app sends a request: `client_secret_basic`, `client_secret_post`, or `none` for public apps.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lectern_kernel::{Scope, TenantId};
use subtle::ConstantTimeEq;
use url::form_urlencoded;

use crate::form::Call;
use crate::model::{AppKind, AppView, Flow};
use crate::refusal::Refusal;
use crate::{Oauth, secret, store_apps};

const LONGEST_ID: usize = 128;
const LONGEST_SECRET: usize = 256;

/// An app that showed who it is.
pub(crate) struct Client {
    pub tenant: TenantId,
    pub app: AppView,
    pub scope: Scope,
}

impl Client {
    /// Refuses a way to get tokens that the app was not given.
    pub fn may(&self, flow: Flow) -> Result<(), Refusal> {
        if self.app.grants.contains(&flow) {
            return Ok(());
        }
        Err(Refusal::new("unauthorized_client", "The program may not get tokens in this way."))
    }
}

/// What a request says of its sender.
struct Shown {
    id: String,
    secret: Option<String>,
    basic: bool,
}

impl Oauth {
    /// The app that sends this request, in a tenant that is open.
    pub(crate) async fn client(&self, call: &Call) -> Result<Client, Refusal> {
        let shown = shown(call)?;
        if shown.id.len() > LONGEST_ID || shown.secret.as_ref().is_some_and(|s| s.len() > LONGEST_SECRET) {
            return Err(Refusal::client(shown.basic));
        }
        // Somebody elsewhere who guesses must not lock the app out.
        let name = secret::fingerprint(&format!("{} {}", shown.id, call.network));
        self.inner.secrets.check(&name, self.now()).map_err(Refusal::throttled)?;
        let Some(client) = self.find_client(call, &shown).await? else {
            self.inner.secrets.failed(&name, self.now());
            return Err(Refusal::client(shown.basic));
        };
        self.inner.holders.admitted(&client.tenant).await?;
        Ok(client)
    }

    async fn find_client(&self, call: &Call, shown: &Shown) -> Result<Option<Client>, Refusal> {
        let Some((tenant, id)) = secret::parse_client_id(&shown.id) else { return Ok(None) };
        // A name that anybody can write must not open or make anything.
        if self.inner.stores.record(&tenant).is_none() {
            return Ok(None);
        }
        let (scope, of) = (call.scope(&tenant), tenant.clone());
        let find = move |tx: &lectern_store::Tx<'_>| {
            Ok(store_apps::app_by_id(tx, &of, &id)?.zip(Some(store_apps::secrets(tx, &id)?)))
        };
        let Some((app, secrets)) = self.tenant(&scope)?.db.read(find).await? else { return Ok(None) };
        let right = match (app.kind, &shown.secret) {
            (AppKind::Public, None) => true,
            (AppKind::Confidential, Some(secret)) => is_one_of(secret, &secrets),
            _ => false,
        };
        Ok(right.then_some(Client { tenant, app, scope }))
    }
}

/// All are compared, whichever fits.
fn is_one_of(shown: &str, kept: &[String]) -> bool {
    let shown = secret::fingerprint(shown);
    let fits = |all, one: &String| all | bool::from(one.as_bytes().ct_eq(shown.as_bytes()));
    kept.iter().fold(false, fits)
}

fn shown(call: &Call) -> Result<Shown, Refusal> {
    let (id, secret) = (call.form.get("client_id"), call.form.get("client_secret"));
    let Some(header) = &call.authorization else {
        let id = id.ok_or_else(|| Refusal::client(false))?.to_owned();
        return Ok(Shown { id, secret: secret.map(str::to_owned), basic: false });
    };
    if secret.is_some() {
        return Err(Refusal::request("A program shows its secret in one way only."));
    }
    let (name, word) = basic(header).ok_or_else(|| Refusal::client(true))?;
    if id.is_some_and(|id| id != name) {
        return Err(Refusal::request("The field client_id is not the one in the header Authorization."));
    }
    Ok(Shown { id: name, secret: Some(word).filter(|word| !word.is_empty()), basic: true })
}

/// Both halves are encoded as in a form (RFC 6749, section 2.3.1).
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, text) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decoded = |text: &str| {
        form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
    };
    Some((decoded(id), decoded(secret)))
}
