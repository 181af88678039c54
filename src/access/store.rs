//! All SQL of this area.

use lectern_kernel::TenantId;
use lectern_kernel::ports::Metered;
use lectern_store::{Row, StoreError, Tx, params};

use crate::model::{ErasureView, TenantUsage, UsageDay};

type Result<T> = std::result::Result<T, StoreError>;

// control.db

pub(crate) fn put_usage(tx: &Tx<'_>, tenant: &TenantId, usage: &TenantUsage) -> Result<()> {
    tx.execute(
        "INSERT INTO tenant_usage (tenant_id, documents, bytes, members, counted_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant_id) DO UPDATE SET documents = excluded.documents, bytes = excluded.bytes,
           members = excluded.members, counted_at = excluded.counted_at",
        params![tenant, usage.documents, usage.bytes, usage.members, tx.now()],
    )?;
    Ok(())
}

pub(crate) fn usages(tx: &Tx<'_>) -> Result<Vec<(TenantId, TenantUsage)>> {
    tx.query("SELECT tenant_id, documents, bytes, members, counted_at FROM tenant_usage", params![], |row| {
        let usage = TenantUsage {
            documents: row.get("documents")?,
            bytes: row.get("bytes")?,
            members: row.get("members")?,
            counted_at: row.get("counted_at")?,
        };
        Ok((row.get("tenant_id")?, usage))
    })
}

pub(crate) fn remove_usage(tx: &Tx<'_>, tenant: &TenantId) -> Result<usize> {
    tx.execute("DELETE FROM tenant_usage WHERE tenant_id = $1", params![tenant])
}

pub(crate) fn insert_erasure(tx: &Tx<'_>, erasure: &ErasureView) -> Result<()> {
    tx.execute(
        "INSERT INTO erasures (tenant_id, name, erased_at, statement) VALUES ($1, $2, $3, $4)",
        params![&erasure.tenant, &erasure.name, erasure.erased_at, &erasure.statement],
    )?;
    Ok(())
}

pub(crate) fn erasures(tx: &Tx<'_>) -> Result<Vec<ErasureView>> {
    tx.query(
        "SELECT tenant_id, name, erased_at, statement FROM erasures ORDER BY erased_at DESC, tenant_id",
        params![],
        erasure,
    )
}

fn erasure(row: &Row<'_>) -> Result<ErasureView> {
    Ok(ErasureView {
        tenant: row.get("tenant_id")?,
        name: row.get("name")?,
        erased_at: row.get("erased_at")?,
        statement: row.get("statement")?,
    })
}

pub(crate) fn appliance_secret(tx: &Tx<'_>, name: &str) -> Result<Option<String>> {
    tx.scalar("SELECT sealed FROM appliance_secrets WHERE name = $1", params![name])
}

/// The first one stays.
pub(crate) fn put_appliance_secret(tx: &Tx<'_>, name: &str, sealed: &str) -> Result<String> {
    tx.execute(
        "INSERT INTO appliance_secrets (name, sealed) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        params![name, sealed],
    )?;
    Ok(appliance_secret(tx, name)?.unwrap_or_default())
}

// data.db

pub(crate) fn tenant_secret(tx: &Tx<'_>, name: &str) -> Result<Option<String>> {
    tx.scalar("SELECT sealed FROM tenant_secrets WHERE name = $1", params![name])
}

/// The first one stays.
pub(crate) fn put_tenant_secret(tx: &Tx<'_>, name: &str, sealed: &str) -> Result<String> {
    tx.execute(
        "INSERT INTO tenant_secrets (name, sealed) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        params![name, sealed],
    )?;
    Ok(tenant_secret(tx, name)?.unwrap_or_default())
}

/// The name that counters are kept under.
pub(crate) fn name_of(what: Metered) -> &'static str {
    match what {
        Metered::Documents => "documents",
        Metered::Storage => "storage",
        Metered::Members => "members",
        Metered::MonthlyActiveUsers => "monthly_active_users",
        Metered::Requests => "requests",
        Metered::Questions => "questions",
        Metered::SpeechSeconds => "speech_seconds",
    }
}

/// Those that are counted by the month.
pub(crate) const MONTHLY: [Metered; 3] = [Metered::Requests, Metered::Questions, Metered::SpeechSeconds];

pub(crate) fn used(tx: &Tx<'_>, period: &str, what: Metered) -> Result<u64> {
    let found = tx.scalar(
        "SELECT used FROM usage_counters WHERE period = $1 AND name = $2",
        params![period, name_of(what)],
    )?;
    Ok(found.unwrap_or_default())
}

/// Adds to a month and to its day.
pub(crate) fn add_used(tx: &Tx<'_>, periods: [&str; 2], what: Metered, amount: u64) -> Result<()> {
    for period in periods {
        tx.execute(
            "INSERT INTO usage_counters (period, name, used) VALUES ($1, $2, $3)
             ON CONFLICT (period, name) DO UPDATE SET used = used + excluded.used",
            params![period, name_of(what), amount],
        )?;
    }
    Ok(())
}

/// Counts of the days from `from` on.
pub(crate) fn days(tx: &Tx<'_>, from: &str) -> Result<Vec<UsageDay>> {
    let found = tx.query(
        "SELECT period, name, used FROM usage_counters WHERE length(period) = 10 AND period >= $1
         ORDER BY period, name",
        params![from],
        |row| Ok((row.get::<String>("period")?, row.get::<String>("name")?, row.get("used")?)),
    )?;
    let what = |name: &str| MONTHLY.into_iter().find(|what| name_of(*what) == name);
    Ok(found
        .into_iter()
        .filter_map(|(day, name, used)| Some(UsageDay { day, what: what(&name)?, used }))
        .collect())
}

pub(crate) fn trim_days(tx: &Tx<'_>, before: &str) -> Result<usize> {
    tx.execute("DELETE FROM usage_counters WHERE length(period) = 10 AND period < $1", params![before])
}

pub(crate) fn active_users(tx: &Tx<'_>, month: &str) -> Result<Vec<String>> {
    tx.query("SELECT user_id FROM active_users WHERE period = $1", params![month], |row| row.get("user_id"))
}

pub(crate) fn add_active(tx: &Tx<'_>, month: &str, user: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO active_users (period, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        params![month, user],
    )?;
    tx.execute("DELETE FROM active_users WHERE period < $1", params![month])?;
    Ok(())
}

/// Months count the person no more.
pub(crate) fn forget_active(tx: &Tx<'_>, user: &str) -> Result<usize> {
    tx.execute("DELETE FROM active_users WHERE user_id = $1", params![user])
}

/// When anything was last counted; for tests of what is left behind.
#[cfg(test)]
pub(crate) fn counters(tx: &Tx<'_>) -> Result<Vec<(String, String, u64)>> {
    tx.query("SELECT period, name, used FROM usage_counters ORDER BY period, name", params![], |row| {
        Ok((row.get("period")?, row.get("name")?, row.get("used")?))
    })
}
