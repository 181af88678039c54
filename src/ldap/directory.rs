//! Signing people in, and looking them up.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use ldap3::Scope;
use rustls::ClientConfig;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::address::Address;
use crate::config::{DirectoryConfig, Kind};
use crate::connection::{Connection, Found, Search, person_refusal, service_refusal};
use crate::escape::{dn_value, equals, fill};
use crate::nested::{Parents, walk};
use crate::person::{self, Entry, Group, Person};
use crate::refusal::{Refusal, Result};
use crate::tls;
use crate::wire::{Dial, connect, secure};

/// Longest user name and password that are asked for, in bytes.
const LONGEST_USER: usize = 256;
const LONGEST_PASSWORD: usize = 1024;
/// Finds a group also through groups in groups (MS-ADTS section 3.1.1.3.4.4.3).
const IN_CHAIN: &str = "1.2.840.113556.1.4.1941";

/// A directory that people sign in with. Keeps no connection between calls; cheap to make for one.
pub struct Directory {
    pub(crate) config: DirectoryConfig,
    password: Zeroizing<String>,
    dial: Arc<dyn Dial>,
    tls: Option<Arc<ClientConfig>>,
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory").field("urls", &self.config.urls).finish_non_exhaustive()
    }
}

impl Directory {
    /// Checks the configuration; nothing is connected yet. `password` is the service account's.
    pub fn new(config: DirectoryConfig, password: Zeroizing<String>, dial: Arc<dyn Dial>) -> Result<Self> {
        if let Some((field, message)) = config.validate().into_iter().next() {
            return Err(Refusal::misconfigured(field, message, "Mend this setting."));
        }
        if !config.bind_dn.is_empty() && password.is_empty() {
            let hint = "Give the service account's password, or search anonymously with no account at all.";
            return Err(Refusal::misconfigured("bind_password", "the service account has no password", hint));
        }
        let encrypted = config.addresses().iter().any(|address| address.tls || config.starttls);
        let tls = if encrypted { Some(tls::client(config.authorities.as_deref())?) } else { None };
        Ok(Self { config, password, dial, tls })
    }

    /// Signs a person in: finds exactly one entry, binds as it with the password on a connection of its own, and reads
    /// the groups. `user` is whatever the filter compares: a user name or a mail address.
    pub async fn sign_in(&self, user: &str, password: &str) -> Result<Person> {
        let user = typed(user)?;
        // The directory would take an empty password for an anonymous bind and let anybody in (RFC 4513, 5.1.2).
        if password.is_empty() || password.len() > LONGEST_PASSWORD {
            return Err(Refusal::WrongCredentials);
        }
        let mut service = self.service().await?;
        let result = async {
            let entry = match self.find(&mut service, user).await {
                Err(Refusal::NotFound) => return Err(self.decoy(user, password).await),
                found => found?,
            };
            self.bind_person(&entry.person.dn, password).await?;
            self.with_groups(&mut service, entry.enabled()?).await
        }
        .await;
        service.close().await;
        result
    }

    /// Finds a person without a password, as for a synchronisation. People whose account Active Directory shows as
    /// disabled are refused as such.
    pub async fn lookup(&self, user: &str) -> Result<Person> {
        let user = typed(user)?;
        let mut service = self.service().await?;
        let result = async {
            let entry = self.find(&mut service, user).await?.enabled()?;
            self.with_groups(&mut service, entry).await
        }
        .await;
        service.close().await;
        result
    }

    /// The groups that a person has now.
    pub async fn groups(&self, person: &Person) -> Result<Vec<Group>> {
        let mut service = self.service().await?;
        let result = async {
            if self.config.groups.base.is_some() {
                return self.search_groups(&mut service, person).await;
            }
            let found = self.search_person(&mut service, &person.dn, Scope::Base, "(objectClass=*)").await?;
            let entry = found.entries.first().ok_or(Refusal::NotFound)?;
            Ok(person::read(&self.config, entry)?.member_of)
        }
        .await;
        service.close().await;
        result
    }

