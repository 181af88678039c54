//! One connection to a directory server: bind and search, each in its time, and results as refusals.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::time::Duration;

use futures_util::FutureExt;
use ldap3::{
    Ldap, LdapConnAsync, LdapConnSettings, LdapError, LdapResult, Scope, SearchEntry, SearchOptions,
    StdStream,
};
use tokio::time::timeout;

use crate::refusal::{Refusal, Result, from_data_code, quoted};
use crate::wire::{Stream, watched};

/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);
const LATER: &str = "Try again; if it stays, look into the directory server's log.";

/// Entries that a search gave, and whether there are more than were asked for.
pub(crate) struct Found {
    pub entries: Vec<SearchEntry>,
    pub more: bool,
}

/// What to search. The fields name the settings that are to blame when the server does not like them.
pub(crate) struct Search<'a> {
    pub base: (&'static str, &'a str),
    pub filter: (&'static str, &'a str),
    pub scope: Scope,
    pub attributes: Vec<&'a str>,
    pub most: u32,
}

/// A connection. It is driven while an operation waits, and needs no task of its own.
pub(crate) struct Connection {
    ldap: Ldap,
    /// Carries the bytes; ends with the reason for which the connection ended. None after that.
    driver: Option<Pin<Box<dyn Future<Output = Option<String>> + Send>>>,
    ended: Option<String>,
    server: String,
    time: Duration,
}

impl Connection {
    /// Speaks LDAP on an open stream; each operation may take `time`.
    pub async fn new(stream: Box<dyn Stream>, server: String, time: Duration) -> Result<Self> {
        let refuse =
            |error: &dyn std::fmt::Display| Refusal::unavailable(format!("{server}: {error}"), LATER);
        let (end, carried) = watched(stream).map_err(|e| refuse(&e))?;
        let settings = LdapConnSettings::new().set_std_stream(StdStream::Unix(end));
        let (conn, ldap) =
            LdapConnAsync::with_settings(settings, "ldapi:///").await.map_err(|e| refuse(&e))?;
        let driver = Box::pin(async move {
            let (carried, _) = tokio::join!(carried, conn.drive());
            carried.err().map(|error| error.to_string())
        });
        Ok(Self { ldap, driver: Some(driver), ended: None, server, time })
    }

    /// A simple bind (RFC 4513 section 5.1.3): the result, whatever it is. Name and password are never empty: such a
    /// bind would be anonymous and succeed (sections 5.1.1 and 5.1.2).
    pub async fn bind(&mut self, dn: &str, password: &str) -> Result<LdapResult> {
        if dn.is_empty() || password.is_empty() {
            return Err(Refusal::WrongCredentials);
        }
        let mut ldap = self.ldap.clone();
        self.run(async move { ldap.simple_bind(dn, password).await }).await
    }

    /// Searches; nothing that the server refers to elsewhere is followed.
    pub async fn search(&mut self, search: &Search<'_>) -> Result<Found> {
        let mut ldap = self.ldap.clone();
        let most = search.most as usize;
        let options = SearchOptions::new()
            .sizelimit(search.most.saturating_add(1).cast_signed())
            .timelimit(self.time.as_secs() as i32);
        let (entries, result) = self
            .run(async move {
                let ((_, base), (_, filter)) = (search.base, search.filter);
                ldap.with_search_options(options);
                let mut stream =
                    ldap.streaming_search(base, search.scope, filter, search.attributes.clone()).await?;
                let mut entries = Vec::new();
                while let Some(entry) = stream.next().await? {
                    if entry.is_ref() || entry.is_intermediate() {
                        continue;
                    }
                    entries.push(SearchEntry::construct(entry));
                    if entries.len() > most {
                        return Ok((entries, None));
                    }
                }
                Ok((entries, Some(stream.finish().await)))
            })
            .await?;
        self.found(search, entries, result)
    }

    fn found(
        &self,
        search: &Search<'_>,
        mut entries: Vec<SearchEntry>,
        result: Option<LdapResult>,
    ) -> Result<Found> {
        // Code 4: more than we, or the server, want to have.
        let limited = result.as_ref().is_none_or(|result| result.rc == 4);
        if let Some(result) = result.filter(|result| !matches!(result.rc, 0 | 4)) {
            return Err(search_refusal(&self.server, search, &result));
        }
        let more = limited || entries.len() > search.most as usize;
        entries.truncate(search.most as usize);
        Ok(Found { entries, more })
    }

    /// Says goodbye, so that the server's log shows no broken connection.
    pub async fn close(mut self) {
        let mut ldap = self.ldap.clone();
        self.time = GOODBYE;
        if self.run(async move { ldap.unbind().await }).await.is_ok()
            && let Some(driver) = self.driver.take()
        {
            drop(self.ldap);
            let _ = timeout(GOODBYE, driver).await;
        }
    }

