//! A person is asked whether an app may act for them, and the app gets a code (OAuth 2.1, section 4.1).
//!
//! As long as app and address are not proven nothing is sent to the address: the page shows what is wrong. From then
//! on the app is told there, and every answer names this server as `iss` (RFC 9207).

use std::time::Duration;

use lectern_kernel::{Actor, Code, Error, KeyId, Principal, Result, Rights, Scope, TenantId, UserId};
use lectern_store::audit::{self, Change};
use lectern_store::{StoreError, Tx, outbox};
use serde_json::json;

use crate::form::Form;
use crate::issue::{self, Lives};
use crate::model::{AppKind, AppView, Flow};
use crate::model_flow::{
    AuthorizationDecision, AuthorizationView, ConsentAppView, ConsentScopeView, ConsentView, RedirectView,
};
use crate::refusal::Refusal;
use crate::scopes::{self, Scopes};
use crate::secret::{self, Kind};
use crate::store_tokens::{CodeRow, Family};
use crate::{Oauth, redirect, store_apps, store_tokens};

const CODE_LIVES: Duration = Duration::from_secs(60);
const LONGEST_STATE: usize = 2000;
/// SHA-256 in base 64 without padding.
const CHALLENGE: usize = 43;

/// Where answers go.
struct Back {
    redirect_uri: String,
    state: Option<String>,
    issuer: String,
}

impl Back {
    fn refused(&self, refusal: &Refusal) -> String {
        let parameters = [
            ("error", Some(refusal.error)),
            ("error_description", Some(refusal.description.as_str())),
            ("state", self.state.as_deref()),
            ("iss", Some(self.issuer.as_str())),
        ];
        redirect::with(&self.redirect_uri, &parameters)
    }

    fn allowed(&self, code: &str) -> String {
        let parameters =
            [("code", Some(code)), ("state", self.state.as_deref()), ("iss", Some(self.issuer.as_str()))];
        redirect::with(&self.redirect_uri, &parameters)
    }
}

/// A request whose app and address are proven.
struct Proven {
    app: AppView,
    back: Back,
    /// What it asks for, or why that cannot be.
    asked: Result<Asked, Refusal>,
}

#[derive(Clone)]
struct Asked {
    challenge: String,
    scopes: Scopes,
}

impl Oauth {
    /// What the page of consent shows. `query` is what stands behind the page's `?`.
    pub(crate) async fn authorization(
        &self,
        principal: &Principal,
        query: &str,
        issuer: String,
    ) -> Result<AuthorizationView> {
        let user = browser(principal)?;
        let Proven { app, back, asked } = self.prove(principal, query, issuer).await?;
        let refused = |refusal: &Refusal| AuthorizationView::Refused {
            error: refusal.error.to_owned(),
            error_description: refusal.description.clone(),
            redirect_to: back.refused(refusal),
        };
        let asked = match asked {
            Ok(asked) => asked,
            Err(refusal) => return Ok(refused(&refusal)),
        };
        let rights = self.rights_now(principal, &user).await?;
        let held = held(&asked.scopes, &rights);
        if held.is_empty() {
            return Ok(refused(&nothing_held()));
        }
        let scope = Scope::granted(principal);
        let (wanted, id) = (user.clone(), app.id.clone());
        let before = self.tenant(&scope)?.db.read(move |tx| store_apps::consented(tx, &wanted, &id)).await?;
        let mut view = consent(&app, user, &asked.scopes, &rights);
        view.remembered = held.is_subset(&before) && !redirect::is_shared(&back.redirect_uri);
        view.redirect_uri = Some(back.redirect_uri);
        Ok(AuthorizationView::Ask(view))
    }

