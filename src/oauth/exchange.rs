//! The token endpoint: codes, refresh tokens and apps for themselves become access tokens.
//!
//! A refresh token works once. A second use, even one that races with the first, ends the family: there is no time of
//! grace, because in it a thief's use would look like the app's own, and the one who loses the race cannot tell which
//! of the two it was. Apps must refresh in one place at a time. Uses are put in order by the write transaction.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lectern_kernel::{KeyId, Rights, TenantId, Timestamp, UserId};
use lectern_store::{StoreError, Tx};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::Oauth;
use crate::authorize::{check_resources, held};
use crate::client::Client;
use crate::form::{Call, Form};
use crate::issue::{self, Lives};
use crate::model::Flow;
use crate::model_flow::TokenView;
use crate::refusal::Refusal;
use crate::scopes;
use crate::secret::{self, Kind};
use crate::store_tokens::{self, Code, Family};

/// Tokens or a refusal, from inside a transaction that is kept in both cases.
pub(crate) type Verdict = Result<TokenView, Refusal>;

impl Oauth {
    pub(crate) async fn token(&self, call: &Call) -> Verdict {
        let flow = Flow::parse(call.form.need("grant_type")?)
            .ok_or_else(|| Refusal::new("unsupported_grant_type", "There is no such way to get tokens."))?;
        let client = self.client(call).await?;
        client.may(flow)?;
        check_resources(&call.form, &call.issuer)?;
        let tenant = client.tenant.clone();
        let verdict = match flow {
            Flow::Code => self.by_code(client, &call.form).await,
            Flow::Refresh => self.by_refresh(client, &call.form).await,
            Flow::Itself => self.by_itself(client, &call.form).await,
            Flow::Device => self.by_device(client, &call.form).await,
        };
        // Older tokens may have ended for this one, or all of a family for a second use.
        self.forget(&tenant);
        verdict
    }

    async fn by_code(&self, client: Client, form: &Form) -> Verdict {
        let (code, verifier) = (form.need("code")?, form.need("code_verifier")?.to_owned());
        let fingerprint = own(Kind::Code, code, &client.tenant)?;
        let uri = form.get("redirect_uri").map(str::to_owned);
        let wanted = fingerprint.clone();
        let store = self.tenant(&client.scope)?;
        let find = move |tx: &Tx<'_>| {
            let Some(code) = store_tokens::find_code(tx, &wanted)? else { return Ok(None) };
            store_tokens::family(tx, &code.family)
        };
        let family = store.db.read(find).await?.ok_or_else(Refusal::grant)?;
        let rights = self.holder(&client.tenant, family.user.as_ref()).await?;
        let shown = Shown { uri, verifier };
        store.db.write(move |tx| redeem(tx, &client, &fingerprint, &shown, &rights)).await?
    }

    async fn by_refresh(&self, client: Client, form: &Form) -> Verdict {
        let fingerprint = own(Kind::Refresh, form.need("refresh_token")?, &client.tenant)?;
        let (wanted, asked) = (fingerprint.clone(), form.get("scope").map(str::to_owned));
        let store = self.tenant(&client.scope)?;
        let find = move |tx: &Tx<'_>| {
            let Some(token) = store_tokens::find_refresh(tx, &wanted)? else { return Ok(None) };
            store_tokens::family(tx, &token.family)
        };
        let family = store.db.read(find).await?.ok_or_else(Refusal::grant)?;
        let rights = self.holder(&client.tenant, family.user.as_ref()).await?;
        store.db.write(move |tx| rotate(tx, &client, &fingerprint, asked.as_deref(), &rights)).await?
    }

    async fn by_itself(&self, client: Client, form: &Form) -> Verdict {
        let wanted = scopes::wanted(form.get("scope"), &client.app.scopes)?;
        let family = Family {
            id: KeyId::generate().to_string(),
            app: client.app.id.clone(),
            user: None,
            created_at: self.now(),
            scopes: wanted.iter().cloned().collect(),
        };
        let store = self.tenant(&client.scope)?;
        let written = store.db.write(move |tx| {
            issue::open(tx, &family, Lives { flow: Flow::Itself, until: tx.now() })?;
            issue::issue(tx, &client.scope, &family, &wanted, false)
        });
        Ok(written.await?)
    }

    /// What the person behind a family holds now; a refusal when they are gone.
    pub(crate) async fn holder(&self, tenant: &TenantId, user: Option<&UserId>) -> Result<Rights, Refusal> {
        let user = user.ok_or_else(Refusal::grant)?;
        let holder = self.inner.holders.person(tenant, user).await?;
        Ok(holder.ok_or_else(Refusal::grant)?.rights)
    }
}

