//! Devices without a browser (RFC 8628): the device shows a code, a person types it elsewhere, the device asks until
//! it is let in.

use std::time::Duration;

use lectern_kernel::{Code, Error, KeyId, Principal, Result, Scope, UserId};
use lectern_store::audit::{self, Change};
use lectern_store::{StoreError, Tx, outbox};
use serde_json::json;

use crate::authorize::{allow, browser, check_resources, chosen, consent, held};
use crate::client::Client;
use crate::exchange::{Verdict, own};
use crate::form::{Call, Form};
use crate::issue::{self, Lives};
use crate::model::{AppView, Flow};
use crate::model_flow::{ConsentView, DeviceDecision, DeviceView};
use crate::refusal::Refusal;
use crate::scopes;
use crate::secret::{self, Kind};
use crate::store_devices::{self, Device, DeviceState};
use crate::store_tokens::Family;
use crate::{Oauth, redirect, store_apps};

const DEVICE_LIVES: Duration = Duration::from_mins(10);
const PAUSE: u32 = 5;
const LONGEST_PAUSE: u32 = 60;
/// What a slow network may take off a pause.
const SLACK: Duration = Duration::from_secs(1);
/// Anybody can begin this, so what waits is bounded.
const DEVICES_AN_APP: u64 = 500;

/// Why a person's code was not taken, and how long to wait when it was one wrong code too many.
pub(crate) struct NoDevice {
    pub error: Error,
    pub retry_after: Option<Duration>,
}

impl<E: Into<Error>> From<E> for NoDevice {
    fn from(error: E) -> Self {
        Self { error: error.into(), retry_after: None }
    }
}

impl Oauth {
    /// A device asks to be let in.
    pub(crate) async fn device_authorization(&self, call: &Call) -> Result<DeviceView, Refusal> {
        let client = self.client(call).await?;
        client.may(Flow::Device)?;
        check_resources(&call.form, &call.issuer)?;
        let scopes = scopes::wanted(call.form.get("scope"), &client.app.scopes)?;
        let (device_code, user_code) = (Kind::Device.make(&client.tenant)?, secret::user_code()?);
        let device = Device {
            key: secret::fingerprint(&device_code),
            app: client.app.id.clone(),
            state: DeviceState::Waiting,
            user: None,
            pause: PAUSE,
            asked_at: None,
            expires_at: self.now().plus(DEVICE_LIVES),
            scopes,
        };
        let typed = fingerprint_of(&user_code).unwrap_or_default();
        let store = self.tenant(&client.scope)?;
        let written = store.db.write(move |tx| {
            store_devices::drop_expired(tx)?;
            let full = store_devices::count_devices(tx, &device.app)? >= DEVICES_AN_APP;
            if full || !store_devices::insert_device(tx, &device, &typed)? {
                return Ok(Err(Refusal::busy("Too many devices of this program wait. Try again later.")));
            }
            let after = json!({ "scopes": device.scopes });
            let change = Change::new("app.device_asked", device.app.as_str()).after(&after);
            audit::record(tx, &client.scope, change)?;
            outbox::push(tx, "app.device_asked", device.app.as_str(), &after).map(Ok)
        });
        written.await??;
        let page = format!("{}{}", call.issuer, self.inner.pages.device);
        Ok(DeviceView {
            verification_uri_complete: redirect::with(&page, &[("user_code", Some(user_code.as_str()))]),
            verification_uri: page,
            device_code,
            user_code,
            expires_in: DEVICE_LIVES.as_secs(),
            interval: u64::from(PAUSE),
        })
    }

    /// What a person is asked about the device that shows this code.
    pub(crate) async fn device(&self, principal: &Principal, code: &str) -> Result<ConsentView, NoDevice> {
        let user = browser(principal)?;
        let rights = self.rights_now(principal, &user).await?;
        let (device, app) = self.find_device(principal, &user, code).await?;
        Ok(consent(&app, user, &device.scopes, &rights))
    }

    /// The person's decision. It is always asked for: somebody may have sent the person a code of their own device.
    pub(crate) async fn decide_device(
        &self,
        principal: &Principal,
        scope: &Scope,
        decision: DeviceDecision,
    ) -> Result<(), NoDevice> {
        let user = browser(principal)?;
        let rights = self.rights_now(principal, &user).await?;
        let (device, app) = self.find_device(principal, &user, &decision.user_code).await?;
        let allowed = if decision.allow {
            let allowed = chosen(held(&device.scopes, &rights), decision.scopes, &device.scopes)?;
            if allowed.is_empty() {
                return Err(Error::new(Code::Forbidden, "You have none of these permissions.").into());
            }
            Some(allowed)
        } else {
            None
        };
        let (scope, typed) = (scope.clone(), fingerprint_of(&decision.user_code).unwrap_or_default());
        let store = self.tenant(&scope)?;
        let written = store.db.write(move |tx| {
            // Somebody else may have been quicker.
            let waits = store_devices::by_user_code(tx, &typed)?.is_some_and(|found| found.key == device.key);
            if !waits {
                return Err(no_such_code().into());
            }
            store_devices::decide(tx, &device.key, &user, allowed.as_ref())?;
            let Some(allowed) = allowed else {
                let after = json!({ "user": user });
                let change = Change::new("app.device_denied", app.id.as_str()).after(&after);
                audit::record(tx, &scope, change)?;
                return outbox::push(tx, "app.device_denied", app.id.as_str(), &after);
            };
            let scopes = allowed.into_iter().collect();
            let family =
                Family { id: String::new(), app: app.id, user: Some(user), created_at: tx.now(), scopes };
            allow(tx, &scope, &family)
        });
        Ok(written.await?)
    }