    /// The person's decision; where the browser goes then.
    pub(crate) async fn decide(
        &self,
        principal: &Principal,
        scope: &Scope,
        decision: AuthorizationDecision,
        issuer: String,
    ) -> Result<RedirectView> {
        let user = browser(principal)?;
        let Proven { app, back, asked } = self.prove(principal, &decision.query, issuer).await?;
        let to = |redirect_to| Ok(RedirectView { redirect_to });
        let asked = match asked {
            Ok(asked) => asked,
            Err(refusal) => return to(back.refused(&refusal)),
        };
        if !decision.allow {
            return to(back.refused(&Refusal::new("access_denied", "The person did not allow it.")));
        }
        let rights = self.rights_now(principal, &user).await?;
        let allowed = chosen(held(&asked.scopes, &rights), decision.scopes, &asked.scopes)?;
        if allowed.is_empty() {
            return to(back.refused(&nothing_held()));
        }
        let code = Kind::Code.make(&principal.tenant)?;
        let family = Family {
            id: KeyId::generate().to_string(),
            app: app.id,
            user: Some(user),
            created_at: self.now(),
            scopes: allowed.into_iter().collect(),
        };
        let new = NewCode { code: code.clone(), uri: back.redirect_uri.clone(), challenge: asked.challenge };
        let scope = scope.clone();
        let store = self.tenant(&scope)?;
        store.db.write(move |tx| keep_code(tx, &scope, &family, &new)).await?;
        self.forget(&store.id);
        to(back.allowed(&code))
    }

    /// The app and the address of a request, and whether the rest of it is right.
    async fn prove(&self, principal: &Principal, query: &str, issuer: String) -> Result<Proven> {
        let form = Form::parse(query.as_bytes());
        if form.repeats("client_id") || form.repeats("redirect_uri") {
            return Err(unproven("The request names its program or address more than once."));
        }
        let named = form.get("client_id").and_then(secret::parse_client_id);
        let named = named.filter(|(tenant, _)| *tenant == principal.tenant);
        let (_, id) = named.ok_or_else(|| unproven("There is no such program here."))?;
        let (scope, tenant) = (Scope::granted(principal), principal.tenant.clone());
        let app = self.tenant(&scope)?.db.read(move |tx| store_apps::app_by_id(tx, &tenant, &id)).await?;
        let app = app.ok_or_else(|| unproven("There is no such program here."))?;
        let redirect_uri = address(&app, form.get("redirect_uri"))?;
        let state = form.get("state").filter(|state| state.len() <= LONGEST_STATE).map(str::to_owned);
        let asked = asked(&form, &app, &issuer);
        Ok(Proven { app, back: Back { redirect_uri, state, issuer }, asked })
    }

    /// What somebody at a browser holds now.
    pub(crate) async fn rights_now(&self, principal: &Principal, user: &UserId) -> Result<Rights> {
        self.inner.holders.admitted(&principal.tenant).await?;
        let holder = self.inner.holders.person(&principal.tenant, user).await?;
        let holder = holder.ok_or_else(|| Error::new(Code::Unauthenticated, "You are not signed in."))?;
        Ok(holder.rights.within(&principal.rights))
    }
}

/// The person at a browser. An API key or a token must not allow apps anything: it would get more than it has.
pub(crate) fn browser(principal: &Principal) -> Result<UserId> {
    match (&principal.actor, &principal.user) {
        (Actor::Session { .. }, Some(user)) => Ok(user.clone()),
        _ => Err(Error::new(Code::Forbidden, "Only a person at a browser can do this.")
            .hint("Sign in on the console.")),
    }
}

fn unproven(detail: &str) -> Error {
    Error::new(Code::InvalidRequest, detail)
        .hint("The program that sent you here is not set up rightly; tell those who run it.")
}

/// The registered address that answers go to.
fn address(app: &AppView, given: Option<&str>) -> Result<String> {
    let registered = &app.redirect_uris;
    match given {
        Some(given) if registered.iter().any(|uri| redirect::fits(uri, given)) => Ok(given.to_owned()),
        Some(_) => Err(unproven("The address to go back to is not one that the program has registered.")),
        None if registered.len() == 1 => Ok(registered[0].clone()),
        None => Err(unproven("The request does not say which of the program's addresses to go back to.")),
    }
}

fn asked(form: &Form, app: &AppView, issuer: &str) -> Result<Asked, Refusal> {
    form.check_single()?;
    if form.get("state").is_some_and(|state| state.len() > LONGEST_STATE) {
        return Err(Refusal::request("The state is longer than 2,000 characters."));
    }
    match form.get("response_type") {
        Some("code") => {}
        Some(_) => return Err(Refusal::new("unsupported_response_type", "Only the type code is there.")),
        None => return Err(Refusal::request("The field response_type is missing.")),
    }
    if form.get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(Refusal::request("Only the mode query is there."));
    }
    if !app.grants.contains(&Flow::Code) {
        return Err(Refusal::new("unauthorized_client", "The program may not ask people in this way."));
    }
    let challenge = challenge(form)?;
    check_resources(form, issuer)?;
    Ok(Asked { challenge, scopes: scopes::wanted(form.get("scope"), &app.scopes)? })
}

