//! Makes tokens, and ends families of them.

use std::time::Duration;

use lectern_kernel::{KeyId, Scope, Timestamp, UserId};
use lectern_store::audit::{self, Change};
use lectern_store::{StoreError, Tx, outbox};
use serde_json::json;

use crate::model::Flow;
use crate::model_flow::TokenView;
use crate::scopes::{self, Scopes};
use crate::secret::{self, Kind};
use crate::store_tokens::{self, Family, TokenRow};

type Result<T> = std::result::Result<T, StoreError>;

const ACCESS_LIVES: Duration = Duration::from_secs(3600);
const REFRESH_IDLE: Duration = Duration::from_secs(30 * 24 * 3600);
/// However often it is refreshed, a person is asked again after this.
const FAMILY_LIVES: Duration = Duration::from_secs(90 * 24 * 3600);
/// Of one app and person; devices and browsers of one person are fewer.
const FAMILIES_A_PERSON: u32 = 20;
/// Of one app that acts for itself.
const FAMILIES_AN_APP: u32 = 100;
const ACCESS_TOKENS_A_FAMILY: u32 = 5;
/// Used refresh tokens that are known again; an older one is refused like an unknown one.
const REFRESH_HISTORY: u32 = 500;

/// How a family begins.
pub(crate) struct Lives {
    pub flow: Flow,
    pub until: Timestamp,
}

/// Keeps a new family; the oldest ones of the same app and person end when there are too many.
pub(crate) fn open(tx: &Tx<'_>, family: &Family, lives: Lives) -> Result<()> {
    store_tokens::insert_family(tx, family, lives.flow, lives.until)?;
    let most = if family.user.is_some() { FAMILIES_A_PERSON } else { FAMILIES_AN_APP };
    store_tokens::trim_families(tx, &family.app, family.user.as_ref(), most)?;
    Ok(())
}

/// Makes an access token, and a refresh token with it if there is to be one.
pub(crate) fn issue(
    tx: &mut Tx<'_>,
    scope: &Scope,
    family: &Family,
    scopes: &Scopes,
    refreshable: bool,
) -> Result<TokenView> {
    let (now, latest) = (tx.now(), family.created_at.plus(FAMILY_LIVES));
    let (id, expires_at) = (KeyId::generate(), now.plus(ACCESS_LIVES).min(latest));
    let access_token = Kind::Access.make(scope.tenant())?;
    let fingerprint = secret::fingerprint(&access_token);
    let row = TokenRow { id: &id, family: &family.id, fingerprint: &fingerprint, expires_at };
    store_tokens::insert_access(tx, &row, scopes)?;
    let refresh_token = if refreshable { Some(refresh(tx, scope, family, latest)?) } else { None };
    let ends = if refreshable { now.plus(REFRESH_IDLE).min(latest) } else { expires_at };
    store_tokens::touch_family(tx, &family.id, ends.max(expires_at))?;
    store_tokens::trim_tokens(tx, &family.id, ACCESS_TOKENS_A_FAMILY, REFRESH_HISTORY)?;
    let after = json!({ "app": family.app, "user": family.user, "scopes": scopes, "until": expires_at });
    let scope = acting(scope, family);
    audit::record(tx, &scope, Change::new("app.token_issued", id.as_str()).after(&after))?;
    outbox::push(tx, "app.token_issued", id.as_str(), &after)?;
    Ok(TokenView {
        access_token,
        token_type: "Bearer".to_owned(),
        expires_in: (expires_at.0 - now.0).unsigned_abs() / 1000,
        refresh_token,
        scope: scopes::text(scopes),
    })
}

fn refresh(tx: &Tx<'_>, scope: &Scope, family: &Family, latest: Timestamp) -> Result<String> {
    let token = Kind::Refresh.make(scope.tenant())?;
    let (id, fingerprint) = (KeyId::generate(), secret::fingerprint(&token));
    let expires_at = tx.now().plus(REFRESH_IDLE).min(latest);
    let row = TokenRow { id: &id, family: &family.id, fingerprint: &fingerprint, expires_at };
    store_tokens::insert_refresh(tx, &row)?;
    Ok(token)
}

/// Ends all that came of one consent; `why` is what happened.
pub(crate) fn end(tx: &mut Tx<'_>, scope: &Scope, family: &Family, why: &str) -> Result<()> {
    store_tokens::delete_family(tx, &family.id)?;
    let before = json!({ "user": family.user, "scopes": family.scopes });
    let scope = acting(scope, family);
    audit::record(tx, &scope, Change::new(why, family.app.as_str()).before(&before))?;
    outbox::push(tx, why, family.app.as_str(), &json!({ "user": family.user }))
}

/// The app does it for its person.
pub(crate) fn acting(scope: &Scope, family: &Family) -> Scope {
    let user: Option<&UserId> = family.user.as_ref();
    user.map_or_else(|| scope.clone(), |user| scope.clone().acting(user, family.app.as_str()))
}