    /// Waits for an operation while carrying its bytes. The library panics on answers that are no LDAP; that ends the
    /// operation and not the caller.
    async fn run<T>(&mut self, operation: impl Future<Output = Result<T, LdapError>>) -> Result<T> {
        let Self { driver, ended, server, time, .. } = self;
        let both = async {
            tokio::pin!(operation);
            if let Some(carrying) = driver {
                tokio::select! {
                    biased;
                    done = &mut operation => return done,
                    reason = carrying => *ended = reason,
                }
            }
            // The connection is gone, yet its last answer may be here already.
            *driver = None;
            operation.await
        };
        let result = timeout(*time, AssertUnwindSafe(both).catch_unwind()).await;
        let reason = match result {
            Ok(Ok(Ok(value))) => return Ok(value),
            Ok(Ok(Err(LdapError::FilterParsing))) => "it cannot be asked with this filter".to_owned(),
            Ok(Ok(Err(error))) => ended.take().unwrap_or_else(|| lost(&error)),
            Ok(Err(_)) => "it sent an answer that is not LDAP".to_owned(),
            Err(_) => format!("no answer within {} seconds", time.as_secs()),
        };
        // What comes after a failure could belong to what failed.
        *driver = None;
        Err(Refusal::unavailable(format!("{server}: {reason}"), LATER))
    }
}

fn lost(error: &LdapError) -> String {
    match error {
        LdapError::Io { source } => source.to_string(),
        _ => "it closed the connection".to_owned(),
    }
}

/// A failed bind of a person.
pub(crate) fn person_refusal(server: &str, result: &LdapResult) -> Refusal {
    if let Some(refusal) = from_data_code(&result.text) {
        return refusal;
    }
    match result.rc {
        8 | 13 => encrypt(server),
        51 | 52 => busy(server, result),
        // Everything else is about this name and password: 49, 48 (no password set), 32 (gone), 53 and 19 (locked).
        _ => Refusal::WrongCredentials,
    }
}

/// A failed bind of the service account.
pub(crate) fn service_refusal(server: &str, result: &LdapResult) -> Refusal {
    match result.rc {
        8 | 13 => encrypt(server),
        51 | 52 => busy(server, result),
        49 => {
            let state = match from_data_code(&result.text) {
                Some(Refusal::PasswordExpired) => ": its password has expired".to_owned(),
                Some(Refusal::AccountDisabled(closed)) => format!(": {closed}"),
                _ => String::new(),
            };
            let hint = "Check name and password of the account that searches, and that it is not locked.";
            Refusal::misconfigured(
                "bind_dn",
                format!("{server} does not let the service account in{state}"),
                hint,
            )
        }
        code => Refusal::misconfigured(
            "bind_dn",
            format!("{server} refuses the service account with code {code}{}", quoted(&result.text)),
            "Give the account's full name (DN); with Active Directory name@domain works too.",
        ),
    }
}

fn encrypt(server: &str) -> Refusal {
    Refusal::misconfigured(
        "starttls",
        format!("{server} takes passwords on encrypted connections only"),
        "Use an ldaps:// address, or turn StartTLS on.",
    )
}

fn busy(server: &str, result: &LdapResult) -> Refusal {
    Refusal::unavailable(format!("{server} is busy{}", quoted(&result.text)), LATER)
}

fn search_refusal(server: &str, search: &Search<'_>, result: &LdapResult) -> Refusal {
    let (base, filter) = (search.base.0, search.filter.0);
    let (code, text) = (result.rc, quoted(&result.text));
    match code {
        3 | 11 => Refusal::unavailable(
            format!("{server} gave up searching{text}"),
            "Let the server index the attributes of the filters, or choose a smaller base.",
        ),
        10 => Refusal::misconfigured(
            base,
            format!("{server} refers to another server for this name"),
            "Give the server that has this part of the directory; referrals are not followed.",
        ),
        32 => Refusal::misconfigured(
            base,
            format!("{server} has nothing under this name, or does not show it to the service account"),
            "Check the name's spelling, and what the service account may read.",
        ),
        34 => Refusal::misconfigured(
            base,
            format!("{server} cannot read this name{text}"),
            "Write it as in ou=people,dc=example,dc=org.",
        ),
        17 | 18 | 21 => Refusal::misconfigured(
            filter,
            format!("{server} does not understand the filter{text}"),
            "Check the filter's attributes; directories differ in what they have.",
        ),
        // Active Directory says 1, an operation's error, to those who have not bound.
        1 | 8 | 13 | 50 => Refusal::misconfigured(
            "bind_dn",
            format!("{server} does not let this account search{text}"),
            "Give a service account that may read people and groups.",
        ),
        51 | 52 => busy(server, result),
        _ => Refusal::unavailable(format!("{server} answered the search with code {code}{text}"), LATER),
    }
}
