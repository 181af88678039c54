//! Takes over what the first version kept in `control.db`: its people become owners of `main` and operators, its keys
//! keep working, its sessions end.

use lectern_kernel::{Result, Scope, TenantId};

use crate::{Identity, secret, store, store_control, store_people};

impl Identity {
    /// At start; does nothing when there is nothing left to take over.
    pub async fn adopt(&self) -> Result<()> {
        let (users, keys) = self
            .control()
            .read(|tx| Ok((store_control::old_users(tx)?, store_control::old_keys(tx)?)))
            .await?;
        if users.is_empty() && keys.is_empty() {
            return Ok(());
        }
        tracing::info!(people = users.len(), keys = keys.len(), "people and keys move to the tenant 'main'");
        let main = TenantId::main();
        let names: Vec<_> =
            users.iter().map(|u| (u.id.to_string(), secret::fingerprint(&u.email_key))).collect();
        let store = self.tenant(&Scope::system(main.clone()))?;
        store
            .db
            .write(move |tx| {
                users.iter().try_for_each(|user| store_people::adopt_user(tx, user))?;
                keys.iter().try_for_each(|key| store::adopt_key(tx, key))
            })
            .await?;
        // A crash in between takes the same rows over again, which changes nothing.
        self.control()
            .write(move |tx| {
                for (id, name) in &names {
                    store_control::add_operator(tx, id, &main)?;
                    store_control::add_name(tx, name, &main)?;
                }
                store_control::remove_old(tx)
            })
            .await?;
        Ok(())
    }
}
