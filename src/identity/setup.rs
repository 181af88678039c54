//! The first start: a code shown by the server makes the first administrator.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lectern_kernel::{Code, Error, Result, Role, Scope, TenantId, Timestamp};
use parking_lot::Mutex;
use subtle::ConstantTimeEq;

use crate::model::{NewSetup, SetupView};
use crate::second_factor::Proof;
use crate::session::{Caller, SignedIn};
use crate::sign_in::Opening;
use crate::users::prepare_user;
use crate::{Identity, Refused, secret, store_people};

const WRONG_TRIES: usize = 10;
const WINDOW: Duration = Duration::from_mins(1);

/// The code's fingerprint, in memory only: a restart shows a new code.
#[derive(Default)]
pub(crate) struct SetupGate {
    state: Mutex<State>,
    /// Users were seen; they do not go away again.
    done: AtomicBool,
}

#[derive(Default)]
struct State {
    fingerprint: Option<String>,
    wrong: VecDeque<Timestamp>,
}

impl SetupGate {
    /// Checks the code, within the number of tries.
    fn check(&self, code: &str, now: Timestamp) -> Result<(), Refused> {
        let mut state = self.state.lock();
        let since = now.minus(WINDOW);
        state.wrong.retain(|at| *at > since);
        if let Some(first) = state.wrong.front().filter(|_| state.wrong.len() >= WRONG_TRIES) {
            let wait = Duration::from_millis(first.plus(WINDOW).0.saturating_sub(now.0).max(0) as u64);
            return Err(Refused::throttled("wrong set-up codes", wait));
        }
        let given = secret::fingerprint(&secret::normal_setup_code(code));
        let right =
            state.fingerprint.as_ref().is_some_and(|f| bool::from(f.as_bytes().ct_eq(given.as_bytes())));
        if right {
            return Ok(());
        }
        state.wrong.push_back(now);
        Err(Error::field("code", "is not the set-up code")
            .hint("The code stands in the output of `lectern serve`; each start shows a new one.")
            .into())
    }
}

impl Identity {
    /// A new code when there is no user yet; it takes the place of the one before. `lectern serve` prints it.
    pub async fn setup_code(&self) -> Result<Option<String>> {
        if !self.setup_needed().await? {
            return Ok(None);
        }
        let code = secret::setup_code()?;
        let fingerprint = secret::fingerprint(&secret::normal_setup_code(&code));
        self.inner.setup.state.lock().fingerprint = Some(fingerprint);
        Ok(Some(code))
    }

    /// Whether the first administrator is yet to be made.
    pub async fn setup_needed(&self) -> Result<bool> {
        if self.inner.setup.done.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let store = self.tenant(&Scope::system(TenantId::main()))?;
        let users = store.db.read(store_people::count_users).await?;
        self.inner.setup.done.store(users > 0, Ordering::Relaxed);
        Ok(users == 0)
    }

    pub async fn setup(&self) -> Result<SetupView> {
        let needed = self.setup_needed().await?;
        Ok(SetupView { needed, version: env!("CARGO_PKG_VERSION").to_owned() })
    }

    /// Makes the first administrator, who owns the tenant `main` and operates the appliance, and signs them in.
    pub async fn set_up(&self, new: NewSetup, caller: &Caller) -> Result<SignedIn, Refused> {
        if !self.setup_needed().await? {
            return Err(already().into());
        }
        self.inner.setup.check(&new.code, self.now())?;
        let prepared = prepare_user(new.user(), Role::OWNER)?.finish(self, &TenantId::main()).await?;
        let (view, main) = (prepared.view.clone(), TenantId::main());
        self.note_name(&main, &prepared.email_key).await?;
        let scope = caller.scope(main.clone()).acting(&view.id, "set-up");
        self.tenant(&scope)?
            .db
            .write(move |tx| {
                // Two who hold the code at the same moment: one of them comes first.
                if store_people::count_users(tx)? > 0 {
                    return Err(already().into());
                }
                prepared.insert(tx, &scope)
            })
            .await?;
        self.add_operator(&caller.scope(main.clone()), view.id.as_str()).await?;
        self.inner.setup.state.lock().fingerprint = None;
        self.inner.setup.done.store(true, Ordering::Relaxed);
        let opening = Opening { tenant: &main, user: &view.id, method: "set-up", proof: Proof::Nothing };
        Ok(self.open_session(opening, caller).await?)
    }
}

fn already() -> Error {
    Error::new(Code::AlreadySetUp, "The appliance has its administrator already.").hint("Sign in instead.")
}
