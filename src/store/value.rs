//! Values in and columns out, free of rusqlite's types.

use lectern_kernel::Timestamp;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};

/// A parameter of a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Integer(i) => ValueRef::Integer(*i),
            Value::Real(r) => ValueRef::Real(*r),
            Value::Text(t) => ValueRef::Text(t.as_bytes()),
            Value::Blob(b) => ValueRef::Blob(b),
        }))
    }
}

macro_rules! integers {
    ($($t:ty),*) => {$(
        impl From<$t> for Value {
            #[allow(clippy::cast_lossless, reason = "one macro for types that fit and types that are checked")]
            fn from(v: $t) -> Self { Self::Integer(v as i64) }
        }
        impl Column for $t {
            fn read(v: ValueRef<'_>) -> Option<Self> {
                v.as_i64().ok().and_then(|i| <$t>::try_from(i).ok())
            }
        }
    )*};
}

/// A type that a column can be read as.
pub trait Column: Sized {
    #[doc(hidden)]
    fn read(value: ValueRef<'_>) -> Option<Self>;
}

integers!(i64, u64, i32, u32, u8, u16, usize);

impl From<bool> for Value {
    fn from(v: bool) -> Self {
        Self::Integer(i64::from(v))
    }
}
impl From<f64> for Value {
    fn from(v: f64) -> Self {
        Self::Real(v)
    }
}
impl From<&str> for Value {
    fn from(v: &str) -> Self {
        Self::Text(v.to_owned())
    }
}
impl From<String> for Value {
    fn from(v: String) -> Self {
        Self::Text(v)
    }
}
impl From<&String> for Value {
    fn from(v: &String) -> Self {
        Self::Text(v.clone())
    }
}
impl From<Vec<u8>> for Value {
    fn from(v: Vec<u8>) -> Self {
        Self::Blob(v)
    }
}
impl From<&[u8]> for Value {
    fn from(v: &[u8]) -> Self {
        Self::Blob(v.to_vec())
    }
}
impl From<Timestamp> for Value {
    fn from(v: Timestamp) -> Self {
        Self::Integer(v.0)
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(v: Option<T>) -> Self {
        v.map_or(Self::Null, Into::into)
    }
}

macro_rules! ids {
    ($($t:ident),*) => {$(
        impl From<&lectern_kernel::$t> for Value {
            fn from(v: &lectern_kernel::$t) -> Self { Self::Text(v.as_str().to_owned()) }
        }
        impl Column for lectern_kernel::$t {
            fn read(v: ValueRef<'_>) -> Option<Self> { v.as_str().ok()?.parse().ok() }
        }
    )*};
}
ids!(
    AppId,
    ConsentId,
    ConversationId,
    DocumentId,
    EventId,
    FactorId,
    GroupId,
    InvitationId,
    JobId,
    KeyId,
    LexiconId,
    ProviderId,
    Role,
    SessionId,
    TargetId,
    TenantId,
    TurnId,
    UserId,
    WorkspaceId
);

impl Column for bool {
    fn read(value: ValueRef<'_>) -> Option<Self> {
        value.as_i64().ok().map(|i| i != 0)
    }
}
impl Column for f64 {
    fn read(value: ValueRef<'_>) -> Option<Self> {
        value.as_f64().ok()
    }
}
impl Column for String {
    fn read(value: ValueRef<'_>) -> Option<Self> {
        value.as_str().ok().map(str::to_owned)
    }
}
impl Column for Vec<u8> {
    fn read(value: ValueRef<'_>) -> Option<Self> {
        value.as_blob().ok().map(<[u8]>::to_vec)
    }
}
impl Column for Timestamp {
    fn read(value: ValueRef<'_>) -> Option<Self> {
        value.as_i64().ok().map(Timestamp)
    }
}
impl<T: Column> Column for Option<T> {
    fn read(value: ValueRef<'_>) -> Option<Self> {
        match value {
            ValueRef::Null => Some(None),
            other => T::read(other).map(Some),
        }
    }
}
