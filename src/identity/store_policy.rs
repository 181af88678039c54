//! SQL of the rules of signing in, in a tenant's database.

use lectern_store::{StoreError, Tx, params};

use crate::model_sign_in::{Demand, SignInPolicy};

type Result<T> = std::result::Result<T, StoreError>;

/// The tenant's rules; those of every tenant when it has none of its own.
pub(crate) fn policy(tx: &Tx<'_>) -> Result<SignInPolicy> {
    let found = tx.query_one(
        "SELECT second_factor, password_sign_in, idle_minutes, lifetime_minutes, password_length
         FROM sign_in_policy WHERE id = 1",
        params![],
        |row| {
            let demand: String = row.get("second_factor")?;
            Ok(SignInPolicy {
                second_factor: Demand::of(&demand),
                password_sign_in: row.get("password_sign_in")?,
                idle_minutes: row.get("idle_minutes")?,
                lifetime_minutes: row.get("lifetime_minutes")?,
                password_length: row.get("password_length")?,
                domains: Vec::new(),
            })
        },
    )?;
    let mut policy = found.unwrap_or_default();
    policy.domains =
        tx.query("SELECT domain FROM sign_in_domains ORDER BY domain", params![], |row| row.get("domain"))?;
    Ok(policy)
}

pub(crate) fn put_policy(tx: &Tx<'_>, policy: &SignInPolicy) -> Result<()> {
    tx.execute(
        "INSERT INTO sign_in_policy
           (id, second_factor, password_sign_in, idle_minutes, lifetime_minutes, password_length, updated_at)
         VALUES (1, $1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO UPDATE SET second_factor = excluded.second_factor,
           password_sign_in = excluded.password_sign_in, idle_minutes = excluded.idle_minutes,
           lifetime_minutes = excluded.lifetime_minutes, password_length = excluded.password_length,
           updated_at = excluded.updated_at",
        params![
            policy.second_factor.as_str(),
            policy.password_sign_in,
            policy.idle_minutes,
            policy.lifetime_minutes,
            policy.password_length,
            tx.now()
        ],
    )?;
    tx.execute("DELETE FROM sign_in_domains", params![])?;
    for domain in &policy.domains {
        tx.execute(
            "INSERT INTO sign_in_domains (domain) VALUES ($1) ON CONFLICT DO NOTHING",
            params![domain],
        )?;
    }
    Ok(())
}
