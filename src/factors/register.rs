//! Registering a passkey: WebAuthn level 3, section 7.1.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use webauthn_rs::prelude::{Credential, PasskeyRegistration, SecurityKeyRegistration, Uuid};

use crate::error::{FactorError, Result};
use crate::passkey::{CredentialId, Passkey, UserHandle};
use crate::response::{Envelope, parse};
use crate::site::{Passkeys, in_time};

/// What a passkey is meant to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It replaces the password, so it must ask who is there: a PIN, a fingerprint or a face.
    OnlyFactor,
    /// It stands beside a password; a key that only wants to be touched will do.
    SecondFactor,
}

/// Whose passkey is registered, and what for.
#[derive(Debug, Clone, Copy)]
pub struct NewPasskey<'a> {
    pub user: UserHandle,
    /// The sign-in name; authenticators show it in lists.
    pub user_name: &'a str,
    /// The person's own name; the sign-in name is taken when it is empty.
    pub display_name: &'a str,
    /// The person's passkeys, so that no authenticator is registered twice.
    pub existing: &'a [CredentialId],
    pub role: Role,
}

/// What the server keeps between the options and the answer, bound to the session that asked. Use it once: delete it
/// when the answer comes, right or wrong.
#[derive(Clone, Serialize, Deserialize)]
pub struct RegistrationState {
    ceremony: Ceremony,
    user: UserHandle,
    created_at: i64,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ceremony {
    OnlyFactor(PasskeyRegistration),
    SecondFactor(SecurityKeyRegistration),
}

impl Passkeys {
    /// The options for the page, as `PublicKeyCredential.parseCreationOptionsFromJSON` takes them (byte strings in
    /// base64url), and the state for [`Self::finish_registration`]. `now` is in Unix milliseconds.
    pub fn begin_registration(&self, new: &NewPasskey, now: i64) -> Result<(Value, RegistrationState)> {
        let user = Uuid::from_bytes(*new.user.as_bytes());
        let name = new.user_name.trim();
        let shown = if new.display_name.trim().is_empty() { name } else { new.display_name.trim() };
        let existing = Some(new.existing.iter().map(|id| id.as_bytes().to_vec()).collect());
        let (challenge, ceremony) = match new.role {
            Role::OnlyFactor => {
                let (options, state) =
                    self.webauthn.start_passkey_registration(user, name, shown, existing)?;
                (options, Ceremony::OnlyFactor(state))
            }
            Role::SecondFactor => {
                let (options, state) =
                    self.webauthn.start_securitykey_registration(user, name, shown, existing, None, None)?;
                (options, Ceremony::SecondFactor(state))
            }
        };
        let options = serde_json::to_value(challenge.public_key).map_err(|_| FactorError::Internal)?;
        Ok((adapt(options, new.role), RegistrationState { ceremony, user: new.user, created_at: now }))
    }

    /// Checks the answer, the JSON of `PublicKeyCredential.toJSON()`. What vouches for the authenticator's maker is not
    /// asked for and not kept: there is nothing on an isolated site to check it against.
    pub fn finish_registration(&self, state: RegistrationState, response: &str, now: i64) -> Result<Passkey> {
        in_time(state.created_at, now)?;
        let envelope = Envelope::read(response)?;
        let claim = envelope.claim()?;
        let answer = parse(response)?;
        let credential: Credential = match &state.ceremony {
            Ceremony::OnlyFactor(ceremony) => {
                self.webauthn.finish_passkey_registration(&answer, ceremony)?.into()
            }
            Ceremony::SecondFactor(ceremony) => {
                self.webauthn.finish_securitykey_registration(&answer, ceremony)?.into()
            }
        };
        if credential.cred_id != claim.credential_id.as_bytes() {
            return Err(FactorError::Unreadable("it names two different passkeys"));
        }
        Ok(Passkey {
            credential,
            user: state.user,
            transports: envelope.transports(),
            aaguid: envelope.aaguid(),
            discoverable: envelope.discoverable(),
            created_at: now,
        })
    }
}

/// Where Lectern asks for something else than the library does. None of it is looked at when the answer is checked.
fn adapt(mut options: Value, role: Role) -> Value {
    // The library discourages it for the sake of keys with little room; without it nobody signs in without a name.
    options["authenticatorSelection"]["residentKey"] = json!("preferred");
    if let Some(fields) = options.as_object_mut() {
        // Says "security key" for a second factor, although a phone or a laptop serves as well.
        fields.remove("hints");
    }
    if role == Role::SecondFactor
        && let Some(extensions) = options["extensions"].as_object_mut()
    {
        // A key without a PIN would make a passkey that this very key then never uses (CTAP 2.1, section 12.1.1).
        extensions.remove("credentialProtectionPolicy");
        extensions.remove("enforceCredentialProtectionPolicy");
    }
    options
}
