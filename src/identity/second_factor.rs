//! The second proof: which ones somebody has, whether a code is right, and that it counts once.

use lectern_factors::{FactorError, RecoveryHashes, Totp, TotpSecret};
use lectern_kernel::{Code, Error, FactorId, FieldError, Result, Scope, TenantId, UserId};
use lectern_store::audit::{self, Change};
use lectern_store::{StoreError, Tx};
use serde_json::json;
use zeroize::Zeroizing;

use crate::model_factors::FactorKind;
use crate::store_factors::{self, FactorRow};
use crate::{Identity, store};

/// Longer than any code with its spaces.
const LONGEST_CODE: usize = 40;

/// What somebody has to prove themselves with beside the password.
pub(crate) struct Held {
    pub factors: Vec<FactorRow>,
    pub codes: Option<String>,
}

/// A second proof that was found right, to be taken for good in the transaction that lets the person in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Proof {
    /// There is none.
    Nothing,
    /// None is asked for: the provider vouches for the person.
    Vouched,
    Step {
        factor: FactorId,
        step: u64,
    },
    RecoveryCode {
        before: String,
        after: String,
        left: usize,
    },
    /// A passkey's data as they were and as the use made them.
    Passkey {
        factor: FactorId,
        before: String,
        after: String,
    },
}

impl Proof {
    /// Whether a session that begins with it has all that can be asked for.
    pub fn is_enough(&self) -> bool {
        *self != Self::Nothing
    }

    /// What stands behind the first proof in the list of sessions.
    pub fn suffix(&self) -> &'static str {
        match self {
            Self::Nothing | Self::Vouched => "",
            Self::Step { .. } => "+totp",
            Self::RecoveryCode { .. } => "+recovery_code",
            Self::Passkey { .. } => "+passkey",
        }
    }

    /// Takes it for good; an error when somebody else was faster.
    pub fn take(&self, tx: &mut Tx<'_>, scope: &Scope, user: &UserId) -> Result<(), StoreError> {
        let first = match self {
            Self::Nothing | Self::Vouched => true,
            Self::Step { factor, step } => store_factors::take_step(tx, factor, *step)?,
            Self::Passkey { factor, before, after } => {
                store_factors::replace_data(tx, factor, before, after)?
            }
            Self::RecoveryCode { before, after, left } => {
                let spent = store_factors::spend_code(tx, user, before, after)?;
                let told = json!({ "left": left });
                let change = Change::new("recovery.used", user.as_str());
                audit::record(tx, scope, change.after(&told))?;
                spent
            }
        };
        if first { Ok(()) } else { Err(refused(&FactorError::UsedCode).into()) }
    }
}

/// Why a second proof does not count, in the words of the engine.
pub(crate) fn refused(error: &FactorError) -> Error {
    let code = match error {
        FactorError::Random(_) | FactorError::Internal | FactorError::Stored(_) => Code::Internal,
        _ => Code::SecondFactor,
    };
    let text = error.to_string();
    let mut letters = text.chars();
    let capital: String =
        letters.next().map(|c| c.to_uppercase().chain(letters).collect()).unwrap_or_default();
    Error::new(code, format!("{capital}.")).hint(error.hint())
}

impl Held {
    /// Names of what may be sent, as the page needs them.
    pub fn methods(&self) -> Vec<&'static str> {
        let has = |kind| self.factors.iter().any(|factor| factor.view.kind == kind);
        let all = [
            (has(FactorKind::Totp), "totp"),
            (has(FactorKind::Passkey), "passkey"),
            (self.codes.is_some(), "recovery_code"),
        ];
        all.into_iter().filter(|(held, _)| *held).map(|(_, name)| name).collect()
    }

    /// Told only to who has the password.
    pub fn required(&self) -> Error {
        let mut error = Error::new(Code::SecondFactor, "The password is right; a second proof is needed.")
            .hint("Send `code` of the authenticator app or a recovery code, or use a passkey.");
        let field = |method: &str| FieldError { field: "code".to_owned(), message: method.to_owned() };
        error.fields = self.methods().into_iter().map(field).collect();
        error
    }
}

impl Identity {
    pub(crate) async fn held(&self, tenant: &TenantId, user: &UserId) -> Result<Held> {
        let (store, user) = (self.tenant(&Scope::system(tenant.clone()))?, user.clone());
        let read = store.db.read(move |tx| {
            let factors = store_factors::factors_of(tx, &user)?;
            Ok(Held { factors, codes: store_factors::codes(tx, &user)? })
        });
        Ok(read.await?)
    }

    /// Whether a typed code is one of the person's. It is taken by [`Proof::take`].
    pub(crate) async fn check_code(&self, tenant: &TenantId, held: &Held, typed: &str) -> Result<Proof> {
        let typed = typed.trim();
        if typed.is_empty() || typed.len() > LONGEST_CODE {
            return Err(refused(&FactorError::WrongCode));
        }
        if typed.chars().all(|c| c.is_ascii_digit() || c.is_whitespace()) {
            return self.check_totp(tenant, held, typed);
        }
        let Some(before) = held.codes.clone() else { return Err(refused(&FactorError::WrongCode)) };
        self.check_recovery_code(before, typed.to_owned()).await
    }

    fn check_totp(&self, tenant: &TenantId, held: &Held, typed: &str) -> Result<Proof> {
        let mut why = FactorError::WrongCode;
        for factor in held.factors.iter().filter(|factor| factor.view.kind == FactorKind::Totp) {
            let secret = self.totp_secret(tenant, factor)?;
            match Totp::APPS.verify(&secret, typed, self.now().0, factor.last_step) {
                Ok(step) => return Ok(Proof::Step { factor: factor.view.id.clone(), step }),
                Err(FactorError::UsedCode) => why = FactorError::UsedCode,
                Err(_) => {}
            }
        }
        Err(refused(&why))
    }

    fn totp_secret(&self, tenant: &TenantId, factor: &FactorRow) -> Result<TotpSecret> {
        let opened = Zeroizing::new(self.vault()?.open(tenant, &place(&factor.view.id), &factor.data)?);
        TotpSecret::from_bytes(&opened).map_err(|error| refused(&error))
    }

    async fn check_recovery_code(&self, before: String, typed: String) -> Result<Proof> {
        self.inner
            .passwords
            .run(move || {
                let mut hashes: RecoveryHashes = serde_json::from_str(&before).map_err(Error::internal)?;
                let index = hashes.verify(&typed).map_err(|error| refused(&error))?;
                hashes.spend(index);
                let after = serde_json::to_string(&hashes).map_err(Error::internal)?;
                Ok(Proof::RecoveryCode { before, after, left: hashes.left() })
            })
            .await
    }

    /// Removes all second factors of a person, whose sessions end: for those who lost them.
    pub(crate) fn reset_factors(tx: &mut Tx<'_>, scope: &Scope, user: &UserId) -> Result<usize, StoreError> {
        let removed = store_factors::delete_factors(tx, user)?;
        store::delete_sessions(tx, user, None)?;
        let told = json!({ "removed": removed });
        audit::record(tx, scope, Change::new("factors.reset", user.as_str()).after(&told))?;
        lectern_store::outbox::push(tx, "factors.reset", user.as_str(), &told)?;
        Ok(removed)
    }
}

/// Where a factor's data are sealed for.
pub(crate) fn place(id: &FactorId) -> String {
    format!("{id}/data")
}
