//! The first start: a code shown by the server makes the first administrator.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lectern_kernel::{Code, Error, Result, TenantId, Timestamp};
use parking_lot::Mutex;
use subtle::ConstantTimeEq;

use crate::model::{NewSetup, SetupView};
use crate::session::SignedIn;
use crate::{Identity, Refused, secret, store};

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
        let users = self.control().read(store::count_users).await?;
        self.inner.setup.done.store(users > 0, Ordering::Relaxed);
        Ok(users == 0)
    }

    pub async fn setup(&self) -> Result<SetupView> {
        let needed = self.setup_needed().await?;
        Ok(SetupView { needed, version: env!("CARGO_PKG_VERSION").to_owned() })
    }

    /// Makes the first administrator and signs them in.
    pub async fn set_up(&self, new: NewSetup) -> Result<SignedIn, Refused> {
        if !self.setup_needed().await? {
            return Err(already().into());
        }
        self.inner.setup.check(&new.code, self.now())?;
        let prepared = self.prepare_user(TenantId::main(), new.user()).await?;
        let view = prepared.view.clone();
        self.control()
            .write(move |tx| {
                // Two who hold the code at the same moment: one of them comes first.
                if store::count_users(tx)? > 0 {
                    return Err(already().into());
                }
                prepared.insert(tx)
            })
            .await?;
        self.inner.setup.state.lock().fingerprint = None;
        self.inner.setup.done.store(true, Ordering::Relaxed);
        Ok(self.open_session(&view.id).await?)
    }
}

fn already() -> Error {
    Error::new(Code::AlreadySetUp, "The appliance has its administrator already.").hint("Sign in instead.")
}