/// The fingerprint of a code or token, if it can be one of this tenant.
pub(crate) fn own(kind: Kind, text: &str, tenant: &TenantId) -> Result<String, Refusal> {
    match kind.tenant_of(text) {
        Some(of) if of == *tenant => Ok(secret::fingerprint(text)),
        _ => Err(Refusal::grant()),
    }
}

/// What an app shows with a code.
struct Shown {
    uri: Option<String>,
    verifier: String,
}

fn redeem(
    tx: &mut Tx<'_>,
    client: &Client,
    fingerprint: &str,
    shown: &Shown,
    rights: &Rights,
) -> Result<Verdict, StoreError> {
    let Some(code) = store_tokens::find_code(tx, fingerprint)? else { return Ok(Err(Refusal::grant())) };
    let Some(family) = store_tokens::family(tx, &code.family)? else { return Ok(Err(Refusal::grant())) };
    let own = family.app == client.app.id;
    if code.used {
        // Somebody has a code that is not theirs; which of the two is not known. Another app cannot end it.
        if own {
            issue::end(tx, &client.scope, &family, "app.code_replayed")?;
        }
        return Ok(Err(Refusal::grant()));
    }
    if !own || !fits(&code, shown, tx.now()) {
        // It is in wrong hands, or somebody guesses: there is no second try.
        issue::end(tx, &client.scope, &family, "app.code_refused")?;
        return Ok(Err(Refusal::grant()));
    }
    store_tokens::use_code(tx, fingerprint)?;
    let scopes = held(&family.scopes.iter().cloned().collect(), rights);
    if scopes.is_empty() {
        return Ok(Err(Refusal::grant()));
    }
    let refreshable = client.app.grants.contains(&Flow::Refresh);
    issue::issue(tx, &client.scope, &family, &scopes, refreshable).map(Ok)
}

/// The address need not be sent again, as the proof of the verifier is stronger (OAuth 2.1, section 10.2); if it is, it
/// must be the same.
fn fits(code: &Code, shown: &Shown, now: Timestamp) -> bool {
    let address = shown.uri.as_deref().is_none_or(|uri| uri == code.redirect_uri);
    let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    let verifier = shown.verifier.as_bytes();
    let form = (43..=128).contains(&verifier.len()) && verifier.iter().copied().all(letter);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    let proven = bool::from(challenge.as_bytes().ct_eq(code.challenge.as_bytes()));
    now < code.expires_at && address && form && proven
}

fn rotate(
    tx: &mut Tx<'_>,
    client: &Client,
    fingerprint: &str,
    asked: Option<&str>,
    rights: &Rights,
) -> Result<Verdict, StoreError> {
    let Some(token) = store_tokens::find_refresh(tx, fingerprint)? else { return Ok(Err(Refusal::grant())) };
    let Some(family) = store_tokens::family(tx, &token.family)? else { return Ok(Err(Refusal::grant())) };
    if family.app != client.app.id {
        return Ok(Err(Refusal::grant()));
    }
    if token.used {
        issue::end(tx, &client.scope, &family, "app.token_replayed")?;
        return Ok(Err(Refusal::grant()));
    }
    if token.expires_at <= tx.now() {
        return Ok(Err(Refusal::grant()));
    }
    let most: Vec<String> =
        family.scopes.iter().filter(|name| client.app.scopes.contains(name)).cloned().collect();
    let scopes = match scopes::wanted(asked, &most) {
        Ok(wanted) => held(&wanted, rights),
        Err(refusal) => return Ok(Err(refusal)),
    };
    if scopes.is_empty() {
        return Ok(Err(Refusal::scope("The person has none of these permissions now.")));
    }
    store_tokens::use_refresh(tx, &token.id)?;
    issue::issue(tx, &client.scope, &family, &scopes, true).map(Ok)
}