/// PKCE is asked of every app, and `plain` is no proof: whoever reads the request could redeem the code.
fn challenge(form: &Form) -> Result<String, Refusal> {
    if form.get("code_challenge_method") != Some("S256") {
        return Err(Refusal::request("The code_challenge_method must be S256."));
    }
    let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let given = form.get("code_challenge").unwrap_or_default();
    if given.len() != CHALLENGE || !given.bytes().all(letter) {
        return Err(Refusal::request("The code_challenge must be 43 characters of base64url."));
    }
    Ok(given.to_owned())
}

/// Tokens are for this appliance and nothing else (RFC 8707).
pub(crate) fn check_resources(form: &Form, issuer: &str) -> Result<(), Refusal> {
    let ours = |given: &str| {
        let rest = given.strip_prefix(issuer);
        rest.is_some_and(|rest| matches!(rest, "" | "/" | "/api/v1" | "/api/v1/"))
    };
    if form.all("resource").all(ours) {
        return Ok(());
    }
    Err(Refusal::new("invalid_target", "Tokens of this server are for its own API only."))
}

pub(crate) fn held(asked: &Scopes, rights: &Rights) -> Scopes {
    asked.iter().filter(|name| rights.allows(name)).cloned().collect()
}

/// What the person left of what can be given.
pub(crate) fn chosen(held: Scopes, chosen: Option<Vec<String>>, asked: &Scopes) -> Result<Scopes> {
    let Some(chosen) = chosen else { return Ok(held) };
    if chosen.iter().any(|name| !asked.contains(name)) {
        return Err(Error::field("scopes", "must be among those that the app asked for"));
    }
    Ok(held.into_iter().filter(|name| chosen.contains(name)).collect())
}

pub(crate) fn nothing_held() -> Refusal {
    Refusal::new("access_denied", "The person has none of the permissions that were asked for.")
}

pub(crate) fn consent(app: &AppView, user: UserId, scopes: &Scopes, rights: &Rights) -> ConsentView {
    let shown = |name: &String| ConsentScopeView { name: name.clone(), held: rights.allows(name) };
    ConsentView {
        app: ConsentAppView {
            client_id: app.client_id.clone(),
            name: app.name.clone(),
            homepage: app.homepage.clone(),
            proves_itself: app.kind == AppKind::Confidential,
        },
        user,
        scopes: scopes.iter().map(shown).collect(),
        remembered: false,
        redirect_uri: None,
    }
}

struct NewCode {
    code: String,
    uri: String,
    challenge: String,
}

fn keep_code(tx: &mut Tx<'_>, scope: &Scope, family: &Family, new: &NewCode) -> Result<(), StoreError> {
    let expires_at = tx.now().plus(CODE_LIVES);
    allow(tx, scope, family)?;
    issue::open(tx, family, Lives { flow: Flow::Code, until: expires_at })?;
    let fingerprint = secret::fingerprint(&new.code);
    let code = CodeRow {
        fingerprint: &fingerprint,
        family: &family.id,
        redirect_uri: &new.uri,
        challenge: &new.challenge,
        expires_at,
    };
    store_tokens::insert_code(tx, &code)
}

/// Remembers that a person allows an app what a family has.
pub(crate) fn allow(tx: &mut Tx<'_>, scope: &Scope, family: &Family) -> Result<(), StoreError> {
    let (app, tenant): (_, &TenantId) = (&family.app, scope.tenant());
    if store_apps::app_by_id(tx, tenant, app)?.is_none() {
        return Err(Error::not_found("app").into());
    }
    let Some(user) = &family.user else { return Ok(()) };
    store_apps::remember_consent(tx, user, app, &family.scopes.iter().cloned().collect())?;
    let after = json!({ "user": user, "scopes": family.scopes });
    audit::record(tx, scope, Change::new("app.allowed", app.as_str()).after(&after))?;
    outbox::push(tx, "app.allowed", app.as_str(), &after)
}
