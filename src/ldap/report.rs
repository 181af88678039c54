//! A configuration tried out, step by step, for the settings page.

use ldap3::Scope;
use serde::Serialize;

use crate::address::Address;
use crate::connection::{Connection, Search};
use crate::directory::Directory;
use crate::escape::USER;
use crate::person;
use crate::refusal::{Refusal, Result};

/// What a test does, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// A TCP connection; for each server.
    Connect,
    /// Encryption, by StartTLS or from the beginning; for each server that is to have it.
    Tls,
    /// The service account; for each server.
    Bind,
    /// The base for people.
    UserBase,
    /// People that the filter finds.
    Users,
    /// The base for groups, where one is set, and that it has groups.
    GroupBase,
}

/// One step and how it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    pub kind: StepKind,
    /// The server, as `ldaps://host:port`.
    pub server: String,
    pub ok: bool,
    pub message: String,
    /// The setting to look at, when it failed because of one.
    pub field: Option<&'static str>,
    /// What to do, when it failed.
    pub hint: Option<&'static str>,
}

/// What a test of the settings found. Steps that could not be tried because of an earlier one are absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    pub steps: Vec<Step>,
    /// People found, at most as many as `limits.count_users`.
    pub users: Option<usize>,
    /// Whether there are more people than `users`.
    pub more_users: bool,
}

impl Report {
    /// Whether people can sign in: everything works with one server at least, though others may be away.
    pub fn works(&self) -> bool {
        let worked = |kind| self.steps.iter().any(|step| step.kind == kind && step.ok);
        let late = |step: &&Step| !matches!(step.kind, StepKind::Connect | StepKind::Tls | StepKind::Bind);
        worked(StepKind::UserBase) && self.steps.iter().filter(late).all(|step| step.ok)
    }

    /// Notes how a step went and gives what it made.
    fn note<T>(&mut self, kind: StepKind, server: &str, done: Result<(T, String)>) -> Option<T> {
        let server = server.to_owned();
        match done {
            Ok((value, message)) => {
                self.steps.push(Step { kind, server, ok: true, message, field: None, hint: None });
                Some(value)
            }
            Err(refusal) => {
                let field =
                    if let Refusal::Misconfigured { field, .. } = refusal { Some(field) } else { None };
                let (message, hint) = (refusal.to_string(), Some(refusal.hint()));
                self.steps.push(Step { kind, server, ok: false, message, field, hint });
                None
            }
        }
    }
}

impl Directory {
    /// Tries the settings out: every server as far as the service account, then on the first that works what is in it.
    pub async fn test(&self) -> Report {
        let mut report = Report { steps: Vec::new(), users: None, more_users: false };
        let mut first: Option<(Connection, String)> = None;
        for address in self.config.addresses() {
            let Some(connection) = self.reach(&address, &mut report).await else { continue };
            match first {
                None => first = Some((connection, address.to_string())),
                Some(_) => connection.close().await,
            }
        }
        if let Some((mut connection, server)) = first {
            self.look_in(&mut connection, &server, &mut report).await;
            connection.close().await;
        }
        report
    }

    async fn reach(&self, address: &Address, report: &mut Report) -> Option<Connection> {
        let server = address.to_string();
        let dialled = self.dial(address).await.map(|stream| (stream, "the server answers".to_owned()));
        let stream = report.note(StepKind::Connect, &server, dialled)?;
        let opened = self.encrypt(stream, address).await;
        let mut connection = if self.encrypts(address) || opened.is_err() {
            let opened = opened.map(|connection| (connection, "the connection is encrypted".to_owned()));
            report.note(StepKind::Tls, &server, opened)?
        } else {
            opened.ok()?
        };
        let account = match self.config.bind_dn.as_str() {
            "" => "people are searched anonymously".to_owned(),
            _ => "the service account is let in".to_owned(),
        };
        let bound = self.bind_service(&mut connection, address).await.map(|()| ((), account));
        report.note(StepKind::Bind, &server, bound)?;
        Some(connection)
    }

    async fn look_in(&self, connection: &mut Connection, server: &str, report: &mut Report) {
        let base = ("user_base", self.config.user_base.as_str());
        let exists = self.exists(connection, base).await.map(|()| ((), "the base is there".to_owned()));
        if report.note(StepKind::UserBase, server, exists).is_some() {
            let counted = self.count_users(connection).await;
            if let Some((users, more)) = report.note(StepKind::Users, server, counted) {
                (report.users, report.more_users) = (Some(users), more);
            }
        }
        if let Some(base) = &self.config.groups.base {
            let groups = self.has_groups(connection, base).await.map(|message| ((), message));
            report.note(StepKind::GroupBase, server, groups);
        }
    }

    async fn exists(&self, connection: &mut Connection, base: (&'static str, &str)) -> Result<()> {
        let filter = (base.0, "(objectClass=*)");
        let search = Search { base, filter, scope: Scope::Base, attributes: vec!["1.1"], most: 1 };
        let found = connection.search(&search).await?;
        if !found.entries.is_empty() {
            return Ok(());
        }
        Err(Refusal::misconfigured(
            base.0,
            "the base is not there, or is not shown to the service account",
            "Check the name's spelling, and what the service account may read.",
        ))
    }

    async fn count_users(&self, connection: &mut Connection) -> Result<((usize, bool), String)> {
        // Any name instead of one: the only place where the asterisk comes in unescaped.
        let filter = self.config.user_filter().replace(USER, "*");
        let search = Search {
            base: ("user_base", &self.config.user_base),
            filter: ("user_filter", &filter),
            scope: Scope::Subtree,
            attributes: person::attributes(&self.config),
            most: self.config.limits.count_users,
        };
        let found = connection.search(&search).await?;
        let users = found.entries.len();
        // Whoever cannot be read could not sign in; one is enough to tell. A disabled account is no such case.
        if let Some(entry) = found.entries.first()
            && let Err(refusal @ Refusal::Misconfigured { .. }) = person::read(&self.config, entry)
        {
            return Err(refusal);
        }
        match (users, found.more) {
            (0, _) => Err(Refusal::misconfigured(
                "user_filter",
                "nobody is found under the base",
                "Check the filter's object class and attributes, and what the service account may read.",
            )),
            (_, more) => {
                let message =
                    format!("{users} people found{}", if more { ", and there are more" } else { "" });
                Ok(((users, more), message))
            }
        }
    }

    async fn has_groups(&self, connection: &mut Connection, base: &str) -> Result<String> {
        self.exists(connection, ("groups.base", base)).await?;
        let search = Search {
            base: ("groups.base", base),
            filter: ("groups.filter", self.config.group_filter()),
            scope: Scope::Subtree,
            attributes: vec![&self.config.groups.name],
            most: 1,
        };
        let found = connection.search(&search).await?;
        match found.entries.first() {
            Some(entry) => {
                let group = person::group(&self.config, entry);
                Ok(format!("groups are found, such as {}", group.name))
            }
            None => Err(Refusal::misconfigured(
                "groups.filter",
                "no group is found under the base",
                "Check the filter's object class, and what the service account may read.",
            )),
        }
    }
}
