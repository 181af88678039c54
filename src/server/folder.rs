//! The data folder from outside: its configuration, its holder, and what can be done without a server.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use lectern_config::{Config, ConfigError};
use lectern_identity::NewUser;
use lectern_kernel::{Role, Scope, SystemClock, TenantId};
use lectern_store::DataLock;
use serde::{Deserialize, Serialize};

use crate::compose;

/// How the running appliance of a folder is reached from the same machine. Readable by its owner only.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Serving {
    pub url: String,
    /// Bearer token of the local command line, new at every start.
    pub token: String,
    /// PEM certificate that signed the server's.
    pub authority: Option<String>,
}

impl Serving {
    fn path(folder: &Path) -> PathBuf {
        folder.join("serving.json")
    }

    /// The appliance that holds the folder now.
    pub fn of(folder: &Path) -> Result<Option<Self>> {
        if DataLock::holder(folder).is_none() {
            return Ok(None);
        }
        let path = Self::path(folder);
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!(
                "the folder {} is in use by a process that does not answer commands (yet)",
                folder.display()
            )
        })?;
        Ok(Some(serde_json::from_str(&text).with_context(|| path.display().to_string())?))
    }

    pub(crate) fn publish(&self, folder: &Path) -> Result<()> {
        use std::os::unix::fs::OpenOptionsExt;
        let part = folder.join("serving.part");
        let _ = std::fs::remove_file(&part);
        let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
        serde_json::to_writer(file, self)?;
        std::fs::rename(part, Self::path(folder))?;
        Ok(())
    }

    pub(crate) fn withdraw(folder: &Path) {
        // A file that is left over is not trusted: without the lock nobody serves.
        let _ = std::fs::remove_file(Self::path(folder));
    }
}

/// Whether a process holds the folder.
pub fn is_serving(folder: &Path) -> bool {
    DataLock::holder(folder).is_some()
}

/// Defaults, `file` or else `DATA/lectern.toml` when it exists, environment, flags.
pub fn load_config(
    folder: &Path,
    file: Option<&Path>,
    flags: &[lectern_config::Flag<'_>],
) -> Result<Config, ConfigError> {
    let own = folder.join("lectern.toml");
    let file = file.or_else(|| own.exists().then_some(own.as_path()));
    Config::load(file, flags)
}

/// Somebody to be added from the command line.
#[derive(Debug, Clone, Copy)]
pub struct UserToAdd<'a> {
    pub tenant: &'a str,
    pub email: &'a str,
    pub name: &'a str,
    pub role: &'a str,
    /// Makes them an operator of the appliance too.
    pub operator: bool,
}

/// Adds a person to a folder, with or without a server on it.
pub fn add_user(folder: &Path, user: &UserToAdd<'_>, password: &str) -> Result<()> {
    let (tenant, role) = (tenant(user.tenant)?, user.role.parse::<Role>().map_err(anyhow::Error::msg)?);
    let (name, email) = (user.name.to_owned(), user.email.to_owned());
    let new = NewUser { name, email, password: password.to_owned() };
    let (wanted, operator) = (role, user.operator);
    on_users(folder, |identity, runtime| {
        runtime.block_on(async {
            // Whoever is there first owns `main` and operates the appliance, as by the set-up page.
            let first = tenant == TenantId::main() && identity.setup_needed().await?;
            let role = if first { Role::OWNER } else { wanted };
            let made = identity.create_user(tenant.clone(), role, new).await?;
            if operator || first {
                identity.add_operator(&Scope::system(tenant), made.id.as_str()).await?;
            }
            Ok(())
        })
    })
}

/// Sets a password; the person's sessions end.
pub fn set_password(folder: &Path, tenant_name: &str, email: &str, password: &str) -> Result<()> {
    let tenant = tenant(tenant_name)?;
    on_users(folder, |identity, runtime| {
        Ok(runtime.block_on(identity.set_password(&tenant, email, password.to_owned()))?)
    })
}

/// Lets somebody in again who is disabled; with `factors` their second factors are removed and their sessions end. The
/// number of factors that were removed.
pub fn unlock_user(folder: &Path, tenant_name: &str, email: &str, factors: bool) -> Result<usize> {
    let (tenant, mut removed) = (tenant(tenant_name)?, 0);
    on_users(folder, |identity, runtime| {
        removed = runtime.block_on(identity.unlock(&tenant, email, factors))?;
        Ok(())
    })?;
    Ok(removed)
}

fn tenant(name: &str) -> Result<TenantId> {
    name.parse().with_context(|| format!("there is no tenant '{name}'"))
}

/// SQLite lets a second process write, so a running appliance needs not to stop for this.
fn on_users(
    folder: &Path,
    work: impl FnOnce(&lectern_identity::Identity, &tokio::runtime::Runtime) -> Result<()>,
) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::fs::create_dir_all(folder)?;
    // The folder's own configuration says where the tenants of a region lie.
    let config = load_config(folder, None, &[])?;
    let stores = crate::tenants::stores(folder, &config, Arc::new(SystemClock))?;
    let permissions = compose::permissions();
    let identity = lectern_identity::Identity::new(stores, &config.session, true, permissions);
    runtime.block_on(identity.adopt())?;
    work(&identity, &runtime)
}