    /// A connection bound as the service account, to the first server that gives one.
    async fn service(&self) -> Result<Connection> {
        let mut tries = Tries::default();
        for address in self.config.addresses() {
            let Some(mut connection) = tries.keep(self.open(&address).await) else { continue };
            match self.bind_service(&mut connection, &address).await {
                Ok(()) => return Ok(connection),
                Err(refusal) => tries.failed(refusal)?,
            }
        }
        Err(tries.end())
    }

    pub(crate) async fn bind_service(&self, connection: &mut Connection, address: &Address) -> Result<()> {
        if self.config.bind_dn.is_empty() {
            return Ok(());
        }
        match connection.bind(&self.config.bind_dn, &self.password).await? {
            done if done.rc == 0 => Ok(()),
            failed => Err(service_refusal(&address.to_string(), &failed)),
        }
    }

    async fn open(&self, address: &Address) -> Result<Connection> {
        let opened = timeout(self.config.connect_time(), async {
            let stream = connect(self.dial.as_ref(), address).await?;
            self.secured(stream, address).await
        });
        opened.await.unwrap_or_else(|_| Err(self.too_slow(address)))
    }

    pub(crate) async fn dial(&self, address: &Address) -> Result<tokio::net::TcpStream> {
        let opened = timeout(self.config.connect_time(), connect(self.dial.as_ref(), address));
        opened.await.unwrap_or_else(|_| Err(self.too_slow(address)))
    }

    pub(crate) async fn encrypt(
        &self,
        stream: tokio::net::TcpStream,
        address: &Address,
    ) -> Result<Connection> {
        let opened = timeout(self.config.connect_time(), self.secured(stream, address));
        opened.await.unwrap_or_else(|_| Err(self.too_slow(address)))
    }

    async fn secured(&self, stream: tokio::net::TcpStream, address: &Address) -> Result<Connection> {
        let client = self.tls.as_ref().filter(|_| self.encrypts(address));
        let stream = secure(stream, address, client).await?;
        Connection::new(stream, address.to_string(), self.config.operation_time()).await
    }

    pub(crate) fn encrypts(&self, address: &Address) -> bool {
        address.tls || self.config.starttls
    }

    fn too_slow(&self, address: &Address) -> Refusal {
        let seconds = self.config.limits.connect_seconds;
        let hint = "Check the address and port, and firewalls between here and there.";
        Refusal::unavailable(format!("{address}: no connection within {seconds} seconds"), hint)
    }

    /// Exactly one entry.
    async fn find(&self, service: &mut Connection, user: &str) -> Result<Entry> {
        let filter = fill(self.config.user_filter(), user);
        let found = self.search_person(service, &self.config.user_base, Scope::Subtree, &filter).await?;
        match found.entries.as_slice() {
            [] => Err(Refusal::NotFound),
            [entry] if !found.more => person::read(&self.config, entry),
            _ => Err(Refusal::misconfigured(
                "user_filter",
                "more than one entry has this user name",
                "Choose a filter and a base by which a user name belongs to one person only.",
            )),
        }
    }

    async fn search_person(
        &self,
        service: &mut Connection,
        base: &str,
        scope: Scope,
        filter: &str,
    ) -> Result<Found> {
        let attributes = person::attributes(&self.config);
        let (base, filter) = (("user_base", base), ("user_filter", filter));
        service.search(&Search { base, filter, scope, attributes, most: 1 }).await
    }

    /// On a second connection, since what a person may see and do is not what the service account may.
    async fn bind_person(&self, dn: &str, password: &str) -> Result<()> {
        let mut tries = Tries::default();
        for address in self.config.addresses() {
            let Some(mut connection) = tries.keep(self.open(&address).await) else { continue };
            let bound = connection.bind(dn, password).await;
            connection.close().await;
            match bound {
                Ok(result) if result.rc == 0 => return Ok(()),
                Ok(result) => tries.failed(person_refusal(&address.to_string(), &result))?,
                Err(refusal) => tries.failed(refusal)?,
            }
        }
        Err(tries.end())
    }