    /// The device of a code that a person typed; wrong ones are counted.
    async fn find_device(
        &self,
        principal: &Principal,
        user: &UserId,
        code: &str,
    ) -> Result<(Device, AppView), NoDevice> {
        let (now, name) = (self.now(), user.as_str());
        self.inner.codes.begin(name, now).map_err(|wait| NoDevice {
            error: Error::new(Code::TooManyRequests, "Too many wrong codes.")
                .hint(format!("Try again in {} seconds.", wait.as_secs().max(1))),
            retry_after: Some(wait),
        })?;
        let typed = fingerprint_of(code).ok_or_else(no_such_code)?;
        let (scope, tenant) = (Scope::granted(principal), principal.tenant.clone());
        let find = move |tx: &Tx<'_>| {
            let Some(device) = store_devices::by_user_code(tx, &typed)? else { return Ok(None) };
            let app = store_apps::app_by_id(tx, &tenant, &device.app)?;
            Ok(app.map(|app| (device, app)))
        };
        let found = self.tenant(&scope)?.db.read(find).await?.ok_or_else(no_such_code)?;
        self.inner.codes.take_back(name, now);
        Ok(found)
    }

    /// The device asks whether it was let in.
    pub(crate) async fn by_device(&self, client: Client, form: &Form) -> Verdict {
        let fingerprint = own(Kind::Device, form.need("device_code")?, &client.tenant)?;
        let store = self.tenant(&client.scope)?;
        let wanted = fingerprint.clone();
        let device = store.db.read(move |tx| store_devices::by_device_code(tx, &wanted)).await?;
        let device = device.filter(|device| device.app == client.app.id).ok_or_else(Refusal::grant)?;
        let rights = match device.state {
            DeviceState::Allowed => Some(self.holder(&client.tenant, device.user.as_ref()).await?),
            _ => None,
        };
        store.db.write(move |tx| answer(tx, &client, &fingerprint, rights.as_ref())).await?
    }
}

fn fingerprint_of(code: &str) -> Option<String> {
    secret::normal_user_code(code).map(|code| secret::fingerprint(&code))
}

fn no_such_code() -> Error {
    Error::new(Code::NotFound, "No device waits with this code.")
        .hint("Type it as the device shows it; it holds for ten minutes.")
}

fn answer(
    tx: &mut Tx<'_>,
    client: &Client,
    fingerprint: &str,
    rights: Option<&lectern_kernel::Rights>,
) -> Result<Verdict, StoreError> {
    let Some(device) = store_devices::by_device_code(tx, fingerprint)? else {
        return Ok(Err(Refusal::grant()));
    };
    if device.expires_at <= tx.now() {
        return Ok(Err(Refusal::new("expired_token", "The code is over. Begin anew.")));
    }
    match (device.state, rights) {
        (DeviceState::Used, _) => Ok(Err(Refusal::grant())),
        (DeviceState::Denied, _) => Ok(Err(Refusal::new("access_denied", "The person did not allow it."))),
        (DeviceState::Allowed, Some(rights)) => let_in(tx, client, device, rights),
        _ => wait(tx, &device).map(Err),
    }
}

/// Who asks too soon waits longer each time (RFC 8628, section 3.5).
fn wait(tx: &Tx<'_>, device: &Device) -> Result<Refusal, StoreError> {
    let pause = Duration::from_secs(u64::from(device.pause)).saturating_sub(SLACK);
    if device.asked_at.is_some_and(|at| tx.now() < at.plus(pause)) {
        store_devices::asked(tx, &device.key, (device.pause + PAUSE).min(LONGEST_PAUSE))?;
        return Ok(Refusal::new("slow_down", "Ask less often: five seconds more between two questions."));
    }
    store_devices::asked(tx, &device.key, device.pause)?;
    Ok(Refusal::new("authorization_pending", "The person has not decided yet."))
}

fn let_in(
    tx: &mut Tx<'_>,
    client: &Client,
    device: Device,
    rights: &lectern_kernel::Rights,
) -> Result<Verdict, StoreError> {
    store_devices::set_state(tx, &device.key, DeviceState::Used)?;
    let scopes = held(&device.scopes, rights);
    if scopes.is_empty() {
        return Ok(Err(Refusal::grant()));
    }
    let family = Family {
        id: KeyId::generate().to_string(),
        app: device.app,
        user: device.user,
        created_at: tx.now(),
        scopes: device.scopes.into_iter().collect(),
    };
    issue::open(tx, &family, Lives { flow: Flow::Device, until: tx.now() })?;
    let refreshable = client.app.grants.contains(&Flow::Refresh);
    issue::issue(tx, &client.scope, &family, &scopes, refreshable).map(Ok)
}
