//! The stores and keys of all tenants, as the configuration wants them.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use lectern_access::{Keyring, Opening, Regions};
use lectern_config::Config;
use lectern_kernel::Clock;
use lectern_store::{Options, Stores};
use zeroize::Zeroizing;

use crate::compose;

/// Files that a tenant in use has open at most: its database with log and shared memory for each connection.
const FILES_A_TENANT: u64 = 20;
/// Files that are for everything else.
const FILES_KEPT: u64 = 256;

/// Opens the folder's databases.
pub(crate) fn stores(folder: &Path, config: &Config, clock: Arc<dyn Clock>) -> Result<Stores> {
    let regions =
        Regions::parse(&config.tenants.regions).map_err(anyhow::Error::msg).context("tenants.regions")?;
    let options = Options {
        most_open: most_open(config.tenants.most_open),
        idle: config.tenants.idle.0,
        regions: regions.0,
    };
    let (control, tenant) = (compose::control_migrations(), compose::tenant_migrations());
    Stores::open_with(folder, &control, tenant, clock, options).context("the data folder cannot be opened")
}

/// As many as are wanted, and as the limit of open files lets be; the limit is raised as far as it may be.
fn most_open(wanted: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let fit = files.map_or(u64::MAX, |files| files.saturating_sub(FILES_KEPT) / FILES_A_TENANT);
    let most = wanted.min(usize::try_from(fit).unwrap_or(usize::MAX)).max(1);
    if most < wanted {
        tracing::warn!(wanted, most, "fewer tenants are kept open, as the limit of open files is low");
    }
    most
}

/// The appliance's key; on the first start it is made.
pub(crate) fn keyring(folder: &Path, config: &Config, stores: &Stores) -> Result<Keyring> {
    let opening = match config.encryption.passphrase_file.as_str() {
        "" => Opening::File,
        path => Opening::Passphrase(passphrase(path)?),
    };
    let keyring = Keyring::open(folder, &opening, stores.clone())
        .map_err(|error| anyhow::anyhow!("{error}\n  hint: {}", error.hint()))
        .context("the appliance's key cannot be opened")?;
    keyring.complete().context("the tenants' keys")?;
    Ok(keyring)
}

fn passphrase(path: &str) -> Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    let read = if path == "-" {
        std::io::stdin().take(4096).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(4096).read_to_string(&mut text))
    };
    read.with_context(|| format!("encryption.passphrase_file: {path}"))?;
    let passphrase = Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned());
    if passphrase.is_empty() {
        bail!("encryption.passphrase_file: {path} is empty");
    }
    Ok(passphrase)
}
