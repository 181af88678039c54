//! What a token is (RFC 7662), and its end (RFC 7009). An app is told of its own tokens only.

use lectern_kernel::{Rights, Timestamp};
use lectern_store::audit::{self, Change};
use lectern_store::{StoreError, Tx, outbox};
use serde_json::json;

use crate::Oauth;
use crate::authorize::held;
use crate::client::Client;
use crate::form::Call;
use crate::issue;
use crate::model::AppKind;
use crate::model_flow::IntrospectionView;
use crate::refusal::Refusal;
use crate::scopes::{self, Scopes};
use crate::secret::{self, Kind};
use crate::store_tokens::{self, Access, Family, Refresh};

/// A token that was found, with what it belongs to.
enum Token {
    Access(Access, Family),
    Refresh(Refresh, Family),
}

impl Token {
    fn family(&self) -> &Family {
        match self {
            Self::Access(_, family) | Self::Refresh(_, family) => family,
        }
    }
}

impl Oauth {
    pub(crate) async fn introspect(&self, call: &Call) -> Result<IntrospectionView, Refusal> {
        let client = self.client(call).await?;
        // Anybody can call themselves a public app, and could try tokens here.
        if client.app.kind == AppKind::Public {
            return Err(Refusal::client(false));
        }
        let no = IntrospectionView::default();
        let Some(fingerprint) = fingerprint(call.form.need("token")?, &client) else { return Ok(no) };
        let found = self.tenant(&client.scope)?.db.read(move |tx| find(tx, &fingerprint)).await?;
        let Some(token) = found.filter(|token| token.family().app == client.app.id) else { return Ok(no) };
        let rights = match &token.family().user {
            None => Rights::everything(),
            Some(user) => match self.inner.holders.person(&client.tenant, user).await? {
                Some(holder) => holder.rights,
                None => return Ok(no),
            },
        };
        Ok(self.view(&client, call, &token, &rights))
    }

    fn view(&self, client: &Client, call: &Call, token: &Token, rights: &Rights) -> IntrospectionView {
        let seconds = |at: Timestamp| Some(at.0.div_euclid(1000));
        let family = token.family();
        let (names, times, id, bearer) = match token {
            Token::Access(token, _) => (&token.scopes, (token.created_at, token.expires_at), &token.id, true),
            Token::Refresh(token, family) => {
                if token.used || token.expires_at <= self.now() {
                    return IntrospectionView::default();
                }
                (&family.scopes, (token.created_at, token.expires_at), &token.id, false)
            }
        };
        let known = self.inner.catalogue.rights(names);
        let own: Scopes = names.iter().filter(|name| client.app.scopes.contains(name)).cloned().collect();
        let now = held(&held(&own, &known), rights);
        let user = family.user.as_ref().map(ToString::to_string);
        IntrospectionView {
            active: true,
            scope: Some(scopes::text(&now)),
            client_id: Some(client.app.client_id.clone()),
            token_type: bearer.then(|| "Bearer".to_owned()),
            exp: seconds(times.1),
            iat: seconds(times.0),
            sub: Some(user.unwrap_or_else(|| client.app.client_id.clone())),
            aud: Some(call.issuer.clone()),
            iss: Some(call.issuer.clone()),
            jti: Some(id.to_string()),
        }
    }

    /// Ends a token; with a refresh token all that came of the same consent. What is unknown is over already.
    pub(crate) async fn revoke(&self, call: &Call) -> Result<(), Refusal> {
        let client = self.client(call).await?;
        let Some(fingerprint) = fingerprint(call.form.need("token")?, &client) else { return Ok(()) };
        let store = self.tenant(&client.scope)?;
        store.db.write(move |tx| end(tx, &client, &fingerprint)).await??;
        self.forget(&store.id);
        Ok(())
    }
}

/// The fingerprint of what can be a token of the app's tenant.
fn fingerprint(token: &str, client: &Client) -> Option<String> {
    let tenant = Kind::Access.tenant_of(token).or_else(|| Kind::Refresh.tenant_of(token));
    (tenant? == client.tenant).then(|| secret::fingerprint(token))
}

fn find(tx: &Tx<'_>, fingerprint: &str) -> Result<Option<Token>, StoreError> {
    if let Some(token) = store_tokens::find_access(tx, fingerprint)? {
        let family = store_tokens::family(tx, &token.family)?;
        return Ok(family.map(|family| Token::Access(token, family)));
    }
    let Some(token) = store_tokens::find_refresh(tx, fingerprint)? else { return Ok(None) };
    let family = store_tokens::family(tx, &token.family)?;
    Ok(family.map(|family| Token::Refresh(token, family)))
}

fn end(tx: &mut Tx<'_>, client: &Client, fingerprint: &str) -> Result<Result<(), Refusal>, StoreError> {
    let Some(token) = find(tx, fingerprint)? else { return Ok(Ok(())) };
    if token.family().app != client.app.id {
        let told = "The token belongs to another program.";
        return Ok(Err(Refusal::new("unauthorized_client", told)));
    }
    match token {
        Token::Refresh(_, family) => issue::end(tx, &client.scope, &family, "app.tokens_revoked")?,
        Token::Access(token, family) => {
            store_tokens::delete_access(tx, &token.id)?;
            let before = json!({ "app": family.app, "user": family.user });
            let scope = issue::acting(&client.scope, &family);
            let change = Change::new("app.token_revoked", token.id.as_str()).before(&before);
            audit::record(tx, &scope, change)?;
            outbox::push(tx, "app.token_revoked", token.id.as_str(), &before)?;
        }
    }
    Ok(Ok(()))
}
