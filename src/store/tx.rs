//! A transaction: statements by position `$1`, rows by column name, events collected until the commit.

use std::cell::OnceCell;

use lectern_kernel::{Event, Timestamp};
use rusqlite::{CachedStatement, Connection};

use crate::{Column, StoreError, Value};

type Result<T> = std::result::Result<T, StoreError>;

/// A read or write transaction on one database.
pub struct Tx<'c> {
    connection: &'c Connection,
    events: Vec<Event>,
    recorded: bool,
    now: Timestamp,
}

impl<'c> Tx<'c> {
    pub(crate) fn new(connection: &'c Connection, now: Timestamp) -> Self {
        Self { connection, events: Vec::new(), recorded: false, now }
    }

    /// The time of this transaction: one for all that it writes.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    pub(crate) fn remember(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Notes that the record of who did what got an entry.
    pub(crate) fn set_recorded(&mut self) {
        self.recorded = true;
    }

    pub(crate) fn has_recorded(&self) -> bool {
        self.recorded
    }

    pub(crate) fn into_events(self) -> Vec<Event> {
        self.events
    }

    /// Runs a statement; the number of rows it changed.
    pub fn execute(&self, sql: &str, params: &[Value]) -> Result<usize> {
        let mut statement = self.prepare(sql, params)?;
        Ok(statement.raw_execute()?)
    }

    /// All rows of a query.
    pub fn query<T>(
        &self,
        sql: &str,
        params: &[Value],
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.prepare(sql, params)?;
        let mut rows = statement.raw_query();
        let (mut out, names) = (Vec::new(), OnceCell::new());
        while let Some(row) = rows.next()? {
            out.push(read(&Row { row, names: &names })?);
        }
        Ok(out)
    }

    /// The first row of a query, if there is one.
    pub fn query_one<T>(
        &self,
        sql: &str,
        params: &[Value],
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut statement = self.prepare(sql, params)?;
        let mut rows = statement.raw_query();
        let names = OnceCell::new();
        rows.next()?.map(|row| read(&Row { row, names: &names })).transpose()
    }

    /// The single value of a query such as `SELECT count(*)`.
    pub fn scalar<T: Column>(&self, sql: &str, params: &[Value]) -> Result<Option<T>> {
        self.query_one(sql, params, |row| row.at(0))
    }

    /// Several statements without parameters, for migrations.
    pub(crate) fn batch(&self, sql: &str) -> Result<()> {
        Ok(self.connection.execute_batch(sql)?)
    }

    fn prepare(&self, sql: &str, params: &[Value]) -> Result<CachedStatement<'c>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let count = statement.parameter_count();
        let wrong = || rusqlite::Error::InvalidParameterCount(params.len(), count);
        if count != params.len() {
            return Err(wrong().into());
        }
        for index in 1..=count {
            // SQLite numbers `$1` by where it stands in the text; binding by name makes it mean the first value.
            let name = statement.parameter_name(index).and_then(|name| name.strip_prefix('$'));
            let number = name.and_then(|number| number.parse::<usize>().ok()).ok_or_else(wrong)?;
            let value = number.checked_sub(1).and_then(|at| params.get(at)).ok_or_else(wrong)?;
            statement.raw_bind_parameter(index, value)?;
        }
        Ok(statement)
    }
}

/// A row of a result.
pub struct Row<'r> {
    row: &'r rusqlite::Row<'r>,
    /// Of the columns, once a row was asked by name: SQLite tells them slowly.
    names: &'r OnceCell<Vec<String>>,
}

impl Row<'_> {
    /// The column of that name.
    pub fn get<T: Column>(&self, name: &str) -> Result<T> {
        let names = || self.row.as_ref().column_names().into_iter().map(str::to_owned).collect();
        let index = self.names.get_or_init(names).iter().position(|found| found.eq_ignore_ascii_case(name));
        self.at(index.ok_or_else(|| rusqlite::Error::InvalidColumnName(name.to_owned()))?)
    }

    /// The column at a place from 0.
    pub fn at<T: Column>(&self, index: usize) -> Result<T> {
        let value = self.row.get_ref(index)?;
        T::read(value).ok_or_else(|| {
            let name = self.row.as_ref().column_name(index).unwrap_or("?").to_owned();
            StoreError::Sqlite(rusqlite::Error::InvalidColumnType(index, name, value.data_type()))
        })
    }
}