    /// Makes an unknown name take as long as a wrong password: a bind as nobody, whose end does not count.
    async fn decoy(&self, user: &str, password: &str) -> Refusal {
        let dn = format!("cn={},{}", dn_value(&format!("nobody called {user}")), self.config.user_base);
        let _ = self.bind_person(&dn, password).await;
        Refusal::NotFound
    }

    async fn with_groups(&self, service: &mut Connection, entry: Entry) -> Result<Person> {
        let Entry { mut person, member_of, .. } = entry;
        person.groups = match self.config.groups.base {
            Some(_) => self.search_groups(service, &person).await?,
            None => member_of,
        };
        Ok(person)
    }

    async fn search_groups(&self, service: &mut Connection, person: &Person) -> Result<Vec<Group>> {
        let groups = &self.config.groups;
        let member = if self.config.members_are_names() { &person.user_name } else { &person.dn };
        let depth = match (groups.nested, self.config.kind) {
            (true, Kind::OpenLdap) => groups.max_depth,
            _ => 1,
        };
        let mut graph = Server { service, config: &self.config };
        walk(&mut graph, member, depth, groups.max_groups as usize).await
    }
}

/// Servers that were tried in vain. What the first one said is told, since it should have worked.
#[derive(Default)]
struct Tries {
    first: Option<Refusal>,
}

impl Tries {
    fn keep<T>(&mut self, opened: Result<T>) -> Option<T> {
        opened.map_err(|refusal| _ = self.first.get_or_insert(refusal)).ok()
    }

    /// Only a server's own trouble leads to the next one: a wrong password is wrong everywhere, and trying it there too
    /// would lock the account.
    fn failed(&mut self, refusal: Refusal) -> Result<()> {
        match refusal {
            Refusal::Unavailable { .. } => {
                self.first.get_or_insert(refusal);
                Ok(())
            }
            _ => Err(refusal),
        }
    }

    fn end(self) -> Refusal {
        self.first.unwrap_or_else(|| {
            Refusal::misconfigured("urls", "there is no address", "Give one address at least.")
        })
    }
}

/// The groups of a server, by what they have as members.
struct Server<'a> {
    service: &'a mut Connection,
    config: &'a DirectoryConfig,
}

#[async_trait]
impl Parents for Server<'_> {
    async fn parents(&mut self, members: &[String]) -> Result<Vec<Group>> {
        let groups = &self.config.groups;
        let filter = member_filter(self.config, members);
        let search = Search {
            base: ("groups.base", groups.base.as_deref().unwrap_or_default()),
            filter: ("groups.filter", &filter),
            scope: Scope::Subtree,
            attributes: vec![&groups.name],
            most: groups.max_groups,
        };
        let found = self.service.search(&search).await?;
        if found.more {
            return Err(self.too_many());
        }
        Ok(found.entries.iter().map(|entry| person::group(self.config, entry)).collect())
    }

    fn too_many(&self) -> Refusal {
        person::too_many(self.config)
    }
}

/// Groups that have any of these members; with Active Directory also through other groups, when nested ones count.
pub(crate) fn member_filter(config: &DirectoryConfig, members: &[String]) -> String {
    let attribute = &config.groups.member;
    let chained = config.groups.nested && config.kind == Kind::ActiveDirectory;
    let rule = if chained { format!("{attribute}:{IN_CHAIN}:") } else { attribute.clone() };
    let any: String = members.iter().map(|member| equals(&rule, member)).collect();
    format!("(&{}(|{any}))", config.group_filter())
}

/// What was typed as a user name, if it can be one.
fn typed(user: &str) -> Result<&str> {
    let user = user.trim();
    if user.is_empty() || user.len() > LONGEST_USER { Err(Refusal::NotFound) } else { Ok(user) }
}
