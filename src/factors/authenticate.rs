//! Signing in with a passkey: WebAuthn level 3, section 7.2.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use webauthn_rs::prelude::{DiscoverableAuthentication, SecurityKey, SecurityKeyAuthentication};

use crate::error::{FactorError, Result};
use crate::passkey::{CredentialId, Passkey};
use crate::response::{Claim, Envelope, parse};
use crate::site::{Passkeys, in_time};

/// Who is asked for a passkey, and what else is known of them.
#[derive(Debug, Clone, Copy)]
pub enum SignIn<'a> {
    /// Nobody has said a name: the authenticator offers the passkeys that it holds for this site.
    Nameless,
    /// The person is named, and the passkey is all that proves them.
    OnlyFactor(&'a [Passkey]),
    /// The person has given the password already.
    SecondFactor(&'a [Passkey]),
}

/// What the server keeps between the options and the answer, bound to the session that asked. Use it once: delete it
/// when the answer comes, right or wrong.
#[derive(Clone, Serialize, Deserialize)]
pub struct AuthenticationState {
    ceremony: Ceremony,
    /// `None`: any passkey that names its person.
    allowed: Option<Vec<CredentialId>>,
    created_at: i64,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ceremony {
    OnlyFactor(DiscoverableAuthentication),
    SecondFactor(SecurityKeyAuthentication),
}

/// A passkey has signed. Give it to [`Passkey::update`] and store the passkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticationResult {
    pub credential_id: CredentialId,
    /// The authenticator's count of signatures; 0 when it does not count.
    pub counter: u32,
    /// Whether a PIN, a fingerprint or a face was asked for: then it is two factors in one.
    pub user_verified: bool,
    /// Whether a copy exists elsewhere.
    pub backed_up: bool,
}

impl Passkeys {
    /// The options for the page, as `PublicKeyCredential.parseRequestOptionsFromJSON` takes them (byte strings in
    /// base64url), and the state for [`Self::finish_authentication`]. `now` is in Unix milliseconds.
    pub fn begin_authentication(&self, sign_in: SignIn, now: i64) -> Result<(Value, AuthenticationState)> {
        let (options, ceremony, passkeys) = match sign_in {
            SignIn::Nameless => {
                let (options, ceremony) = self.ask_for_verified()?;
                (options, ceremony, None)
            }
            SignIn::OnlyFactor(passkeys) => {
                let (options, ceremony) = self.ask_for_verified()?;
                (options, ceremony, Some(passkeys))
            }
            SignIn::SecondFactor(passkeys) => {
                let (options, ceremony) = self.ask_for_touched(passkeys)?;
                (options, ceremony, Some(passkeys))
            }
        };
        if passkeys.is_some_and(<[_]>::is_empty) {
            return Err(FactorError::NoPasskey);
        }
        let options = adapt(options, passkeys.unwrap_or_default());
        let allowed = passkeys.map(|list| list.iter().map(Passkey::id).collect());
        Ok((options, AuthenticationState { ceremony, allowed, created_at: now }))
    }

    /// Checks the answer, the JSON of `PublicKeyCredential.toJSON()`, against the passkey that [`Claim::read`] told of.
    /// [`FactorError::Cloned`] is worth an entry in the audit log.
    pub fn finish_authentication(
        &self,
        state: AuthenticationState,
        response: &str,
        passkey: &Passkey,
        now: i64,
    ) -> Result<AuthenticationResult> {
        in_time(state.created_at, now)?;
        let envelope = Envelope::read(response)?;
        envelope.same_origin()?;
        belongs(&envelope.claim()?, state.allowed.as_deref(), passkey)?;
        let answer = parse(response)?;
        let result = match state.ceremony {
            Ceremony::OnlyFactor(ceremony) => {
                self.webauthn.finish_discoverable_authentication_v2(&answer, ceremony, &passkey.credential)?
            }
            Ceremony::SecondFactor(ceremony) => {
                self.webauthn.finish_securitykey_authentication(&answer, &ceremony)?
            }
        };
        let (before, counter) = (passkey.counter(), result.counter());
        // The state of a second factor has the counter of when it was made; another sign-in may have come between.
        if (before > 0 || counter > 0) && counter <= before {
            return Err(FactorError::Cloned);
        }
        Ok(AuthenticationResult {
            credential_id: passkey.id(),
            counter,
            user_verified: result.user_verified(),
            backed_up: result.backup_state(),
        })
    }

    fn ask_for_verified(&self) -> Result<(Value, Ceremony)> {
        let (challenge, state) = self.webauthn.start_discoverable_authentication()?;
        let options = serde_json::to_value(challenge.public_key).map_err(|_| FactorError::Internal)?;
        Ok((options, Ceremony::OnlyFactor(state)))
    }

    fn ask_for_touched(&self, passkeys: &[Passkey]) -> Result<(Value, Ceremony)> {
        let keys: Vec<SecurityKey> = passkeys.iter().map(|p| p.credential.clone().into()).collect();
        let (challenge, state) = self.webauthn.start_securitykey_authentication(&keys)?;
        let mut options = serde_json::to_value(challenge.public_key).map_err(|_| FactorError::Internal)?;
        // A passkey that once asked who is there must always do so, or malware between browser and key could leave it
        // out. Where that holds for all of them the browser is told at once, and not the person afterwards.
        if passkeys.iter().all(Passkey::user_verified) {
            options["userVerification"] = json!("required");
        }
        Ok((options, Ceremony::SecondFactor(state)))
    }
}

/// The answer is by this passkey, which was asked for, and names its person if it names one.
fn belongs(claim: &Claim, allowed: Option<&[CredentialId]>, passkey: &Passkey) -> Result<()> {
    let asked = allowed.is_none_or(|ids| ids.contains(&claim.credential_id));
    let person = match claim.user {
        Some(user) => user == passkey.user,
        // Without a name before, only the handle tells whose passkey it is.
        None => allowed.is_some(),
    };
    if asked && person && claim.credential_id == passkey.id() {
        Ok(())
    } else {
        Err(FactorError::WrongPasskey)
    }
}

/// The list with the transports, which the library does not keep; and no hint at one kind of authenticator.
fn adapt(mut options: Value, passkeys: &[Passkey]) -> Value {
    let list = passkeys.iter().map(|p| {
        let mut entry = json!({ "type": "public-key", "id": p.id() });
        if !p.transports.is_empty() {
            entry["transports"] = json!(p.transports);
        }
        entry
    });
    options["allowCredentials"] = list.collect();
    if let Some(fields) = options.as_object_mut() {
        fields.remove("hints");
    }
    options
}
