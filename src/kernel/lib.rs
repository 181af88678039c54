//! The words all areas share: ids, errors, time, pages, events, scopes and ports.
//!
//! Small and boring on purpose: no HTTP, no SQL, and nothing that only one area needs.

mod clock;
mod error;
mod event;
mod id;
mod page;
pub mod ports;
mod scope;
pub mod text;

pub use clock::{Clock, SystemClock, Timestamp};
pub use error::{Code, Error, FieldError, Result};
pub use event::Event;
pub use id::{
    ConversationId, DocumentId, EventId, IdError, JobId, KeyId, LexiconId, RequestId, SessionId, TenantId,
    TurnId, UserId,
};
pub use page::{Cursor, Page, PageRequest};
pub use scope::{Actor, Permission, Principal, Role, Scope};
