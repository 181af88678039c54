//! SQL of devices that wait to be let in.

use lectern_kernel::{AppId, Timestamp, UserId};
use lectern_store::{Row, StoreError, Tx, params};

use crate::scopes::Scopes;

type Result<T> = std::result::Result<T, StoreError>;

/// Where a device's request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeviceState {
    Waiting,
    Allowed,
    Denied,
    Used,
}

impl DeviceState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Used => "used",
        }
    }

    fn parse(text: &str) -> Self {
        let all = [Self::Waiting, Self::Allowed, Self::Denied];
        all.into_iter().find(|state| state.as_str() == text).unwrap_or(Self::Used)
    }
}

/// A device that asks.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    /// Fingerprint of the device's code.
    pub key: String,
    pub app: AppId,
    pub state: DeviceState,
    pub user: Option<UserId>,
    pub pause: u32,
    pub asked_at: Option<Timestamp>,
    pub expires_at: Timestamp,
    pub scopes: Scopes,
}

/// Keeps a device's request under the fingerprint of its user code; false when a live one has the same.
pub(crate) fn insert_device(tx: &Tx<'_>, device: &Device, user_code: &str) -> Result<bool> {
    let added = tx.execute(
        "INSERT INTO oauth_devices (device_sha256, user_sha256, app_id, state, pause, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        params![
            &device.key,
            user_code,
            &device.app,
            device.state.as_str(),
            device.pause,
            tx.now(),
            device.expires_at
        ],
    )?;
    if added == 0 {
        return Ok(false);
    }
    set_scopes(tx, &device.key, &device.scopes)?;
    Ok(true)
}

fn set_scopes(tx: &Tx<'_>, key: &str, scopes: &Scopes) -> Result<()> {
    tx.execute("DELETE FROM oauth_device_scopes WHERE device_sha256 = $1", params![key])?;
    for name in scopes {
        tx.execute(
            "INSERT INTO oauth_device_scopes (device_sha256, permission) VALUES ($1, $2)",
            params![key, name],
        )?;
    }
    Ok(())
}

/// Removes those that are over.
pub(crate) fn drop_expired(tx: &Tx<'_>) -> Result<usize> {
    tx.execute("DELETE FROM oauth_devices WHERE expires_at <= $1", params![tx.now()])
}

pub(crate) fn count_devices(tx: &Tx<'_>, app: &AppId) -> Result<u64> {
    let found = tx.scalar("SELECT count(*) FROM oauth_devices WHERE app_id = $1", params![app])?;
    Ok(found.unwrap_or_default())
}

pub(crate) fn by_device_code(tx: &Tx<'_>, fingerprint: &str) -> Result<Option<Device>> {
    let found = tx.query_one(
        "SELECT device_sha256, app_id, state, user_id, pause, asked_at, expires_at FROM oauth_devices
         WHERE device_sha256 = $1",
        params![fingerprint],
        device,
    )?;
    found.map(|device| with_scopes(tx, device)).transpose()
}

/// A device that waits and is not over.
pub(crate) fn by_user_code(tx: &Tx<'_>, fingerprint: &str) -> Result<Option<Device>> {
    let found = tx.query_one(
        "SELECT device_sha256, app_id, state, user_id, pause, asked_at, expires_at FROM oauth_devices
         WHERE user_sha256 = $1 AND state = 'waiting' AND expires_at > $2",
        params![fingerprint, tx.now()],
        device,
    )?;
    found.map(|device| with_scopes(tx, device)).transpose()
}

fn device(row: &Row<'_>) -> Result<Device> {
    Ok(Device {
        key: row.get("device_sha256")?,
        app: row.get("app_id")?,
        state: DeviceState::parse(&row.get::<String>("state")?),
        user: row.get("user_id")?,
        pause: row.get("pause")?,
        asked_at: row.get("asked_at")?,
        expires_at: row.get("expires_at")?,
        scopes: Scopes::new(),
    })
}

fn with_scopes(tx: &Tx<'_>, mut device: Device) -> Result<Device> {
    let names = tx.query(
        "SELECT permission FROM oauth_device_scopes WHERE device_sha256 = $1",
        params![&device.key],
        |row| row.at::<String>(0),
    )?;
    device.scopes = names.into_iter().collect();
    Ok(device)
}

/// What a person decided.
pub(crate) fn decide(tx: &Tx<'_>, key: &str, user: &UserId, allowed: Option<&Scopes>) -> Result<()> {
    let state = if allowed.is_some() { DeviceState::Allowed } else { DeviceState::Denied };
    tx.execute(
        "UPDATE oauth_devices SET state = $2, user_id = $3 WHERE device_sha256 = $1",
        params![key, state.as_str(), user],
    )?;
    allowed.map_or(Ok(()), |scopes| set_scopes(tx, key, scopes))
}

pub(crate) fn set_state(tx: &Tx<'_>, key: &str, state: DeviceState) -> Result<usize> {
    tx.execute("UPDATE oauth_devices SET state = $2 WHERE device_sha256 = $1", params![key, state.as_str()])
}

/// Notes that the device asked, and how long it has to wait now.
pub(crate) fn asked(tx: &Tx<'_>, key: &str, pause: u32) -> Result<usize> {
    tx.execute(
        "UPDATE oauth_devices SET asked_at = $2, pause = $3 WHERE device_sha256 = $1",
        params![key, tx.now(), pause],
    )
}
